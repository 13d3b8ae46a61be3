//! What the log holds of a tax paper: a statement that names the paper by its number and the digest of its text.
//!
//! The paper itself names people and stays with those whom it is for; the statement holds ids, a digest and a salt, so
//! that nobody guesses a paper from its leaf. It is signed by nobody but the log, as an entry of the ledger is. The id of
//! a paper is made of its digest, and each statement names the digest of the paper before, so that one statement commits
//! to its paper and to every paper before it. Strict: exactly these members in canonical form (RFC 8785).

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ids::{PayeeId, PayoutId, TaxDocumentId};
use crate::jcs::{self, JcsError};
use crate::parts::Salt;

/// `type` of every statement of a paper.
pub const TYPE: &str = "tax_document_issued";
/// The version of every one so far.
pub const VERSION: u8 = 1;

/// Why bytes are not the statement of a paper.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the statement of a tax paper: {0}")]
pub struct LoggedPaperError(pub String);

/// A paper as it was logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedPaper {
    /// SHA-256 of its text.
    pub content_sha256: Digest,
    /// Its id, made of that digest.
    pub id: TaxDocumentId,
    /// The day on which it is issued.
    pub issued_on: Date,
    /// Its kind.
    pub kind: String,
    /// The name of the log.
    pub log: String,
    /// Its number.
    pub number: String,
    /// The payee.
    pub payee: PayeeId,
    /// The payout that it goes with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<PayoutId>,
    /// SHA-256 of the text of the paper before.
    pub previous_sha256: Digest,
    /// 32 random bytes.
    pub salt: Salt,
    /// Its place among all papers, from 1 without gaps.
    pub seq: i64,
    /// [`TYPE`].
    pub r#type: String,
    /// [`VERSION`].
    pub v: u8,
}

impl LoggedPaper {
    /// Reads the bytes.
    ///
    /// # Errors
    /// [`LoggedPaperError`], with the reason.
    pub fn parse(bytes: &[u8]) -> Result<Self, LoggedPaperError> {
        let refused = |why: String| LoggedPaperError(why);
        let paper: Self = serde_json::from_slice(bytes).map_err(|e| refused(e.to_string()))?;
        if paper.r#type != TYPE || paper.v != VERSION {
            return Err(refused(format!("expected {TYPE} version {VERSION}")));
        }
        if paper.to_bytes().map_err(|e| refused(e.to_string()))? != bytes {
            return Err(refused("a member is not written as it must be".to_owned()));
        }
        if paper.id != id_of(paper.content_sha256) {
            return Err(refused("its id is not made of its digest".to_owned()));
        }
        Ok(paper)
    }

    /// The bytes that its leaf commits to.
    ///
    /// # Errors
    /// Never for typed values; the signature keeps the failure visible.
    pub fn to_bytes(&self) -> Result<Vec<u8>, JcsError> {
        jcs::to_bytes(self)
    }
}

/// The id of the paper with this digest: 122 bits of it, as RFC 9562 wants a version 8.
#[must_use]
pub fn id_of(sha256: Digest) -> TaxDocumentId {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&sha256.bytes()[..16]);
    TaxDocumentId::new(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}
