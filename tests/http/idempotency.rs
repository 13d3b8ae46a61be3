//! One outcome per key, whatever the caller does with it.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection as _;
use domain::access::Role;
use domain::kernel::ids::OrganisationId;
use harness::neighbour::Neighbour;
use harness::server::{Reply, Service};
use harness::site;
use serde_json::{Value, json};
use uuid::Uuid;

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
    let headers = [headers[0], headers[1], ("idempotency-key", "k-1"), ("idempotency-key", "k-2")];
    let two = service.send("POST", "/v1/users", &headers, Some(user(1).to_string().as_bytes()));
    let told = two.problem(400, "idempotency_key_repeated");
    assert_eq!(told, [("#Idempotency-Key".to_owned(), "idempotency_key_repeated".to_owned())]);
    assert_eq!(users(&service), 0);
}

#[test]
fn a_key_under_another_organisation_is_another_key() {
    let service = Service::start();
    let (one, other) = (service.platform.introducer, service.platform.provider);
    let token = |organisation| service.token_of(Uuid::from_u128(7), &[Role::PartnerAdmin], Some(organisation), None);
    let body = |organisation: &OrganisationId| json!({"organisation_id": organisation.to_string(), "kind": "company", "name": "Acme Pty Ltd"});
    let first = service.post_as("/v1/contacts", &token(one), "k-1", &body(&one));
    let second = service.post_as("/v1/contacts", &token(other), "k-1", &body(&other));
    assert_eq!((first.status, second.status, second.header("idempotency-replayed")), (201, 201, None));
    assert_ne!(first.expect(201)["id"], second.expect(201)["id"]);
    // Also with the very same body: what the one was told is not for the other, whose own rules refuse it.
    let third = service.post_as("/v1/contacts", &token(other), "k-2", &body(&one));
    let fourth = service.post_as("/v1/contacts", &token(one), "k-2", &body(&one));
    assert!(third.status >= 400 && third.status != 409, "{third:?}");
    assert_eq!((fourth.status, fourth.header("idempotency-replayed")), (201, None));
}

#[test]
fn an_answer_of_the_version_before_is_still_given_again() {
    let service = Service::start();
    let token = service.operator_of(7);
    let first = service.post_as("/v1/users", &token, "k-1", &user(1));
    service.platform.tamper("update idempotency_record set tenant = '', etag = null");
    let again = service.post_as("/v1/users", &token, "k-1", &user(1));
    assert_eq!((again.status, &again.body, again.header("idempotency-replayed")), (201, &first.body, Some("true")));
    assert_eq!(users(&service), 1);
}

#[test]
fn an_answer_that_is_given_again_has_the_etag_of_the_first() {
    let service = Service::start();
    let token = service.operator_of(7);
    let first = service.post_as("/v1/users", &token, "k-1", &user(1));
    let again = service.post_as("/v1/users", &token, "k-1", &user(1));
    assert_eq!((first.header("etag"), again.header("etag")), (Some("\"1\""), Some("\"1\"")));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let path = first.header("location").expect("a location").to_owned();
    let changed = service.patch(&path, &token, again.header("etag").expect("an etag"), &json!({"disabled": true}));
    assert_eq!(changed.status, 200);
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

/// A request that is sent again and again: alone, and together with others in one commit.
struct Sent {
    path: &'static str,
    token: String,
    body: Value,
    other: Value,
    /// Counts what it made.
    made: &'static str,
}

fn single(service: &Service) -> Sent {
    Sent {
        path: "/v1/users",
        token: service.operator_of(7),
        body: user(1),
        other: user(2),
        made: "select count(*) from app_user",
    }
}

fn batched(service: &Service) -> Sent {
    service.platform.onboard("member_ref,upline_ref\nM1,\n");
    let introducer = service.platform.introducer;
    let member = service.platform.ids_of("select id from member")[0];
    let referral = |external_ref: &str| {
        json!({
            "member_id": domain::kernel::ids::MemberId::new(member).to_string(), "provider_id": service.platform.provider.to_string(),
            "product": "FIXED-3Y", "external_ref": external_ref, "referred_on": "2026-11-20",
            "client": {"kind": "person", "name": "Jane Citizen"},
            "consent": {"declared": true}, "disclosure": {"declared": true}, "assurance": "custodial"
        })
    };
    Sent {
        path: "/v1/referrals",
        token: service.token_of(Uuid::from_u128(8), &[Role::PartnerAdmin], Some(introducer), None),
        body: referral("A-1"),
        other: referral("A-2"),
        made: "select count(*) from deal",
    }
}

fn post_to(service: &Service, url: &str, sent: &Sent, key: Option<&str>, body: &Value) -> Reply {
    let authorization = format!("Bearer {}", sent.token);
    let mut headers = vec![("authorization", authorization.as_str()), ("content-type", "application/json")];
    headers.extend(key.map(|key| ("idempotency-key", key)));
    service.send_to(url, "POST", sent.path, &headers, Some(body.to_string().as_bytes()))
}

#[test]
fn all_four_answers_are_the_same_alone_and_in_a_batch_and_at_whichever_process_one_asks() {
    for make in [single, batched] {
        let service = Service::start();
        let sent = make(&service);
        let beside = Neighbour::of(&service);
        let _ = post_to(&service, &service.url, &sent, None, &sent.body).problem(400, "idempotency_key_missing");
        // The work is done, and cannot commit while somebody holds the table of answers.
        let mut holder = service.platform.owner();
        holder.batch_execute("begin; lock table idempotency_record in exclusive mode").expect("a lock");
        let first = std::thread::scope(|scope| {
            let first = scope.spawn(|| post_to(&service, &service.url, &sent, Some("k-1"), &sent.body));
            let waiting = "select count(*) from pg_locks l join pg_database d on d.oid = l.database
                where d.datname = current_database() and locktype = 'advisory' and granted";
            while service.platform.number(waiting) == 0 {
                std::thread::yield_now();
            }
            for url in [&service.url, &beside.url] {
                let held = post_to(&service, url, &sent, Some("k-1"), &sent.body);
                let _ = held.problem(409, "idempotency_key_in_flight");
                assert_eq!(held.header("retry-after"), Some("1"));
            }
            holder.batch_execute("commit").expect("the lock is gone");
            first.join().expect("an answer")
        });
        let _ = first.expect(201);
        assert_eq!(first.header("idempotency-replayed"), None);
        for url in [&beside.url, &service.url] {
            let again = post_to(&service, url, &sent, Some("k-1"), &sent.body);
            assert_eq!((again.status, &again.body), (201, &first.body), "{}", sent.path);
            assert_eq!(again.header("idempotency-replayed"), Some("true"));
            assert_eq!(again.header("location"), first.header("location"));
            let _ = post_to(&service, url, &sent, Some("k-1"), &sent.other).problem(422, "idempotency_key_reused");
        }
        assert_eq!(service.platform.number(sent.made), 1, "{}", sent.path);
    }
}

#[test]
fn forty_at_once_at_two_processes_under_one_key_have_one_effect() {
    for make in [single, batched] {
        let service = Service::start();
        let sent = make(&service);
        let beside = Neighbour::of(&service);
        let replies: Vec<Reply> = std::thread::scope(|scope| {
            let urls = [&service.url, &beside.url];
            let (service, sent) = (&service, &sent);
            let asked: Vec<_> = (0..40)
                .map(|n| scope.spawn(move || post_to(service, urls[n % 2], sent, Some("k-1"), &sent.body)))
                .collect();
            asked.into_iter().map(|thread| thread.join().expect("an answer")).collect()
        });
        let first: Vec<&Reply> =
            replies.iter().filter(|r| r.status == 201 && r.header("idempotency-replayed").is_none()).collect();
        assert_eq!(first.len(), 1, "{}", sent.path);
        for reply in &replies {
            assert!([201, 409].contains(&reply.status), "{}", reply.status);
            assert!(reply.status == 409 || reply.body == first[0].body, "{}", sent.path);
        }
        assert_eq!(service.platform.number(sent.made), 1, "{}", sent.path);
    }
}

#[test]
fn every_operation_that_documents_a_key_asks_for_it() {
    let service = site::populated();
    let ids = site::ids(&service);
    let document = serde_json::to_value(api::openapi::document()).expect("a document");
    let authorization = format!("Bearer {}", service.operator());
    let mut asked = 0;
    for operation in service.app.policy.operations().iter().filter(|o| o.method == "POST") {
        let parameters = document["paths"][&operation.pattern]["post"]["parameters"].as_array().cloned();
        if !parameters.unwrap_or_default().iter().any(|p| p["name"] == "Idempotency-Key") {
            continue;
        }
        let path = site::path(operation, &document, &ids);
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        let missing = service.send("POST", &path, &headers, Some(b"{}"));
        // Some scopes are no administrator's; the import asks for more headers first.
        if missing.status == 403 || operation.id == "create_deal_import" {
            continue;
        }
        let at = missing.problem(400, "idempotency_key_missing");
        assert_eq!(at, [("#Idempotency-Key".to_owned(), "idempotency_key_missing".to_owned())], "{}", operation.id);
        let bad = [headers[0], headers[1], ("idempotency-key", "not a key")];
        let _ = service.send("POST", &path, &bad, Some(b"{}")).problem(400, "invalid_idempotency_key");
        asked += 1;
    }
    assert!(asked > 20, "{asked}");
}
