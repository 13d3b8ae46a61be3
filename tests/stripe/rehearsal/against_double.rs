//! The whole checklist against the double: the service, its ledger, its webhooks.

use harness::stripe::{Fault, SECRET, signature};
use serde_json::{Value, json};

use crate::Step;
use crate::world::{EARNED, World, text};

const TRANSFERS: &str = "POST /v1/transfers";

fn step(name: &'static str, work: fn() -> String) -> Step {
    (name, Box::new(move || Ok(work())))
}

/// Every step.
pub fn steps() -> Vec<Step> {
    vec![
        step("onboard, restricted, enabled", onboarded),
        step("a transfer, and its replay", replayed),
        step("the same key with another body", other_body),
        step("insufficient balance, then funded", funded),
        step("a reversal in part, then in full", reversed),
        step("every failing account at the payee's bank", failing),
        step("paid, then failed", paid_then_failed),
        step("webhooks twice, shuffled, forged", webhooks),
        step("a time-out after sending", timed_out),
        step("429, 500, 409", busy),
        step("an account that is disabled mid-run", disabled),
        step("the ledger is Stripe's book, to the cent", whole),
    ]
}

fn sent() -> World {
    let world = World::ready();
    let _ = world.executed();
    let _ = world.work();
    assert_eq!(world.state(), "settled");
    world
}

fn transfer(world: &World) -> String {
    text(&world.double.transfers()[0], "id")
}

fn onboarded() -> String {
    let world = World::bare();
    let made = world.onboard().expect(201);
    let account = text(&made, "account");
    world.wait(1);
    world.tell(&world.double.set_account(&account, "inactive", false, Some("requirements.past_due")));
    assert_eq!(world.standing()["status"], "restricted");
    world.wait(1);
    world.tell(&world.double.set_account(&account, "active", true, None));
    assert_eq!(world.standing()["status"], "enabled");
    account
}

fn replayed() -> String {
    let world = sent();
    world.tell(&world.double.events());
    assert_eq!((world.work(), world.double.transfers().len()), (0, 1));
    world.is_whole();
    transfer(&world)
}

fn other_body() -> String {
    use domain::payouts::stripe::rail::{NewTransfer, RailError, StripeRail as _};
    let world = sent();
    let asked = NewTransfer {
        key: text(&world.payouts()[0], "id"),
        amount_minor: EARNED + 1,
        destination: domain::payouts::stripe::AccountName::parse(&world.double.newest_account()).expect("a name"),
        run: domain::kernel::ids::PayoutRunId::parse(&text(&world.payouts()[0], "run_id")).expect("an id"),
        payout: domain::kernel::ids::PayoutId::parse(&text(&world.payouts()[0], "id")).expect("an id"),
    };
    let answer = world.double.client(std::time::Duration::from_secs(5)).create_transfer(&asked);
    assert!(matches!(answer, Err(RailError::Unknown(_))), "{answer:?}");
    "not taken for a refusal".to_owned()
}

fn funded() -> String {
    let world = World::bare();
    world.enable();
    let _ = world.executed();
    let _ = world.work();
    assert_eq!(world.state(), "waiting_for_funds");
    world.fund(EARNED);
    assert_eq!(world.state(), "settled");
    world.is_whole();
    format!("{EARNED} cents")
}

fn reversed() -> String {
    let world = sent();
    let part = world.double.reverse(&transfer(&world), 100);
    world.tell(&[part]);
    world.is_whole();
    let rest = world.double.reverse(&transfer(&world), EARNED - 100);
    world.tell(&[rest]);
    world.is_whole();
    assert_eq!(world.double.balance(), EARNED);
    "back on the balance".to_owned()
}

fn failing() -> String {
    let world = sent();
    let entries = world.number("select count(*) from ledger_entry");
    let codes = [
        "account_closed",
        "account_frozen",
        "debit_not_authorized",
        "insufficient_funds",
        "invalid_account_number",
        "no_account",
    ];
    for code in codes {
        let account = world.double.newest_account();
        let mut event = world.double.payout_event("payout.failed", &account);
        event["id"] = format!("evt_Failing{}", code.replace('_', "")).into();
        event["data"]["object"]["failure_code"] = code.into();
        world.tell(&[event]);
    }
    assert_eq!(world.number("select count(*) from ledger_entry"), entries);
    assert_eq!(world.state(), "settled");
    codes.join(", ")
}

fn paid_then_failed() -> String {
    let world = sent();
    let account = world.double.newest_account();
    let events = ["payout.paid", "payout.failed"].map(|kind| world.double.payout_event(kind, &account));
    world.tell(&events);
    world.is_whole();
    "posts nothing: the money is in the payee's own Stripe balance".to_owned()
}

fn webhooks() -> String {
    let world = sent();
    let mut events = world.double.events();
    events.push(world.double.reverse(&transfer(&world), 100));
    events.reverse();
    world.tell(&events);
    world.tell(&events);
    let body = json!({"id": "evt_Forged", "type": "transfer.reversed", "created": 1, "data": {"object": Value::Null}})
        .to_string();
    let kept = world.number("select count(*) from stripe_event");
    let now = world.now().timestamp().as_second();
    for signed in [signature("whsec_other", now, body.as_bytes()), signature(SECRET, now - 301, body.as_bytes())] {
        let _ = world.send_event(&signed, body.as_bytes()).problem(400, "invalid_signature");
    }
    assert_eq!(world.number("select count(*) from stripe_event"), kept);
    world.is_whole();
    format!("{kept} kept")
}

fn after(fault: Fault) -> World {
    let world = World::ready();
    let _ = world.executed();
    world.double.fault(TRANSFERS, fault);
    let _ = world.work();
    world
}

fn timed_out() -> String {
    let world = after(Fault::TimeoutAfter);
    assert_eq!(world.state(), "unknown");
    world.wait(3_700);
    let _ = world.work();
    assert_eq!((world.state().as_str(), world.double.asked(TRANSFERS).len()), ("settled", 1));
    world.is_whole();
    "looked up, not sent again".to_owned()
}

fn busy() -> String {
    for fault in [Fault::TooMany, Fault::ServerError, Fault::KeyInUse] {
        let world = after(fault);
        world.wait(3_700);
        let _ = world.work();
        let asked = world.double.asked(TRANSFERS);
        assert_eq!((world.state().as_str(), asked.len(), &asked[0].key), ("settled", 2, &asked[1].key), "{fault:?}");
        world.is_whole();
    }
    "again, under the same key".to_owned()
}

fn disabled() -> String {
    let world = World::ready();
    let _ = world.executed();
    let _ = world.double.set_account(&world.double.newest_account(), "inactive", false, Some("rejected.fraud"));
    let _ = world.work();
    assert_eq!(world.state(), "returned");
    world.is_whole();
    "the money came back to available".to_owned()
}

fn whole() -> String {
    let world = sent();
    world.is_whole();
    let compared = world.reconciliation();
    format!("{} cents, {} movements", compared["ledger"]["amount"], compared["movements"])
}
