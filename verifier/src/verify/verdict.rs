//! A verdict as JSON: the same on the command line and in a browser.

use serde_json::{Value, json};

use super::Findings;
use crate::fault::Fault;

/// What was found, for programs.
#[must_use]
pub fn verdict(findings: &Findings) -> Value {
    let fault = |fault: &Fault| json!({"pointer": fault.pointer, "code": fault.code, "detail": fault.detail});
    json!({
        "holds": findings.holds(),
        "kind": findings.kind,
        "id": findings.id,
        "checkpoint": findings.checkpoint,
        "keys": findings.keys,
        "assurance": findings.assurance,
        "proved": findings.proved,
        "not_proved": findings.not_proved,
        "faults": findings.faults.0.iter().map(fault).collect::<Vec<_>>(),
    })
}
