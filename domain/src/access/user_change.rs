//! Changing users: roles, disabled or not, the password.
//!
//! Every change raises the user's version, which ends the sessions and tokens that were issued before.
//! Invariant: somebody who may give roles is always left; the last administrator, a user or an API client,
//! is neither disabled nor demoted nor revoked.

use uuid::Uuid;

use super::audit::Altered;
use super::error::AccessError;
use super::oidc::{OidcLink, OidcLinkInput, may_link};
use super::secret::{Password, PasswordHash, PasswordHasher};
use super::session::end_tokens;
use super::standing::{Standing, StandingInput};
use super::user::{Attempts, User, UserCredentials};
use super::{Role, Scope, service};
use crate::directory::Email;
use crate::directory::update::Given;
use crate::env::Env;
use crate::events::EventKind;
use crate::kernel::ids::UserId;
use crate::kernel::{Faults, Instant};
use crate::store::{Store, StoreError, UnitOfWork};
use crate::webhooks::service::owner_gone;

/// A request to change a user, unchecked. Roles and whom the user acts for are given together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateUserInput {
    /// `/roles`
    pub roles: Option<Vec<String>>,
    /// `/organisation_id`
    pub organisation_id: Given,
    /// `/member_id`
    pub member_id: Given,
    /// `/disabled`
    pub disabled: Option<bool>,
    /// `/oidc`
    pub oidc: Option<Option<OidcLinkInput>>,
}

/// A valid request to change a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateUser {
    standing: Option<Standing>,
    disabled: Option<bool>,
    oidc: Option<Option<OidcLink>>,
}

impl UpdateUser {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &UpdateUserInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let oidc = match &raw.oidc {
            None => None,
            Some(None) => Some(None),
            Some(Some(link)) => OidcLink::parse(link, &mut faults).map(Some),
        };
        let parties = [("/organisation_id", &raw.organisation_id), ("/member_id", &raw.member_id)];
        let Some(roles) = raw.roles.clone() else {
            for (pointer, _) in parties.iter().filter(|(_, given)| given.is_some()) {
                faults.push(
                    *pointer,
                    "required",
                    "give `roles` with it: whom somebody acts for follows from the roles",
                );
            }
            faults.check()?;
            return Ok(Self { standing: None, disabled: raw.disabled, oidc });
        };
        let flat = |given: &Given| given.clone().flatten();
        let input = StandingInput {
            roles: Some(roles),
            organisation_id: flat(&raw.organisation_id),
            member_id: flat(&raw.member_id),
        };
        let standing = Standing::parse(&input, &mut faults);
        faults.check()?;
        Ok(Self { standing, disabled: raw.disabled, oidc })
    }
}

/// Changes a user's roles, or whether it may log in.
///
/// # Errors
/// [`AccessError::Stale`] unless the version is the present one; [`AccessError::LastAdministrator`].
pub fn update_user(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: UserId,
    version: i32,
    command: &UpdateUser,
) -> Result<Altered<User>, AccessError> {
    env.actor.require(Scope::AccessAdmin)?;
    let mut kept = uow.access().lock_user(id)?.ok_or(AccessError::NotFound)?;
    if kept.user.version != version {
        return Err(AccessError::Stale);
    }
    // Whoever has fewer scopes neither gives nor takes away those of somebody with more.
    service::has_all(env, &kept.user.standing)?;
    let before = kept.user.clone();
    if let Some(standing) = &command.standing {
        service::may_give(uow, env, standing)?;
        kept.user.standing = standing.clone();
    }
    if let Some(oidc) = &command.oidc {
        kept.user.oidc.clone_from(oidc);
    }
    may_link(uow, kept.user.oidc.as_ref(), &kept.user.standing)?;
    kept.user.disabled_at = match (command.disabled, kept.user.disabled_at) {
        (Some(true), None) => Some(env.now),
        (Some(false), _) => None,
        (_, kept) => kept,
    };
    if kept.user == before {
        return Ok(Altered { after: before.clone(), before });
    }
    if administers(&before) && !administers(&kept.user) {
        another_administrator(uow, id.uuid())?;
    }
    if before.disabled_at.is_none() && kept.user.disabled_at.is_some() {
        owner_gone(uow, env, id.uuid())?;
    }
    Ok(Altered { before, after: keep(uow, env, kept)? })
}

/// Takes away what identifies a user whose person is erased: it logs in no more.
///
/// # Errors
/// The failure of the store.
pub(crate) fn erase(uow: &mut dyn UnitOfWork, env: &Env<'_>, id: UserId) -> Result<(), StoreError> {
    let Some(mut kept) = uow.access().lock_user(id)? else { return Ok(()) };
    kept.user.oidc = None;
    kept.user.email = None;
    if kept.user.disabled_at.is_none() {
        kept.user.disabled_at = Some(env.now);
        owner_gone(uow, env, id.uuid())?;
    }
    kept.user.version += 1;
    uow.access().update_user(&kept)?;
    uow.access().erase_address(id)?;
    end_tokens(uow, env.now, id.uuid(), kept.user.version)?;
    service::user_changed(uow, env, EventKind::UserUpdated, &kept.user)
}

fn administers(user: &User) -> bool {
    user.disabled_at.is_none() && user.standing.roles().contains(&Role::OperatorAdmin)
}

/// Refuses unless somebody else may give roles, too.
pub(super) fn another_administrator(uow: &mut dyn UnitOfWork, than: Uuid) -> Result<(), AccessError> {
    if uow.access().lock_other_administrator(than)? { Ok(()) } else { Err(AccessError::LastAdministrator) }
}

/// Writes a changed user and ends what was issued to it before.
fn keep(uow: &mut dyn UnitOfWork, env: &Env<'_>, mut kept: UserCredentials) -> Result<User, AccessError> {
    kept.user.version += 1;
    match uow.access().update_user(&kept) {
        Err(StoreError::Violates(rule)) if rule == "app_user_oidc_taken" => return Err(AccessError::SubjectTaken),
        written => written.map_err(service::of_the_living)?,
    }
    end_tokens(uow, env.now, kept.user.id.uuid(), kept.user.version)?;
    service::user_changed(uow, env, EventKind::UserUpdated, &kept.user)?;
    Ok(kept.user)
}

/// Whether this is the user's password now; a wrong one counts towards the lock.
///
/// # Errors
/// [`AccessError::WrongPassword`], also while the user is locked.
pub fn confirm_password(
    store: &dyn Store,
    hasher: &dyn PasswordHasher,
    now: Instant,
    id: UserId,
    password: &Password,
) -> Result<Option<Email>, AccessError> {
    let found = store.transaction(|uow| uow.access().lock_user(id).map_err(AccessError::from))?;
    let right = hasher.verify(password, found.as_ref().map(|f| &f.password));
    let found = found.ok_or(AccessError::NotFound)?;
    let accepted = store.transaction(|uow| {
        let tried = match right {
            true if has_second_factor(uow, id)? => Tried::RightInPart,
            true => Tried::Right,
            false => Tried::Wrong,
        };
        attempt(uow, id, now, |_| Ok(tried))
    })?;
    if accepted { Ok(found.user.email) } else { Err(AccessError::WrongPassword) }
}

/// Whether the user has a second factor.
///
/// # Errors
/// The failure of the store.
pub fn has_second_factor(uow: &mut dyn UnitOfWork, id: UserId) -> Result<bool, StoreError> {
    Ok(uow.totp().lock_totp(id)?.is_some_and(|totp| totp.confirmed_at.is_some()))
}

/// What a secret turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// Right, and all that was asked for: failures are forgotten.
    Right,
    /// Right, but there is another factor that was not shown: failures are kept, or whoever knows one could
    /// guess the other for ever.
    RightInPart,
    /// Wrong.
    Wrong,
}

/// Tries a secret of a user, counting; `false` when it is wrong or the user is locked, and then a secret is not
/// even looked at.
///
/// # Errors
/// The failure of the store.
pub(super) fn attempt(
    uow: &mut dyn UnitOfWork,
    id: UserId,
    now: Instant,
    secret: impl FnOnce(&mut dyn UnitOfWork) -> Result<Tried, StoreError>,
) -> Result<bool, StoreError> {
    // Read again under the lock: another attempt may have locked the user while this one was hashing.
    let attempts = uow.access().lock_attempts(id)?;
    if attempts.is_locked(now) {
        return Ok(false);
    }
    let tried = secret(uow)?;
    let next = match tried {
        Tried::Right => Attempts::default(),
        Tried::RightInPart => attempts,
        Tried::Wrong => attempts.failed(now),
    };
    if next != attempts {
        uow.access().update_attempts(id, &next)?;
    }
    Ok(tried != Tried::Wrong)
}

/// Ends what was issued to a user before a second factor came or went.
pub(super) fn end_sessions(uow: &mut dyn UnitOfWork, env: &Env<'_>, id: UserId) -> Result<User, AccessError> {
    let kept = uow.access().lock_user(id)?.ok_or(AccessError::NotFound)?;
    keep(uow, env, kept)
}

/// Gives the caller another password, which was hashed before the transaction began; what was issued under the
/// old one ends.
///
/// # Errors
/// See [`AccessError`].
pub fn change_password(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: UserId,
    password: &PasswordHash,
) -> Result<User, AccessError> {
    if env.actor.id != id.uuid() {
        return Err(AccessError::NotFound);
    }
    let mut kept = uow.access().lock_user(id)?.ok_or(AccessError::NotFound)?;
    kept.password = password.clone();
    keep(uow, env, kept)
}
