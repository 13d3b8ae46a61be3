//! The ports of jobs.

use super::job::{Job, JobFault, JobKind, JobState, Progress};
use crate::kernel::ids::JobId;
use crate::kernel::{Instant, Page, PageRequest};
use crate::store::StoreError;

/// How a job ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Done; the result is there.
    Succeeded {
        /// Where.
        result_path: String,
    },
    /// It cannot be done.
    Failed(JobFault),
    /// Somebody stopped it.
    Cancelled,
}

/// Jobs, inside a transaction.
pub trait JobRepository {
    /// Keeps a new job.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert(&mut self, job: &Job) -> Result<(), StoreError>;

    /// Takes the job that has waited longest: one nobody has, or one whose lease is over. Jobs that others
    /// are taking at the moment are passed over.
    ///
    /// # Errors
    /// The failure of the store.
    fn claim(&mut self, kinds: &[JobKind], at: Instant, until: Instant) -> Result<Option<Job>, StoreError>;

    /// Locks a job and says how far it is; `false` when this attempt does not have it any more.
    ///
    /// # Errors
    /// The failure of the store.
    fn renew(&mut self, job: JobId, attempt: i32, progress: Progress, until: Instant) -> Result<bool, StoreError>;

    /// Gives a job back that this attempt still has, for the next worker to go on with.
    ///
    /// # Errors
    /// The failure of the store.
    fn release(&mut self, job: JobId, attempt: i32) -> Result<(), StoreError>;

    /// Ends a job; `false` when it has ended already, or the attempt does not have it any more.
    ///
    /// # Errors
    /// The failure of the store.
    fn end(&mut self, job: JobId, attempt: Option<i32>, ending: &Ending, at: Instant) -> Result<bool, StoreError>;

    /// Locks a job.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock(&mut self, job: JobId) -> Result<Option<Job>, StoreError>;
}

/// Which jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobFilter {
    /// Only in this state.
    pub state: Option<JobState>,
    /// Only of this kind.
    pub kind: Option<JobKind>,
}

/// Jobs, to look up.
pub trait JobQueries {
    /// One job.
    ///
    /// # Errors
    /// The failure of the store.
    fn find(&mut self, job: JobId) -> Result<Option<Job>, StoreError>;

    /// Jobs, newest first.
    ///
    /// # Errors
    /// The failure of the store; a page key that is none.
    fn list(&mut self, filter: &JobFilter, page: &PageRequest) -> Result<Page<Job>, StoreError>;
}
