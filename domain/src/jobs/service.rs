//! Use cases of jobs: enqueue, cancel.

use super::job::{Job, JobKind, JobState};
use super::repository::Ending;
use super::work;
use crate::access::audit::Altered;
use crate::access::{MissingScope, ownership};
use crate::deals::import::receive;
use crate::deals::trail_run::begin;
use crate::env::Env;
use crate::kernel::ids::{DealImportId, JobId, ProviderStatementId, SimulationId, TrailRunId};
use crate::provider_statements::import;
use crate::simulation::service as simulation;
use crate::store::{StoreError, UnitOfWork, UseCaseError};

/// Keeps a new job in the transaction that makes what it is for.
///
/// # Errors
/// The failure of the store.
pub fn enqueue(uow: &mut dyn UnitOfWork, job: &Job) -> Result<(), StoreError> {
    uow.jobs().insert(job)
}

/// Why a job was not cancelled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CancelJobError {
    /// There is no such job, or it is none of the actor's business.
    #[error("there is no such job")]
    NotFound,
    /// The actor may not.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// It has ended already.
    #[error("the job has ended already")]
    Ended,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UseCaseError for CancelJobError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::NotFound | Self::MissingScope(_) | Self::Ended => None,
        }
    }
}

/// Stops a job: a waiting one never starts, a running one stops before its next batch. What it committed
/// stays.
///
/// # Errors
/// See [`CancelJobError`].
pub fn cancel(uow: &mut dyn UnitOfWork, env: &Env<'_>, id: JobId) -> Result<Altered<Job>, CancelJobError> {
    let job = uow.jobs().lock(id)?.ok_or(CancelJobError::NotFound)?;
    if !ownership::has(env.actor, job.organisation) {
        return Err(CancelJobError::NotFound);
    }
    env.actor.require(job.kind.scope())?;
    if !uow.jobs().end(id, None, &Ending::Cancelled, env.now)? {
        return Err(CancelJobError::Ended);
    }
    work::ended(uow, env, &job, JobState::Cancelled)?;
    match job.kind {
        JobKind::DealImport => receive::stopped(uow, env, DealImportId::new(job.subject), receive::CANCELLED)?,
        JobKind::TrailRun => begin::stopped(uow, env, TrailRunId::new(job.subject), begin::CANCELLED)?,
        JobKind::Simulation => simulation::ended(uow, env, SimulationId::new(job.subject))?,
        JobKind::ProviderStatement => import::stopped(uow, ProviderStatementId::new(job.subject), import::CANCELLED)?,
    }
    let after = uow.jobs().lock(id)?.ok_or(CancelJobError::NotFound)?;
    Ok(Altered { before: job, after })
}
