//! The bank beside the ledger, to the cent.
//!
//! bank − ledger = unmatched lines + timing + unexplained. Timing is what matched lines moved at the bank and payouts
//! have not moved in the ledger on that day, or the other way round: a payout that came back before its file was
//! debited, a file that counts as paid by the passing of days. Unexplained is everything else: an opening balance or a
//! receipt that only one side knows. Nothing is rounded.

use jiff::civil::Date;

use super::repository::{KeptLine, Standing};
use crate::kernel::ids::BankAccountId;
use crate::payouts::returns::repository::ReturnException;
use crate::store::{Queries, StoreError};

/// Unmatched lines and returned payments that are shown, at most.
pub const SHOWN: u32 = 500;

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountReconciliation {
    /// What is known of it.
    pub standing: Standing,
    /// bank − ledger; nothing without a statement that tells its closing balance.
    pub difference_minor: Option<i64>,
    /// The part of it that is a matter of days.
    pub timing_minor: i64,
    /// The part of it that nothing explains.
    pub unexplained_minor: Option<i64>,
}

/// The report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reconciliation {
    /// As of this date.
    pub on: Date,
    /// By account.
    pub accounts: Vec<AccountReconciliation>,
    /// Lines that are unmatched, oldest first, each with its age in days.
    pub unmatched: Vec<(KeptLine, i32)>,
    /// Returned payments that are no payout, oldest first, each with its age in days.
    pub returned: Vec<(ReturnException, i32)>,
}

/// Draws it up; `on` is a date up to `today` (Sydney). Whoever does not see everything sees no account.
///
/// # Errors
/// The failure of the store.
pub fn draw_up(
    queries: &mut dyn Queries,
    today: Date,
    account: Option<BankAccountId>,
    on: Option<Date>,
) -> Result<Reconciliation, StoreError> {
    let on = on.unwrap_or(today);
    let accounts = queries.bank().standings(account, on)?.into_iter().map(beside).collect();
    let unmatched = queries.bank().unmatched(account, on, SHOWN)?;
    let returned = queries.returns().list_exceptions(SHOWN)?;
    Ok(Reconciliation {
        on,
        accounts,
        unmatched: unmatched.into_iter().map(|line| (line.clone(), age(line.booked_on, today))).collect(),
        returned: returned.into_iter().map(|e| (e.clone(), age(e.created_at.sydney_date(), today))).collect(),
    })
}

fn beside(standing: Standing) -> AccountReconciliation {
    let closing = standing.statement.as_ref().and_then(|statement| statement.closing_minor);
    let difference_minor = closing.map(|closing| closing - standing.ledger_minor);
    let timing_minor = if closing.is_some() { standing.matched_minor - standing.payouts_minor } else { 0 };
    AccountReconciliation {
        unexplained_minor: difference_minor.map(|d| d - standing.unmatched_minor - timing_minor),
        difference_minor,
        timing_minor,
        standing,
    }
}

/// Days since then; none before it.
#[must_use]
pub fn age(since: Date, today: Date) -> i32 {
    since.until(today).map_or(0, |span| span.get_days()).max(0)
}
