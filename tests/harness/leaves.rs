//! Leaves by the thousand, logged as a use case logs its own, for tests and benches of the log itself: nobody's
//! business stands behind them but the envelope that is kept.

use domain::chain::leaf::LeafKind;
use domain::chain::log::{self, LogItem};
use domain::store::{Store, StoreError};
use uuid::Uuid;

use crate::platform::Platform;

/// How many rows there are that were to be logged: the envelopes of [`append`].
pub const SOURCES: &str = "select count(*) from chain_secret where kind = 'envelope'";

/// The items with the numbers `from..to`, on so many lanes in turn.
#[must_use]
pub fn items(from: u64, to: u64, lanes: u64, keep_envelope: bool) -> Vec<LogItem> {
    let item = |n: u64| LogItem {
        subject: Uuid::from_u128(0x0199_0000_0000_7000_9000_0000_0000_0000 | u128::from(n % lanes.max(1))),
        source: Uuid::from_u128(0x0199_0000_0000_7000_a000_0000_0000_0000 | u128::from(n)),
        kind: LeafKind::Offer,
        envelope: format!("eyJhbGciOiJFZDI1NTE5In0.{n:0>200}.signature").into_bytes(),
        keep_envelope,
    };
    (from..to).map(item).collect()
}

/// Logs items in one transaction, as a use case does: lanes, envelopes and pending leaves together.
///
/// # Errors
/// The failure of the store.
pub fn append(platform: &Platform, items: &[LogItem]) -> Result<(), StoreError> {
    append_to(platform, platform.store(), items)
}

/// The same through another store on the platform's database.
///
/// # Errors
/// The failure of the store.
pub fn append_to(platform: &Platform, store: &dyn Store, items: &[LogItem]) -> Result<(), StoreError> {
    store.transaction(|uow| log::append(uow, &platform.env(), items))
}
