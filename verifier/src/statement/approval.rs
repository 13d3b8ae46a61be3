//! Approvals that two people stand behind: the platform signs who approved what, by its digest.

use serde::{Deserialize, Serialize};

use super::{Signed, signed, typ};
use crate::checkpoint::TreeHead;
use crate::digest::Digest;
use crate::ids::{AgreementId, PayoutRunId};
use crate::leaf::LeafKind;
use crate::parts::{Amount, Salt};

/// The platform states that a version of an agreement was approved by somebody else than its author: what is approved
/// is the digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementApproval {
    /// The codes of the warnings that the approver took note of.
    pub acknowledged: Vec<String>,
    /// The agreement.
    pub agreement: AgreementId,
    /// The user or API client that approved.
    pub approved_by: uuid::Uuid,
    /// SHA-256 of the version's canonical content.
    pub content_sha256: Digest,
    /// The platform's signing key.
    pub kid: String,
    /// The origin of the log.
    pub log: String,
    /// The number of the version.
    pub number: u32,
    /// The user or API client that proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed_by: Option<uuid::Uuid>,
    /// Random.
    pub salt: Salt,
    /// The last checkpoint that the signer verified.
    pub seen: TreeHead,
    /// [`super::VERSION`].
    pub v: u8,
}

/// The platform states that a payout run was approved by two people: what is approved is the digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayoutApproval {
    /// The user or API client that approved.
    pub approved_by: uuid::Uuid,
    /// SHA-256 of the run's canonical content.
    pub content_sha256: Digest,
    /// The platform's signing key.
    pub kid: String,
    /// The origin of the log.
    pub log: String,
    /// How many payees are paid.
    pub payouts: u32,
    /// The user or API client that proposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed_by: Option<uuid::Uuid>,
    /// The run.
    pub run: PayoutRunId,
    /// Random.
    pub salt: Salt,
    /// The last checkpoint that the signer verified.
    pub seen: TreeHead,
    /// What is paid in all.
    pub total: Amount,
    /// [`super::VERSION`].
    pub v: u8,
}

signed!(AgreementApproval, APPROVAL, seen);

signed!(PayoutApproval, APPROVAL, seen);
