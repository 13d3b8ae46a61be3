//! Settles bank files by the passing of banking days, of accounts that are configured so.
//!
//! Payouts of a file that have not come back by then count as arrived on the last of those days; they may still come
//! back later. Bounds: [`BATCH`] files a transaction.

use super::super::calendar;
use crate::env::Env;
use crate::payouts::error::PayoutError;
use crate::payouts::outcome::{self, Came, Outcome};
use crate::store::UnitOfWork;

/// Files that are settled in one transaction.
pub const BATCH: usize = 20;
/// Files that are looked at for that: accounts may wait for different numbers of days.
const LOOKED_AT: u32 = 2_000;

/// Settles what is due. Returns how many files that were.
///
/// # Errors
/// See [`PayoutError`].
pub fn due(uow: &mut dyn UnitOfWork, env: &Env<'_>) -> Result<usize, PayoutError> {
    let today = env.now.sydney_date();
    let mut files = uow.bank().due_files(today, LOOKED_AT)?;
    files.retain(|file| calendar::banking_days_after(file.dated_on, file.after_days) < today);
    files.truncate(BATCH);
    let held = uow.bank().payouts_of(&files.iter().map(|file| file.id).collect::<Vec<_>>())?;
    let outcomes: Vec<Outcome> = held
        .into_iter()
        .filter_map(|(id, payout)| {
            let file = files.iter().find(|file| file.id == id)?;
            let effective_on = calendar::banking_days_after(file.dated_on, file.after_days);
            Some(Outcome { payout, came: Came::Through, effective_on, source: id.uuid() })
        })
        .collect();
    outcome::record(uow, env, &outcomes)?;
    Ok(files.len())
}
