//! What two versions differ in, in words and by pointer.

use harness::server::Service;
use serde_json::{Value, json};

use crate::drafts::{agreement, content, draft};

/// What leads from the first content to the second: op, path, from, words.
fn changes(before: &Value, after: &Value) -> Vec<(String, String, Option<String>, String)> {
    let service = Service::start();
    let (operator, versions) = (service.operator(), agreement(&service, None));
    let _ = draft(&service, &versions, &operator, before);
    let (path, shown) = draft(&service, &versions, &operator, after);
    let diff = service.get(&format!("{path}/diff"), &operator).expect(200);
    assert_eq!((&diff["number"], &diff["against"]), (&json!(2), &json!(1)));
    assert_eq!(diff["content_sha256"], shown["content_sha256"]);
    assert_eq!(service.get(&format!("{path}/diff?against=1"), &operator).expect(200), diff);
    let text = |change: &Value, key: &str| change[key].as_str().map(str::to_owned);
    let told = |change: &Value| {
        let said = |key: &str| text(change, key).expect("a text");
        (said("op"), said("path"), text(change, "from"), said("text"))
    };
    diff["changes"].as_array().expect("changes").iter().map(told).collect()
}

fn change(op: &str, path: &str, from: Option<&str>, words: &str) -> (String, String, Option<String>, String) {
    (op.to_owned(), path.to_owned(), from.map(str::to_owned), words.to_owned())
}

/// V01's component under another key.
fn component(key: &str) -> Value {
    let mut component = content("2026-01-01")["components"][0].clone();
    component["key"] = json!(key);
    component["name"] = json!(format!("The {key} one"));
    component
}

fn with_components(keys: &[&str]) -> Value {
    let mut content = content("2026-01-01");
    content["components"] = keys.iter().map(|key| component(key)).collect();
    content
}

#[test]
fn what_is_the_same_differs_in_nothing() {
    assert_eq!(changes(&content("2026-01-01"), &content("2026-01-01")), []);
}

#[test]
fn values_are_told_as_they_were_and_as_they_are() {
    let mut after = content("2026-07-01");
    after["components"][0]["rate"]["rate"] = json!("0.006");
    after["components"][0]["limits"][0]["cap"]["amount"] = json!(500_000);
    after["components"][0]["clawback"]["steps"].as_array_mut().expect("steps").truncate(1);
    after["components"][0]["split"][1]["share"] = json!("0.2");
    after["components"][0]["split"][2]["share"] = json!("0.2");
    let expected = [
        change(
            "remove",
            "/components/0/clawback/steps/1",
            None,
            "Component `upfront`: `clawback.steps[1]` is gone; it was {\"before_months\":18,\"fraction\":\"0.5\"}.",
        ),
        change(
            "replace",
            "/components/0/limits/0/cap",
            None,
            "Component `upfront`: `limits[0].cap` is 5000.00 AUD instead of 6000.00 AUD.",
        ),
        change(
            "replace",
            "/components/0/rate/rate",
            None,
            "Component `upfront`: `rate.rate` is 0.006 instead of 0.0065.",
        ),
        change(
            "replace",
            "/components/0/split/2/share",
            None,
            "Component `upfront`, share of `platform`: `share` is 0.2 instead of 0.3.",
        ),
        change(
            "replace",
            "/components/0/split/1/share",
            None,
            "Component `upfront`, share of `upline_1`: `share` is 0.2 instead of 0.1.",
        ),
        change("replace", "/effective_from", None, "`effective_from` is 2026-07-01 instead of 2026-01-01."),
    ];
    let mut found = changes(&content("2026-01-01"), &after);
    let mut expected = expected.to_vec();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_component_that_stands_elsewhere_has_moved() {
    let found = changes(&with_components(&["a", "b", "c", "d"]), &with_components(&["d", "a", "b", "c"]));
    let expected =
        [change("move", "/components/0", Some("/components/3"), "Component `d` comes at place 1 instead of 4.")];
    assert_eq!(found, expected);
}

#[test]
fn components_come_and_go_by_their_keys() {
    let mut after = with_components(&["b", "new"]);
    after["components"][0]["hold"]["days"] = json!(30);
    let found = changes(&with_components(&["a", "b"]), &after);
    let expected = [
        change("remove", "/components/0", None, "Component `a` is gone; it was “The a one”."),
        change("add", "/components/1", None, "Component `new` is new: “The new one”."),
        change("replace", "/components/0/hold/days", None, "Component `b`: `hold.days` is 30 instead of 10."),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_rate_of_another_kind_is_another_rate() {
    let mut after = content("2026-01-01");
    after["components"][0]["rate"] = json!({"kind": "flat", "amount": {"amount": 50_000, "currency": "AUD"}});
    let found = changes(&content("2026-01-01"), &after);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("replace", "/components/0/rate"));
}

#[test]
fn a_version_is_compared_with_one_that_is_there() {
    let service = Service::start();
    let (operator, versions) = (service.operator(), agreement(&service, None));
    let (path, _) = draft(&service, &versions, &operator, &content("2026-01-01"));
    let told = |query: &str, status: u16, code: &str| {
        service.get(&format!("{path}/diff{query}"), &operator).problem(status, code)
    };
    let _ = told("", 400, "invalid_filter");
    let _ = told("?against=x", 400, "invalid_filter");
    let _ = told("?with=1", 400, "invalid_query");
    let _ = told("?against=2", 404, "not_found");
    assert_eq!(service.get(&format!("{path}/diff?against=1"), &operator).expect(200)["changes"], json!([]));
}
