//! Statements about keys: a key is registered for a party.

use serde::{Deserialize, Serialize};

use super::{Signed, typ};
use crate::checkpoint::TreeHead;
use crate::digest::Digest;
use crate::key::Jwk;
use crate::leaf::LeafKind;
use crate::parts::{Assurance, PartyId, Salt};

/// Registers a key, signed by that very key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRegistration {
    /// Whose hand the key is in.
    pub assurance: Assurance,
    /// The key.
    pub jwk: Jwk,
    /// Its thumbprint.
    pub kid: String,
    /// The origin of the log.
    pub log: String,
    /// SHA-256 of the next public key's 32 bytes (pre-rotation).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Digest>,
    /// Whose key it is.
    pub party: PartyId,
    /// Random.
    pub salt: Salt,
    /// [`super::VERSION`].
    pub v: u8,
}

impl Signed for KeyRegistration {
    fn kind(&self) -> LeafKind {
        LeafKind::KeyRegistration
    }
    fn typ(&self) -> &'static str {
        typ::KEY
    }
    fn log(&self) -> &str {
        &self.log
    }
    fn kid(&self) -> &str {
        &self.kid
    }
    fn seen(&self) -> Option<&TreeHead> {
        None
    }
    fn version(&self) -> u8 {
        self.v
    }
    fn assurance(&self) -> Assurance {
        self.assurance
    }
}
