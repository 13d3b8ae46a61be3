//! Verticals and their guardrails over real HTTP.

use domain::access::Role;
use harness::server::Service;
use serde_json::{Value, json};

fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

fn told(problem: &[(String, String)]) -> Vec<String> {
    problem.iter().map(|(pointer, code)| format!("{pointer} {code}")).collect()
}

/// The vertical with a code.
fn coded(service: &Service, code: &str) -> Value {
    let operator = service.operator();
    let all = service.get("/v1/verticals?limit=200", &operator).expect(200);
    let found = all["data"].as_array().expect("rows").iter().find(|v| v["code"] == code).cloned();
    found.unwrap_or_else(|| panic!("there is no {code}"))
}

#[test]
fn a_vertical_is_added_changed_by_version_and_sold_in() {
    let service = Service::start();
    let operator = service.operator_of(1);
    let body = json!({"code": "V19", "name": "Pet insurance", "description": "Cover for dogs and cats."});
    let made = service.post_as("/v1/verticals", &operator, "pets", &body);
    let view = made.expect(201);
    let path = format!("/v1/verticals/{}", id(&view));
    assert_eq!((made.header("location"), made.header("etag")), (Some(path.as_str()), Some("\"1\"")));
    assert_eq!(
        (&view["code"], &view["name"], &view["description"]),
        (&json!("V19"), &body["name"], &body["description"])
    );
    assert_eq!(service.post_as("/v1/verticals", &operator, "pets", &body).body, made.body, "the first answer again");
    // It comes after those that ship, and everybody sees it.
    let member = service.token(&[Role::Investor], None, None);
    let all = service.get("/v1/verticals?limit=200", &member).expect(200);
    assert_eq!((all["data"].as_array().map(Vec::len), &all["data"][18]), (Some(19), &view));
    let changed = service.patch(&path, &operator, "\"1\"", &json!({"name": "Pets", "description": null}));
    let seen = changed.expect(200);
    assert_eq!((&seen["name"], seen.get("description"), changed.header("etag")), (&json!("Pets"), None, Some("\"2\"")));
    assert_eq!(service.get(&path, &member).expect(200), seen);
    let _ = service.patch(&path, &operator, "\"1\"", &json!({"name": "X"})).problem(412, "stale");
    let _ = service.patch(&path, &operator, "\"2\"", &json!({"code": "V20"})).problem(400, "unknown_field");
    for vertical in [json!("V19"), json!(id(&view))] {
        let code = format!("PET-{}", vertical.as_str().map_or(0, str::len));
        let product = json!({"vertical": vertical, "code": code, "name": "Cover"});
        let product = service.post("/v1/products", &operator, &product).expect(201);
        assert_eq!(product["vertical_id"], view["id"]);
    }
    assert_eq!(service.get("/v1/products?vertical=V19", &member).expect(200)["data"].as_array().map(Vec::len), Some(2));
    let told = "select count(*) from outbox where type in ('vertical.created', 'vertical.updated') and cardinality(visible_to) = 0";
    assert_eq!(service.platform.number(told), 2);
    let acts = service.get(
        &format!("/v1/audit-log?object_id={}&action=update_vertical", id(&view)),
        &service.token(&[Role::Auditor], None, None),
    );
    let acts = acts.expect(200);
    assert_eq!(
        (&acts["data"][0]["before"], &acts["data"][0]["after"]),
        (&json!({"name": "Pet insurance", "description": "Cover for dogs and cats."}), &json!({"name": "Pets"}))
    );
}

#[test]
fn a_vertical_that_ships_changes_too_and_its_code_stays_taken() {
    let service = Service::start();
    let operator = service.operator();
    let v02 = coded(&service, "V02");
    let path = format!("/v1/verticals/{}", id(&v02));
    let etag = service.get(&path, &operator).header("etag").map(str::to_owned).expect("an etag");
    let _ = service.patch(&path, &operator, &etag, &json!({"description": "Loans to companies."})).expect(200);
    assert_eq!(coded(&service, "V02")["description"], "Loans to companies.");
    let taken = json!({"code": "V02", "name": "Another"});
    let _ = service.post("/v1/verticals", &operator, &taken).problem(409, "vertical_code_taken");
    let faulty = json!({"code": "V100", "name": " ", "description": "a\u{202e}b"});
    assert_eq!(
        told(&service.post("/v1/verticals", &operator, &faulty).problem(422, "validation_failed")),
        ["/code invalid_vertical_code", "/name required", "/description control_character"]
    );
    let nowhere = json!({"vertical": "V77", "code": "X", "name": "X"});
    let refused = service.post("/v1/products", &operator, &nowhere).problem(422, "validation_failed");
    assert_eq!(told(&refused), ["/vertical not_found"]);
    for role in Role::ALL.into_iter().filter(|role| *role != Role::OperatorAdmin && !role.is_of_partner()) {
        let token = service.token(&[role], None, None);
        let _ = service.post("/v1/verticals", &token, &taken).problem(403, "insufficient_scope");
        let _ = service.patch(&path, &token, "\"2\"", &json!({"name": "X"})).problem(403, "insufficient_scope");
    }
    let _ = service.patch(&path, &service.partner(), "\"2\"", &json!({"name": "X"})).problem(403, "insufficient_scope");
    let headers = [("authorization", format!("Bearer {operator}"))];
    let headers = [("authorization", headers[0].1.as_str()), ("content-type", "application/json")];
    let _ = service.send("PATCH", &path, &headers, Some(b"{}")).problem(428, "if_match_missing");
}

/// The numbers are those of the law, as the domain document names them; V01's agreement is held to its own.
#[test]
fn guardrails_are_those_of_the_law_and_the_agreement_that_ships_keeps_to_them() {
    let service = Service::start();
    let member = service.token(&[Role::Investor], None, None);
    let of = |code: &str| {
        let path = format!("/v1/verticals/{}/guardrails", id(&coded(&service, code)));
        service.get(&path, &member).expect(200)["data"].as_array().expect("rows").clone()
    };
    let limits = |code: &str| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        of(code).iter().map(|rail| (text(&rail["code"]), text(&rail["limit"]["value"]))).collect()
    };
    let pair = |code: &str, value: &str| (code.to_owned(), value.to_owned());
    let everywhere = pair("consent_and_disclosure", "");
    assert_eq!(
        limits("V01"),
        [pair("clawback_months_at_most", "24"), pair("no_volume_or_campaign_benefits", ""), everywhere.clone()]
    );
    assert_eq!(
        limits("V05"),
        [
            pair("upfront_share_at_most", "0.6"),
            pair("ongoing_share_at_most", "0.2"),
            pair("clawback_share_first_year", "1"),
            pair("clawback_share_second_year", "0.6"),
            everywhere.clone()
        ]
    );
    assert_eq!(limits("V08"), [pair("licensed_participants_only", ""), everywhere.clone()]);
    assert_eq!(limits("V16")[0], pair("clawback_months_at_most", "6"));
    assert_eq!(limits("V18"), [pair("one_full_price", ""), pair("accredited_agencies", ""), everywhere]);
    assert!(of("V01").iter().all(|rail| ["law", "policy"].contains(&rail["basis"].as_str().expect("a word"))));
    let nobody = "/v1/verticals/vertical_00000000000000000000000001/guardrails";
    let _ = service.get(nobody, &member).problem(404, "not_found");
    let shipped = include_str!("../../domain/src/agreements/reference/v01.json");
    let shipped: Value = serde_json::from_str(shipped).expect("JSON");
    let months = steps(&shipped);
    assert!(!months.is_empty() && months.iter().all(|months| *months <= 24), "{months:?}");
}

/// Every `before_months` in a document.
fn steps(value: &Value) -> Vec<u64> {
    match value {
        Value::Object(members) => {
            let own = members.get("before_months").and_then(Value::as_u64);
            own.into_iter().chain(members.values().flat_map(steps)).collect()
        }
        Value::Array(items) => items.iter().flat_map(steps).collect(),
        _ => Vec::new(),
    }
}
