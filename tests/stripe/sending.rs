//! Transfers: made once, waited for, looked up, given back.

use harness::stripe::Fault;
use serde_json::json;

use crate::world::{EARNED, World, by_file, import, text};

const TRANSFERS: &str = "POST /v1/transfers";
const LOOKUPS: &str = "GET /v1/transfers";
/// Longer than the longest wait.
const AN_HOUR: i64 = 3_700;

#[test]
fn an_executed_run_becomes_a_transfer_and_is_settled_by_it() {
    let world = World::ready();
    let run = world.executed();
    assert_eq!(world.state(), "in_transit");
    assert_eq!(world.work(), 1);
    assert_eq!(world.state(), "settled");
    let transfers = world.double.transfers();
    assert_eq!(transfers.len(), 1);
    let payout = text(&world.payouts()[0], "id");
    assert_eq!(transfers[0]["amount"].as_i64(), Some(EARNED));
    assert_eq!(transfers[0]["transfer_group"], run["id"]);
    assert_eq!(transfers[0]["metadata"]["payout"], payout.as_str());
    let asked = world.double.asked(TRANSFERS);
    assert_eq!(asked[0].key.as_deref(), Some(payout.as_str()), "the key is the payout's id");
    assert_eq!(world.double.asked(LOOKUPS).len(), 0, "the first try looks nothing up");
    // The events of it come late, and change nothing.
    world.tell(&world.double.events());
    assert_eq!(world.work(), 0);
    assert_eq!(world.number("select count(*) from ledger_entry where kind = 'payout_settled'"), 1);
    // The payout by bank file is where it was.
    assert_eq!(world.number("select count(*) from payout where rail = 'aba' and state = 'in_transit'"), 1);
    world.is_whole();
}

#[test]
fn a_payout_waits_for_funds_and_nothing_fails() {
    let world = World::bare();
    world.enable();
    let _ = world.executed();
    assert_eq!(world.work(), 1);
    assert_eq!(world.state(), "waiting_for_funds");
    world.fund(EARNED - 1);
    assert_eq!(world.state(), "waiting_for_funds", "a cent is missing");
    world.fund(1);
    assert_eq!(world.state(), "settled", "what Stripe tells of new funds is enough");
    let keys: Vec<_> = world.double.asked(TRANSFERS).into_iter().map(|asked| asked.key.expect("a key")).collect();
    let payout = text(&world.payouts()[0], "id");
    // Stripe would answer the first key with its first refusal, for a day.
    assert_eq!(keys, [payout.clone(), format!("{payout}-1"), format!("{payout}-2")]);
    world.is_whole();
}

#[test]
fn funds_that_nobody_told_of_are_found_by_the_clock() {
    let world = World::bare();
    world.enable();
    let _ = world.executed();
    let _ = world.work();
    let (movement, _) = world.double.top_up(EARNED);
    assert_eq!(world.work(), 0, "not yet");
    world.wait(15 * 60);
    assert_eq!(world.work(), 1);
    assert_eq!(world.state(), "settled");
    let compared = world.reconciliation();
    assert_eq!(compared["differences"][0]["code"], "not_booked");
    assert_eq!(compared["differences"][0]["transaction_id"], movement.as_str());
    let body = json!({"transaction_id": movement, "bank_account_id": world.account});
    let _ = world.service.post("/v1/reconciliation/stripe/bookings", &world.finance(), &body).expect(201);
    let _ = world
        .service
        .post("/v1/reconciliation/stripe/bookings", &world.finance(), &body)
        .problem(409, "already_booked");
    world.is_whole();
}

/// What nobody answered as Stripe does: the money went, or it did not, and nobody knows.
#[test]
fn what_nobody_knows_is_looked_up_and_never_sent_under_another_key() {
    for fault in [
        Fault::TimeoutAfter,
        Fault::TimeoutBefore,
        Fault::ResetAfter,
        Fault::BadGatewayAfter,
        Fault::MalformedAfter,
        Fault::OtherAfter,
    ] {
        let world = World::ready();
        let _ = world.executed();
        world.double.fault(TRANSFERS, fault);
        assert_eq!(world.work(), 1);
        assert_eq!(world.state(), "unknown", "{fault:?}");
        assert_eq!(world.number("select count(*) from ledger_entry where kind = 'payout_settled'"), 0, "{fault:?}");
        world.wait(AN_HOUR);
        assert_eq!(world.work(), 1);
        assert_eq!(world.state(), "settled", "{fault:?}");
        let acted = fault != Fault::TimeoutBefore;
        let asked = world.double.asked(TRANSFERS);
        assert_eq!((asked.len(), world.double.asked(LOOKUPS).len()), (if acted { 1 } else { 2 }, 1), "{fault:?}");
        assert!(asked.iter().all(|again| again.key == asked[0].key), "{fault:?}: one key");
        assert_eq!(world.double.transfers().len(), 1, "{fault:?}");
        world.is_whole();
    }
}

#[test]
fn what_stripe_cannot_take_now_is_tried_again_under_the_same_key() {
    for fault in [Fault::TooMany, Fault::ServerError, Fault::KeyInUse] {
        let world = World::ready();
        let _ = world.executed();
        world.double.fault(TRANSFERS, fault);
        world.double.fault(TRANSFERS, fault);
        assert_eq!(world.work(), 1);
        assert_eq!(world.state(), "in_transit", "{fault:?}");
        assert_eq!(world.work(), 0, "not at once");
        world.wait(AN_HOUR);
        assert_eq!(world.work(), 1);
        world.wait(AN_HOUR);
        assert_eq!(world.work(), 1);
        assert_eq!(world.state(), "settled", "{fault:?}");
        let asked = world.double.asked(TRANSFERS);
        assert_eq!(asked.len(), 3);
        assert!(asked.iter().all(|again| again.key == asked[0].key), "{fault:?}: one key");
        world.is_whole();
    }
}

#[test]
fn a_look_up_that_fails_says_nothing_of_the_payout() {
    let world = World::ready();
    let _ = world.executed();
    world.double.fault(TRANSFERS, Fault::ResetAfter);
    let _ = world.work();
    world.double.fault(LOOKUPS, Fault::ServerError);
    world.wait(AN_HOUR);
    assert_eq!(world.work(), 1);
    assert_eq!((world.state().as_str(), world.double.asked(TRANSFERS).len()), ("unknown", 1), "nothing was sent");
    world.wait(AN_HOUR);
    let _ = world.work();
    assert_eq!(world.state(), "settled");
    world.is_whole();
}

#[test]
fn an_account_that_is_disabled_mid_run_gives_the_money_back() {
    let world = World::ready();
    let _ = world.executed();
    let account = world.double.newest_account();
    let events = world.double.set_account(&account, "inactive", false, Some("rejected.fraud"));
    assert_eq!(world.work(), 1);
    assert_eq!(world.state(), "returned");
    let reason = "select count(*) from payout_step where state = 'returned' and reason like '%insufficient_capabilities_for_transfer%'";
    assert_eq!(world.number(reason), 1);
    assert_eq!(world.number("select sum(available_minor) from commission_line"), EARNED);
    world.is_whole();
    world.tell(&events);
    // It is paid again once the account is good, by another payout.
    world.wait(1);
    let events = world.double.set_account(&account, "active", true, None);
    world.tell(&events);
    import(&world.service.platform, &by_file("F-1"));
    let _ = world.executed();
    let _ = world.work();
    assert_eq!(world.state(), "settled");
    assert_eq!(world.double.transfers().len(), 1);
    world.is_whole();
}

#[test]
fn an_account_that_is_restricted_between_approval_and_execution_voids_the_run() {
    let world = World::ready();
    let run = world.approved();
    let account = world.double.newest_account();
    world.wait(1);
    let events = world.double.set_account(&account, "inactive", false, Some("requirements.past_due"));
    world.tell(&events);
    let path = format!("/v1/payout-runs/{}/execute", text(&run, "id"));
    let _ = world.service.post(&path, &world.finance(), &json!({})).problem(409, "approval_void");
    assert_eq!(world.number("select count(*) from payout"), 0);
}

#[test]
fn an_event_settles_what_nobody_knows_before_it_is_looked_up() {
    let world = World::ready();
    let _ = world.executed();
    world.double.fault(TRANSFERS, Fault::ResetAfter);
    let _ = world.work();
    assert_eq!(world.state(), "unknown");
    world.tell(&world.double.events());
    assert_eq!(world.state(), "settled");
    world.wait(AN_HOUR);
    assert_eq!(world.work(), 0);
    world.is_whole();
}

#[test]
fn a_payout_that_is_unknown_is_sent_again_by_hand_under_its_own_key() {
    let world = World::ready();
    let _ = world.executed();
    world.double.fault(TRANSFERS, Fault::TimeoutBefore);
    let _ = world.work();
    let id = domain::kernel::ids::PayoutId::parse(&text(&world.payouts()[0], "id")).expect("an id");
    let operator = world.service.operator();
    let retry = || world.service.post(&format!("/v1/payouts/{id}/retry"), &operator, &serde_json::json!({}));
    assert_eq!(retry().expect(202)["payout_id"], id.to_string());
    assert_eq!(world.work(), 1);
    assert_eq!(world.state(), "settled");
    let _ = retry().problem(409, "wrong_state");
    let asked = world.double.asked(TRANSFERS);
    assert_eq!((asked.len(), &asked[0].key), (2, &asked[1].key));
    world.is_whole();
}
