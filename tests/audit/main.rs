//! The audit log over real HTTP: before and after, who and in which request, nothing personal, append-only.

mod logins;
mod refusals;

use diesel::RunQueryDsl;
use domain::access::Role;
use harness::platform::Platform;
use harness::server::Service;
use serde_json::{Value, json};

const EXPORT: &[u8] = include_bytes!("../../data/v01/v01-example-deals.csv");
const MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");

fn acts(service: &Service, query: &str) -> Vec<Value> {
    let auditor = service.token(&[Role::Auditor], None, None);
    let page = service.get(&format!("/v1/audit-log{query}"), &auditor).expect(200);
    page["data"].as_array().expect("rows").clone()
}

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_change_is_kept_with_what_was_before_and_after_and_in_which_request() {
    let service = Service::start();
    let operator = service.operator_of(77);
    let body = json!({"kind": "introducer", "name": "Bay Referrals Pty Ltd", "abn": "51 824 753 556"});
    let organisation = id(&service.post("/v1/organisations", &operator, &body).expect(201));
    let path = format!("/v1/organisations/{organisation}");
    let changed = service.patch(&path, &operator, "\"1\"", &json!({"status": "suspended", "abn": null}));
    let request = changed.header("x-request-id").expect("a request id").to_owned();
    let _ = changed.expect(200);
    let found = acts(&service, &format!("?object_id={organisation}"));
    let shown: Vec<&Value> = found.iter().map(|act| &act["action"]).collect();
    assert_eq!(shown, ["update_organisation", "create_organisation"]);
    assert_eq!(found[0]["before"], json!({"abn": "51824753556", "status": "active"}));
    assert_eq!(found[0]["after"], json!({"status": "suspended"}));
    assert_eq!(found[0]["changed"], json!(["abn", "status"]));
    assert_eq!((&found[0]["request_id"], &found[0]["object_id"]), (&json!(request), &json!(organisation)));
    assert_eq!(found[0]["actor"]["kind"], "api_client");
    assert_eq!(found[1].get("before"), None);
    assert_eq!(found[1]["after"], body);
    // A refused change leaves nothing.
    let _ = service.patch(&path, &operator, "\"1\"", &json!({"status": "active"})).problem(412, "stale");
    assert_eq!(acts(&service, &format!("?object_id={organisation}")).len(), 2);
    assert_eq!(acts(&service, &format!("?request_id={request}")), found[..1]);
    let actor = found[0]["actor"]["id"].as_str().expect("an id");
    assert_eq!(acts(&service, &format!("?actor={actor}&action=create_organisation")), found[1..]);
    let at = found[0]["at"].as_str().expect("a time");
    for (query, expected) in [("created_after", 0), ("created_before", 0)] {
        assert_eq!(acts(&service, &format!("?object_id={organisation}&{query}={at}")).len(), expected, "{query}");
    }
    for query in ["actor=x", "object_id=org_x", "created_after=yesterday", "request_id=%00"] {
        let token = service.token(&[Role::Auditor], None, None);
        let _ = service.get(&format!("/v1/audit-log?{query}"), &token).problem(400, "invalid_filter");
    }
}

#[test]
fn a_replay_is_one_act_and_pages_go_from_the_newest_on() {
    let service = Service::start();
    let operator = service.operator_of(78);
    for name in ["A", "B", "C"] {
        for _ in 0..2 {
            let body = json!({"kind": "introducer", "name": name});
            let _ = service.post_as("/v1/organisations", &operator, &format!("make-{name}"), &body).expect(201);
        }
    }
    let auditor = service.token(&[Role::Auditor], None, None);
    let (mut names, mut next) = (Vec::new(), "?action=create_organisation&limit=1".to_owned());
    loop {
        let page = service.get(&format!("/v1/audit-log{next}"), &auditor).expect(200);
        names.extend(page["data"].as_array().expect("rows").iter().map(|act| act["after"]["name"].clone()));
        // What happens meanwhile does not move what is older.
        let _ = service.post("/v1/organisations", &operator, &json!({"kind": "introducer", "name": "Z"})).expect(201);
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("?action=create_organisation&limit=1&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(names, ["C", "B", "A"]);
}

#[test]
fn nothing_personal_and_no_secret_gets_into_the_log() {
    let service = Service::start();
    let partner = service.partner();
    let organisation = service.platform.introducer.to_string();
    let contact = json!({"organisation_id": organisation, "kind": "person", "name": "Zoë Obermann", "email": "zoe@example.com", "phone": "+61 2 9000 0000"});
    let contact = id(&service.post("/v1/contacts", &partner, &contact).expect(201));
    let payee = json!({"organisation_id": organisation, "legal_name": "Zoë Obermann", "abn": "51 824 753 556", "rail": "aba",
        "bank_account": {"bsb": "062-000", "account_number": "12345678", "account_name": "Z Obermann"}});
    let made = service.post("/v1/payees", &partner, &payee);
    let payee = id(&made.expect(201));
    let changed =
        service.patch(&format!("/v1/payees/{payee}"), &partner, "\"1\"", &json!({"legal_name": "Zoë Obermann-Lee"}));
    let _ = changed.expect(200);
    let user = json!({"email": "secret.person@example.com", "password": "correct horse battery", "roles": ["finance"]});
    let _ = service.post("/v1/users", &service.operator(), &user).expect(201);
    let found = acts(&service, &format!("?object_id={contact}"));
    assert_eq!(found[0]["after"]["name"], "[withheld]");
    assert_eq!(found[0]["after"]["kind"], "person");
    let found = acts(&service, &format!("?object_id={payee}"));
    assert_eq!(
        (&found[0]["before"]["legal_name"], &found[0]["after"]["legal_name"]),
        (&json!("[withheld]"), &json!("[withheld]"))
    );
    let everything = acts(&service, "").iter().map(Value::to_string).collect::<String>();
    for leak in
        ["Obermann", "zoe@", "9000 0000", "12345678", "062-000", "51824753556", "824 753", "secret.person", "horse"]
    {
        assert!(!everything.contains(leak), "{leak}");
        let kept = format!("select count(*) from audit_record a where a::text ilike '%{leak}%'");
        assert_eq!(service.platform.number(&kept), 0, "{leak}");
    }
}

#[test]
fn what_the_service_does_by_itself_and_what_is_done_with_money_is_there() {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let _ = platform.upload(EXPORT);
    platform.work();
    let service = Service::over(platform);
    let ended = acts(&service, "?actor=service&action=end_job");
    assert_eq!(ended.len(), 1);
    assert_eq!(
        (&ended[0]["actor"], &ended[0]["after"]),
        (&json!({"kind": "service"}), &json!({"status": "succeeded"}))
    );
    let operator = service.operator();
    let account = json!({
        "name": "Commission", "bank_code": "CBA", "user_name": "FLIP 360 PTY LTD", "user_number": "301500",
        "remitter": "FLIP 360", "description": "COMMISSION", "self_balancing": true,
        "account": {"bsb": "062-000", "account_number": "12345678", "account_name": "FLIP 360 PTY LTD"}
    });
    let account = service.post("/v1/bank-accounts", &operator, &account).expect(201);
    let run = service.post("/v1/payout-runs", &operator, &json!({"bank_account_id": account["id"]})).expect(201);
    let at = |step: &str| format!("/v1/payout-runs/{}/{step}", id(&run));
    let _ = service.post(&at("propose"), &operator, &json!({})).expect(200);
    let approver = service.token(&[Role::Approver], None, None);
    let _ = service.post(&at("approve"), &approver, &json!({"content_sha256": run["content_sha256"]})).expect(200);
    let _ = service.post(&at("cancel"), &operator, &json!({"reason": "Ann asked for it"})).expect(200);
    let states: Vec<(Value, Value)> = acts(&service, &format!("?object_id={}", id(&run)))
        .into_iter()
        .map(|act| (act["before"]["state"].clone(), act["after"]["state"].clone()))
        .collect();
    let pair = |before: Value, after: Value| (before, after);
    assert_eq!(
        states[..3],
        [
            pair(json!("approved"), json!("cancelled")),
            pair(json!("proposed"), json!("approved")),
            pair(json!("previewed"), json!("proposed")),
        ]
    );
    assert_eq!(service.platform.number("select count(*) from audit_record a where a::text like '%Ann asked%'"), 0);
}

#[test]
fn revoking_a_client_and_cancelling_a_job_say_what_was_before() {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let (_, job) = platform.upload(EXPORT);
    let service = Service::over(platform);
    let operator = service.operator();
    let client = json!({"name": "Somebody", "roles": ["auditor"]});
    let client = id(&service.post("/v1/api-clients", &operator, &client).expect(201));
    let bearer = format!("Bearer {operator}");
    let delete = |path: &str, headers: &[(&str, &str)]| {
        let headers: Vec<_> = [("authorization", bearer.as_str())].iter().chain(headers).copied().collect();
        service.send("DELETE", path, &headers, None)
    };
    let _ = delete(&format!("/v1/api-clients/{client}"), &[("if-match", "\"1\"")]).expect(204);
    let act = acts(&service, &format!("?object_id={client}&action=revoke_api_client")).remove(0);
    assert_eq!((&act["before"], &act["changed"]), (&json!({"revoked_at": null}), &json!(["revoked_at"])));
    assert_eq!(act["after"], json!({"revoked_at": "2026-11-23T12:00:00Z"}));
    let user = json!({"email": "ann@example.com", "password": "a long and private phrase", "roles": ["auditor"]});
    let user = id(&service.post("/v1/users", &operator, &user).expect(201));
    let _ = service.patch(&format!("/v1/users/{user}"), &operator, "\"1\"", &json!({"roles": ["support"]})).expect(200);
    let act = acts(&service, &format!("?object_id={user}&action=update_user")).remove(0);
    assert_eq!((&act["before"], &act["after"]), (&json!({"roles": ["auditor"]}), &json!({"roles": ["support"]})));
    let _ = delete(&format!("/v1/jobs/{}", job.id), &[]).expect(200);
    let act = acts(&service, &format!("?object_id={}&action=cancel_job", job.id)).remove(0);
    assert_eq!((&act["before"], &act["after"]), (&json!({"status": "queued"}), &json!({"status": "cancelled"})));
}

#[test]
fn whatever_was_done_something_to_has_its_public_name() {
    let service = harness::site::populated();
    let ids = harness::site::ids(&service);
    let page = json!({"member_id": ids["member"], "scopes": ["deals:read"]});
    let _ = service.post("/v1/embed-tokens", &service.partner(), &page).expect(200);
    let form = b"grant_type=password&username=somebody@example.com&password=correct horse battery";
    let login =
        service.send("POST", "/oauth/token", &[("content-type", "application/x-www-form-urlencoded")], Some(form));
    let token = login.expect(200)["access_token"].as_str().expect("a token").to_owned();
    let change =
        json!({"current_password": "correct horse battery", "new_password": "another long and private phrase"});
    let _ = service.post("/v1/me/password", &token, &change).expect(200);
    let acts = acts(&service, "?limit=200");
    for action in ["create_embed_token", "change_password", "create_payout_run", "create_webhook_endpoint"] {
        assert!(acts.iter().any(|act| act["action"] == action), "{action}");
    }
    for act in &acts {
        let name = act["object_id"].as_str().unwrap_or_default();
        assert!(name.rsplit_once('_').is_some_and(|(_, id)| domain::kernel::id::decode(id).is_some()), "{act}");
    }
}

#[test]
fn only_whom_the_log_is_for_reads_it_and_nobody_changes_it() {
    let service = Service::start();
    let _ =
        service.post("/v1/organisations", &service.operator(), &json!({"kind": "provider", "name": "X"})).expect(201);
    for role in [Role::Finance, Role::Approver, Role::Support, Role::Investor] {
        let token = service.token(&[role], None, None);
        let _ = service.get("/v1/audit-log", &token).problem(403, "insufficient_scope");
    }
    let _ = service.get("/v1/audit-log", &service.partner()).problem(403, "insufficient_scope");
    let mut owner = service.platform.owner();
    for attack in [
        "update audit_record set after = '{}'",
        "delete from audit_record",
        "truncate audit_record",
        "insert into audit_record (at, actor_id, action, object_id, changed, request_id, after) values (now(), gen_random_uuid(), 'x', gen_random_uuid(), '{}', 'x', '[1]')",
    ] {
        assert!(diesel::sql_query(attack).execute(&mut owner).is_err(), "{attack}");
    }
}
