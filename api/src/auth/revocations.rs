//! Whose tokens are good no more, known without a trip to the database.
//!
//! The database holds what was revoked; every process asks for all of it once a second (it is little: an entry
//! lives as long as the tokens that it ends) and after a change of its own. So a revocation holds at once where
//! it was made, and within [`EVERY`] elsewhere. While the database does not answer the last knowledge stays.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use domain::access::Viewer;
use domain::kernel::Instant;
use domain::store::{Store, StoreError};
use uuid::Uuid;

use super::token::Bearer;

/// How often a process asks.
pub const EVERY: Duration = Duration::from_secs(1);

/// What this process knows.
#[derive(Debug, Default)]
pub struct Revocations {
    /// One asks at a time: an older answer never replaces a newer one.
    asking: Mutex<()>,
    known: RwLock<HashMap<Uuid, i32>>,
}

impl Revocations {
    /// Asks the database.
    ///
    /// # Errors
    /// The failure of the store; then what was known stays known.
    pub fn learn(&self, store: &dyn Store, now: Instant) -> Result<(), StoreError> {
        let _asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = store.read(&Viewer::Everything, |queries| queries.access().list_revoked(now))?;
        let mut known = HashMap::with_capacity(rows.len());
        for (id, below) in rows {
            let most = known.entry(id).or_insert(below);
            *most = below.max(*most);
        }
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    /// Whether a token was ended before its time: its bearer changed, its organisation is suspended, or it was
    /// revoked itself.
    #[must_use]
    pub fn end(&self, bearer: &Bearer) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let below = |id: Uuid| known.get(&id).copied().unwrap_or(i32::MIN);
        let organisation = bearer.actor.organisation.map(|id| id.uuid());
        bearer.version < below(bearer.subject.uuid())
            || bearer.id.is_some_and(|id| known.contains_key(&id))
            || organisation.is_some_and(|id| known.contains_key(&id))
    }
}
