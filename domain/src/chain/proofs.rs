//! Proofs for whoever asks: that a leaf is in the log, that one size of it extends another.
//!
//! Only sizes that a checkpoint was signed for, or smaller ones, are answered: nobody learns of leaves
//! that are not published yet. What a [`LogMemory`] knows is answered out of it ([`inclusion_known`],
//! [`consistency_known`]); the store is asked for the newest checkpoint and for what is missing.

use super::checkpoint::TreeHead;
use super::memory::{LogMemory, RememberedRows};
use super::merkle::{HashReader as _, MerkleError};
use super::mirror::head_of;
use super::proof;
use super::published::ChainQueries;
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
    memory: &LogMemory,
    chain: &mut dyn ChainQueries,
    index: u64,
    size: Option<u64>,
) -> Result<Result<InclusionProof, Faults>, StoreError> {
    let newest = newest(chain)?;
    let size = size.unwrap_or(newest.size);
    let mut faults = Faults::default();
    if size > newest.size {
        faults.push("#size", "size_out_of_range", format!("{} leaves are signed for", newest.size));
    }
    if index >= size {
        faults.push("#index", "index_out_of_range", format!("a log of {size} leaves has no leaf {index}"));
    }
    if let Err(faults) = faults.check() {
        return Ok(Err(faults));
    }
    let rows = memory.rows_of(chain, &newest).map_err(damaged)?;
    included(&rows, index, size).map(Ok).map_err(damaged)
}

/// The same out of memory alone; `None` when it does not know all of it, or not that it is out of range.
#[must_use]
pub fn inclusion_known(memory: &LogMemory, index: u64, size: u64) -> Option<InclusionProof> {
    let rows = memory.rows();
    if size <= rows.size() { included(&rows, index, size).ok() } else { None }
}

fn included(rows: &RememberedRows<'_>, index: u64, size: u64) -> Result<InclusionProof, MerkleError> {
    let path = proof::prove_inclusion(rows, index, size)?;
    let leaf_hash = rows.hashes(0, index..index + 1)?.pop().ok_or(MerkleError::OutOfRange { asked: index, size })?;
    Ok(InclusionProof { index, size, leaf_hash, root: rows.root(size)?, path })
}

/// Proves that the log of `to` leaves extends that of `from`; `to` is the newest signed size when none
/// is given.
///
/// # Errors
/// The failure of the store; the inner ones point at the number that is out of range.
pub fn consistency(
    memory: &LogMemory,
    chain: &mut dyn ChainQueries,
    from: u64,
    to: Option<u64>,
) -> Result<Result<ConsistencyProof, Faults>, StoreError> {
    let newest = newest(chain)?;
    let to = to.unwrap_or(newest.size);
    let mut faults = Faults::default();
    if to > newest.size {
        faults.push("#to", "size_out_of_range", format!("{} leaves are signed for", newest.size));
    }
    if from > to {
        faults.push("#from", "size_out_of_range", format!("a log of {to} leaves does not extend one of {from}"));
    }
    if let Err(faults) = faults.check() {
        return Ok(Err(faults));
    }
    let rows = memory.rows_of(chain, &newest).map_err(damaged)?;
    extended(&rows, from, to).map(Ok).map_err(damaged)
}

/// The same out of memory alone; `None` when it does not know all of it, or not that it is out of range.
#[must_use]
pub fn consistency_known(memory: &LogMemory, from: u64, to: u64) -> Option<ConsistencyProof> {
    let rows = memory.rows();
    if to <= rows.size() { extended(&rows, from, to).ok() } else { None }
}

fn extended(rows: &RememberedRows<'_>, from: u64, to: u64) -> Result<ConsistencyProof, MerkleError> {
    let path = proof::prove_consistency(rows, from, to)?;
    Ok(ConsistencyProof { from, from_root: rows.root(from)?, to, to_root: rows.root(to)?, path })
}

/// What is signed for; nothing at first.
fn newest(chain: &mut dyn ChainQueries) -> Result<TreeHead, StoreError> {
    let Some(published) = chain.find_newest_note()? else {
        return Ok(TreeHead { size: 0, root: super::merkle::empty_root() });
    };
    head_of(published.note.as_bytes()).map_err(|error| StoreError::Failed(format!("the newest checkpoint: {error}")))
}

fn damaged(error: MerkleError) -> StoreError {
    StoreError::Failed(format!("the stored log is damaged: {error}"))
}
