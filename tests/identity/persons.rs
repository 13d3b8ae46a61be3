//! Where two people must decide: a program is whoever was ever shown what it takes to act as it.

use harness::server::{Reply, Service};
use serde_json::{Value, json};

use crate::text;
use crate::totp::{enrolled, log_in};

fn account(number: &str) -> Value {
    json!({"bsb": "062-000", "account_number": number, "account_name": "Zoë O’Brien"})
}

/// A payee of the introducer.
fn payee(service: &Service) -> String {
    let body = json!({"organisation_id": service.platform.introducer.to_string(), "legal_name": "Zoë O’Brien",
        "abn": "51 824 753 556", "bank_account": account("12345678")});
    text(&service.post("/v1/payees", &service.partner(), &body).expect(201), "id")
}

fn propose(service: &Service, token: &str, payee: &str) -> String {
    text(&service.post(&format!("/v1/payees/{payee}/bank-details"), token, &account("87654321")).expect(201), "id")
}

fn approve(service: &Service, token: &str, payee: &str, change: &str) -> Reply {
    let body = json!({"bank_change_id": change, "bsb": "062000", "account_number": "87654321"});
    service.post(&format!("/v1/payees/{payee}/bank-details/approve"), token, &body)
}

fn make(service: &Service, maker: &str, role: &str) -> Value {
    service.post("/v1/api-clients", maker, &json!({"name": "Another name", "roles": [role]})).expect(201)
}

fn token(service: &Service, made: &Value) -> String {
    let (id, secret) = (text(made, "id"), text(made, "client_secret"));
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    text(&service.form("/oauth/token", &form).expect(200), "access_token")
}

#[test]
fn a_person_does_not_approve_through_a_client_of_theirs_nor_through_a_client_of_that() {
    let service = Service::start();
    let payee = payee(&service);
    let app = enrolled(&service, "ada@example.com", &["operator_admin"]);
    crate::totp::later(&service, 30);
    let code = format!("&totp={}", app.shows(&service));
    let ada = text(&log_in(&service, "ada@example.com", &code).expect(200), "access_token");
    let change = propose(&service, &ada, &payee);
    let first = make(&service, &ada, "approver");
    let _ = approve(&service, &token(&service, &first), &payee, &change).problem(422, "same_person");
    let deputy = make(&service, &ada, "operator_admin");
    let second = make(&service, &token(&service, &deputy), "approver");
    let _ = approve(&service, &token(&service, &second), &payee, &change).problem(422, "same_person");
    // The other way round: what a client proposed, its maker does not approve, nor does another client of theirs.
    let change = propose(&service, &token(&service, &deputy), &payee);
    for name in [&ada, &token(&service, &first), &token(&service, &second)] {
        let _ = approve(&service, name, &payee, &change).problem(422, "same_person");
    }
    let _ = approve(&service, &service.operator_of(2), &payee, &change).expect(200);
}

#[test]
fn whoever_gives_a_client_a_secret_or_a_key_holds_it_too() {
    let service = Service::start();
    let payee = payee(&service);
    let (one, other) = (service.operator_of(1), service.operator_of(2));
    let of_other = make(&service, &other, "approver");
    let rotated = make(&service, &other, "approver");
    let path = format!("/v1/api-clients/{}/rotate-secret", text(&rotated, "id"));
    let rotated = service.post(&path, &one, &json!({})).expect(200);
    let keyed = make(&service, &other, "approver");
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"});
    let path = format!("/v1/api-clients/{}/keys", text(&keyed, "id"));
    let _ = service.post(&path, &one, &json!({"jwk": jwk})).expect(201);
    let change = propose(&service, &one, &payee);
    for made in [&rotated, &keyed] {
        let _ = approve(&service, &token(&service, made), &payee, &change).problem(422, "same_person");
    }
    let _ = approve(&service, &token(&service, &of_other), &payee, &change).expect(200);
    // What was once shown stays known: nobody takes it back out of the records.
    for attack in ["delete from api_client_holder", "update api_client_holder set holder_id = gen_random_uuid()"] {
        assert!(service.platform.refusal_of(attack).is_some(), "{attack}");
    }
}

#[test]
fn a_client_that_nobody_is_known_to_hold_is_a_person_of_its_own() {
    let service = Service::start();
    let payee = payee(&service);
    let (one, nobodys) = (service.operator_of(1), make(&service, &service.operator_of(1), "approver"));
    service.platform.tamper("delete from api_client_holder");
    let change = propose(&service, &one, &payee);
    let _ = approve(&service, &token(&service, &nobodys), &payee, &change).expect(200);
}
