//! What people and the platform sign.
//!
//! Every statement names its `type`, its version, the log it is for (so that it cannot be replayed to
//! another), 32 random bytes of `salt` (so that nobody guesses it from its hash), opaque party ids, and
//! the key that signs. Digests in statements are 64 hexadecimal digits; tree heads are as in
//! checkpoints; amounts are strings of minor units. Unknown members are refused, and a statement that
//! would not be written back byte for byte is refused.
//!
//! A handshake is `offer` → `accept` (digest of the whole offer envelope, signature included) → `seal`
//! (digests of both, agreement version, consent, disclosure, deal, frozen participants).

use serde::{Deserialize, Serialize};

pub use super::approval::{AgreementApproval, PayoutApproval};
use super::checkpoint::TreeHead;
use super::encoding::b64url;
use super::jws::{self, Jws, JwsError};
use super::key::Jwk;
use super::leaf::LeafKind;
pub use super::parts::{AgreementRef, Amount, Assurance, Declared, Participant, PartyId, Salt};
use super::signer::Signer;
use crate::digest::Digest;
use crate::ids::{DealId, DealImportId, HandshakeId};
use crate::jcs;

/// The version of every statement so far.
pub const VERSION: u8 = 1;

/// Why a statement is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// The envelope.
    #[error(transparent)]
    Envelope(#[from] JwsError),
    /// Not a statement of a known type with exactly its members.
    #[error("not a statement: {0}")]
    Malformed(String),
    /// Signed as another type of envelope than the statement needs.
    #[error("a statement of type {statement} cannot be in an envelope of type {envelope}")]
    OtherEnvelope {
        /// The type of the statement.
        statement: &'static str,
        /// `typ` of the envelope.
        envelope: String,
    },
    /// The statement names another key than the envelope.
    #[error("the statement names key {statement}, its envelope key {envelope}")]
    OtherKey {
        /// `kid` in the statement.
        statement: String,
        /// `kid` in the envelope.
        envelope: String,
    },
}

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
    /// [`VERSION`].
    pub v: u8,
}

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
    /// [`VERSION`].
    pub v: u8,
}

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
    /// [`VERSION`].
    pub v: u8,
    /// The expected value of the deal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Amount>,
}

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
    /// [`VERSION`].
    pub v: u8,
}

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
    /// [`VERSION`].
    pub v: u8,
}

/// Any statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Statement {
    /// See [`KeyRegistration`].
    KeyRegistration(KeyRegistration),
    /// See [`ImportDeclaration`].
    ImportDeclaration(ImportDeclaration),
    /// See [`Offer`].
    Offer(Offer),
    /// See [`Accept`].
    Accept(Accept),
    /// See [`Seal`].
    Seal(Box<Seal>),
    /// See [`AgreementApproval`].
    AgreementApproval(AgreementApproval),
    /// See [`PayoutApproval`].
    PayoutApproval(PayoutApproval),
}

impl Statement {
    /// The kind of its leaf, whose name is also its `type`.
    #[must_use]
    pub const fn kind(&self) -> LeafKind {
        match self {
            Self::KeyRegistration(_) => LeafKind::KeyRegistration,
            Self::ImportDeclaration(_) => LeafKind::ImportDeclaration,
            Self::Offer(_) => LeafKind::Offer,
            Self::Accept(_) => LeafKind::Accept,
            Self::Seal(_) => LeafKind::Seal,
            Self::AgreementApproval(_) => LeafKind::AgreementApproval,
            Self::PayoutApproval(_) => LeafKind::PayoutApproval,
        }
    }

    /// `typ` of its envelope.
    #[must_use]
    pub const fn typ(&self) -> &'static str {
        match self {
            Self::KeyRegistration(_) => "flip360-key+jws",
            Self::ImportDeclaration(_) => "flip360-import+jws",
            Self::Offer(_) | Self::Accept(_) | Self::Seal(_) => "flip360-handshake+jws",
            Self::AgreementApproval(_) | Self::PayoutApproval(_) => "flip360-approval+jws",
        }
    }

    /// The origin of the log that it is for.
    #[must_use]
    pub fn log(&self) -> &str {
        match self {
            Self::KeyRegistration(s) => &s.log,
            Self::ImportDeclaration(s) => &s.log,
            Self::Offer(s) => &s.log,
            Self::Accept(s) => &s.log,
            Self::Seal(s) => &s.log,
            Self::AgreementApproval(s) => &s.log,
            Self::PayoutApproval(s) => &s.log,
        }
    }

    /// The key that signs it.
    #[must_use]
    pub fn kid(&self) -> &str {
        match self {
            Self::KeyRegistration(s) => &s.kid,
            Self::ImportDeclaration(s) => &s.kid,
            Self::Offer(s) => &s.kid,
            Self::Accept(s) => &s.kid,
            Self::Seal(s) => &s.kid,
            Self::AgreementApproval(s) => &s.kid,
            Self::PayoutApproval(s) => &s.kid,
        }
    }

    /// The last checkpoint that the signer verified; a registration has none.
    #[must_use]
    pub const fn seen(&self) -> Option<&TreeHead> {
        match self {
            Self::KeyRegistration(_) => None,
            Self::ImportDeclaration(s) => Some(&s.seen),
            Self::Offer(s) => Some(&s.seen),
            Self::Accept(s) => Some(&s.seen),
            Self::Seal(s) => Some(&s.seen),
            Self::AgreementApproval(s) => Some(&s.seen),
            Self::PayoutApproval(s) => Some(&s.seen),
        }
    }

    /// How the signing party stands behind it; declarations and approvals are their signer's own.
    #[must_use]
    pub const fn assurance(&self) -> Assurance {
        match self {
            Self::KeyRegistration(s) => s.assurance,
            Self::ImportDeclaration(_) | Self::AgreementApproval(_) | Self::PayoutApproval(_) => Assurance::Own,
            Self::Offer(s) => s.assurance,
            Self::Accept(s) => s.assurance,
            Self::Seal(s) => s.assurance,
        }
    }

    const fn version(&self) -> u8 {
        match self {
            Self::KeyRegistration(s) => s.v,
            Self::ImportDeclaration(s) => s.v,
            Self::Offer(s) => s.v,
            Self::Accept(s) => s.v,
            Self::Seal(s) => s.v,
            Self::AgreementApproval(s) => s.v,
            Self::PayoutApproval(s) => s.v,
        }
    }

    /// Signs it: the envelope. `kid` must already name the signer's key.
    ///
    /// # Errors
    /// When the statement names another key, or the signer fails.
    pub fn sign(&self, signer: &dyn Signer) -> Result<String, StatementError> {
        let kid = signer.kid();
        if self.kid() != kid {
            return Err(StatementError::OtherKey { statement: self.kid().to_owned(), envelope: kid });
        }
        Ok(jws::sign(self, self.typ(), signer)?)
    }

    /// The bytes that a client signs: `header.payload`, both base64url, to which it adds `.signature`.
    ///
    /// # Errors
    /// When the statement has no canonical JSON.
    pub fn signing_input(&self) -> Result<String, StatementError> {
        let header = format!(r#"{{"alg":"Ed25519","kid":"{}","typ":"{}"}}"#, self.kid(), self.typ());
        let payload = jcs::to_bytes(self).map_err(JwsError::from)?;
        Ok(format!("{}.{}", b64url(header.as_bytes()), b64url(&payload)))
    }

    /// Reads the statement in an envelope; judges everything but the signature.
    ///
    /// # Errors
    /// See [`StatementError`].
    pub fn parse(envelope: &str) -> Result<(Jws, Self), StatementError> {
        let jws = Jws::parse(envelope)?;
        let malformed = |why: String| StatementError::Malformed(why);
        let statement: Self = serde_json::from_slice(jws.payload()).map_err(|e| malformed(e.to_string()))?;
        let written = jcs::to_bytes(&statement).map_err(|e| malformed(e.to_string()))?;
        if written != jws.payload() {
            return Err(malformed("a member is not written as it must be".to_owned()));
        }
        if statement.version() != VERSION {
            return Err(malformed(format!("version {} is not known", statement.version())));
        }
        if jws.typ() != statement.typ() {
            let envelope = jws.typ().to_owned();
            return Err(StatementError::OtherEnvelope { statement: statement.kind().as_str(), envelope });
        }
        if jws.kid() != statement.kid() {
            let (statement, envelope) = (statement.kid().to_owned(), jws.kid().to_owned());
            return Err(StatementError::OtherKey { statement, envelope });
        }
        Ok((jws, statement))
    }
}
