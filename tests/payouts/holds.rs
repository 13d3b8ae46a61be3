//! Money of lines that is put aside: at once, never more than there is, void for an approved run, back where it came from.

use domain::access::{Actor, Role, Viewer};
use domain::directory::Grounds;
use domain::kernel::ids::{HoldId, LineId};
use domain::kernel::{Instant, PageRequest};
use domain::ledger::hold::command::OnHold;
use domain::ledger::hold::{HoldError, HoldFilter, HoldReason, HoldRecord, PlaceHold, service};
use domain::ledger::release;
use domain::payouts::PayoutRun;
use domain::payouts::execute::Execution;
use domain::payouts::plan::Discrepancy;
use harness::platform::Platform;
use uuid::Uuid;

use crate::runs::{import, with_deals};
use crate::world::{approved, as_, execute, file, keep, on, paid, people, person, preview, propose, read_aba};

const EXAMPLE_MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");

/// The line of a member on a deal.
pub fn line(platform: &Platform, deal: &str, member: &str) -> LineId {
    let sql = format!(
        "select l.id from commission_line l join deal d on d.id = l.deal_id join member m on m.id = l.member_id
         where d.external_ref = '{deal}' and m.member_ref = '{member}'"
    );
    LineId::new(platform.ids_of(&sql)[0])
}

pub fn asked(line: LineId, amount_minor: Option<i64>) -> PlaceHold {
    let note = Grounds::parse("Two agents say that the client is theirs").expect("grounds");
    PlaceHold { line, amount_minor, reason: HoldReason::Dispute, note }
}

pub fn place(platform: &Platform, actor: &Actor, command: &PlaceHold) -> Result<HoldRecord, HoldError> {
    platform.store().transaction(|uow| service::place(uow, &as_(platform, actor), command))
}

pub fn let_go(platform: &Platform, actor: &Actor, id: HoldId) -> Result<HoldRecord, HoldError> {
    let (on, why) = (OnHold { id, version: None }, Grounds::parse("Settled between them").expect("grounds"));
    let done = platform.store().transaction(|uow| service::release(uow, &as_(platform, actor), on, &why));
    done.map(|altered| altered.after)
}

/// Where the money of a line lies: accrued, available, held, to be got back.
fn lies(platform: &Platform, line: LineId) -> [i64; 4] {
    ["accrued_minor", "available_minor", "held_minor", "recoverable_minor"]
        .map(|what| platform.number(&format!("select {what} from commission_line where id = '{}'", line.uuid())))
}

fn parts(record: &HoldRecord) -> (i64, i64, i64) {
    let hold = &record.hold;
    (hold.from.available_minor, hold.from.accrued_minor, hold.exposure_minor())
}

fn back(record: &HoldRecord) -> (i64, i64) {
    let back = record.hold.release.as_ref().expect("released").back;
    (back.available_minor, back.accrued_minor)
}

fn entries(platform: &Platform, kind: &str) -> i64 {
    platform.number(&format!("select count(*) from ledger_entry where kind = '{kind}'"))
}

fn release_due(platform: &Platform) {
    let _ = platform.store().transaction(|uow| release::due(uow, &platform.env())).expect("a release");
}

fn seen(platform: &Platform, id: HoldId) -> HoldRecord {
    platform.store().read(&Viewer::Everything, |q| q.holds().find_hold(id)).expect("a look").expect("a hold")
}

#[test]
fn what_may_be_paid_goes_first_and_never_more_than_there_is() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let finance = people().finance;
    let line = line(&platform, "C-1", "M016");
    let first = place(&platform, &finance, &asked(line, Some(30_000))).expect("placed");
    assert_eq!((parts(&first), first.held_minor), ((0, 30_000, 0), 30_000));
    assert_eq!(lies(&platform, line), [48_000, 0, 30_000, 0]);
    // Its hold by agreement has expired: what is not put aside may be paid.
    release_due(&platform);
    assert_eq!(lies(&platform, line), [0, 48_000, 30_000, 0]);
    let second = place(&platform, &finance, &asked(line, Some(10_000))).expect("placed");
    assert_eq!(parts(&second), (10_000, 0, 0));
    let third = place(&platform, &finance, &asked(line, None)).expect("placed");
    assert_eq!((parts(&third), third.hold.asked_minor), ((38_000, 0, 0), 38_000));
    assert_eq!(lies(&platform, line), [0, 0, 78_000, 0]);
    let fault = place(&platform, &finance, &asked(line, None)).expect_err("nothing is left");
    assert!(matches!(&fault, HoldError::Faults(faults) if faults.0[0].pointer == "/amount"), "{fault:?}");
    let memo = place(&platform, &finance, &asked(line, Some(500))).expect("placed");
    assert_eq!((parts(&memo), memo.held_minor), ((0, 0, 500), 0));
    assert_eq!(entries(&platform, "hold"), 3, "what moves nothing posts nothing");
    let page = PageRequest::of(50);
    let filter = HoldFilter { line: Some(line), ..HoldFilter::default() };
    let listed = platform.store().read(&Viewer::Everything, |q| q.holds().list_holds(&filter, &page)).expect("a look");
    assert_eq!(listed.data.iter().map(|r| r.held_minor).collect::<Vec<_>>(), [0, 38_000, 10_000, 30_000]);

    let ended = let_go(&platform, &finance, second.hold.id).expect("released");
    assert_eq!((back(&ended), ended.held_minor, ended.hold.version), ((10_000, 0), 0, 2));
    assert_eq!(let_go(&platform, &finance, second.hold.id).expect_err("once"), HoldError::Released);
    assert_eq!(back(&let_go(&platform, &finance, memo.hold.id).expect("released")), (0, 0));
    assert_eq!(back(&let_go(&platform, &finance, first.hold.id).expect("released")), (30_000, 0));
    assert_eq!(back(&let_go(&platform, &finance, third.hold.id).expect("released")), (38_000, 0));
    assert_eq!(lies(&platform, line), [0, 78_000, 0, 0]);
    assert_eq!((entries(&platform, "hold"), entries(&platform, "unhold")), (3, 3));
    let _ = platform.sequence();
}

#[test]
fn before_its_day_it_goes_back_to_wait() {
    let mut platform = Platform::new();
    platform.now = Instant::new("2026-02-10T02:00:00Z".parse().expect("a time"));
    platform.onboard(EXAMPLE_MEMBERS);
    import(&platform, &[("C-1", "M016", "")]);
    let finance = people().finance;
    let line = line(&platform, "C-1", "M016");
    let [first, second] =
        [500, 700].map(|amount| place(&platform, &finance, &asked(line, Some(amount))).expect("placed"));
    assert_eq!(back(&let_go(&platform, &finance, first.hold.id).expect("released")), (0, 500));
    assert_eq!(lies(&platform, line), [77_300, 0, 700, 0]);
    // What came from where it waits may be paid when it is let go after its day.
    platform.now = Instant::new("2026-11-23T02:00:00Z".parse().expect("a time"));
    assert_eq!(back(&let_go(&platform, &finance, second.hold.id).expect("released")), (700, 0));
    assert_eq!(lies(&platform, line), [77_300, 700, 0, 0]);
}

#[test]
fn what_awaits_its_provider_goes_back_to_await_it() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let finance = people().finance;
    let line = line(&platform, "C-1", "M016");
    platform.tamper(&format!("update commission_line set funding_rule = 'on_receipt' where id = '{}'", line.uuid()));
    let hold = place(&platform, &finance, &asked(line, None)).expect("placed");
    assert_eq!(back(&let_go(&platform, &finance, hold.hold.id).expect("released")), (0, 78_000));
    assert_eq!(lies(&platform, line), [78_000, 0, 0, 0]);
}

#[test]
fn a_clawback_takes_what_is_put_aside_and_leaves_the_older_hold_whole_as_long_as_it_can() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let finance = people().finance;
    let line = line(&platform, "C-1", "M016");
    release_due(&platform);
    let [older, younger] =
        [50_000, 28_000].map(|amount| place(&platform, &finance, &asked(line, Some(amount))).expect("placed"));
    // A corrected settlement of half the amount earns half: 39,000 cents go, first of what is put aside.
    let half = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on
C-1,M016,Ann,FIXED-3Y,2026-01-01,2026-01-10,2026-02-01,100000.00,0.00,\n";
    assert!(platform.import(half.as_bytes()).refused.is_empty());
    assert_eq!(lies(&platform, line), [0, 0, 39_000, 0]);
    assert_eq!([&older, &younger].map(|r| seen(&platform, r.hold.id).held_minor), [39_000, 0]);
    // Money that comes to another hold now could not be told from what the older ones lost.
    assert_eq!(place(&platform, &finance, &asked(line, Some(1_000))).err(), Some(HoldError::Cut));
    assert_eq!(back(&let_go(&platform, &finance, younger.hold.id).expect("released")), (0, 0));
    assert_eq!(back(&let_go(&platform, &finance, older.hold.id).expect("released")), (39_000, 0));
    assert_eq!((entries(&platform, "hold"), entries(&platform, "unhold")), (2, 1));
    // Unwound altogether, nothing is left to let go.
    let whole = place(&platform, &finance, &asked(line, None)).expect("placed");
    import(&platform, &[("C-1", "M016", "2026-06-01")]);
    assert_eq!((lies(&platform, line), seen(&platform, whole.hold.id).held_minor), ([0, 0, 0, 0], 0));
    assert_eq!(back(&let_go(&platform, &finance, whole.hold.id).expect("released")), (0, 0));
}

#[test]
fn a_hold_voids_an_approved_run_and_what_is_held_is_not_paid() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    let run = approved(&platform, &people, &account);
    let line = line(&platform, "C-1", "M016");
    let hold = place(&platform, &people.finance, &asked(line, Some(8_000))).expect("placed");
    let Execution::Voided(run, found) = execute(&platform, &people.finance, &run).expect("an outcome") else {
        panic!("it was executed")
    };
    let told = Discrepancy::LessAvailable { line, available_minor: 70_000, wanted_minor: 78_000 };
    assert_eq!((run.state.code(), found), ("previewed", vec![told]));
    let _ = propose(&platform, &people.finance, &run).expect("the new content can be proposed");
    let run = platform.store().transaction(|uow| {
        let why = Grounds::parse("Another one").expect("grounds");
        domain::payouts::decide::cancel(uow, &as_(&platform, &people.finance), &on(&run), &why)
    });
    assert_eq!(run.expect("cancelled").state.code(), "cancelled");
    let credits = |run: &PayoutRun| read_aba(&file(&platform, run)).into_iter().map(|d| d.cents).sum::<i64>();
    assert_eq!(credits(&paid(&platform, &people, &account)), 70_000 + 13_000);
    assert!(preview(&platform, &people.finance, &account).content.content().payouts.is_empty());
    let _ = let_go(&platform, &people.finance, hold.hold.id).expect("released");
    assert_eq!(credits(&paid(&platform, &people, &account)), 8_000);
}

#[test]
fn many_at_once_put_aside_no_more_than_there_is() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let finance = people().finance;
    let line = line(&platform, "C-1", "M016");
    release_due(&platform);
    let holds: Vec<HoldRecord> = std::thread::scope(|scope| {
        let one = || place(&platform, &finance, &asked(line, Some(10_000))).expect("placed");
        let threads: Vec<_> = (0..10).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(holds.iter().map(|r| r.hold.from.sum_minor()).sum::<i64>(), 78_000);
    assert_eq!(holds.iter().map(|r| r.hold.exposure_minor()).sum::<i64>(), 22_000);
    let freed: i64 = std::thread::scope(|scope| {
        let one = |record: &HoldRecord| back(&let_go(&platform, &finance, record.hold.id).expect("released")).0;
        let threads: Vec<_> = holds.iter().map(|record| scope.spawn(move || one(record))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    assert_eq!((freed, lies(&platform, line)), (78_000, [0, 78_000, 0, 0]));
}

#[test]
fn holds_are_the_operators_and_of_lines_that_somebody_is_paid_for() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let line = line(&platform, "C-1", "M016");
    let mut partner = person(20, Role::OperatorAdmin);
    partner.organisation = Some(platform.introducer);
    assert_eq!(place(&platform, &partner, &asked(line, None)).err(), Some(HoldError::NotFound));
    let approver = person(12, Role::Approver);
    assert!(matches!(place(&platform, &approver, &asked(line, None)), Err(HoldError::MissingScope(_))));
    let finance = people().finance;
    let pointer = |line| match place(&platform, &finance, &asked(line, Some(1))) {
        Err(HoldError::Faults(faults)) => (faults.0[0].pointer.clone(), faults.0[0].code),
        other => panic!("{other:?}"),
    };
    assert_eq!(pointer(LineId::new(Uuid::from_u128(404))), ("/line_id".to_owned(), "not_found"));
    let own = platform.ids_of("select id from commission_line where role = 'platform' limit 1")[0];
    assert_eq!(pointer(LineId::new(own)), ("/line_id".to_owned(), "not_payable"));
    let unknown = let_go(&platform, &finance, HoldId::new(Uuid::from_u128(404)));
    assert_eq!(unknown.err(), Some(HoldError::NotFound));
}
