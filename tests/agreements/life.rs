//! How a version lives: written, proposed, approved by somebody else, in force on its day, retired; and every way in
//! which it does not go on.

use std::thread;

use harness::server::Service;
use serde_json::{Value, json};

use crate::drafts::{agreement, approve, approver, at_rate, content, draft, proposed, put, shipped, text, told};

/// The events of an agreement, oldest first, each with the state that it tells.
pub fn events(service: &Service, versions: &str, token: &str) -> Vec<(String, String)> {
    let _ = service.tell();
    let id = versions.trim_start_matches("/v1/agreements/").trim_end_matches("/versions");
    let page = service.get(&format!("/v1/events?subject_id={id}&limit=200"), token).expect(200);
    let told = |event: &Value| (text(event, "type"), event["data"]["state"].as_str().unwrap_or_default().to_owned());
    page["data"].as_array().expect("rows").iter().map(told).collect()
}

#[test]
fn a_version_goes_from_draft_to_active_and_everybody_concerned_is_told() {
    let service = Service::start();
    let (author, other) = (service.operator(), approver(&service));
    let versions = agreement(&service, None);
    let (path, shown) = draft(&service, &versions, &author, &content("2026-01-01"));
    assert_eq!((&shown["state"], &shown["number"]), (&json!("draft"), &json!(1)));
    let changed = at_rate("2026-01-01", "0.006");
    let _ = put(&service, &path, &author, None, &json!({"content": changed})).problem(428, "if_match_missing");
    let _ = put(&service, &path, &author, Some("\"7\""), &json!({"content": changed})).problem(412, "stale");
    let replaced = put(&service, &path, &author, Some("\"1\""), &json!({"content": changed}));
    assert_eq!((replaced.expect(200)["content"].clone(), replaced.header("etag")), (changed, Some("\"2\"")));
    let again = put(&service, &path, &author, Some("\"1\""), &json!({"content": content("2026-01-01")}));
    let _ = again.problem(412, "stale");
    let found = service.post(&format!("{path}/lint"), &author, &json!({})).expect(200);
    assert_eq!((&found["proposable"], &found["content_sha256"]), (&json!(true), &replaced.json()["content_sha256"]));
    let reply = service.post(&format!("{path}/propose"), &author, &json!({}));
    let shown = reply.expect(200);
    assert_eq!((&shown["state"], reply.header("etag")), (&json!("proposed"), Some("\"3\"")));
    let frozen = put(&service, &path, &author, Some("\"3\""), &json!({"content": content("2026-01-01")}));
    let _ = frozen.problem(409, "wrong_state");
    // Its first day has come already.
    let shown = approve(&service, &path, &other, &shown).expect(200);
    assert_eq!((&shown["state"], &shown["activated_at"]), (&json!("active"), &json!("2026-11-23T12:00:00Z")));
    assert_eq!(service.get(&path, &author).expect(200), shown);
    let expected = [
        ("agreement.created", ""),
        ("agreement.version_drafted", "draft"),
        ("agreement.version_drafted", "draft"),
        ("agreement.version_proposed", "proposed"),
        ("agreement.version_approved", "approved"),
        ("agreement.version_activated", "active"),
    ];
    assert_eq!(events(&service, &versions, &author), expected.map(|(kind, state)| (kind.to_owned(), state.to_owned())));
    let acts = service.get("/v1/audit-log?action=approve_agreement_version", &author).expect(200);
    let act = &acts["data"][0];
    assert_eq!((&act["before"]["state"], &act["after"]["state"]), (&json!("proposed"), &json!("active")), "{act}");
    let acts = service.get("/v1/audit-log?action=replace_agreement_version", &author).expect(200);
    assert_ne!(acts["data"][0]["before"]["content_sha256"], acts["data"][0]["after"]["content_sha256"]);
    let leaf = "select count(*) from agreement_version v join chain_pending p on p.source_id = v.approval_id where p.kind = 'agreement_approval'";
    assert_eq!(service.platform.number(leaf), 1, "the approval waits for its place in the log");
    service.sequence();
    let leaf = "select count(*) from agreement_version v join chain_leaf l on l.source_id = v.approval_id where l.kind = 'agreement_approval'";
    assert_eq!(service.platform.number(leaf), 1, "the approval stands in the log");
}

#[test]
fn every_way_in_which_an_approval_is_refused_is_a_problem_of_its_own() {
    let service = Service::start();
    let (author, second) = (service.operator_of(1), service.operator_of(2));
    let versions = agreement(&service, None);
    let (path, shown) = draft(&service, &versions, &author, &content("2026-01-01"));
    let other = approver(&service);
    let _ = approve(&service, &path, &other, &shown).problem(409, "wrong_state");
    let changed = json!({"content": at_rate("2026-01-01", "0.006")});
    let _ = put(&service, &path, &second, Some("\"1\""), &changed).expect(200);
    let shown = service.post(&format!("{path}/propose"), &author, &json!({})).expect(200);
    // The author, who wrote it anew, and a program that the author holds.
    let held = json!({"name": "Another name", "roles": ["approver"]});
    let held = service.post("/v1/api-clients", &author, &held).expect(201);
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        text(&held, "id"),
        text(&held, "client_secret")
    );
    let held = text(&service.form("/oauth/token", &form).expect(200), "access_token");
    for one in [&author, &second, &held] {
        let _ = approve(&service, &path, one, &shown).problem(422, "same_person");
    }
    let other_content = json!({"content_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"});
    let _ = service.post(&format!("{path}/approve"), &other, &other_content).problem(409, "content_changed");
    let bad = json!({"content_sha256": "x", "acknowledged": ["cliff", "No code"]});
    let bad = service.post(&format!("{path}/approve"), &other, &bad).problem(422, "validation_failed");
    assert_eq!(told(bad), ["/content_sha256 invalid_digest", "/acknowledged/1 unknown_value"]);
    let stale = [
        ("authorization", format!("Bearer {other}")),
        ("idempotency-key", "k".to_owned()),
        ("if-match", "\"1\"".to_owned()),
        ("content-type", "application/json".to_owned()),
    ];
    let stale: Vec<(&str, &str)> = stale.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = json!({"content_sha256": shown["content_sha256"]}).to_string();
    let _ = service.send("POST", &format!("{path}/approve"), &stale, Some(body.as_bytes())).problem(412, "stale");
    let approve_as = |token: &str| {
        service.post(&format!("{path}/approve"), token, &json!({"content_sha256": shown["content_sha256"]}))
    };
    for stranger in [service.partner(), service.token(&[domain::access::Role::Finance], None, None)] {
        let _ = approve_as(&stranger).problem(403, "insufficient_scope");
    }
    let _ = approve(&service, &path, &other, &shown).expect(200);
    let _ = approve(&service, &path, &other, &shown).problem(409, "wrong_state");
    assert_eq!(service.platform.number("select count(*) from chain_pending where kind = 'agreement_approval'"), 1);
}

#[test]
fn of_two_approvals_at_once_one_is_the_approval() {
    let service = Service::start();
    let versions = agreement(&service, None);
    let (path, shown) = proposed(&service, &versions, &service.operator(), &content("2026-01-01"));
    let approvers = [approver(&service), approver(&service)];
    let statuses = thread::scope(|scope| {
        let (service, path, shown) = (&service, &path, &shown);
        let asked: Vec<_> =
            approvers.iter().map(|who| scope.spawn(move || approve(service, path, who, shown))).collect();
        asked.into_iter().map(|thread| thread.join().expect("an answer")).collect::<Vec<_>>()
    });
    let refused = statuses.iter().find(|reply| reply.status != 200).expect("one is refused");
    let _ = refused.problem(409, "wrong_state");
    let done: Vec<Value> = statuses.iter().filter(|reply| reply.status == 200).map(|reply| reply.expect(200)).collect();
    assert_eq!(done.len(), 1);
    assert_eq!(service.get(&path, &approvers[0]).expect(200), done[0]);
    assert_eq!(service.platform.number("select count(*) from chain_pending where kind = 'agreement_approval'"), 1);
}

#[test]
fn a_request_sent_again_is_one_approval() {
    let service = Service::start();
    let versions = agreement(&service, None);
    let (path, shown) = proposed(&service, &versions, &service.operator(), &content("2026-01-01"));
    let (who, body) = (approver(&service), json!({"content_sha256": shown["content_sha256"]}));
    let first = service.post_as(&format!("{path}/approve"), &who, "once", &body);
    let again = service.post_as(&format!("{path}/approve"), &who, "once", &body);
    assert_eq!((first.expect(200), again.header("idempotency-replayed")), (again.expect(200), Some("true")));
    assert_eq!(first.header("etag"), again.header("etag"));
}

#[test]
fn content_with_errors_is_not_proposed_and_every_error_is_named() {
    let service = Service::start();
    let (author, versions) = (service.operator(), agreement(&service, None));
    let mut bad = content("2026-01-01");
    bad["effective_until"] = json!("2025-01-01");
    bad["components"][0]["split"][2]["share"] = json!("0.2");
    bad["components"][0]["predicate"] =
        json!({"op": "compare", "attribute": "accumulator.none", "is": "gt", "value": {"type": "integer", "value": 1}});
    bad["components"][0]["clawback"]["steps"][1]["before_months"] = json!(6);
    let (path, _) = draft(&service, &versions, &author, &bad);
    let refused = service.post(&format!("{path}/propose"), &author, &json!({})).problem(422, "content_has_errors");
    let expected = [
        "/effective_until effective_range",
        "/components/0/predicate/attribute unknown_accumulator",
        "/components/0/split split_not_whole",
        "/components/0/clawback/steps/1/before_months steps_out_of_order",
    ];
    let told = told(refused);
    for fault in expected {
        assert!(told.iter().any(|one| one == fault), "{fault} is not among {told:?}");
    }
    let found = service.post(&format!("{path}/lint"), &author, &json!({})).expect(200);
    assert_eq!(found["proposable"], false);
    assert_eq!(found["findings"].as_array().map(Vec::len), Some(told.len()));
    assert_eq!(service.get(&path, &author).expect(200)["state"], "draft");
}

#[test]
fn content_that_cannot_be_read_is_refused_where_it_is_wrong() {
    let service = Service::start();
    let (author, versions) = (service.operator(), agreement(&service, None));
    let with = |pointer: &str, value: Value| {
        let mut content = content("2026-01-01");
        *content.pointer_mut(pointer).expect("a place") = value;
        json!({"content": content})
    };
    let refused =
        |body: &Value, status: u16, code: &str| told(service.post(&versions, &author, body).problem(status, code));
    let unknown =
        json!({"op": "compare", "attribute": "client.name", "is": "eq", "value": {"type": "text", "value": "x"}});
    for (body, pointer) in [
        (with("/components/0/predicate", unknown), "/content/components/0/predicate"),
        (with("/components/0/rate/rate", json!("0.0000001")), "/content/components/0/rate"),
        (with("/effective_from", json!("2026-02-30")), "/content/effective_from"),
        (with("/components/0/split/0/role", json!("broker")), "/content/components/0/split/0/role"),
        (with("/components/0/limits/0/cap", json!([600_000, "AUD"])), "/content/components/0/limits/0/cap"),
    ] {
        assert_eq!(refused(&body, 400, "invalid_value"), [format!("{pointer} invalid_value")]);
    }
    // Inside a case of an enumeration an array in the place of an object reads as its fields by their order.
    let by_position = with("/components/0/rate", json!({"kind": "flat", "amount": [100, "AUD"]}));
    assert_eq!(refused(&by_position, 400, "invalid_value"), ["/content/components/0/rate/amount invalid_value"]);
    assert_eq!(refused(&json!({}), 400, "required"), ["/content required"]);
    let other = with("/vertical", json!("V02"));
    assert_eq!(refused(&other, 422, "validation_failed"), ["/content/vertical other_vertical"]);
    let beyond = with("/components/0/rate", json!({"kind": "flat", "amount": {"amount": i64::MAX, "currency": "AUD"}}));
    assert_eq!(refused(&beyond, 422, "validation_failed"), ["/content invalid_value"]);
    // As deep as a condition may be.
    let mut deep = json!({"op": "all", "of": []});
    for _ in 1..16 {
        deep = json!({"op": "all", "of": [deep]});
    }
    let (path, _) = draft(&service, &versions, &author, &with("/components/0/predicate", deep)["content"]);
    let _ = service.post(&format!("{path}/propose"), &author, &json!({})).expect(200);
}

#[test]
fn an_agreement_is_for_a_vertical_and_a_provider_that_are_there() {
    let service = Service::start();
    let operator = service.operator();
    let make = |body: Value| service.post("/v1/agreements", &operator, &body);
    let nothing = make(json!({})).problem(422, "validation_failed");
    assert_eq!(told(nothing), ["/vertical required", "/name required"]);
    let introducer = service.platform.introducer.to_string();
    for (body, fault) in [
        (json!({"vertical": "V98", "name": "x"}), "/vertical not_found"),
        (json!({"vertical": "V01", "name": "x", "provider_id": introducer}), "/provider_id unknown_provider"),
        (
            json!({"vertical": "V01", "name": "x", "provider_id": "org_00000000000000000000000001"}),
            "/provider_id unknown_provider",
        ),
    ] {
        assert_eq!(told(make(body).problem(422, "validation_failed")), [fault]);
    }
    let unknown = "/v1/agreements/agreement_00000000000000000000000001/versions";
    let _ = service.post(unknown, &operator, &json!({"content": content("2026-01-01")})).problem(404, "not_found");
    for step in ["propose", "approve", "reject", "retire", "lint"] {
        let body = match step {
            "approve" => json!({"content_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}),
            "reject" | "retire" => json!({"reason": "x"}),
            _ => json!({}),
        };
        let _ = service.post(&format!("{}/9/{step}", shipped(&service)), &operator, &body).problem(404, "not_found");
    }
}

#[test]
fn a_rejected_version_is_a_draft_again_and_says_why() {
    let service = Service::start();
    let (author, other) = (service.operator(), approver(&service));
    let versions = agreement(&service, None);
    let (path, shown) = proposed(&service, &versions, &author, &content("2026-01-01"));
    let empty = service.post(&format!("{path}/reject"), &other, &json!({})).problem(422, "validation_failed");
    assert_eq!(told(empty), ["/reason required"]);
    let back = service.post(&format!("{path}/reject"), &other, &json!({"reason": "The rate is last year's."}));
    let back = back.expect(200);
    assert_eq!((&back["state"], &back["rejected"]["reason"]), (&json!("draft"), &json!("The rate is last year's.")));
    let _ = service.post(&format!("{path}/reject"), &other, &json!({"reason": "x"})).problem(409, "wrong_state");
    // What was proposed before cannot be approved any more, and is proposed anew.
    let _ = approve(&service, &path, &other, &shown).problem(409, "wrong_state");
    let again = service.post(&format!("{path}/propose"), &author, &json!({})).expect(200);
    assert_eq!(again.get("rejected"), None);
    let _ = approve(&service, &path, &other, &again).expect(200);
}

/// A service over a platform with members.
#[test]
fn the_database_keeps_what_was_proposed_as_it_was() {
    let service = Service::start();
    let versions = agreement(&service, None);
    let (path, _) = proposed(&service, &versions, &service.operator(), &content("2026-01-01"));
    let platform = &service.platform;
    for attack in [
        "update agreement_version set content = 'x', content_sha256 = sha256('x') where state = 'proposed'",
        "update agreement_version set effective_from = '2020-01-01' where state = 'proposed'",
        "update agreement_version set approver_id = author_id where state = 'proposed'",
        "update agreement_version set approver_id = proposed_by where state = 'proposed'",
        "delete from agreement_version",
    ] {
        assert!(platform.refusal_of(attack).is_some(), "{attack}");
    }
    assert_eq!(service.get(&path, &service.operator()).expect(200)["state"], "proposed");
}
