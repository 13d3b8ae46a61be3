//! The Merkle tree of the log: hashes, frontier, and the rows of hashes that proofs read.
//!
//! Source: RFC 6962 §2.1 (leaf `0x00`, node `0x01`, SHA-256; the empty tree is SHA-256 of nothing).
//! A node is named by level (0 = leaves) and index; it is complete when all its leaves exist, and a
//! complete node never changes. A *row* is every eighth level: exactly what C2SP tiles store.
//! Bounds: an append costs O(1) amortised; sizes stay below 2^62.

use std::ops::Range;

use crate::digest::Digest;

/// Levels per row: a tile is 2^8 hashes wide.
pub const ROW_HEIGHT: u8 = 8;
/// The largest tree: beyond it no index arithmetic can overflow.
pub const MAX_SIZE: u64 = 1 << 62;

/// The hash of a leaf's bytes.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    Digest::of_parts(&[&[0], leaf])
}

/// The hash of two children.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[1], left.bytes(), right.bytes()])
}

/// The root of the empty tree.
#[must_use]
pub fn empty_root() -> Digest {
    Digest::of(&[])
}

/// The root of a complete subtree from its hashes, whose number is a power of two; of any other
/// number, the root of the tree with those leaves.
#[must_use]
pub fn root_of(hashes: &[Digest]) -> Digest {
    match hashes {
        [] => empty_root(),
        [only] => *only,
        many => {
            let (left, right) = many.split_at(split_point(many.len()));
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

/// The largest power of two below `n` (n ≥ 2).
fn split_point(n: usize) -> usize {
    let half = n.next_power_of_two() / 2;
    half.max(1)
}

/// A complete subtree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// 0 for a leaf.
    pub level: u8,
    /// The place within its level.
    pub index: u64,
    /// Its hash.
    pub hash: Digest,
}

/// Something about a tree or a proof cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MerkleError {
    /// A size or index beyond the tree.
    #[error("index or size {asked} is not within a tree of {size} leaves")]
    OutOfRange {
        /// What was asked for.
        asked: u64,
        /// The size of the tree.
        size: u64,
    },
    /// A frontier with a wrong number of hashes for its size.
    #[error("a frontier of {size} leaves needs {expected} hashes, not {found}")]
    BadFrontier {
        /// The size.
        size: u64,
        /// One hash for each 1-bit of the size.
        expected: u32,
        /// What was given.
        found: usize,
    },
    /// The store does not have the hashes of the tree it claims to hold.
    #[error("hashes {start}..{end} of row {row} cannot be read: {detail}")]
    Unreadable {
        /// The row: tree level ÷ 8.
        row: u8,
        /// First index.
        start: u64,
        /// One past the last index.
        end: u64,
        /// What the store said.
        detail: String,
    },
    /// A proof that does not lead to the root.
    #[error("the proof does not lead to the root")]
    ProofMismatch,
    /// A proof with too few or too many hashes.
    #[error("the proof has a wrong number of hashes")]
    ProofLength,
}

/// The state that a tree needs to grow: its size and the roots of its complete subtrees, largest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Digest>,
}

impl Frontier {
    /// The empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self { size: 0, peaks: Vec::new() }
    }

    /// Reads a frontier back from storage.
    ///
    /// # Errors
    /// When the number of hashes is not the number of 1-bits of the size.
    pub fn restore(size: u64, peaks: Vec<Digest>) -> Result<Self, MerkleError> {
        if size > MAX_SIZE {
            return Err(MerkleError::OutOfRange { asked: size, size: MAX_SIZE });
        }
        if peaks.len() == size.count_ones() as usize {
            Ok(Self { size, peaks })
        } else {
            Err(MerkleError::BadFrontier { size, expected: size.count_ones(), found: peaks.len() })
        }
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the complete subtrees, largest first: one for each 1-bit of the size.
    #[must_use]
    pub fn peaks(&self) -> &[Digest] {
        &self.peaks
    }

    /// Appends one leaf hash, telling of every node that it completes, the leaf itself first.
    pub fn append(&mut self, leaf: Digest, mut completed: impl FnMut(Node)) {
        let mut node = Node { level: 0, index: self.size, hash: leaf };
        completed(node);
        while node.index & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            node = Node { level: node.level + 1, index: node.index >> 1, hash: node_hash(&left, &node.hash) };
            completed(node);
        }
        self.peaks.push(node.hash);
        self.size += 1;
    }

    /// Appends a batch of leaf hashes; answers every inner node (level ≥ 1) that it completes.
    pub fn append_batch(&mut self, leaves: &[Digest]) -> Vec<Node> {
        let mut nodes = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            self.append(*leaf, |node| {
                if node.level > 0 {
                    nodes.push(node);
                }
            });
        }
        nodes
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev();
        let Some(smallest) = peaks.next() else { return empty_root() };
        peaks.fold(*smallest, |right, left| node_hash(left, &right))
    }
}

/// Reads rows of hashes: row 0 holds the leaf hashes, row 1 the roots of every 256 leaves, and so on.
///
/// Proofs only ask for hashes of complete nodes, and never across a tile: `range` lies within
/// `256·k .. 256·(k+1)` for some `k`.
pub trait HashReader {
    /// The hashes at `range` of `row`, as many as the range is long.
    ///
    /// # Errors
    /// [`MerkleError::Unreadable`] when the store does not have them.
    fn hashes(&self, row: u8, range: Range<u64>) -> Result<Vec<Digest>, MerkleError>;
}

/// The rows of a whole tree in memory: for tests, audits, the demonstration and small logs.
#[derive(Debug, Clone, Default)]
pub struct MemoryRows {
    frontier: Frontier,
    rows: Vec<Vec<Digest>>,
}

impl MemoryRows {
    /// An empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self { frontier: Frontier::new(), rows: Vec::new() }
    }

    /// Builds the tree of some leaf hashes.
    #[must_use]
    pub fn of(leaves: impl IntoIterator<Item = Digest>) -> Self {
        let mut tree = Self::new();
        for leaf in leaves {
            tree.append(leaf);
        }
        tree
    }

    /// Appends one leaf hash.
    pub fn append(&mut self, leaf: Digest) {
        let rows = &mut self.rows;
        self.frontier.append(leaf, |node| {
            if node.level % ROW_HEIGHT == 0 {
                let row = usize::from(node.level / ROW_HEIGHT);
                if rows.len() <= row {
                    rows.push(Vec::new());
                }
                rows[row].push(node.hash);
            }
        });
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root of the tree.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.frontier.root()
    }

    /// The frontier of the tree.
    #[must_use]
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }
}

impl HashReader for MemoryRows {
    fn hashes(&self, row: u8, range: Range<u64>) -> Result<Vec<Digest>, MerkleError> {
        let bounds = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
        let held = self.rows.get(usize::from(row));
        let found = held.zip(bounds).and_then(|(hashes, (start, end))| hashes.get(start..end));
        found.map(<[Digest]>::to_vec).ok_or_else(|| MerkleError::Unreadable {
            row,
            start: range.start,
            end: range.end,
            detail: "the tree is smaller".to_owned(),
        })
    }
}
