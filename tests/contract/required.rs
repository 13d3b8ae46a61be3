//! A field of a request is `required` in the document exactly when the service refuses a request without it:
//! clients that are generated make it a field that must be given.

use std::collections::BTreeSet;

use harness::server::Service;
use serde_json::{Value, json};

fn send(service: &Service, method: &str, path: &str, body: &Value) -> Value {
    let authorization = format!("Bearer {}", service.operator());
    let key = format!("required-{}", body.to_string().len());
    let headers = [
        ("authorization", authorization.as_str()),
        ("idempotency-key", &key),
        ("if-match", "\"0\""),
        ("content-type", "application/json"),
    ];
    service.send(method, path, &headers, Some(body.to_string().as_bytes())).json()
}

/// What a body says that only then asks for everything that is `required` in any case.
fn least(operation: &str) -> Value {
    match operation {
        // An offer is needed of all but members without a key.
        "create_referral" => json!({"assurance": "custodial"}),
        // Either a signed revocation or a reason.
        "revoke_signing_key" => json!({"reason": "lost"}),
        // Either a share or an amount.
        "create_recovery_plan" => json!({"max_share": "0.5"}),
        _ => json!({}),
    }
}

/// The fields that an answer says are missing, by their pointers.
fn missed(problem: &Value) -> BTreeSet<String> {
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    // An entry whose postings are left out has too few of them.
    let too_few = json!({"pointer": "/postings", "code": "invalid_count"});
    let is_too_few = |error: &&Value| ["pointer", "code"].iter().all(|name| error[name] == too_few[name]);
    let missed = errors.iter().filter(|error| error["code"] == "required" || is_too_few(error));
    missed.filter_map(|error| error["pointer"].as_str().map(str::to_owned)).collect()
}

/// The pointers of what a schema requires, in it and in what it requires.
fn required(document: &Value, schema: &Value, at: &str) -> BTreeSet<String> {
    let mut schema = schema;
    while let Some(pointer) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#')) {
        schema = document.pointer(pointer).expect("it resolves");
    }
    let names = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    names
        .flat_map(|name| {
            let pointer = format!("{at}/{name}");
            let inner = required(document, &schema["properties"][name], &pointer);
            inner.into_iter().chain(std::iter::once(pointer))
        })
        .collect()
}

#[test]
fn what_is_required_is_what_cannot_be_left_out() {
    let service = harness::site::populated();
    let ids = harness::site::ids(&service);
    let document = service.send("GET", "/openapi.json", &[], None).json();
    let mut wrong = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("methods") {
            let media = &operation["requestBody"]["content"]["application/json"];
            if media.is_null() {
                continue;
            }
            let name = operation["operationId"].as_str().unwrap_or_default();
            let pattern = operation["parameters"][0]["schema"]["pattern"].as_str().unwrap_or_default();
            let id = ids.iter().find(|(prefix, _)| pattern.starts_with(&format!("^{prefix}_")));
            // Of what there is none, one that is not there: what is missing in a request is told before that.
            let none = || {
                format!("{}_{}", pattern.trim_start_matches('^').split('_').next().unwrap_or_default(), "0".repeat(26))
            };
            let at = path.replace("{id}", &id.map_or_else(none, |(_, id)| id.clone())).replace("{number}", "1");
            let answer = send(&service, &method.to_ascii_uppercase(), &at, &least(name));
            let refused = missed(&answer);
            let documented = required(&document, &media["schema"], "");
            // What is missing in something that is missing is told by either.
            let inside = |one: &String, other: &String| one.starts_with(&format!("{other}/"));
            let hidden =
                |pointer: &String| refused.iter().any(|missing| inside(pointer, missing) || inside(missing, pointer));
            let untold: Vec<_> =
                documented.iter().filter(|pointer| !refused.contains(*pointer) && !hidden(pointer)).collect();
            let undocumented: Vec<_> = refused.iter().filter(|pointer| !documented.contains(*pointer)).collect();
            if !untold.is_empty() || !undocumented.is_empty() {
                wrong.push(format!("{name}: refused, but not `required`: {undocumented:?}; `required`, but not refused: {untold:?} ({})", answer["code"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
