//! Tiles: the static files that a log is published as.
//!
//! Source: C2SP `tlog-tiles`. A tile holds up to 256 hashes of a row (row L = tree level 8·L), an
//! entry bundle up to 256 leaves, each after its length as a big-endian `u16`. Full tiles never
//! change and are stored; partial ones (`.p/<W>`) are derived from the size. Indexes are written in
//! groups of three digits, all but the last marked with `x`: `1234067` is `x001/x234/067`.

use super::merkle::{Frontier, HashReader, MerkleError, ROW_HEIGHT, root_of};
use crate::digest::Digest;

/// Hashes in a full tile, leaves in a full bundle.
pub const TILE_WIDTH: u16 = 256;
/// The longest leaf that a bundle can hold, in bytes.
pub const MAX_LEAF_BYTES: usize = 65_535;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of the row with this number.
    Hashes(u8),
    /// The leaves themselves.
    Entries,
}

/// The coordinates of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    kind: TileKind,
    index: u64,
    width: u16,
}

/// The text does not name a tile, or not canonically.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the path of a tile")]
pub struct ParseTileError;

impl Tile {
    /// Names a tile; `None` unless the row is at most 7 and the width 1 to 256.
    #[must_use]
    pub fn try_new(kind: TileKind, index: u64, width: u16) -> Option<Self> {
        let row_exists = !matches!(kind, TileKind::Hashes(row) if row > 7);
        (row_exists && (1..=TILE_WIDTH).contains(&width)).then_some(Self { kind, index, width })
    }

    /// What it holds.
    #[must_use]
    pub const fn kind(self) -> TileKind {
        self.kind
    }

    /// Its place in the row.
    #[must_use]
    pub const fn index(self) -> u64 {
        self.index
    }

    /// How many hashes or leaves it holds, 1 to 256.
    #[must_use]
    pub const fn width(self) -> u16 {
        self.width
    }

    /// Whether it is full, and so will never change.
    #[must_use]
    pub const fn is_full(self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The hashes of its row, or the leaves, that it holds.
    #[must_use]
    pub fn range(self) -> std::ops::Range<u64> {
        let start = self.index.saturating_mul(u64::from(TILE_WIDTH));
        start..start.saturating_add(u64::from(self.width))
    }

    /// Whether a log of `size` leaves has this tile.
    #[must_use]
    pub fn exists_in(self, size: u64) -> bool {
        let row = match self.kind {
            TileKind::Hashes(row) => row,
            TileKind::Entries => 0,
        };
        self.range().end <= size >> (ROW_HEIGHT * row)
    }

    /// The path, without a leading slash.
    #[must_use]
    pub fn path(self) -> String {
        let mut number = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            number = format!("x{:03}/{number}", rest % 1000);
            rest /= 1000;
        }
        let row = match self.kind {
            TileKind::Hashes(row) => row.to_string(),
            TileKind::Entries => "entries".to_owned(),
        };
        let partial = if self.is_full() { String::new() } else { format!(".p/{}", self.width) };
        format!("tile/{row}/{number}{partial}")
    }

    /// Reads a path; anything that [`Tile::path`] would write otherwise is refused.
    ///
    /// # Errors
    /// [`ParseTileError`].
    pub fn parse(path: &str) -> Result<Self, ParseTileError> {
        Self::parse_loosely(path).filter(|tile| tile.path() == path).ok_or(ParseTileError)
    }

    fn parse_loosely(path: &str) -> Option<Self> {
        let (row, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let kind = if row == "entries" { TileKind::Entries } else { TileKind::Hashes(row.parse().ok()?) };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok()?),
            None => (rest, TILE_WIDTH),
        };
        let mut index: u64 = 0;
        for group in number.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            index = index.checked_mul(1000)?.checked_add(digits.parse::<u16>().ok().filter(|g| *g < 1000)?.into())?;
        }
        Self::try_new(kind, index, width)
    }
}

/// The rows that a log of `size` leaves has hashes in.
fn rows(size: u64) -> impl Iterator<Item = u8> {
    (0..8_u8).take_while(move |row| size >> (ROW_HEIGHT * row) > 0)
}

/// The hash tiles that become full when the log grows from `from` to `to` leaves, lower rows first.
#[must_use]
pub fn completed(from: u64, to: u64) -> Vec<Tile> {
    let of_row = |row: u8| {
        let full = |size: u64| (size >> (ROW_HEIGHT * row)) / u64::from(TILE_WIDTH);
        (full(from)..full(to)).map(move |index| Tile { kind: TileKind::Hashes(row), index, width: TILE_WIDTH })
    };
    rows(to).flat_map(of_row).collect()
}

/// The partial hash tiles of a log of `size` leaves: at most one per row.
#[must_use]
pub fn partials(size: u64) -> Vec<Tile> {
    let of_row = |row: u8| {
        let hashes = size >> (ROW_HEIGHT * row);
        let width = u16::try_from(hashes % u64::from(TILE_WIDTH)).unwrap_or(0);
        Tile::try_new(TileKind::Hashes(row), hashes / u64::from(TILE_WIDTH), width)
    };
    rows(size).filter_map(of_row).collect()
}

/// The entry bundles of a log of `size` leaves, the last one partial unless 256 divides the size.
pub fn bundles(size: u64) -> impl Iterator<Item = Tile> {
    (0..size.div_ceil(u64::from(TILE_WIDTH))).map(move |index| {
        let rest = size - index * u64::from(TILE_WIDTH);
        let width = u16::try_from(rest).unwrap_or(TILE_WIDTH).min(TILE_WIDTH);
        Tile { kind: TileKind::Entries, index, width }
    })
}

/// The bytes of a hash tile, read from the rows.
///
/// # Errors
/// When the hashes cannot be read.
pub fn read(reader: &impl HashReader, row: u8, tile: Tile) -> Result<Vec<u8>, MerkleError> {
    Ok(to_bytes(&reader.hashes(row, tile.range())?))
}

/// The bytes of a hash tile.
#[must_use]
pub fn to_bytes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.bytes()).collect()
}

/// The hashes of a tile's bytes; `None` unless there are 1 to 256 of them.
#[must_use]
pub fn from_bytes(bytes: &[u8]) -> Option<Vec<Digest>> {
    let whole = bytes.len().is_multiple_of(32) && (1..=usize::from(TILE_WIDTH)).contains(&(bytes.len() / 32));
    if whole { bytes.chunks_exact(32).map(Digest::from_slice).collect() } else { None }
}

/// The bytes of an entry bundle; `None` when a leaf is longer than [`MAX_LEAF_BYTES`].
#[must_use]
pub fn bundle<'a>(leaves: impl IntoIterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for leaf in leaves {
        bytes.extend_from_slice(&u16::try_from(leaf.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(leaf);
    }
    Some(bytes)
}

/// The leaves of an entry bundle; `None` when it is cut off or holds more than 256.
#[must_use]
pub fn unbundle(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut leaves = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let (leaf, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        leaves.push(leaf);
        bytes = rest;
    }
    (bytes.is_empty() && leaves.len() <= usize::from(TILE_WIDTH)).then_some(leaves)
}

/// A tile that has become full, with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullTile {
    /// The row.
    pub row: u8,
    /// The place in the row.
    pub index: u64,
    /// 256 hashes of 32 bytes.
    pub bytes: Vec<u8>,
}

/// The right edge of the log: the frontier and the hashes of every partial tile. What a sequencer
/// keeps in memory, so that a batch costs no reading; at most 8 rows of 255 hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edge {
    frontier: Frontier,
    rows: Vec<Vec<Digest>>,
}

impl Edge {
    /// The edge of the empty log.
    #[must_use]
    pub const fn new() -> Self {
        Self { frontier: Frontier::new(), rows: Vec::new() }
    }

    /// Reads the edge of a log of `size` leaves back from its rows.
    ///
    /// # Errors
    /// When the hashes cannot be read.
    pub fn load(reader: &impl HashReader, size: u64) -> Result<Self, MerkleError> {
        let mut edge = Self { frontier: super::proof::frontier(reader, size)?, rows: Vec::new() };
        for row in rows(size) {
            let hashes = size >> (ROW_HEIGHT * row);
            let start = hashes - hashes % u64::from(TILE_WIDTH);
            edge.rows.push(if start == hashes { Vec::new() } else { reader.hashes(row, start..hashes)? });
        }
        Ok(edge)
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

    /// The frontier.
    #[must_use]
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// The hashes of the partial tile of a row; empty when it has none.
    #[must_use]
    pub fn partial(&self, row: u8) -> &[Digest] {
        self.rows.get(usize::from(row)).map_or(&[], Vec::as_slice)
    }

    /// Appends a batch of leaf hashes; answers the tiles that become full, in the order they do.
    pub fn append_batch(&mut self, leaves: &[Digest]) -> Vec<FullTile> {
        let mut full = Vec::new();
        for leaf in leaves {
            self.frontier.append(*leaf, |_| ());
            self.push(*leaf, &mut full);
        }
        full
    }

    fn push(&mut self, leaf: Digest, full: &mut Vec<FullTile>) {
        let (mut hash, mut row) = (leaf, 0_u8);
        loop {
            if self.rows.len() <= usize::from(row) {
                self.rows.push(Vec::with_capacity(usize::from(TILE_WIDTH)));
            }
            let hashes = &mut self.rows[usize::from(row)];
            hashes.push(hash);
            if hashes.len() < usize::from(TILE_WIDTH) {
                return;
            }
            let index = (self.frontier.size() >> (ROW_HEIGHT * (row + 1))) - 1;
            full.push(FullTile { row, index, bytes: to_bytes(hashes) });
            hash = root_of(hashes);
            hashes.clear();
            row += 1;
        }
    }
}
