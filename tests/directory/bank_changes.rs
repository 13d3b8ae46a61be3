//! Another bank account for a payee: two people, typed twice, and a cool-off before money follows it.

use domain::access::Role;
use domain::kernel::Instant;
use domain::ledger::release;
use harness::platform::Platform;
use harness::server::{Reply, Service};
use serde_json::{Value, json};

use crate::{all_ids, id, told};

const EXPORT: &[u8] = include_bytes!("../../data/v01/v01-example-deals.csv");
const MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");

fn account(number: &str) -> Value {
    json!({"bsb": "062-000", "account_number": number, "account_name": "Zoë O’Brien"})
}

/// A payee of the introducer.
fn payee(service: &Service) -> String {
    let body = json!({"organisation_id": service.platform.introducer.to_string(), "legal_name": "Zoë O’Brien",
        "abn": "51 824 753 556", "bank_account": account("12345678")});
    id(&service.post("/v1/payees", &service.partner(), &body).expect(201))
}

fn approve(service: &Service, token: &str, payee: &str, change: &str, number: &str) -> Reply {
    let body = json!({"bank_change_id": change, "bsb": "062000", "account_number": number});
    service.post(&format!("/v1/payees/{payee}/bank-details/approve"), token, &body)
}

#[test]
fn a_second_person_types_the_account_again_and_only_then_it_is_the_payees() {
    let service = Service::start();
    let (partner, approver) = (service.partner(), service.token(&[Role::Approver], None, None));
    let payee = payee(&service);
    let (path, changes) = (format!("/v1/payees/{payee}"), format!("/v1/payees/{payee}/bank-details"));
    let made = service.post(&changes, &partner, &account("87654321")).expect(201);
    assert_eq!((&made["status"], &made["bank_account"]["account_number"]), (&json!("proposed"), &json!("*****321")));
    assert!(!made.to_string().contains("87654321"));
    assert_eq!(service.get(&path, &partner).expect(200)["bank_account"]["account_number"], "*****678");
    // Another number, another payee's path, an unknown change: nothing happens.
    let _ = approve(&service, &approver, &payee, &id(&made), "87654322").problem(409, "bank_details_differ");
    let unknown = approve(&service, &approver, &payee, "bankchange_00000000000000000000000001", "87654321");
    assert_eq!(told(&unknown.problem(422, "validation_failed")), ["/bank_change_id not_found"]);
    let nobody = approve(&service, &approver, "payee_00000000000000000000000001", &id(&made), "87654321");
    let _ = nobody.problem(404, "not_found");
    let empty = service.post(&format!("{changes}/approve"), &approver, &json!({})).problem(422, "validation_failed");
    assert_eq!(told(&empty), ["/bank_change_id required", "/bsb required", "/account_number required"]);
    assert_eq!(service.platform.number("select count(*) from payee_bank_details"), 1);
    let approved = approve(&service, &approver, &payee, &id(&made), "8765-4321").expect(200);
    assert_eq!((&approved["status"], &approved["approved_at"]), (&json!("approved"), &json!("2026-11-23T12:00:00Z")));
    assert_eq!(approved["usable_from_at"], "2026-11-25T12:00:00Z");
    let read = service.get(&path, &partner);
    assert_eq!(
        (read.header("etag"), &read.expect(200)["bank_account"]["account_number"]),
        (Some("\"2\""), &json!("*****321"))
    );
    let again = approve(&service, &service.token(&[Role::Approver], None, None), &payee, &id(&made), "87654321");
    let _ = again.problem(409, "bank_change_decided");
    // Who listens hears both steps; the log of acts holds no number.
    let told = "select count(*) from outbox where type in ('payee.bank_change_proposed', 'payee.bank_change_approved')";
    assert_eq!(service.platform.number(told), 2);
    let acts = service.get(&format!("/v1/audit-log?object_id={payee}"), &service.operator()).expect(200);
    let acts: Vec<&Value> = acts["data"].as_array().expect("rows").iter().collect();
    assert_eq!(
        (&acts[0]["action"], &acts[1]["action"]),
        (&json!("approve_bank_change"), &json!("propose_bank_change"))
    );
    assert_eq!((&acts[0]["before"]["status"], &acts[0]["after"]["status"]), (&json!("proposed"), &json!("approved")));
    for leak in ["87654321", "12345678", "8765-4321"] {
        for table in ["audit_record", "outbox", "event", "idempotency_record"] {
            let found = format!("select count(*) from {table} t where t::text like '%{leak}%'");
            assert_eq!(service.platform.number(&found), 0, "{leak} in {table}");
        }
    }
}

#[test]
fn nobody_approves_what_they_proposed_and_a_newer_proposal_replaces_the_older() {
    let service = Service::start();
    let payee = payee(&service);
    let changes = format!("/v1/payees/{payee}/bank-details");
    // An administrator may do both, and still not both for one change.
    let (one, other) = (service.operator_of(1), service.operator_of(2));
    let first = id(&service.post(&changes, &one, &account("11111111")).expect(201));
    let _ = approve(&service, &one, &payee, &first, "11111111").problem(422, "same_person");
    let second = id(&service.post(&changes, &other, &account("22222222")).expect(201));
    let _ = approve(&service, &other, &payee, &first, "11111111").problem(409, "bank_change_decided");
    let _ = approve(&service, &other, &payee, &second, "22222222").problem(422, "same_person");
    let _ = approve(&service, &one, &payee, &second, "22222222").expect(200);
    assert_eq!(all_ids(&service, &format!("{changes}?limit=1"), &one, || ()), [second, first]);
    let seen = service.get(&changes, &service.partner()).expect(200);
    assert_eq!((&seen["data"][0]["status"], &seen["data"][1]["status"]), (&json!("approved"), &json!("replaced")));
    // What is foreign is not there; who may not, may not.
    let stranger = service.stranger_of(service.platform.provider);
    let _ = service.get(&changes, &stranger).problem(404, "not_found");
    let _ = service.post(&changes, &stranger, &account("33333333")).problem(404, "not_found");
    let partner = approve(&service, &service.partner(), &payee, "bankchange_00000000000000000000000001", "1");
    let _ = partner.problem(403, "insufficient_scope");
    let finance = service.token(&[Role::Finance], None, None);
    let _ = service.post(&changes, &finance, &account("33333333")).problem(403, "insufficient_scope");
    let bad = json!({"bsb": "999-999", "account_number": "000", "account_name": "李 明"});
    let bad = service.post(&changes, &service.partner(), &bad).problem(422, "validation_failed");
    assert_eq!(
        told(&bad),
        ["/bsb unknown_bsb", "/account_number account_number_all_zeros", "/account_name not_in_bank_character_set"]
    );
    // The database holds two people apart by itself, and lets nobody rewrite what was proposed.
    for attack in [
        "update payee_bank_change set account_number = '1'",
        "update payee_bank_change set payee_id = gen_random_uuid()",
        "update payee_bank_change set approved_by = proposed_by",
        "update payee_bank_change set state = 'approved', approved_by = null where state = 'replaced'",
        "delete from payee_bank_change",
    ] {
        assert!(service.platform.refusal_of(attack).is_some(), "{attack}");
    }
}

#[test]
fn money_does_not_follow_a_new_account_before_it_has_cooled_off() {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let _ = platform.upload(EXPORT);
    platform.work();
    let _ = platform.store().transaction(|uow| release::due(uow, &platform.env())).expect("a release");
    let service = Service::over(platform);
    // Tokens end while the clock moves on: each request has its own.
    let operator = || service.operator_of(1);
    let bank = json!({
        "name": "Commission", "bank_code": "CBA", "user_name": "FLIP 360 PTY LTD", "user_number": "301500",
        "remitter": "FLIP 360", "description": "COMMISSION", "self_balancing": true,
        "account": {"bsb": "062-000", "account_number": "12345678", "account_name": "FLIP 360 PTY LTD"}
    });
    let bank = service.post("/v1/bank-accounts", &operator(), &bank).expect(201);
    // A run's payees, and why others are left out, as the content says that is approved.
    let preview = || {
        let run = service.post("/v1/payout-runs", &operator(), &json!({"bank_account_id": bank["id"]})).expect(201);
        let content = service.get(&format!("/v1/payout-runs/{}/content", id(&run)), &operator()).expect(200);
        let cancelled = format!("/v1/payout-runs/{}/cancel", id(&run));
        let _ = service.post(&cancelled, &operator(), &json!({"reason": "only a look"})).expect(200);
        content
    };
    let paid = |content: &Value| -> Vec<String> {
        let payouts = content["payouts"].as_array().expect("payouts").iter();
        payouts.map(|payout| payout["payee"].as_str().expect("a payee").to_owned()).collect()
    };
    let payee = paid(&preview()).first().expect("somebody is paid").clone();
    let changes = format!("/v1/payees/{payee}/bank-details");
    let change = id(&service.post(&changes, &service.operator_of(2), &account("87654321")).expect(201));
    assert!(paid(&preview()).contains(&payee), "until the approval the payee is paid to the account that it has");
    let _ = approve(&service, &operator(), &payee, &change, "87654321").expect(200);
    let at = |text: &str| service.clock.set(Instant::new(text.parse().expect("a time")));
    at("2026-11-25T11:59:59Z");
    let cooling = preview();
    assert!(!paid(&cooling).contains(&payee));
    let skipped = cooling["skipped"].as_array().expect("a list").iter();
    assert!(
        skipped.into_iter().any(|skip| skip["payee"] == json!(payee) && skip["code"] == "bank_details_cooling_off"),
        "{cooling}"
    );
    at("2026-11-25T12:00:00Z");
    assert!(paid(&preview()).contains(&payee));
}
