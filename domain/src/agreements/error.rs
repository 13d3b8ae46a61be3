//! Why a use case of agreements is refused.

use super::finding::Finding;
use super::life::LifeError;
use crate::access::MissingScope;
use crate::chain::statement::StatementError;
use crate::kernel::Faults;
use crate::kernel::jcs::JcsError;
use crate::store::{StoreError, UseCaseError};

/// A refusal, or a failure of the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgreementError {
    /// The actor lacks a scope.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// Fields that are wrong.
    #[error("the request is not valid")]
    Invalid(Faults),
    /// There is none such, as far as the actor may know.
    #[error("there is no such thing here")]
    NotFound,
    /// It changed since it was read.
    #[error("it was changed in the meantime")]
    Stale,
    /// The version does not go there from here.
    #[error(transparent)]
    Life(#[from] LifeError),
    /// What it says has errors.
    #[error("the content has errors; mend what `errors` names")]
    Errors(Vec<Finding>),
    /// The approval cannot be signed.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl AgreementError {
    /// One field that is wrong.
    #[must_use]
    pub fn fault(pointer: &str, code: &'static str, detail: &str) -> Self {
        let mut faults = Faults::default();
        faults.push(pointer, code, detail);
        Self::Invalid(faults)
    }
}

impl From<StoreError> for AgreementError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Violates(rule) if rule == "agreement_vertical_id_fkey" => {
                Self::fault("/vertical", "not_found", "there is no such vertical")
            }
            StoreError::Violates(_) | StoreError::Contention | StoreError::Unavailable | StoreError::Failed(_) => {
                Self::Store(error)
            }
        }
    }
}

impl From<JcsError> for AgreementError {
    fn from(error: JcsError) -> Self {
        Self::fault("/content", "invalid_value", &error.to_string())
    }
}

impl UseCaseError for AgreementError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::MissingScope(_)
            | Self::Invalid(_)
            | Self::NotFound
            | Self::Stale
            | Self::Life(_)
            | Self::Errors(_)
            | Self::Statement(_) => None,
        }
    }
}
