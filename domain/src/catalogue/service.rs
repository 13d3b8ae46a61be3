//! Use cases: create and change verticals and products. The catalogue is the operator's: who has the scope acts for all.

use super::error::CatalogueError;
use super::product::{CreateProduct, UpdateProduct};
use super::vertical::{CreateVertical, UpdateVertical};
use super::{Product, Vertical};
use crate::access::Scope;
use crate::access::audit::Altered;
use crate::env::Env;
use crate::events::{EventKind, record_changed};
use crate::kernel::ids::{ProductId, VerticalId};
use crate::store::UnitOfWork;

/// Creates a vertical.
///
/// # Errors
/// See [`CatalogueError`].
pub fn create_vertical(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: &CreateVertical,
) -> Result<Vertical, CatalogueError> {
    env.actor.require(Scope::CatalogueWrite)?;
    let vertical = command.clone().into_vertical();
    uow.catalogue().insert_vertical(&vertical)?;
    record_changed(uow, env, EventKind::VerticalCreated, (&vertical.id, vertical.id.uuid()), Some(1), &[])?;
    Ok(vertical)
}

/// Changes a vertical.
///
/// # Errors
/// See [`CatalogueError`].
pub fn update_vertical(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: VerticalId,
    version: i32,
    command: &UpdateVertical,
) -> Result<Altered<Vertical>, CatalogueError> {
    env.actor.require(Scope::CatalogueWrite)?;
    let before = uow.catalogue().lock_vertical(id)?.ok_or(CatalogueError::NotFound)?;
    if before.version != version {
        return Err(CatalogueError::Stale);
    }
    let after = command.apply(before.clone());
    uow.catalogue().update_vertical(&after)?;
    record_changed(uow, env, EventKind::VerticalUpdated, (&id, id.uuid()), Some(after.version), &[])?;
    Ok(Altered { before, after })
}

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
