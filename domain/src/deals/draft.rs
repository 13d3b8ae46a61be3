//! Makes the exact statement that a party has to sign, and the bytes to put the signature under.
//!
//! Nothing is kept: the ids and the salt in a prepared statement are fresh, and the platform takes any
//! statement that passes the checks of `refer` and `countersign`, however it was made.

use super::handshake_repository::LockedHandshake;
use super::terms::{Terms, TermsInput};
use crate::access::ownership::Side;
use crate::access::{Actor, MissingScope, Scope, ownership};
use crate::chain::encoding::from_b64url;
use crate::chain::registry::{KeyOwner, SigningKey};
use crate::chain::statement::{self, Accept, Offer, PartyId, Salt, Statement, StatementError};
use crate::directory::party::MemberParty;
use crate::directory::required;
use crate::env::Env;
use crate::kernel::Faults;
use crate::kernel::fault::Reason;
use crate::kernel::ids::{ContactId, HandshakeId, OrganisationId};
use crate::kernel::jcs::JcsError;
use crate::store::{StoreError, UnitOfWork, UseCaseError};

/// What is to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Draft {
    /// An offer of a referral.
    Offer {
        /// What the offer commits to.
        terms: Box<Terms>,
        /// The key that will sign.
        kid: String,
    },
    /// The accept of an offer.
    Accept {
        /// The handshake.
        handshake: HandshakeId,
        /// The key that will sign.
        kid: String,
    },
    /// The offer with which a handshake is handed over.
    HandOver {
        /// The handshake, which is sealed.
        handshake: HandshakeId,
        /// To whom.
        to: OrganisationId,
        /// The key that will sign.
        kid: String,
    },
}

/// A draft, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DraftInput {
    /// `/type`: `offer`, `accept` or `hand_over`
    pub kind: Option<String>,
    /// `/kid`
    pub kid: Option<String>,
    /// `/handshake_id`, of an accept or a hand-over
    pub handshake_id: Option<String>,
    /// `/member_id` …, of an offer
    pub terms: TermsInput,
}

impl Draft {
    /// Checks every field; those of the other type have no place here.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &DraftInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let kid = required(&mut faults, "/kid", raw.kid.as_deref(), kid);
        let draft = match raw.kind.as_deref() {
            Some("offer") => {
                if raw.handshake_id.is_some() {
                    faults.push("/handshake_id", "unexpected", "an offer gets a fresh handshake");
                }
                let terms = Terms::parse(&raw.terms, &mut faults);
                terms.zip(kid).map(|(terms, kid)| Self::Offer { terms: Box::new(terms), kid })
            }
            Some("accept") => {
                for pointer in raw.terms.given() {
                    faults.push(pointer, "unexpected", "an accept takes the terms of its offer");
                }
                let id = raw.handshake_id.as_deref();
                let handshake = required(&mut faults, "/handshake_id", id, HandshakeId::parse);
                handshake.zip(kid).map(|(handshake, kid)| Self::Accept { handshake, kid })
            }
            Some("hand_over") => {
                for pointer in raw.terms.given().into_iter().filter(|pointer| *pointer != "/provider_id") {
                    faults.push(pointer, "unexpected", "a hand-over takes the terms of what it hands over");
                }
                let id = raw.handshake_id.as_deref();
                let handshake = required(&mut faults, "/handshake_id", id, HandshakeId::parse);
                let to = required(&mut faults, "/provider_id", raw.terms.provider_id.as_deref(), OrganisationId::parse);
                handshake.zip(to).zip(kid).map(|((handshake, to), kid)| Self::HandOver { handshake, to, kid })
            }
            Some(_) => {
                faults.push("/type", "unknown_value", "expected one of: offer, accept, hand_over");
                None
            }
            None => {
                faults.push("/type", "required", "this field is required: offer, accept or hand_over");
                None
            }
        };
        draft.filter(|_| faults.0.is_empty()).ok_or(faults)
    }
}

/// Not the thumbprint of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the thumbprint of a key: 43 letters of base64url")]
struct NotAKid;

impl Reason for NotAKid {
    fn code(&self) -> &'static str {
        "invalid_kid"
    }
}

fn kid(text: &str) -> Result<String, NotAKid> {
    from_b64url(text).filter(|bytes| bytes.len() == 32).map(|_| text.to_owned()).ok_or(NotAKid)
}

/// A statement to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The handshake.
    pub handshake: HandshakeId,
    /// The contact that the client will be; of an offer only.
    pub client: Option<ContactId>,
    /// The statement.
    pub statement: Statement,
    /// `header.payload`: sign these bytes and append `.` and the base64url of the signature.
    pub signing_input: String,
}

/// Why no statement can be prepared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The actor may not.
    #[error(transparent)]
    Scope(#[from] MissingScope),
    /// Canonical bytes.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// Canonical bytes.
    #[error(transparent)]
    Canonical(#[from] JcsError),
    /// No such member, or none that the actor acts for.
    #[error("there is no such member")]
    UnknownMember,
    /// No such handshake, or none that the actor takes part in.
    #[error("there is no such handshake")]
    UnknownHandshake,
    /// The actor takes part, but it is not the one to accept.
    #[error("only the provider of the deal accepts")]
    NotCounterparty,
    /// The actor takes part, but did not accept what is to be handed over.
    #[error("only who accepted the handshake hands it over")]
    NotHolder,
    /// What is to be handed over is not sealed yet.
    #[error("the handshake is not sealed yet")]
    NotSealed,
    /// The key is not registered, or is not the party's.
    #[error("no registered key of that kid may sign here")]
    UnknownKey,
    /// The key was rotated away or revoked.
    #[error("the key is {0}: it signs nothing any more")]
    KeyEnded(&'static str),
}

impl UseCaseError for PrepareError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Scope(_)
            | Self::Statement(_)
            | Self::Canonical(_)
            | Self::UnknownMember
            | Self::UnknownHandshake
            | Self::NotCounterparty
            | Self::NotHolder
            | Self::NotSealed
            | Self::UnknownKey
            | Self::KeyEnded(_) => None,
        }
    }
}

/// Prepares a statement.
///
/// # Errors
/// See [`PrepareError`].
pub fn prepare(uow: &mut dyn UnitOfWork, env: &Env<'_>, draft: &Draft) -> Result<Prepared, PrepareError> {
    env.actor.require(Scope::ChainWrite)?;
    match draft {
        Draft::Offer { terms, kid } => offer(uow, env, terms, kid),
        Draft::Accept { handshake, kid } => accept(uow, env, *handshake, kid),
        Draft::HandOver { handshake, to, kid } => hand_over(uow, env, (*handshake, *to), kid),
    }
}

fn offer(uow: &mut dyn UnitOfWork, env: &Env<'_>, terms: &Terms, kid: &str) -> Result<Prepared, PrepareError> {
    let member = uow.parties().find_members_by_id(&[terms.member])?.into_iter().next();
    let own = |m: &MemberParty| ownership::speaks_for(env.actor, terms.member, m.organisation);
    let member = member.filter(own).ok_or(PrepareError::UnknownMember)?;
    let key = found(uow, kid)?.filter(|key| match key.owner {
        KeyOwner::Organisation(organisation) => organisation == member.organisation,
        KeyOwner::Member { member: signer, .. } => signer == member.id,
    });
    let key = usable(key)?;
    let (handshake, client) = (HandshakeId::new(env.ids.next()), ContactId::new(env.ids.next()));
    let statement = Statement::Offer(Offer {
        assurance: key.assurance,
        declaration: None,
        handshake,
        kid: kid.to_owned(),
        log: env.origin.to_owned(),
        party: key.owner.party(),
        previous: None,
        referred: Some(PartyId::contact(client)),
        row_sha256: Some(terms.digest()?),
        salt: Salt(env.draw()),
        seen: env.seen,
        to: PartyId::organisation(terms.provider),
        v: statement::VERSION,
        value: None,
    });
    let signing_input = statement.signing_input()?;
    Ok(Prepared { handshake, client: Some(client), statement, signing_input })
}

/// A handshake that is offered to the actor; `other` when the actor takes part otherwise.
fn offered_to(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    handshake: HandshakeId,
    other: PrepareError,
) -> Result<LockedHandshake, PrepareError> {
    let open = uow.handshakes().lock(&[handshake])?.into_iter().next().ok_or(PrepareError::UnknownHandshake)?;
    match standing(env.actor, &open) {
        Standing::Counterparty => Ok(open),
        Standing::Other => Err(other),
        Standing::None => Err(PrepareError::UnknownHandshake),
    }
}

/// The key of that thumbprint, when whom the handshake is offered to may sign with it.
fn key_of_holder(uow: &mut dyn UnitOfWork, open: &LockedHandshake, kid: &str) -> Result<SigningKey, PrepareError> {
    usable(found(uow, kid)?.filter(|key| key.owner == KeyOwner::Organisation(open.to)))
}

fn accept(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    handshake: HandshakeId,
    kid: &str,
) -> Result<Prepared, PrepareError> {
    let open = offered_to(uow, env, handshake, PrepareError::NotCounterparty)?;
    let key = key_of_holder(uow, &open, kid)?;
    let statement = Statement::Accept(Accept {
        assurance: key.assurance,
        declaration: None,
        handshake,
        kid: kid.to_owned(),
        log: env.origin.to_owned(),
        offer_sha256: open.offer.envelope,
        party: PartyId::organisation(open.to),
        salt: Salt(env.draw()),
        seen: env.seen,
        v: statement::VERSION,
    });
    let signing_input = statement.signing_input()?;
    Ok(Prepared { handshake, client: None, statement, signing_input })
}

/// The offer with which the holder of a deal hands it over.
fn hand_over(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    (previous, to): (HandshakeId, OrganisationId),
    kid: &str,
) -> Result<Prepared, PrepareError> {
    let open = offered_to(uow, env, previous, PrepareError::NotHolder)?;
    let seal = open.seal.ok_or(PrepareError::NotSealed)?;
    let key = key_of_holder(uow, &open, kid)?;
    let handshake = HandshakeId::new(env.ids.next());
    let statement = Statement::Offer(Offer {
        assurance: key.assurance,
        declaration: None,
        handshake,
        kid: kid.to_owned(),
        log: env.origin.to_owned(),
        party: key.owner.party(),
        previous: Some(seal.envelope),
        referred: None,
        row_sha256: None,
        salt: Salt(env.draw()),
        seen: env.seen,
        to: PartyId::organisation(to),
        v: statement::VERSION,
        value: None,
    });
    let signing_input = statement.signing_input()?;
    Ok(Prepared { handshake, client: None, statement, signing_input })
}

/// The key, when it is the party's and may sign.
fn usable(key: Option<SigningKey>) -> Result<SigningKey, PrepareError> {
    let key = key.ok_or(PrepareError::UnknownKey)?;
    if key.is_active() { Ok(key) } else { Err(PrepareError::KeyEnded(key.status())) }
}

fn found(uow: &mut dyn UnitOfWork, kid: &str) -> Result<Option<SigningKey>, StoreError> {
    Ok(uow.keys().find_keys(&[kid.to_owned()])?.into_iter().next())
}

/// How an actor stands to a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It acts for who accepts: the provider, or to whom the deal is handed over.
    Counterparty,
    /// It takes part, but does not accept.
    Other,
    /// It has nothing to do with it: it does not even exist for this actor.
    None,
}

/// How the actor stands to a handshake.
pub(crate) fn standing(actor: &Actor, open: &LockedHandshake) -> Standing {
    let hands_over = open.from.is_some_and(|from| actor.acts_for(from));
    match ownership::side(actor, open.provider, open.introducer, open.member) {
        _ if actor.acts_for(open.to) => Standing::Counterparty,
        Side::None if !hands_over => Standing::None,
        Side::Provider | Side::Introducer | Side::Referrer | Side::None => Standing::Other,
    }
}
