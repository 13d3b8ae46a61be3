//! The ports of trail runs.

use jiff::civil::Date;

use super::{TrailRun, TrailRunState};
use crate::kernel::ids::{AgreementId, DealId, OrganisationId, TrailRunId};
use crate::kernel::{Page, PageRequest};
use crate::store::StoreError;

/// Trail runs, inside a transaction.
pub trait TrailRunRepository {
    /// Keeps a new run.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert(&mut self, run: &TrailRun) -> Result<(), StoreError>;

    /// Locks a run.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock(&mut self, run: TrailRunId) -> Result<Option<TrailRun>, StoreError>;

    /// Writes what may change of a run.
    ///
    /// # Errors
    /// The failure of the store.
    fn update(&mut self, run: &TrailRun) -> Result<(), StoreError>;

    /// The next deals under these versions that settled by a day, in the order of their ids.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_settled(
        &mut self,
        versions: &[(AgreementId, u32)],
        by: Date,
        after: Option<DealId>,
        limit: u32,
    ) -> Result<Vec<DealId>, StoreError>;

    /// Notes the deals whose balance a run has missed.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_missing(&mut self, run: TrailRunId, deals: &[DealId]) -> Result<(), StoreError>;
}

/// A deal whose balance a run has missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingBalance {
    /// The deal.
    pub deal: DealId,
    /// What its source calls it.
    pub external_ref: Option<String>,
    /// Who sold, and should tell the balance.
    pub provider: OrganisationId,
    /// Whose member referred.
    pub introducer: OrganisationId,
    /// The last month before the run's whose balance is known; none = none ever was.
    pub last_known: Option<Date>,
    /// Whether the balance has come in since.
    pub known_now: bool,
}

/// Trail runs, to look up.
pub trait TrailRunQueries {
    /// Runs, newest first.
    ///
    /// # Errors
    /// The failure of the store; a page key that is none.
    fn list(&mut self, state: Option<TrailRunState>, page: &PageRequest) -> Result<Page<TrailRun>, StoreError>;

    /// One run.
    ///
    /// # Errors
    /// The failure of the store.
    fn find(&mut self, run: TrailRunId) -> Result<Option<TrailRun>, StoreError>;

    /// The deals whose balance a run has missed, by id.
    ///
    /// # Errors
    /// The failure of the store; a page key that is none.
    fn list_missing(&mut self, run: TrailRunId, page: &PageRequest) -> Result<Page<MissingBalance>, StoreError>;
}
