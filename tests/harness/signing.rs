//! What the holder of a key does: proves that it has it, and signs what the platform prepared.

use domain::chain::encoding::b64url;
use domain::chain::signer::Signer;
use domain::chain::statement::{Assurance, KeyRegistration, PartyId, Salt, Statement, VERSION};
use serde_json::Value;

use crate::platform::MemorySigner;

/// A registration of a key in the log of this name.
#[must_use]
pub fn registration(party: PartyId, key: &MemorySigner, log: &str) -> String {
    let statement = Statement::KeyRegistration(KeyRegistration {
        assurance: Assurance::Own,
        jwk: key.public_key().jwk(),
        kid: key.kid(),
        log: log.to_owned(),
        next: None,
        party,
        salt: Salt([5; 32]),
        v: VERSION,
    });
    statement.sign(key).expect("an envelope")
}

/// What anybody with an Ed25519 library does with a prepared statement.
#[must_use]
pub fn signed(prepared: &Value, key: &MemorySigner) -> String {
    let input = prepared["signing_input"].as_str().expect("bytes to sign");
    format!("{input}.{}", b64url(&key.sign(input.as_bytes()).expect("a signature")))
}
