//! Long work: jobs that are kept with the business rows they belong to and worked on outside of requests.
//!
//! A job is enqueued in the transaction that makes its subject. A worker claims it with a lease and does
//! it in batches, each one transaction that first renews the lease: a worker that lost it (cancelled,
//! or taken over after a crash) writes nothing more. Bounds: a lease lasts [`LEASE_SECONDS`]; a job whose
//! worker vanishes [`MAX_STALLED`] times without any progress between is given up.

pub mod job;
pub mod repository;
pub mod service;
pub mod work;

pub use job::{Job, JobFault, JobKind, JobState, Progress};
pub use service::{CancelJobError, cancel, enqueue};
pub use work::{Handler, Lease, Work, WorkError, work_one};

/// How long a worker may be silent before another one takes over.
pub const LEASE_SECONDS: i64 = 15;
/// How often a worker may vanish without progress.
pub const MAX_STALLED: i32 = 5;
