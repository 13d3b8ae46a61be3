//! Proofs for whoever asks: that a leaf is in the log, that one size of it extends another.
//!
//! Only sizes that a checkpoint was signed for, or smaller ones, are answered: nobody learns of leaves
//! that are not published yet.

use super::merkle::MerkleError;
use super::proof;
use super::published::{ChainQueries, StoredRows};
use crate::kernel::Digest;
use crate::kernel::Faults;
use crate::store::StoreError;

/// That a leaf is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// The index of the leaf.
    pub index: u64,
    /// The size of the tree.
    pub size: u64,
    /// The hash of the leaf.
    pub leaf_hash: Digest,
    /// The root of the tree.
    pub root: Digest,
    /// From the leaf upwards.
    pub path: Vec<Digest>,
}

/// That the log of one size extends that of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// The smaller size.
    pub from: u64,
    /// Its root.
    pub from_root: Digest,
    /// The larger size.
    pub to: u64,
    /// Its root.
    pub to_root: Digest,
    /// As RFC 9162 §2.1.4 orders it.
    pub path: Vec<Digest>,
}

/// Proves that leaf `index` is in the log of `size` leaves; the newest signed size when none is given.
///
/// # Errors
/// The failure of the store; the inner ones point at the number that is out of range.
pub fn inclusion(
    chain: &mut dyn ChainQueries,
    index: u64,
    size: Option<u64>,
) -> Result<Result<InclusionProof, Faults>, StoreError> {
    let newest = chain.find_newest_note()?.map_or(0, |note| note.size);
    let size = size.unwrap_or(newest);
    let mut faults = Faults::default();
    if size > newest {
        faults.push("#size", "size_out_of_range", format!("{newest} leaves are signed for"));
    }
    if index >= size {
        faults.push("#index", "index_out_of_range", format!("a log of {size} leaves has no leaf {index}"));
    }
    if let Err(faults) = faults.check() {
        return Ok(Err(faults));
    }
    let leaf_hash = chain.leaf_hashes(index, index + 1)?.pop().ok_or_else(|| unreadable("a leaf is missing"))?;
    let rows = StoredRows::new(chain);
    let root = proof::root(&rows, size).map_err(damaged)?;
    let path = proof::prove_inclusion(&rows, index, size).map_err(damaged)?;
    Ok(Ok(InclusionProof { index, size, leaf_hash, root, path }))
}

/// Proves that the log of `to` leaves extends that of `from`; `to` is the newest signed size when none
/// is given.
///
/// # Errors
/// The failure of the store; the inner ones point at the number that is out of range.
pub fn consistency(
    chain: &mut dyn ChainQueries,
    from: u64,
    to: Option<u64>,
) -> Result<Result<ConsistencyProof, Faults>, StoreError> {
    let newest = chain.find_newest_note()?.map_or(0, |note| note.size);
    let to = to.unwrap_or(newest);
    let mut faults = Faults::default();
    if to > newest {
        faults.push("#to", "size_out_of_range", format!("{newest} leaves are signed for"));
    }
    if from > to {
        faults.push("#from", "size_out_of_range", format!("a log of {to} leaves does not extend one of {from}"));
    }
    if let Err(faults) = faults.check() {
        return Ok(Err(faults));
    }
    let rows = StoredRows::new(chain);
    let (from_root, to_root) = (proof::root(&rows, from).map_err(damaged)?, proof::root(&rows, to).map_err(damaged)?);
    let path = proof::prove_consistency(&rows, from, to).map_err(damaged)?;
    Ok(Ok(ConsistencyProof { from, from_root, to, to_root, path }))
}

fn damaged(error: MerkleError) -> StoreError {
    unreadable(&error.to_string())
}

fn unreadable(what: &str) -> StoreError {
    StoreError::Failed(format!("the stored log is damaged: {what}"))
}
