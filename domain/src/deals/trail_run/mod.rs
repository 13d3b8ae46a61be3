//! Runs over the trails of a month: is there a balance of every loan or policy that a trail is due on?
//!
//! Balances are worked out as they come in; a run is the completeness check. It goes through all deals with a trail,
//! works out what a batch in flight may have left, and lists those whose balance is missing. The deals are taken in
//! the order of their ids, each batch in one transaction that notes how far it is, so a run that is killed goes on
//! where its last batch ended, and a second run finds nothing to do. Bounds: [`work::BATCH`] deals at a time.

pub mod begin;
pub mod repository;
pub mod work;

use jiff::civil::Date;
use uuid::Uuid;

use crate::catalogue::VerticalCode;
use crate::jobs::JobFault;
use crate::kernel::Instant;
use crate::kernel::ids::{AgreementId, DealId, TrailRunId};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrailRunState {
    /// It waits, or is worked on.
    Open,
    /// It went through all deals.
    Done,
    /// It was stopped; what it worked out before stays.
    Failed,
}

impl TrailRunState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Open, Self::Done, Self::Failed];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What a run has counted so far, in deals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Settled by the end of the month and not discharged by then.
    pub due: u64,
    /// Of those: the balance is known, and so is the commission.
    pub calculated: u64,
    /// Of those: the run itself had to work it out.
    pub changed: u64,
    /// Of those that are due: nobody has told the balance.
    pub missing: u64,
    /// Discharged by the end of the month.
    pub stopped: u64,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailRun {
    /// Its id.
    pub id: TrailRunId,
    /// The first day of its month.
    pub month: Date,
    /// Of which vertical.
    pub vertical: VerticalCode,
    /// Of which agreement; none = every one of the vertical.
    pub agreement: Option<AgreementId>,
    /// Where it stands.
    pub state: TrailRunState,
    /// What it has counted.
    pub tally: Tally,
    /// The last deal that it looked at.
    pub last_deal: Option<DealId>,
    /// Why it was stopped.
    pub fault: Option<JobFault>,
    /// Who asked for it.
    pub created_by: Uuid,
    /// When.
    pub created_at: Instant,
    /// When it ended.
    pub finished_at: Option<Instant>,
}

/// Where a run is looked up: the result of its job.
#[must_use]
pub fn path(run: TrailRunId) -> String {
    format!("/v1/trail-runs/{run}")
}
