//! Receipts: everything that a stranger needs to check offline one handshake, ledger entry, approval, run of the
//! guarantees or tax paper.
//!
//! A receipt is canonical JSON (RFC 8785) with exactly these members: `checkpoint` (the signed note),
//! `declaration` (for imported deals, when the holder may see it), `id`, `items` (what is proved, each
//! with its exact bytes, its leaf, its index and the inclusion proof), `keys` (the registrations of
//! keys that signed), `kind`, `log`, `type`, `v`. Any other spelling is refused, so that no byte of a
//! receipt is without meaning. It holds no root of trust: that comes from elsewhere ([`super::trust`]).
//! Bound: 1 MB.

use serde::{Deserialize, Serialize};

use super::encoding::digests_b64;
use crate::digest::Digest;
use crate::jcs::{self, JcsError};

/// `type` of every receipt.
pub const TYPE: &str = "flip360_receipt";
/// The version of every receipt so far.
pub const VERSION: u8 = 1;
/// The longest receipt, in bytes.
pub const MAX_BYTES: usize = 1_000_000;

/// What a receipt is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptKind {
    /// Offer, accept and seal.
    Handshake,
    /// One balanced entry.
    LedgerEntry,
    /// A version of an agreement was approved.
    AgreementApproval,
    /// A payout run was approved.
    PayoutApproval,
    /// The guarantees were checked.
    GuaranteeRun,
    /// A tax paper was issued.
    TaxDocument,
}

impl ReceiptKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Handshake,
        Self::LedgerEntry,
        Self::AgreementApproval,
        Self::PayoutApproval,
        Self::GuaranteeRun,
        Self::TaxDocument,
    ];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::LedgerEntry => "ledger_entry",
            Self::AgreementApproval => "agreement_approval",
            Self::PayoutApproval => "payout_approval",
            Self::GuaranteeRun => "guarantee_run",
            Self::TaxDocument => "tax_document",
        }
    }

    /// Reads a kind.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Something that was logged, and the proof that it was.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logged {
    /// The exact bytes that the leaf commits to: a JWS, or the canonical JSON of an entry or a paper.
    pub envelope: String,
    /// The index of the leaf.
    pub index: u64,
    /// The exact bytes of the leaf.
    pub leaf: String,
    /// The inclusion proof under the receipt's checkpoint: base64, from the leaf upwards.
    #[serde(with = "digests_b64")]
    pub proof: Vec<Digest>,
}

/// A receipt.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The signed checkpoint that everything is proved under.
    pub checkpoint: String,
    /// The importing organisation's declaration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declaration: Option<Logged>,
    /// `handshake_…`, `entry_…`, `agreement_…-N` for a version, `run_…`, `grun_…`, `taxdoc_…`.
    pub id: String,
    /// What is proved: offer, accept, seal; or the one entry, approval, report or paper.
    pub items: Vec<Logged>,
    /// Registrations of the keys that signed, the platform's left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Logged>,
    /// What it is of.
    pub kind: ReceiptKind,
    /// The origin of the log.
    pub log: String,
    /// [`TYPE`].
    pub r#type: String,
    /// [`VERSION`].
    pub v: u8,
}

/// Why bytes are not a receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Longer than [`MAX_BYTES`].
    #[error("a receipt has at most {MAX_BYTES} bytes")]
    TooLong,
    /// Not canonical JSON.
    #[error(transparent)]
    Canonical(#[from] JcsError),
    /// Not exactly the members of a receipt.
    #[error("not a receipt: {0}")]
    Malformed(String),
}

impl Receipt {
    /// Reads a receipt. Judges its form only: see [`super::verify::verify`].
    ///
    /// # Errors
    /// See [`ReceiptError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        if bytes.len() > MAX_BYTES {
            return Err(ReceiptError::TooLong);
        }
        let receipt: Self = serde_json::from_slice(bytes).map_err(|e| ReceiptError::Malformed(e.to_string()))?;
        if receipt.r#type != TYPE || receipt.v != VERSION {
            return Err(ReceiptError::Malformed(format!("expected {TYPE} version {VERSION}")));
        }
        // Refuses every other spelling: order, spaces, escapes, an empty list for an absent one.
        if receipt.to_bytes()? == bytes { Ok(receipt) } else { Err(JcsError::NotCanonical.into()) }
    }

    /// The bytes of the receipt.
    ///
    /// # Errors
    /// Never for typed values; the signature keeps the failure visible.
    pub fn to_bytes(&self) -> Result<Vec<u8>, JcsError> {
        jcs::to_bytes(self)
    }
}
