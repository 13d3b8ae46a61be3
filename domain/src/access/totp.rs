//! One-time codes as a second factor of users: set up, confirmed, shown, taken away, reset for who lost theirs.
//!
//! Invariants: the secret is sealed at rest and shown once; each time step is taken at most once, so that a code
//! which somebody saw is worth nothing; a wrong code counts towards the same lock as a wrong password. The user
//! is locked before the secret. Bounds: [`CONFIRM_SECONDS`].

use super::audit::Altered;
use super::code::{SecondFactor, TotpCode, TotpSecret};
use super::error::AccessError;
use super::session::later;
use super::user_change::{Tried, attempt, end_sessions, has_second_factor};
use super::{Persons, Scope, User, ownership, service};
use crate::env::Env;
use crate::events::{EventKind, record_changed};
use crate::kernel::ids::{MemberId, UserId};
use crate::kernel::{Faults, Instant};
use crate::store::{Store, StoreError, UnitOfWork};
use crate::webhooks::Vault;

/// A secret that nobody confirmed is good for so long.
pub const CONFIRM_SECONDS: i64 = 3_600;

/// A user's second factor, as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptTotp {
    /// Whose.
    pub user: UserId,
    /// The secret, sealed.
    pub secret: Vec<u8>,
    /// The newest time step whose code was taken.
    pub last_step: i64,
    /// When the secret was drawn.
    pub created_at: Instant,
    /// When the user showed that they can work out codes.
    pub confirmed_at: Option<Instant>,
    /// Rises with each change.
    pub version: i32,
}

/// A secret that was just drawn.
pub struct NewTotp {
    /// As it is kept.
    pub kept: KeptTotp,
    /// The secret, which is shown this once.
    pub secret: TotpSecret,
}

/// Draws a secret for the caller. It asks nothing of a login until it is confirmed.
///
/// # Errors
/// [`AccessError::SecondFactorActive`] when there is one: it is taken away with a code first.
pub fn begin(uow: &mut dyn UnitOfWork, env: &Env<'_>, vault: &dyn Vault, id: UserId) -> Result<NewTotp, AccessError> {
    own(env, id)?;
    let known = uow.totp().lock_totp(id)?;
    if known.as_ref().is_some_and(|known| known.confirmed_at.is_some()) {
        return Err(AccessError::SecondFactorActive);
    }
    let secret = TotpSecret::draw(env.randomness);
    let kept = KeptTotp {
        user: id,
        secret: secret.seal(vault, env.randomness, id)?,
        last_step: 0,
        created_at: env.now,
        confirmed_at: None,
        version: known.map_or(1, |known| known.version + 1),
    };
    uow.totp().put_totp(&kept)?;
    Ok(NewTotp { kept, secret })
}

/// Makes the drawn secret the caller's second factor, after [`verify`]. Sessions and tokens from before end.
///
/// # Errors
/// [`AccessError::NotFound`] when there is nothing to confirm.
pub fn confirm(uow: &mut dyn UnitOfWork, env: &Env<'_>, id: UserId) -> Result<KeptTotp, AccessError> {
    own(env, id)?;
    // The user first, as a login does.
    let _ = end_sessions(uow, env, id)?;
    let kept = uow.totp().lock_totp(id)?.filter(|kept| kept.confirmed_at.is_none()).ok_or(AccessError::NotFound)?;
    let kept = KeptTotp { confirmed_at: Some(env.now), version: kept.version + 1, ..kept };
    uow.totp().put_totp(&kept)?;
    Ok(kept)
}

/// Takes the caller's second factor away, after [`verify`]. Sessions and tokens from before end.
///
/// # Errors
/// [`AccessError::Stale`] unless the version is the present one.
pub fn remove(uow: &mut dyn UnitOfWork, env: &Env<'_>, id: UserId, version: i32) -> Result<(), AccessError> {
    own(env, id)?;
    let _ = end_sessions(uow, env, id)?;
    let kept = uow.totp().lock_totp(id)?.filter(|kept| kept.confirmed_at.is_some()).ok_or(AccessError::NotFound)?;
    if kept.version != version {
        return Err(AccessError::Stale);
    }
    Ok(uow.totp().delete_totp(id)?)
}

/// Takes somebody else's second factor away, who lost it: nobody else can be asked for a code. Sessions and tokens from
/// before end, and no scope that moves money is given to them until they have another one.
///
/// # Errors
/// [`AccessError::OwnSecondFactor`] when the actor is that person under whatever name; [`AccessError::NoSecondFactor`];
/// a scope of theirs that the actor does not have.
pub fn reset(uow: &mut dyn UnitOfWork, env: &Env<'_>, id: UserId) -> Result<Altered<User>, AccessError> {
    env.actor.require(Scope::AccessAdmin)?;
    let before = uow.access().lock_user(id)?.ok_or(AccessError::NotFound)?.user;
    service::has_all(env, &before.standing)?;
    if Persons::among(uow, &[env.actor.id, id.uuid()])?.are_one(env.actor.id, id.uuid()) {
        return Err(AccessError::OwnSecondFactor);
    }
    uow.totp().lock_totp(id)?.ok_or(AccessError::NoSecondFactor)?;
    uow.totp().delete_totp(id)?;
    let after = end_sessions(uow, env, id)?;
    let standing = &after.standing;
    let mut seen = ownership::of_organisation(standing.organisation());
    seen.extend(standing.member().map(MemberId::uuid));
    record_changed(uow, env, EventKind::UserSecondFactorReset, (&id, id.uuid()), Some(after.version), &seen)?;
    Ok(Altered { before, after })
}

fn own(env: &Env<'_>, id: UserId) -> Result<(), AccessError> {
    if env.actor.id == id.uuid() { Ok(()) } else { Err(AccessError::NotFound) }
}

/// Which secret a code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// One that is to be confirmed.
    Drawn,
    /// The second factor.
    Confirmed,
}

/// Checks a code of a user in a transaction of its own, so that a wrong one counts whatever comes after.
///
/// # Errors
/// [`AccessError::NotFound`] when there is no such secret; a wrong or used code, also while the user is locked,
/// is a fault of the input.
pub fn verify(
    store: &dyn Store,
    second: SecondFactor<'_>,
    now: Instant,
    id: UserId,
    code: &TotpCode,
    wanted: Wanted,
) -> Result<(), AccessError> {
    let (right, known) = store.transaction(|uow| {
        let mut known = true;
        let tried = |uow: &mut dyn UnitOfWork| match uow.totp().lock_totp(id)?.filter(|kept| kept.is(wanted, now)) {
            Some(kept) => take(uow, second, now, &kept, code),
            None => {
                known = false;
                Ok(Tried::RightInPart)
            }
        };
        let right = attempt(uow, id, now, tried)?;
        Ok::<_, AccessError>((right, known))
    })?;
    match (known, right) {
        (false, _) => return Err(AccessError::NotFound),
        (true, true) => return Ok(()),
        (true, false) => {}
    }
    Err(fault("/code", "wrong_code", WRONG))
}

/// What is said of a code that is not taken.
const WRONG: &str = "the code is wrong, was used, or codes were wrong too often";

fn fault(pointer: &str, code: &'static str, detail: &str) -> AccessError {
    let mut faults = Faults::default();
    faults.push(pointer, code, detail);
    AccessError::Invalid(faults)
}

/// Checks the `/totp` that stands beside a password: asked for where there is a second factor, and wrong where there
/// is none, as at a login. In a transaction of its own, as [`verify`].
///
/// # Errors
/// A missing or wrong code is a fault of the input.
pub fn verify_beside_password(
    store: &dyn Store,
    second: SecondFactor<'_>,
    now: Instant,
    id: UserId,
    code: Option<&TotpCode>,
) -> Result<(), AccessError> {
    let known = store.transaction(|uow| has_second_factor(uow, id).map_err(AccessError::from))?;
    let wrong = || fault("/totp", "wrong_code", WRONG);
    match (known, code) {
        (false, None) => Ok(()),
        (false, Some(_)) => Err(wrong()),
        (true, None) => Err(fault("/totp", "required", "send the code that your authenticator shows")),
        (true, Some(code)) => match verify(store, second, now, id, code, Wanted::Confirmed) {
            Err(AccessError::Invalid(_)) => Err(wrong()),
            judged => judged,
        },
    }
}

impl KeptTotp {
    fn is(&self, wanted: Wanted, now: Instant) -> bool {
        let fresh = || later(self.created_at, CONFIRM_SECONDS).is_some_and(|end| now < end);
        match wanted {
            Wanted::Drawn => self.confirmed_at.is_none() && fresh(),
            Wanted::Confirmed => self.confirmed_at.is_some(),
        }
    }
}

/// Takes a code: its step is used up.
pub(super) fn take(
    uow: &mut dyn UnitOfWork,
    second: SecondFactor<'_>,
    now: Instant,
    kept: &KeptTotp,
    code: &TotpCode,
) -> Result<Tried, StoreError> {
    let secret = TotpSecret::open(second.vault, kept.user, &kept.secret);
    let secret = secret.map_err(|error| StoreError::Failed(error.to_string()))?;
    match secret.step_of(second.codes, code, now, kept.last_step) {
        Some(step) => {
            uow.totp().put_totp(&KeptTotp { last_step: step, ..kept.clone() })?;
            Ok(Tried::Right)
        }
        None => Ok(Tried::Wrong),
    }
}

/// Second factors, inside a transaction.
pub trait TotpRepository {
    /// A user's secret, locked until the transaction ends.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_totp(&mut self, user: UserId) -> Result<Option<KeptTotp>, StoreError>;

    /// Keeps a secret in the place of the one before.
    ///
    /// # Errors
    /// The failure of the store.
    fn put_totp(&mut self, totp: &KeptTotp) -> Result<(), StoreError>;

    /// Forgets a secret.
    ///
    /// # Errors
    /// The failure of the store.
    fn delete_totp(&mut self, user: UserId) -> Result<(), StoreError>;
}
