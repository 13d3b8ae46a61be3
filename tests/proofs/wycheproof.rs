//! Signatures against the corpus of Project Wycheproof, which gathers what Ed25519 implementations got wrong, and against two
//! libraries of others over the same vectors: `ring`, and Node's crypto (OpenSSL).
//!
//! Ours is the key policy and strict verification. It may be stricter than theirs about keys (weak, mixed order, not canonical),
//! never laxer, and agrees with the corpus on each vector whose key passes the policy.

use std::io::Write as _;
use std::process::{Command, Stdio};

use domain::chain::encoding::b64url;
use domain::chain::key::PublicKey;
use serde_json::{Value, json};
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

use crate::oracles::present;

/// One vector: key, message, signature, and what the corpus says of it.
struct Vector {
    id: usize,
    key: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
    valid: bool,
}

fn corpus() -> Vec<Vector> {
    let set = TestSet::load(TestName::Ed25519).expect("the corpus");
    let mut vectors = Vec::new();
    for group in set.test_groups {
        for test in group.tests {
            assert_ne!(test.result, TestResult::Acceptable, "the corpus leaves vector {} open", test.tc_id);
            vectors.push(Vector {
                id: test.tc_id,
                key: group.key.pk.to_vec(),
                message: test.msg.to_vec(),
                signature: test.sig.to_vec(),
                valid: test.result == TestResult::Valid,
            });
        }
    }
    assert!(vectors.len() >= 145, "{} vectors", vectors.len());
    vectors
}

#[test]
fn the_corpus_of_wycheproof_agrees() {
    for vector in corpus() {
        let key = PublicKey::parse(&vector.key).expect("every key of the corpus is a good one");
        let verified = key.verify(&vector.message, &vector.signature).is_ok();
        assert_eq!(verified, vector.valid, "vector {}", vector.id);
    }
}

/// More vectors than the corpus has: its own with one bit of the signature or of the message turned.
fn turned(vectors: &[Vector]) -> Vec<Vector> {
    let mut more = Vec::new();
    for vector in vectors.iter().filter(|vector| vector.valid) {
        for bit in (0..vector.signature.len() * 8).step_by(29) {
            let mut signature = vector.signature.clone();
            signature[bit / 8] ^= 1 << (bit % 8);
            more.push(Vector { signature, key: vector.key.clone(), message: vector.message.clone(), ..*vector });
        }
        let mut message = vector.message.clone();
        message.push(0);
        more.push(Vector { message, key: vector.key.clone(), signature: vector.signature.clone(), ..*vector });
    }
    more
}

fn ours(vector: &Vector) -> bool {
    PublicKey::parse(&vector.key).is_ok_and(|key| key.verify(&vector.message, &vector.signature).is_ok())
}

#[test]
fn ring_says_the_same() {
    let vectors = corpus();
    let more = turned(&vectors);
    assert!(more.len() > 1_000, "{}", more.len());
    for vector in vectors.iter().chain(&more) {
        let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, &vector.key);
        let theirs = key.verify(&vector.message, &vector.signature).is_ok();
        assert_eq!(ours(vector), theirs, "vector {}", vector.id);
    }
}

#[test]
fn nodes_crypto_says_the_same() {
    if !present("node", "--version") {
        return;
    }
    const PROGRAM: &str = r#"
        const crypto = require("node:crypto");
        for (const line of require("node:fs").readFileSync(0, "utf8").split("\n").filter(Boolean)) {
          const { x, message, signature } = JSON.parse(line);
          const key = crypto.createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
          console.log(crypto.verify(null, Buffer.from(message, "base64url"), key, Buffer.from(signature, "base64url")));
        }"#;
    let vectors = corpus();
    let more = turned(&vectors);
    let all: Vec<&Vector> = vectors.iter().chain(&more).collect();
    let asked: Vec<Value> = all
        .iter()
        .map(|v| json!({"x": b64url(&v.key), "message": b64url(&v.message), "signature": b64url(&v.signature)}))
        .collect();
    let mut node = Command::new("node")
        .args(["-e", PROGRAM])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs");
    let lines: Vec<String> = asked.iter().map(ToString::to_string).collect();
    node.stdin.take().expect("a pipe").write_all(lines.join("\n").as_bytes()).expect("it reads");
    let output = node.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).expect("text");
    assert_eq!(said.lines().count(), all.len());
    for (vector, theirs) in all.iter().zip(said.lines()) {
        assert_eq!(ours(vector).to_string(), theirs, "vector {}", vector.id);
    }
}
