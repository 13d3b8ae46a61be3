//! The Postman collection that is committed is the one that the document gives.

use std::process::Command;

use harness::skip::{installed, skip, workspace};
use serde_json::Value;

use crate::tool;

#[test]
fn the_collection_is_that_of_the_document() {
    if !installed("node/node_modules/openapi-to-postmanv2").exists() {
        return skip("openapi-to-postmanv2 is not installed");
    }
    let fresh = installed("collection.json");
    let _ = tool::run(Command::new("node").current_dir(workspace()).arg("scripts/collection.mjs").arg(&fresh));
    let read = |path| serde_json::from_slice::<Value>(&std::fs::read(path).expect("a file")).expect("JSON");
    let committed = read(workspace().join("openapi/flip360.postman.json"));
    assert!(read(fresh) == committed, "openapi/flip360.postman.json is old: make collection");
}
