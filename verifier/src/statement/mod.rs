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

use super::checkpoint::TreeHead;
use super::encoding::b64url;
use super::jws::{self, Jws, JwsError};
use super::leaf::LeafKind;
pub use super::parts::{AgreementRef, Amount, Assurance, Declared, Participant, PartyId, Salt, VersionName};
use super::signer::Signer;
use crate::jcs;

mod approval;
pub mod erasure;
mod handshake;
mod import;
mod keys;

pub use approval::{AgreementApproval, PayoutApproval};
pub use erasure::Erasure;
pub use handshake::{Accept, Offer, Seal};
pub use import::ImportDeclaration;
pub use keys::{KeyRegistration, KeyRevocation, KeyRotation, ProofError, RevocationReason};

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

/// `typ` of envelopes, by what is in them.
mod typ {
    pub(super) const KEY: &str = "flip360-key+jws";
    pub(super) const PROOF: &str = "flip360-key-proof+jws";
    pub(super) const IMPORT: &str = "flip360-import+jws";
    pub(super) const HANDSHAKE: &str = "flip360-handshake+jws";
    pub(super) const APPROVAL: &str = "flip360-approval+jws";
    pub(super) const ERASURE: &str = "flip360-erasure+jws";
}

/// What every kind of statement has.
trait Signed {
    /// The kind of its leaf, whose name is also its `type`.
    fn kind(&self) -> LeafKind;
    /// `typ` of its envelope.
    fn typ(&self) -> &'static str;
    /// The origin of the log that it is for.
    fn log(&self) -> &str;
    /// The key that signs it.
    fn kid(&self) -> &str;
    /// The last checkpoint that the signer verified; a registration has none.
    fn seen(&self) -> Option<&TreeHead> {
        None
    }
    /// Its version.
    fn version(&self) -> u8;
    /// How the signing party stands behind it; declarations and approvals are their signer's own.
    fn assurance(&self) -> Assurance {
        Assurance::Own
    }
}

/// Tells the members that every statement has, and `seen` and `assurance` of those that have them. Its leaf's kind has its name.
macro_rules! signed {
    ($name:ident, $typ:ident $(, $member:ident)*) => {
        impl Signed for $name {
            fn kind(&self) -> LeafKind {
                LeafKind::$name
            }
            fn typ(&self) -> &'static str {
                typ::$typ
            }
            fn log(&self) -> &str {
                &self.log
            }
            fn kid(&self) -> &str {
                &self.kid
            }
            fn version(&self) -> u8 {
                self.v
            }
            $(signed!(@$member);)*
        }
    };
    (@seen) => {
        fn seen(&self) -> Option<&TreeHead> {
            Some(&self.seen)
        }
    };
    (@assurance) => {
        fn assurance(&self) -> Assurance {
            self.assurance
        }
    };
}
use signed;

/// Any statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Statement {
    /// See [`KeyRegistration`].
    KeyRegistration(KeyRegistration),
    /// See [`KeyRotation`].
    KeyRotation(Box<KeyRotation>),
    /// See [`KeyRevocation`].
    KeyRevocation(KeyRevocation),
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
    /// See [`Erasure`].
    Erasure(Erasure),
}

impl Statement {
    fn signed(&self) -> &dyn Signed {
        match self {
            Self::KeyRegistration(s) => s,
            Self::KeyRotation(s) => s.as_ref(),
            Self::KeyRevocation(s) => s,
            Self::ImportDeclaration(s) => s,
            Self::Offer(s) => s,
            Self::Accept(s) => s,
            Self::Seal(s) => s.as_ref(),
            Self::AgreementApproval(s) => s,
            Self::PayoutApproval(s) => s,
            Self::Erasure(s) => s,
        }
    }

    /// The kind of its leaf, whose name is also its `type`.
    #[must_use]
    pub fn kind(&self) -> LeafKind {
        self.signed().kind()
    }

    /// `typ` of its envelope.
    #[must_use]
    pub fn typ(&self) -> &'static str {
        self.signed().typ()
    }

    /// The origin of the log that it is for.
    #[must_use]
    pub fn log(&self) -> &str {
        self.signed().log()
    }

    /// The key that signs it.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.signed().kid()
    }

    /// The last checkpoint that the signer verified; a registration has none.
    #[must_use]
    pub fn seen(&self) -> Option<&TreeHead> {
        self.signed().seen()
    }

    /// How the signing party stands behind it; declarations and approvals are their signer's own.
    #[must_use]
    pub fn assurance(&self) -> Assurance {
        self.signed().assurance()
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
        if statement.signed().version() != VERSION {
            return Err(malformed(format!("version {} is not known", statement.signed().version())));
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
