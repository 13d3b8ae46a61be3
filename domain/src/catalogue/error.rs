//! Why a use case of the catalogue is refused.

use crate::access::MissingScope;
use crate::kernel::Faults;
use crate::store::{StoreError, UseCaseError};

/// Why a vertical or a product is not created or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// The actor lacks a scope.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// The input names what is not there.
    #[error("the request is not valid")]
    Invalid(Faults),
    /// There is no such vertical or product.
    #[error("there is no such thing here")]
    NotFound,
    /// It changed since it was read.
    #[error("it was changed in the meantime")]
    Stale,
    /// Another product has the code.
    #[error("another product has this `code`")]
    CodeTaken,
    /// There is a vertical with the code.
    #[error("there is a vertical with this `code`")]
    VerticalCodeTaken,
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for CatalogueError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Violates(rule) => match rule.as_str() {
                "product_code_taken" => Self::CodeTaken,
                // The id follows from the code.
                "vertical_code_taken" | "vertical_pkey" => Self::VerticalCodeTaken,
                "product_vertical_id_fkey" => {
                    let mut faults = Faults::default();
                    faults.push("/vertical", "not_found", "there is no such vertical");
                    Self::Invalid(faults)
                }
                _ => Self::Store(error),
            },
            StoreError::Contention | StoreError::Unavailable | StoreError::Failed(_) => Self::Store(error),
        }
    }
}

impl UseCaseError for CatalogueError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::MissingScope(_)
            | Self::Invalid(_)
            | Self::NotFound
            | Self::Stale
            | Self::CodeTaken
            | Self::VerticalCodeTaken => None,
        }
    }
}
