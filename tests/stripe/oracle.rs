//! Stripe's own library signs webhooks that we take; ours are refused by us when they are altered.

use std::process::Command;

use harness::skip::{installed, skip};
use harness::stripe::SECRET;

use crate::world::World;

const SIGN: &str = "const Stripe = require('stripe'); const [secret, timestamp, payload] = process.argv.slice(1);
process.stdout.write(Stripe('sk_test_x').webhooks.generateTestHeaderString({ payload, secret, timestamp: Number(timestamp) }));";
const CHECK: &str = "const Stripe = require('stripe'); const [secret, header, payload, now] = process.argv.slice(1);
try { Stripe('sk_test_x').webhooks.constructEvent(payload, header, secret, 300, undefined, Number(now)); process.stdout.write('good'); } catch (e) { process.stdout.write('bad'); }";

/// Runs a script of Node's that uses npm `stripe`; nothing where that is not installed.
fn node(script: &str, arguments: &[&str]) -> Option<String> {
    let modules = installed("node/node_modules");
    if !modules.join("stripe").exists() {
        skip("webhooks signed by Stripe's own library (npm stripe)");
        return None;
    }
    let output = Command::new("node")
        .args(["-e", script, "--"])
        .args(arguments)
        .env("NODE_PATH", modules)
        .output()
        .expect("node runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("a text"))
}

#[test]
fn stripes_own_library_signs_what_we_take() {
    let world = World::ready();
    let event = world.double.tell("customer.created", serde_json::json!({"object": "customer", "name": "Zoë 😀"}));
    let payload = event.to_string();
    let now = world.now().timestamp().as_second().to_string();
    let Some(header) = node(SIGN, &[SECRET, &now, &payload]) else { return };
    assert_eq!(header, harness::stripe::signature(SECRET, now.parse().expect("a number"), payload.as_bytes()));
    let _ = world.send_event(&header, payload.as_bytes()).expect(200);
    let altered = payload.replace("customer.created", "customer.updated");
    let _ = world.send_event(&header, altered.as_bytes()).problem(400, "invalid_signature");
    let other = node(SIGN, &["whsec_other", &now, &payload]).expect("a header");
    let _ = world.send_event(&other, payload.as_bytes()).problem(400, "invalid_signature");
    let vector = node(SIGN, &["whsec_test", "1700000000", "{\"id\":\"evt_test\"}"]).expect("a header");
    assert_eq!(vector, "t=1700000000,v1=14c4f43763339dcb1c15f41a1ff31a94f2f09f8de278f8b4392ca0d7cbcd257e");
    assert_eq!(node(CHECK, &[SECRET, &header, &payload, &now]).as_deref(), Some("good"));
    assert_eq!(node(CHECK, &[SECRET, &header, &altered, &now]).as_deref(), Some("bad"));
}
