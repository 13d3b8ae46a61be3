//! Adding to the log: commitments of a business transaction, before they have an index.
//!
//! Order of locks: business rows → lanes → balances → ledger head. Lanes are locked in the order of
//! their subjects. Bounds: four statements whatever the number of items.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::leaf::{LaneHead, LeafKind, lane};
use super::repository::{PendingLeaf, Secret, SubjectLane};
use crate::env::Env;
use crate::store::{StoreError, UnitOfWork};

/// What is to be logged.
#[derive(Clone, PartialEq, Eq)]
pub struct LogItem {
    /// Whose lane it goes into.
    pub subject: Uuid,
    /// The statement or entry; logged once, ever.
    pub source: Uuid,
    /// The kind.
    pub kind: LeafKind,
    /// The bytes that the leaf commits to.
    pub envelope: Vec<u8>,
    /// Whether the envelope is kept with the secrets; an entry's bytes are kept in the ledger.
    pub keep_envelope: bool,
}

/// Adds the items, in their order, each to the lane of its subject; lanes are made when first needed.
///
/// # Errors
/// The failure of the store; `chain_pending_source_taken` when a source is logged already.
pub fn append(uow: &mut dyn UnitOfWork, env: &Env<'_>, items: &[LogItem]) -> Result<(), StoreError> {
    if items.is_empty() {
        return Ok(());
    }
    let mut lanes = opened(uow, env, items)?;
    let mut pending = Vec::with_capacity(items.len());
    let mut secrets = Vec::new();
    for item in items {
        let Some(head) = lanes.get_mut(&item.subject) else {
            return Err(StoreError::Failed("a lane vanished".into()));
        };
        let leaf = head.append(item.kind, &item.envelope, env.now);
        pending.push(PendingLeaf {
            source: item.source,
            kind: item.kind,
            lane: leaf.lane,
            lane_seq: leaf.lane_seq,
            leaf: leaf.to_bytes(),
            created_at: env.now,
        });
        if item.keep_envelope {
            let bytes = item.envelope.clone();
            secrets.push(Secret { source: item.source, subject: item.subject, kind: "envelope", bytes });
        }
    }
    let moved: Vec<SubjectLane> = lanes.into_iter().map(|(subject, head)| SubjectLane { subject, head }).collect();
    let chain = uow.chain();
    chain.append_pending(&pending)?;
    chain.append_secrets(&secrets)?;
    chain.update_lanes(&moved)
}

/// Locks the lanes of the items and makes those that do not exist yet.
fn opened(uow: &mut dyn UnitOfWork, env: &Env<'_>, items: &[LogItem]) -> Result<BTreeMap<Uuid, LaneHead>, StoreError> {
    let mut subjects: Vec<Uuid> = items.iter().map(|item| item.subject).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let mut lanes: BTreeMap<Uuid, LaneHead> =
        uow.chain().lock_lanes(&subjects)?.into_iter().map(|l| (l.subject, l.head)).collect();
    let mut made = Vec::new();
    let mut secrets = Vec::new();
    for subject in subjects {
        if let std::collections::btree_map::Entry::Vacant(vacant) = lanes.entry(subject) {
            let secret = env.draw();
            let head = *vacant.insert(LaneHead::new(lane(&secret)));
            made.push(SubjectLane { subject, head });
            secrets.push(Secret { source: subject, subject, kind: "lane", bytes: secret.to_vec() });
        }
    }
    if !made.is_empty() {
        uow.chain().insert_lanes(&made)?;
        uow.chain().append_secrets(&secrets)?;
    }
    Ok(lanes)
}
