//! What the log shows: its newest published checkpoint, its rows of hashes, its leaves, and what they
//! commit to.
//!
//! Rows of hashes are read from leaves (row 0) and full tiles (the rows above; where a row has no full
//! tile yet, from those of the row below): [`StoredRows`] asks the store each time, [`CachedRows`] reads whole tiles once, for many proofs over one size. Bounds: a
//! cache holds at most 4,096 tiles (32 MiB), a million leaves, and then begins again.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use uuid::Uuid;

use super::export::{ExportedLeaf, YoungerErasure};
use super::merkle::{HashReader, MerkleError, ROW_HEIGHT, root_of};
use super::statement::VersionName;
use super::tile::{self, TILE_WIDTH};
use crate::kernel::ids::{EntryId, ErasureId, GuaranteeRunId, HandshakeId, PayoutRunId, TaxDocumentId};
use crate::kernel::{Digest, Page, PageRequest};
use crate::store::StoreError;

/// Tiles that a cache holds.
const CACHED_TILES: usize = 4_096;

/// The rows of the tree as the store keeps them.
pub trait TreeRows {
    /// The hashes of the leaves of a range.
    ///
    /// # Errors
    /// The failure of the store.
    fn leaf_hashes(&mut self, from: u64, to: u64) -> Result<Vec<Digest>, StoreError>;

    /// The full tiles of a row whose index lies in the range, in order.
    ///
    /// # Errors
    /// The failure of the store.
    fn tiles(&mut self, row: u8, from: u64, to: u64) -> Result<Vec<Vec<u8>>, StoreError>;
}

/// A signed checkpoint, with the cosignatures that there are where it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedNote {
    /// The number of leaves.
    pub size: u64,
    /// The signed note.
    pub note: String,
}

/// A leaf that has its index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedLeaf {
    /// What it commits to.
    pub source: Uuid,
    /// Its index.
    pub index: u64,
    /// Its bytes.
    pub leaf: Vec<u8>,
}

/// What a leaf commits to, as it is kept; gone after an erasure.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptEnvelope {
    /// The statement: the source of its leaf.
    pub source: Uuid,
    /// The envelope.
    pub envelope: Option<Vec<u8>>,
    /// Whether an erasure took it away; an envelope that is missing without one was lost.
    pub erased: bool,
}

/// The statements of a handshake: offer, accept, seal, as many as there are.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptHandshake {
    /// Its id.
    pub id: HandshakeId,
    /// In the order in which they were made.
    pub statements: Vec<KeptEnvelope>,
}

/// The exact bytes of a ledger entry.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptEntry {
    /// Its id: the source of its leaf.
    pub id: EntryId,
    /// What is hashed and logged.
    pub canonical: Vec<u8>,
}

/// What the leaf of a tax paper commits to.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptPaper {
    /// Its id: the source of its leaf.
    pub id: TaxDocumentId,
    /// What is hashed and logged; none of a paper from before papers were logged.
    pub envelope: Option<Vec<u8>>,
}

/// How a key begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyEventKind {
    /// It was registered by itself.
    Registration,
    /// It gave way to the next.
    Rotation,
    /// It was revoked.
    Revocation,
}

/// An event of a key, as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptKeyEvent {
    /// What happened.
    pub kind: KeyEventKind,
    /// The key that it is about: the one that gave way, of a rotation.
    pub kid: String,
    /// The key that begins with it, of a rotation.
    pub successor: Option<String>,
    /// The key that signed it.
    pub signer: String,
    /// The statement.
    pub kept: KeptEnvelope,
}

/// Something that can be approved, and its approval once it is.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptApproval<T> {
    /// What is approved.
    pub of: T,
    /// The approval that holds: of a run whose approvals became void, the last one.
    pub approval: Option<KeptEnvelope>,
}

/// The log, to look up. Leaves and tiles are public; envelopes and entries follow their deals, approvals what they
/// approve.
pub trait ChainQueries: TreeRows {
    /// The newest published checkpoint: signed, and cosigned by the quorum where one is asked for.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_newest_note(&mut self) -> Result<Option<PublishedNote>, StoreError>;

    /// The bytes of the leaves of a range, in order.
    ///
    /// # Errors
    /// The failure of the store.
    fn leaves(&mut self, from: u64, to: u64) -> Result<Vec<Vec<u8>>, StoreError>;

    /// The leaves of sources, those that have an index already.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_leaves(&mut self, sources: &[Uuid]) -> Result<Vec<IndexedLeaf>, StoreError>;

    /// The handshakes of these ids that the viewer sees.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_handshakes(&mut self, ids: &[HandshakeId]) -> Result<Vec<KeptHandshake>, StoreError>;

    /// The entries of these ids that the viewer sees.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_entries(&mut self, ids: &[EntryId]) -> Result<Vec<KeptEntry>, StoreError>;

    /// The approvals of these versions of agreements, of those that the viewer sees.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_version_approvals(&mut self, names: &[VersionName]) -> Result<Vec<KeptApproval<VersionName>>, StoreError>;

    /// The approvals of these payout runs, of those that the viewer sees.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_run_approvals(&mut self, ids: &[PayoutRunId]) -> Result<Vec<KeptApproval<PayoutRunId>>, StoreError>;

    /// The signed reports of these runs of the guarantees.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_reports(&mut self, ids: &[GuaranteeRunId]) -> Result<Vec<KeptEnvelope>, StoreError>;

    /// The tax papers of these ids that the viewer sees.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_papers(&mut self, ids: &[TaxDocumentId]) -> Result<Vec<KeptPaper>, StoreError>;

    /// The versions of agreements that somebody approved, of those that the viewer sees, in the order of approval.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_approved_versions(&mut self, page: &PageRequest) -> Result<Page<VersionName>, StoreError>;

    /// The payout runs whose approval holds, oldest run first; the times are those of approval.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_approved_runs(&mut self, page: &PageRequest) -> Result<Page<PayoutRunId>, StoreError>;

    /// The import declarations with these envelope digests that the viewer sees.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_declarations(&mut self, envelopes: &[Digest]) -> Result<Vec<KeptEnvelope>, StoreError>;

    /// The leaves of a range with what they commit to, in order, for those who see everything.
    ///
    /// # Errors
    /// The failure of the store.
    fn export_leaves(&mut self, from: u64, to: u64) -> Result<Vec<ExportedLeaf>, StoreError>;

    /// The canonical bytes of entries of the ledger that have no leaf, not even one that waits for its index; at most so
    /// many.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_unlogged(&mut self, limit: u32) -> Result<Vec<Vec<u8>>, StoreError>;

    /// Erasures whose leaf is not below a size, in the order of their ids, from after one on; at most so many.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_younger_erasures(
        &mut self,
        size: u64,
        after: Option<ErasureId>,
        limit: u32,
    ) -> Result<Vec<YoungerErasure>, StoreError>;

    /// Every event of the successions to which the keys with these thumbprints belong, and of the successions of keys
    /// that revoked one of them, as far as the viewer sees them: one query.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_key_events(&mut self, kids: &[String]) -> Result<Vec<KeptKeyEvent>, StoreError>;
}

/// Rows read from the store, each time anew.
pub struct StoredRows<'r>(RefCell<&'r mut dyn TreeRows>);

impl<'r> StoredRows<'r> {
    /// Reads through `rows`.
    #[must_use]
    pub fn new(rows: &'r mut dyn TreeRows) -> Self {
        Self(RefCell::new(rows))
    }
}

impl HashReader for StoredRows<'_> {
    fn hashes(&self, row: u8, range: Range<u64>) -> Result<Vec<Digest>, MerkleError> {
        let unreadable = || MerkleError::Unreadable {
            row,
            start: range.start,
            end: range.end,
            detail: "the store does not have them".into(),
        };
        let mut rows = self.0.borrow_mut();
        let hashes = match row.checked_sub(1) {
            None => rows.leaf_hashes(range.start, range.end).map_err(|_| unreadable())?,
            Some(below) => match full(&mut **rows, row, &range).map_err(|_| unreadable())? {
                Some(hashes) => hashes,
                None => {
                    let tiles = rows.tiles(below, range.start, range.end).map_err(|_| unreadable())?;
                    let roots = tiles.iter().map(|bytes| tile::from_bytes(bytes).map(|hashes| root_of(&hashes)));
                    roots.collect::<Option<Vec<Digest>>>().ok_or_else(unreadable)?
                }
            },
        };
        let wanted = usize::try_from(range.end - range.start).map_err(|_| unreadable())?;
        if hashes.len() == wanted { Ok(hashes) } else { Err(unreadable()) }
    }
}

/// The hashes of a range out of the full tile of its row: one row of the store, where the tiles below are up to 256.
fn full(rows: &mut dyn TreeRows, row: u8, range: &Range<u64>) -> Result<Option<Vec<Digest>>, StoreError> {
    let width = u64::from(TILE_WIDTH);
    let index = range.start / width;
    let Some(hashes) = rows.tiles(row, index, index + 1)?.first().and_then(|bytes| tile::from_bytes(bytes)) else {
        return Ok(None);
    };
    let at = |hash: u64| usize::try_from(hash.saturating_sub(index * width)).unwrap_or(usize::MAX);
    Ok(hashes.get(at(range.start)..at(range.end)).map(<[Digest]>::to_vec))
}

/// Rows of a tree of one size, read tile by tile and kept.
pub struct CachedRows<'r, R> {
    rows: &'r R,
    size: u64,
    tiles: RefCell<BTreeMap<(u8, u64), Vec<Digest>>>,
}

impl<'r, R: HashReader> CachedRows<'r, R> {
    /// Reads the tree of the first `size` leaves through `rows`.
    #[must_use]
    pub const fn new(rows: &'r R, size: u64) -> Self {
        Self { rows, size, tiles: RefCell::new(BTreeMap::new()) }
    }
}

impl<R: HashReader> HashReader for CachedRows<'_, R> {
    fn hashes(&self, row: u8, range: Range<u64>) -> Result<Vec<Digest>, MerkleError> {
        let width = u64::from(TILE_WIDTH);
        let tile = range.start / width;
        let mut tiles = self.tiles.borrow_mut();
        if tiles.len() > CACHED_TILES {
            tiles.clear();
        }
        let first = tile * width;
        let held = match tiles.entry((row, tile)) {
            std::collections::btree_map::Entry::Occupied(held) => held.into_mut(),
            std::collections::btree_map::Entry::Vacant(vacant) => {
                let end = (first + width).min(self.size >> (ROW_HEIGHT * row));
                vacant.insert(self.rows.hashes(row, first..end.max(first))?)
            }
        };
        let within = usize::try_from(range.start - first).ok().zip(usize::try_from(range.end - first).ok());
        let found = within.and_then(|(start, end)| held.get(start..end));
        found.map(<[Digest]>::to_vec).ok_or_else(|| MerkleError::Unreadable {
            row,
            start: range.start,
            end: range.end,
            detail: "the tree is smaller".to_owned(),
        })
    }
}
