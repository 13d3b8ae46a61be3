//! Embed tokens: read-only, one member, one origin, and gone with whoever asked for them.

use domain::access::Role;
use domain::kernel::Instant;
use harness::platform::Platform;
use harness::server::Service;
use serde_json::{Value, json};

use crate::sessions::text;

const MEMBERS: &str = "member_ref,upline_ref\nM001,\nM002,M001\n";

fn member(service: &Service, member_ref: &str) -> String {
    let sql = format!("select id from member where member_ref = '{member_ref}'");
    let id = service.platform.ids_of(&sql)[0];
    domain::kernel::ids::MemberId::new(id).to_string()
}

#[test]
fn a_frontend_reads_as_one_member_from_one_origin_for_a_while() {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let service = Service::over(platform);
    let partner = service.partner();
    let member = member(&service, "M001");
    let body = json!({"member_id": member, "scopes": ["deals:read", "ledger:read"], "origin": "https://portal.example", "expires_in": 60});
    let made = service.post("/v1/embed-tokens", &partner, &body).expect(200);
    assert_eq!((&made["expires_in"], &made["scope"]), (&json!(60), &json!("deals:read ledger:read")));
    assert!(made.get("refresh_token").is_none());
    let token = text(&made, "access_token");
    let me = service.get("/v1/me", &token).expect(200);
    assert_eq!((&me["member_id"], &me["roles"]), (&json!(member), &json!(["member"])));
    let _ = service.get("/v1/deals", &token).expect(200);
    // Read-only, nothing beyond what was asked for, and no token begets another.
    for (path, body) in [("/v1/referrals", json!({})), ("/v1/embed-tokens", body), ("/v1/signing-keys", json!({}))] {
        let _ = service.post(path, &token, &body).problem(403, "insufficient_scope");
    }
    let _ = service.get("/v1/payouts", &token).problem(403, "insufficient_scope");
    let authorization = format!("Bearer {token}");
    let from =
        |origin: &str| service.send("GET", "/v1/deals", &[("authorization", &authorization), ("origin", origin)], None);
    assert_eq!(from("https://portal.example").status, 200);
    for other in
        ["https://attacker.example", "https://portal.example.attacker.example", "http://portal.example", "null"]
    {
        let _ = from(other).problem(401, "unauthenticated");
    }
    service.clock.set(Instant::new("2026-11-23T12:01:00Z".parse().expect("a time")));
    let _ = service.get("/v1/deals", &token).problem(401, "unauthenticated");
}

#[test]
fn nobody_embeds_a_foreign_member_or_more_than_reading() {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let service = Service::over(platform);
    let member = member(&service, "M002");
    let ask = |token: &str, body: Value| service.post("/v1/embed-tokens", token, &body);
    let good = json!({"member_id": member, "scopes": ["deals:read"]});
    let foreign = ask(&service.stranger(), good.clone());
    let mut nobody = good.clone();
    nobody["member_id"] = json!("member_00000000000000000000000001");
    let unknown = ask(&service.partner(), nobody);
    for refused in [&foreign, &unknown] {
        let faults = refused.problem(422, "validation_failed");
        assert_eq!(faults, [("/member_id".to_owned(), "not_found".to_owned())]);
    }
    let agent = service.token(&[Role::PartnerAgent], Some(service.platform.introducer), None);
    let _ = ask(&agent, good).problem(403, "insufficient_scope");
    let bad = json!({
        "member_id": "deal_1", "scopes": ["chain:write", "directory:read", "king"], "origin": "https://x/", "expires_in": 3601
    });
    let faults = ask(&service.partner(), bad).problem(422, "validation_failed");
    let pointers: Vec<&str> = faults.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/member_id", "/scopes/0", "/scopes/1", "/scopes/2", "/origin", "/expires_in"]);
}

#[test]
fn nobody_embeds_a_member_who_is_suspended() {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let service = Service::over(platform);
    let operator = service.operator();
    let suspend = |path: &str| {
        let etag = service.get(path, &operator).header("etag").expect("an ETag").to_owned();
        let _ = service.patch(path, &operator, &etag, &json!({"status": "suspended"})).expect(200);
    };
    let ask = |token: &str, member: &str| {
        service.post("/v1/embed-tokens", token, &json!({"member_id": member, "scopes": ["deals:read"]}))
    };
    let (first, second) = (member(&service, "M001"), member(&service, "M002"));
    suspend(&format!("/v1/members/{first}"));
    let faults = ask(&service.partner(), &first).problem(422, "validation_failed");
    assert_eq!(faults, [("/member_id".to_owned(), "suspended".to_owned())]);
    let _ = ask(&service.partner(), &second).expect(200);
    suspend(&format!("/v1/organisations/{}", service.platform.introducer));
    let faults = ask(&operator, &second).problem(422, "validation_failed");
    assert_eq!(faults, [("/member_id".to_owned(), "suspended".to_owned())]);
}

#[test]
fn what_a_page_tried_is_marked_as_such() {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let service = Service::over(platform);
    let partner = service.partner();
    let body = json!({"member_id": member(&service, "M001"), "scopes": ["deals:read"]});
    let page = text(&service.post("/v1/embed-tokens", &partner, &body).expect(200), "access_token");
    for token in [&partner, &page] {
        let _ = service.post("/v1/payout-runs", token, &json!({})).problem(403, "insufficient_scope");
    }
    let acts = service.get("/v1/audit-log?action=create_payout_run", &service.operator()).expect(200);
    let marked: Vec<&Value> = acts["data"].as_array().expect("rows").iter().map(|act| &act["actor"]["embed"]).collect();
    assert_eq!(marked, [&json!(true), &Value::Null], "newest first");
    assert_eq!(acts["data"][0]["actor"]["id"], acts["data"][1]["actor"]["id"], "it had lent its name");
}

#[test]
fn an_embed_token_ends_with_the_client_that_asked_for_it() {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let service = Service::over(platform);
    let operator = service.operator();
    let organisation = service.platform.introducer.to_string();
    let body = json!({"name": "Portal", "roles": ["partner_admin"], "organisation_id": organisation});
    let client = service.post("/v1/api-clients", &operator, &body).expect(201);
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        text(&client, "id"),
        text(&client, "client_secret")
    );
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let login = service.send("POST", "/oauth/token", &headers, Some(form.as_bytes())).expect(200);
    let body = json!({"member_id": member(&service, "M001"), "scopes": ["deals:read"], "expires_in": 3600});
    let made = service.post("/v1/embed-tokens", &text(&login, "access_token"), &body).expect(200);
    let token = text(&made, "access_token");
    let _ = service.get("/v1/deals", &token).expect(200);
    let authorization = format!("Bearer {operator}");
    let headers = [("authorization", authorization.as_str()), ("if-match", "\"1\"")];
    let revoked = service.send("DELETE", &format!("/v1/api-clients/{}", text(&client, "id")), &headers, None);
    assert_eq!(revoked.status, 204);
    // Half an hour later it is still known: a revocation is kept for as long as the longest token lives.
    service.clock.set(Instant::new("2026-11-23T12:50:00Z".parse().expect("a time")));
    service.app.learn_revocations().expect("the store answers");
    let _ = service.get("/v1/deals", &token).problem(401, "unauthenticated");
}

#[test]
fn the_page_of_a_member_never_reaches_the_account_of_whoever_asked_for_its_token() {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let service = Service::over(platform);
    let password = "correct horse battery";
    let user = json!({
        "email": "admin@harbour.example", "password": password, "roles": ["partner_admin"],
        "organisation_id": service.platform.introducer.to_string()
    });
    let _ = service.post("/v1/users", &service.operator(), &user).expect(201);
    let form = "grant_type=password&username=admin%40harbour.example&password=correct%20horse%20battery";
    let header = [("content-type", "application/x-www-form-urlencoded")];
    let login = || service.send("POST", "/oauth/token", &header, Some(form.as_bytes()));
    let administrator = text(&login().expect(200), "access_token");
    let body = json!({"member_id": member(&service, "M001"), "scopes": ["deals:read"]});
    let made = service.post("/v1/embed-tokens", &administrator, &body).expect(200);
    let page = text(&made, "access_token");
    let _ = service.get("/v1/deals", &page).expect(200);
    for guess in ["wrong horse battery 1", "wrong horse battery 2", password] {
        let change = json!({"current_password": guess, "new_password": "a long and private phrase"});
        let _ = service.post("/v1/me/password", &page, &change).problem(403, "insufficient_scope");
        let _ =
            service.post("/v1/me/totp", &page, &json!({"current_password": guess})).problem(403, "insufficient_scope");
    }
    let _ = service.get("/v1/me/totp", &page).problem(403, "insufficient_scope");
    // Neither the password nor the way in has changed.
    let _ = login().expect(200);
}
