//! Reasons of the catalogue.

use domain::catalogue::error::CatalogueError;

use super::Problem;
use crate::extract::body::stale;

impl From<CatalogueError> for Problem {
    fn from(error: CatalogueError) -> Self {
        let detail = error.to_string();
        match error {
            CatalogueError::MissingScope(missing) => missing.into(),
            CatalogueError::Invalid(faults) => faults.into(),
            CatalogueError::NotFound => Self::not_found(),
            CatalogueError::Stale => stale(),
            CatalogueError::CodeTaken => Self::conflict("product_code_taken", detail),
            CatalogueError::VerticalCodeTaken => Self::conflict("vertical_code_taken", detail),
            CatalogueError::Store(error) => error.into(),
        }
    }
}
