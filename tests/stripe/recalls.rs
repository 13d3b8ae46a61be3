//! Clawbacks that are got back by reversing our own transfer: once, whoever tells of it first, and never under a second key.

use domain::kernel::ids::PayoutId;
use domain::payouts::PayoutError;
use domain::payouts::stripe::recall::{self, AskRecall};
use harness::stripe::Fault;
use serde_json::{Value, json};

use crate::onboarding::skipped;
use crate::world::{EARNED, World, import, row, text};

const REVERSALS: &str = "POST /v1/transfers/{id}/reversals";
const LOOKUPS: &str = "GET /v1/transfers/{id}/reversals";
/// Longer than the longest wait.
const AN_HOUR: i64 = 3_700;

/// The payout, which is with the payee, and what of it is to be got back, since its deal unwound.
fn in_debt(world: &World) -> (String, i64) {
    let _ = world.executed();
    let _ = world.work();
    assert_eq!(world.state(), "settled");
    import(&world.service.platform, &row("C-1", "200000.00", "2026-05-01"));
    let owed = sum(world, "recoverable_minor");
    assert!(owed > 0, "a clawback of what was paid");
    (text(&world.payouts()[0], "id"), owed)
}

fn sum(world: &World, bucket: &str) -> i64 {
    world.number(&format!("select coalesce(sum({bucket}), 0) from commission_line l join member m on m.id = l.member_id where m.member_ref = 'M016'"))
}

fn ask(world: &World, payout: &str, body: &Value) -> harness::server::Reply {
    world.service.post(&format!("/v1/payouts/{payout}/reverse"), &world.finance(), body)
}

fn why() -> Value {
    json!({"reason": "The deal unwound"})
}

/// The newest request of a payout.
fn standing(world: &World, payout: &str) -> Value {
    let all = world.service.get(&format!("/v1/payouts/{payout}/reversals"), &world.finance()).expect(200);
    all["data"].as_array().and_then(|rows| rows.last()).expect("a reversal").clone()
}

fn status(world: &World, payout: &str) -> String {
    text(&standing(world, payout), "status")
}

/// What was reversed at Stripe.
fn reversed(world: &World) -> i64 {
    world.double.transfers()[0]["amount_reversed"].as_i64().expect("an amount")
}

fn recoveries(world: &World) -> i64 {
    world.number("select count(*) from ledger_entry where kind = 'clawback_recovery'")
}

#[test]
fn what_is_to_be_got_back_is_taken_back_of_the_transfer() {
    let world = World::ready();
    let (payout, owed) = in_debt(&world);
    let asked = ask(&world, &payout, &why()).expect(202);
    assert_eq!((asked["amount"]["amount"].as_i64(), asked["status"].as_str()), (Some(owed), Some("asked")));
    assert_eq!(reversed(&world), 0, "Stripe is asked by the worker");
    let _ = ask(&world, &payout, &why()).problem(409, "reversal_open");
    assert_eq!(world.work(), 1);
    let made = standing(&world, &payout);
    assert_eq!((made["status"].as_str(), made["id"].as_str()), (Some("made"), asked["id"].as_str()));
    assert!(text(&made, "stripe_reversal").starts_with("trr_"));
    assert_eq!(
        (reversed(&world), sum(&world, "recoverable_minor"), sum(&world, "paid_minor")),
        (owed, 0, EARNED - owed)
    );
    let posts = world.double.asked(REVERSALS);
    assert_eq!((posts.len(), posts[0].key.as_deref()), (1, asked["id"].as_str()));
    // Stripe's own word of it comes late, and twice.
    let events = world.double.events();
    world.tell(&events);
    world.tell(&events);
    assert_eq!((recoveries(&world), sum(&world, "recoverable_minor"), sum(&world, "available_minor")), (1, 0, 0));
    let _ = ask(&world, &payout, &why()).problem(409, "nothing_to_get_back");
    world.is_whole();
}

#[test]
fn where_stripe_is_not_connected_nothing_is_kept_that_the_payee_would_wait_for() {
    let world = World::ready();
    let (payout, _) = in_debt(&world);
    let payout = PayoutId::parse(&payout).expect("an id");
    let command = AskRecall::parse(None, Some("It unwound")).expect("a request");
    let platform = &world.service.platform;
    let ask = |is_connected| {
        platform.store().transaction(|uow| recall::ask(uow, &platform.env(), payout, &command, is_connected))
    };
    assert_eq!(ask(false), Err(PayoutError::StripeNotConfigured));
    assert_eq!(world.number("select count(*) from stripe_recall"), 0);
    assert!(ask(true).is_ok());
    assert_eq!(world.work(), 1);
    world.is_whole();
}

#[test]
fn a_run_leaves_the_payee_out_until_stripe_has_said_what_came_of_it() {
    let world = World::ready();
    let (payout, _) = in_debt(&world);
    import(&world.service.platform, &row("C-2", "200000.00", ""));
    let _ = ask(&world, &payout, &why()).expect(202);
    // The run would set off the debt that is being taken back.
    assert_eq!(skipped(&world).as_deref(), Some("reversal_open"));
    assert_eq!(world.work(), 1);
    assert_eq!(skipped(&world), None);
    world.is_whole();
}

#[test]
fn no_more_is_taken_back_than_clawbacks_have_left() {
    let world = World::over(&row("C-1", "200000.00", ""));
    world.enable();
    world.fund(EARNED);
    let of = |cents: i64| json!({"amount": {"amount": cents, "currency": "AUD"}, "reason": "Paid by mistake"});
    let (payout, owed) = in_debt(&world);
    let too_much = ask(&world, &payout, &of(owed + 1)).problem(422, "validation_failed");
    assert_eq!(too_much, [("/amount/amount".to_owned(), "out_of_range".to_owned())]);
    let _ = ask(&world, &payout, &of(30_000)).expect(202);
    assert_eq!(world.work(), 1);
    assert_eq!((sum(&world, "available_minor"), sum(&world, "recoverable_minor")), (0, owed - 30_000));
    let rest = ask(&world, &payout, &of(owed - 30_000 + 1)).problem(422, "validation_failed");
    assert_eq!(rest[0].1, "out_of_range");
    let _ = ask(&world, &payout, &of(owed - 30_000)).expect(202);
    assert_eq!(world.work(), 1);
    assert_eq!((reversed(&world), sum(&world, "recoverable_minor")), (owed, 0));
    world.is_whole();
}

#[test]
fn nobody_takes_back_what_no_clawback_asks_for() {
    let world = World::ready();
    let _ = world.executed();
    let _ = world.work();
    assert_eq!(world.state(), "settled");
    let payout = text(&world.payouts()[0], "id");
    let _ = ask(&world, &payout, &why()).problem(409, "nothing_to_get_back");
    let one = json!({"amount": {"amount": 1, "currency": "AUD"}, "reason": "Paid by mistake"});
    let _ = ask(&world, &payout, &one).problem(409, "nothing_to_get_back");
    assert_eq!(world.double.asked(REVERSALS).len(), 0);
    world.is_whole();
}

#[test]
fn what_nobody_knows_is_looked_up_and_never_asked_under_another_key() {
    for fault in [
        Fault::TimeoutAfter,
        Fault::TimeoutBefore,
        Fault::ResetAfter,
        Fault::BadGatewayAfter,
        Fault::MalformedAfter,
        Fault::OtherAfter,
    ] {
        let world = World::ready();
        let (payout, owed) = in_debt(&world);
        world.double.fault(REVERSALS, fault);
        let _ = ask(&world, &payout, &why()).expect(202);
        assert_eq!(world.work(), 1);
        assert_eq!(
            (status(&world, &payout).as_str(), sum(&world, "recoverable_minor")),
            ("unknown", owed),
            "{fault:?}"
        );
        let _ = ask(&world, &payout, &why()).problem(409, "reversal_open");
        world.wait(AN_HOUR);
        assert_eq!(world.work(), 1);
        assert_eq!((status(&world, &payout).as_str(), sum(&world, "recoverable_minor")), ("made", 0), "{fault:?}");
        let acted = fault != Fault::TimeoutBefore;
        let posts = world.double.asked(REVERSALS);
        assert_eq!(posts.len(), if acted { 1 } else { 2 }, "{fault:?}");
        assert!(posts.iter().all(|again| again.key == posts[0].key), "{fault:?}: one key");
        assert_eq!((reversed(&world), recoveries(&world)), (owed, 1), "{fault:?}");
        world.is_whole();
    }
}

#[test]
fn what_stripe_cannot_take_now_or_show_now_is_tried_again_under_the_same_key() {
    for (operation, fault) in
        [(REVERSALS, Fault::TooMany), (REVERSALS, Fault::ServerError), (LOOKUPS, Fault::ServerError)]
    {
        let world = World::ready();
        let (payout, owed) = in_debt(&world);
        world.double.fault(operation, fault);
        let _ = ask(&world, &payout, &why()).expect(202);
        assert_eq!(world.work(), 1);
        assert_ne!(status(&world, &payout), "made", "{operation} {fault:?}");
        assert_eq!(world.work(), 0, "not at once");
        world.wait(AN_HOUR);
        assert_eq!(world.work(), 1);
        assert_eq!((status(&world, &payout).as_str(), reversed(&world)), ("made", owed), "{operation} {fault:?}");
        let posts = world.double.asked(REVERSALS);
        assert!(posts.iter().all(|again| again.key == posts[0].key), "{operation} {fault:?}: one key");
        world.is_whole();
    }
}

#[test]
fn the_event_may_come_before_our_answer() {
    let world = World::ready();
    let (payout, owed) = in_debt(&world);
    world.double.fault(REVERSALS, Fault::ResetAfter);
    let _ = ask(&world, &payout, &why()).expect(202);
    assert_eq!(world.work(), 1);
    assert_eq!(status(&world, &payout), "unknown");
    world.tell(&world.double.events());
    assert_eq!((sum(&world, "recoverable_minor"), recoveries(&world)), (0, 1), "the event is applied");
    world.wait(AN_HOUR);
    assert_eq!(world.work(), 1);
    assert_eq!((status(&world, &payout).as_str(), reversed(&world), recoveries(&world)), ("made", owed, 1));
    assert_eq!(world.double.asked(REVERSALS).len(), 1);
    world.is_whole();
}

#[test]
fn twice_at_once_is_one_request_and_one_reversal() {
    let world = World::ready();
    let (payout, owed) = in_debt(&world);
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(|| ask(&world, &payout, &why()).status)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409]);
    let tried: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(|| world.work())).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    assert_eq!((tried, world.double.asked(REVERSALS).len(), reversed(&world)), (1, 1, owed));
    assert_eq!(status(&world, &payout), "made");
    world.is_whole();
}

#[test]
fn a_definite_no_ends_a_request_and_changes_nothing() {
    let world = World::ready();
    let (payout, _) = in_debt(&world);
    // Somebody reversed it all at Stripe's dashboard, and nobody has told us yet.
    let transfer = text(&world.double.transfers()[0], "id");
    let event = world.double.reverse(&transfer, EARNED);
    let _ = ask(&world, &payout, &why()).expect(202);
    assert_eq!(world.work(), 1);
    let ended = standing(&world, &payout);
    assert_eq!(ended["status"].as_str(), Some("refused"), "{ended}");
    assert_eq!(recoveries(&world), 0);
    world.tell(&[event]);
    assert_eq!((sum(&world, "recoverable_minor"), recoveries(&world)), (0, 1));
    world.is_whole();
}

#[test]
fn only_what_arrived_by_stripe_is_reversed_and_only_by_who_executes() {
    let world = World::ready();
    let _ = world.executed();
    let payout = text(&world.payouts()[0], "id");
    let _ = ask(&world, &payout, &why()).problem(409, "not_reversible");
    let by_file = PayoutId::new(world.service.platform.ids_of("select id from payout where rail = 'aba' limit 1")[0]);
    let _ = ask(&world, &by_file.to_string(), &why()).problem(409, "not_reversible");
    let unknown = PayoutId::new(uuid::Uuid::from_u128(404)).to_string();
    let _ = ask(&world, &unknown, &why()).problem(404, "not_found");
    let path = format!("/v1/payouts/{payout}/reverse");
    for token in [world.approver(), world.service.partner()] {
        let _ = world.service.post(&path, &token, &why()).problem(403, "insufficient_scope");
    }
    let missing = ask(&world, &payout, &json!({"amount": {"amount": 0, "currency": "AUD"}}));
    let wanted = [("/amount/amount", "out_of_range"), ("/reason", "required")];
    let wanted = wanted.map(|(pointer, code)| (pointer.to_owned(), code.to_owned()));
    assert_eq!(missing.problem(422, "validation_failed"), wanted);
    assert_eq!(world.double.asked(REVERSALS).len(), 0);
}
