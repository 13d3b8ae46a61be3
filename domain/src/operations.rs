//! What whoever runs the service asks of it: what waits, how the database is used, and what keeps it in order.

use jiff::civil::Date;

use crate::kernel::Instant;
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

/// What the database needs from day to day, inside a transaction.
pub trait OperationRepository {
    /// Makes the partitions of the coming days and drops those that are no longer kept. Processes that do so at once
    /// take turns; doing it again changes nothing.
    ///
    /// # Errors
    /// The failure of the store, also when somebody is in the way for seconds; a day that is yet to come.
    fn keep_partitions(&mut self, today: Date) -> Result<(), StoreError>;
}

/// The state of the service, to look up.
pub trait OperationQueries {
    /// What waits to be done.
    ///
    /// # Errors
    /// The failure of the store.
    fn backlog(&mut self) -> Result<Backlog, StoreError>;

    /// When the leaf was made that has waited longest for the log; `None` when none waits.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_oldest_pending(&mut self) -> Result<Option<Instant>, StoreError>;
}
