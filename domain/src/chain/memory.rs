//! The published log in memory: full tiles of hashes, as many as there is room for, and the right edge.
//!
//! A full tile never changes and the edge only grows, so what was read once stays right, in every process and without
//! being told of anything. The edge is taken in only when it has the root that was signed. Whoever asks for a size that
//! is known here costs the store nothing; a tile that is missing is read from the store and kept.
//! Bounds: as many tiles of 8 KiB as it was made for, in two generations (the older one goes when the younger one is
//! half of them), and one edge of at most 8 rows of 255 hashes. Its locks are held to look or to put, never to read
//! or to hash.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::checkpoint::TreeHead;
use super::merkle::{HashReader, MerkleError, ROW_HEIGHT};
use super::proof;
use super::published::{StoredRows, TreeRows};
use super::tile::{self, Edge, FullTile, TILE_WIDTH, Tile, TileKind};
use crate::kernel::Digest;

/// Leaves that the edge grows by one after another; a larger step reads the edge anew.
const STEP: u64 = 16_384;
const WIDTH: u64 = TILE_WIDTH as u64;

type Place = (u8, u64);
type Hashes = Arc<Vec<Digest>>;

/// Full tiles by their place; the older generation holds what was asked for before the younger one began.
#[derive(Debug, Default)]
struct Generations {
    young: HashMap<Place, Hashes>,
    old: HashMap<Place, Hashes>,
}

/// What a process remembers of the published log.
#[derive(Debug)]
pub struct LogMemory {
    tiles: Mutex<Generations>,
    /// Tiles in one generation.
    half: usize,
    edge: RwLock<Arc<Edge>>,
}

impl LogMemory {
    /// A memory that holds at most so many tiles.
    #[must_use]
    pub fn of_tiles(tiles: usize) -> Self {
        Self { tiles: Mutex::default(), half: tiles / 2, edge: RwLock::new(Arc::new(Edge::new())) }
    }

    /// The largest published size that is known here.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.edge().size()
    }

    /// How many tiles are held.
    #[must_use]
    pub fn held(&self) -> usize {
        let tiles = self.tiles.lock().unwrap_or_else(PoisonError::into_inner);
        tiles.young.len() + tiles.old.len()
    }

    /// The rows as they are known here; nothing is read from the store.
    #[must_use]
    pub fn rows(&self) -> RememberedRows<'_> {
        RememberedRows { memory: self, edge: self.edge(), stored: None }
    }

    /// The rows of a log that has been published up to `head`; what is missing is read through `rows` and kept.
    ///
    /// # Errors
    /// [`MerkleError::ProofMismatch`] when the stored leaves do not give the root that was signed.
    pub fn rows_of<'m>(
        &'m self,
        rows: &'m mut dyn TreeRows,
        head: &TreeHead,
    ) -> Result<RememberedRows<'m>, MerkleError> {
        let known = self.edge();
        let edge = if known.size() < head.size { self.grown(&known, rows, head)? } else { known };
        Ok(RememberedRows { memory: self, edge, stored: Some(RefCell::new(rows)) })
    }

    fn edge(&self) -> Arc<Edge> {
        Arc::clone(&self.edge.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The edge at `head`, taken in when it is the largest.
    fn grown(&self, known: &Edge, rows: &mut dyn TreeRows, head: &TreeHead) -> Result<Arc<Edge>, MerkleError> {
        let (edge, full) = if head.size - known.size() <= STEP {
            let mut edge = known.clone();
            let added =
                rows.leaf_hashes(known.size(), head.size).map_err(|e| unreadable(0, &(known.size()..head.size), e))?;
            let full = edge.append_batch(&added);
            (edge, full)
        } else {
            (Edge::load(&StoredRows::new(rows), head.size)?, Vec::new())
        };
        if edge.size() != head.size || edge.root() != head.root {
            return Err(MerkleError::ProofMismatch);
        }
        for FullTile { row, index, bytes } in full {
            if let Some(hashes) = tile::from_bytes(&bytes) {
                self.keep((row, index), &Arc::new(hashes));
            }
        }
        let edge = Arc::new(edge);
        let mut newest = self.edge.write().unwrap_or_else(PoisonError::into_inner);
        if newest.size() < edge.size() {
            *newest = Arc::clone(&edge);
        }
        Ok(edge)
    }

    fn find(&self, place: Place) -> Option<Hashes> {
        let mut tiles = self.tiles.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = tiles.young.get(&place) {
            return Some(Arc::clone(found));
        }
        let found = tiles.old.remove(&place)?;
        self.put(&mut tiles, place, &found);
        Some(found)
    }

    fn keep(&self, place: Place, hashes: &Hashes) {
        self.put(&mut self.tiles.lock().unwrap_or_else(PoisonError::into_inner), place, hashes);
    }

    fn put(&self, tiles: &mut Generations, place: Place, hashes: &Hashes) {
        if self.half == 0 {
            return;
        }
        if tiles.young.len() >= self.half {
            tiles.old = std::mem::take(&mut tiles.young);
        }
        tiles.young.insert(place, Arc::clone(hashes));
    }
}

/// The rows of the published log, out of a memory.
pub struct RememberedRows<'m> {
    memory: &'m LogMemory,
    edge: Arc<Edge>,
    stored: Option<RefCell<&'m mut dyn TreeRows>>,
}

impl RememberedRows<'_> {
    /// The root of the first `size` leaves.
    ///
    /// # Errors
    /// When hashes cannot be had.
    pub fn root(&self, size: u64) -> Result<Digest, MerkleError> {
        if size == self.edge.size() { Ok(self.edge.root()) } else { proof::root(self, size) }
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The bytes of a hash tile.
    ///
    /// # Errors
    /// When it is no hash tile of this log, or cannot be had.
    pub fn tile(&self, wanted: Tile) -> Result<Vec<u8>, MerkleError> {
        let row = match wanted.kind() {
            TileKind::Hashes(row) if wanted.exists_in(self.size()) => row,
            TileKind::Hashes(_) | TileKind::Entries => {
                return Err(MerkleError::OutOfRange { asked: wanted.range().end, size: self.size() });
            }
        };
        Ok(tile::to_bytes(&self.hashes(row, wanted.range())?))
    }

    fn full(&self, row: u8, index: u64) -> Result<Hashes, MerkleError> {
        if let Some(found) = self.memory.find((row, index)) {
            return Ok(found);
        }
        let range = index * WIDTH..(index + 1) * WIDTH;
        let Some(stored) = &self.stored else { return Err(unreadable(row, &range, "it is not remembered")) };
        let read = stored.borrow_mut().tiles(row, index, index + 1).map_err(|e| unreadable(row, &range, e))?;
        let hashes =
            read.first().and_then(|bytes| tile::from_bytes(bytes)).filter(|hashes| hashes.len() as u64 == WIDTH);
        let hashes = Arc::new(hashes.ok_or_else(|| unreadable(row, &range, "the store does not have them"))?);
        self.memory.keep((row, index), &hashes);
        Ok(hashes)
    }
}

impl HashReader for RememberedRows<'_> {
    fn hashes(&self, row: u8, range: Range<u64>) -> Result<Vec<Digest>, MerkleError> {
        let index = range.start / WIDTH;
        let first = index * WIDTH;
        let within =
            usize::try_from(range.start - first).ok().zip(usize::try_from(range.end.saturating_sub(first)).ok());
        let (start, end) = within.unwrap_or((usize::MAX, usize::MAX));
        let there = self.edge.size() >> (ROW_HEIGHT * row.min(7));
        let found = if first + WIDTH <= there {
            self.full(row, index)?.get(start..end).map(<[Digest]>::to_vec)
        } else {
            // Beyond the last tile of the row there is nothing.
            let partial = if first == there - there % WIDTH { self.edge.partial(row) } else { &[] };
            partial.get(start..end).map(<[Digest]>::to_vec)
        };
        found.ok_or_else(|| unreadable(row, &range, "the tree is smaller"))
    }
}

fn unreadable(row: u8, range: &Range<u64>, detail: impl std::fmt::Display) -> MerkleError {
    MerkleError::Unreadable { row, start: range.start, end: range.end, detail: detail.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::merkle::{MemoryRows, leaf_hash};
    use crate::store::StoreError;

    /// A store that counts how many tiles it was asked for.
    struct Stored {
        tree: MemoryRows,
        tiles_read: u64,
    }

    impl TreeRows for Stored {
        fn leaf_hashes(&mut self, from: u64, to: u64) -> Result<Vec<Digest>, StoreError> {
            // A store has no tiles to mind.
            let tiles = (from..to).map(|n| self.tree.hashes(0, n..n + 1));
            tiles.map(|one| one.map(|hashes| hashes[0])).collect::<Result<_, _>>().map_err(failed)
        }

        fn tiles(&mut self, row: u8, from: u64, to: u64) -> Result<Vec<Vec<u8>>, StoreError> {
            self.tiles_read += to - from;
            let full = (self.tree.size() >> (ROW_HEIGHT * row)) / WIDTH;
            let tiles = (from..to.min(full)).map(|n| self.tree.hashes(row, n * WIDTH..(n + 1) * WIDTH));
            tiles.map(|hashes| hashes.map(|hashes| tile::to_bytes(&hashes))).collect::<Result<_, _>>().map_err(failed)
        }
    }

    fn failed(error: MerkleError) -> StoreError {
        StoreError::Failed(error.to_string())
    }

    fn stored(size: u64) -> Stored {
        Stored { tree: MemoryRows::of((0..size).map(|n| leaf_hash(&n.to_be_bytes()))), tiles_read: 0 }
    }

    fn head(stored: &Stored, size: u64) -> TreeHead {
        TreeHead { size, root: proof::root(&stored.tree, size).expect("a tree of the test") }
    }

    /// Sizes around the edges of tiles, and steps that the edge takes leaf by leaf and at once.
    const SIZES: [u64; 9] = [1, 255, 256, 257, 1_000, 65_535, 65_536, 65_537, 70_003];

    #[test]
    fn whatever_is_asked_is_answered_as_from_the_whole_tree_however_little_is_kept() {
        for room in [0, 2, 64, 4_096] {
            let mut stored = stored(70_003);
            let memory = LogMemory::of_tiles(room);
            for size in SIZES {
                let head = head(&stored, size);
                for n in 0..10_u64 {
                    let index = n * 7_919 % size;
                    let expected = proof::prove_inclusion(&stored.tree, index, size).expect("a tree of the test");
                    let rows = memory.rows_of(&mut stored, &head).expect("a tree of the test");
                    assert_eq!(
                        proof::prove_inclusion(&rows, index, size).expect("a tree of the test"),
                        expected,
                        "{index} of {size}"
                    );
                    assert_eq!(rows.root(size).expect("a tree of the test"), head.root);
                    let from = index.max(1);
                    let path = proof::prove_consistency(&rows, from, size).expect("a tree of the test");
                    let root = rows.root(from).expect("a tree of the test");
                    drop(rows);
                    assert_eq!(root, proof::root(&stored.tree, from).expect("a tree of the test"));
                    assert_eq!(path, proof::prove_consistency(&stored.tree, from, size).expect("a tree of the test"));
                }
                assert_eq!(memory.size(), size);
                assert!(memory.held() <= room, "{} of {room}", memory.held());
            }
        }
    }

    #[test]
    fn every_tile_is_what_the_tree_has_and_what_was_read_once_is_not_read_again() {
        let mut stored = stored(70_003);
        let memory = LogMemory::of_tiles(1_024);
        let head = head(&stored, 70_003);
        let tiles: Vec<Tile> = tile::completed(0, head.size).into_iter().chain(tile::partials(head.size)).collect();
        for tile in &tiles {
            let TileKind::Hashes(row) = tile.kind() else { continue };
            let expected = tile::to_bytes(&stored.tree.hashes(row, tile.range()).expect("a tree of the test"));
            assert_eq!(
                memory
                    .rows_of(&mut stored, &head)
                    .expect("a tree of the test")
                    .tile(*tile)
                    .expect("a tree of the test"),
                expected
            );
        }
        let read = stored.tiles_read;
        assert!(read > 0);
        for tile in &tiles {
            assert!(memory.rows().tile(*tile).is_ok());
            let shorter = Tile::try_new(tile.kind(), tile.index(), 1).expect("a tree of the test");
            assert_eq!(
                memory.rows().tile(shorter).expect("a tree of the test"),
                memory.rows().tile(*tile).expect("a tree of the test")[..32]
            );
            assert!(memory.rows_of(&mut stored, &head).is_ok());
        }
        assert_eq!(stored.tiles_read, read);
        let absent = [(TileKind::Hashes(0), 274, 1), (TileKind::Hashes(0), 273, 116), (TileKind::Hashes(2), 0, 2)];
        for (kind, index, width) in absent.into_iter().chain([(TileKind::Entries, 0, 1), (TileKind::Hashes(7), 9, 9)]) {
            assert!(memory.rows().tile(Tile::try_new(kind, index, width).expect("a tree of the test")).is_err());
        }
    }

    #[test]
    fn leaves_that_do_not_give_the_signed_root_are_not_taken_in() {
        let mut stored = stored(20_000);
        let memory = LogMemory::of_tiles(64);
        let good = head(&stored, 300);
        assert!(memory.rows_of(&mut stored, &good).is_ok());
        for size in [301, 20_000] {
            let forged = TreeHead { size, root: Digest::of(b"another") };
            assert_eq!(memory.rows_of(&mut stored, &forged).map(|_| ()), Err(MerkleError::ProofMismatch));
            assert_eq!(memory.size(), 300);
        }
        let beyond = TreeHead { size: 20_001, root: Digest::of(b"another") };
        assert!(memory.rows_of(&mut stored, &beyond).is_err());
        assert!(memory.rows().hashes(0, 300..301).is_err());
        assert!(memory.rows().hashes(0, 255..257).is_err());
        assert!(memory.rows().hashes(3, 0..1).is_err());
    }
}
