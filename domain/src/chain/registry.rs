//! The registry of public signing keys, and the declarations that organisations sign with them.
//!
//! A key belongs to one organisation or one member, for ever; the registry is append-only, and each key
//! and each declaration has its leaf in the lane of its owner.

use super::checkpoint::TreeHead;
use super::key::PublicKey;
use super::statement::{Assurance, PartyId};
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

/// A registered public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Its id: the source of its leaf.
    pub id: SigningKeyId,
    /// Whose it is.
    pub owner: KeyOwner,
    /// Whose hand it is in.
    pub assurance: Assurance,
    /// The key.
    pub public: PublicKey,
    /// SHA-256 of the next public key's 32 bytes (pre-rotation).
    pub next: Option<Digest>,
    /// When it was registered.
    pub created_at: Instant,
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

    /// Which of these members have a key of their own.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_members_with_keys(&mut self, members: &[MemberId]) -> Result<Vec<MemberId>, StoreError>;

    /// Keeps a new key.
    ///
    /// # Errors
    /// `signing_key_kid_taken`.
    fn append_key(&mut self, key: &SigningKey) -> Result<(), StoreError>;

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
    fn list_keys(&mut self, page: &PageRequest) -> Result<Page<SigningKey>, StoreError>;

    /// One key, if the viewer may see it.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_key(&mut self, id: SigningKeyId) -> Result<Option<SigningKey>, StoreError>;
}
