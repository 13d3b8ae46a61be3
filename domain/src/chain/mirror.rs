//! The log as static files: what `/checkpoint` and `/tile/…` answer, and what a mirror holds.
//!
//! Source: C2SP `tlog-tiles`. [`LiveLog`] answers every path from the store, [`export`] writes what a
//! mirror does not have yet: the checkpoint last, when all before it is durable, so that a mirror never
//! promises more than it has, and what its checkpoint promises is not read again. Nothing is removed.

use std::cell::RefCell;
use std::ops::Range;

use super::checkpoint::{Checkpoint, CheckpointError, TreeHead};
use super::memory::LogMemory;
use super::merkle::{HashReader, MerkleError, ROW_HEIGHT};
use super::note::Note;
use super::proof;
use super::published::{ChainQueries, StoredRows};
use super::signer::PortError;
use super::tile::{self, TILE_WIDTH, Tile, TileKind};
use crate::kernel::Digest;
use crate::store::StoreError;

/// The path of the signed checkpoint.
pub const CHECKPOINT: &str = "checkpoint";

/// Static files of a log, by their path without a leading slash.
pub trait LogFiles {
    /// The bytes of a file; `None` when there is none such.
    ///
    /// # Errors
    /// When it may exist and cannot be read.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, PortError>;
}

/// A mirror that is written to.
pub trait Mirror: LogFiles {
    /// Whether a file is there; what is in it is not looked at.
    ///
    /// # Errors
    /// When that cannot be told.
    fn holds(&self, path: &str) -> Result<bool, PortError>;

    /// Writes a file, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), PortError>;

    /// Makes everything durable that was written.
    ///
    /// # Errors
    /// When that cannot be done.
    fn settle(&self) -> Result<(), PortError>;
}

/// What a checkpoint says, its signatures not judged.
///
/// # Errors
/// When it is no checkpoint.
pub fn head_of(note: &[u8]) -> Result<TreeHead, CheckpointError> {
    let text = std::str::from_utf8(note).map_err(|_| CheckpointError::Malformed("not UTF-8"))?;
    Checkpoint::parse(Note::parse(text)?.text()).map(|checkpoint| checkpoint.head)
}

/// The log that a checkpoint names, its signatures not judged.
#[must_use]
pub fn origin_of(note: &str) -> Option<String> {
    Note::parse(note).ok().and_then(|note| Checkpoint::parse(note.text()).ok()).map(|checkpoint| checkpoint.origin)
}

/// The tiles of a log of `size` leaves: bundles of entries, then hash tiles, full before partial.
pub fn tiles_of(size: u64) -> impl Iterator<Item = Tile> {
    tile::bundles(size).chain(tile::completed(0, size)).chain(tile::partials(size))
}

/// The log of the store, as files.
pub struct LiveLog<'q>(RefCell<&'q mut dyn ChainQueries>);

impl<'q> LiveLog<'q> {
    /// Answers from these look-ups.
    #[must_use]
    pub fn new(chain: &'q mut dyn ChainQueries) -> Self {
        Self(RefCell::new(chain))
    }

    /// The newest published checkpoint and the number of its leaves.
    fn note(&self) -> Result<Option<(u64, String)>, StoreError> {
        let newest = self.0.borrow_mut().find_newest_note()?;
        Ok(newest.map(|published| (published.size, published.note)))
    }

    /// The bytes of a tile; `None` when the signed log does not have it, or the store lost it.
    ///
    /// # Errors
    /// The failure of the store.
    pub fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, PortError> {
        let failed = |error: StoreError| PortError(error.to_string());
        let size = self.note().map_err(failed)?.map_or(0, |(size, _)| size);
        if !tile.exists_in(size) {
            return Ok(None);
        }
        let mut chain = self.0.borrow_mut();
        let range = tile.range();
        match tile.kind() {
            TileKind::Entries => {
                let leaves = chain.leaves(range.start, range.end).map_err(failed)?;
                tile::bundle(leaves.iter().map(Vec::as_slice))
                    .map(Some)
                    .ok_or_else(|| PortError("a leaf is too long".into()))
            }
            TileKind::Hashes(row) if tile.is_full() => {
                Ok(chain.tiles(row, tile.index(), tile.index() + 1).map_err(failed)?.pop())
            }
            TileKind::Hashes(row) => {
                let rows: &mut dyn ChainQueries = &mut **chain;
                Ok(StoredRows::new(rows).hashes(row, range).ok().map(|hashes| tile::to_bytes(&hashes)))
            }
        }
    }
}

/// The bytes of a hash tile of the published log, out of a memory that asks the store for what it does not know.
/// `None` when the log does not have it, or what is stored does not give the root that was signed.
///
/// # Errors
/// The failure of the store.
pub fn remembered(memory: &LogMemory, chain: &mut dyn ChainQueries, tile: Tile) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(published) = chain.find_newest_note()? else { return Ok(None) };
    let Ok(head) = head_of(published.note.as_bytes()) else { return Ok(None) };
    Ok(memory.rows_of(chain, &head).and_then(|rows| rows.tile(tile)).ok())
}

impl LogFiles for LiveLog<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, PortError> {
        if path == CHECKPOINT {
            let note = self.note().map_err(|error| PortError(error.to_string()))?;
            return Ok(note.map(|(_, note)| note.into_bytes()));
        }
        Tile::parse(path).map_or(Ok(None), |tile| self.tile(tile))
    }
}

/// Why an export stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// Nothing was signed yet.
    #[error("the log has no signed checkpoint yet")]
    Unsigned,
    /// The checkpoint does not read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file cannot be read or written.
    #[error(transparent)]
    Port(#[from] PortError),
    /// What the mirror holds is not the beginning of this log.
    #[error(
        "the mirror holds {held} leaves of another log, or of another history of this one: write to another directory"
    )]
    OtherLog {
        /// The leaves of its checkpoint.
        held: u64,
    },
}

/// What an export came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// What the mirror promises now.
    pub head: TreeHead,
    /// Files that were written.
    pub written: u64,
    /// Files that were there already.
    pub kept: u64,
}

/// Brings a mirror up to date. `progress` hears of files done and files in all.
///
/// # Errors
/// See [`ExportError`]; the mirror is then what it was, or holds more tiles than its checkpoint promises.
pub fn export(
    log: &dyn LogFiles,
    mirror: &dyn Mirror,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Exported, ExportError> {
    let note = log.read(CHECKPOINT)?.ok_or(ExportError::Unsigned)?;
    let head = head_of(&note)?;
    let old = mirror.read(CHECKPOINT)?;
    let held = old.as_deref().map_or(Ok(0), |old| extended(log, (old, &note), &head))?;
    let total = tiles_of(head.size).count() as u64 + 1;
    let mut exported = Exported { head, written: 0, kept: 0 };
    for (done, tile) in (1..).zip(tiles_of(head.size)) {
        let path = tile.path();
        // Files beyond the mirror's own checkpoint may be what an interrupted export left.
        if tile.exists_in(held) && mirror.holds(&path)? {
            exported.kept += 1;
        } else {
            let bytes = log.read(&path)?.ok_or_else(|| PortError(format!("{path} is missing")))?;
            mirror.write(&path, &bytes)?;
            exported.written += 1;
        }
        progress(done, total);
    }
    mirror.settle()?;
    if old.as_deref() == Some(note.as_slice()) {
        exported.kept += 1;
    } else {
        mirror.write(CHECKPOINT, &note)?;
        exported.written += 1;
    }
    progress(total, total);
    Ok(exported)
}

/// The number of leaves that a mirror promises, when the log extends them.
fn extended(log: &dyn LogFiles, (old, new): (&[u8], &[u8]), head: &TreeHead) -> Result<u64, ExportError> {
    let held = head_of(old)?;
    let origin = |note: &[u8]| std::str::from_utf8(note).ok().and_then(origin_of);
    let root = (held.size <= head.size).then(|| proof::root(&FileRows { log, size: head.size }, held.size));
    let same = root.is_some_and(|root| root == Ok(held.root));
    if same && origin(old) == origin(new) { Ok(held.size) } else { Err(ExportError::OtherLog { held: held.size }) }
}

/// The rows of a log of one size, out of its files.
struct FileRows<'f> {
    log: &'f dyn LogFiles,
    size: u64,
}

impl HashReader for FileRows<'_> {
    fn hashes(&self, row: u8, range: Range<u64>) -> Result<Vec<Digest>, MerkleError> {
        let unreadable = |detail: String| MerkleError::Unreadable { row, start: range.start, end: range.end, detail };
        let width = u64::from(TILE_WIDTH);
        let (index, there) = (range.start / width, self.size >> (ROW_HEIGHT * row.min(7)));
        let first = index * width;
        let tile = u16::try_from(there.saturating_sub(first).min(width)).ok();
        let tile = tile.and_then(|width| Tile::try_new(TileKind::Hashes(row), index, width));
        let tile = tile.ok_or_else(|| unreadable("the tree is smaller".to_owned()))?;
        let bytes = self.log.read(&tile.path()).map_err(|error| unreadable(error.to_string()))?;
        let hashes = bytes.as_deref().and_then(tile::from_bytes);
        let at = |hash: u64| usize::try_from(hash.saturating_sub(first)).unwrap_or(usize::MAX);
        let found = hashes.as_deref().and_then(|hashes| hashes.get(at(range.start)..at(range.end)));
        found.map(<[Digest]>::to_vec).ok_or_else(|| unreadable(format!("{} does not hold them", tile.path())))
    }
}
