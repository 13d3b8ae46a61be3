//! Use cases: create, revoke and re-key API clients; create users.
//!
//! Every one of them but [`name_of`] needs `access:admin`.

use super::client::{ApiClient, ClientCredentials, CreateApiClient, NewSecret};
use super::error::AccessError;
use super::oidc::may_link;
use super::person::hold;
use super::secret::{ClientSecret, PasswordHash};
use super::session::end_tokens;
use super::standing::{Standing, Subject};
use super::user::{CreateUser, User};
use super::user_change::another_administrator;
use super::{MissingScope, Role, Scope};
use crate::access::audit::Altered;
use crate::env::Env;
use crate::events::{EventKind, record_changed};
use crate::kernel::Faults;
use crate::kernel::ids::{ApiClientId, OrganisationId, UserId};
use crate::store::{StoreError, UnitOfWork};
use crate::webhooks::service::owner_gone;

/// Creates an API client; its secret is in the answer and nowhere else.
///
/// # Errors
/// See [`AccessError`]; an unknown organisation or member is a fault of the input.
pub fn create_client(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: &CreateApiClient,
) -> Result<NewSecret, AccessError> {
    may_give(uow, env, &command.standing)?;
    let client = ApiClient {
        id: ApiClientId::new(env.ids.next()),
        name: command.name.clone(),
        standing: command.standing.clone(),
        created_at: env.now,
        revoked_at: None,
        version: 1,
    };
    let secret = ClientSecret::new(env.environment, &env.draw());
    uow.access().insert_client(&client, &secret.digest()).map_err(of_the_living)?;
    hold(uow, env, client.id)?;
    client_changed(uow, env, EventKind::ApiClientCreated, &client)?;
    Ok(NewSecret { client, secret })
}

/// Gives an API client a new secret; the old one stops working at once, and so do the tokens that it gave.
///
/// # Errors
/// See [`AccessError`].
pub fn rotate_secret(uow: &mut dyn UnitOfWork, env: &Env<'_>, id: ApiClientId) -> Result<NewSecret, AccessError> {
    env.actor.require(Scope::AccessAdmin)?;
    let mut kept = uow.access().lock_client(id)?.ok_or(AccessError::NotFound)?;
    if kept.client.revoked_at.is_some() {
        return Err(AccessError::Revoked);
    }
    // Whoever knows the new secret has the client's scopes.
    has_all(env, &kept.client.standing)?;
    let secret = ClientSecret::new(env.environment, &env.draw());
    kept.secret_sha256 = secret.digest();
    kept.client.version += 1;
    uow.access().update_client(&kept)?;
    hold(uow, env, id)?;
    end_tokens(uow, env.now, id.uuid(), kept.client.version)?;
    client_changed(uow, env, EventKind::ApiClientSecretRotated, &kept.client)?;
    Ok(NewSecret { client: kept.client, secret })
}

/// Revokes an API client: it gets no more tokens, and those it has are good no more.
///
/// # Errors
/// [`AccessError::Stale`] unless the version, if one is given, is the present one. Revoking twice changes nothing.
pub fn revoke_client(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: ApiClientId,
    version: Option<i32>,
) -> Result<Altered<ApiClient>, AccessError> {
    env.actor.require(Scope::AccessAdmin)?;
    let kept = uow.access().lock_client(id)?.ok_or(AccessError::NotFound)?;
    if version.is_some_and(|version| version != kept.client.version) {
        return Err(AccessError::Stale);
    }
    // Whoever has fewer scopes does not take away those of somebody with more.
    has_all(env, &kept.client.standing)?;
    let before = kept.client.clone();
    if before.revoked_at.is_some() {
        return Ok(Altered { before, after: kept.client });
    }
    if kept.client.standing.roles().contains(&Role::OperatorAdmin) {
        another_administrator(uow, id.uuid())?;
    }
    let client = ApiClient { revoked_at: Some(env.now), version: kept.client.version + 1, ..kept.client };
    uow.access().update_client(&ClientCredentials { client: client.clone(), secret_sha256: kept.secret_sha256 })?;
    end_tokens(uow, env.now, id.uuid(), client.version)?;
    owner_gone(uow, env, id.uuid())?;
    client_changed(uow, env, EventKind::ApiClientRevoked, &client)?;
    Ok(Altered { before, after: client })
}

/// Revokes an API client that acts as somebody who is erased, and takes away what people call it.
///
/// # Errors
/// The failure of the store.
pub(crate) fn erase_client(uow: &mut dyn UnitOfWork, env: &Env<'_>, id: ApiClientId) -> Result<(), StoreError> {
    let Some(kept) = uow.access().lock_client(id)? else { return Ok(()) };
    let revoked_at = kept.client.revoked_at.or(Some(env.now));
    let client = ApiClient { revoked_at, version: kept.client.version + 1, ..kept.client };
    uow.access().update_client(&ClientCredentials { client: client.clone(), secret_sha256: kept.secret_sha256 })?;
    uow.access().erase_client_name(id)?;
    end_tokens(uow, env.now, id.uuid(), client.version)?;
    owner_gone(uow, env, id.uuid())?;
    client_changed(uow, env, EventKind::ApiClientRevoked, &client)
}

/// Creates a user with a password that was hashed before the transaction began.
///
/// # Errors
/// See [`AccessError`].
pub fn create_user(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: &CreateUser,
    password: &PasswordHash,
) -> Result<User, AccessError> {
    may_give(uow, env, &command.standing)?;
    may_link(uow, command.oidc.as_ref(), &command.standing)?;
    let user = User {
        id: UserId::new(env.ids.next()),
        email: Some(command.email.clone()),
        standing: command.standing.clone(),
        created_at: env.now,
        disabled_at: None,
        oidc: command.oidc.clone(),
        version: 1,
    };
    match uow.access().insert_user(&user, &command.email, password) {
        Err(StoreError::Violates(rule)) if rule == "personal_data_user_email" => return Err(AccessError::EmailTaken),
        Err(StoreError::Violates(rule)) if rule == "app_user_oidc_taken" => return Err(AccessError::SubjectTaken),
        kept => kept.map_err(of_the_living)?,
    }
    user_changed(uow, env, EventKind::UserCreated, &user)?;
    Ok(user)
}

pub(super) fn user_changed(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    kind: EventKind,
    user: &User,
) -> Result<(), StoreError> {
    record_changed(uow, env, kind, (&user.id, user.id.uuid()), Some(user.version), &seen_by(&user.standing))
}

pub(super) fn client_changed(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    kind: EventKind,
    client: &ApiClient,
) -> Result<(), StoreError> {
    let seen = seen_by(&client.standing);
    record_changed(uow, env, kind, (&client.id, client.id.uuid()), Some(client.version), &seen)
}

fn seen_by(standing: &Standing) -> Vec<uuid::Uuid> {
    standing.organisation().map(OrganisationId::uuid).into_iter().collect()
}

/// What people call a user or an API client: its address, its name. Somebody erased has none.
///
/// # Errors
/// The failure of the store.
pub fn name_of(uow: &mut dyn UnitOfWork, subject: Subject) -> Result<Option<String>, StoreError> {
    Ok(match subject {
        Subject::User(id) => uow.access().find_user(id)?.and_then(|user| user.email).map(|email| email.to_string()),
        Subject::Client(id) => uow.access().find_client(id)?.map(|found| found.client.name.to_string()),
    })
}

/// Whether the actor may make somebody with this standing, whose parties must exist.
pub(super) fn may_give(uow: &mut dyn UnitOfWork, env: &Env<'_>, standing: &Standing) -> Result<(), AccessError> {
    env.actor.require(Scope::AccessAdmin)?;
    has_all(env, standing)?;
    let Some(organisation) = standing.organisation() else { return Ok(()) };
    if uow.access().belongs(organisation, standing.member())? {
        return Ok(());
    }
    let mut faults = Faults::default();
    let pointer = if standing.member().is_some() { "/member_id" } else { "/organisation_id" };
    faults.push(pointer, "not_found", "there is no such organisation, or no such member of it");
    Err(AccessError::Invalid(faults))
}

/// A member that is erased while somebody who is to act as it is made.
pub(super) fn of_the_living(error: StoreError) -> AccessError {
    match error {
        StoreError::Violates(rule) if rule == "member_erased" => AccessError::Invalid(no_such_member()),
        other => other.into(),
    }
}

fn no_such_member() -> Faults {
    let mut faults = Faults::default();
    faults.push("/member_id", "not_found", "there is no such organisation, or no such member of it");
    faults
}

/// Nobody gives scopes that they do not have.
pub(super) fn has_all(env: &Env<'_>, standing: &Standing) -> Result<(), MissingScope> {
    standing.scopes().into_iter().try_for_each(|scope| env.actor.require(scope))
}
