//! Logging in: an API client with its secret, a user with a password.
//!
//! Unknown, wrong, revoked, disabled and locked look the same and take the same time: the same
//! comparison or hash is made in each case. Hashing happens between two transactions, never inside one.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::client::ApiClient;
use super::code::{SecondFactor, TotpCode};
use super::error::LoginError;
use super::secret::{ClientSecret, Password, PasswordHasher};
use super::standing::Subject;
use super::totp;
use super::user_change::{Tried, attempt};
use super::{Actor, Environment, Method, Methods, Scope, User};
use crate::directory::Email;
use crate::kernel::ids::{ApiClientId, UserId};
use crate::kernel::{Digest, Instant};
use crate::store::{Store, StoreError, UnitOfWork};

/// Somebody who proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Who.
    pub subject: Subject,
    /// What they may do with the token that they asked for.
    pub actor: Actor,
    /// The version of the user or API client that logged in: a revocation names those that it ends.
    pub version: i32,
    /// How a person proved who they are.
    pub methods: Methods,
    /// The session that it belongs to, for whoever has one: it ends the tokens that were issued in it.
    pub session: Option<Uuid>,
}

/// Logs an API client in, with the scopes asked for or all that it has.
///
/// # Errors
/// See [`LoginError`].
pub fn authenticate_client(
    uow: &mut dyn UnitOfWork,
    environment: Environment,
    id: ApiClientId,
    secret: &ClientSecret,
    asked: Option<&BTreeSet<Scope>>,
) -> Result<Login, LoginError> {
    let found = uow.access().find_client(id)?;
    let kept = found.as_ref().map_or(Digest([0; 32]), |f| f.secret_sha256);
    let right = secret.matches(&kept) && secret.is_of(environment);
    match found {
        Some(found) if right => of_client(uow, found.client, asked),
        _ => Err(LoginError::Refused),
    }
}

/// The login of a client that has proved itself.
pub(super) fn of_client(
    uow: &mut dyn UnitOfWork,
    client: ApiClient,
    asked: Option<&BTreeSet<Scope>>,
) -> Result<Login, LoginError> {
    if client.revoked_at.is_some() || uow.access().is_suspended(&client.standing)? {
        return Err(LoginError::Refused);
    }
    let actor = client.standing.actor(client.id.uuid(), asked)?;
    let (subject, version) = (Subject::Client(client.id), client.version);
    Ok(Login { subject, actor, version, methods: Methods::default(), session: None })
}

/// What a user presents.
pub struct PasswordLogin {
    /// The address; nothing when what was typed is none.
    pub email: Option<Email>,
    /// The password; nothing when what was typed could never be one.
    pub password: Option<Password>,
    /// A one-time code.
    pub code: Option<TotpCode>,
    /// The scopes asked for.
    pub asked: Option<BTreeSet<Scope>>,
}

/// Logs a user in, counting failures and locking after too many. Without a code the token has no scope that
/// moves money.
///
/// # Errors
/// See [`LoginError`].
pub fn authenticate_user(
    store: &dyn Store,
    hasher: &dyn PasswordHasher,
    second: SecondFactor<'_>,
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
    let id = found.user.id;
    let accepted = store.transaction(|uow| {
        let suspended = uow.access().is_suspended(&found.user.standing)?;
        let accepted = attempt(uow, id, now, |uow| match right {
            true => second_factor(uow, second, now, id, login.code.as_ref()),
            false => Ok(Tried::Wrong),
        })?;
        Ok::<_, LoginError>(accepted && !suspended)
    })?;
    if !accepted {
        return Err(LoginError::Refused);
    }
    let methods = Methods::password();
    let methods = if login.code.is_some() { methods.and(Method::OneTimeCode) } else { methods };
    of_user(&found.user, methods, login.asked.as_ref())
}

/// Whether what was shown beside a right password is all that is asked for. A code of somebody who has none is
/// wrong.
fn second_factor(
    uow: &mut dyn UnitOfWork,
    second: SecondFactor<'_>,
    now: Instant,
    id: UserId,
    code: Option<&TotpCode>,
) -> Result<Tried, StoreError> {
    let known = uow.totp().lock_totp(id)?.filter(|totp| totp.confirmed_at.is_some());
    match (known, code) {
        (Some(known), Some(code)) => totp::take(uow, second, now, &known, code),
        (Some(_), None) => Ok(Tried::RightInPart),
        (None, Some(_)) => Ok(Tried::Wrong),
        (None, None) => Ok(Tried::Right),
    }
}

/// The login of a person who has proved who they are.
pub(super) fn of_user(user: &User, methods: Methods, asked: Option<&BTreeSet<Scope>>) -> Result<Login, LoginError> {
    if user.disabled_at.is_some() {
        return Err(LoginError::Refused);
    }
    let (subject, version) = (Subject::User(user.id), user.version);
    let actor = user.standing.actor(user.id.uuid(), asked)?;
    // What was asked for by name is not left out in silence.
    if let Some(withheld) = asked.and_then(|asked| methods.withheld(subject, asked).into_iter().next()) {
        return Err(LoginError::Withheld(withheld));
    }
    Ok(Login { subject, actor: methods.allow(subject, actor), version, methods, session: None })
}
