//! Endpoints over HTTP: made, read, changed by version, re-keyed, deleted; secrets once; whose they are.

use domain::access::Role;
use harness::server::{Reply, Service};
use serde_json::{Value, json};

use crate::create;

const URL: &str = "https://hooks.harbour.example/flip360";

fn delete(service: &Service, token: &str, path: &str, etag: &str) -> Reply {
    let authorization = format!("Bearer {token}");
    service.send("DELETE", path, &[("authorization", &authorization), ("if-match", etag)], None)
}

#[test]
fn made_read_changed_and_deleted() {
    let service = Service::start();
    let partner = service.partner();
    let body = json!({"url": "https://HOOKS.harbour.example:443/a/../flip360", "description": "CRM", "event_types": ["deal.settled"]});
    let made = service.post("/v1/webhook-endpoints", &partner, &body);
    let view = made.expect(201);
    let path = made.header("location").expect("a location").to_owned();
    assert_eq!(path, format!("/v1/webhook-endpoints/{}", view["id"].as_str().expect("an id")));
    assert_eq!((&view["url"], &view["signing"], &view["status"]), (&json!(URL), &json!("v1"), &json!("enabled")));
    assert_eq!(view["organisation_id"], service.platform.introducer.to_string());
    assert!(view["secret"].as_str().is_some_and(|secret| secret.starts_with("whsec_")));
    let read = service.get(&path, &partner);
    assert_eq!((read.expect(200)["secret"].clone(), read.header("etag")), (Value::Null, Some("\"1\"")));
    let change = json!({"description": null, "event_types": ["*"], "status": "disabled"});
    let changed = service.patch(&path, &partner, "\"1\"", &change);
    let view = changed.expect(200);
    assert_eq!((&view["event_types"], &view["status"]), (&json!(["*"]), &json!("disabled")));
    assert_eq!((&view["disabled_reason"], view.get("description")), (&json!("by_hand"), None));
    let _ = service.patch(&path, &partner, "\"1\"", &json!({"status": "enabled"})).problem(412, "stale");
    let _ = service.post(&format!("{path}/test"), &partner, &json!({})).problem(409, "endpoint_disabled");
    let back = service.patch(&path, &partner, "\"2\"", &json!({"status": "enabled"})).expect(200);
    assert_eq!((&back["status"], back.get("disabled_reason"), &back["version"]), (&json!("enabled"), None, &json!(3)));
    let _ = delete(&service, &partner, &path, "\"2\"").problem(412, "stale");
    assert_eq!(delete(&service, &partner, &path, "\"3\"").status, 204);
    let _ = service.get(&path, &partner).problem(404, "not_found");
    assert_eq!(service.get("/v1/webhook-endpoints", &partner).expect(200)["data"], json!([]));
    assert_eq!(service.platform.number("select count(*) from webhook_endpoint where length(secret) > 0"), 0);
    let audited = "select count(distinct action) from audit_record where action like '%webhook_endpoint'";
    assert_eq!(service.platform.number(audited), 3);
}

#[test]
fn every_fault_at_once_and_no_type_beyond_what_the_caller_reads() {
    let service = Service::start();
    let (partner, operator) = (service.partner(), service.operator());
    let post = |token: &str, body: Value| service.post("/v1/webhook-endpoints", token, &body);
    let bad = json!({"url": "ftp://x", "description": "a\u{0}b", "event_types": ["deal.settled", "deal.sung", "*"], "signing": "v2"});
    let faults = post(&partner, bad).problem(422, "validation_failed");
    let faults: Vec<(&str, &str)> = faults.iter().map(|(p, c)| (p.as_str(), c.as_str())).collect();
    assert_eq!(
        faults,
        [
            ("/url", "https_required"),
            ("/description", "control_character"),
            ("/event_types/1", "unknown_event_type"),
            ("/event_types/2", "unknown_event_type"),
            ("/signing", "unknown_value"),
        ]
    );
    let missing = post(&partner, json!({})).problem(422, "validation_failed");
    assert_eq!(missing.iter().map(|(p, _)| p.as_str()).collect::<Vec<_>>(), ["/url", "/event_types"]);
    let many: Vec<&str> = vec!["deal.settled"; 201];
    assert_eq!(
        post(&partner, json!({"url": URL, "event_types": many})).problem(422, "validation_failed")[0].1,
        "too_many"
    );
    let _ = post(&partner, json!({"url": URL, "event_types": ["*"], "organisation_id": "org_1"}))
        .problem(400, "unknown_field");
    let beyond = json!({"url": URL, "event_types": ["deal.settled", "user.created"]});
    let refused = post(&partner, beyond.clone()).problem(422, "validation_failed");
    assert_eq!(refused, [("/event_types".to_owned(), "not_readable".to_owned())]);
    let made = post(&operator, beyond).expect(201);
    assert_eq!(made.get("organisation_id"), None, "the operator's own");
    // Whoever changes a partner's endpoint for it does not open more to it than it may read.
    let own = create(&service, &partner, URL, &json!(["*"]));
    let path = format!("/v1/webhook-endpoints/{}", own.id);
    let opened = service.patch(&path, &operator, "\"1\"", &json!({"event_types": ["user.created"]}));
    let _ = opened.problem(422, "validation_failed");
    for field in ["url", "event_types", "status"] {
        let emptied = service.patch(&path, &partner, "\"1\"", &json!({field: null})).problem(422, "validation_failed");
        assert_eq!(emptied, [(format!("/{field}"), "required".to_owned())]);
    }
}

#[test]
fn a_secret_is_shown_once_and_to_a_retry_and_lies_nowhere() {
    let service = Service::start();
    let operator = service.operator_of(5);
    let body = json!({"url": URL, "event_types": ["*"]});
    let first = service.post_as("/v1/webhook-endpoints", &operator, "k1", &body);
    let secret = first.expect(201)["secret"].as_str().expect("a secret").to_owned();
    let again = service.post_as("/v1/webhook-endpoints", &operator, "k1", &body);
    assert_eq!((again.status, &again.body), (201, &first.body));
    let path = first.header("location").expect("a location").to_owned();
    let rotated = service.post(&format!("{path}/rotate-secret"), &operator, &json!({})).expect(200);
    let new = rotated["secret"].as_str().expect("a secret").to_owned();
    assert_ne!(new, secret);
    assert_eq!(rotated["previous_secret_until"], "2026-11-24T12:00:00Z");
    for secret in [&secret, &new] {
        let bare = secret.strip_prefix("whsec_").expect("the prefix");
        for (table, column) in
            [("webhook_endpoint", "secret"), ("webhook_endpoint", "previous_secret"), ("idempotency_record", "body")]
        {
            for needle in [format!("'{secret}'::bytea"), format!("decode('{bare}', 'base64')")] {
                let lies = format!("select count(*) from {table} where position({needle} in {column}) > 0");
                assert_eq!(service.platform.number(&lies), 0, "{table}.{column}");
            }
        }
    }
    let mut owner = service.platform.owner();
    let read = diesel::connection::SimpleConnection::batch_execute(
        &mut owner,
        "set role flip360_reader; select secret from webhook_endpoint",
    );
    assert!(read.is_err(), "who reads never reads secrets");
    let key = json!({"url": URL, "event_types": ["*"], "signing": "v1a"});
    let key = service.post("/v1/webhook-endpoints", &operator, &key).expect(201);
    assert!(key["public_key"].as_str().is_some_and(|key| key.starts_with("whpk_")) && key.get("secret").is_none());
}

#[test]
fn what_is_foreign_does_not_exist() {
    let service = Service::start();
    let (partner, stranger) = (service.partner(), service.stranger());
    let own = create(&service, &partner, URL, &json!(["*"]));
    let _ = service.post(&format!("/v1/webhook-endpoints/{}/test", own.id), &partner, &json!({})).expect(202);
    let _ = service.tell();
    let _ = service.dispatch();
    let delivery = service.get(&format!("/v1/webhook-endpoints/{}/deliveries", own.id), &partner).expect(200);
    let delivery = delivery["data"][0]["id"].as_str().expect("an id").to_owned();
    let nobodys = ("endpoint_00000000000000000000000001", "delivery_00000000000000000000000001");
    let without_request = |reply: &Reply| {
        let mut problem = reply.expect(404);
        problem["request_id"] = Value::Null;
        problem["instance"] = Value::Null;
        problem
    };
    let all = |token: &str, endpoint: &str, delivery: &str| {
        let path = format!("/v1/webhook-endpoints/{endpoint}");
        [
            service.get(&path, token),
            service.get(&format!("{path}/deliveries"), token),
            service.patch(&path, token, "\"1\"", &json!({"status": "disabled"})),
            delete(&service, token, &path, "\"1\""),
            service.post(&format!("{path}/test"), token, &json!({})),
            service.post(&format!("{path}/rotate-secret"), token, &json!({})),
            service.post(&format!("/v1/webhook-endpoints/deliveries/{delivery}/redeliver"), token, &json!({})),
        ]
    };
    let foreign = all(&stranger, &own.id, &delivery);
    for (foreign, missing) in foreign.iter().zip(&all(&stranger, nobodys.0, nobodys.1)) {
        assert_eq!(without_request(foreign), without_request(missing));
    }
    assert_eq!(service.get("/v1/webhook-endpoints", &stranger).expect(200)["data"], json!([]));
    // A partner's agent has no business here, support only looks.
    let agent = service.token(&[Role::PartnerAgent], Some(service.platform.introducer), None);
    let _ = service.get("/v1/webhook-endpoints", &agent).problem(403, "insufficient_scope");
    let support = service.token(&[Role::Support], None, None);
    assert_eq!(service.get("/v1/webhook-endpoints", &support).expect(200)["data"][0]["id"], json!(own.id));
    let _ = service
        .post(&format!("/v1/webhook-endpoints/{}/test", own.id), &support, &json!({}))
        .problem(403, "insufficient_scope");
}

#[test]
fn an_owner_has_twenty_endpoints_at_most() {
    let service = Service::start();
    let (partner, body) = (service.partner(), json!({"url": URL, "event_types": ["*"]}));
    for _ in 0..20 {
        let _ = service.post("/v1/webhook-endpoints", &partner, &body).expect(201);
    }
    let _ = service.post("/v1/webhook-endpoints", &partner, &body).problem(409, "too_many_endpoints");
    let _ = service.post("/v1/webhook-endpoints", &service.stranger_of(service.platform.provider), &body).expect(201);
}
