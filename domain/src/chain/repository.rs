//! The ports of the log: lanes and pending leaves for writers, the tree for the sequencer.

use uuid::Uuid;

use super::checkpoint::TreeHead;
use super::leaf::{LaneHead, LeafKind};
use super::published::TreeRows;
use super::tile::FullTile;
use crate::kernel::{Digest, Instant};
use crate::store::StoreError;

/// A lane and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubjectLane {
    /// The deal, payee or organisation.
    pub subject: Uuid,
    /// Where the lane stands.
    pub head: LaneHead,
}

/// A secret that an erasure takes away.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// The statement, or the subject for its lane.
    pub source: Uuid,
    /// Whose it is.
    pub subject: Uuid,
    /// `lane` or `envelope`.
    pub kind: &'static str,
    /// The secret itself.
    pub bytes: Vec<u8>,
}

/// A leaf that waits for its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingLeaf {
    /// What it commits to.
    pub source: Uuid,
    /// The kind.
    pub kind: LeafKind,
    /// Its lane.
    pub lane: Digest,
    /// Its place in the lane.
    pub lane_seq: u64,
    /// Its bytes.
    pub leaf: Vec<u8>,
    /// When it was made.
    pub created_at: Instant,
}

/// The log, inside a transaction.
pub trait ChainRepository: TreeRows {
    /// Locks the lanes of subjects, in the order of their ids; a subject without lane is left out.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_lanes(&mut self, subjects: &[Uuid]) -> Result<Vec<SubjectLane>, StoreError>;

    /// Makes new lanes.
    ///
    /// # Errors
    /// [`StoreError::Contention`] when another transaction made one of them first.
    fn insert_lanes(&mut self, lanes: &[SubjectLane]) -> Result<(), StoreError>;

    /// Moves lanes on.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_lanes(&mut self, lanes: &[SubjectLane]) -> Result<(), StoreError>;

    /// Keeps envelopes and lane secrets.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_secrets(&mut self, secrets: &[Secret]) -> Result<(), StoreError>;

    /// Adds leaves that wait for their index.
    ///
    /// # Errors
    /// `chain_pending_source_taken`, `chain_leaf_source_taken` when a source is logged already.
    fn append_pending(&mut self, leaves: &[PendingLeaf]) -> Result<(), StoreError>;

    /// Locks the head of the tree; one sequencer at a time passes.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_head(&mut self) -> Result<TreeHead, StoreError>;

    /// Takes the oldest pending leaves away, at most so many.
    ///
    /// # Errors
    /// The failure of the store.
    fn take_pending(&mut self, limit: u32) -> Result<Vec<PendingLeaf>, StoreError>;

    /// Gives leaves their indexes, densely from `first_index`.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_leaves(&mut self, first_index: u64, leaves: &[PendingLeaf], hashes: &[Digest]) -> Result<(), StoreError>;

    /// Keeps full tiles.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_tiles(&mut self, tiles: &[FullTile]) -> Result<(), StoreError>;

    /// Moves the head from one size to the next and keeps the unsigned checkpoint.
    ///
    /// # Errors
    /// [`StoreError::Contention`] when the head is not at `from_size` any more.
    fn advance_head(&mut self, from_size: u64, to: &TreeHead, body: &str, at: Instant) -> Result<(), StoreError>;

    /// Keeps a signed checkpoint; the same one twice is one.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_note(&mut self, size: u64, note: &str) -> Result<(), StoreError>;
}
