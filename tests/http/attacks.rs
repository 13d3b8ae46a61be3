//! What attacks found once, and must not find again.

use diesel::connection::SimpleConnection as _;
use domain::access::Role;
use harness::server::Service;
use serde_json::json;

const EXAMPLE: &[u8] = b"external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on\nC-1,M1,Ann,FIXED-3Y,2026-01-01,,,,,\n";

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
    let administrator = json!({"name": "Portal", "roles": ["operator_admin"]});
    // Another one: the last administrator could not be revoked.
    let _ = service.post("/v1/api-clients", &operator, &administrator).expect(201);
    let client = service.post("/v1/api-clients", &operator, &administrator).expect(201);
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
    // Suspended by another process, of which this one has not heard yet.
    let suspended =
        format!("update organisation set status = 'suspended' where id = '{}'", service.platform.introducer.uuid());
    service.platform.owner().batch_execute(&suspended).expect("suspended");
    let headers = [
        ("authorization", authorization.as_str()),
        ("idempotency-key", "k-9"),
        ("content-type", "text/csv"),
        ("flip360-declaration", "x.y.z"),
    ];
    let path = format!("/v1/deals/imports?provider_id={}", service.platform.provider);
    let _ = service.send("POST", &path, &headers, Some(b"x")).problem(409, "organisation_suspended");
    service.app.learn_revocations().expect("the store answers");
    let _ = service.send("POST", &path, &headers, Some(b"x")).problem(401, "unauthenticated");
    assert_eq!(service.platform.number("select count(*) from deal_import"), 0);
}

#[test]
fn a_member_sees_the_referral_that_was_made_in_their_name() {
    let service = Service::start();
    service.platform.onboard("member_ref,upline_ref\nM1,\n");
    let introducer = service.platform.introducer;
    let refs = ["M1".to_owned()];
    let found = service.platform.store().transaction(|uow| uow.directory().find_members(introducer, &refs));
    let member = found.expect("the members")[0].id;
    let referral = json!({
        "member_id": member.to_string(), "provider_id": service.platform.provider.to_string(), "product": "FIXED-3Y",
        "external_ref": "A-1", "referred_on": "2026-11-20", "client": {"kind": "person", "name": "Jane Citizen"},
        "consent": {"declared": true}, "disclosure": {"declared": true}, "assurance": "custodial"
    });
    let made = service.post("/v1/referrals", &service.partner(), &referral).expect(201);
    let path = format!("/v1/deals/{}", made["deal_id"].as_str().expect("an id"));
    let _ = service.get(&path, &service.token(&[Role::Member], Some(introducer), Some(member))).expect(200);
    let other = domain::kernel::ids::MemberId::new(service.app.ids.next());
    let _ =
        service.get(&path, &service.token(&[Role::Member], Some(introducer), Some(other))).problem(404, "not_found");
}

#[test]
fn a_problem_is_never_said_to_be_compressed() {
    let service = Service::start();
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("accept-encoding", "gzip")];
    let reply = service.send("POST", "/oauth/token", &headers, Some(&vec![b'x'; 400_000]));
    let _ = reply.problem(413, "body_too_large");
    assert_eq!(reply.header("content-encoding"), None);
}

#[test]
fn the_reference_page_answers_without_its_slash() {
    let service = Service::start();
    assert_eq!(service.get("/docs", &service.token(&[Role::Investor], None, None)).status, 200);
}

#[test]
fn a_log_that_was_rolled_back_grows_no_more_and_the_service_takes_nothing_new() {
    let service = Service::start();
    let user =
        |n| json!({"email": format!("p{n}@example.com"), "password": "correct horse battery", "roles": ["finance"]});
    service.platform.onboard("member_ref,upline_ref\nM1,\n");
    let _ = service.platform.import(EXAMPLE);
    let signed = domain::chain::checkpoint::TreeHead { size: 99_999, root: domain::kernel::Digest([7; 32]) };
    service.app.high_water.advance(&signed).expect("a mark");
    let refused = api::workers::catch_up(&service.app).expect_err("the log was rolled back");
    assert!(matches!(refused, domain::chain::sequence::SequenceError::Guard(_)), "{refused}");
    assert_eq!(service.platform.number("select count(*) from chain_leaf"), 0);
    assert!(service.platform.number("select count(*) from chain_pending") > 0);
    service.app.log_failed(refused.to_string());
    let _ = service.send("GET", "/health/ready", &[], None).problem(503, "log_not_signed");
    let _ = service.post("/v1/users", &service.operator(), &user(1)).problem(503, "log_not_signed");
    assert_eq!(service.send("GET", "/health/live", &[], None).status, 200);
    // That a head is known is no word on whether the log extends what was signed.
    service.app.publish(service.app.seen());
    service.app.learn_head().expect("a look");
    let _ = service.post("/v1/users", &service.operator(), &user(1)).problem(503, "log_not_signed");
    service.app.log_is_whole();
    let _ = service.post("/v1/users", &service.operator(), &user(1)).expect(201);
}
