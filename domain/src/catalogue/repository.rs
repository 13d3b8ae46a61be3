//! The ports of the catalogue.

use super::{Product, ProductCode, Vertical};
use crate::kernel::ids::{ProductId, VerticalId};
use crate::kernel::{Page, PageRequest};
use crate::store::StoreError;

/// The catalogue, inside a transaction.
pub trait CatalogueRepository {
    /// Keeps verticals and products; those that exist already stay as they are.
    ///
    /// # Errors
    /// The failure of the store.
    fn ship(&mut self, verticals: &[Vertical], products: &[Product]) -> Result<(), StoreError>;

    /// Keeps a new vertical.
    ///
    /// # Errors
    /// `vertical_code_taken` or `vertical_pkey`: the code is taken.
    fn insert_vertical(&mut self, vertical: &Vertical) -> Result<(), StoreError>;

    /// Locks a vertical.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_vertical(&mut self, id: VerticalId) -> Result<Option<Vertical>, StoreError>;

    /// Writes what may change of a vertical.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_vertical(&mut self, vertical: &Vertical) -> Result<(), StoreError>;

    /// Keeps a new product.
    ///
    /// # Errors
    /// `product_code_taken`; `product_vertical_id_fkey` when there is no such vertical.
    fn insert_product(&mut self, product: &Product) -> Result<(), StoreError>;

    /// Locks a product.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_product(&mut self, id: ProductId) -> Result<Option<Product>, StoreError>;

    /// Writes what may change of a product.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_product(&mut self, product: &Product) -> Result<(), StoreError>;

    /// The products with these codes that exist.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_products(&mut self, codes: &[ProductCode]) -> Result<Vec<Product>, StoreError>;
}

/// The catalogue, to look up; each list by id, which for reference data is the order of the codes.
pub trait CatalogueQueries {
    /// Verticals.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_verticals(&mut self, page: &PageRequest) -> Result<Page<Vertical>, StoreError>;

    /// One vertical.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_vertical(&mut self, id: VerticalId) -> Result<Option<Vertical>, StoreError>;

    /// Products, of one vertical or of all.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_products(&mut self, vertical: Option<VerticalId>, page: &PageRequest) -> Result<Page<Product>, StoreError>;

    /// One product.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_product(&mut self, id: ProductId) -> Result<Option<Product>, StoreError>;
}
