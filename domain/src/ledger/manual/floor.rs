//! The floor of an own account: how far it may be overdrawn, if at all. The database keeps to it.

use super::ManualError;
use super::propose::allowed;
use crate::access::Scope;
use crate::env::Env;
use crate::kernel::Faults;
use crate::kernel::ids::AccountId;
use crate::store::UnitOfWork;

/// The lowest floor, in cents below zero: a billion dollars.
const LOWEST_MINOR: i64 = -100_000_000_000;

/// Reads `/floor`, cents.
///
/// # Errors
/// The fault.
pub fn parse(amount_minor: Option<i64>, currency: Option<&str>) -> Result<i64, Faults> {
    let mut faults = Faults::default();
    if amount_minor.is_none() {
        faults.push("/floor", "required", "this field is required");
    }
    if amount_minor.is_some_and(|amount| !(LOWEST_MINOR..=-LOWEST_MINOR).contains(&amount)) {
        faults.push("/floor", "amount_out_of_range", "a floor is within a billion dollars of zero");
    }
    if amount_minor.is_some() && currency != Some("AUD") {
        faults.push("/floor/currency", "unsupported_currency", "amounts are in AUD");
    }
    faults.clone().check()?;
    amount_minor.ok_or(faults)
}

/// Gives an own account a floor.
///
/// # Errors
/// See [`ManualError`].
pub fn set(uow: &mut dyn UnitOfWork, env: &Env<'_>, id: AccountId, floor_minor: i64) -> Result<i64, ManualError> {
    allowed(env, Scope::LedgerApprove)?;
    if uow.ledger().find_accounts_by_id(&[id])?.is_empty() {
        return Err(ManualError::NotFound);
    }
    if uow.manual_entries().update_floor(id, floor_minor)? { Ok(floor_minor) } else { Err(ManualError::NoSuchFloor) }
}
