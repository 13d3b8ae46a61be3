//! What would have been paid: candidate versions of agreements beside those that are active, over the deals that were
//! or over made-up ones that go on as they did.
//!
//! Pure: deals stream in through [`SimulationQueries`], sums come out. Every deal is worked out by the engine that works
//! out what is owed, in each scenario, with its running totals. Invariants: the same seed and the same deals give the
//! same bytes on any machine and with any number of threads; no floating point; the totals of a report are those of its
//! participants and of the platform. Bounds: 4 candidates, 120 months, 1,000 runs, [`changes::MOST_CHANGES`] changed
//! deals that are kept; memory does not grow with the number of deals.

pub mod asked;
pub mod calibration;
pub mod changes;
mod desk;
mod draws;
mod explain;
mod found;
mod gather;
pub mod population;
pub mod report;
pub mod repository;
mod run;
pub mod scenario;
pub mod service;
mod shocks;
mod simulator;
mod spread;
pub mod synthetic;
mod tally;
pub mod work;

pub use changes::ChangedDeal;
pub use desk::SimulatedLine;
pub use explain::{Explained, explain};
pub use found::Found;
pub use gather::{Proposal, gather, scenarios};
pub use report::SimulationReport;
pub use repository::{SimulationQueries, SimulationRepository};
pub use run::{Population, Simulation, Watch, flowed, run};
pub use scenario::MOST_CANDIDATES;
pub use scenario::{Candidate, Scenarios};
pub use shocks::{MOST_DAYS, MOST_FACTOR, MOST_WEIGHTS, Shocks};
pub use simulator::Simulator;
pub use synthetic::{MOST_MONTHS, MOST_RUNS};

use crate::agreements::finding::Finding;
use crate::kernel::jcs::JcsError;
use crate::kernel::money::MoneyError;
use crate::store::StoreError;

/// What the scenario of the versions in force is called.
pub const ACTIVE: &str = "active";

/// Why a simulation comes to nothing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SimulationError {
    /// More candidates than there may be.
    #[error("at most {} candidates", scenario::MOST_CANDIDATES)]
    TooMany,
    /// More made-up deals than can be put in order.
    #[error("at most {} made-up deals where running totals need their order", synthetic::MOST_ORDERED)]
    TooLarge,
    /// A version does not make sense.
    #[error("{name} does not make sense: {} faults, the first: {}", .findings.len(), .findings.first().map_or("", |f| f.message.as_str()))]
    Content {
        /// Which.
        name: String,
        /// Its faults.
        findings: Vec<Finding>,
    },
    /// Running totals go by different dates.
    #[error("versions of one vertical with running totals must all be governed by the same date")]
    TwoOrders,
    /// A sum left 64 bits of minor units.
    #[error("a sum is out of range")]
    OutOfRange,
    /// There are no deals to make others after.
    #[error("there are no deals to go by")]
    NothingToGoBy,
    /// Somebody stopped it.
    #[error("it was stopped")]
    Stopped,
    /// A candidate has no canonical form.
    #[error(transparent)]
    Canonical(#[from] JcsError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<MoneyError> for SimulationError {
    fn from(_: MoneyError) -> Self {
        Self::OutOfRange
    }
}
