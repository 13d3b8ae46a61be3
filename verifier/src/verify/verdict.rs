//! A verdict as JSON: the same on the command line and in a browser.

use serde_json::{Value, json};

use super::{Findings, LeafFindings};
use crate::fault::Faults;

fn told(faults: &Faults) -> Vec<Value> {
    faults.0.iter().map(|f| json!({"pointer": f.pointer, "code": f.code, "detail": f.detail})).collect()
}

/// What was found of a receipt, for programs.
#[must_use]
pub fn verdict(found: &Findings) -> Value {
    json!({
        "holds": found.holds(),
        "kind": found.kind,
        "id": found.id,
        "checkpoint": found.checkpoint,
        "keys": found.keys,
        "witnesses": found.witnesses,
        "assurance": found.assurance,
        "proved": found.proved,
        "not_proved": found.not_proved,
        "faults": told(&found.faults),
    })
}

/// What was found of a proof of one leaf, for programs.
#[must_use]
pub fn leaf_verdict(found: &LeafFindings) -> Value {
    json!({
        "holds": found.holds(),
        "kind": "leaf",
        "index": found.index,
        "leaf": found.leaf,
        "checkpoint": found.checkpoint,
        "witnesses": found.witnesses,
        "proved": found.proved,
        "not_proved": found.not_proved,
        "faults": told(&found.faults),
    })
}
