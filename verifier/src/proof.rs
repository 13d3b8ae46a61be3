//! Inclusion and consistency proofs.
//!
//! Making: RFC 6962 §2.1.1 and §2.1.2, with each hash read from at most one tile. Checking: the
//! algorithms of RFC 9162 §2.1.3.2 and §2.1.4.2, which accept exactly one proof per statement.
//! Bounds: a proof of a tree of n leaves has at most ⌈log2 n⌉ (+ 1) hashes.

use std::ops::Range;

use super::merkle::{HashReader, MerkleError, ROW_HEIGHT, node_hash, root_of};
use crate::digest::Digest;

/// The hash of the complete node at `level` and `index`.
fn node(reader: &impl HashReader, level: u8, index: u64) -> Result<Digest, MerkleError> {
    let (row, above) = (level / ROW_HEIGHT, level % ROW_HEIGHT);
    let range = index << above..(index + 1) << above;
    let hashes = reader.hashes(row, range.clone())?;
    if hashes.len() as u64 != range.end - range.start {
        let detail = format!("{} hashes came back", hashes.len());
        return Err(MerkleError::Unreadable { row, start: range.start, end: range.end, detail });
    }
    Ok(root_of(&hashes))
}

/// The root of the leaves `range`, whose start is a multiple of every complete subtree within it.
fn subtree(reader: &impl HashReader, range: Range<u64>) -> Result<Digest, MerkleError> {
    let mut peaks = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let level = (range.end - start).ilog2();
        peaks.push(node(reader, u8::try_from(level).unwrap_or(u8::MAX), start >> level)?);
        start += 1 << level;
    }
    let mut peaks = peaks.into_iter().rev();
    let smallest = peaks.next().unwrap_or_else(super::merkle::empty_root);
    Ok(peaks.fold(smallest, |right, left| node_hash(&left, &right)))
}

/// The largest power of two below `n` (n ≥ 2).
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// The root of the first `size` leaves.
///
/// # Errors
/// When the hashes cannot be read.
pub fn root(reader: &impl HashReader, size: u64) -> Result<Digest, MerkleError> {
    subtree(reader, 0..size)
}

/// The frontier (roots of the complete subtrees, largest first) of the first `size` leaves.
///
/// # Errors
/// When the hashes cannot be read.
pub fn frontier(reader: &impl HashReader, size: u64) -> Result<super::merkle::Frontier, MerkleError> {
    let mut peaks = Vec::new();
    let mut start = 0;
    while start < size {
        let level = (size - start).ilog2();
        peaks.push(node(reader, u8::try_from(level).unwrap_or(u8::MAX), start >> level)?);
        start += 1 << level;
    }
    super::merkle::Frontier::restore(size, peaks)
}

/// Proves that leaf `index` is in the tree of the first `size` leaves.
///
/// # Errors
/// When the index is beyond the tree, or hashes cannot be read.
pub fn prove_inclusion(reader: &impl HashReader, index: u64, size: u64) -> Result<Vec<Digest>, MerkleError> {
    if index >= size || size > super::merkle::MAX_SIZE {
        return Err(MerkleError::OutOfRange { asked: index, size });
    }
    let mut path = Vec::new();
    let mut range = 0..size;
    while range.end - range.start > 1 {
        let middle = range.start + split(range.end - range.start);
        if index < middle {
            path.push(subtree(reader, middle..range.end)?);
            range.end = middle;
        } else {
            path.push(subtree(reader, range.start..middle)?);
            range.start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// Proves that the tree of the first `size` leaves extends the tree of the first `from`; empty when
/// `from` is 0 or equal to `size`.
///
/// # Errors
/// When `from` is beyond `size`, or hashes cannot be read.
pub fn prove_consistency(reader: &impl HashReader, from: u64, size: u64) -> Result<Vec<Digest>, MerkleError> {
    if from > size || size > super::merkle::MAX_SIZE {
        return Err(MerkleError::OutOfRange { asked: from, size });
    }
    let mut path = Vec::new();
    if from == 0 || from == size {
        return Ok(path);
    }
    // `from` always lies within (range.start, range.end]; the last subtree is left out when it is
    // a complete subtree of both trees from the first leaf on, whose hash the checker has.
    let mut range = 0..size;
    while from < range.end {
        let middle = range.start + split(range.end - range.start);
        if from <= middle {
            path.push(subtree(reader, middle..range.end)?);
            range.end = middle;
        } else {
            path.push(subtree(reader, range.start..middle)?);
            range.start = middle;
        }
    }
    if range.start > 0 {
        path.push(subtree(reader, range)?);
    }
    path.reverse();
    Ok(path)
}

/// Checks that a leaf hash is at `index` of the tree with that size and root.
///
/// # Errors
/// When the proof has a wrong length or leads elsewhere.
pub fn check_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    path: &[Digest],
    root: &Digest,
) -> Result<(), MerkleError> {
    if index >= size {
        return Err(MerkleError::OutOfRange { asked: index, size });
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in path {
        if last == 0 {
            return Err(MerkleError::ProofLength);
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(MerkleError::ProofLength);
    }
    if hash == *root { Ok(()) } else { Err(MerkleError::ProofMismatch) }
}

/// Checks that the tree (`size`, `root`) extends the tree (`from`, `from_root`).
///
/// # Errors
/// When the proof has a wrong length or leads elsewhere.
pub fn check_consistency(
    (from, from_root): (u64, &Digest),
    (size, root): (u64, &Digest),
    path: &[Digest],
) -> Result<(), MerkleError> {
    if from > size {
        return Err(MerkleError::OutOfRange { asked: from, size });
    }
    if from == size || from == 0 {
        let same = if from == 0 { *from_root == super::merkle::empty_root() } else { from_root == root };
        return match (path.is_empty(), same) {
            (false, _) => Err(MerkleError::ProofLength),
            (true, false) => Err(MerkleError::ProofMismatch),
            (true, true) => Ok(()),
        };
    }
    let mut path = path.iter();
    let (mut at, mut last) = (from - 1, size - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let first = if from.is_power_of_two() { from_root } else { path.next().ok_or(MerkleError::ProofLength)? };
    let (mut old, mut new) = (*first, *first);
    for sibling in path {
        if last == 0 {
            return Err(MerkleError::ProofLength);
        }
        if at & 1 == 1 || at == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(MerkleError::ProofLength);
    }
    if old == *from_root && new == *root { Ok(()) } else { Err(MerkleError::ProofMismatch) }
}
