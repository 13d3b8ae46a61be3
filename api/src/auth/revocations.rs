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
use domain::kernel::ids::{MemberId, OrganisationId};
use domain::store::{Store, StoreError};
use tokio::sync::watch;
use uuid::Uuid;

use super::token::Bearer;

/// How often a process asks.
pub const EVERY: Duration = Duration::from_secs(1);

/// What of a token can be ended before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    subject: Uuid,
    organisation: Option<Uuid>,
    member: Option<Uuid>,
    token: Option<Uuid>,
    session: Option<Uuid>,
    version: i32,
}

impl From<&Bearer> for Credential {
    fn from(bearer: &Bearer) -> Self {
        Self {
            subject: bearer.subject.uuid(),
            organisation: bearer.actor.organisation.map(OrganisationId::uuid),
            member: bearer.actor.member.map(MemberId::uuid),
            token: bearer.id,
            session: bearer.session,
            version: bearer.version,
        }
    }
}

/// What this process knows.
#[derive(Debug, Default)]
pub struct Revocations {
    /// One asks at a time: an older answer never replaces a newer one.
    asking: Mutex<()>,
    known: RwLock<HashMap<Uuid, i32>>,
    /// Moves whenever something else is known.
    learned: watch::Sender<()>,
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
        let mut present = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if *present != known {
            *present = known;
            drop(present);
            self.learned.send_replace(());
        }
        Ok(())
    }

    /// Moves whenever something else is known: whoever holds on to a token looks again.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<()> {
        self.learned.subscribe()
    }

    /// Whether a token was ended before its time: its bearer changed, the organisation or the member that it
    /// acts for is suspended, or it was revoked itself or with its session.
    #[must_use]
    pub fn end(&self, credential: &Credential) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let below = |id: Uuid| known.get(&id).copied().unwrap_or(i32::MIN);
        let Credential { subject, organisation, member, token, session, version } = credential;
        *version < below(*subject)
            || [organisation, member, token, session].into_iter().flatten().any(|id| known.contains_key(id))
    }
}
