//! Working on jobs: claim one, hand it to its kind's handler, note how it ended.
//!
//! A failure of the store leaves the job running: its lease runs out and another attempt goes on where
//! the last committed batch ended. A fault of the job itself ends it.

use jiff::SignedDuration;

use super::job::{Job, JobFault, JobKind, JobState, Progress};
use super::repository::Ending;
use super::{LEASE_SECONDS, MAX_STALLED};
use crate::access::Actor;
use crate::access::audit::AuditRecord;
use crate::env::{Env, Surroundings};
use crate::events::data::JobEnded;
use crate::events::{EventKind, NewEvent};
use crate::kernel::Instant;
use crate::kernel::ids::JobId;
use crate::store::{Store, StoreError, UnitOfWork, UseCaseError};

/// Why an attempt stopped before its job was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkError {
    /// The job was cancelled, or another worker has it now.
    #[error("the job is not this worker's any more")]
    LeaseLost,
    /// The job cannot be done.
    #[error("{}: {}", .0.code, .0.detail)]
    Fault(JobFault),
    /// The process is about to end; the job waits for the next worker.
    #[error("the process is about to end")]
    Interrupted,
    /// The store; another attempt may get further.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UseCaseError for WorkError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::LeaseLost | Self::Fault(_) | Self::Interrupted => None,
        }
    }
}

impl WorkError {
    /// A fault that ends the job.
    #[must_use]
    pub fn fault(code: &str, detail: impl Into<String>) -> Self {
        Self::Fault(JobFault { code: code.to_owned(), detail: detail.into() })
    }
}

/// Does the jobs of one kind.
pub trait Handler: Send + Sync {
    /// Which kind.
    fn kind(&self) -> JobKind;

    /// Does the job from wherever the last attempt came to. Each transaction first renews the lease; the
    /// last one calls [`Lease::succeed`].
    ///
    /// # Errors
    /// See [`WorkError`].
    fn run(&self, work: &Work<'_>) -> Result<(), WorkError>;

    /// Puts away what the job held, in the transaction that notes its failure.
    ///
    /// # Errors
    /// The failure of the store.
    fn failed(&self, uow: &mut dyn UnitOfWork, env: &Env<'_>, job: &Job, fault: &JobFault) -> Result<(), StoreError>;
}

/// What an attempt works with.
pub struct Work<'w> {
    /// The store.
    pub store: &'w dyn Store,
    /// Time, ids, keys.
    pub around: &'w dyn Surroundings,
    /// Who asked for the job.
    pub actor: &'w Actor,
    /// The job as it was claimed.
    pub job: &'w Job,
    /// This attempt's hold on it.
    pub lease: Lease,
}

impl Work<'_> {
    /// What a use case takes from its surroundings, as of now.
    #[must_use]
    pub fn env(&self) -> Env<'_> {
        self.around.env(self.actor)
    }

    /// Stops here when the process is about to end: asked between batches.
    ///
    /// # Errors
    /// [`WorkError::Interrupted`].
    pub fn go_on(&self) -> Result<(), WorkError> {
        if self.around.is_ending() { Err(WorkError::Interrupted) } else { Ok(()) }
    }

    /// Ends the job well, in the transaction of its last effect.
    ///
    /// # Errors
    /// [`WorkError::LeaseLost`].
    pub fn succeed(&self, uow: &mut dyn UnitOfWork, env: &Env<'_>, result_path: String) -> Result<(), WorkError> {
        let ending = Ending::Succeeded { result_path };
        if !uow.jobs().end(self.job.id, Some(self.lease.attempt), &ending, env.now)? {
            return Err(WorkError::LeaseLost);
        }
        Ok(ended(uow, env, self.job, JobState::Succeeded)?)
    }
}

/// Tells that a job ended.
pub(super) fn ended(uow: &mut dyn UnitOfWork, env: &Env<'_>, job: &Job, state: JobState) -> Result<(), StoreError> {
    let act = AuditRecord::of_service(env, "end_job", (&job.id, job.id.uuid()), job.id.to_string());
    let was = |state: JobState| [("status".to_owned(), state.as_str().into())].into_iter().collect();
    // Who cancelled it stands in the record of their request.
    if state != JobState::Cancelled {
        uow.audit().append(&[act.altered(&was(JobState::Running), &was(state))])?;
    }
    let data = JobEnded { job_id: job.id, kind: job.kind.as_str(), state: state.as_str() };
    uow.events().append(&[NewEvent::new(env, EventKind::JobEnded, job.id.uuid(), &data, &job.visible_to)?])
}

/// One attempt's hold on a job.
#[derive(Debug, Clone, Copy)]
pub struct Lease {
    job: JobId,
    attempt: i32,
}

impl Lease {
    /// Locks the job and says how far it will be when the transaction is committed: the first thing that
    /// each batch does.
    ///
    /// # Errors
    /// [`WorkError::LeaseLost`].
    pub fn renew(&self, uow: &mut dyn UnitOfWork, now: Instant, progress: Progress) -> Result<(), WorkError> {
        let kept = uow.jobs().renew(self.job, self.attempt, progress, until(now))?;
        if kept { Ok(()) } else { Err(WorkError::LeaseLost) }
    }
}

fn until(now: Instant) -> Instant {
    let lease = SignedDuration::from_secs(LEASE_SECONDS);
    now.timestamp().checked_add(lease).map_or(now, Instant::new)
}

/// Works on the job that has waited longest, if there is one. Returns the job as it was claimed; how it
/// ended is in the store.
///
/// # Errors
/// The failure of the store; the job then stays claimed until its lease is over.
pub fn work_one(
    store: &dyn Store,
    around: &dyn Surroundings,
    handlers: &[&dyn Handler],
) -> Result<Option<Job>, StoreError> {
    let kinds: Vec<JobKind> = handlers.iter().map(|handler| handler.kind()).collect();
    let service = Actor::service();
    let now = around.env(&service).now;
    let Some(job) = store.transaction(|uow| uow.jobs().claim(&kinds, now, until(now)))? else { return Ok(None) };
    let Some(handler) = handlers.iter().find(|handler| handler.kind() == job.kind) else { return Ok(Some(job)) };
    let actor = Actor { id: job.created_by, ..service };
    let lease = Lease { job: job.id, attempt: job.attempts };
    let work = Work { store, around, actor: &actor, job: &job, lease };
    let outcome = if job.is_hopeless() {
        Err(WorkError::fault("given_up", format!("{MAX_STALLED} attempts came to nothing")))
    } else {
        handler.run(&work)
    };
    match outcome {
        Ok(()) | Err(WorkError::LeaseLost) => {}
        Err(WorkError::Interrupted) => store.transaction(|uow| uow.jobs().release(job.id, job.attempts))?,
        Err(WorkError::Store(error)) => return Err(error),
        Err(WorkError::Fault(fault)) => store.transaction(|uow| {
            let env = work.env();
            if uow.jobs().end(job.id, Some(job.attempts), &Ending::Failed(fault.clone()), env.now)? {
                ended(uow, &env, &job, JobState::Failed)?;
                handler.failed(uow, &env, &job, &fault)?;
            }
            Ok::<(), StoreError>(())
        })?,
    }
    Ok(Some(job))
}
