//! One walk over the leaves of a log: every leaf, lane, hash and tile, and the root.

use std::collections::{BTreeMap, HashMap};

use super::AuditReport;
use super::content::Content;
use super::heads::Seen;
use crate::chain::checkpoint::TreeHead;
use crate::chain::leaf::{LaneHead, Leaf};
use crate::chain::merkle::{ROW_HEIGHT, empty_root, leaf_hash};
use crate::chain::mirror::LogFiles;
use crate::chain::signer::PortError;
use crate::chain::tile::{self, Edge, TILE_WIDTH, Tile, TileKind};
use crate::kernel::Digest;

/// What was found, the tree heads that signers say to have seen, and the roots at the sizes that were asked for.
pub(super) type Walked = (AuditReport, Seen, BTreeMap<u64, Digest>);

/// The walk over the leaves.
pub(super) struct Walk<'f, 'c> {
    files: &'f dyn LogFiles,
    pub(super) report: AuditReport,
    edge: Edge,
    lanes: HashMap<Digest, LaneHead>,
    content: Option<Content<'c>>,
    /// Sizes at which the root is wanted, and the roots once they are known.
    marks: BTreeMap<u64, Digest>,
}

impl<'f, 'c> Walk<'f, 'c> {
    /// Begins before the first leaf.
    pub(super) fn new(
        files: &'f dyn LogFiles,
        report: AuditReport,
        content: Option<Content<'c>>,
        sizes: impl Iterator<Item = u64>,
    ) -> Self {
        let marks = sizes.map(|size| (size, empty_root())).collect();
        Self { files, report, edge: Edge::new(), lanes: HashMap::new(), content, marks }
    }

    /// Leaves that were taken so far.
    pub(super) const fn size(&self) -> u64 {
        self.edge.size()
    }

    /// Takes up to 256 leaves. `false` when they cannot be had: nothing after them can be recomputed.
    pub(super) fn bundle(&mut self, bundle: Tile) -> Result<bool, PortError> {
        let (first, path) = (bundle.range().start, bundle.path());
        let Some(bytes) = self.files.read(&path)? else {
            self.report.differ(Some(first), "bundle_missing", format!("{path} is missing"));
            return Ok(false);
        };
        let leaves = tile::unbundle(&bytes).unwrap_or_default();
        if leaves.len() != usize::from(bundle.width()) {
            let detail = format!("{path} does not hold {} entries", bundle.width());
            let place = self.first_gap(bundle, &leaves)?;
            self.report.differ(Some(place), "bundle_malformed", detail);
            return Ok(false);
        }
        let mut hashes = Vec::with_capacity(leaves.len());
        for (index, leaf) in (first..).zip(leaves) {
            self.leaf(index, leaf)?;
            hashes.push(leaf_hash(leaf));
        }
        self.compare_hashes(bundle, &hashes)?;
        self.mark(first, &hashes);
        for full in self.edge.append_batch(&hashes) {
            // Row 0 was compared hash by hash, so that the very leaf can be named.
            if full.row > 0 {
                self.compare_tile(full.row, full.index, TILE_WIDTH, &full.bytes)?;
            }
        }
        Ok(true)
    }

    /// Works out the roots that are wanted within these leaves.
    fn mark(&mut self, first: u64, hashes: &[Digest]) {
        for (size, root) in self.marks.range_mut(first + 1..=first + hashes.len() as u64) {
            let mut frontier = self.edge.frontier().clone();
            let within = usize::try_from(size - first).ok().and_then(|within| hashes.get(..within));
            let _ = frontier.append_batch(within.unwrap_or_default());
            *root = frontier.root();
        }
    }

    /// The first leaf that is not there, as the hashes that are kept of them tell, or the export.
    fn first_gap(&mut self, bundle: Tile, leaves: &[&[u8]]) -> Result<u64, PortError> {
        let first = bundle.range().start;
        let tile = Tile::try_new(TileKind::Hashes(0), bundle.index(), bundle.width());
        let stored = tile.map_or(Ok(None), |tile| self.files.read(&tile.path()))?;
        if let Some(stored) = stored.and_then(|bytes| tile::from_bytes(&bytes)) {
            let same = stored.iter().zip(leaves).take_while(|(stored, leaf)| **stored == leaf_hash(leaf)).count();
            return Ok(first + same as u64);
        }
        self.content.as_mut().map_or(Ok(first), |content| content.first_gap(first, leaves))
    }

    fn leaf(&mut self, index: u64, bytes: &[u8]) -> Result<(), PortError> {
        self.report.leaves += 1;
        let parsed = Leaf::parse(bytes);
        if let Some(content) = &mut self.content {
            content.leaf(&mut self.report, index, bytes, parsed.as_ref().ok())?;
        }
        match parsed {
            Err(error) => self.report.differ(Some(index), "leaf_malformed", error.to_string()),
            Ok(leaf) => {
                let lane = self.lanes.entry(leaf.lane).or_insert_with(|| LaneHead::new(leaf.lane));
                if !lane.follow(&leaf) {
                    let expected = lane.next_n;
                    let detail = format!("not leaf {expected} of its lane, or not after the leaf that it names");
                    // Goes on from what is there, so that one broken leaf is one difference.
                    *lane = LaneHead {
                        lane: leaf.lane,
                        next_n: leaf.lane_seq.saturating_add(1),
                        last_leaf_hash: leaf.hash(),
                    };
                    self.report.differ(Some(index), "lane_broken", detail);
                }
            }
        }
        Ok(())
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
        let place = |hash: u64| (tile.range().start + hash) << (ROW_HEIGHT * row);
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
    pub(super) fn finish(mut self, head: &TreeHead) -> Result<Walked, PortError> {
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
        let seen = match self.content {
            Some(content) => content.finish(&mut self.report)?,
            None => Seen::default(),
        };
        Ok((self.report, seen, self.marks))
    }
}
