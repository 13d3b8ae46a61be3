//! Why nothing was put aside or let go.

use crate::access::MissingScope;
use crate::kernel::Faults;
use crate::ledger::line::LineError;
use crate::ledger::posting::PostError;
use crate::store::{StoreError, UseCaseError};

/// A refusal, or a failure of the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoldError {
    /// The actor may not do this.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// There is none such, as far as the actor may know.
    #[error("there is no such hold")]
    NotFound,
    /// Fields that are wrong.
    #[error("the request has fields that are wrong")]
    Faults(Faults),
    /// It is not at the version that was named.
    #[error("it changed since you read it; it is at version {0} now")]
    Stale(u32),
    /// It was let go already.
    #[error("it was released already")]
    Released,
    /// A clawback took part of what older holds of the line put aside: whose is what would be lost by another one.
    #[error("a clawback took part of what is held of this line; release its older holds first")]
    Cut,
    /// The line cannot give what it should: a defect, since it was checked.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The ledger cannot take it.
    #[error(transparent)]
    Ledger(PostError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PostError> for HoldError {
    fn from(error: PostError) -> Self {
        error.or_refusal().map_or_else(Self::Ledger, Self::Store)
    }
}

impl UseCaseError for HoldError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::MissingScope(_)
            | Self::NotFound
            | Self::Faults(_)
            | Self::Stale(_)
            | Self::Released
            | Self::Cut
            | Self::Line(_)
            | Self::Ledger(_) => None,
        }
    }
}
