//! The port of counters: where running totals and limits stand before and after each deal.

use crate::agreements::facts::{CounterKey, Standing};
use crate::agreements::replay::DealOrder;
use crate::kernel::ids::{AgreementId, DealId};
use crate::store::StoreError;

/// A counter of an agreement, of one scope in one window. It goes on over the agreement's versions, by its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CounterScope {
    /// The agreement.
    pub agreement: AgreementId,
    /// Which counter, whose, from when.
    pub key: CounterKey,
}

/// A place among the deals of a counter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CounterPlace {
    /// The counter.
    pub scope: CounterScope,
    /// The place.
    pub order: DealOrder,
}

/// Where a counter stands around a deal. Of one counter, what follows a deal is what comes before the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DealCounter {
    /// The counter.
    pub scope: CounterScope,
    /// The deal, by its place.
    pub order: DealOrder,
    /// Before it.
    pub before: Standing,
    /// After it.
    pub after: Standing,
}

impl DealCounter {
    /// The deal.
    #[must_use]
    pub const fn deal(&self) -> DealId {
        DealId::new(self.order.deal)
    }
}

/// Counters, inside a transaction.
pub trait CounterRepository {
    /// Locks the counters of agreements, in the order of their ids: nobody else works with them until the end of the
    /// transaction. Taken before any deal is locked.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_counters(&mut self, agreements: &[AgreementId]) -> Result<(), StoreError>;

    /// The counters around these deals.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_counters(&mut self, deals: &[DealId]) -> Result<Vec<DealCounter>, StoreError>;

    /// Where each counter stands just before a place, in the order of the places: one look at an index each.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_standings(&mut self, places: &[CounterPlace]) -> Result<Vec<Standing>, StoreError>;

    /// All counters around the deals that stand at one of the places or after it, of at most so many rows.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_counters_from(&mut self, places: &[CounterPlace], limit: u32) -> Result<Vec<DealCounter>, StoreError>;

    /// Forgets the counters around some deals, then writes others as they stand now.
    ///
    /// # Errors
    /// The failure of the store.
    fn save_counters(&mut self, gone: &[DealId], rows: &[DealCounter]) -> Result<(), StoreError>;
}
