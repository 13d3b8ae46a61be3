//! Money after the matching: shortfalls that two people accept, exceptions in somebody's hands, lines that wait for the provider.

use domain::access::{Actor, Role};
use domain::directory::text::Grounds;
use domain::env::Env;
use domain::kernel::ids::{ExceptionId, WriteOffId};
use domain::provider_statements::resolve::{self, ResolveException};
use domain::provider_statements::write_off::{self, Decision, OnWriteOff, ProposeWriteOff};
use domain::provider_statements::{ReconciliationError, Resolution, funding};

use crate::world::{UPFRONT, World, day, line};

const AUGUST: (&str, &str) = ("2026-08-01", "2026-08-31");

fn as_<'a>(world: &'a World, actor: &'a Actor) -> Env<'a> {
    Env { actor, ..world.platform.env() }
}

fn decide(world: &World, actor: &Actor, id: WriteOffId, decision: Decision) -> Result<(), ReconciliationError> {
    let decided = world
        .platform
        .store()
        .transaction(|uow| write_off::decide(uow, &as_(world, actor), OnWriteOff { id, version: None }, decision));
    decided.map(|_| ())
}

fn exception(world: &World) -> ExceptionId {
    ExceptionId::new(
        world.platform.ids_of("select id from provider_exception where status <> 'resolved' order by id limit 1")[0],
    )
}

fn resolved(
    world: &World,
    actor: &Actor,
    how: Resolution,
    until: Option<&str>,
) -> Result<Option<WriteOffId>, ReconciliationError> {
    let command =
        ResolveException { how, wait_until: until.map(day), note: Grounds::parse("As agreed").expect("grounds") };
    let id = exception(world);
    let changed =
        world.platform.store().transaction(|uow| resolve::resolve(uow, &as_(world, actor), id, None, &command));
    changed.map(|(_, after)| after.write_off)
}

#[test]
fn a_shortfall_is_written_off_by_two_people_once_and_never_more_than_is_open() {
    let world = World::new();
    world.map("none");
    world.loans(&[("L-1", "2026-08-03", "")]);
    let _ = world.state(&[line("L-1", "Upfront", UPFRONT - 500, "20/08/2026")], UPFRONT - 500, AUGUST);
    let (finance, approver) = (world.person(11, Role::Finance), world.person(12, Role::Approver));
    let id = resolved(&world, &finance, Resolution::AcceptDifference, None).expect("proposed").expect("a write-off");
    assert_eq!((world.exceptions().len(), world.balance_of("provider_receivable")), (1, 500));
    let both = Actor { id: finance.id, ..world.person(1, Role::OperatorAdmin) };
    assert_eq!(decide(&world, &both, id, Decision::Approve), Err(ReconciliationError::SamePerson));
    assert!(matches!(decide(&world, &finance, id, Decision::Approve), Err(ReconciliationError::MissingScope(_))));
    decide(&world, &approver, id, Decision::Approve).expect("approved");
    assert_eq!((world.balance_of("provider_receivable"), world.balance_of("write_off")), (0, 500));
    assert_eq!(world.exceptions(), Vec::<String>::new());
    assert_eq!(decide(&world, &approver, id, Decision::Approve), Err(ReconciliationError::WrongState("approved")));
    let more = ProposeWriteOff {
        deal: world.deal("L-1"),
        period: None,
        amount_minor: 1,
        reason: Grounds::parse("More").expect("grounds"),
    };
    let refused = world.platform.store().transaction(|uow| write_off::propose(uow, &as_(&world, &finance), &more));
    assert_eq!(refused.err(), Some(ReconciliationError::MoreThanOpen { open_minor: 0 }));
    // What the provider pays after all is more than is open.
    let late = world.state(&[line("L-1", "Upfront", 500, "20/09/2026")], 500, ("2026-09-01", "2026-09-30"));
    assert_eq!(world.results(late), ["unexpected 500"]);
}

#[test]
fn a_write_off_that_the_provider_overtakes_is_refused_and_a_rejected_one_opens_its_exception_again() {
    let world = World::new();
    world.map("none");
    world.loans(&[("L-1", "2026-08-03", "")]);
    let _ = world.state(&[line("L-1", "Upfront", UPFRONT - 500, "20/08/2026")], UPFRONT - 500, AUGUST);
    let (finance, approver) = (world.person(11, Role::Finance), world.person(12, Role::Approver));
    let first = resolved(&world, &finance, Resolution::AcceptDifference, None).expect("proposed").expect("a write-off");
    decide(&world, &approver, first, Decision::Reject).expect("rejected");
    assert_eq!(world.platform.number("select count(*) from provider_exception where status = 'open'"), 1);
    let second =
        resolved(&world, &finance, Resolution::AcceptDifference, None).expect("proposed").expect("a write-off");
    let _ = world.state(&[line("L-1", "Upfront", 400, "20/09/2026")], 400, ("2026-09-01", "2026-09-30"));
    let refused = decide(&world, &approver, second, Decision::Approve);
    assert_eq!(refused, Err(ReconciliationError::MoreThanOpen { open_minor: 100 }));
    assert_eq!(world.balance_of("write_off"), 0);
}

#[test]
fn an_exception_waits_or_ends_and_a_difference_that_is_there_is_not_called_corrected() {
    let world = World::new();
    world.map("none");
    world.loans(&[("L-1", "2026-08-03", "")]);
    let _ = world.state(&[line("L-1", "Upfront", UPFRONT - 500, "20/08/2026")], UPFRONT - 500, AUGUST);
    let finance = world.person(11, Role::Finance);
    let remains = resolved(&world, &finance, Resolution::CorrectedFact, None);
    assert_eq!(remains, Err(ReconciliationError::DifferenceRemains(500)));
    let past = resolved(&world, &finance, Resolution::Wait, Some("2026-11-23"));
    assert!(matches!(past, Err(ReconciliationError::Faults(_))));
    let _ = resolved(&world, &finance, Resolution::Wait, Some("2026-12-01")).expect("it waits");
    assert_eq!(world.platform.number("select count(*) from provider_exception where status = 'waiting'"), 1);
    let _ = world.state(&[line("L-1", "Upfront", 500, "20/09/2026")], 500, ("2026-09-01", "2026-09-30"));
    let ended = "select count(*) from provider_exception where status = 'resolved' and resolution = 'received' and resolved_by is null";
    assert_eq!((world.platform.number(ended), world.balance_of("provider_receivable")), (1, 0));
}

#[test]
fn ours_is_wrong_ends_an_exception_and_it_is_not_opened_again() {
    let world = World::new();
    world.map("none");
    world.loans(&[("L-1", "2026-08-03", ""), ("L-2", "2026-08-03", "")]);
    let id = world.state(&[line("L-1", "Upfront", UPFRONT, "20/08/2026")], UPFRONT, AUGUST);
    assert_eq!(world.exceptions(), ["missing L-2 -300000"]);
    let _ = resolved(&world, &world.person(11, Role::Finance), Resolution::OursIsWrong, None).expect("resolved");
    world.again(id);
    assert_eq!((world.exceptions(), world.balance_of("provider_receivable")), (vec![], UPFRONT));
}

#[test]
fn a_line_that_waits_for_the_provider_is_released_as_the_provider_pays() {
    let world = World::new();
    world.map("none");
    world.loans(&[("L-1", "2026-05-03", "")]);
    world.balance("L-1", "2026-05", 60_000_000);
    // 6,000 cents of trail: 3,600 to the member, 600 above it, 1,800 to the platform.
    let trail = |bucket: &str| {
        world.platform.number(&format!(
            "select sum({bucket}) from commission_line where component = 'trail' and member_id is not null"
        ))
    };
    let release = || {
        let env = world.platform.env();
        world.platform.store().transaction(|uow| funding::release_due(uow, &env)).expect("a release")
    };
    assert_eq!((release(), trail("accrued_minor"), trail("available_minor")), (0, 4_200, 0));
    let part = |cents| [line("L-1", "Trail", cents, "31/05/2026")];
    let _ = world.state(&part(2_000), 2_000, ("2026-05-01", "2026-05-31"));
    // A third came: 1,200 and 200 of what payees earn.
    assert_eq!((trail("accrued_minor"), trail("available_minor"), release()), (2_800, 1_400, 0));
    let unfunded = |world: &World| {
        let rows =
            world.platform.store().read(&domain::access::Viewer::Everything, |q| q.provider_statements().funding());
        rows.expect("a look")
            .iter()
            .map(|row| (row.received_minor, row.available_minor, row.unfunded_minor))
            .collect::<Vec<_>>()
    };
    assert_eq!(unfunded(&world), [(2_000, 1_400, 0)]);
    let _ = world.state(&part(4_000), 4_000, ("2026-06-01", "2026-06-30"));
    assert_eq!((trail("accrued_minor"), trail("available_minor")), (0, 4_200));
    // The upfront commission is released when its hold expires, paid for or not: that is what is unfunded.
    let due = world.platform.store().transaction(|uow| domain::ledger::release::due(uow, &world.platform.env()));
    assert_eq!(due.expect("a release"), 1);
    assert_eq!(unfunded(&world), [(6_000, 4_200 + 210_000, 210_000)]);
}

#[test]
fn a_hold_that_has_not_expired_keeps_what_the_provider_has_paid() {
    let mut world = World::new();
    world.map("none");
    world.loans(&[("L-1", "2026-05-03", "")]);
    let at = |text: &str| domain::kernel::Instant::new(text.parse().expect("a time"));
    // The trail of October: its hold is five days.
    world.platform.now = at("2026-11-01T12:00:00Z");
    world.balance("L-1", "2026-10", 60_000_000);
    let _ = world.state(&[line("L-1", "Trail", 6_000, "31/10/2026")], 6_000, ("2026-10-01", "2026-10-31"));
    let accrued = "select sum(accrued_minor) from commission_line where component = 'trail'";
    assert_eq!(world.platform.number(accrued), 4_200);
    world.platform.now = at("2026-11-23T12:00:00Z");
    let env = world.platform.env();
    assert_eq!(world.platform.store().transaction(|uow| funding::release_due(uow, &env)), Ok(1));
    assert_eq!(world.platform.number(accrued), 0);
}
