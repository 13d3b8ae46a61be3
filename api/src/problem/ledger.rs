//! Reasons of entries by hand, of accounting periods and of holds.

use domain::ledger::closing::PeriodError;
use domain::ledger::hold::HoldError;
use domain::ledger::manual::ManualError;

use super::Problem;
use crate::extract::body::stale;

impl From<ManualError> for Problem {
    fn from(error: ManualError) -> Self {
        let detail = error.to_string();
        match error {
            ManualError::MissingScope(missing) => missing.into(),
            ManualError::NotFound => Self::not_found(),
            ManualError::Faults(faults) => faults.into(),
            ManualError::Stale(_) => stale(),
            ManualError::Decided(_) => Self::conflict("wrong_state", detail),
            ManualError::SamePerson => Self::refused("same_person", detail),
            ManualError::OtherContent => Self::conflict("content_changed", detail),
            ManualError::NotPostable { code, .. } => Self::conflict(code, detail),
            ManualError::OfUseCase { .. } => Self::conflict("not_reversible", detail),
            ManualError::AlreadyReversed(_) => Self::conflict("already_reversed", detail),
            ManualError::NoSuchFloor => Self::conflict("account_floor", detail),
            ManualError::Ledger(error) => error.into(),
            ManualError::Content(_) => Self::internal(&detail),
            ManualError::Store(error) => error.into(),
        }
    }
}

impl From<PeriodError> for Problem {
    fn from(error: PeriodError) -> Self {
        let detail = error.to_string();
        match error {
            PeriodError::MissingScope(missing) => missing.into(),
            PeriodError::NotFound => Self::not_found(),
            PeriodError::Stale(_) => stale(),
            PeriodError::WrongState(..) => Self::conflict("wrong_state", detail),
            PeriodError::NotEnded => Self::conflict("month_not_ended", detail),
            PeriodError::OutOfOrder => Self::conflict("out_of_order", detail),
            PeriodError::SamePerson => Self::refused("same_person", detail),
            PeriodError::OtherContent => Self::conflict("content_changed", detail),
            PeriodError::Content(_) => Self::internal(&detail),
            PeriodError::Store(error) => error.into(),
        }
    }
}

impl From<HoldError> for Problem {
    fn from(error: HoldError) -> Self {
        let detail = error.to_string();
        match error {
            HoldError::MissingScope(missing) => missing.into(),
            HoldError::NotFound => Self::not_found(),
            HoldError::Faults(faults) => faults.into(),
            HoldError::Stale(_) => stale(),
            HoldError::Released => Self::conflict("wrong_state", detail),
            HoldError::Cut => Self::conflict("hold_cut", detail),
            HoldError::Line(_) => Self::internal(&detail),
            HoldError::Ledger(error) => error.into(),
            HoldError::Store(error) => error.into(),
        }
    }
}
