//! The registry of public signing keys, and the declarations that organisations sign with them.
//!
//! A key belongs to one organisation or one member, for ever; it begins once, by its registration or by a rotation to
//! it, and ends at most once, by a rotation away from it or a revocation. The registry is append-only, and each beginning,
//! each end and each declaration has its leaf in the lane of its owner (a rotation is both, and one leaf).
//!
//! Who takes a statement locks its key as signing, who ends a key locks it as ending ([`KeyLock`]), before either looks
//! at the key and until its transaction is over. So the leaves of one key are made in the order in which the log will
//! have them: no statement comes after its key's end. Order of locks: deals → keys → lanes.

use super::checkpoint::TreeHead;
use super::key::PublicKey;
use super::statement::{Assurance, PartyId, RevocationReason};
use crate::kernel::ids::{DeclarationId, MemberId, OrganisationId, SigningKeyId};
use crate::kernel::{Digest, Instant, Page, PageRequest};
use crate::store::StoreError;

/// Whose key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOwner {
    /// An organisation's.
    Organisation(OrganisationId),
    /// A member's.
    Member {
        /// The member.
        member: MemberId,
        /// Whose member it is.
        organisation: OrganisationId,
    },
}

impl KeyOwner {
    /// The organisation, or that of the member.
    #[must_use]
    pub const fn organisation(self) -> OrganisationId {
        match self {
            Self::Organisation(organisation) | Self::Member { organisation, .. } => organisation,
        }
    }

    /// The member, if it is a member's.
    #[must_use]
    pub const fn member(self) -> Option<MemberId> {
        match self {
            Self::Organisation(_) => None,
            Self::Member { member, .. } => Some(member),
        }
    }

    /// As which party the key signs.
    #[must_use]
    pub fn party(self) -> PartyId {
        match self {
            Self::Organisation(organisation) => PartyId::organisation(organisation),
            Self::Member { member, .. } => PartyId::member(member),
        }
    }

    /// Whose lane its registration goes into.
    #[must_use]
    pub const fn subject(self) -> uuid::Uuid {
        match self {
            Self::Organisation(organisation) => organisation.uuid(),
            Self::Member { member, .. } => member.uuid(),
        }
    }
}

/// How a key ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// It gave way to this one, whose leaf says so.
    Rotation(SigningKeyId),
    /// It was revoked, by a statement with this id.
    Revocation {
        /// The statement: the source of its leaf.
        id: uuid::Uuid,
        /// Why.
        reason: RevocationReason,
    },
}

/// The end of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEnd {
    /// How.
    pub by: EndedBy,
    /// The key that signed the statement.
    pub kid: String,
    /// How its party stands behind the statement; `attested`: the platform signed on somebody's word.
    pub assurance: Assurance,
    /// The digest of the statement's payload: the same one is the same end.
    pub payload_sha256: Digest,
    /// When the statement was taken: a claim, while the index of its leaf is proof.
    pub at: Instant,
}

impl KeyEnd {
    /// The source of its leaf.
    #[must_use]
    pub const fn source(&self) -> uuid::Uuid {
        match self.by {
            EndedBy::Rotation(successor) => successor.uuid(),
            EndedBy::Revocation { id, .. } => id,
        }
    }
}

/// How often a key may have given way to the next, at most: a receipt holds every rotation up to the key that signed.
pub const MOST_ROTATIONS: u16 = 64;

/// A registered public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Its id: the source of the leaf by which it began.
    pub id: SigningKeyId,
    /// Whose it is.
    pub owner: KeyOwner,
    /// Whose hand it is in.
    pub assurance: Assurance,
    /// The key.
    pub public: PublicKey,
    /// SHA-256 of the next public key's 32 bytes (pre-rotation).
    pub next: Option<Digest>,
    /// The key that gave way to it; none when it was registered by itself.
    pub replaces: Option<SigningKeyId>,
    /// The first key of its succession: itself when it was registered by itself.
    pub first: SigningKeyId,
    /// How many rotations lie between the first key and this one.
    pub rotations: u16,
    /// When it was registered or rotated to.
    pub created_at: Instant,
    /// Its end.
    pub end: Option<KeyEnd>,
}

impl SigningKey {
    /// Whether it may sign.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.end.is_none()
    }

    /// `active`, `rotated`, `revoked`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self.end.as_ref().map(|end| end.by) {
            None => "active",
            Some(EndedBy::Rotation(_)) => "rotated",
            Some(EndedBy::Revocation { .. }) => "revoked",
        }
    }
}

/// A key with the places of its events in the log, as far as they have one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenKey {
    /// The key.
    pub key: SigningKey,
    /// The leaf of its registration, or of the rotation to it.
    pub index: Option<u64>,
    /// The leaf of its end.
    pub end_index: Option<u64>,
}

/// What keys are locked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyLock {
    /// A statement under them is taken: many may do so at once.
    Signing,
    /// One of them ends: nobody else signs with them or ends them meanwhile.
    Ending,
}

/// An organisation answers for an imported file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// Its id: the source of its leaf.
    pub id: DeclarationId,
    /// The organisation.
    pub organisation: OrganisationId,
    /// The key that signed.
    pub kid: String,
    /// The digest of the file, byte for byte.
    pub file_sha256: Digest,
    /// The digest of the payload: the same one is one declaration.
    pub payload_sha256: Digest,
    /// The digest of the envelope: what statements of the import refer to.
    pub envelope_sha256: Digest,
    /// When it was made.
    pub created_at: Instant,
}

/// Keys and declarations, inside a transaction.
pub trait KeyRepository {
    /// The keys with these thumbprints.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_keys(&mut self, kids: &[String]) -> Result<Vec<SigningKey>, StoreError>;

    /// Locks keys until the transaction is over, whether or not they exist yet, in one order; then reads those that exist.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_keys(&mut self, kids: &[String], lock: KeyLock) -> Result<Vec<SigningKey>, StoreError>;

    /// The key with this id.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_key(&mut self, id: SigningKeyId) -> Result<Option<SigningKey>, StoreError>;

    /// Which of these members have a key of their own that may sign.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_members_with_keys(&mut self, members: &[MemberId]) -> Result<Vec<MemberId>, StoreError>;

    /// Keeps a new key.
    ///
    /// # Errors
    /// `signing_key_kid_taken`.
    fn append_key(&mut self, key: &SigningKey) -> Result<(), StoreError>;

    /// Ends a key.
    ///
    /// # Errors
    /// `signing_key_end_pkey` when it has ended already.
    fn append_end(&mut self, key: SigningKeyId, end: &KeyEnd) -> Result<(), StoreError>;

    /// The envelope that was kept for a source, until it is erased.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_envelope(&mut self, source: uuid::Uuid) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps a new declaration.
    ///
    /// # Errors
    /// `import_declaration_seen`, `import_declaration_envelope_taken`.
    fn append_declaration(&mut self, declaration: &Declaration) -> Result<(), StoreError>;

    /// The declaration whose envelope has this digest.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_declaration(&mut self, envelope_sha256: Digest) -> Result<Option<Declaration>, StoreError>;

    /// The declaration whose payload has this digest.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_declaration_by_payload(&mut self, payload_sha256: Digest) -> Result<Option<Declaration>, StoreError>;

    /// The checkpoints of these sizes, those that there are.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_heads(&mut self, sizes: &[u64]) -> Result<Vec<TreeHead>, StoreError>;
}

/// Keys, to look up.
pub trait KeyQueries {
    /// A page of the keys that the viewer may see, the oldest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_keys(&mut self, page: &PageRequest) -> Result<Page<SeenKey>, StoreError>;

    /// One key, if the viewer may see it.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_key(&mut self, id: SigningKeyId) -> Result<Option<SeenKey>, StoreError>;
}
