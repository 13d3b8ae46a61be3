//! The ports of the catalogue.

use super::{Product, ProductCode, Vertical};
use crate::store::StoreError;

/// The catalogue, inside a transaction.
pub trait CatalogueRepository {
    /// Keeps verticals and products; those that exist already stay as they are.
    ///
    /// # Errors
    /// The failure of the store.
    fn ship(&mut self, verticals: &[Vertical], products: &[Product]) -> Result<(), StoreError>;

    /// The products with these codes that exist.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_products(&mut self, codes: &[ProductCode]) -> Result<Vec<Product>, StoreError>;
}
