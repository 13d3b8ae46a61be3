//! Tokens and assertions as code that nobody here wrote makes and judges them: npm's `oauth4webapi`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use domain::kernel::time::Clock as _;
use harness::server::Service;
use harness::skip::{installed, skip};
use integrations::clock::SystemClock;
use serde_json::{Value, json};

use crate::client;

#[test]
fn a_client_of_other_peoples_making_signs_in_and_validates_our_token_strictly() {
    let service = Service::start();
    // The library looks at the clock.
    service.clock.set(SystemClock.now());
    let (id, _) = client(&service, &["auditor"]);
    let modules = installed("node/node_modules");
    let given = json!({"modules": modules, "base": service.url, "issuer": "https://flip360.test",
        "audience": "https://flip360.test", "client": id, "administrator": service.operator()});
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/oracles/oauth_client.mjs");
    let mut node = Command::new("node");
    let node = node.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let started = if modules.join("oauth4webapi").exists() { node.spawn().ok() } else { None };
    let Some(mut child) = started else {
        skip("npm's oauth4webapi does not judge our tokens");
        return;
    };
    child.stdin.take().expect("a pipe").write_all(given.to_string().as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&said["claims"]["sub"], &said["claims"]["client_id"]), (&json!(id), &json!(id)));
    assert_eq!((&said["scope"], &said["expires_in"]), (&json!("deals:read"), &json!(900)));
    for held in ["second", "altered", "unsigned", "elsewhere"] {
        assert_eq!(said[held], true, "{held}: {said}");
    }
    assert_eq!(said["stranger"], "invalid_client");
}
