//! Why a use case of the catalogue is refused.

use crate::access::MissingScope;
use crate::store::{StoreError, UseCaseError};

/// Why a product is not created or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// The actor lacks a scope.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// There is no such product.
    #[error("there is no such product")]
    NotFound,
    /// It changed since it was read.
    #[error("it was changed in the meantime")]
    Stale,
    /// Another product has the code.
    #[error("another product has this `code`")]
    CodeTaken,
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for CatalogueError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Violates(rule) if rule == "product_code_taken" => Self::CodeTaken,
            _ => Self::Store(error),
        }
    }
}

impl UseCaseError for CatalogueError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::MissingScope(_) | Self::NotFound | Self::Stale | Self::CodeTaken => None,
        }
    }
}
