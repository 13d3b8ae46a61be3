//! Sessions of people: refresh tokens that rotate, and revocations that end tokens before their time.
//!
//! A login by password begins a family of refresh tokens. Each is used once; when one is used a second time
//! somebody stole it, so the whole family ends (RFC 9700 §4.14), with the access tokens that were issued in it, which
//! name it. A family ends with its user's version, too:
//! another password, other roles, disabled. Only digests are kept.
//! Bounds: a family lives [`FAMILY_DAYS`] at most, an unused token [`IDLE_DAYS`], a user has at most
//! [`FAMILIES`] of them at a time: the oldest ends.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use super::error::LoginError;
use super::login::{Login, of_user};
use super::standing::Subject;
use super::{Methods, Scope, User};
use crate::env::Env;
use crate::kernel::ids::UserId;
use crate::kernel::{Digest, Instant};
use crate::store::{StoreError, UnitOfWork};

/// What every refresh token begins with, so that scanners find a leaked one.
pub const REFRESH_PREFIX: &str = "flip_rt_";
/// A family ends so long after its login.
pub const FAMILY_DAYS: i64 = 30;
/// A token that is not used for so long is good no more.
pub const IDLE_DAYS: i64 = 7;
/// Families that a user has at a time.
pub const FAMILIES: i64 = 50;
/// No access token lives longer: a revocation need not be remembered for longer either.
pub const LONGEST_TOKEN_SECONDS: i64 = 3600;
/// Clocks of two servers may differ by so much.
const MARGIN_SECONDS: i64 = 60;

/// A refresh token, as its bearer keeps it.
#[derive(Clone)]
pub struct RefreshToken(SecretString);

impl RefreshToken {
    /// The token of 32 unpredictable bytes.
    #[must_use]
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(SecretString::from(format!("{REFRESH_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// What a caller presents, whatever it is: anything but a token has a digest that is not known.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        Self(SecretString::from(text))
    }

    /// What is kept.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.expose_secret().as_bytes())
    }

    /// The text, to hand to its bearer once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

/// What began with one login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshFamily {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub user: UserId,
    /// The version of the user at that login.
    pub user_version: i32,
    /// How that login proved who it is.
    pub methods: Methods,
    /// The most that its tokens allow.
    pub scopes: BTreeSet<Scope>,
    /// When.
    pub began_at: Instant,
    /// When it was ended before its time, if it was.
    pub ended_at: Option<Instant>,
}

/// One token of a family, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptToken {
    /// Its family.
    pub family: RefreshFamily,
    /// When it was issued.
    pub issued_at: Instant,
    /// When it was used, if it was.
    pub used_at: Option<Instant>,
}

impl KeptToken {
    /// Whether it is good now for this user.
    #[must_use]
    pub fn is_good(&self, user: &User, now: Instant) -> bool {
        let within = |since: Instant, days: i64| later(since, days * 86_400).is_some_and(|end| now < end);
        self.used_at.is_none()
            && self.family.ended_at.is_none()
            && within(self.family.began_at, FAMILY_DAYS)
            && within(self.issued_at, IDLE_DAYS)
            && user.disabled_at.is_none()
            && user.version == self.family.user_version
    }
}

/// So many seconds later.
#[must_use]
pub fn later(at: Instant, seconds: i64) -> Option<Instant> {
    at.timestamp().checked_add(SignedDuration::from_secs(seconds)).ok().map(Instant::new)
}

/// Ends tokens before their time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// A user, an API client, a session, or one token by its own id.
    pub id: Uuid,
    /// Tokens that were issued to a version below this one.
    pub below_version: i32,
    /// When the last of them expires by itself.
    pub until: Instant,
}

/// Ends every token that was issued to an earlier version of somebody.
///
/// # Errors
/// The failure of the store.
pub fn end_tokens(uow: &mut dyn UnitOfWork, now: Instant, id: Uuid, below_version: i32) -> Result<(), StoreError> {
    let until = later(now, LONGEST_TOKEN_SECONDS + MARGIN_SECONDS);
    let until = until.ok_or_else(|| StoreError::Violates("value_out_of_range".into()))?;
    uow.sessions().append_revocation(&Revocation { id, below_version, until }, now)
}

/// Ends a family, and the access tokens that were issued in it.
fn end_session(uow: &mut dyn UnitOfWork, now: Instant, family: Uuid) -> Result<(), StoreError> {
    uow.sessions().end_family(family, now)?;
    end_tokens(uow, now, family, i32::MAX)
}

/// Begins a family for somebody who logged in, whose session it is from now on; `None` for an API client, which has
/// its secret.
///
/// # Errors
/// The failure of the store.
pub fn begin(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    login: Login,
) -> Result<(Login, Option<RefreshToken>), StoreError> {
    let Subject::User(user) = login.subject else { return Ok((login, None)) };
    let family = RefreshFamily {
        id: env.ids.next(),
        user,
        user_version: login.version,
        methods: login.methods.clone(),
        scopes: login.actor.scopes.clone(),
        began_at: env.now,
        ended_at: None,
    };
    let token = RefreshToken::new(&env.draw());
    uow.sessions().insert_family(&family)?;
    uow.sessions().insert_token(family.id, &token.digest(), env.now)?;
    Ok((Login { session: Some(family.id), ..login }, Some(token)))
}

/// What presenting a refresh token came to. Reuse must be committed: it ends the family.
pub enum Refreshed {
    /// A login, and the next token.
    Next(Login, RefreshToken),
    /// Unknown, expired or ended.
    Refused,
    /// Used before: this user's session has ended.
    Reused(UserId),
}

/// Takes a refresh token and gives the next one, with the scopes asked for or all of the family's.
///
/// # Errors
/// A scope that the family does not have, or the failure of the store; then the token is still good.
pub fn refresh(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    presented: &RefreshToken,
    asked: Option<&BTreeSet<Scope>>,
) -> Result<Refreshed, LoginError> {
    let digest = presented.digest();
    let Some(kept) = uow.sessions().lock_token(&digest)? else { return Ok(Refreshed::Refused) };
    if kept.used_at.is_some() && kept.family.ended_at.is_none() {
        end_session(uow, env.now, kept.family.id)?;
        return Ok(Refreshed::Reused(kept.family.user));
    }
    let user = uow.access().find_user(kept.family.user)?;
    let Some(user) = user.filter(|user| kept.is_good(user, env.now)) else { return Ok(Refreshed::Refused) };
    if uow.access().is_suspended(&user.standing)? {
        return Ok(Refreshed::Refused);
    }
    let scopes = asked.unwrap_or(&kept.family.scopes);
    if let Some(more) = scopes.iter().find(|scope| !kept.family.scopes.contains(scope)) {
        return Err(LoginError::MissingScope(super::MissingScope(*more)));
    }
    let login = of_user(&user, kept.family.methods.clone(), Some(scopes))?;
    let login = Login { session: Some(kept.family.id), ..login };
    let next = RefreshToken::new(&env.draw());
    uow.sessions().use_token(&digest, env.now)?;
    uow.sessions().insert_token(kept.family.id, &next.digest(), env.now)?;
    Ok(Refreshed::Next(login, next))
}

/// Ends the family of a refresh token with its access tokens (RFC 7009); nothing happens when there is none such.
///
/// # Errors
/// The failure of the store.
pub fn revoke_refresh_token(
    uow: &mut dyn UnitOfWork,
    now: Instant,
    presented: &RefreshToken,
) -> Result<(), StoreError> {
    match uow.sessions().lock_token(&presented.digest())? {
        Some(kept) if kept.family.ended_at.is_none() => end_session(uow, now, kept.family.id),
        _ => Ok(()),
    }
}

/// Sessions and revocations, inside a transaction.
pub trait SessionRepository {
    /// Keeps a new family; the user's oldest beyond [`FAMILIES`] end, and those long over go.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_family(&mut self, family: &RefreshFamily) -> Result<(), StoreError>;

    /// Keeps the digest of a token.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_token(&mut self, family: Uuid, sha256: &Digest, issued_at: Instant) -> Result<(), StoreError>;

    /// A token and its family, both locked until the transaction ends.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_token(&mut self, sha256: &Digest) -> Result<Option<KeptToken>, StoreError>;

    /// Marks a token as used.
    ///
    /// # Errors
    /// The failure of the store.
    fn use_token(&mut self, sha256: &Digest, at: Instant) -> Result<(), StoreError>;

    /// Ends a family.
    ///
    /// # Errors
    /// The failure of the store.
    fn end_family(&mut self, id: Uuid, at: Instant) -> Result<(), StoreError>;

    /// Keeps a revocation; those whose time is over go.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_revocation(&mut self, revocation: &Revocation, now: Instant) -> Result<(), StoreError>;

    /// Uses an assertion up, once for all processes; `false` when it was used before. Those whose time is over go.
    ///
    /// # Errors
    /// The failure of the store.
    fn use_assertion(&mut self, issuer: Uuid, id: &Digest, now: Instant, until: Instant) -> Result<bool, StoreError>;
}
