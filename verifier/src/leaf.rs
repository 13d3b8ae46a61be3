//! Leaves: what the log holds, and lanes, which order the leaves of one subject.
//!
//! A leaf is canonical JSON of exactly `{"c","k","l","n","p","t","v"}`: commitment to the envelope,
//! kind, lane, sequence within the lane, hash of the lane's previous leaf (32 zero bytes for the
//! first), milliseconds since 1970, version. It holds nothing personal: the envelope is salted, and a
//! lane is the hash of a secret. `c`, `l` and `p` are standard base64. The previous leaf's hash is its
//! RFC 6962 leaf hash, so lanes chain what the tree holds.

use serde::{Deserialize, Serialize};

use super::encoding::{b64, digest_b64};
use super::merkle::leaf_hash;
use crate::digest::Digest;
use crate::instant::Instant;

const COMMITMENT: &[u8] = b"flip360/leaf/v1\0";
const LANE: &[u8] = b"flip360/lane/v1\0";
/// The version of every leaf so far.
pub const VERSION: u8 = 1;

/// What a leaf commits to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeafKind {
    /// A public key is registered.
    KeyRegistration,
    /// A key gives way to the next.
    KeyRotation,
    /// A key is no longer good.
    KeyRevocation,
    /// An organisation answers for an imported file.
    ImportDeclaration,
    /// First statement of a handshake.
    Offer,
    /// Second statement of a handshake.
    Accept,
    /// Third statement of a handshake.
    Seal,
    /// A balanced entry of the ledger.
    LedgerEntry,
    /// A version of an agreement is approved.
    AgreementApproval,
    /// A payout run is approved.
    PayoutApproval,
    /// A dispute is resolved.
    DisputeResolution,
    /// The guarantees were checked.
    GuaranteeRun,
    /// A tax paper is issued.
    TaxDocument,
    /// Envelopes, salts and lane secrets of a subject are gone.
    Erasure,
}

impl LeafKind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::KeyRegistration,
        Self::KeyRotation,
        Self::KeyRevocation,
        Self::ImportDeclaration,
        Self::Offer,
        Self::Accept,
        Self::Seal,
        Self::LedgerEntry,
        Self::AgreementApproval,
        Self::PayoutApproval,
        Self::DisputeResolution,
        Self::GuaranteeRun,
        Self::TaxDocument,
        Self::Erasure,
    ];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeyRegistration => "key_registration",
            Self::KeyRotation => "key_rotation",
            Self::KeyRevocation => "key_revocation",
            Self::ImportDeclaration => "import_declaration",
            Self::Offer => "offer",
            Self::Accept => "accept",
            Self::Seal => "seal",
            Self::LedgerEntry => "ledger_entry",
            Self::AgreementApproval => "agreement_approval",
            Self::PayoutApproval => "payout_approval",
            Self::DisputeResolution => "dispute_resolution",
            Self::GuaranteeRun => "guarantee_run",
            Self::TaxDocument => "tax_document",
            Self::Erasure => "erasure",
        }
    }

    /// Reads a kind.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl std::fmt::Display for LeafKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a leaf says of an envelope.
#[must_use]
pub fn commitment(envelope: &[u8]) -> Digest {
    Digest::of_parts(&[COMMITMENT, envelope])
}

/// The lane of a subject, from its random secret.
#[must_use]
pub fn lane(secret: &[u8; 32]) -> Digest {
    Digest::of_parts(&[LANE, secret])
}

/// Why bytes are not a leaf.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a leaf in canonical form")]
pub struct ParseLeafError;

/// The members of a leaf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// The commitment to the envelope.
    #[serde(rename = "c", with = "digest_b64")]
    pub commitment: Digest,
    /// The kind.
    #[serde(rename = "k")]
    pub kind: LeafKind,
    /// The lane.
    #[serde(rename = "l", with = "digest_b64")]
    pub lane: Digest,
    /// The sequence within the lane, from 0, without gaps.
    #[serde(rename = "n")]
    pub lane_seq: u64,
    /// The leaf hash of the lane's previous leaf; zero for the first.
    #[serde(rename = "p", with = "digest_b64")]
    pub previous: Digest,
    /// When the platform made it, in milliseconds since 1970: a claim, while the index is proof.
    #[serde(rename = "t")]
    pub at_ms: u64,
    /// [`VERSION`].
    #[serde(rename = "v")]
    pub version: u8,
}

impl Leaf {
    /// The bytes that the log holds: canonical JSON, since the members are in order and hold no
    /// character that would need an escape.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        format!(
            r#"{{"c":"{}","k":"{}","l":"{}","n":{},"p":"{}","t":{},"v":{}}}"#,
            b64(self.commitment.bytes()),
            self.kind,
            b64(self.lane.bytes()),
            self.lane_seq,
            b64(self.previous.bytes()),
            self.at_ms,
            self.version
        )
        .into_bytes()
    }

    /// Reads the bytes of a leaf; any other spelling is refused.
    ///
    /// # Errors
    /// [`ParseLeafError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseLeafError> {
        let leaf: Self = serde_json::from_slice(bytes).map_err(|_| ParseLeafError)?;
        if leaf.version == VERSION && leaf.to_bytes() == bytes { Ok(leaf) } else { Err(ParseLeafError) }
    }

    /// The RFC 6962 hash of its bytes.
    #[must_use]
    pub fn hash(&self) -> Digest {
        leaf_hash(&self.to_bytes())
    }
}

/// Where a lane stands: what its next leaf needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneHead {
    /// The lane.
    pub lane: Digest,
    /// The sequence of its next leaf.
    pub next_n: u64,
    /// The hash of its last leaf; zero before the first.
    pub last_leaf_hash: Digest,
}

impl LaneHead {
    /// A lane without leaves.
    #[must_use]
    pub const fn new(lane: Digest) -> Self {
        Self { lane, next_n: 0, last_leaf_hash: Digest([0; 32]) }
    }

    /// Makes the lane's next leaf, for an envelope, and moves on.
    pub fn append(&mut self, kind: LeafKind, envelope: &[u8], at: Instant) -> Leaf {
        let leaf = Leaf {
            commitment: commitment(envelope),
            kind,
            lane: self.lane,
            lane_seq: self.next_n,
            previous: self.last_leaf_hash,
            at_ms: u64::try_from(at.millis()).unwrap_or(0),
            version: VERSION,
        };
        self.last_leaf_hash = leaf.hash();
        self.next_n += 1;
        leaf
    }

    /// Whether a leaf is this lane's next one; moves on when it is.
    pub fn follow(&mut self, leaf: &Leaf) -> bool {
        let follows = leaf.lane == self.lane && leaf.lane_seq == self.next_n && leaf.previous == self.last_leaf_hash;
        if follows {
            self.last_leaf_hash = leaf.hash();
            self.next_n += 1;
        }
        follows
    }
}
