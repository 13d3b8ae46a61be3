//! Bank statements: a debit settles its file, a credit brings payouts back, what is left has an age, and the bank beside
//! the ledger comes out to the cent.

use domain::access::Viewer;
use domain::kernel::Instant;
use domain::payouts::bank::by_hand::{HandTarget, MatchLine};
use domain::payouts::bank::receive::{self, ReceiveStatements, Received};
use domain::payouts::bank::reconcile::{self, Reconciliation};
use domain::payouts::bank::statement::StatementFormat;
use domain::payouts::bank::{by_hand, settle};
use domain::payouts::{BankAccount, CreateBankAccount, PayoutError, PayoutRun, decide};
use harness::camt::{Entry, Statement, document, entry};
use harness::platform::Platform;
use integrations::bank_statements::camt;

use crate::returns::send;
use crate::runs::{import, with_deals};
use crate::world::{People, as_, file, keep, paid, people, raw};

/// Takes a document in as somebody who may.
pub fn take_in(platform: &Platform, people: &People, xml: &str) -> Received {
    let statements = camt::read(xml.as_bytes()).expect("a good document");
    let command = ReceiveStatements { account: None, format: StatementFormat::Camt053, bytes: xml.into(), statements };
    platform
        .store()
        .transaction(|uow| receive::receive(uow, &as_(platform, &people.finance), &command))
        .expect("taken in")
}

/// A day of the account, from an opening balance.
pub fn day(opening: i64, on: &str, entries: Vec<Entry>) -> Statement {
    let on = on.to_owned();
    Statement { account: "062-000 12345678".into(), id: format!("S-{on}"), from: on.clone(), to: on, opening, entries }
}

fn report(platform: &Platform) -> Reconciliation {
    let today = platform.now.sydney_date();
    platform.store().read(&Viewer::Everything, |q| reconcile::draw_up(q, today, None, None)).expect("a report")
}

/// bank, ledger, difference, unmatched, timing, unexplained of the only account.
fn figures(platform: &Platform) -> [i64; 6] {
    let report = report(platform);
    let [only] = report.accounts.as_slice() else { panic!("one account") };
    let closing = only.standing.statement.as_ref().and_then(|s| s.closing_minor).expect("a balance");
    [
        closing,
        only.standing.ledger_minor,
        only.difference_minor.expect("a difference"),
        only.standing.unmatched_minor,
        only.timing_minor,
        only.unexplained_minor.expect("a rest"),
    ]
}

fn states(platform: &Platform, state: &str) -> i64 {
    platform.number(&format!("select count(*) from payout where state = '{state}'"))
}

/// $780 and $130 are on their way; it is 27 November.
fn sent() -> (Platform, People, BankAccount, PayoutRun) {
    let mut platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, true);
    let run = paid(&platform, &people, &account);
    platform.now = Instant::new("2026-11-27T02:00:00Z".parse().expect("a time"));
    (platform, people, account, run)
}

#[test]
fn a_debit_over_the_total_settles_every_payout_of_the_file_once() {
    let (platform, people, _, _) = sent();
    let xml = document("02", &[day(91_000, "2026-11-24", vec![entry("2026-11-24", -91_000, "COMMISSION")])]);
    let taken = take_in(&platform, &people, &xml);
    assert!(taken.is_new);
    assert_eq!((taken.statements[0].lines, taken.statements[0].matched), (1, 1));
    assert_eq!((states(&platform, "settled"), states(&platform, "in_transit")), (2, 0));
    // The ledger knows nothing of the money that lay there before.
    assert_eq!(figures(&platform), [0, -91_000, 91_000, 0, 0, 91_000]);
    let entries = platform.number("select count(*) from ledger_entry");
    let again = take_in(&platform, &people, &xml);
    assert_eq!((again.is_new, &again.statements[0].id), (false, &taken.statements[0].id));
    // The same day in another document: its line is a second debit, which is nothing that is known.
    let other = document("08", &[day(91_000, "2026-11-24", vec![entry("2026-11-24", -91_000, "COMMISSION")])]);
    assert_eq!(take_in(&platform, &people, &other).statements[0].matched, 0);
    assert_eq!(platform.number("select count(*) from ledger_entry"), entries);
    for sql in ["update bank_statement_line set n = 9", "delete from bank_line_match", "delete from bank_document"] {
        assert!(platform.refusal_of(sql).is_some(), "{sql}");
    }
}

#[test]
fn what_came_back_before_and_after_is_told_apart_and_comes_out_to_the_cent() {
    let (platform, people, _, run) = sent();
    let payments = harness::bounced::payments(&file(&platform, &run));
    let dear = payments.iter().find(|p| p[20..30].ends_with("78000")).expect("the payment");
    let cheap = payments.iter().find(|p| p[20..30].ends_with("13000")).expect("the payment");
    // The dear one comes back before the bank shows the debit; the cheap one by a credit that names it, later.
    let _ = send(&platform, &people, &[harness::bounced::record(dear, '6')]);
    let debit = document("08", &[day(0, "2026-11-24", vec![entry("2026-11-24", -91_000, "FLIP 360 PTY LTD 301500")])]);
    let _ = take_in(&platform, &people, &debit);
    assert_eq!((states(&platform, "settled"), states(&platform, "returned")), (1, 1));
    assert_eq!(figures(&platform), [-91_000, -13_000, -78_000, 0, -78_000, 0], "a matter of days");
    let reference = cheap[62..80].trim();
    let credits = vec![
        Entry { end_to_end: reference.to_owned(), ..entry("2026-11-26", 13_000, "RETURN") },
        entry("2026-11-26", 78_000, "DIRECT ENTRY RETURNS"),
        entry("2026-11-26", 5, "SOMETHING ELSE"),
    ];
    let _ = take_in(&platform, &people, &document("02", &[day(-91_000, "2026-11-26", credits)]));
    assert_eq!((states(&platform, "settled"), states(&platform, "returned")), (0, 2));
    assert_eq!(figures(&platform), [5, 0, 5, 5, 0, 0]);
    let report = report(&platform);
    assert_eq!(report.unmatched.iter().map(|(line, age)| (line.amount_minor, *age)).collect::<Vec<_>>(), [(5, 1)]);
    assert_eq!(report.accounts[0].standing.gaps, 0);
}

#[test]
fn a_credit_that_names_several_brings_all_of_them_back_and_one_that_does_not_add_up_none() {
    let (platform, people, _, run) = sent();
    let payments = harness::bounced::payments(&file(&platform, &run));
    let both: Vec<String> = payments.iter().map(|p| p[62..80].trim().to_lowercase()).collect();
    let wrong = Entry { remittance: both.join(" "), ..entry("2026-11-25", 90_999, "RETURNS") };
    let right = Entry { remittance: both.join(" / "), ..entry("2026-11-25", 91_000, "RETURNS") };
    let lines = vec![entry("2026-11-24", -91_000, "X"), wrong, right];
    let taken = take_in(&platform, &people, &document("08", &[day(0, "2026-11-25", lines)]));
    assert_eq!((taken.statements[0].lines, taken.statements[0].matched), (3, 2));
    assert_eq!(states(&platform, "returned"), 2);
    assert_eq!(figures(&platform), [90_999, 0, 90_999, 90_999, 0, 0]);
}

#[test]
fn the_money_of_a_payment_comes_back_by_one_line_alone_or_with_its_file() {
    let (dear, together) = (78_000, 91_000);
    // Which credit comes first, and whether the other is in the same document.
    for (alone_first, documents) in [(true, 2), (true, 1), (false, 2), (false, 1)] {
        let (platform, people, _, run) = sent();
        let payments = harness::bounced::payments(&file(&platform, &run));
        let back: Vec<String> = payments.iter().map(|payment| harness::bounced::record(payment, '6')).collect();
        assert_eq!(send(&platform, &people, &back).kept.matched_minor, together);
        let named = payments.iter().find(|p| p[20..30].ends_with("78000")).expect("the payment")[62..80].trim();
        let alone = Entry { end_to_end: named.to_owned(), ..entry("2026-11-25", dear, "RETURN") };
        let mut credits = vec![alone, entry("2026-11-25", together, "DIRECT ENTRY RETURNS")];
        let first = if alone_first { dear } else { together };
        if !alone_first {
            credits.reverse();
        }
        let debit = entry("2026-11-24", -together, "COMMISSION");
        let second = credits.split_off(2 / documents);
        let lines = std::iter::once(debit).chain(credits).collect();
        let _ = take_in(&platform, &people, &document("08", &[day(together, "2026-11-25", lines)]));
        if !second.is_empty() {
            let _ = take_in(&platform, &people, &document("02", &[day(first, "2026-11-26", second)]));
        }
        let open: Vec<i64> = report(&platform).unmatched.iter().map(|(line, _)| line.amount_minor).collect();
        assert_eq!(open, [dear + together - first], "{alone_first} {documents}");
        assert_eq!(states(&platform, "returned"), 2);
        // Nor by hand.
        let line = report(&platform).unmatched[0].0.id;
        let payout = run.content.content().payouts.iter().find(|p| p.net.0 == dear).expect("the payout").id;
        let reason = domain::directory::Grounds::parse("it looks alike").expect("grounds");
        let command = MatchLine { line, target: HandTarget::Payout(payout), reason };
        let by =
            platform.store().transaction(|uow| by_hand::match_line(uow, &as_(&platform, &people.finance), &command));
        assert!(by.is_err(), "{alone_first} {documents}");
    }
}

#[test]
fn two_files_over_one_amount_wait_for_two_debits_or_somebody_who_knows() {
    let mut platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, true);
    let first = paid(&platform, &people, &account);
    import(&platform, &[("C-2", "M016", "")]);
    let second = paid(&platform, &people, &account);
    platform.now = Instant::new("2026-11-27T02:00:00Z".parse().expect("a time"));
    assert_eq!(first.files()[0].total_minor, second.files()[0].total_minor);
    let one = document("02", &[day(0, "2026-11-24", vec![entry("2026-11-24", -91_000, "COMMISSION")])]);
    let taken = take_in(&platform, &people, &one);
    assert_eq!((taken.statements[0].matched, states(&platform, "settled")), (0, 0), "nobody can tell which");
    let line = report(&platform).unmatched[0].0.id;
    let by = |target: HandTarget| {
        let reason = domain::directory::Grounds::parse("the bank told us by telephone").expect("grounds");
        let command = MatchLine { line, target, reason };
        platform.store().transaction(|uow| by_hand::match_line(uow, &as_(&platform, &people.finance), &command))
    };
    let payout = second.content.content().payouts[0].id;
    assert!(matches!(by(HandTarget::Payout(payout)), Err(PayoutError::Faults(_))), "another amount");
    assert_eq!(by(HandTarget::File(second.files()[0].id)).expect("matched").matches.len(), 1);
    assert_eq!(by(HandTarget::Explained).err(), Some(PayoutError::LineMatched));
    let settled = format!("select count(*) from payout where state = 'settled' and run_id = '{}'", second.id.uuid());
    assert_eq!((platform.number(&settled), states(&platform, "settled")), (2, 2));
    // What is left is clear now.
    let rest = document("02", &[day(-91_000, "2026-11-25", vec![entry("2026-11-25", -91_000, "COMMISSION")])]);
    assert_eq!(take_in(&platform, &people, &rest).statements[0].matched, 1);
    assert_eq!(states(&platform, "settled"), 4);
    assert_eq!(figures(&platform), [-182_000, -182_000, 0, 0, 0, 0]);
}

#[test]
fn a_debit_out_of_time_or_over_another_amount_settles_nothing() {
    let (platform, people, _, _) = sent();
    let lines = vec![entry("2026-11-22", -91_000, "COMMISSION"), entry("2026-11-24", -91_001, "COMMISSION")];
    let taken = take_in(&platform, &people, &document("02", &[day(0, "2026-11-24", lines)]));
    assert_eq!((taken.statements[0].matched, states(&platform, "settled")), (0, 0));
    assert_eq!(figures(&platform), [-182_001, 0, -182_001, -182_001, 0, 0]);
}

#[test]
fn an_account_may_settle_by_the_passing_of_banking_days() {
    let mut platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let raw = domain::payouts::CreateBankAccountInput { settle_after_days: Some(3), ..raw(false) };
    let command = CreateBankAccount::parse(&raw, &domain::directory::PrefixDirectory).expect("an account");
    let account = platform
        .store()
        .transaction(|uow| decide::keep_bank_account(uow, &as_(&platform, &people.finance), command.clone()))
        .expect("kept");
    assert_eq!(account.settle_after_days, Some(3));
    let run = paid(&platform, &people, &account);
    let due = |platform: &Platform| {
        platform.store().transaction(|uow| settle::due(uow, &as_(platform, &people.finance))).expect("settled")
    };
    // Monday's file: three banking days end with Thursday.
    platform.now = Instant::new("2026-11-26T02:00:00Z".parse().expect("a time"));
    assert_eq!((due(&platform), states(&platform, "settled")), (0, 0));
    platform.now = Instant::new("2026-11-27T02:00:00Z".parse().expect("a time"));
    assert_eq!((due(&platform), states(&platform, "settled")), (1, 2));
    assert_eq!((due(&platform), states(&platform, "settled")), (0, 2));
    // The debit that comes later is still the file's; a payment may still come back.
    let payments = harness::bounced::payments(&file(&platform, &run));
    let xml = document("02", &[day(0, "2026-11-27", vec![entry("2026-11-27", -91_000, "COMMISSION")])]);
    assert_eq!(take_in(&platform, &people, &xml).statements[0].matched, 1);
    assert_eq!(figures(&platform), [-91_000, -91_000, 0, 0, 0, 0]);
    let _ = send(&platform, &people, &[harness::bounced::record(&payments[0], '6')]);
    assert_eq!((states(&platform, "settled"), states(&platform, "returned")), (1, 1));
}

#[test]
fn fifty_at_once_take_one_document_in_once() {
    let (platform, people, _, _) = sent();
    let xml = document("08", &[day(0, "2026-11-24", vec![entry("2026-11-24", -91_000, "COMMISSION")])]);
    let taken: Vec<Received> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..50).map(|_| scope.spawn(|| take_in(&platform, &people, &xml))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(taken.iter().filter(|received| received.is_new).count(), 1);
    assert!(taken.iter().all(|received| received.statements[0].id == taken[0].statements[0].id));
    assert_eq!(platform.number("select count(*) from ledger_entry where kind = 'payout_settled'"), 2);
}
