//! Use cases: create and change products. The catalogue is the operator's: who has the scope acts for all.

use super::Product;
use super::error::CatalogueError;
use super::product::{CreateProduct, UpdateProduct};
use crate::access::Scope;
use crate::access::audit::Altered;
use crate::env::Env;
use crate::events::{EventKind, record_changed};
use crate::kernel::ids::ProductId;
use crate::store::UnitOfWork;

/// Creates a product.
///
/// # Errors
/// See [`CatalogueError`].
pub fn create_product(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: &CreateProduct,
) -> Result<Product, CatalogueError> {
    env.actor.require(Scope::CatalogueWrite)?;
    let product = command.clone().into_product(ProductId::new(env.ids.next()));
    uow.catalogue().insert_product(&product)?;
    record_changed(uow, env, EventKind::ProductCreated, (&product.id, product.id.uuid()), Some(1), &[])?;
    Ok(product)
}

/// Changes a product.
///
/// # Errors
/// See [`CatalogueError`].
pub fn update_product(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: ProductId,
    version: i32,
    command: &UpdateProduct,
) -> Result<Altered<Product>, CatalogueError> {
    env.actor.require(Scope::CatalogueWrite)?;
    let before = uow.catalogue().lock_product(id)?.ok_or(CatalogueError::NotFound)?;
    if before.version != version {
        return Err(CatalogueError::Stale);
    }
    let after = command.apply(before.clone());
    uow.catalogue().update_product(&after)?;
    record_changed(uow, env, EventKind::ProductUpdated, (&id, id.uuid()), Some(after.version), &[])?;
    Ok(Altered { before, after })
}
