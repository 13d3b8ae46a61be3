//! The ports of simulations.

use super::changes::ChangedDeal;
use super::population::{Chunk, PopulationAsked, PopulationFilter};
use crate::catalogue::VerticalCode;
use crate::jobs::{JobFault, JobState, Progress};
use crate::kernel::ids::{AgreementId, DealId, JobId, SimulationId};
use crate::kernel::{Instant, Page, PageRequest};
use crate::store::StoreError;

/// A simulation as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSimulation {
    /// Its id.
    pub id: SimulationId,
    /// The job that does it.
    pub job: JobId,
    /// What was asked, as canonical JSON.
    pub asked: Vec<u8>,
    /// Who asked.
    pub created_by: uuid::Uuid,
    /// When.
    pub created_at: Instant,
}

/// A simulation and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSimulation {
    /// What is kept.
    pub simulation: NewSimulation,
    /// Where its job stands.
    pub state: JobState,
    /// How far it is: deals, or runs.
    pub progress: Progress,
    /// Why it failed.
    pub fault: Option<JobFault>,
    /// When it ended.
    pub finished_at: Option<Instant>,
}

/// A changed deal as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankedChange {
    /// From 1, the one that changes most.
    pub rank: u32,
    /// The deal.
    pub change: ChangedDeal,
}

/// Simulations, inside a transaction.
pub trait SimulationRepository {
    /// Keeps a new one.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert(&mut self, simulation: &NewSimulation) -> Result<(), StoreError>;

    /// One of them.
    ///
    /// # Errors
    /// The failure of the store.
    fn find(&mut self, id: SimulationId) -> Result<Option<NewSimulation>, StoreError>;

    /// The content of a version of an agreement, in whatever state.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_content(&mut self, agreement: AgreementId, number: u32) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps what it found.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_report(
        &mut self,
        id: SimulationId,
        report: &[u8],
        changes: &[ChangedDeal],
        at: Instant,
    ) -> Result<(), StoreError>;
}

/// Simulations to look up, and deals to simulate.
pub trait SimulationQueries {
    /// Simulations, newest first.
    ///
    /// # Errors
    /// The failure of the store; a page key that is none.
    fn list(&mut self, page: &PageRequest) -> Result<Page<FoundSimulation>, StoreError>;

    /// One of them.
    ///
    /// # Errors
    /// The failure of the store.
    fn find(&mut self, id: SimulationId) -> Result<Option<FoundSimulation>, StoreError>;

    /// The bytes of its report, once there is one.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_report(&mut self, id: SimulationId) -> Result<Option<Vec<u8>>, StoreError>;

    /// The deals that change most, those first.
    ///
    /// # Errors
    /// The failure of the store; a page key that is none.
    fn list_changes(&mut self, id: SimulationId, page: &PageRequest) -> Result<Page<RankedChange>, StoreError>;

    /// The verticals that have deals, in the order of their codes.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_sold(&mut self) -> Result<Vec<VerticalCode>, StoreError>;

    /// How many deals there are.
    ///
    /// # Errors
    /// The failure of the store.
    fn count_deals(&mut self, filter: &PopulationFilter) -> Result<u64, StoreError>;

    /// Gives deals in chunks of at most [`CHUNK`](super::population::CHUNK), until there are no more or `take` says
    /// `false`. Only where all look-ups see the same moment.
    ///
    /// # Errors
    /// The failure of the store.
    fn stream_deals(&mut self, asked: &PopulationAsked, take: &mut dyn FnMut(Chunk) -> bool) -> Result<(), StoreError>;

    /// These deals, with the balances of their periods; those that are gone are left out.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_deals(&mut self, deals: &[DealId]) -> Result<Chunk, StoreError>;
}
