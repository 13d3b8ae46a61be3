//! Recomputes a whole log from its leaves: every leaf, lane, hash, tile and the signed root.
//!
//! One pass over the files of a mirror or of the store ([`LogFiles`]), 256 leaves at a time. Each leaf
//! must be canonical and the next one of its lane; each hash and tile must be what the leaves give; the
//! root must be the one that was signed. Every leaf is looked at: a sampled audit misses what was
//! flipped. Bounds: memory grows with the number of lanes (some 150 bytes each); at most
//! [`MAX_DIFFERENCES`] differences are kept, all are counted.

use std::collections::HashMap;

use super::checkpoint::{Checkpoint, TreeHead};
use super::leaf::{LaneHead, Leaf};
use super::merkle::leaf_hash;
use super::mirror::{CHECKPOINT, LogFiles};
use super::note::VerifierKey;
use super::signer::PortError;
use super::tile::{self, Edge, TILE_WIDTH, Tile, TileKind};
use crate::kernel::Digest;

/// Differences that a report keeps.
pub const MAX_DIFFERENCES: usize = 100;

/// Something that is not as the leaves say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The first leaf that it concerns; none when it concerns the log as a whole.
    pub index: Option<u64>,
    /// `checkpoint_missing`, `checkpoint_not_trusted`, `bundle_missing`, `bundle_malformed`,
    /// `leaf_malformed`, `lane_broken`, `hash_differs`, `tile_missing`, `tile_differs`, `root_differs`.
    pub code: &'static str,
    /// In words.
    pub detail: String,
}

/// What an audit found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// What was signed; none when no checkpoint could be trusted.
    pub head: Option<TreeHead>,
    /// Leaves that were recomputed.
    pub leaves: u64,
    /// Lanes that were followed.
    pub lanes: u64,
    /// Hash tiles that were compared.
    pub tiles: u64,
    /// The first differences, in the order in which they were met.
    pub differences: Vec<Difference>,
    /// All differences.
    pub difference_count: u64,
}

impl AuditReport {
    /// Whether the whole log is what was signed.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.difference_count == 0
    }

    /// The lowest leaf that anything is wrong with; where only a tile is wrong, the first of its leaves.
    #[must_use]
    pub fn first_bad_index(&self) -> Option<u64> {
        let of_tiles = |d: &&Difference| matches!(d.code, "tile_differs" | "tile_missing");
        let lowest =
            |tiles: bool| self.differences.iter().filter(|d| of_tiles(d) == tiles).filter_map(|d| d.index).min();
        lowest(false).or_else(|| lowest(true))
    }

    fn differ(&mut self, index: Option<u64>, code: &'static str, detail: String) {
        self.difference_count += 1;
        if self.differences.len() < MAX_DIFFERENCES {
            self.differences.push(Difference { index, code, detail });
        }
    }
}

/// Recomputes a log. `progress` hears of leaves done and leaves in all.
///
/// # Errors
/// When a file may exist and cannot be read; a file that is missing is a difference.
pub fn audit(
    log: &VerifierKey,
    files: &dyn LogFiles,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<AuditReport, PortError> {
    let mut report = AuditReport::default();
    let Some(note) = files.read(CHECKPOINT)? else {
        report.differ(None, "checkpoint_missing", "there is no checkpoint".to_owned());
        return Ok(report);
    };
    let opened = std::str::from_utf8(&note).map_err(|_| "it is not UTF-8".to_owned());
    let opened = opened.and_then(|text| Checkpoint::open(text, log).map_err(|e| e.to_string()));
    let head = match opened {
        Ok(checkpoint) => checkpoint.head,
        Err(detail) => {
            report.differ(None, "checkpoint_not_trusted", detail);
            return Ok(report);
        }
    };
    report.head = Some(head);
    let mut walk = Walk { files, report, edge: Edge::new(), lanes: HashMap::new() };
    for bundle in tile::bundles(head.size) {
        if !walk.bundle(bundle)? {
            return Ok(walk.report);
        }
        progress(walk.edge.size(), head.size);
    }
    walk.finish(&head)
}

struct Walk<'f> {
    files: &'f dyn LogFiles,
    report: AuditReport,
    edge: Edge,
    lanes: HashMap<Digest, LaneHead>,
}

impl Walk<'_> {
    /// Takes up to 256 leaves. `false` when they cannot be had: nothing after them can be recomputed.
    fn bundle(&mut self, bundle: Tile) -> Result<bool, PortError> {
        let (first, path) = (bundle.range().start, bundle.path());
        let Some(bytes) = self.files.read(&path)? else {
            self.report.differ(Some(first), "bundle_missing", format!("{path} is missing"));
            return Ok(false);
        };
        let leaves = tile::unbundle(&bytes).filter(|leaves| leaves.len() == usize::from(bundle.width()));
        let Some(leaves) = leaves else {
            let detail = format!("{path} does not hold {} entries", bundle.width());
            self.report.differ(Some(first), "bundle_malformed", detail);
            return Ok(false);
        };
        let mut hashes = Vec::with_capacity(leaves.len());
        for (index, leaf) in (first..).zip(leaves) {
            self.leaf(index, leaf);
            hashes.push(leaf_hash(leaf));
        }
        self.compare_hashes(bundle, &hashes)?;
        for full in self.edge.append_batch(&hashes) {
            // Row 0 was compared hash by hash, so that the very leaf can be named.
            if full.row > 0 {
                self.compare_tile(full.row, full.index, TILE_WIDTH, &full.bytes)?;
            }
        }
        Ok(true)
    }

    fn leaf(&mut self, index: u64, bytes: &[u8]) {
        self.report.leaves += 1;
        match Leaf::parse(bytes) {
            Err(error) => self.report.differ(Some(index), "leaf_malformed", error.to_string()),
            Ok(leaf) => {
                let lane = self.lanes.entry(leaf.lane).or_insert_with(|| LaneHead::new(leaf.lane));
                if !lane.follow(&leaf) {
                    let expected = lane.next_n;
                    let detail = format!("not leaf {expected} of its lane, or not after the leaf that it names");
                    // Goes on from what is there, so that one broken leaf is one difference.
                    *lane = LaneHead { lane: leaf.lane, next_n: leaf.lane_seq + 1, last_leaf_hash: leaf.hash() };
                    self.report.differ(Some(index), "lane_broken", detail);
                }
            }
        }
    }

    /// Compares row 0, hash by hash.
    fn compare_hashes(&mut self, bundle: Tile, hashes: &[Digest]) -> Result<(), PortError> {
        let Some(tile) = Tile::try_new(TileKind::Hashes(0), bundle.index(), bundle.width()) else { return Ok(()) };
        self.report.tiles += 1;
        let first = bundle.range().start;
        let Some(bytes) = self.files.read(&tile.path())? else {
            self.report.differ(Some(first), "tile_missing", format!("{} is missing", tile.path()));
            return Ok(());
        };
        let Some(stored) = tile::from_bytes(&bytes).filter(|stored| stored.len() == hashes.len()) else {
            let detail = format!("{} does not hold {} hashes", tile.path(), hashes.len());
            self.report.differ(Some(first), "tile_differs", detail);
            return Ok(());
        };
        for (index, (stored, computed)) in (first..).zip(stored.iter().zip(hashes)) {
            if stored != computed {
                let detail = format!("{} says {stored}, the leaf gives {computed}", tile.path());
                self.report.differ(Some(index), "hash_differs", detail);
            }
        }
        Ok(())
    }

    fn compare_tile(&mut self, row: u8, index: u64, width: u16, computed: &[u8]) -> Result<(), PortError> {
        let Some(tile) = Tile::try_new(TileKind::Hashes(row), index, width) else { return Ok(()) };
        self.report.tiles += 1;
        let place = |hash: u64| (tile.range().start + hash) << (super::merkle::ROW_HEIGHT * row);
        match self.files.read(&tile.path())? {
            None => self.report.differ(Some(place(0)), "tile_missing", format!("{} is missing", tile.path())),
            Some(stored) if stored != computed => {
                let same = stored.chunks(32).zip(computed.chunks(32)).take_while(|(a, b)| a == b).count() as u64;
                let detail = format!("hash {same} of {} is not what its leaves give", tile.path());
                self.report.differ(Some(place(same)), "tile_differs", detail);
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// The partial tiles above row 0, and the root.
    fn finish(mut self, head: &TreeHead) -> Result<AuditReport, PortError> {
        for partial in tile::partials(head.size) {
            if let TileKind::Hashes(row) = partial.kind()
                && row > 0
            {
                let computed = tile::to_bytes(self.edge.partial(row));
                self.compare_tile(row, partial.index(), partial.width(), &computed)?;
            }
        }
        let root = self.edge.root();
        if root != head.root {
            let detail = format!("signed is {}, the leaves give {root}", head.root);
            self.report.differ(None, "root_differs", detail);
        }
        self.report.lanes = self.lanes.len() as u64;
        Ok(self.report)
    }
}
