//! Returned payments: what the bank sends back is `available` again, once, whatever is sent in how often.

use domain::payouts::PayoutRun;
use domain::payouts::content::Skip;
use domain::payouts::execute::Execution;
use domain::payouts::outcome::{self, Came, Outcome};
use domain::payouts::plan::Discrepancy;
use domain::payouts::returns::file::{self, ReturnCode};
use domain::payouts::returns::receive::{self, ReceiveReturns, Received};
use harness::bounced;
use harness::platform::Platform;

use crate::runs::{import, with_deals};
use crate::world::{People, approved, as_, execute, file as bank_file, keep, paid, people, preview};

const DATED: &str = "231126";

/// Takes in a file of these records.
pub fn send(platform: &Platform, people: &People, records: &[String]) -> Received {
    let command = ReceiveReturns::parse(bounced::file(records, DATED).into_bytes()).expect("a good file");
    platform
        .store()
        .transaction(|uow| receive::receive(uow, &as_(platform, &people.finance), &command))
        .expect("taken in")
}

/// The bank says that everything that a run sent has arrived.
pub fn arrive(platform: &Platform, people: &People, run: &PayoutRun) {
    let outcomes: Vec<Outcome> = run
        .content
        .content()
        .payouts
        .iter()
        .map(|p| Outcome {
            payout: p.id,
            came: Came::Through,
            effective_on: platform.now.sydney_date(),
            source: p.id.uuid(),
        })
        .collect();
    let _ = platform
        .store()
        .transaction(|uow| outcome::record(uow, &as_(platform, &people.finance), &outcomes))
        .expect("settled");
}

fn balance(platform: &Platform, kind: &str) -> i64 {
    platform.number(&format!(
        "select coalesce(-sum(amount_minor), 0) from ledger_posting p join ledger_account a on a.id = p.account_id where a.kind = '{kind}'"
    ))
}

/// M016 gets $780, its upline M004 $130.
fn sent() -> (Platform, People, PayoutRun, Vec<String>) {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, true);
    let run = paid(&platform, &people, &account);
    let mut payments = bounced::payments(&bank_file(&platform, &run));
    payments.sort_by_key(|payment| payment[20..30].to_owned());
    assert_eq!(payments.len(), 2);
    (platform, people, run, payments)
}

#[test]
fn what_comes_back_is_available_again_and_the_same_file_changes_nothing() {
    let (platform, people, _, payments) = sent();
    let back = [bounced::record(&payments[1], '6')];
    let first = send(&platform, &people, &back);
    assert!(first.is_new);
    assert_eq!((first.kept.items, first.kept.matched, first.kept.matched_minor), (1, 1, 78_000));
    assert_eq!((balance(&platform, "payee_available"), balance(&platform, "payee_in_transit")), (78_000, 13_000));
    let entries = platform.number("select count(*) from ledger_entry");
    let again = send(&platform, &people, &back);
    assert_eq!((again.is_new, &again.kept), (false, &first.kept));
    assert_eq!(platform.number("select count(*) from ledger_entry"), entries);
    // Another file that says the same of it: an exception, and nothing moves.
    let other = send(&platform, &people, &[bounced::record(&payments[1], '6'), bounced::record(&payments[0], '2')]);
    assert_eq!((other.kept.items, other.kept.matched), (2, 1));
    assert_eq!(platform.number("select count(*) from bank_return_item where unmatched = 'already_returned'"), 1);
    assert_eq!((balance(&platform, "payee_available"), balance(&platform, "payee_in_transit")), (91_000, 0));
    for sql in ["update bank_return_item set n = 9", "delete from bank_return", "delete from bank_details_block"] {
        assert!(platform.refusal_of(sql).is_some(), "{sql}");
    }
}

#[test]
fn fifty_at_once_take_one_file_in_once() {
    let (platform, people, _, payments) = sent();
    let back = [bounced::record(&payments[1], '6')];
    let taken: Vec<Received> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..50).map(|_| scope.spawn(|| send(&platform, &people, &back))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(taken.iter().filter(|received| received.is_new).count(), 1);
    assert!(taken.iter().all(|received| received.kept == taken[0].kept));
    assert_eq!(platform.number("select count(*) from ledger_entry where kind = 'payout_returned'"), 1);
}

#[test]
fn after_it_had_arrived_the_cash_is_back_too() {
    let (platform, people, run, payments) = sent();
    arrive(&platform, &people, &run);
    assert_eq!((balance(&platform, "cash"), balance(&platform, "payee_in_transit")), (91_000, 0));
    // Both at once, in one file.
    let both: Vec<String> = payments.iter().map(|payment| bounced::record(payment, '9')).collect();
    assert_eq!(send(&platform, &people, &both).kept.matched, 2);
    assert_eq!((balance(&platform, "cash"), balance(&platform, "payee_available")), (0, 91_000));
    assert_eq!(platform.number("select count(*) from payout where state = 'returned'"), 2);
}

#[test]
fn after_the_payee_was_paid_again_both_payouts_keep_their_own_fate() {
    let (platform, people, first, payments) = sent();
    arrive(&platform, &people, &first);
    import(&platform, &[("C-2", "M016", "")]);
    let account = first.bank_account;
    let account = platform
        .store()
        .transaction(|uow| uow.payouts().find_bank_account(account))
        .expect("a look")
        .expect("the account");
    let second = paid(&platform, &people, &account);
    assert_eq!(second.content.content().total.0, 91_000);
    let _ = send(&platform, &people, &[bounced::record(&payments[1], '6')]);
    let state = |run: &PayoutRun, state: &str| {
        platform
            .number(&format!("select count(*) from payout where run_id = '{}' and state = '{state}'", run.id.uuid()))
    };
    assert_eq!((state(&first, "returned"), state(&first, "settled"), state(&second, "in_transit")), (1, 1, 2));
    assert_eq!(
        (balance(&platform, "payee_available"), balance(&platform, "payee_in_transit"), balance(&platform, "cash")),
        (78_000, 91_000, 13_000)
    );
}

#[test]
fn codes_that_say_the_account_is_no_good_block_it_and_others_do_not() {
    for code in ReturnCode::ALL {
        let (platform, people, run, payments) = sent();
        let _ = send(&platform, &people, &[bounced::record(&payments[1], code.digit())]);
        let account = platform
            .store()
            .transaction(|uow| uow.payouts().find_bank_account(run.bank_account))
            .expect("a look")
            .expect("the account");
        let next = preview(&platform, &people.finance, &account);
        let content = next.content.content();
        let skipped: Vec<Skip> = content.skipped.iter().map(|s| s.code).collect();
        if "1345".contains(code.digit()) {
            assert_eq!((content.payouts.len(), skipped), (0, vec![Skip::BankDetailsBlocked]), "{code:?}");
        } else {
            assert_eq!((content.payouts.len(), skipped), (1, vec![]), "{code:?}");
        }
    }
}

#[test]
fn a_return_after_approval_voids_it() {
    let (platform, people, run, payments) = sent();
    import(&platform, &[("C-2", "M016", "")]);
    let account = platform
        .store()
        .transaction(|uow| uow.payouts().find_bank_account(run.bank_account))
        .expect("a look")
        .expect("the account");
    let next = approved(&platform, &people, &account);
    let _ = send(&platform, &people, &[bounced::record(&payments[1], '3')]);
    let Ok(Execution::Voided(_, why)) = execute(&platform, &people.finance, &next) else {
        panic!("paid a closed account")
    };
    assert!(matches!(why.as_slice(), [Discrepancy::NotPayable { code: Skip::BankDetailsBlocked, .. }]), "{why:?}");
}

#[test]
fn what_is_no_payout_stays_an_exception_and_moves_nothing() {
    let (platform, people, _, payments) = sent();
    let entries = platform.number("select count(*) from ledger_entry");
    let mut dearer = payments[1].clone();
    dearer.replace_range(20..30, "0000078001");
    let mut elsewhere = payments[1].clone();
    elsewhere.replace_range(8..17, " 99999999");
    let traced = {
        // A bank that puts the account into the trace.
        let mut traced = payments[0].clone();
        let (to, trace) = (traced[1..17].to_owned(), traced[80..96].to_owned());
        traced.replace_range(80..96, &to);
        traced.replace_range(1..17, &trace);
        traced
    };
    let records =
        [bounced::unknown("FLIP-NOBODY", 500), bounced::record(&dearer, '6'), bounced::record(&elsewhere, '6')];
    let kept = send(&platform, &people, &records).kept;
    assert_eq!((kept.items, kept.matched, kept.matched_minor), (3, 0, 0));
    assert_eq!(platform.number("select count(*) from ledger_entry"), entries);
    let exceptions = platform
        .store()
        .read(&domain::access::Viewer::Everything, |q| q.returns().list_exceptions(10))
        .expect("exceptions");
    let why: Vec<&str> = exceptions.iter().map(|e| e.item.payout.expect_err("no payout").code()).collect();
    assert_eq!(why, ["no_such_payment", "other_amount", "other_account"]);
    assert_eq!(send(&platform, &people, &[bounced::record(&traced, '6')]).kept.matched, 1);
}

#[test]
fn faults_of_a_file_are_told_all_at_once_with_their_places() {
    let good = bounced::unknown("X", 100);
    let told = |bytes: &[u8]| -> Vec<(String, &'static str)> {
        file::read(bytes).expect_err("faults").0.into_iter().map(|f| (f.pointer, f.code)).collect()
    };
    let file = bounced::file(&[good.clone(), good.clone()], "301126");
    assert_eq!(file::read(file.as_bytes()).expect("items").len(), 2);
    assert_eq!(file::read(file.replace("\r\n", "\n").as_bytes()).expect("items").len(), 2);
    assert_eq!(file::read(format!("{file}{file}").as_bytes()).expect("items").len(), 4);
    let of = |pointer: &str, code| vec![(pointer.to_owned(), code)];
    assert_eq!(told(b""), of("/records/0", "invalid_record"));
    assert_eq!(told(bounced::file(&[], "301126").as_bytes()), of("/records/2", "nothing_returned"));
    assert_eq!(told(&file.as_bytes()[..122]), of("/records/1", "missing_trailer"));
    assert_eq!(
        told(bounced::file(std::slice::from_ref(&good), "310226").as_bytes()),
        of("/records/0/date", "invalid_date")
    );
    let mut spoilt: Vec<String> = file.lines().map(str::to_owned).collect();
    spoilt[1].replace_range(17..18, "7");
    spoilt[2].replace_range(20..30, "          ");
    spoilt[3].replace_range(74..80, "000009");
    let wanted = ["/records/1/return_code", "/records/2/amount", "/records/3/count", "/records/3/total"];
    let found = told(spoilt.join("\r\n").as_bytes());
    assert_eq!(found.iter().map(|f| f.0.as_str()).collect::<Vec<_>>(), wanted);
    assert_eq!(told(b"\xff\xfe"), of("/records/0", "invalid_record"));
}
