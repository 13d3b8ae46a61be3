//! One outcome per key, whatever the caller does with it.

use std::collections::BTreeMap;

use harness::server::{Reply, Service};
use serde_json::{Value, json};

fn user(n: u32) -> Value {
    json!({"email": format!("person{n}@example.com"), "password": "correct horse battery", "roles": ["finance"]})
}

fn users(service: &Service) -> i64 {
    service.platform.number("select count(*) from app_user")
}

#[test]
fn the_first_answer_is_given_again_byte_for_byte() {
    let service = Service::start();
    let token = service.operator_of(7);
    let first = service.post_as("/v1/users", &token, "k-1", &user(1));
    let _ = first.expect(201);
    assert_eq!(first.header("idempotency-replayed"), None);
    let again = service.post_as("/v1/users", &token, "k-1", &user(1));
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(users(&service), 1);
    assert_eq!(service.platform.number("select count(*) from audit_record"), 1);
}

#[test]
fn a_refusal_is_kept_and_a_malformed_request_is_not() {
    let service = Service::start();
    let token = service.operator_of(7);
    let _ = service.post_as("/v1/users", &token, "k-0", &user(1)).expect(201);
    let taken = service.post_as("/v1/users", &token, "k-1", &user(1));
    assert!((400..500).contains(&taken.status));
    let again = service.post_as("/v1/users", &token, "k-1", &user(1));
    assert_eq!((again.status, &again.body), (taken.status, &taken.body));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let _ = service.post_as("/v1/users", &token, "k-2", &json!({"nonsense": 1})).problem(400, "unknown_field");
    let _ = service.post_as("/v1/users", &token, "k-2", &user(2)).expect(201);
}

#[test]
fn another_body_under_the_same_key_is_refused_and_another_callers_key_is_another_key() {
    let service = Service::start();
    let token = service.operator_of(7);
    let _ = service.post_as("/v1/users", &token, "k-1", &user(1)).expect(201);
    let _ = service.post_as("/v1/users", &token, "k-1", &user(2)).problem(422, "idempotency_key_reused");
    let _ = service.post_as("/v1/users", &service.operator_of(8), "k-1", &user(2)).expect(201);
    assert_eq!(users(&service), 2);
}

#[test]
fn the_key_is_asked_for_and_checked() {
    let service = Service::start();
    let authorization = format!("Bearer {}", service.operator());
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let missing = service.send("POST", "/v1/users", &headers, Some(user(1).to_string().as_bytes()));
    let _ = missing.problem(400, "idempotency_key_missing");
    let long = "k".repeat(256);
    for key in ["a b", long.as_str()] {
        let _ =
            service.post_as("/v1/users", &service.operator(), key, &user(1)).problem(400, "invalid_idempotency_key");
    }
    assert_eq!(users(&service), 0);
}

#[test]
fn fifty_at_once_under_one_key_have_one_effect() {
    let service = Service::start();
    let token = service.operator_of(7);
    let replies: Vec<Reply> = std::thread::scope(|scope| {
        let asked: Vec<_> =
            (0..50).map(|_| scope.spawn(|| service.post_as("/v1/users", &token, "k-1", &user(1)))).collect();
        asked.into_iter().map(|thread| thread.join().expect("an answer")).collect()
    });
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    for reply in &replies {
        *statuses.entry(reply.status).or_default() += 1;
        if reply.status == 409 {
            let _ = reply.problem(409, "idempotency_key_in_flight");
            assert_eq!(reply.header("retry-after"), Some("1"));
        }
    }
    assert!(statuses.keys().all(|status| [201, 409].contains(status)), "{statuses:?}");
    let fresh = replies.iter().filter(|r| r.status == 201 && r.header("idempotency-replayed").is_none());
    assert_eq!(fresh.count(), 1, "{statuses:?}");
    assert_eq!(users(&service), 1);
}

#[test]
fn a_retry_after_midnight_finds_the_first_answer() {
    let service = Service::start();
    let at = |text: &str| domain::kernel::Instant::new(text.parse().expect("a time"));
    service.clock.set(at("2026-11-23T12:59:59Z"));
    let first = service.post_as("/v1/users", &service.operator_of(7), "k-1", &user(1));
    service.clock.set(at("2026-11-23T13:00:01Z"));
    let again = service.post_as("/v1/users", &service.operator_of(7), "k-1", &user(1));
    assert_eq!((first.status, again.status, &again.body), (201, 201, &first.body));
    assert_eq!(users(&service), 1);
}

#[test]
fn an_answer_with_a_secret_is_given_again_and_kept_sealed() {
    let service = Service::start();
    let token = service.operator_of(7);
    let client = json!({"name": "Portal", "roles": ["auditor"]});
    let first = service.post_as("/v1/api-clients", &token, "k-1", &client);
    let secret = first.expect(201)["client_secret"].as_str().expect("a secret").to_owned();
    let again = service.post_as("/v1/api-clients", &token, "k-1", &client);
    assert_eq!((again.status, &again.body), (201, &first.body));
    let open = format!("select count(*) from idempotency_record where position('{secret}'::bytea in body) > 0");
    assert_eq!(service.platform.number(&open), 0);
    assert_eq!(service.platform.number("select count(*) from idempotency_record where sealed"), 1);
}

#[test]
fn names_and_addresses_are_kept_sealed_too() {
    let service = Service::start();
    let organisation = service.platform.introducer.to_string();
    let person = json!({"organisation_id": organisation, "kind": "person", "name": "Quirin Unmistakable"});
    let _ = service.post("/v1/contacts", &service.partner(), &person).expect(201);
    let _ = service.post_as("/v1/users", &service.operator(), "k-1", &user(1)).expect(201);
    for text in ["Unmistakable", "person1@example.com"] {
        let open = format!("select count(*) from idempotency_record where position('{text}'::bytea in body) > 0");
        assert_eq!(service.platform.number(&open), 0, "{text}");
    }
}
