//! Use cases of simulations: ask for one, stop it, read what it came to.

use super::SimulationError;
use super::asked::{AskedCandidate, AskedSimulation, CandidateSource, CreateSimulation};
use super::gather::{Proposal, newest_first, scenarios};
use super::repository::NewSimulation;
use super::run::Simulation;
use crate::access::audit::Altered;
use crate::access::{Actor, MissingScope, Scope};
use crate::agreements::VersionContent;
use crate::catalogue::VerticalCode;
use crate::env::Env;
use crate::events::{EventKind, record_changed};
use crate::jobs::{self, CancelJobError, Job, JobKind};
use crate::kernel::Faults;
use crate::kernel::ids::{JobId, SimulationId};
use crate::kernel::jcs::{self, JcsError};
use crate::store::{Store, StoreError, UnitOfWork, UseCaseError};

/// Why a use case of simulations is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SimulateError {
    /// The actor may not.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// The request does not make sense.
    #[error("the request is not valid")]
    Invalid(Faults),
    /// There is no such simulation.
    #[error("there is no such simulation")]
    NotFound,
    /// It has ended already.
    #[error("the simulation has ended already")]
    Ended,
    /// It has found nothing yet.
    #[error("the simulation has not ended well, so that there is no report")]
    NoReport,
    /// No canonical form.
    #[error(transparent)]
    Canonical(#[from] JcsError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UseCaseError for SimulateError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::MissingScope(_)
            | Self::Invalid(_)
            | Self::NotFound
            | Self::Ended
            | Self::NoReport
            | Self::Canonical(_) => None,
        }
    }
}

impl From<CancelJobError> for SimulateError {
    fn from(error: CancelJobError) -> Self {
        match error {
            CancelJobError::NotFound => Self::NotFound,
            CancelJobError::MissingScope(missing) => Self::MissingScope(missing),
            CancelJobError::Ended => Self::Ended,
            CancelJobError::Store(error) => Self::Store(error),
        }
    }
}

/// Keeps a simulation and the job that does it. Every candidate is held against its check at once; its content is kept
/// with it, so that a draft that changes later does not change what was asked.
///
/// # Errors
/// See [`SimulateError`].
pub fn create(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: &CreateSimulation,
) -> Result<(SimulationId, Job), SimulateError> {
    env.actor.require(Scope::SimulationsRun)?;
    let mut faults = Faults::default();
    let mut candidates = Vec::new();
    for (place, (name, source)) in command.candidates.iter().enumerate() {
        match source {
            CandidateSource::Content(content) => {
                candidates.push(AskedCandidate { name: name.clone(), content: content.as_ref().clone() });
            }
            CandidateSource::Version(agreement, number) => {
                match uow.simulations().find_content(*agreement, *number)? {
                    Some(bytes) => {
                        let content = VersionContent::parse(&bytes);
                        let content = content.map_err(|_| StoreError::Failed("a version does not read".into()))?;
                        candidates.push(AskedCandidate { name: name.clone(), content });
                    }
                    None => {
                        faults.push(format!("/candidates/{place}/version"), "not_found", "there is no such version");
                    }
                }
            }
        }
    }
    faults.check().map_err(SimulateError::Invalid)?;
    hold(uow, &candidates)?;
    let asked = AskedSimulation {
        candidates,
        population: (&command.population).into(),
        shocks: command.shocks.clone(),
        seed: command.seed,
    };
    let id = SimulationId::new(env.ids.next());
    let job = Job::new(JobId::new(env.ids.next()), JobKind::Simulation, id.uuid(), env.actor.id, env.now);
    jobs::enqueue(uow, &job)?;
    let (asked, created_by) = (jcs::to_bytes(&asked)?, env.actor.id);
    uow.simulations().insert(&NewSimulation { id, job: job.id, asked, created_by, created_at: env.now })?;
    Ok((id, job))
}

/// Holds that the candidates make sense beside the versions in force.
fn hold(uow: &mut dyn UnitOfWork, candidates: &[AskedCandidate]) -> Result<(), SimulateError> {
    let mut verticals: Vec<VerticalCode> = candidates.iter().map(|candidate| candidate.content.vertical).collect();
    verticals.sort_unstable();
    verticals.dedup();
    let mut active = Vec::new();
    for vertical in verticals {
        active.push((vertical, newest_first(uow.agreements().list_published(vertical)?)));
    }
    let mut faults = Faults::default();
    for (place, candidate) in candidates.iter().enumerate() {
        let proposal = Proposal { name: candidate.name.clone(), content: candidate.content.clone() };
        match scenarios(active.clone(), vec![proposal]) {
            Ok(_) => {}
            Err(SimulationError::Content { findings, .. }) => {
                for finding in findings {
                    let pointer = format!("/candidates/{place}/content{}", finding.pointer);
                    faults.push(pointer, finding.code, finding.message);
                }
            }
            Err(SimulationError::Store(error)) => return Err(error.into()),
            Err(other) => faults.push(format!("/candidates/{place}"), "invalid_candidate", other.to_string()),
        }
    }
    faults.check().map_err(SimulateError::Invalid)
}

/// Stops a simulation before its next chunk; nothing is kept of what it came to.
///
/// # Errors
/// See [`SimulateError`].
pub fn cancel(uow: &mut dyn UnitOfWork, env: &Env<'_>, id: SimulationId) -> Result<Altered<Job>, SimulateError> {
    env.actor.require(Scope::SimulationsRun)?;
    let simulation = uow.simulations().find(id)?.ok_or(SimulateError::NotFound)?;
    Ok(jobs::cancel(uow, env, simulation.job)?)
}

/// Tells that a simulation ended, however it did.
///
/// # Errors
/// The failure of the store.
pub fn ended(uow: &mut dyn UnitOfWork, env: &Env<'_>, id: SimulationId) -> Result<(), StoreError> {
    record_changed(uow, env, EventKind::SimulationFinished, (&id, id.uuid()), None, &[])
}

/// What a kept simulation is made of again, to do or to explain.
///
/// # Errors
/// When what was asked does not read, or see [`super::gather`].
pub fn restored(store: &dyn Store, asked: &[u8], threads: usize) -> Result<Simulation, SimulationError> {
    let unreadable = || StoreError::Failed("what was asked of a simulation does not read".into());
    let asked: AskedSimulation = serde_json::from_slice(asked).map_err(|_| unreadable())?;
    let proposals =
        asked.candidates.into_iter().map(|candidate| Proposal { name: candidate.name, content: candidate.content });
    Ok(Simulation {
        scenarios: super::gather(store, proposals.collect())?,
        population: asked.population.restore().ok_or_else(unreadable)?,
        shocks: asked.shocks,
        seed: asked.seed,
        changes: super::changes::MOST_CHANGES,
        threads,
    })
}

/// Whether the actor may read simulations.
///
/// # Errors
/// [`MissingScope`].
pub fn may_read(actor: &Actor) -> Result<(), MissingScope> {
    actor.require(Scope::SimulationsRead)
}
