//! Which version governs: by dates and approvals, whether or not a worker has looked.

use harness::platform::Platform;
use harness::server::Service;
use serde_json::{Value, json};

use crate::drafts::{agreement, approve, approved, approver, at_rate, content, proposed, shipped};
use crate::life::events;

/// The events of an agreement, oldest first, each with the state that it tells.
fn onboarded() -> Service {
    let platform = Platform::new();
    platform.onboard("member_ref,upline_ref\nM1,\n");
    Service::over(platform)
}

/// A deal of this reference and day of settlement.
fn settled(service: &Service, external_ref: &str, on: &str, amount: &str) -> harness::imports::ImportReport {
    let header = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on";
    let row = format!("{external_ref},M1,Jane Citizen,FIXED-3Y,2025-01-01,2025-02-01,{on},{amount},0.00,");
    service.platform.import(format!("{header}\n{row}\n").as_bytes())
}

/// Under which version of its agreement a deal is sealed.
fn sealed_under(service: &Service, external_ref: &str) -> i64 {
    service.platform.number(&format!("select version_number from deal where external_ref = '{external_ref}'"))
}

fn noon(day: &str) -> domain::kernel::Instant {
    domain::kernel::Instant::new(format!("{day}T02:00:00Z").parse().expect("a time"))
}

#[test]
fn a_version_governs_from_its_day_whether_or_not_a_worker_has_looked() {
    let mut service = onboarded();
    let versions = shipped(&service);
    let (path, shown) = approved(&service, &versions, &at_rate("2026-12-01", "0.005"));
    assert_eq!(shown["state"], "approved");
    assert_eq!(settled(&service, "BEFORE", "2026-11-20", "100000.00").created, 1);
    assert_eq!(api::workers::come_into_force(&service.app), Ok(0), "its day is still to come");
    // The day has come in Sydney, and no worker has looked: what settled on it is governed by it.
    service.platform.now = noon("2026-12-02");
    service.clock.set(noon("2026-12-02"));
    assert_eq!(settled(&service, "AFTER", "2026-12-01", "100000.00").created, 1);
    assert_eq!((sealed_under(&service, "BEFORE"), sealed_under(&service, "AFTER")), (1, 3));
    assert_eq!(service.get(&path, &service.operator()).expect(200)["state"], "approved");
    assert_eq!(api::workers::come_into_force(&service.app), Ok(2));
    assert_eq!(api::workers::come_into_force(&service.app), Ok(0), "a second look moves nothing");
    let first = service.get(&format!("{versions}/1"), &service.operator()).expect(200);
    assert_eq!((&first["state"], &first["superseded_by"]), (&json!("superseded"), &json!(3)));
    assert_eq!(service.get(&path, &service.operator()).expect(200)["state"], "active");
    // What comes late and settled before is governed by the earlier version still; what is sealed under it stays.
    assert_eq!(settled(&service, "LATE", "2026-11-30", "100000.00").created, 1);
    assert_eq!(settled(&service, "BEFORE", "2026-12-01", "200000.00").corrected, 1);
    assert_eq!((sealed_under(&service, "LATE"), sealed_under(&service, "BEFORE")), (1, 1));
    let earned = |external_ref: &str| {
        service.platform.number(&format!("select sum(earned_minor) from commission_line l join deal d on d.id = l.deal_id where d.external_ref = '{external_ref}'"))
    };
    // 0.65 % of 100,000 and of 200,000; 0.5 % of 100,000.
    assert_eq!((earned("LATE"), earned("BEFORE"), earned("AFTER")), (65_000, 130_000, 50_000));
    let told = events(&service, &versions, &service.operator());
    let last: Vec<&str> = told.iter().rev().take(2).map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(last, ["agreement.version_superseded", "agreement.version_activated"]);
}

#[test]
fn a_day_begins_in_sydney() {
    let service = Service::start();
    let versions = shipped(&service);
    let (path, _) = approved(&service, &versions, &content("2026-12-01"));
    // 30 November, 12:59 in UTC is 23:59 in Sydney.
    for (at, moved, state) in [("2026-11-30T12:59:59Z", 0, "approved"), ("2026-11-30T13:00:00Z", 2, "active")] {
        service.clock.set(domain::kernel::Instant::new(at.parse().expect("a time")));
        assert_eq!(api::workers::come_into_force(&service.app), Ok(moved), "{at}");
        assert_eq!(service.get(&path, &service.operator()).expect(200)["state"], state, "{at}");
    }
}

#[test]
fn several_that_are_due_come_into_force_together() {
    let service = Service::start();
    let versions = shipped(&service);
    let (second, _) = approved(&service, &versions, &content("2026-12-01"));
    let (third, _) = approved(&service, &versions, &content("2026-12-10"));
    service.clock.set(noon("2026-12-20"));
    assert_eq!(api::workers::come_into_force(&service.app), Ok(4), "two begin, and two end");
    for (path, state, by) in [
        (format!("{versions}/1"), "superseded", json!(4)),
        (second, "superseded", json!(4)),
        (third, "active", Value::Null),
    ] {
        let shown = service.get(&path, &service.operator()).expect(200);
        assert_eq!((&shown["state"], &shown["superseded_by"]), (&json!(state), &by), "{path}");
    }
}

#[test]
fn what_is_retired_takes_no_new_deals_and_keeps_those_that_it_has() {
    let service = onboarded();
    let (versions, operator) = (shipped(&service), service.operator());
    assert_eq!(settled(&service, "KEPT", "2026-11-01", "100000.00").created, 1);
    let retired =
        service.post(&format!("{versions}/1/retire"), &operator, &json!({"reason": "We end it."})).expect(200);
    assert_eq!((&retired["state"], &retired["retired"]["reason"]), (&json!("retired"), &json!("We end it.")));
    let _ =
        service.post(&format!("{versions}/1/retire"), &operator, &json!({"reason": "x"})).problem(409, "wrong_state");
    let refused = settled(&service, "NEW", "2026-11-02", "100000.00").refused;
    assert_eq!(refused[0].faults.iter().map(|(_, code)| code.as_str()).collect::<Vec<_>>(), ["no_agreement"]);
    assert_eq!(settled(&service, "KEPT", "2026-11-01", "200000.00").corrected, 1);
    let earned = "select sum(earned_minor) from commission_line";
    assert_eq!(service.platform.number(earned), 130_000);
    // One that is withdrawn before its day never ends another.
    let (path, _) = approved(&service, &versions, &content("2026-12-01"));
    let shown = service.post(&format!("{path}/retire"), &operator, &json!({"reason": "Not yet."})).expect(200);
    assert_eq!(shown.get("activated_at"), None);
    let _ = service.get(&path, &service.partner()).problem(404, "not_found");
}

#[test]
fn an_agreement_of_a_provider_is_for_its_deals_and_seen_by_its_introducers_alone() {
    let service = onboarded();
    let operator = service.operator();
    let provider = service.platform.provider;
    let versions = agreement(&service, Some(&provider.to_string()));
    let of = versions.trim_end_matches("/versions").to_owned();
    let (path, shown) = proposed(&service, &versions, &operator, &at_rate("2026-01-01", "0.004"));
    let (house, introducer) = (service.stranger_of(provider), service.partner());
    let sees = |token: &str| (service.get(&of, token).status, service.get(&path, token).status);
    for token in [&house, &introducer, &service.stranger()] {
        assert_eq!(sees(token), (404, 404), "what is proposed is the operator's");
    }
    let _ = approve(&service, &path, &approver(&service), &shown).expect(200);
    assert_eq!((sees(&house), sees(&introducer), sees(&service.stranger())), ((200, 200), (404, 404), (404, 404)));
    assert_eq!(settled(&service, "OURS", "2026-11-01", "100000.00").created, 1);
    assert_eq!(
        service.platform.number("select sum(earned_minor) from commission_line"),
        40_000,
        "at the provider's own rate"
    );
    assert_eq!((sees(&introducer), sees(&service.stranger())), ((200, 200), (404, 404)));
    let listed =
        |token: &str| service.get("/v1/agreements?vertical=V01", token).expect(200)["data"].as_array().map(Vec::len);
    assert_eq!((listed(&introducer), listed(&service.stranger())), (Some(2), Some(1)));
    let told = |token: &str| events(&service, &versions, token).into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
    assert_eq!(told(&house), ["agreement.version_activated"]);
    assert_eq!(told(&service.stranger()), Vec::<String>::new());
}
