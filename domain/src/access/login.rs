//! Logging in: an API client with its secret, a user with a password.
//!
//! Unknown, wrong, revoked, disabled and locked look the same and take the same time: the same
//! comparison or hash is made in each case. Hashing happens between two transactions, never inside one.

use std::collections::BTreeSet;

use super::error::LoginError;
use super::secret::{ClientSecret, Password, PasswordHasher};
use super::standing::Subject;
use super::user_change::count_attempt;
use super::{Actor, Scope};
use crate::directory::Email;
use crate::kernel::ids::ApiClientId;
use crate::kernel::{Digest, Instant};
use crate::store::{Store, UnitOfWork};

/// Somebody who proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Who.
    pub subject: Subject,
    /// What they may do with the token that they asked for.
    pub actor: Actor,
    /// The version of the user or API client that logged in: a revocation names those that it ends.
    pub version: i32,
}

/// Logs an API client in, with the scopes asked for or all that it has.
///
/// # Errors
/// See [`LoginError`].
pub fn authenticate_client(
    uow: &mut dyn UnitOfWork,
    id: ApiClientId,
    secret: &ClientSecret,
    asked: Option<&BTreeSet<Scope>>,
) -> Result<Login, LoginError> {
    let found = uow.access().find_client(id)?;
    let kept = found.as_ref().map_or(Digest([0; 32]), |f| f.secret_sha256);
    let right = secret.matches(&kept);
    match found {
        Some(found) if right && found.client.revoked_at.is_none() => {
            if uow.access().is_suspended(found.client.standing.organisation())? {
                return Err(LoginError::Refused);
            }
            let actor = found.client.standing.actor(id.uuid(), asked)?;
            Ok(Login { subject: Subject::Client(id), actor, version: found.client.version })
        }
        _ => Err(LoginError::Refused),
    }
}

/// What a user presents.
pub struct PasswordLogin {
    /// The address; nothing when what was typed is none.
    pub email: Option<Email>,
    /// The password; nothing when what was typed could never be one.
    pub password: Option<Password>,
    /// The scopes asked for.
    pub asked: Option<BTreeSet<Scope>>,
}

/// Logs a user in, counting failures and locking after too many.
///
/// # Errors
/// See [`LoginError`].
pub fn authenticate_user(
    store: &dyn Store,
    hasher: &dyn PasswordHasher,
    now: Instant,
    login: &PasswordLogin,
) -> Result<Login, LoginError> {
    let Some(password) = &login.password else { return Err(LoginError::Refused) };
    let found = store.transaction(|uow| match &login.email {
        Some(email) => Ok::<_, LoginError>(uow.access().find_user_by_email(email)?),
        None => Ok(None),
    })?;
    let right = hasher.verify(password, found.as_ref().map(|f| &f.password));
    let Some(found) = found else { return Err(LoginError::Refused) };
    let accepted = store.transaction(|uow| {
        let suspended = uow.access().is_suspended(found.user.standing.organisation())?;
        Ok::<_, LoginError>(count_attempt(uow, found.user.id, now, right)? && !suspended)
    })?;
    if !accepted || found.user.disabled_at.is_some() {
        return Err(LoginError::Refused);
    }
    let actor = found.user.standing.actor(found.user.id.uuid(), login.asked.as_ref())?;
    let (subject, version) = (Subject::User(found.user.id), found.user.version);
    Ok(Login { subject, actor, version })
}
