//! The ports of erasures, and an erasure as it is kept.
//!
//! Bounds: one statement per call, whatever the number of deals.

use jiff::civil::Date;
use uuid::Uuid;

use super::erasure::{Footprint, Report};
use crate::kernel::ids::{ContactId, DealId, ErasureId, MemberId, PayeeId};
use crate::kernel::{Digest, Instant, Page, PageRequest};
use crate::store::StoreError;

/// An erasure as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureRecord {
    /// Its id: the source of its leaf.
    pub id: ErasureId,
    /// Whose.
    pub contact: ContactId,
    /// Leaves that lost what they commit to.
    pub leaves: u32,
    /// The digest of their commitments.
    pub commitments_sha256: Digest,
    /// What went and what stays.
    pub report: Report,
    /// Who erased.
    pub erased_by: Uuid,
    /// When.
    pub erased_at: Instant,
}

/// An erasure, to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenErasure {
    /// What was erased.
    pub record: ErasureRecord,
    /// The index of its leaf, once it has one.
    pub index: Option<u64>,
}

/// A secret of the log that can be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasableSecret {
    /// The statement, or the subject for its lane.
    pub source: Uuid,
    /// Whether it is an envelope; otherwise the secret of a lane.
    pub is_envelope: bool,
    /// The bytes of the leaf that commits to the envelope.
    pub leaf: Option<Vec<u8>>,
}

/// Erasures, inside a transaction.
pub trait ErasureRepository {
    /// Where a contact has left traces that are not erased yet.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_footprint(&mut self, contact: ContactId) -> Result<Footprint, StoreError>;

    /// Locks the deals of a contact, as client and as referrer, in the order of their ids: nobody signs a statement of
    /// them and nothing settles meanwhile. To be asked before the footprint, which is then that of one moment.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_deals(&mut self, contact: ContactId) -> Result<(), StoreError>;

    /// The secrets of these deals that are kept.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_erasable(&mut self, deals: &[DealId]) -> Result<Vec<ErasableSecret>, StoreError>;

    /// Keeps an erasure and what it names: the sources of leaves, the subjects of lanes.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_erasure(&mut self, erasure: &ErasureRecord, named: &[Uuid]) -> Result<(), StoreError>;

    /// Takes away the secrets that an erasure names. Returns how many there were.
    ///
    /// # Errors
    /// `chain_secret_erased` unless this transaction keeps the erasure and adds its leaf to the log.
    fn erase_secrets(&mut self, erasure: ErasureId) -> Result<u64, StoreError>;

    /// Takes away the digests of what sources said of deals: those of imported rows tell of the client's name to whoever
    /// guesses it.
    ///
    /// # Errors
    /// The failure of the store.
    fn erase_row_digests(&mut self, deals: &[DealId]) -> Result<(), StoreError>;

    /// Takes away the names, ABNs and accounts of payees, their papers, and what outsiders wrote of them: what Stripe
    /// told, what banks say of their payments; documents of banks, which are of many, if they are up to a day.
    ///
    /// # Errors
    /// `payee_erased` unless this transaction keeps the erasure, of a contact that is paid as them.
    fn erase_payees(&mut self, erasure: ErasureId, payees: &[PayeeId], up_to: Date) -> Result<(), StoreError>;

    /// Whether a contact is erased; nobody erases it until the transaction is over.
    ///
    /// # Errors
    /// The failure of the store.
    fn is_contact_erased(&mut self, contact: ContactId) -> Result<bool, StoreError>;

    /// Whether the contact of a member is erased; nobody erases it until the transaction is over.
    ///
    /// # Errors
    /// The failure of the store.
    fn is_member_erased(&mut self, member: MemberId) -> Result<bool, StoreError>;

    /// Whether a payee is erased. It is locked before.
    ///
    /// # Errors
    /// The failure of the store.
    fn is_payee_erased(&mut self, payee: PayeeId) -> Result<bool, StoreError>;
}

/// Erasures, to look up.
pub trait ErasureQueries {
    /// The erasures of a contact that the viewer may see, oldest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_erasures(&mut self, contact: ContactId, page: &PageRequest) -> Result<Page<SeenErasure>, StoreError>;
}
