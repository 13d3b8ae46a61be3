//! Checkpoints from elsewhere: kept by somebody, or named by signers as the last that they saw.
//!
//! Whoever rewrites history with a stolen log key cannot rewrite these: the root of the first so many leaves, worked out
//! from tiles that the walk has compared, must be the one that was signed or seen then.

use std::collections::BTreeMap;
use std::ops::Range;

use super::AuditReport;
use crate::chain::checkpoint::{Checkpoint, TreeHead};
use crate::chain::merkle::{HashReader, MerkleError, ROW_HEIGHT, empty_root};
use crate::chain::mirror::LogFiles;
use crate::chain::proof;
use crate::chain::published::CachedRows;
use crate::chain::tile::{self, TILE_WIDTH, Tile, TileKind};
use crate::kernel::Digest;

/// The heads that signers say to have seen, and the first leaf that says so.
pub(super) type Seen = BTreeMap<(u64, Digest), u64>;

/// Rows of hashes out of the files of a log.
struct FileRows<'f> {
    files: &'f dyn LogFiles,
    size: u64,
}

impl HashReader for FileRows<'_> {
    fn hashes(&self, row: u8, range: Range<u64>) -> Result<Vec<Digest>, MerkleError> {
        let unreadable = |detail: &str| MerkleError::Unreadable {
            row,
            start: range.start,
            end: range.end,
            detail: detail.to_owned(),
        };
        let width = u64::from(TILE_WIDTH);
        let index = range.start / width;
        let held = (self.size >> (ROW_HEIGHT * row)).saturating_sub(index * width).min(width);
        let tile = u16::try_from(held).ok().and_then(|held| Tile::try_new(TileKind::Hashes(row), index, held));
        let path = tile.ok_or_else(|| unreadable("there is no such tile"))?.path();
        let bytes = self.files.read(&path).map_err(|error| unreadable(&error.to_string()))?;
        let hashes =
            bytes.and_then(|bytes| tile::from_bytes(&bytes)).ok_or_else(|| unreadable("the tile is missing"))?;
        let (start, end) = (range.start - index * width, range.end - index * width);
        let within = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        let wanted = within.and_then(|(start, end)| hashes.get(start..end));
        wanted.map(<[Digest]>::to_vec).ok_or_else(|| unreadable("the tile is shorter"))
    }
}

/// Names kept checkpoints of which the log does not have all leaves any more.
pub(super) fn truncated(report: &mut AuditReport, kept: &[Checkpoint], head: &TreeHead) {
    report.checkpoints += kept.len() as u64;
    for checkpoint in kept.iter().filter(|checkpoint| checkpoint.head.size > head.size) {
        let detail = format!("{} leaves were signed, there are {}", checkpoint.head.size, head.size);
        report.differ(Some(head.size), "truncated", detail);
    }
}

/// Compares the log with every checkpoint that was kept: the roots are those that its leaves give.
pub(super) fn compare_kept(
    report: &mut AuditReport,
    head: &TreeHead,
    kept: &[Checkpoint],
    roots: &BTreeMap<u64, Digest>,
) {
    truncated(report, kept, head);
    let mut kept: Vec<TreeHead> = kept.iter().map(|kept| kept.head).filter(|kept| kept.size <= head.size).collect();
    kept.sort_unstable_by_key(|kept| kept.size);
    // What follows the last checkpoint that agrees is where the rewriting may begin.
    let mut agreed = 0;
    for kept in kept {
        match roots.get(&kept.size) {
            Some(root) if *root == kept.root => agreed = kept.size,
            // What was signed is the same: that the leaves give something else is told as `root_differs`.
            _ if kept == *head => {}
            found => {
                let found = found.map_or_else(|| "nothing".to_owned(), Digest::to_string);
                let detail = format!("of {} leaves, {} was signed; these give {found}", kept.size, kept.root);
                report.differ(Some(agreed), "rewritten", detail);
            }
        }
    }
}

/// Compares the log with every head that a signer says to have seen, by tiles that were found to be what the leaves give.
/// Where they are not, that was told, and these prove nothing.
pub(super) fn compare_seen(report: &mut AuditReport, files: &dyn LogFiles, head: &TreeHead, seen: &Seen) {
    let tiles = ["hash_differs", "tile_differs", "tile_missing"];
    if report.differences.iter().any(|difference| tiles.contains(&difference.code)) {
        return;
    }
    let rows = FileRows { files, size: head.size };
    let rows = CachedRows::new(&rows, head.size);
    for ((size, said), index) in seen {
        let root = if *size == 0 { Ok(empty_root()) } else { proof::root(&rows, *size) };
        match root {
            Ok(found) if found == *said => {}
            Ok(found) => {
                let detail = format!("its signer saw {said} for {size} leaves; they give {found}");
                report.differ(Some(*index), "seen_differs", detail);
            }
            Err(error) => report.differ(Some(*index), "seen_differs", error.to_string()),
        }
    }
}
