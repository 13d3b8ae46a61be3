//! A statement that somebody presents, and every check that it has to pass.
//!
//! Order: the envelope is read (canonical, `typ`, `kid`, no unknown member), the log is ours, the key is
//! registered and its owner's, the party and the assurance are those of the key, the signature verifies
//! strictly, and what the signer says to have seen was published by this log. What a statement says
//! beyond that is judged by the use case that takes it.

use std::collections::BTreeMap;

use super::checkpoint::TreeHead;
use super::jws::{Jws, JwsError};
use super::key::{KeyError, PublicKey};
use super::leaf::LeafKind;
use super::merkle::empty_root;
use super::registry::SigningKey;
use super::statement::{Assurance, PartyId, ProofError, Statement, StatementError};
use crate::kernel::Digest;
use crate::kernel::fault::Reason;
use crate::store::{StoreError, UnitOfWork};

/// Why a presented statement is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementRefusal {
    /// The envelope or the statement in it cannot be read.
    #[error(transparent)]
    Unreadable(#[from] StatementError),
    /// A statement of another type.
    #[error("expected a statement of type {expected}, found {found}")]
    OtherType {
        /// What was needed.
        expected: &'static str,
        /// What was presented.
        found: &'static str,
    },
    /// Made for another log: a replay from elsewhere, or a wrong setting.
    #[error("the statement is for the log {found}; this one is {expected}")]
    OtherLog {
        /// The name of this log.
        expected: String,
        /// What the statement says.
        found: String,
    },
    /// The key in a registration is refused.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key is not registered, or is not the party's.
    #[error("no registered key of that kid may sign here")]
    UnknownKey,
    /// The key was rotated away or revoked before.
    #[error("the key is {0}: it signs nothing any more")]
    KeyEnded(&'static str),
    /// The next key of a rotation did not sign for exactly this rotation.
    #[error("the proof of the next key: {0}")]
    Possession(#[from] ProofError),
    /// The key promised another one as its next.
    #[error("this key promised another next key: rotate to that one, or revoke this one")]
    KeyNotPromised,
    /// Another party than the owner of the key, or than the other statement names.
    #[error("the statement names {found} where {expected} belongs")]
    OtherParty {
        /// Who belongs there.
        expected: String,
        /// Who is named.
        found: String,
    },
    /// The statement claims another assurance than its key has.
    #[error("the assurance must be {expected}")]
    OtherAssurance {
        /// What the key has.
        expected: &'static str,
    },
    /// Somebody else says of a member's key that it is the member's own.
    #[error("only the member itself registers a key as its own (self); for a member, register one as kept (custodial)")]
    NotOwn,
    /// The signature does not verify.
    #[error(transparent)]
    Signature(JwsError),
    /// The signer says to have seen a tree that is not published yet.
    #[error("the statement has seen {seen} leaves; {published} are published")]
    SeenAhead {
        /// What the statement says.
        seen: u64,
        /// What there is.
        published: u64,
    },
    /// The signer saw another tree of that size: a fork, or no checkpoint at all.
    #[error("this log never published the checkpoint of {seen} leaves that the statement has seen")]
    SeenElsewhere {
        /// What the statement says.
        seen: u64,
    },
    /// A member that this use has no place for, or one that is missing.
    #[error("{0}")]
    Content(&'static str),
}

impl Reason for StatementRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(StatementError::Envelope(error)) | Self::Signature(error) => envelope_code(error),
            Self::Unreadable(StatementError::Malformed(_)) | Self::Content(_) => "statement_malformed",
            Self::Unreadable(StatementError::OtherEnvelope { .. }) => "typ_mismatch",
            Self::Unreadable(StatementError::OtherKey { .. }) => "kid_mismatch",
            Self::OtherType { .. } => "statement_type_mismatch",
            Self::OtherLog { .. } => "log_mismatch",
            Self::Key(error) => error.code(),
            Self::UnknownKey => "unknown_key",
            Self::KeyEnded(_) => "key_ended",
            Self::Possession(_) => "possession_not_proved",
            Self::KeyNotPromised => "key_not_promised",
            Self::OtherParty { .. } => "party_mismatch",
            Self::OtherAssurance { .. } => "assurance_mismatch",
            Self::NotOwn => "not_own_key",
            Self::SeenAhead { .. } => "seen_in_the_future",
            Self::SeenElsewhere { .. } => "seen_not_published",
        }
    }
}

fn envelope_code(error: &JwsError) -> &'static str {
    match error {
        JwsError::Malformed => "envelope_malformed",
        JwsError::Header => "header_invalid",
        JwsError::Payload(_) => "payload_not_canonical",
        JwsError::OtherType { .. } => "typ_mismatch",
        JwsError::OtherKey { .. } => "kid_mismatch",
        JwsError::Signature(error) => error.code(),
        JwsError::Signer(_) => "signer_unavailable",
    }
}

/// A statement that was read and is for this log; its signature counts only after [`Presented::judge`].
#[derive(Clone)]
pub struct Presented {
    envelope: String,
    jws: Jws,
    statement: Statement,
}

impl Presented {
    /// Reads an envelope that must hold a statement of one type, for the log of that name.
    ///
    /// # Errors
    /// See [`StatementRefusal`].
    pub fn read(envelope: &str, expected: LeafKind, origin: &str) -> Result<Self, StatementRefusal> {
        let (jws, statement) = Statement::parse(envelope)?;
        if statement.kind() != expected {
            let found = statement.kind().as_str();
            return Err(StatementRefusal::OtherType { expected: expected.as_str(), found });
        }
        if statement.log() != origin {
            let (expected, found) = (origin.to_owned(), statement.log().to_owned());
            return Err(StatementRefusal::OtherLog { expected, found });
        }
        Ok(Self { envelope: envelope.to_owned(), jws, statement })
    }

    /// The statement.
    #[must_use]
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The envelope, byte for byte.
    #[must_use]
    pub fn envelope(&self) -> &str {
        &self.envelope
    }

    /// The digest of the envelope, signature included.
    #[must_use]
    pub fn envelope_digest(&self) -> Digest {
        Digest::of(self.envelope.as_bytes())
    }

    /// The digest of the payload: what deduplication goes by.
    #[must_use]
    pub fn payload_digest(&self) -> Digest {
        self.jws.payload_digest()
    }

    /// The thumbprint of the key that claims to have signed.
    #[must_use]
    pub fn kid(&self) -> &str {
        self.jws.kid()
    }

    /// Checks the signature under a key.
    ///
    /// # Errors
    /// [`StatementRefusal::Signature`].
    pub fn verify(&self, key: &PublicKey) -> Result<(), StatementRefusal> {
        self.jws.verify(key, self.statement.typ()).map_err(StatementRefusal::Signature)
    }

    /// Checks that the owner of a registered key signed, as itself, with the assurance of that key, and
    /// that what it has seen is of this log.
    ///
    /// # Errors
    /// See [`StatementRefusal`].
    pub fn judge(
        &self,
        key: &SigningKey,
        (party, assurance): (&PartyId, Assurance),
        heads: &Heads,
    ) -> Result<(), StatementRefusal> {
        expect_party(&key.owner.party(), party)?;
        if assurance != key.assurance {
            return Err(StatementRefusal::OtherAssurance { expected: key.assurance.as_str() });
        }
        self.verify(&key.public)?;
        self.statement.seen().map_or(Ok(()), |seen| heads.check(seen))
    }
}

/// Refuses a key that was rotated away or revoked: its holder signed too late. Asked once it is clear that the statement
/// is a new one, since what was taken before stays taken.
///
/// # Errors
/// [`StatementRefusal::KeyEnded`].
pub fn expect_active(key: &SigningKey) -> Result<(), StatementRefusal> {
    if key.is_active() { Ok(()) } else { Err(StatementRefusal::KeyEnded(key.status())) }
}

/// Refuses unless the named party is the one that belongs there.
///
/// # Errors
/// [`StatementRefusal::OtherParty`].
pub fn expect_party(expected: &PartyId, found: &PartyId) -> Result<(), StatementRefusal> {
    if expected == found {
        return Ok(());
    }
    Err(StatementRefusal::OtherParty { expected: expected.to_string(), found: found.to_string() })
}

/// What the log has published, as far as some statements say to have seen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heads {
    published: TreeHead,
    known: BTreeMap<u64, Digest>,
}

impl Heads {
    /// The published head and the checkpoints that are known.
    #[must_use]
    pub fn new(published: TreeHead, known: &[TreeHead]) -> Self {
        let mut known: BTreeMap<u64, Digest> = known.iter().map(|head| (head.size, head.root)).collect();
        known.insert(0, empty_root());
        known.insert(published.size, published.root);
        Self { published, known }
    }

    /// Looks up what statements have seen: one query.
    ///
    /// # Errors
    /// The failure of the store.
    pub fn find<'p>(
        uow: &mut dyn UnitOfWork,
        published: TreeHead,
        presented: impl Iterator<Item = &'p Presented>,
    ) -> Result<Self, StoreError> {
        let mut sizes: Vec<u64> = presented.filter_map(|p| p.statement.seen().map(|seen| seen.size)).collect();
        sizes.retain(|size| *size > 0 && *size < published.size);
        sizes.sort_unstable();
        sizes.dedup();
        let known = if sizes.is_empty() { Vec::new() } else { uow.keys().find_heads(&sizes)? };
        Ok(Self::new(published, &known))
    }

    /// Refuses a head that is ahead of the log or was never published.
    ///
    /// # Errors
    /// [`StatementRefusal::SeenAhead`], [`StatementRefusal::SeenElsewhere`].
    pub fn check(&self, seen: &TreeHead) -> Result<(), StatementRefusal> {
        if seen.size > self.published.size {
            return Err(StatementRefusal::SeenAhead { seen: seen.size, published: self.published.size });
        }
        if self.known.get(&seen.size) == Some(&seen.root) {
            Ok(())
        } else {
            Err(StatementRefusal::SeenElsewhere { seen: seen.size })
        }
    }
}
