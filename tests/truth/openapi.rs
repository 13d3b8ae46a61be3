//! The committed API document is the server's own, hangs together, and leaves nothing unsaid.

use std::collections::BTreeSet;

use domain::access::Scope;
use serde_json::{Map, Value};

/// Operations that need no login. Everything else asks for a token.
const PUBLIC: [&str; 14] = [
    "get_liveness",
    "get_openapi",
    "get_readiness",
    "create_token",
    "revoke_token",
    "get_oauth_metadata",
    "get_jwks",
    "get_checkpoint",
    "get_tile",
    "get_chain_keys",
    "list_chain_evidence",
    "prove_inclusion",
    "prove_consistency",
    // Stripe signs what it sends, and has no token of ours.
    "receive_stripe_event",
];

fn document() -> Value {
    serde_json::to_value(api::openapi::document()).expect("a document")
}

/// Path, method and operation, each.
fn operations(document: &Value) -> Vec<(String, String, Map<String, Value>)> {
    let paths = document["paths"].as_object().expect("paths");
    let of_path = |(path, item): (&String, &Value)| {
        let item = item.as_object().expect("an item").clone();
        let path = path.clone();
        item.into_iter().filter_map(move |(method, operation)| {
            operation.as_object().map(|operation| (path.clone(), method, operation.clone()))
        })
    };
    paths.iter().flat_map(of_path).collect()
}

/// What a reference leads to; anything else is itself.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.map_or(value, |pointer| document.pointer(pointer).unwrap_or_else(|| panic!("{pointer} leads nowhere")))
}

#[test]
fn the_committed_document_is_the_routers() {
    let committed = include_str!("../../openapi/flip360.v1.json");
    let bytes = api::openapi::bytes(&api::openapi::document());
    let current = String::from_utf8(bytes).expect("a text");
    assert!(committed == current, "type: make openapi");
}

#[test]
fn every_reference_resolves() {
    fn check(value: &Value, document: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    let pointer = reference.strip_prefix('#').expect("a reference into the document");
                    assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                }
                members.values().for_each(|member| check(member, document));
            }
            Value::Array(items) => items.iter().for_each(|item| check(item, document)),
            _ => {}
        }
    }
    let document = document();
    check(&document, &document);
}

#[test]
fn every_operation_says_what_it_is() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let at = format!("{method} {path}");
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{at}: no id"));
        assert!(ids.insert(id.to_owned()), "{id} is used twice");
        assert!(id.split_once('_').is_some() && id.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{at}: {id}");
        let said = |key: &str| operation.get(key).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
        assert!(said("summary"), "{at}: no summary");
        assert!(said("description"), "{at}: no description");
        assert!(operation["tags"].as_array().is_some_and(|tags| tags.len() == 1), "{at}: one tag");
        let responses = operation["responses"].as_object().expect("responses");
        assert!(responses.keys().any(|status| status.starts_with('2')), "{at}: no success");
        assert!(responses.contains_key("500"), "{at}: no failure");
        for (status, response) in responses.iter().filter(|(status, _)| status.starts_with(['4', '5'])) {
            let content = resolved(&document, response)["content"]
                .as_object()
                .unwrap_or_else(|| panic!("{at}: {status} has no content"));
            let own_form = ["create_token", "revoke_token"].contains(&id) && content.contains_key("application/json");
            assert!(content.contains_key("application/problem+json") || own_form, "{at}: {status} is no problem");
        }
    }
}

#[test]
fn what_stands_in_a_path_is_documented_there_and_nothing_else_is() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        let parameters = operation.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
        let documented: BTreeSet<&str> = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().expect("a name"))
            .collect();
        let standing: BTreeSet<&str> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        assert_eq!(documented, standing, "{method} {path}");
    }
}

#[test]
fn every_operation_is_public_on_purpose_or_names_its_scopes() {
    let document = document();
    let known: BTreeSet<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    let mut public = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let requirements = operation.get("security").and_then(Value::as_array).cloned().unwrap_or_default();
        let id = operation["operationId"].as_str().expect("an id").to_owned();
        if requirements.is_empty() {
            public.insert(id);
            continue;
        }
        for scope in requirements.iter().flat_map(|r| r["oauth2"].as_array().expect("scopes of oauth2")) {
            let scope = scope.as_str().expect("a scope");
            assert!(known.contains(scope), "{method} {path}: there is no scope {scope}");
        }
    }
    let expected: BTreeSet<String> = PUBLIC.iter().map(|id| (*id).to_owned()).collect();
    assert_eq!(public, expected);
}

#[test]
fn every_body_and_success_has_an_example() {
    fn has_example(content: &Value, document: &Value) -> bool {
        let own = content.get("example").is_some() || content.get("examples").is_some();
        own || content.get("schema").is_some_and(|schema| of_schema(schema, document, 0))
    }
    /// A schema shows by example when it or each of its properties has one.
    fn of_schema(schema: &Value, document: &Value, depth: usize) -> bool {
        if depth > 8 || schema.get("example").is_some() || schema.get("examples").is_some() {
            return true;
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let target = document.pointer(reference.trim_start_matches('#')).expect("it resolves");
            return of_schema(target, document, depth + 1);
        }
        let all = |key: &str| {
            schema[key].as_array().is_some_and(|many| many.iter().any(|s| of_schema(s, document, depth + 1)))
        };
        let properties = schema["properties"].as_object();
        properties.is_some_and(|p| !p.is_empty() && p.values().any(|s| of_schema(s, document, depth + 1)))
            || schema.get("items").is_some_and(|s| of_schema(s, document, depth + 1))
            || schema["enum"].is_array()
            || all("oneOf")
            || all("allOf")
            || all("anyOf")
    }
    let document = document();
    for (path, method, operation) in operations(&document) {
        let bodies = operation.get("requestBody").into_iter().map(|body| ("body", body));
        let responses = operation["responses"].as_object().expect("responses");
        let successes = responses.iter().filter(|(s, _)| s.starts_with('2')).map(|(s, r)| (s.as_str(), r));
        for (what, part) in bodies.chain(successes) {
            for (media, content) in part["content"].as_object().into_iter().flatten() {
                if media == "application/json" && operation["operationId"] != "get_openapi" {
                    assert!(has_example(content, &document), "{method} {path}: {what} shows no example");
                }
            }
        }
    }
}

/// POSTs that take no `Idempotency-Key`, and why.
const WITHOUT_KEY: [(&str, &str); 3] = [
    (
        "create_token",
        "RFC 6749 knows no such header; a token asked for twice is two tokens, and a refresh token is good once",
    ),
    ("receive_stripe_event", "Stripe sends none; an event is kept once by its own id"),
    ("revoke_token", "RFC 7009: what is revoked twice is revoked"),
];

#[test]
fn every_post_needs_a_key_or_says_why_not() {
    let document = document();
    let mut without = BTreeSet::new();
    for (path, method, operation) in operations(&document).into_iter().filter(|(_, method, _)| method == "post") {
        let id = operation["operationId"].as_str().expect("an id").to_owned();
        let parameters = operation.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
        match parameters.iter().find(|parameter| parameter["name"] == "Idempotency-Key") {
            Some(key) => {
                assert_eq!((&key["in"], &key["required"]), (&"header".into(), &true.into()), "{method} {path}");
                for status in ["400", "409", "422"] {
                    assert!(operation["responses"].get(status).is_some(), "{method} {path}: {status}");
                }
            }
            None => {
                let _ = without.insert(id);
            }
        }
    }
    let expected: BTreeSet<String> = WITHOUT_KEY.iter().map(|(id, _)| (*id).to_owned()).collect();
    assert_eq!(without, expected);
}

#[test]
fn what_is_deprecated_says_since_when_and_until_when() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        let named = |name: &str| operation.get(name).and_then(Value::as_str).map(str::to_owned);
        let (since, until) = (named("x-deprecated-on"), named("x-sunset-on"));
        assert_eq!(operation.get("deprecated") == Some(&true.into()), since.is_some(), "{method} {path}");
        assert_eq!(since.is_some(), until.is_some(), "{method} {path}");
        for day in [since, until].into_iter().flatten() {
            assert!(day.parse::<jiff::civil::Date>().is_ok(), "{method} {path}: {day} is no day");
        }
    }
}

/// Sums have as many rows as there are kinds; what one payee is to the tax office changes a few times in its life, and a
/// payout is taken back a few times at most.
const ON_ONE_PAGE: [&str; 6] = [
    "list_accruals",
    "list_bas_periods",
    "list_gst_status",
    "list_payout_reversals",
    "list_rcti_agreements",
    "list_supplier_statements",
];

#[test]
fn every_list_is_paged_and_sorted_alike() {
    let document = document();
    let mut lists = 0;
    for (path, method, operation) in operations(&document).into_iter().filter(|(_, method, _)| method == "get") {
        let parameters = operation.get("parameters").and_then(Value::as_array).cloned().unwrap_or_default();
        let has =
            |name: &str| parameters.iter().any(|p| p["name"] == name && p["in"] == "query" && p["required"] != true);
        let page = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].as_str();
        let schema = page.and_then(|pointer| document.pointer(pointer.trim_start_matches('#')));
        if schema.is_none_or(|schema| schema["properties"].get("next_cursor").is_none()) {
            assert!(!has("cursor"), "{method} {path} takes a cursor and gives none");
            continue;
        }
        if ON_ONE_PAGE.iter().any(|id| operation["operationId"] == *id) {
            continue;
        }
        for name in ["limit", "cursor", "sort"] {
            assert!(has(name), "{method} {path} takes no {name}");
        }
        assert_eq!(has("created_after"), has("created_before"), "{method} {path}");
        lists += 1;
    }
    assert!(lists >= 24, "{lists}");
}
