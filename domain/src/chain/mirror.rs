//! The log as static files: what `/checkpoint` and `/tile/…` answer, and what a mirror holds.
//!
//! Source: C2SP `tlog-tiles`. [`LiveLog`] answers every path from the store, [`export`] writes them
//! all: the checkpoint last, so that a mirror never promises more than it has.

use std::cell::RefCell;

use super::checkpoint::{Checkpoint, CheckpointError, TreeHead};
use super::merkle::HashReader as _;
use super::note::Note;
use super::published::{ChainQueries, StoredRows};
use super::signer::PortError;
use super::tile::{self, Tile, TileKind};
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
}

/// Writes every file of a log. `progress` hears of files done and files in all.
///
/// # Errors
/// See [`ExportError`].
pub fn export(
    log: &dyn LogFiles,
    write: &mut dyn FnMut(&str, &[u8]) -> Result<(), PortError>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<TreeHead, ExportError> {
    let note = log.read(CHECKPOINT)?.ok_or(ExportError::Unsigned)?;
    let head = head_of(&note)?;
    let total = tiles_of(head.size).count() as u64 + 1;
    for (done, tile) in (1..).zip(tiles_of(head.size)) {
        let path = tile.path();
        let bytes = log.read(&path)?.ok_or_else(|| PortError(format!("{path} is missing")))?;
        write(&path, &bytes)?;
        progress(done, total);
    }
    write(CHECKPOINT, &note)?;
    progress(total, total);
    Ok(head)
}
