//! Reasons of provider statements.

use domain::provider_statements::ReconciliationError;

use super::Problem;
use crate::extract::body::stale;

impl From<ReconciliationError> for Problem {
    fn from(error: ReconciliationError) -> Self {
        let detail = error.to_string();
        match error {
            ReconciliationError::MissingScope(missing) => missing.into(),
            ReconciliationError::NotFound => Self::not_found(),
            ReconciliationError::Faults(faults) => faults.into(),
            ReconciliationError::Stale(_) => stale(),
            ReconciliationError::NoMapping => Self::conflict("no_mapping", detail),
            ReconciliationError::Known(_) => Self::conflict("statement_known", detail),
            ReconciliationError::WrongState(_) => Self::conflict("wrong_state", detail),
            ReconciliationError::SamePerson => Self::refused("same_person", detail),
            ReconciliationError::MoreThanOpen { .. } => Self::refused("more_than_open", detail),
            ReconciliationError::DifferenceRemains(_) => Self::conflict("difference_remains", detail),
            ReconciliationError::Ledger(_) => Self::internal(&detail),
            ReconciliationError::Store(error) => error.into(),
        }
    }
}
