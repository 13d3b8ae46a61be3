//! A key that signs, from one byte: the same key each time.

use ed25519_dalek::Signer as _;
use verifier::key::PublicKey;
use verifier::signer::{PortError, Signer};

pub struct Key(ed25519_dalek::SigningKey);

impl Signer for Key {
    fn public_key(&self) -> PublicKey {
        PublicKey::parse(self.0.verifying_key().as_bytes()).expect("a good key")
    }
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], PortError> {
        Ok(self.0.sign(message).to_bytes())
    }
}

pub fn key(seed: u8) -> Key {
    Key(ed25519_dalek::SigningKey::from_bytes(&[seed; 32]))
}
