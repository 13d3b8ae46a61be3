//! Why a use case of webhooks is refused.

use crate::access::MissingScope;
use crate::chain::signer::PortError;
use crate::kernel::Faults;
use crate::store::{StoreError, UseCaseError};

/// Why endpoints and deliveries are not made or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// The actor lacks a scope.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// The input names what the actor may not read.
    #[error("the request is not valid")]
    Invalid(Faults),
    /// There is no such thing, or it is not the actor's.
    #[error("there is no such thing here")]
    NotFound,
    /// It changed since it was read.
    #[error("it was changed in the meantime")]
    Stale,
    /// The owner has as many endpoints as it may have.
    #[error("an owner has at most {0} endpoints")]
    TooMany(u32),
    /// The endpoint is disabled.
    #[error("the endpoint is disabled: enable it first")]
    Disabled,
    /// A secret could not be sealed or opened.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UseCaseError for WebhookError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
