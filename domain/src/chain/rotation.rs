//! Rotating a key: it gives way to the next, and both sign that it does.
//!
//! Invariants: the next key is the promised one, where one was promised; it is of the same party and assurance, and was
//! never registered; the old key ends with the very leaf with which the new one begins, in the lane of their party. The
//! same rotation again is the one that was taken before.

use super::leaf::LeafKind;
use super::log::{self, LogItem};
use super::presented::{Heads, Presented, StatementRefusal};
use super::registration::{seen_now, tell};
use super::registry::{EndedBy, KeyEnd, KeyLock, KeyOwner, MOST_ROTATIONS, SigningKey};
use super::statement::{KeyRotation, Statement};
use crate::access::{Actor, MissingScope, Scope, ownership};
use crate::env::Env;
use crate::events::EventKind;
use crate::kernel::ids::SigningKeyId;
use crate::store::{StoreError, UnitOfWork, UseCaseError};

/// Why a key does not give way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RotateKeyError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The actor may not.
    #[error(transparent)]
    Scope(#[from] MissingScope),
    /// The statement.
    #[error(transparent)]
    Statement(#[from] StatementRefusal),
    /// No such key, or none of anybody that the actor acts for.
    #[error("there is no such key")]
    UnknownKey,
    /// The key was rotated away or revoked by another statement.
    #[error("the key is {0} already")]
    Ended(&'static str),
    /// The next key is registered already.
    #[error("the next key is registered already")]
    KeyTaken,
    /// The succession is as long as it may be.
    #[error("a key gives way {MOST_ROTATIONS} times at most; register a new one and revoke this one")]
    TooManyRotations,
}

impl UseCaseError for RotateKeyError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Scope(_)
            | Self::Statement(_)
            | Self::UnknownKey
            | Self::Ended(_)
            | Self::KeyTaken
            | Self::TooManyRotations => None,
        }
    }
}

/// A key that took the place of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The next key.
    pub key: SigningKey,
    /// Whether this call rotated to it; otherwise it was by the same statement before.
    pub new: bool,
}

/// A request to rotate a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotateKey {
    /// The key that gives way.
    pub key: SigningKeyId,
    /// The envelope, signed by it.
    pub rotation: String,
}

/// The key of this id, when the actor speaks for its owner.
pub(super) fn own_key(
    uow: &mut dyn UnitOfWork,
    actor: &Actor,
    id: SigningKeyId,
) -> Result<Option<SigningKey>, StoreError> {
    let speaks = |key: &SigningKey| match key.owner {
        KeyOwner::Organisation(organisation) => actor.acts_for(organisation),
        KeyOwner::Member { member, organisation } => ownership::speaks_for(actor, member, organisation),
    };
    Ok(uow.keys().find_key(id)?.filter(speaks))
}

/// Rotates a key.
///
/// # Errors
/// See [`RotateKeyError`].
pub fn rotate(uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &RotateKey) -> Result<Rotated, RotateKeyError> {
    env.actor.require(Scope::ChainWrite)?;
    let named = own_key(uow, env.actor, command.key)?.ok_or(RotateKeyError::UnknownKey)?;
    let presented = Presented::read(&command.rotation, LeafKind::KeyRotation, env.origin)?;
    let Statement::KeyRotation(statement) = presented.statement() else {
        return Err(StatementRefusal::Content("not a rotation").into());
    };
    let locked = uow.keys().lock_keys(&[presented.kid().to_owned()], KeyLock::Ending)?.into_iter().next();
    let old = locked.filter(|key| key.id == named.id).ok_or(StatementRefusal::UnknownKey)?;
    let heads = Heads::find(uow, env.seen, std::iter::once(&presented))?;
    presented.judge(&old, (&statement.party, statement.assurance), &heads)?;
    if let Some(end) = &old.end {
        let EndedBy::Rotation(successor) = end.by else { return Err(RotateKeyError::Ended(old.status())) };
        let same = end.payload_sha256 == presented.payload_digest();
        let key = if same { uow.keys().find_key(successor)? } else { None };
        return key.map(|key| Rotated { key, new: false }).ok_or(RotateKeyError::Ended(old.status()));
    }
    let new = successor(uow, env, &old, statement)?;
    let end = KeyEnd {
        by: EndedBy::Rotation(new.id),
        kid: presented.kid().to_owned(),
        assurance: old.assurance,
        payload_sha256: presented.payload_digest(),
        at: env.now,
    };
    uow.keys().append_key(&new).map_err(seen_now("signing_key_kid_taken"))?;
    uow.keys().append_end(old.id, &end)?;
    tell(uow, env, EventKind::SigningKeyRotated, &old)?;
    tell(uow, env, EventKind::SigningKeyRegistered, &new)?;
    let item = LogItem {
        subject: old.owner.subject(),
        source: end.source(),
        kind: LeafKind::KeyRotation,
        envelope: presented.envelope().as_bytes().to_vec(),
        keep_envelope: true,
    };
    log::append(uow, env, &[item])?;
    Ok(Rotated { key: new, new: true })
}

/// The next key, when everything about it is right.
fn successor(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    old: &SigningKey,
    statement: &KeyRotation,
) -> Result<SigningKey, RotateKeyError> {
    let public = statement.successor().map_err(StatementRefusal::from)?;
    if old.next.is_some_and(|promised| promised != public.digest()) {
        return Err(StatementRefusal::KeyNotPromised.into());
    }
    if statement.next.is_some_and(|next| next == public.digest() || next == old.public.digest()) {
        return Err(StatementRefusal::Content("the next key must be another one").into());
    }
    if public.kid() == env.platform.kid() {
        return Err(StatementRefusal::Content("the platform's own key is nobody else's").into());
    }
    if !uow.keys().find_keys(&[public.kid()])?.is_empty() {
        return Err(RotateKeyError::KeyTaken);
    }
    if old.rotations >= MOST_ROTATIONS {
        return Err(RotateKeyError::TooManyRotations);
    }
    Ok(SigningKey {
        id: SigningKeyId::new(env.ids.next()),
        owner: old.owner,
        assurance: old.assurance,
        public,
        next: statement.next,
        replaces: Some(old.id),
        first: old.first,
        rotations: old.rotations + 1,
        created_at: env.now,
        end: None,
    })
}
