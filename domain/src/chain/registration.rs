//! Registering a public key: its holder signs, with that very key, a statement that names it.
//!
//! Invariants: no key gets in without proof of possession; a key belongs to one party for ever; the
//! registration is logged in the lane of its party. The same envelope again is the same registration. A member's key is
//! its own (`self`) on that member's word alone: whoever else brings one brings a key that is kept for the member
//! (`custodial`), as ADR-21 says.

use super::key::PublicKey;
use super::leaf::LeafKind;
use super::log::{self, LogItem};
use super::presented::{Presented, StatementRefusal};
use super::registry::{KeyOwner, SigningKey};
use super::statement::{Assurance, KeyRegistration, PartyId, Statement};
use crate::access::{MissingScope, Scope, ownership};
use crate::env::Env;
use crate::events::{self, EventKind};
use crate::kernel::ids::{MemberId, OrganisationId, SigningKeyId};
use crate::store::{StoreError, UnitOfWork, UseCaseError};

/// Why a key is not registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterKeyError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The actor may not.
    #[error(transparent)]
    Scope(#[from] MissingScope),
    /// The statement.
    #[error(transparent)]
    Statement(#[from] StatementRefusal),
    /// No such organisation or member, or none that the actor acts for.
    #[error("there is no such organisation or member")]
    UnknownParty,
    /// The key is registered already, for somebody or by another statement.
    #[error("this key is registered already")]
    KeyTaken,
}

impl UseCaseError for RegisterKeyError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Scope(_) | Self::Statement(_) | Self::UnknownParty | Self::KeyTaken => None,
        }
    }
}

/// A key that is registered now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The key.
    pub key: SigningKey,
    /// Whether this call registered it; otherwise it was by the same statement before.
    pub new: bool,
}

/// Registers the key that an envelope names and is signed by.
///
/// # Errors
/// See [`RegisterKeyError`].
pub fn register(uow: &mut dyn UnitOfWork, env: &Env<'_>, envelope: &str) -> Result<Registered, RegisterKeyError> {
    env.actor.require(Scope::ChainWrite)?;
    let presented = Presented::read(envelope, LeafKind::KeyRegistration, env.origin)?;
    let Statement::KeyRegistration(statement) = presented.statement() else {
        return Err(StatementRefusal::Content("not a registration").into());
    };
    let public = judged(env, &presented, statement)?;
    let owner = owner(uow, env, &statement.party)?;
    if let Some(known) = uow.keys().find_keys(&[public.kid()])?.into_iter().next() {
        let same = uow.keys().find_envelope(known.id.uuid())?.is_some_and(|kept| kept == envelope.as_bytes());
        return if same { Ok(Registered { key: known, new: false }) } else { Err(RegisterKeyError::KeyTaken) };
    }
    if let Some(member) = owner.member()
        && statement.assurance == Assurance::Own
        && env.actor.member != Some(member)
    {
        return Err(StatementRefusal::NotOwn.into());
    }
    let id = SigningKeyId::new(env.ids.next());
    let key = SigningKey {
        id,
        owner,
        assurance: statement.assurance,
        public,
        next: statement.next,
        replaces: None,
        first: id,
        rotations: 0,
        created_at: env.now,
        end: None,
    };
    uow.keys().append_key(&key).map_err(seen_now("signing_key_kid_taken"))?;
    let item = LogItem {
        subject: owner.subject(),
        source: key.id.uuid(),
        kind: LeafKind::KeyRegistration,
        envelope: envelope.as_bytes().to_vec(),
        keep_envelope: true,
    };
    tell(uow, env, EventKind::SigningKeyRegistered, &key)?;
    log::append(uow, env, &[item])?;
    Ok(Registered { key, new: true })
}

/// The key, when it passes the policy and signed its own registration.
fn judged(env: &Env<'_>, presented: &Presented, statement: &KeyRegistration) -> Result<PublicKey, StatementRefusal> {
    let public = PublicKey::from_jwk(&statement.jwk)?;
    presented.verify(&public)?;
    if statement.assurance == Assurance::Attested {
        return Err(StatementRefusal::Content("a key is in its party's own hand (self) or in a keeper's (custodial)"));
    }
    if statement.next == Some(public.digest()) {
        return Err(StatementRefusal::Content("the next key must be another one"));
    }
    if public.kid() == env.platform.kid() {
        return Err(StatementRefusal::Content("the platform's own key is nobody else's"));
    }
    Ok(public)
}

fn owner(uow: &mut dyn UnitOfWork, env: &Env<'_>, party: &PartyId) -> Result<KeyOwner, RegisterKeyError> {
    let unknown = RegisterKeyError::UnknownParty;
    if let Ok(organisation) = OrganisationId::parse(party.as_str()) {
        let exists = !uow.parties().find_organisations_by_id(&[organisation])?.is_empty();
        return if exists && env.actor.acts_for(organisation) {
            Ok(KeyOwner::Organisation(organisation))
        } else {
            Err(unknown)
        };
    }
    let Ok(member) = MemberId::parse(party.as_str()) else { return Err(unknown) };
    let found = uow.parties().find_members_by_id(&[member])?.into_iter().next();
    match found {
        Some(m) if ownership::speaks_for(env.actor, member, m.organisation) => {
            Ok(KeyOwner::Member { member, organisation: m.organisation })
        }
        _ => Err(unknown),
    }
}

/// Tells the owner of a key what happened to it.
pub(super) fn tell(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    kind: EventKind,
    key: &SigningKey,
) -> Result<(), StoreError> {
    let member = key.owner.member().map(MemberId::uuid);
    let seen: Vec<uuid::Uuid> = std::iter::once(key.owner.organisation().uuid()).chain(member).collect();
    events::record_changed(uow, env, kind, (&key.id, key.id.uuid()), None, &seen)
}

/// Somebody else kept the same a moment ago: begin again and find it.
pub(crate) fn seen_now(constraint: &'static str) -> impl FnOnce(StoreError) -> StoreError {
    move |error| match error {
        StoreError::Violates(name) if name == constraint => StoreError::Contention,
        other => other,
    }
}
