//! What whoever runs the service asks of it: what waits, and how the database is used.

use crate::store::StoreError;

/// What waits to be done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Events that have no number yet.
    pub events: u64,
    /// Leaves that the log does not hold yet.
    pub leaves: u64,
    /// Jobs that nobody works on.
    pub jobs_queued: u64,
    /// Jobs that somebody works on.
    pub jobs_running: u64,
}

/// Connections of one pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// Which pool.
    pub name: &'static str,
    /// Connections that are open.
    pub open: u32,
    /// Those of them that nobody uses.
    pub idle: u32,
}

/// The state of the service, to look up.
pub trait OperationQueries {
    /// What waits to be done.
    ///
    /// # Errors
    /// The failure of the store.
    fn backlog(&mut self) -> Result<Backlog, StoreError>;
}
