//! Organisations, contacts, members and payees over real HTTP.

mod bank_changes;
mod cohorts;
mod members;
mod payees;

use domain::access::Role;
use harness::server::{Reply, Service};
use serde_json::{Value, json};

/// The id in a body.
pub fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

/// A contact of the introducer.
pub fn contact(service: &Service, name: &str) -> String {
    let body = json!({"organisation_id": service.platform.introducer.to_string(), "kind": "person", "name": name});
    id(&service.post("/v1/contacts", &service.partner(), &body).expect(201))
}

/// A member of the introducer, below another one or not.
pub fn member(service: &Service, member_ref: &str, upline: Option<&str>) -> String {
    let contact = contact(service, member_ref);
    let organisation = service.platform.introducer.to_string();
    let body =
        json!({"organisation_id": organisation, "contact_id": contact, "member_ref": member_ref, "upline_ref": upline});
    id(&service.post("/v1/members", &service.partner(), &body).expect(201))
}

/// Pointers and codes as one text each.
pub fn told(faults: &[(String, String)]) -> Vec<String> {
    faults.iter().map(|(pointer, code)| format!("{pointer} {code}")).collect()
}

/// Every id of a list, page by page; between two pages something is done.
pub fn all_ids(service: &Service, path: &str, token: &str, between: impl Fn()) -> Vec<String> {
    let mut ids = Vec::new();
    let mut next = path.to_owned();
    loop {
        let reply: Reply = service.get(&next, token);
        let page = reply.expect(200);
        ids.extend(page["data"].as_array().expect("rows").iter().map(id));
        match page["next_cursor"].as_str() {
            Some(cursor) => {
                let link = reply.header("link").expect("a link").to_owned();
                assert!(link.contains(cursor) && link.ends_with("rel=\"next\""));
                next = link.trim_start_matches('<').split('>').next().expect("an address").to_owned();
                between();
            }
            None => return ids,
        }
    }
}

#[test]
fn an_organisation_is_made_read_and_changed_by_version() {
    let service = Service::start();
    let operator = service.operator();
    let body = json!({"kind": "introducer", "name": " Bay Referrals Pty Ltd ", "abn": "51 824 753 556", "external_ref": "BAY-1"});
    let made = service.post("/v1/organisations", &operator, &body);
    let view = made.expect(201);
    assert_eq!(view["name"], "Bay Referrals Pty Ltd");
    assert_eq!(
        (&view["abn"], &view["external_ref"], &view["status"]),
        (&json!("51824753556"), &json!("BAY-1"), &json!("active"))
    );
    let path = made.header("location").expect("a location").to_owned();
    assert_eq!(path, format!("/v1/organisations/{}", id(&view)));
    let read = service.get(&path, &operator);
    assert_eq!((read.expect(200), read.header("etag")), (view, Some("\"1\"")));
    let changed = service.patch(&path, &operator, "\"1\"", &json!({"status": "suspended", "abn": null}));
    let after = changed.expect(200);
    assert_eq!(
        (after.get("abn"), &after["status"], changed.header("etag")),
        (None, &json!("suspended"), Some("\"2\""))
    );
    assert_eq!(after["name"], "Bay Referrals Pty Ltd");
    let _ = service.patch(&path, &operator, "\"1\"", &json!({"name": "Other"})).problem(412, "stale");
    let emptied = service.patch(&path, &operator, "\"2\"", &json!({"name": null, "status": "gone", "abn": "1"}));
    assert_eq!(
        told(&emptied.problem(422, "validation_failed")),
        ["/name required", "/abn invalid_abn", "/status unknown_value"]
    );
    let taken = service.post(
        "/v1/organisations",
        &operator,
        &json!({"kind": "provider", "name": "X", "external_ref": "BAY-1"}),
    );
    let _ = taken.problem(409, "external_ref_taken");
    let operators = ["One", "Two"]
        .map(|name| service.post("/v1/organisations", &operator, &json!({"kind": "operator", "name": name})).status);
    assert_eq!(operators, [201, 409]);
}

#[test]
fn what_is_foreign_does_not_exist_and_what_lacks_a_scope_is_forbidden() {
    let service = Service::start();
    let (partner, stranger) = (service.partner(), service.stranger());
    let own = format!("/v1/organisations/{}", service.platform.introducer);
    let other = format!("/v1/organisations/{}", service.platform.provider);
    let _ = service.get(&own, &partner).expect(200);
    for (path, token) in [(&other, &partner), (&own, &stranger)] {
        let _ = service.get(path, token).problem(404, "not_found");
    }
    let listed = service.get("/v1/organisations", &partner).expect(200);
    assert_eq!(
        listed["data"].as_array().expect("rows").iter().map(id).collect::<Vec<_>>(),
        [service.platform.introducer.to_string()]
    );
    assert_eq!(service.get("/v1/organisations", &stranger).expect(200)["data"], json!([]));
    let _ = service
        .post("/v1/organisations", &partner, &json!({"kind": "provider", "name": "X"}))
        .problem(403, "insufficient_scope");
    let _ = service.patch(&own, &partner, "\"1\"", &json!({"name": "X"})).problem(403, "insufficient_scope");
    let made = contact(&service, "Ann");
    let _ = service.get(&format!("/v1/contacts/{made}"), &stranger).problem(404, "not_found");
    assert_eq!(service.get("/v1/contacts", &stranger).expect(200)["data"], json!([]));
    let foreign = json!({"organisation_id": service.platform.introducer.to_string(), "kind": "person", "name": "Eve"});
    let refused = service.post("/v1/contacts", &stranger, &foreign);
    assert_eq!(told(&refused.problem(422, "validation_failed")), ["/organisation_id not_found"]);
    for role in [Role::Auditor, Role::Support, Role::Finance] {
        let token = service.token(&[role], None, None);
        let _ = service.get(&format!("/v1/contacts/{made}"), &token).expect(200);
        let _ = service.post("/v1/contacts", &token, &foreign).problem(403, "insufficient_scope");
    }
    let investor = service.token(&[Role::Investor], None, None);
    for path in ["/v1/organisations", "/v1/contacts", "/v1/members", "/v1/payees"] {
        let _ = service.get(path, &investor).problem(403, "insufficient_scope");
    }
}

#[test]
fn a_contact_shows_what_was_said_and_its_name_is_kept_apart() {
    let service = Service::start();
    let body = json!({"organisation_id": service.platform.introducer.to_string(), "kind": "person", "name": "Zoë O’Brien", "email": "zoe@example.com", "phone": "+61 2 9000 0000"});
    let made = service.post("/v1/contacts", &service.partner(), &body).expect(201);
    let read = service.get(&format!("/v1/contacts/{}", id(&made)), &service.partner()).expect(200);
    assert_eq!(read, made);
    assert_eq!(
        (&read["name"], &read["email"], &read["erased"]),
        (&json!("Zoë O’Brien"), &json!("zoe@example.com"), &json!(false))
    );
    for table in ["contact", "audit_record", "outbox"] {
        let leaks = format!("select count(*) from {table} t where t::text ilike '%brien%' or t::text ilike '%zoe@%'");
        assert_eq!(service.platform.number(&leaks), 0, "{table}");
    }
    let audited = "select count(*) from audit_record where action = 'create_contact' and 'email' = any (changed)";
    assert_eq!(service.platform.number(audited), 1);
}

#[test]
fn every_fault_of_a_request_is_told_at_once_and_nothing_is_kept() {
    let service = Service::start();
    let operator = service.operator();
    let faults = service.post(
        "/v1/organisations",
        &operator,
        &json!({"kind": "bank", "name": "A\u{0}B", "abn": "51824753557", "external_ref": "a b"}),
    );
    assert_eq!(
        told(&faults.problem(422, "validation_failed")),
        [
            "/kind unknown_value",
            "/name control_character",
            "/abn invalid_abn_checksum",
            "/external_ref invalid_reference"
        ]
    );
    let faults = service.post(
        "/v1/contacts",
        &operator,
        &json!({"organisation_id": "deal_1", "kind": "robot", "email": "x", "phone": "1"}),
    );
    assert_eq!(
        told(&faults.problem(422, "validation_failed")),
        [
            "/organisation_id invalid_id",
            "/kind unknown_value",
            "/name required",
            "/email invalid_email",
            "/phone invalid_phone"
        ]
    );
    for (body, code) in [
        (r#"{"kind": "provider", "name": "X", "colour": 1}"#, "unknown_field"),
        (r#"{"kind": "provider", "kind": "provider", "name": "X"}"#, "duplicate_field"),
        (r#"{"kind": 99999999999999999999999999, "name": "X"}"#, "invalid_value"),
        (r#"{"kind": "provider""#, "invalid_json"),
        (r#"["provider"]"#, "invalid_value"),
    ] {
        let authorization = format!("Bearer {operator}");
        let headers = [
            ("authorization", authorization.as_str()),
            ("idempotency-key", code),
            ("content-type", "application/json"),
        ];
        let reply = service.send("POST", "/v1/organisations", &headers, Some(body.as_bytes()));
        assert_eq!(reply.status, 400, "{body}: {}", String::from_utf8_lossy(&reply.body));
    }
    assert_eq!(service.platform.number("select count(*) from organisation"), 2);
}

#[test]
fn ids_of_another_kind_and_nonsense_are_not_found_and_filters_are_strict() {
    let service = Service::start();
    let operator = service.operator();
    for (path, other) in
        [("organisations", "member"), ("contacts", "org"), ("members", "contact"), ("payees", "member")]
    {
        for text in [&format!("{other}_00000000000000000000000001"), "x", "%00", "%ff", "org_", "99999999999999999999"]
        {
            let _ = service.get(&format!("/v1/{path}/{text}"), &operator).problem(404, "not_found");
        }
    }
    for query in [
        "organisations?kind=bank",
        "organisations?status=",
        "organisations?colour=red",
        "contacts?organisation_id=member_1",
        "members?upline_id=x",
        "members?member_ref=%00",
        "members?cohort=a%00b",
        "payees?rail=cash",
        "payees?limit=-1",
        "members?cursor=%00",
        "members?sort=name",
    ] {
        assert_eq!(service.get(&format!("/v1/{query}"), &operator).status, 400, "{query}");
    }
    assert_eq!(
        service.get("/v1/organisations?kind=provider&status=active", &operator).expect(200)["data"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[test]
fn pages_stay_put_while_rows_are_added() {
    let service = Service::start();
    let made: Vec<String> = ["A", "B", "C", "D", "E"].iter().map(|name| contact(&service, name)).collect();
    let added = std::cell::RefCell::new(Vec::new());
    let seen = all_ids(&service, "/v1/contacts?limit=2", &service.partner(), || {
        if added.borrow().len() < 2 {
            added.borrow_mut().push(contact(&service, "Later"));
        }
    });
    let expected: Vec<String> = made.into_iter().chain(added.into_inner()).collect();
    assert_eq!(seen, expected);
}

#[test]
fn what_identifies_a_contact_changes_by_version_and_stays_apart() {
    let service = Service::start();
    let partner = service.partner();
    let body = json!({"organisation_id": service.platform.introducer.to_string(), "kind": "person", "name": "Zoë O’Brien", "email": "zoe@example.com", "phone": "+61 2 9000 0000"});
    let path = format!("/v1/contacts/{}", id(&service.post("/v1/contacts", &partner, &body).expect(201)));
    let changed = service.patch(&path, &partner, "\"1\"", &json!({"name": "Zoë Quigley", "phone": null}));
    let view = changed.expect(200);
    assert_eq!(
        (&view["name"], &view["email"], view.get("phone")),
        (&json!("Zoë Quigley"), &json!("zoe@example.com"), None)
    );
    assert_eq!((changed.header("etag"), service.get(&path, &partner).expect(200)), (Some("\"2\""), view));
    let _ = service.patch(&path, &partner, "\"1\"", &json!({"name": "X"})).problem(412, "stale");
    let faulty = service.patch(&path, &partner, "\"2\"", &json!({"name": null, "email": "nowhere", "phone": "12"}));
    assert_eq!(
        told(&faulty.problem(422, "validation_failed")),
        ["/name required", "/email invalid_email", "/phone invalid_phone"]
    );
    for field in ["kind", "organisation_id", "id"] {
        let _ = service.patch(&path, &partner, "\"2\"", &json!({field: "company"})).problem(400, "unknown_field");
    }
    let _ = service.patch(&path, &service.stranger(), "\"2\"", &json!({"name": "X"})).problem(404, "not_found");
    for table in ["contact", "audit_record", "outbox", "event"] {
        let leaks = format!("select count(*) from {table} t where t::text ilike '%quigley%' or t::text ilike '%zoe@%'");
        assert_eq!(service.platform.number(&leaks), 0, "{table}");
    }
    assert_eq!(service.platform.number("select count(*) from outbox where type = 'contact.updated'"), 1);
    // What was erased stays erased.
    let mut owner = service.platform.owner();
    let erased = "delete from personal_data where subject_kind = 'contact'";
    diesel::RunQueryDsl::execute(diesel::sql_query(erased), &mut owner).expect("erased");
    let _ = service.patch(&path, &partner, "\"2\"", &json!({"name": "X"})).problem(409, "contact_erased");
}

#[test]
fn a_contact_is_erased_for_good_and_what_holds_its_id_stays_whole() {
    let service = Service::start();
    let partner = service.partner();
    let m = member(&service, "M001", None);
    let member_path = format!("/v1/members/{m}");
    let before = service.get(&member_path, &partner).expect(200);
    let contact = before["contact_id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/contacts/{contact}");
    let email = service.patch(&path, &partner, "\"1\"", &json!({"email": "gone@example.com", "name": "Zoë Gone"}));
    let _ = email.expect(200);
    let bearer = |token: &str| format!("Bearer {token}");
    let delete = |token: &str, version: Option<&str>| {
        let authorization = bearer(token);
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(version.map(|version| ("if-match", version)));
        service.send("DELETE", &path, &headers, None)
    };
    let _ = delete(&partner, None).problem(428, "if_match_missing");
    let _ = delete(&partner, Some("\"1\"")).problem(412, "stale");
    let _ = delete(&service.stranger_of(service.platform.provider), Some("\"2\"")).problem(404, "not_found");
    let agent = service.token(&[Role::PartnerAgent], Some(service.platform.introducer), None);
    let _ = delete(&agent, Some("\"2\"")).problem(403, "insufficient_scope");
    let erased = delete(&partner, Some("\"2\""));
    assert_eq!((erased.status, erased.header("etag"), erased.body.len()), (204, Some("\"3\""), 0));
    let view = service.get(&path, &partner).expect(200);
    assert_eq!((&view["erased"], view.get("name"), view.get("email")), (&json!(true), None, None));
    assert_eq!(service.get(&member_path, &partner).expect(200), before, "the member stays");
    // Erased is erased: nothing brings it back, and once more changes nothing.
    let _ = service.patch(&path, &partner, "\"3\"", &json!({"name": "Back"})).problem(409, "contact_erased");
    assert_eq!(delete(&partner, Some("\"3\"")).header("etag"), Some("\"3\""));
    assert_eq!(service.platform.number("select count(*) from outbox where type = 'contact.erased'"), 1);
    let tables = ["personal_data", "contact", "member", "audit_record", "outbox", "event", "idempotency_record"];
    for table in tables {
        // Bytes would be shown as hexadecimal, in which nothing is found.
        let text = if table == "idempotency_record" { "encode(t.body, 'escape')" } else { "t::text" };
        let leaks = format!("select count(*) from {table} t where {text} ilike '%gone@%' or {text} ilike '% Gone%'");
        assert_eq!(service.platform.number(&leaks), 0, "{table}");
    }
    let act = service.get(&format!("/v1/audit-log?object_id={contact}&action=erase_contact"), &service.operator());
    let act = act.expect(200)["data"].as_array().expect("rows").last().expect("an act").clone();
    assert_eq!(act["before"], json!({"email": "[withheld]", "erased": false, "name": "[withheld]"}));
    assert_eq!(act["after"], json!({"erased": true}));
}

#[test]
fn a_replay_does_not_tell_what_was_erased() {
    let service = Service::start();
    let (partner, organisation) = (service.partner(), service.platform.introducer.to_string());
    let person =
        json!({"organisation_id": organisation, "kind": "person", "name": "Zork Unique", "email": "zork@example.com"});
    let made = service.post_as("/v1/contacts", &partner, "once", &person).expect(201);
    let path = format!("/v1/contacts/{}", made["id"].as_str().expect("an id"));
    let authorization = format!("Bearer {partner}");
    let headers = [("authorization", authorization.as_str()), ("if-match", "\"1\"")];
    assert_eq!(service.send("DELETE", &path, &headers, None).status, 204);
    let again = service.post_as("/v1/contacts", &partner, "once", &person);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.expect(201), service.get(&path, &partner).expect(200), "it is told as it is now");
}
