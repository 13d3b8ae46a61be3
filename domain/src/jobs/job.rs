//! The job: what is to be done, how far it is, how it ended.

use uuid::Uuid;

use crate::access::{Scope, ownership};
use crate::kernel::Instant;
use crate::kernel::ids::{JobId, OrganisationId};

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobKind {
    /// Reads an uploaded export and records its deals.
    DealImport,
    /// Goes through the trails of a month.
    TrailRun,
    /// Tries agreements over deals.
    Simulation,
    /// Matches and posts the lines of a provider's statement.
    ProviderStatement,
}

impl JobKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::DealImport, Self::TrailRun, Self::Simulation, Self::ProviderStatement];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DealImport => "deal_import",
            Self::TrailRun => "trail_run",
            Self::Simulation => "simulation",
            Self::ProviderStatement => "provider_statement",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// What somebody must be allowed to do to cancel it.
    #[must_use]
    pub const fn scope(self) -> Scope {
        match self {
            Self::DealImport => Scope::DealsWrite,
            Self::TrailRun | Self::ProviderStatement => Scope::PayoutsWrite,
            Self::Simulation => Scope::SimulationsRun,
        }
    }
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobState {
    /// Waits for a worker.
    Queued,
    /// A worker has it, or had it when it crashed.
    Running,
    /// Done.
    Succeeded,
    /// It cannot be done.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing will happen to it any more.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// How far a job is; the unit is its kind's (deals; runs, for a simulation of made-up deals).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Done.
    pub done: u64,
    /// In all, once it is known.
    pub total: Option<u64>,
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobFault {
    /// Stable.
    pub code: String,
    /// For a person.
    pub detail: String,
}

/// One job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What is to be done.
    pub kind: JobKind,
    /// To what: the import, the trail run, the simulation.
    pub subject: Uuid,
    /// For whom.
    pub organisation: Option<OrganisationId>,
    /// Where it stands.
    pub state: JobState,
    /// How far it is.
    pub progress: Progress,
    /// Where the result is, once there is one.
    pub result_path: Option<String>,
    /// Why it failed.
    pub fault: Option<JobFault>,
    /// How often a worker took it.
    pub attempts: i32,
    /// How often, up to the last progress.
    pub attempts_at_progress: i32,
    /// Who asked for it.
    pub created_by: Uuid,
    /// Who may see it.
    pub visible_to: Vec<Uuid>,
    /// Since when it waits.
    pub created_at: Instant,
    /// When it ended.
    pub finished_at: Option<Instant>,
}

impl Job {
    /// A job that waits.
    #[must_use]
    pub fn new(id: JobId, kind: JobKind, subject: Uuid, created_by: Uuid, created_at: Instant) -> Self {
        Self {
            id,
            kind,
            subject,
            organisation: None,
            state: JobState::Queued,
            progress: Progress::default(),
            result_path: None,
            fault: None,
            attempts: 0,
            attempts_at_progress: 0,
            created_by,
            visible_to: Vec::new(),
            created_at,
            finished_at: None,
        }
    }

    /// The same job for an organisation, which may see it.
    #[must_use]
    pub fn of(mut self, organisation: OrganisationId) -> Self {
        self.organisation = Some(organisation);
        self.visible_to = ownership::of_organisation(self.organisation);
        self
    }

    /// Whether its workers vanished too often without progress.
    #[must_use]
    pub const fn is_hopeless(&self) -> bool {
        self.attempts - self.attempts_at_progress > super::MAX_STALLED
    }
}
