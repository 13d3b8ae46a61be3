//! The port of a key that signs. Private keys live behind it (a file now, a key management service later), never in a
//! database and never in a log line.

use super::key::PublicKey;

/// The key could not sign, or the mark could not be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PortError(pub String);

/// Signs with one Ed25519 key.
pub trait Signer: Send + Sync {
    /// The thumbprint of the key.
    fn kid(&self) -> String {
        self.public_key().kid()
    }

    /// The public half.
    fn public_key(&self) -> PublicKey;

    /// The signature (RFC 8032) of the message; deterministic.
    ///
    /// # Errors
    /// When the key is out of reach.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], PortError>;
}
