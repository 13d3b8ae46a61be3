//! Lines against deals: what matches, what does not, what moves on later, and that nothing counts twice.

use domain::deals::step::Step;
use domain::provider_statements::ReconciliationError;

use crate::world::{UPFRONT, World, day, file, line};

const AUGUST: (&str, &str) = ("2026-08-01", "2026-08-31");

#[test]
fn each_line_is_posted_once_and_what_does_not_fit_is_an_exception() {
    let world = World::new();
    world.map("none");
    world.loans(&[
        ("L-1", "2026-08-03", ""),
        ("L-2", "2026-08-04", ""),
        ("L-3", "2026-08-05", ""),
        ("L-4", "2026-08-06", ""),
        ("L-5", "2026-06-06", "2026-08-10"),
        ("L-6", "2026-07-31", ""),
    ]);
    // L-5 settled, was never paid and unwound: the provider owes nothing and may take nothing.
    let owed = world.balance_of("provider_receivable");
    assert_eq!(owed, 5 * UPFRONT);
    let lines = [
        line("L-1", "Upfront", UPFRONT, "20/08/2026"),
        line("L-2", "Upfront", UPFRONT - 700, "20/08/2026"),
        line("L-3", "Upfront", UPFRONT + 900, "20/08/2026"),
        line("L-1", "Upfront", UPFRONT, "20/08/2026"),
        line("X-9", "Upfront", 4_200, "20/08/2026"),
        line("L-1", "Upfront", 0, "20/08/2026"),
    ];
    let total: i64 = lines.iter().map(|l| l.2).sum();
    let id = world.state(&lines, total, AUGUST);
    let wanted = ["matched 0", "short_paid 0", "over_paid 900", "unexpected 300000", "unexpected 4200", "nothing 0"];
    assert_eq!(world.results(id), wanted);
    // L-4 fell due in August and is not told; L-6 fell due before; of L-5 nothing came, so nothing is taken back.
    let wanted = [
        "missing L-4 -300000",
        "over_paid L-3 900",
        "short_paid L-2 -700",
        "unexpected L-1 300000",
        "unexpected X-9 4200",
    ];
    assert_eq!(world.exceptions(), wanted);
    assert_eq!(world.balance_of("cash"), total);
    assert_eq!(world.balance_of("provider_receivable"), owed - 3 * UPFRONT + 700);
    assert_eq!(world.balance_of("unapplied_receipts"), -(900 + UPFRONT + 4_200));
    let entries = "select count(*) from ledger_entry where kind = 'provider_receipt'";
    assert_eq!(world.platform.number(entries), 5);
    // The same file again is the same statement, and matching again changes nothing.
    assert_eq!(world.send(&file(&lines), total, AUGUST), Err(ReconciliationError::Known(id)));
    let (books, exceptions) = (world.books(), world.exceptions());
    world.again(id);
    assert_eq!((world.books(), world.exceptions()), (books, exceptions));
    assert_eq!(world.platform.number(entries), 5);
}

#[test]
fn a_file_with_one_bad_line_or_another_total_leaves_nothing() {
    let world = World::new();
    let unmapped = world.send("Loan\n", 0, AUGUST);
    assert_eq!(unmapped, Err(ReconciliationError::NoMapping));
    world.map("none");
    let told = |file: &str, total: i64| match world.send(file, total, AUGUST) {
        Err(ReconciliationError::Faults(faults)) => {
            faults.0.into_iter().map(|f| format!("{} {}", f.pointer, f.code)).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let file = "Loan,Type,Paid,Date\na,Upfront,1.00,01/08/2026\nb,Bonus,x,2026-08-01\n";
    assert_eq!(
        told(file, 100),
        ["/lines/3/amount invalid_amount", "/lines/3/date invalid_date", "/lines/3/kind unknown_kind"]
    );
    assert_eq!(told("Loan,Type,Paid,Date\na,Upfront,1.00,01/08/2026\n", 101), ["#total_minor total_differs"]);
    for table in ["provider_statement", "provider_statement_line", "job"] {
        assert_eq!(world.platform.number(&format!("select count(*) from {table}")), 0, "{table}");
    }
}

#[test]
fn what_is_taken_back_is_matched_and_never_netted() {
    let world = World::new();
    world.map("none");
    world.loans(&[("L-1", "2026-07-03", ""), ("L-2", "2026-07-04", "")]);
    let july = [line("L-1", "Upfront", UPFRONT, "20/07/2026"), line("L-2", "Upfront", UPFRONT, "20/07/2026")];
    let _ = world.state(&july, 2 * UPFRONT, ("2026-07-01", "2026-07-31"));
    assert_eq!((world.exceptions(), world.balance_of("provider_receivable")), (vec![], 0));
    // The provider takes back what we do not know of yet: it waits, and nothing else pays for it.
    world.loans(&[("L-3", "2026-08-04", "")]);
    let august = [line("L-3", "Upfront", UPFRONT, "20/08/2026"), line("L-1", "Clawback", -UPFRONT, "21/08/2026")];
    let id = world.state(&august, 0, AUGUST);
    assert_eq!(world.results(id), ["matched 0", "unexpected -300000"]);
    assert_eq!(world.exceptions(), ["unexpected L-1 -300000"]);
    assert_eq!((world.balance_of("unapplied_receipts"), world.balance_of("provider_receivable")), (UPFRONT, 0));
    // The fact comes: the next matching moves it on, and its exception ends by itself.
    world.step(world.deal("L-1"), Step::Discharge { on: day("2026-08-15") });
    assert_eq!(world.balance_of("provider_receivable"), -UPFRONT);
    world.again(id);
    assert_eq!(world.results(id), ["matched 0", "matched 0"]);
    assert_eq!(world.exceptions(), Vec::<String>::new());
    assert_eq!((world.balance_of("unapplied_receipts"), world.balance_of("provider_receivable")), (0, 0));
    assert_eq!(world.balance_of("cash"), 2 * UPFRONT);
}

#[test]
fn a_trail_is_of_its_month_and_one_that_stops_silently_is_told() {
    let world = World::new();
    world.map("none");
    world.loans(&[("L-1", "2026-05-03", ""), ("L-2", "2026-05-04", ""), ("L-3", "2026-05-04", "")]);
    let upfronts: Vec<_> = ["L-1", "L-2", "L-3"].map(|l| line(l, "Upfront", UPFRONT, "20/05/2026")).into();
    let _ = world.state(&upfronts, 3 * UPFRONT, ("2026-05-01", "2026-05-31"));
    for loan in ["L-1", "L-2", "L-3"] {
        world.balance(loan, "2026-06", 60_000_000);
        world.balance(loan, "2026-07", 59_000_000);
    }
    let june: Vec<_> = ["L-1", "L-2"].map(|l| line(l, "Trail", 6_000, "30/06/2026")).into();
    let _ = world.state(&june, 12_000, ("2026-06-01", "2026-06-30"));
    assert_eq!(world.exceptions(), ["missing L-3 2026-06 -6000"]);
    let july = [line("L-1", "Trail", 5_900, "31/07/2026")];
    let id = world.state(&july, 5_900, ("2026-07-01", "2026-07-31"));
    assert_eq!(world.results(id), ["matched 0"]);
    let wanted = ["missing L-3 2026-06 -6000", "missing L-3 2026-07 -5900", "silently_stopped_trail L-2 2026-07 -5900"];
    assert_eq!(world.exceptions(), wanted);
    // What is made up for later ends its exception.
    let august = [line("L-2", "Trail", 5_900, "31/07/2026"), line("L-3", "Trail", 6_000, "30/06/2026")];
    let _ = world.state(&august, 11_900, AUGUST);
    // Nobody knows an August balance, and all three trails that were paid are silent in August.
    let wanted = [
        "missing L-3 2026-07 -5900",
        "silently_stopped_trail L-1 2026-08 0",
        "silently_stopped_trail L-2 2026-08 0",
        "silently_stopped_trail L-3 2026-08 0",
    ];
    assert_eq!(world.exceptions(), wanted);
}

#[test]
fn without_a_reference_the_one_item_of_that_amount_and_time_is_found() {
    let world = World::new();
    world.map("none");
    world.loans(&[("L-1", "2026-08-03", "")]);
    let id = world.state(&[line("", "Upfront", UPFRONT, "20/08/2026")], UPFRONT, AUGUST);
    assert_eq!((world.results(id), world.exceptions()), (vec!["matched 0".to_owned()], vec![]));
    // Posted as unapplied first, then moved on: two entries of one line, cash once.
    assert_eq!(world.platform.number("select count(*) from provider_line_step"), 2);
    assert_eq!((world.balance_of("cash"), world.balance_of("unapplied_receipts")), (UPFRONT, 0));
}

#[test]
fn gst_follows_the_providers_document_and_odd_cents_are_a_rounding_difference() {
    let world = World::new();
    world.map("inclusive");
    world.loans(&[("L-1", "2026-08-03", ""), ("L-2", "2026-08-04", "")]);
    let with_gst = UPFRONT + UPFRONT / 10;
    let lines = [line("L-1", "Upfront", with_gst, "20/08/2026"), line("L-2", "Upfront", with_gst - 1, "20/08/2026")];
    let id = world.state(&lines, 2 * with_gst - 1, AUGUST);
    assert_eq!((world.results(id), world.exceptions()), (vec!["matched 0".to_owned(); 2], vec![]));
    assert_eq!(world.balance_of("provider_receivable"), 0);
    assert_eq!(world.balance_of("gst_collected"), -2 * UPFRONT / 10);
    assert_eq!((world.balance_of("rounding_difference"), world.balance_of("cash")), (1, 2 * with_gst - 1));
}
