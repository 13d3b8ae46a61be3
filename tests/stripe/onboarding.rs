//! From no account to a payee who may be paid.

use domain::access::Role;
use harness::stripe::Fault;
use serde_json::json;

use crate::world::{World, text};

/// Why a run leaves the payee out, if it does.
pub fn skipped(world: &World) -> Option<String> {
    let run = world.preview();
    let content =
        world.service.get(&format!("/v1/payout-runs/{}/content", text(&run, "id")), &world.finance()).expect(200);
    let skipped = content["skipped"].as_array().expect("a list");
    skipped.iter().find(|skip| skip["payee"] == world.payee.as_str()).map(|skip| text(skip, "code"))
}

#[test]
fn onboarding_restricted_enabled() {
    let world = World::bare();
    assert_eq!(skipped(&world).as_deref(), Some("stripe_account_missing"));
    let made = world.onboard().expect(201);
    assert_eq!(made["status"], "onboarding");
    assert!(text(&made, "url").starts_with("https://connect.stripe.com/"), "{made}");
    assert_eq!(skipped(&world).as_deref(), Some("stripe_account_restricted"));
    let account = text(&made, "account");
    let restricted = world.double.set_account(&account, "inactive", false, Some("requirements.past_due"));
    world.tell(&restricted);
    assert_eq!(world.standing()["status"], "restricted");
    assert_eq!(world.standing()["disabled_reason"], "requirements.past_due");
    world.wait(1);
    let enabled = world.double.set_account(&account, "active", true, None);
    world.tell(&enabled);
    assert_eq!(world.standing()["status"], "enabled");
    assert_eq!(skipped(&world), None);
    // Events of before come late: the account itself is what counts.
    world.wait(1);
    world.tell(&restricted);
    assert_eq!(world.standing()["status"], "enabled");
}

#[test]
fn a_payee_has_one_account_however_often_it_is_asked_for() {
    let world = World::bare();
    let path = format!("/v1/payees/{}/stripe-account", world.payee);
    let first = world.service.post_as(&path, &world.admin(), "once", &json!({}));
    let again = world.service.post_as(&path, &world.admin(), "once", &json!({}));
    assert_eq!((first.status, &first.body), (201, &again.body));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let other = world.onboard().expect(201);
    assert_eq!(other["account"], first.json()["account"]);
    assert_ne!(other["url"], first.json()["url"], "a link is good once");
    assert_eq!(world.double.asked("POST /v1/accounts").len(), 1);
}

#[test]
fn an_account_whose_making_nobody_answered_is_made_once() {
    let world = World::bare();
    world.double.fault("POST /v1/accounts", Fault::ResetAfter);
    let _ = world.onboard().problem(503, "unavailable");
    let _ = world.onboard().expect(201);
    assert_eq!(world.number("select count(*) from stripe_account where account is not null"), 1);
    let asked = world.double.asked("POST /v1/accounts");
    assert_eq!((asked.len(), &asked[0].key), (2, &asked[1].key));
    assert_eq!(asked[0].key.as_deref(), Some(world.payee.as_str()));
}

#[test]
fn who_may_not_is_told_so() {
    let world = World::bare();
    let path = format!("/v1/payees/{}/stripe-account", world.payee);
    let _ = world.service.post(&path, &world.finance(), &json!({})).problem(403, "insufficient_scope");
    let _ = world.service.post(&path, &world.service.stranger(), &json!({})).problem(404, "not_found");
    let _ = world.service.get(&path, &world.service.stranger()).problem(404, "not_found");
    let _ = world.service.post(&path, &world.service.partner(), &json!({})).expect(201);
    let investor = world.service.token(&[Role::Investor], None, None);
    let _ = world.service.get(&path, &investor).problem(403, "insufficient_scope");
    // The upline is paid by bank file.
    let aba = world.service.get("/v1/payees?rail=aba&limit=1", &world.admin()).expect(200);
    let other = format!("/v1/payees/{}/stripe-account", text(&aba["data"][0], "id"));
    let _ = world.service.post(&other, &world.admin(), &json!({})).problem(409, "other_rail");
}
