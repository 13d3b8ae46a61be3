//! Events: what happened, told to whoever may know.
//!
//! A use case appends its events beside their effect, in the same transaction ([`EventRepository::append`]).
//! After the commit the sequencer numbers them ([`number`]): the sequence has no gap, and of two events of
//! one subject the one that happened first has the smaller number. Everybody replays the same log from any
//! number on; a reader sees what concerns them, so the numbers that they see may have gaps.
//!
//! Invariants: an event is never changed; its data hold ids, words and amounts, never a person's data; an
//! event is seen by whom its `visible_to` names, and only with the scope that reading its subject needs.
//! Bounds: [`BATCH`] events numbered in one transaction.

pub mod data;
pub mod event;
pub mod kind;

pub use data::EventData;
pub use event::{Event, EventQueries, EventRepository, EventsAsked, NewEvent};
pub use kind::EventKind;

use uuid::Uuid;

use crate::env::Env;
use crate::store::{Store, StoreError, UnitOfWork};

/// Tells that a record was made or changed.
///
/// # Errors
/// The failure of the store.
pub fn record_changed(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    kind: EventKind,
    id: (&dyn std::fmt::Display, Uuid),
    version: Option<i32>,
    visible_to: &[Uuid],
) -> Result<(), StoreError> {
    let data = data::RecordChanged { id: id.0.to_string(), version };
    uow.events().append(&[NewEvent::new(env, kind, id.1, &data, visible_to)?])
}

/// Events that are numbered in one transaction.
pub const BATCH: u32 = 2_000;

/// Numbers what was committed, batch by batch. Returns how many were numbered.
///
/// # Errors
/// The failure of the store.
pub fn number(store: &dyn Store) -> Result<u64, StoreError> {
    let mut numbered = 0;
    loop {
        let batch = store.transaction(|uow| uow.events().number(BATCH))?;
        numbered += u64::from(batch);
        if batch < BATCH {
            return Ok(numbered);
        }
    }
}
