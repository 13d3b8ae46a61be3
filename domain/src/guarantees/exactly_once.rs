//! Exactly once: no fact is accrued twice, no line is paid twice.
//!
//! Lines are a projection of postings: comparing the two finds whatever was posted once too often or
//! not at all, on either side.

use super::repository::Check;
use super::tally::Tally;
use crate::kernel::Instant;
use crate::store::{Queries, StoreError};

pub(super) fn check(queries: &mut dyn Queries, at: Instant) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    let queries = queries.guarantees();
    let totals = queries.totals()?;
    tally.cover("facts", totals.facts);
    tally.cover("lines", totals.lines);
    tally.cover("payouts", totals.payouts);
    tally.figure("earned_minor", totals.earned_minor);
    tally.figure("clawed_back_minor", totals.clawed_back_minor);
    let checks = [
        Check::FactTwice,
        Check::AccruedTwice,
        Check::DealAccrual,
        Check::LineBuckets,
        Check::LineElsewhere,
        Check::PartyLines,
        Check::PayoutEntry,
        Check::LineSent,
    ];
    for check in checks {
        tally.check(queries, check, at)?;
    }
    Ok(tally)
}
