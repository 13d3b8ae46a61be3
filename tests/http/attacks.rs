//! What attacks found once, and must not find again.

use domain::access::Role;
use harness::server::Service;
use serde_json::json;

#[test]
fn a_precondition_of_reads_does_not_swallow_the_answer_of_a_post() {
    let service = Service::start();
    let authorization = format!("Bearer {}", service.operator());
    let headers = [
        ("authorization", authorization.as_str()),
        ("idempotency-key", "k-1"),
        ("content-type", "application/json"),
        ("if-none-match", "\"1\""),
    ];
    let body = json!({"name": "Portal", "roles": ["auditor"]}).to_string();
    let made = service.send("POST", "/v1/api-clients", &headers, Some(body.as_bytes()));
    assert!(made.expect(201)["client_secret"].is_string());
}

#[test]
fn a_revoked_client_is_out_at_once() {
    let service = Service::start();
    let operator = service.operator();
    let made = service.post("/v1/api-clients", &operator, &json!({"name": "Portal", "roles": ["operator_admin"]}));
    let client = made.expect(201);
    let (id, secret) = (client["id"].as_str().expect("an id"), client["client_secret"].as_str().expect("a secret"));
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let header = [("content-type", "application/x-www-form-urlencoded")];
    let token = service.send("POST", "/oauth/token", &header, Some(form.as_bytes())).expect(200);
    let token = token["access_token"].as_str().expect("a token").to_owned();
    let _ = service.get("/v1/users", &token).expect(200);
    let authorization = format!("Bearer {operator}");
    let headers = [("authorization", authorization.as_str()), ("if-match", "\"1\"")];
    let _ = service.send("DELETE", &format!("/v1/api-clients/{id}"), &headers, None).expect(204);
    let _ = service.get("/v1/users", &token).problem(401, "unauthenticated");
    let _ = service
        .post("/v1/api-clients", &token, &json!({"name": "x", "roles": ["auditor"]}))
        .problem(401, "unauthenticated");
}

#[test]
fn dates_before_all_calendars_are_the_callers_fault() {
    let service = Service::start();
    let operator = service.operator();
    for path in [
        "/v1/deals?created_after=-009999-01-03T00:00:00Z",
        "/v1/ledger/entries?effective_from=-004800-01-01",
        "/v1/ledger/entries?effective_to=-009999-01-01",
    ] {
        let reply = service.get(path, &operator);
        assert!((400..500).contains(&reply.status), "{path}: {}", reply.status);
    }
}

#[test]
fn a_body_that_is_no_object_is_refused() {
    let service = Service::start();
    let body = json!(["provider", "Seq Org", null, null]);
    let _ = service.post("/v1/organisations", &service.operator(), &body).problem(400, "invalid_value");
    assert_eq!(service.platform.number("select count(*) from organisation where name = 'Seq Org'"), 0);
}

#[test]
fn deals_are_imported_of_a_provider_and_of_nobody_else() {
    let service = Service::start();
    let partner = service.partner();
    let authorization = format!("Bearer {partner}");
    let other =
        service.post("/v1/organisations", &service.operator(), &json!({"kind": "introducer", "name": "Other Pty Ltd"}));
    let other = other.expect(201)["id"].as_str().expect("an id").to_owned();
    for (n, provider) in [other, service.platform.introducer.to_string()].into_iter().enumerate() {
        let key = format!("k-{n}");
        let headers = [
            ("authorization", authorization.as_str()),
            ("idempotency-key", key.as_str()),
            ("content-type", "text/csv"),
            ("flip360-declaration", "x.y.z"),
        ];
        let reply = service.send("POST", &format!("/v1/deals/imports?provider_id={provider}"), &headers, Some(b"x"));
        let _ = reply.problem(422, "validation_failed");
    }
    assert_eq!(service.platform.number("select count(*) from deal_import"), 0);
}

#[test]
fn the_reference_page_answers_without_its_slash() {
    let service = Service::start();
    assert_eq!(service.get("/docs", &service.token(&[Role::Investor], None, None)).status, 200);
}
