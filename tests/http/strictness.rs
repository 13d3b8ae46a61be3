//! What is nearly right is refused, not guessed at.

use harness::server::{Reply, Service};
use serde_json::{Value, json};

fn post(service: &Service, path: &str, extra: &[(&str, &str)], body: &[u8]) -> Reply {
    let authorization = format!("Bearer {}", service.operator());
    let mut headers = vec![
        ("authorization", authorization.as_str()),
        ("idempotency-key", "k-1"),
        ("content-type", "application/json"),
    ];
    headers.extend(extra);
    service.send("POST", path, &headers, Some(body))
}

fn organisation() -> Value {
    json!({"kind": "introducer", "name": "Other Pty Ltd"})
}

#[test]
fn a_precondition_is_one_strong_tag_in_quotation_marks() {
    let service = Service::start();
    let (path, operator) = (format!("/v1/organisations/{}", service.platform.introducer), service.operator());
    let body = json!({"name": "Renamed Pty Ltd"});
    for etag in ["1", "\"1", "1\"", "W/\"1\"", "\"1\", \"2\"", "\"1\",\"1\"", "*", "\""] {
        let at = service.patch(&path, &operator, etag, &body).problem(400, "invalid_header");
        assert_eq!(at, [("#If-Match".to_owned(), "invalid_header".to_owned())], "{etag}");
    }
    let authorization = format!("Bearer {operator}");
    let twice = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
        ("if-match", "\"1\""),
        ("if-match", "\"1\""),
    ];
    let _ = service.send("PATCH", &path, &twice, Some(b"{}")).problem(400, "invalid_header");
    for etag in ["\"7\"", "\"abc\"", "\"+1\"", "\"01\"", "\"\""] {
        let _ = service.patch(&path, &operator, etag, &body).problem(412, "stale");
    }
    let _ = service.patch(&path, &operator, "\"1\"", &body).expect(200);
}

#[test]
fn a_precondition_of_a_post_is_read_as_strictly() {
    let service = Service::start();
    let path = format!("/v1/payout-runs/{}/cancel", domain::kernel::ids::PayoutRunId::new(service.app.ids.next()));
    for etag in ["1", "W/\"1\"", "\"1\", \"2\"", "*"] {
        let _ = post(&service, &path, &[("if-match", etag)], b"").problem(400, "invalid_header");
    }
    let _ = post(&service, &path, &[("if-match", "\"abc\"")], b"").problem(412, "stale");
}

#[test]
fn an_array_is_no_object_at_any_depth() {
    let service = Service::start();
    let referral = json!({
        "member_id": "member_01k0w4q7v8e2rtf3k2m9x5c6dz", "provider_id": service.platform.provider.to_string(), "product": "FIXED-3Y",
        "external_ref": "A-1", "referred_on": "2026-11-20", "client": ["person", "Jane Citizen", null, null],
        "consent": {"declared": true}, "disclosure": {"declared": true}, "assurance": "custodial"
    });
    let at = service.post("/v1/referrals", &service.partner(), &referral).problem(400, "invalid_value");
    assert_eq!(at, [("/client".to_owned(), "invalid_value".to_owned())]);
    let mut other = referral.clone();
    other["client"] = json!({"kind": "person", "name": "Jane Citizen"});
    other["consent"] = json!([true]);
    let at = service.post("/v1/referrals", &service.partner(), &other).problem(400, "invalid_value");
    assert_eq!(at, [("/consent".to_owned(), "invalid_value".to_owned())]);
    assert_eq!(service.platform.number("select count(*) from deal"), 0);
}

#[test]
fn a_body_has_at_most_40_levels() {
    let service = Service::start();
    let nested = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!("{{\"kind\":\"introducer\",\"name\":{open}{close}}}").into_bytes()
    };
    let _ = post(&service, "/v1/organisations", &[], &nested(39)).problem(400, "invalid_value");
    let _ = post(&service, "/v1/organisations", &[], &nested(40)).problem(400, "too_deep");
    let _ = post(&service, "/v1/organisations", &[], &nested(100_000)).problem(400, "too_deep");
    let mut brackets = organisation();
    brackets["name"] = json!(format!("\\\"{}", "[".repeat(50)));
    let _ = post(&service, "/v1/organisations", &[], brackets.to_string().as_bytes()).expect(201);
}

#[test]
fn an_encoded_body_is_not_unpacked() {
    let service = Service::start();
    let body = organisation().to_string();
    for coding in ["gzip", "br", "deflate", "identity, gzip", "x"] {
        let reply = post(&service, "/v1/organisations", &[("content-encoding", coding)], body.as_bytes());
        let _ = reply.problem(415, "unsupported_media_type");
        assert_eq!(reply.header("accept-encoding"), Some("identity"), "{coding}");
    }
    let form = [("content-type", "application/x-www-form-urlencoded"), ("content-encoding", "gzip")];
    let _ = service.send("POST", "/oauth/token", &form, Some(b"x")).problem(415, "unsupported_media_type");
    let _ = post(&service, "/v1/organisations", &[("content-encoding", "identity")], body.as_bytes()).expect(201);
}

#[test]
fn two_different_tokens_are_nobody() {
    let service = Service::start();
    let [one, other] = [service.operator(), service.partner()].map(|token| format!("Bearer {token}"));
    let ask = |second: &str| {
        let headers = [("authorization", one.as_str()), ("authorization", second)];
        service.send("GET", "/v1/me", &headers, None).status
    };
    assert_eq!((ask(&one), ask(&other)), (200, 401));
}
