//! Every answer that any test receives is one that the API document tells of: its status, and the code of a
//! problem.

use std::sync::OnceLock;

use api::policy::Policy;
use serde_json::Value;

use crate::server::Reply;

/// Fails the test when the operation is not documented to answer so. Paths and methods that are no operation
/// are not looked at.
pub fn check(policy: &Policy, method: &str, path: &str, reply: &Reply) {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    let document = DOCUMENT.get_or_init(|| serde_json::to_value(api::openapi::document()).expect("a document"));
    let path = path.split('?').next().unwrap_or_default();
    let method = if method == "HEAD" { "GET" } else { method };
    let Some(operation) = policy.of_path(method, path) else { return };
    let at = format!("{} ({method} {path})", operation.id);
    let documented = &document["paths"][&operation.pattern][method.to_ascii_lowercase()]["responses"];
    let status = reply.status.to_string();
    // An unchanged answer has no body that a document could tell of.
    let Some(answer) = documented.get(&status) else {
        assert_eq!(status, "304", "{at} answered {status}, which is not documented");
        return;
    };
    // HEAD has no body to look into.
    if reply.header("content-type") == Some("application/problem+json") && !reply.body.is_empty() {
        let pointer = answer["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
        let answer = pointer.map_or(Some(answer), |pointer| document.pointer(pointer)).expect("it resolves");
        let codes = answer["x-problem-codes"].as_array().cloned().unwrap_or_default();
        let code = reply.json()["code"].clone();
        assert!(codes.contains(&code), "{at} answered {status} {code}, which is not among {codes:?}");
    }
}
