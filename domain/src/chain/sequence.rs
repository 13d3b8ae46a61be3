//! The sequencer: gives pending leaves their indexes and publishes signed checkpoints.
//!
//! One step is one transaction under the lock of the head; signing happens outside any transaction and
//! only after the rollback guard agrees. Ed25519 is deterministic and a checkpoint has no clock, so a
//! crash anywhere is mended by doing the step again. An index never comes from a database sequence.

use super::checkpoint::{Checkpoint, TreeHead};
use super::merkle::{MerkleError, leaf_hash};
use super::published::StoredRows;
use super::signer::{GuardError, HighWater, PortError, Signer};
use super::tile::Edge;
use super::witness::extends;
use crate::kernel::{Digest, Instant};
use crate::store::{Store, StoreError, UnitOfWork, UseCaseError};

/// Leaves in one step, at most.
pub const BATCH: u32 = 4_000;

/// Why the sequencer stopped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SequenceError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tree in the store does not hang together.
    #[error("the stored tree is damaged: {0}")]
    Tree(#[from] MerkleError),
    /// The log would not extend what was signed before: nothing is signed.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The key or the high-water mark.
    #[error("cannot sign: {0}")]
    Port(#[from] PortError),
    /// The note.
    #[error("cannot sign: {0}")]
    Note(#[from] super::note::NoteError),
}

impl UseCaseError for SequenceError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Tree(_) | Self::Guard(_) | Self::Port(_) | Self::Note(_) => None,
        }
    }
}

/// One sequencer. It keeps the edge of the tree between steps and reads it again when somebody else
/// moved the head.
pub struct Sequencer<'p> {
    /// The name of the log.
    pub origin: &'p str,
    /// The key of the log.
    pub signer: &'p dyn Signer,
    /// The rollback guard's memory.
    pub high_water: &'p dyn HighWater,
    edge: Option<Edge>,
    /// Whether the tree was seen to extend what was signed before this sequencer added to it.
    extends: bool,
    /// Whether a checkpoint is published by others, once the quorum of witnesses has cosigned it.
    witnessed: bool,
}

impl<'p> Sequencer<'p> {
    /// A sequencer that has seen nothing yet.
    #[must_use]
    pub const fn new(origin: &'p str, signer: &'p dyn Signer, high_water: &'p dyn HighWater) -> Self {
        Self { origin, signer, high_water, edge: None, extends: false, witnessed: false }
    }

    /// The same; with a quorum of witnesses it signs, and leaves publishing to whoever gathers their cosignatures.
    #[must_use]
    pub const fn witnessed(mut self, witnessed: bool) -> Self {
        self.witnessed = witnessed;
        self
    }

    /// Works off everything that is pending, then signs the head. Returns the signed head.
    ///
    /// # Errors
    /// See [`SequenceError`]. What was integrated stays; signing is made up for next time.
    pub fn catch_up(&mut self, store: &dyn Store, now: Instant) -> Result<TreeHead, SequenceError> {
        if !self.extends {
            self.confirm(store)?;
            self.extends = true;
        }
        loop {
            let (head, taken) = self.integrate(store, now)?;
            if taken < BATCH as usize {
                self.sign(store, &head)?;
                return Ok(head);
            }
        }
    }

    fn integrate(&mut self, store: &dyn Store, now: Instant) -> Result<(TreeHead, usize), SequenceError> {
        let origin = self.origin;
        let known = self.edge.take();
        let (edge, head, taken) = store.transaction(|uow| integrated(uow, origin, known.clone(), now))?;
        self.edge = Some(edge);
        Ok((head, taken))
    }

    /// Asks the guard whether the tree extends what was signed: before the first step, since nothing is added to a tree
    /// that was rolled back or rewritten, and by those who watch another one's signing.
    ///
    /// # Errors
    /// See [`SequenceError`].
    pub fn confirm(&self, store: &dyn Store) -> Result<(), SequenceError> {
        let signed = self.high_water.read()?;
        store.transaction(|uow| {
            let head = uow.chain().lock_head()?;
            let cosigned = uow.witnesses().find_cosigned_heads()?;
            extends(&StoredRows::new(uow.chain()), signed.as_ref(), &cosigned, &head).map_err(SequenceError::from)
        })
    }

    fn sign(&self, store: &dyn Store, head: &TreeHead) -> Result<(), SequenceError> {
        let signed = self.high_water.read()?;
        if signed.as_ref() != Some(head) {
            store.transaction(|uow| {
                let cosigned = uow.witnesses().find_cosigned_heads()?;
                extends(&StoredRows::new(uow.chain()), signed.as_ref(), &cosigned, head).map_err(SequenceError::from)
            })?;
        }
        let note = Checkpoint { origin: self.origin.to_owned(), head: *head }.sign(self.signer)?;
        self.high_water.advance(head)?;
        let text = note.to_string();
        store.transaction(|uow| {
            uow.chain().append_note(head.size, &text)?;
            if !self.witnessed {
                uow.witnesses().publish(head.size)?;
            }
            Ok(())
        })
    }
}

/// One step inside its transaction: the edge after it, the head, and how many leaves were taken.
fn integrated(
    uow: &mut dyn UnitOfWork,
    origin: &str,
    known: Option<Edge>,
    now: Instant,
) -> Result<(Edge, TreeHead, usize), SequenceError> {
    let before = uow.chain().lock_head()?;
    let mut edge = match known {
        Some(edge) if edge.size() == before.size && edge.root() == before.root => edge,
        _ => Edge::load(&StoredRows::new(uow.chain()), before.size)?,
    };
    let pending = uow.chain().take_pending(BATCH)?;
    if pending.is_empty() {
        if before.size == 0 {
            let body = Checkpoint { origin: origin.to_owned(), head: before }.body();
            uow.chain().advance_head(0, &before, &body, now)?;
        }
        return Ok((edge, before, 0));
    }
    let hashes: Vec<Digest> = pending.iter().map(|p| leaf_hash(&p.leaf)).collect();
    let tiles = edge.append_batch(&hashes);
    let head = TreeHead { size: edge.size(), root: edge.root() };
    let chain = uow.chain();
    chain.append_leaves(before.size, &pending, &hashes)?;
    chain.append_tiles(&tiles)?;
    let body = Checkpoint { origin: origin.to_owned(), head }.body();
    chain.advance_head(before.size, &head, &body, now)?;
    Ok((edge, head, pending.len()))
}
