//! Revoking a key: from its leaf on, nothing that the key signs is taken.
//!
//! Three may say so: the key itself, another key of its party that may sign, or, when the key is lost, an administrator
//! or the owner, on whose word the platform signs (`assurance` `attested`, with who asked). Invariants: a key ends once;
//! the revocation is logged in the lane of its party. The same revocation again is the one that was taken before.

use super::leaf::LeafKind;
use super::log::{self, LogItem};
use super::presented::{Heads, Presented, StatementRefusal, expect_active};
use super::registration::tell;
use super::registry::{EndedBy, KeyEnd, KeyLock, KeyOwner, SigningKey};
use super::rotation::own_key;
use super::statement::{self, Assurance, KeyRevocation, RevocationReason, Salt, Statement, StatementError};
use crate::access::{Actor, MissingScope, Role, Scope};
use crate::env::Env;
use crate::events::EventKind;
use crate::kernel::ids::SigningKeyId;
use crate::kernel::{Digest, Faults};
use crate::store::{StoreError, UnitOfWork, UseCaseError};

/// Who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevokedBy {
    /// The key or another one of its party: the envelope.
    Party(String),
    /// An administrator or the owner, without a key: the platform signs.
    Word(RevocationReason),
}

/// A request to revoke a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokeKey {
    /// The key.
    pub key: SigningKeyId,
    /// Who says so.
    pub by: RevokedBy,
}

/// A request to revoke a key, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RevokeKeyInput {
    /// `/revocation`
    pub revocation: Option<String>,
    /// `/reason`, without a revocation
    pub reason: Option<String>,
}

impl RevokeKey {
    /// Checks that there is either a signed revocation or a reason.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(key: SigningKeyId, raw: RevokeKeyInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let by = match (raw.revocation, raw.reason) {
            (Some(envelope), None) => Some(RevokedBy::Party(envelope)),
            (Some(_), Some(_)) => {
                faults.push("/reason", "not_with_revocation", "the signed revocation says why");
                None
            }
            (None, None) => {
                let detail =
                    "send a signed revocation; without a key to sign it, the reason: compromised, lost, retired";
                faults.push("/revocation", "required", detail);
                None
            }
            (None, Some(reason)) => {
                let parsed = RevocationReason::parse(&reason).map(RevokedBy::Word);
                if parsed.is_none() {
                    faults.push("/reason", "unknown_value", "expected one of: compromised, lost, retired");
                }
                parsed
            }
        };
        by.map(|by| Self { key, by }).ok_or(faults)
    }
}

/// Why a key is not revoked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RevokeKeyError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The actor may not.
    #[error(transparent)]
    Scope(#[from] MissingScope),
    /// The statement.
    #[error(transparent)]
    Statement(#[from] StatementRefusal),
    /// Signing, on somebody's word.
    #[error(transparent)]
    Sign(#[from] StatementError),
    /// No such key, or none of anybody that the actor acts for.
    #[error("there is no such key")]
    UnknownKey,
    /// Only the owner or an administrator is believed without a signature.
    #[error("without a signature a key is revoked by an administrator or by the member whose it is")]
    NotAdministrator,
    /// The key was rotated away or revoked by another statement.
    #[error("the key is {0} already")]
    Ended(&'static str),
}

impl UseCaseError for RevokeKeyError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Scope(_)
            | Self::Statement(_)
            | Self::Sign(_)
            | Self::UnknownKey
            | Self::NotAdministrator
            | Self::Ended(_) => None,
        }
    }
}

/// Revokes a key. Gives it as it is now.
///
/// # Errors
/// See [`RevokeKeyError`].
pub fn revoke(uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &RevokeKey) -> Result<SigningKey, RevokeKeyError> {
    env.actor.require(Scope::ChainWrite)?;
    let named = own_key(uow, env.actor, command.key)?.ok_or(RevokeKeyError::UnknownKey)?;
    let (key, envelope, payload_sha256, statement) = match &command.by {
        RevokedBy::Party(envelope) => {
            let (key, presented) = judged(uow, env, &named, envelope)?;
            if let Some(end) = &key.end {
                let same = end.payload_sha256 == presented.payload_digest();
                return if same { Ok(key) } else { Err(RevokeKeyError::Ended(key.status())) };
            }
            let Statement::KeyRevocation(statement) = presented.statement().clone() else {
                return Err(StatementRefusal::Content("not a revocation").into());
            };
            (key, presented.envelope().to_owned(), presented.payload_digest(), statement)
        }
        RevokedBy::Word(reason) => attested(uow, env, &named, *reason)?,
    };
    let end = KeyEnd {
        by: EndedBy::Revocation { id: env.ids.next(), reason: statement.reason },
        kid: statement.kid.clone(),
        assurance: statement.assurance,
        payload_sha256,
        at: env.now,
    };
    uow.keys().append_end(key.id, &end)?;
    tell(uow, env, EventKind::SigningKeyRevoked, &key)?;
    let item = LogItem {
        subject: key.owner.subject(),
        source: end.source(),
        kind: LeafKind::KeyRevocation,
        envelope: envelope.into_bytes(),
        keep_envelope: true,
    };
    log::append(uow, env, &[item])?;
    Ok(SigningKey { end: Some(end), ..key })
}

/// The key, locked, and the signed revocation, when one of its party's keys that may sign has signed it.
fn judged(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    named: &SigningKey,
    envelope: &str,
) -> Result<(SigningKey, Presented), RevokeKeyError> {
    let presented = Presented::read(envelope, LeafKind::KeyRevocation, env.origin)?;
    let Statement::KeyRevocation(statement) = presented.statement() else {
        return Err(StatementRefusal::Content("not a revocation").into());
    };
    let kid = named.public.kid();
    if statement.key != kid {
        return Err(StatementRefusal::Content("the revocation is of another key").into());
    }
    if statement.asked_by.is_some() {
        return Err(StatementRefusal::Content("only an attested revocation says who asked for it").into());
    }
    let locked = uow.keys().lock_keys(&[kid.clone(), presented.kid().to_owned()], KeyLock::Ending)?;
    let found = |kid: &str| locked.iter().find(|key| key.public.kid() == kid);
    let key = found(&kid).ok_or(RevokeKeyError::UnknownKey)?;
    let signer = found(presented.kid()).filter(|signer| signer.owner == key.owner);
    let signer = signer.ok_or(StatementRefusal::UnknownKey)?;
    let heads = Heads::find(uow, env.seen, std::iter::once(&presented))?;
    presented.judge(signer, (&statement.party, statement.assurance), &heads)?;
    if signer.id != key.id && key.is_active() {
        expect_active(signer)?;
    }
    Ok((key.clone(), presented))
}

/// Whether the platform takes the actor's word that a key is not to be trusted any more.
fn is_believed(actor: &Actor, owner: KeyOwner) -> bool {
    let administers = actor.roles.iter().any(|role| matches!(role, Role::OperatorAdmin | Role::PartnerAdmin));
    let is_it = owner.member().is_some_and(|member| actor.member == Some(member));
    is_it || (administers && actor.acts_for(owner.organisation()))
}

/// The platform's own statement, on the word of the actor.
fn attested(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    named: &SigningKey,
    reason: RevocationReason,
) -> Result<(SigningKey, String, Digest, KeyRevocation), RevokeKeyError> {
    if !is_believed(env.actor, named.owner) {
        return Err(RevokeKeyError::NotAdministrator);
    }
    let kid = named.public.kid();
    let locked = uow.keys().lock_keys(std::slice::from_ref(&kid), KeyLock::Ending)?.into_iter().next();
    let key = locked.ok_or(RevokeKeyError::UnknownKey)?;
    if !key.is_active() {
        return Err(RevokeKeyError::Ended(key.status()));
    }
    let statement = KeyRevocation {
        asked_by: Some(env.actor.id),
        assurance: Assurance::Attested,
        key: kid,
        kid: env.platform.kid(),
        log: env.origin.to_owned(),
        party: key.owner.party(),
        reason,
        salt: Salt(env.draw()),
        seen: env.seen,
        v: statement::VERSION,
    };
    let envelope = Statement::KeyRevocation(statement.clone()).sign(env.platform)?;
    let (jws, _) = Statement::parse(&envelope)?;
    Ok((key, envelope, jws.payload_digest(), statement))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(revocation: Option<&str>, reason: Option<&str>) -> Vec<(String, &'static str)> {
        let raw = RevokeKeyInput { revocation: revocation.map(str::to_owned), reason: reason.map(str::to_owned) };
        let faults = RevokeKey::parse(SigningKeyId::new(uuid::Uuid::nil()), raw).err().unwrap_or_default();
        faults.0.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
    }

    #[test]
    fn a_key_is_revoked_by_a_signature_or_for_a_reason_and_never_by_both() {
        assert_eq!(told(None, None), [("/revocation".to_owned(), "required")]);
        assert_eq!(told(Some("a.b.c"), Some("lost")), [("/reason".to_owned(), "not_with_revocation")]);
        assert_eq!(told(None, Some("bored")), [("/reason".to_owned(), "unknown_value")]);
        assert_eq!(told(Some("a.b.c"), None), []);
        for reason in RevocationReason::ALL {
            assert_eq!(told(None, Some(reason.as_str())), []);
        }
    }
}
