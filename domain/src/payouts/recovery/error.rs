//! Why nothing was planned.

use crate::access::MissingScope;
use crate::kernel::Faults;
use crate::store::{StoreError, UseCaseError};

/// A refusal, or a failure of the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryError {
    /// The actor may not do this.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// There is none such, as far as the actor may know.
    #[error("there is no such plan")]
    NotFound,
    /// Fields that are wrong.
    #[error("the request has fields that are wrong")]
    Faults(Faults),
    /// It is not at the version that was named.
    #[error("it changed since you read it; it is at version {0} now")]
    Stale(u32),
    /// It was decided already, was not yet, or has an end.
    #[error("it does not stand where this can be done: {0}")]
    WrongState(&'static str),
    /// Who proposes does not decide.
    #[error("somebody else than who proposed it must decide")]
    SamePerson,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UseCaseError for RecoveryError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::MissingScope(_)
            | Self::NotFound
            | Self::Faults(_)
            | Self::Stale(_)
            | Self::WrongState(_)
            | Self::SamePerson => None,
        }
    }
}
