//! Mass assignment: what a body may not set is refused by name, at any depth, and nothing of the request is done.

use harness::asking::{Asking, Request, SIGNED_BY_STRIPE};
use harness::partners::{Asker, Site};
use serde_json::{Value, json};

/// What an attacker would like to set.
const WANTED: [&str; 14] = [
    "id",
    "organisation_id",
    "roles",
    "scopes",
    "version",
    "state",
    "stage",
    "status",
    "created_at",
    "created_by",
    "approved_by",
    "visible_to",
    "password_hash",
    "secret",
];

/// Pointers to every object of a body, its own first.
fn objects(value: &Value, at: &str) -> Vec<String> {
    let inner: Vec<String> = match value {
        Value::Object(members) => members.iter().flat_map(|(name, v)| objects(v, &format!("{at}/{name}"))).collect(),
        Value::Array(items) => items.iter().enumerate().flat_map(|(n, v)| objects(v, &format!("{at}/{n}"))).collect(),
        _ => Vec::new(),
    };
    if value.is_object() { [vec![at.to_owned()], inner].concat() } else { inner }
}

/// Whether the document lets a body of the operation set this field.
fn settable(asking: &Asking<'_>, schema: &Value, pointer: &str) -> bool {
    let mut schema = schema.clone();
    for name in pointer.split('/').skip(1) {
        schema = asking.resolved(&schema)["properties"][name].clone();
        if schema.is_null() {
            return false;
        }
    }
    true
}

#[test]
fn no_body_sets_what_it_may_not() {
    let site = Site::open();
    let asking = Asking::of(&site);
    let administrator = site.token(Asker::Has(domain::access::Role::OperatorAdmin));
    let mut bodies = 0;
    for operation in site.service.app.policy.operations() {
        let documented = &asking.documented(operation)["requestBody"]["content"]["application/json"]["schema"];
        if documented.is_null() || operation.id == SIGNED_BY_STRIPE {
            continue;
        }
        let good = asking.request(operation, &site.ours.ids);
        let (_, body) = good.body.clone().unwrap_or_else(|| panic!("{} has no body in requests.json", operation.id));
        let body: Value = serde_json::from_str(&body).expect("JSON");
        bodies += 1;
        for object in objects(&body, "") {
            for name in WANTED {
                let pointer = format!("{object}/{name}");
                if settable(&asking, documented, &pointer) {
                    continue;
                }
                let mut bent = body.clone();
                bent.pointer_mut(&object).expect("it is there")[name] = json!("01990000-0000-7000-8000-000000000001");
                let request = Request { body: Some(("application/json", bent.to_string())), ..good.clone() };
                let reply = asking.send(&request, administrator.as_deref());
                let at = reply.problem(400, "unknown_field");
                // What carries its kind inside is read whole: the fault is told at the value that has the kind.
                let told = |(said, code): &(String, String)| {
                    let whole = said.starts_with("/content/") && pointer.starts_with(&format!("{said}/"));
                    code == "unknown_field" && (*said == pointer || whole)
                };
                assert!(at.len() == 1 && at.iter().all(told), "{}: {pointer}, not {at:?}", operation.id);
            }
        }
    }
    assert!(bodies > 25, "{bodies} bodies");
}
