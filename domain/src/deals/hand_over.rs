//! Hands an accepted deal over to another partner: a further offer on the deal's lane, which that partner countersigns.
//!
//! The offer is signed by who accepted the handshake before, and names the digest of its seal's envelope (`previous`);
//! client and terms are those that were sealed, so it says none. Anybody with both receipts can check the chain back to
//! the first. Invariants: only a sealed handshake is handed over, by its holder; of several hand-overs of one handshake
//! the first accept wins; the deal itself stays where it is: its provider answers for it to the platform, its version
//! governs, its participants are frozen. The same offer again is the hand-over that was made before.
//!
//! Order of locks: deals → keys that sign → lanes.

use super::draft::{Standing, standing};
use super::handshake_repository::LockedHandshake;
use super::repository::{Handshake, HandshakeStatement, Hop};
use super::tell;
use crate::access::{MissingScope, Scope};
use crate::chain::leaf::LeafKind;
use crate::chain::log::{self, LogItem};
use crate::chain::presented::{Heads, Presented, StatementRefusal, expect_active};
use crate::chain::registration::seen_now;
use crate::chain::registry::{KeyLock, KeyOwner};
use crate::chain::statement::{Assurance, Offer, Statement};
use crate::directory::OrganisationKind;
use crate::env::Env;
use crate::events::EventKind;
use crate::kernel::Digest;
use crate::kernel::fault::Reason;
use crate::kernel::ids::{DealId, HandshakeId, OrganisationId};
use crate::store::{StoreError, UnitOfWork, UseCaseError};

/// A request to hand over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOver {
    /// The handshake that is handed over.
    pub handshake: HandshakeId,
    /// The envelope, signed by the registered key of who accepted that handshake.
    pub offer: String,
}

/// A deal that is offered to another partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOver {
    /// The new handshake, which waits for the other partner.
    pub handshake: HandshakeId,
    /// The handshake that is handed over.
    pub previous: HandshakeId,
    /// Its deal.
    pub deal: DealId,
    /// `self` or `custodial`.
    pub assurance: Assurance,
    /// The digest of the offer's envelope: what the accept commits to.
    pub offer_sha256: Digest,
    /// Whether this call made it; otherwise the same offer was taken before.
    pub new: bool,
}

/// Why a deal is not handed over.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandOverError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The actor may not.
    #[error(transparent)]
    Scope(#[from] MissingScope),
    /// No such handshake, or none that the actor takes part in.
    #[error("there is no such handshake")]
    UnknownHandshake,
    /// The actor takes part, but did not accept it.
    #[error("only who accepted the handshake hands it over")]
    NotHolder,
    /// It is not sealed yet.
    #[error("the handshake is not sealed yet")]
    NotSealed,
    /// It was handed over, and that was accepted.
    #[error("the handshake was handed over already")]
    HandedOver,
    /// Whom the deal is about was erased, and what was signed with them.
    #[error("whom it is about was erased: it takes no more signatures")]
    Erased,
    /// The deal has settled or ended.
    #[error("the deal is {0}: it cannot be handed over any more")]
    NotOpen(&'static str),
    /// The handshake that the offer names is another one.
    #[error("the offer names the id of another handshake; ask for a fresh one")]
    IdTaken,
    /// The offer.
    #[error(transparent)]
    Offer(#[from] StatementRefusal),
    /// The offer commits to another seal.
    #[error("previous of the offer is not the digest of the seal's envelope, {0}")]
    OtherSeal(Digest),
    /// Nobody to hand over to: no active provider, or the holder itself.
    #[error("the offer is made to nobody who could take the deal: another active provider")]
    UnknownPartner,
}

impl Reason for HandOverError {
    fn code(&self) -> &'static str {
        match self {
            Self::Store(_) => "unavailable",
            Self::Scope(_) => "insufficient_scope",
            Self::UnknownHandshake => "unknown_handshake",
            Self::NotHolder => "not_holder",
            Self::NotSealed => "handshake_not_sealed",
            Self::HandedOver => "handed_over",
            Self::Erased => "erased",
            Self::NotOpen(_) => "deal_not_open",
            Self::IdTaken => "id_taken",
            Self::Offer(refusal) => refusal.code(),
            Self::OtherSeal(_) => "previous_mismatch",
            Self::UnknownPartner => "unknown_provider",
        }
    }
}

impl UseCaseError for HandOverError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { Some(error) } else { None }
    }
}

/// Offers a deal to another partner.
///
/// # Errors
/// See [`HandOverError`].
pub fn hand_over(uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &HandOver) -> Result<HandedOver, HandOverError> {
    env.actor.require(Scope::ChainWrite)?;
    let locked = uow.handshakes().lock(&[command.handshake])?.into_iter().next();
    let open = locked.ok_or(HandOverError::UnknownHandshake)?;
    match standing(env.actor, &open) {
        Standing::Counterparty => {}
        Standing::Other => return Err(HandOverError::NotHolder),
        Standing::None => return Err(HandOverError::UnknownHandshake),
    }
    let presented = Presented::read(&command.offer, LeafKind::Offer, env.origin)?;
    let Statement::Offer(offer) = presented.statement() else {
        return Err(StatementRefusal::Content("not an offer").into());
    };
    let key = uow.keys().lock_keys(&[presented.kid().to_owned()], KeyLock::Signing)?.into_iter().next();
    let key = key.filter(|key| key.owner == KeyOwner::Organisation(open.to)).ok_or(StatementRefusal::UnknownKey)?;
    let heads = Heads::find(uow, env.seen, std::iter::once(&presented))?;
    presented.judge(&key, (&offer.party, offer.assurance), &heads)?;
    let to = judged(uow, &open, offer)?;
    if let Some(made) = before(uow, &open, offer, &presented)? {
        return Ok(made);
    }
    expect_active(&key)?;
    if open.erased {
        return Err(HandOverError::Erased);
    }
    if open.handed_over {
        return Err(HandOverError::HandedOver);
    }
    if !open.stage.is_open() {
        return Err(HandOverError::NotOpen(open.stage.as_str()));
    }
    if !uow.handshakes().find_taken(&[offer.handshake])?.is_empty() {
        return Err(HandOverError::IdTaken);
    }
    keep(uow, env, (&open, to), (offer, &presented))
}

/// To whom, when the offer hands over this handshake and nothing else.
fn judged(uow: &mut dyn UnitOfWork, open: &LockedHandshake, offer: &Offer) -> Result<OrganisationId, HandOverError> {
    let seal = open.seal.ok_or(HandOverError::NotSealed)?;
    if offer.previous != Some(seal.envelope) {
        return Err(HandOverError::OtherSeal(seal.envelope));
    }
    if offer.declaration.is_some() || offer.referred.is_some() || offer.row_sha256.is_some() || offer.value.is_some() {
        let content = "a hand-over takes client and terms from what it hands over: it has no declaration, referred, row_sha256 and value";
        return Err(StatementRefusal::Content(content).into());
    }
    let to = OrganisationId::parse(offer.to.as_str()).map_err(|_| HandOverError::UnknownPartner)?;
    let partner = uow.parties().find_organisations_by_id(&[to])?.into_iter().next();
    let takes = partner.is_some_and(|partner| partner.active && partner.kind == OrganisationKind::Provider);
    if takes && to != open.to { Ok(to) } else { Err(HandOverError::UnknownPartner) }
}

/// The hand-over that the same offer made before.
fn before(
    uow: &mut dyn UnitOfWork,
    open: &LockedHandshake,
    offer: &Offer,
    presented: &Presented,
) -> Result<Option<HandedOver>, StoreError> {
    let known = uow.handshakes().find_by_offers(&[presented.payload_digest()])?.into_iter().next();
    Ok(known.map(|known| HandedOver {
        handshake: known.handshake,
        previous: open.id,
        deal: known.deal,
        assurance: offer.assurance,
        offer_sha256: known.offer_sha256,
        new: false,
    }))
}

fn keep(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    (open, to): (&LockedHandshake, OrganisationId),
    (offer, presented): (&Offer, &Presented),
) -> Result<HandedOver, HandOverError> {
    let id = env.ids.next();
    let handshake = Handshake {
        id: offer.handshake,
        deal: open.deal,
        assurance: offer.assurance.as_str(),
        hop: Some(Hop { n: open.last_hop + 1, previous: open.id, from: open.to, to }),
        statements: vec![HandshakeStatement {
            id,
            handshake: offer.handshake,
            kind: LeafKind::Offer.as_str(),
            kid: presented.kid().to_owned(),
            assurance: offer.assurance,
            payload_sha256: presented.payload_digest(),
            envelope_sha256: presented.envelope_digest(),
        }],
    };
    // Another deal's hand-over may have taken the id a moment ago.
    uow.deals().append_handshakes(&[handshake], env.now).map_err(seen_now("handshake_pkey"))?;
    let seen = LockedHandshake { from: Some(open.to), to, ..open.clone() }.seen_by();
    let ids = (offer.handshake, open.deal);
    let told = tell::signed(env, EventKind::HandshakeOffered, ids, offer.assurance.as_str(), &seen)?;
    uow.events().append(&[told])?;
    let item = LogItem {
        subject: open.deal.uuid(),
        source: id,
        kind: LeafKind::Offer,
        envelope: presented.envelope().as_bytes().to_vec(),
        keep_envelope: true,
    };
    log::append(uow, env, &[item])?;
    Ok(HandedOver {
        handshake: offer.handshake,
        previous: open.id,
        deal: open.deal,
        assurance: offer.assurance,
        offer_sha256: presented.envelope_digest(),
        new: true,
    })
}
