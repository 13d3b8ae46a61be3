//! The declaration by which an organisation answers for a file of deals.

use serde::{Deserialize, Serialize};

use super::{Signed, signed, typ};
use crate::checkpoint::TreeHead;
use crate::digest::Digest;
use crate::ids::DealImportId;
use crate::leaf::LeafKind;
use crate::parts::{Declared, PartyId, Salt};

/// An organisation answers for a file of deals that it imports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportDeclaration {
    /// That the people in the file consented.
    pub consent: Declared,
    /// That commissions were disclosed to them.
    pub disclosure: Declared,
    /// SHA-256 of the file, byte for byte.
    pub file_sha256: Digest,
    /// The import, when it has an id yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<DealImportId>,
    /// The organisation's key.
    pub kid: String,
    /// The origin of the log.
    pub log: String,
    /// The organisation.
    pub organisation: PartyId,
    /// Random.
    pub salt: Salt,
    /// The last checkpoint that the signer verified.
    pub seen: TreeHead,
    /// [`super::VERSION`].
    pub v: u8,
}

signed!(ImportDeclaration, IMPORT, seen);
