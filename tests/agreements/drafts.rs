//! What the tests of agreements have in common: contents, and the way of a version from draft to approval.

use domain::access::Role;
use harness::server::{Reply, Service};
use serde_json::{Value, json};

/// V01's content as it ships, from another day on.
pub fn content(from: &str) -> Value {
    let shipped = include_str!("../../domain/src/agreements/reference/v01.json");
    let mut content: Value = serde_json::from_str(shipped).expect("JSON");
    content["effective_from"] = json!(from);
    content
}

/// The same at another rate.
pub fn at_rate(from: &str, rate: &str) -> Value {
    let mut content = content(from);
    content["components"][0]["rate"]["rate"] = json!(rate);
    content
}

/// A text of an answer.
pub fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key}: {value}")).to_owned()
}

/// The path of the versions of the agreement for V01 that ships.
pub fn shipped(service: &Service) -> String {
    let agreements = service.get("/v1/agreements?vertical=V01&limit=1", &service.operator()).expect(200);
    format!("/v1/agreements/{}/versions", text(&agreements["data"][0], "id"))
}

/// A new agreement for V01; the path of its versions.
pub fn agreement(service: &Service, provider: Option<&str>) -> String {
    let mut body = json!({"vertical": "V01", "name": "Residential mortgages, ours"});
    if let Some(provider) = provider {
        body["provider_id"] = json!(provider);
    }
    let made = service.post("/v1/agreements", &service.operator(), &body).expect(201);
    format!("/v1/agreements/{}/versions", text(&made, "id"))
}

/// An approver who is nobody else.
pub fn approver(service: &Service) -> String {
    service.token(&[Role::Approver], None, None)
}

/// PUT with the `ETag` that was seen, if any.
pub fn put(service: &Service, path: &str, token: &str, etag: Option<&str>, body: &Value) -> Reply {
    let authorization = format!("Bearer {token}");
    let mut headers = vec![("authorization", authorization.as_str()), ("content-type", "application/json")];
    headers.extend(etag.map(|etag| ("if-match", etag)));
    service.send("PUT", path, &headers, Some(body.to_string().as_bytes()))
}

/// A new draft; its path and how it is shown.
pub fn draft(service: &Service, versions: &str, author: &str, content: &Value) -> (String, Value) {
    let made = service.post(versions, author, &json!({"content": content}));
    let shown = made.expect(201);
    (made.header("location").expect("a location").to_owned(), shown)
}

/// A draft that is proposed by its author.
pub fn proposed(service: &Service, versions: &str, author: &str, content: &Value) -> (String, Value) {
    let (path, _) = draft(service, versions, author, content);
    let shown = service.post(&format!("{path}/propose"), author, &json!({})).expect(200);
    (path, shown)
}

/// Approves what is shown, with every warning acknowledged.
pub fn approve(service: &Service, path: &str, approver: &str, shown: &Value) -> Reply {
    let found = service.post(&format!("{path}/lint"), approver, &json!({})).expect(200);
    let codes: Vec<&Value> = found["findings"].as_array().expect("findings").iter().map(|f| &f["code"]).collect();
    let body = json!({"content_sha256": shown["content_sha256"], "acknowledged": codes});
    service.post(&format!("{path}/approve"), approver, &body)
}

/// A version that was approved; its path and how it is shown.
pub fn approved(service: &Service, versions: &str, content: &Value) -> (String, Value) {
    let (path, shown) = proposed(service, versions, &service.operator(), content);
    let shown = approve(service, &path, &approver(service), &shown).expect(200);
    (path, shown)
}

/// Pointers and codes of a problem.
pub fn told(faults: Vec<(String, String)>) -> Vec<String> {
    faults.into_iter().map(|(at, code)| format!("{at} {code}")).collect()
}
