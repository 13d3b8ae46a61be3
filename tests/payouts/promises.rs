//! What is promised of money out and kept when each test ends does notice what breaks it.

use diesel::connection::SimpleConnection as _;
use harness::bounced;
use harness::camt::{document, entry};
use harness::platform::Platform;
use harness::promises;

use crate::bank::{day, take_in};
use crate::returns::send;
use crate::runs::with_deals;
use crate::world::{file, keep, paid, people};

const RETURNED: &str =
    "a payment that the bank sent back is one item, over what was paid, and its money is back exactly once";
const RETURNS: &str = "a file of returned payments is the sum of its items";
const LINE: &str = "a line of a bank statement is one thing, over the same amount and of the same account";
const ONCE: &str = "what a bank statement shows once is one line's, and what it paid or brought back stands so";
const TOLD: &str = "every tax paper is told once, to those who may see it";

/// Two payments are sent, the dearer one comes back, and the bank shows debit and credit.
fn platform() -> Platform {
    let mut platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, true);
    let run = paid(&platform, &people, &account);
    platform.now = domain::kernel::Instant::new("2026-11-27T02:00:00Z".parse().expect("a time"));
    let payments = bounced::payments(&file(&platform, &run));
    let dear = payments.iter().find(|p| p[20..30].ends_with("78000")).expect("the payment");
    let _ = send(&platform, &people, &[bounced::record(dear, '6')]);
    let lines = vec![entry("2026-11-24", -91_000, "COMMISSION"), entry("2026-11-26", 78_000, "RETURNS")];
    let taken = take_in(&platform, &people, &document("02", &[day(0, "2026-11-26", lines)]));
    assert_eq!(taken.statements[0].matched, 2);
    domain::events::number(platform.store()).expect("events are numbered");
    platform
}

/// The promises that do not hold.
fn broken(platform: &Platform) -> Vec<&'static str> {
    promises::all().filter(|(_, query)| platform.number(query) != 0).map(|(promise, _)| *promise).collect()
}

#[test]
fn each_is_broken_by_what_it_is_about() {
    let platform = platform();
    assert_eq!(broken(&platform), [""; 0]);
    let debit = "(select id from bank_statement_line where amount_minor < 0)";
    let credit = "(select id from bank_statement_line where amount_minor > 0)";
    let other = "(select id from payout where state = 'settled')";
    let item = "insert into bank_return_item (return_id, n, code, amount_minor, reference, returned_on, payout_id)
       select return_id, 9, code, amount_minor, reference, returned_on, payout_id from bank_return_item";
    let matched = |line: &str, kind: &str, target: &str| {
        format!("insert into bank_line_match (line_id, kind, target_id, at) values ({line}, '{kind}', {target}, now())")
    };
    let cases: [(String, &[&str]); 14] = [
        (format!("alter table bank_return_item drop constraint bank_return_item_once; {item}"), &[RETURNED, RETURNS]),
        ("update bank_return_item set amount_minor = amount_minor - 1".into(), &[RETURNED, RETURNS]),
        ("update bank_return_item set reference = 'FLIP-ANOTHER'".into(), &[RETURNED]),
        ("update payout set state = 'settled' where state = 'returned'".into(), &[RETURNED]),
        ("update payout set state = 'returned' where state = 'settled'".into(), &[RETURNED]),
        ("update bank_return set matched_minor = matched_minor - 1".into(), &[RETURNS, LINE]),
        ("update bank_statement_line set amount_minor = amount_minor + 1 where amount_minor > 0".into(), &[LINE]),
        ("update bank_statement_line set bank_account_id = gen_random_uuid()".into(), &[LINE]),
        (matched(debit, "payout", other), &[LINE, ONCE]),
        (
            format!(
                "alter table bank_line_match drop constraint bank_line_matched_once; {}",
                matched(credit, "bank_file", "(select id from bank_file)")
            ),
            &[LINE, ONCE],
        ),
        (matched(credit, "payout", "(select id from payout where state = 'returned')"), &[LINE, ONCE]),
        ("update payout set state = 'in_transit' where state = 'settled'".into(), &[ONCE]),
        ("update event set visible_to = '{}' where type = 'tax_document.issued'".into(), &[TOLD]),
        ("delete from event where type = 'tax_document.issued'".into(), &[TOLD]),
    ];
    platform.tamper("select 1");
    for (sql, expected) in cases {
        let mut owner = platform.owner();
        // Seen from within the transaction that is then taken back.
        let script = format!("set session_replication_role = replica; begin; {sql}");
        owner.batch_execute(&script).unwrap_or_else(|error| panic!("{sql}: {error}"));
        for promise in expected {
            let query = promises::all().find(|(name, _)| name == promise).expect("the promise").1;
            assert!(counted(&mut owner, query) > 0, "{sql}: {promise}");
        }
        owner.batch_execute("rollback").expect("rolled back");
    }
    assert_eq!(broken(&platform), [""; 0], "everything was taken back");
}

fn counted(owner: &mut diesel::PgConnection, query: &str) -> i64 {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        n: i64,
    }
    let row: Row = diesel::RunQueryDsl::get_result(diesel::sql_query(format!("select ({query})::bigint as n")), owner)
        .expect("a number");
    row.n
}
