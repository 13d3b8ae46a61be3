//! How people and programs prove who they are: signed assertions, one-time codes, outside issuers, keys that
//! change.

mod assertions;
mod environments;
mod issuer;
mod oidc;
mod oracle;
mod persons;
mod resets;
mod rotation;
mod streams;
mod totp;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harness::server::Service;
use serde_json::{Value, json};

/// A text of an answer.
fn text(answer: &Value, key: &str) -> String {
    answer[key].as_str().unwrap_or_else(|| panic!("no {key} in {answer}")).to_owned()
}

/// An API client that was made over HTTP: its id and its secret.
fn client(service: &Service, roles: &[&str]) -> (String, String) {
    let made = service.post("/v1/api-clients", &service.operator(), &json!({"name": "Portal", "roles": roles}));
    let made = made.expect(201);
    (text(&made, "id"), text(&made, "client_secret"))
}

/// The second of the service's clock.
fn second(service: &Service) -> i64 {
    use domain::kernel::time::Clock as _;
    service.clock.now().timestamp().as_second()
}

/// What a JWT says, unverified.
fn claims(jwt: &str) -> Value {
    let part = jwt.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

/// The scopes of an answer.
fn scopes(answer: &Value) -> BTreeSet<String> {
    text(answer, "scope").split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}
