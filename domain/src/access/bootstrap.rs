//! The first start: somebody must be able to create the others.

use std::collections::BTreeSet;

use super::client::{CreateApiClient, NewSecret};
use super::error::AccessError;
use super::role::Role;
use super::service;
use super::standing::Standing;
use crate::directory::ClusterText;
use crate::env::Env;
use crate::store::{StoreError, UnitOfWork};

/// Creates an administrator's API client when there is no API client at all; `None` otherwise, also
/// when two processes start at the same moment. Runs as the service itself.
///
/// # Errors
/// See [`AccessError`].
pub fn bootstrap(uow: &mut dyn UnitOfWork, env: &Env<'_>) -> Result<Option<NewSecret>, AccessError> {
    if uow.access().lock_first_client()? {
        return Ok(None);
    }
    let impossible = |what: &str| StoreError::Failed(format!("the first client has no valid {what}"));
    let name = ClusterText::parse("Administrator").map_err(|_| impossible("name"))?;
    let standing = Standing::try_new(BTreeSet::from([Role::OperatorAdmin]), None, None);
    let standing = standing.map_err(|_| impossible("roles"))?;
    service::create_client(uow, env, &CreateApiClient { name, standing }).map(Some)
}
