//! Which key events a receipt needs: what made the keys that signed good, and what ended them.
//!
//! For each key that signed: the registration that its succession began with, every rotation up to it, and the event that
//! ended it, if there is one; for a key that was revoked by another one of its party, also what made that one good.
//! Bound: [`super::registry::MOST_ROTATIONS`] rotations a key.

use std::collections::{BTreeMap, BTreeSet};

use super::published::{ChainQueries, KeptEnvelope, KeptKeyEvent, KeyEventKind};
use crate::store::StoreError;

/// The events of the keys of a batch of receipts.
pub(super) struct KeyEvents {
    /// By the key that begins.
    begins: BTreeMap<String, KeptKeyEvent>,
    /// By the key that ends.
    ends: BTreeMap<String, KeptKeyEvent>,
}

impl KeyEvents {
    /// Looks up the events of these keys: one query.
    ///
    /// # Errors
    /// The failure of the store.
    pub(super) fn find(chain: &mut dyn ChainQueries, kids: &[String]) -> Result<Self, StoreError> {
        let mut events = Self { begins: BTreeMap::new(), ends: BTreeMap::new() };
        if kids.is_empty() {
            return Ok(events);
        }
        for event in chain.find_key_events(kids)? {
            match (event.kind, &event.successor) {
                (KeyEventKind::Registration, _) => {
                    events.begins.insert(event.kid.clone(), event);
                }
                (KeyEventKind::Rotation, Some(successor)) => {
                    events.begins.insert(successor.clone(), event.clone());
                    events.ends.insert(event.kid.clone(), event);
                }
                (KeyEventKind::Rotation, None) | (KeyEventKind::Revocation, _) => {
                    events.ends.insert(event.kid.clone(), event);
                }
            }
        }
        Ok(events)
    }

    /// Every envelope, for its leaf to be looked up.
    pub(super) fn kept(&self) -> impl Iterator<Item = &KeptEnvelope> {
        self.begins.values().chain(self.ends.values()).map(|event| &event.kept)
    }

    /// What a receipt needs whose statements these keys signed: each event once.
    pub(super) fn of(&self, kids: &BTreeSet<String>) -> Vec<&KeptEnvelope> {
        let mut needed: BTreeMap<uuid::Uuid, &KeptEnvelope> = BTreeMap::new();
        for kid in kids {
            self.beginnings(kid, &mut needed);
            if let Some(end) = self.ends.get(kid) {
                let _ = needed.insert(end.kept.source, &end.kept);
                self.beginnings(&end.signer, &mut needed);
            }
        }
        needed.into_values().collect()
    }

    /// From the key back to the one that its succession began with. A circle would end where it closes.
    fn beginnings<'e>(&'e self, kid: &str, needed: &mut BTreeMap<uuid::Uuid, &'e KeptEnvelope>) {
        let mut kid = kid;
        while let Some(event) = self.begins.get(kid) {
            if needed.insert(event.kept.source, &event.kept).is_some() || event.kind == KeyEventKind::Registration {
                return;
            }
            kid = &event.kid;
        }
    }
}
