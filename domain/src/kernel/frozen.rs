//! Content that somebody approves by its digest: canonical JSON (RFC 8785), its exact bytes, their SHA-256.
//!
//! Invariant: the bytes are the canonical form of the content, also of one that was read back.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Digest;
use super::jcs::{self, JcsError};

/// A content with its exact bytes and their digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen<T> {
    content: T,
    bytes: Vec<u8>,
    sha256: Digest,
}

impl<T: Serialize + DeserializeOwned> Frozen<T> {
    /// Freezes a content.
    ///
    /// # Errors
    /// Never for typed values; the signature keeps the failure visible.
    pub fn freeze(content: T) -> Result<Self, JcsError> {
        let bytes = jcs::to_bytes(&content)?;
        Ok(Self { sha256: Digest::of(&bytes), content, bytes })
    }

    /// Reads what was stored.
    ///
    /// # Errors
    /// When the bytes are not such a content in canonical form.
    pub fn restore(bytes: Vec<u8>) -> Result<Self, JcsError> {
        let content: T = serde_json::from_slice(&bytes).map_err(|e| JcsError::Invalid(e.to_string()))?;
        if jcs::to_bytes(&content)? != bytes {
            return Err(JcsError::NotCanonical);
        }
        Ok(Self { sha256: Digest::of(&bytes), content, bytes })
    }
}

impl<T> Frozen<T> {
    /// What it says.
    #[must_use]
    pub const fn content(&self) -> &T {
        &self.content
    }

    /// Its canonical bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What is approved.
    #[must_use]
    pub const fn sha256(&self) -> Digest {
        self.sha256
    }
}
