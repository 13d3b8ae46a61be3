//! A handshake: offer, accept, seal, each committing to the whole envelope of the one before.

use serde::{Deserialize, Serialize};

use super::{Signed, signed, typ};
use crate::checkpoint::TreeHead;
use crate::digest::Digest;
use crate::ids::{DealId, HandshakeId};
use crate::leaf::LeafKind;
use crate::parts::{AgreementRef, Amount, Assurance, Declared, Participant, PartyId, Salt};

/// A referrer offers a referral to a counterparty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// How the offering party stands behind the signature.
    pub assurance: Assurance,
    /// SHA-256 of the import declaration's envelope; exactly when attested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declaration: Option<Digest>,
    /// The handshake.
    pub handshake: HandshakeId,
    /// The signing key: the party's, or the platform's when attested or custodial.
    pub kid: String,
    /// The origin of the log.
    pub log: String,
    /// The referrer, or who hands over.
    pub party: PartyId,
    /// SHA-256 of the seal's envelope that this hands over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// Who is referred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referred: Option<PartyId>,
    /// SHA-256 of what was said of the deal: of the line of the imported file, or of the referral's terms
    /// (see `deals::terms`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_sha256: Option<Digest>,
    /// Random.
    pub salt: Salt,
    /// The last checkpoint that the signer verified.
    pub seen: TreeHead,
    /// The counterparty, who is to accept.
    pub to: PartyId,
    /// [`super::VERSION`].
    pub v: u8,
    /// The expected value of the deal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Amount>,
}

signed!(Offer, HANDSHAKE, seen, assurance);

/// The counterparty accepts, countersigning the offer's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// How the accepting party stands behind the signature.
    pub assurance: Assurance,
    /// SHA-256 of the import declaration's envelope; exactly when attested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declaration: Option<Digest>,
    /// The handshake.
    pub handshake: HandshakeId,
    /// The signing key: the party's, or the platform's when attested.
    pub kid: String,
    /// The origin of the log.
    pub log: String,
    /// SHA-256 of the whole offer envelope.
    pub offer_sha256: Digest,
    /// Who accepts: `to` of the offer.
    pub party: PartyId,
    /// Random.
    pub salt: Salt,
    /// The last checkpoint that the signer verified.
    pub seen: TreeHead,
    /// [`super::VERSION`].
    pub v: u8,
}

signed!(Accept, HANDSHAKE, seen, assurance);

/// The platform seals: what was offered and accepted, under which terms, for which deal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// SHA-256 of the whole accept envelope.
    pub accept_sha256: Digest,
    /// The terms.
    pub agreement: AgreementRef,
    /// The weaker of the offer's and the accept's.
    pub assurance: Assurance,
    /// That the referred person consented.
    pub consent: Declared,
    /// The deal.
    pub deal: DealId,
    /// SHA-256 of the import declaration's envelope; exactly when attested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declaration: Option<Digest>,
    /// That the commission was disclosed.
    pub disclosure: Declared,
    /// The handshake.
    pub handshake: HandshakeId,
    /// The platform's signing key.
    pub kid: String,
    /// The origin of the log.
    pub log: String,
    /// SHA-256 of the whole offer envelope.
    pub offer_sha256: Digest,
    /// Who takes part.
    pub participants: Vec<Participant>,
    /// Always `platform`.
    pub party: PartyId,
    /// Random.
    pub salt: Salt,
    /// The last checkpoint that the signer verified.
    pub seen: TreeHead,
    /// [`super::VERSION`].
    pub v: u8,
}

signed!(Seal, HANDSHAKE, seen, assurance);
