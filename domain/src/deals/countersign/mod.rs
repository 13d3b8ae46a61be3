//! Countersigns offers: the provider's accept is judged, then the platform seals at once.
//!
//! The accept commits to the whole offer envelope, the seal to both envelopes, to the agreement version
//! and its content hash, to consent and disclosure, and to the participants with the upline as it
//! stands at this moment. From here on that version governs the deal. The seal of a hand-over says the same terms
//! again, as they were sealed first, and moves nothing; of several hand-overs of one handshake the first accept wins.
//!
//! Set-based: one call is a batch of accepts, each by its own actor and with its own outcome. The same accept
//! again is the one that was taken before. Order of locks: deals → keys that sign → lanes.

mod error;
mod sealing;

use std::collections::{BTreeMap, BTreeSet};

pub use error::{CountersignError, CountersignRefusal};
use sealing::Sealing;

use super::commission::Versions;
use super::deal::{Stage, Transition};
use super::draft::{Standing, standing};
use super::frozen::Frozen;
use super::handshake_repository::{LockedHandshake, SealedDeal, StatementDigests};
use super::repository::HandshakeStatement;
use super::tell;
use super::terms::Terms;
use crate::access::{Actor, Scope, ownership};
use crate::chain::leaf::LeafKind;
use crate::chain::log::{self, LogItem};
use crate::chain::presented::{Heads, Presented, StatementRefusal, expect_active};
use crate::chain::registry::{KeyLock, KeyOwner, SigningKey};
use crate::chain::statement::{Assurance, Statement, StatementError};
use crate::env::{Asked, Env};
use crate::events::{EventKind, NewEvent};
use crate::kernel::Digest;
use crate::kernel::ids::{AgreementId, DealId, HandshakeId, MemberId};
use crate::store::{StoreError, UnitOfWork};

/// A request to countersign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Countersign {
    /// The handshake.
    pub handshake: HandshakeId,
    /// The envelope, signed by the registered key of who accepts.
    pub accept: String,
}

/// A handshake that is whole now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Countersigned {
    /// Its id.
    pub handshake: HandshakeId,
    /// Its deal.
    pub deal: DealId,
    /// The digest of the accept's envelope.
    pub accept_sha256: Digest,
    /// The digest of the seal's envelope.
    pub seal_sha256: Digest,
    /// The version that governs the deal from now on.
    pub agreement: (AgreementId, u32),
    /// `self` or `custodial`: the weaker of the offer's and the accept's.
    pub assurance: Assurance,
    /// Whether this call made it; otherwise the same accept was taken before.
    pub new: bool,
}

/// One accept's outcome.
pub type Outcome = Result<Countersigned, CountersignRefusal>;

/// Takes a batch of accepts and seals their handshakes.
///
/// # Errors
/// See [`CountersignError`]: then none was taken.
pub fn countersign(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    asked: &[Asked<'_, Countersign>],
) -> Result<Vec<Outcome>, CountersignError> {
    let accepts: Vec<Result<Presented, StatementRefusal>> =
        asked.iter().map(|a| Presented::read(&a.command.accept, LeafKind::Accept, env.origin)).collect();
    let mut known = Known::gather(uow, env, asked, &accepts)?;
    let mut batch = Batch::default();
    let outcomes = asked.iter().zip(accepts).map(|(asked, accept)| batch.take(env, &mut known, *asked, accept));
    let outcomes = outcomes.collect::<Result<Vec<Outcome>, CountersignError>>()?;
    batch.write(uow, env)?;
    Ok(outcomes)
}

/// What the batch needs to know, read once.
struct Known {
    handshakes: BTreeMap<HandshakeId, LockedHandshake>,
    versions: Versions,
    frozen: BTreeMap<MemberId, Frozen>,
    keys: BTreeMap<String, SigningKey>,
    heads: Heads,
}

impl Known {
    fn gather(
        uow: &mut dyn UnitOfWork,
        env: &Env<'_>,
        asked: &[Asked<'_, Countersign>],
        accepts: &[Result<Presented, StatementRefusal>],
    ) -> Result<Self, StoreError> {
        let presented: Vec<&Presented> = accepts.iter().filter_map(|a| a.as_ref().ok()).collect();
        let ids: BTreeSet<HandshakeId> = asked.iter().map(|a| a.command.handshake).collect();
        let handshakes = uow.handshakes().lock(&ids.into_iter().collect::<Vec<_>>())?;
        let versions = Versions::gather(uow, handshakes.iter().map(|h| h.vertical))?;
        let members: BTreeSet<MemberId> = handshakes.iter().map(|h| h.member).collect();
        let members: Vec<MemberId> = members.into_iter().collect();
        let frozen = uow.parties().find_frozen(&members, env.now.sydney_date())?;
        let kids: BTreeSet<String> = presented.iter().map(|p| p.kid().to_owned()).collect();
        let keys = uow.keys().lock_keys(&kids.into_iter().collect::<Vec<_>>(), KeyLock::Signing)?;
        Ok(Self {
            handshakes: handshakes.into_iter().map(|h| (h.id, h)).collect(),
            versions,
            frozen: frozen.into_iter().collect(),
            keys: keys.into_iter().map(|k| (k.public.kid(), k)).collect(),
            heads: Heads::find(uow, env.seen, presented.into_iter())?,
        })
    }

    /// The handshake and its accept, when the actor is the one to accept and everything is right about it.
    fn judged(
        &self,
        Asked { actor, command }: Asked<'_, Countersign>,
        accept: Result<Presented, StatementRefusal>,
    ) -> Result<(&LockedHandshake, Presented, Assurance), CountersignRefusal> {
        actor.require(Scope::ChainWrite)?;
        let open = self.handshakes.get(&command.handshake).ok_or(CountersignRefusal::UnknownHandshake)?;
        match standing(actor, open) {
            Standing::Counterparty => {}
            Standing::Other => return Err(CountersignRefusal::NotCounterparty),
            Standing::None => return Err(CountersignRefusal::UnknownHandshake),
        }
        let presented = accept?;
        let assurance = self.judged_accept(open, &presented)?;
        Ok((open, presented, assurance))
    }

    /// The assurance of an accept that everything is right about.
    fn judged_accept(&self, open: &LockedHandshake, presented: &Presented) -> Result<Assurance, CountersignRefusal> {
        let Statement::Accept(accept) = presented.statement() else {
            return Err(StatementRefusal::Content("not an accept").into());
        };
        let key = self.keys.get(presented.kid()).filter(|k| k.owner == KeyOwner::Organisation(open.to));
        let key = key.ok_or(StatementRefusal::UnknownKey)?;
        presented.judge(key, (&accept.party, accept.assurance), &self.heads)?;
        if accept.handshake != open.id {
            return Err(CountersignRefusal::OtherHandshake(accept.handshake));
        }
        if accept.offer_sha256 != open.offer.envelope {
            return Err(CountersignRefusal::OtherOffer(open.offer.envelope));
        }
        if accept.declaration.is_some() {
            return Err(StatementRefusal::Content("only an attested accept has a declaration").into());
        }
        Ok(accept.assurance)
    }

    /// Whether a handshake that was not countersigned before may be now.
    fn may_seal(&self, open: &LockedHandshake, presented: &Presented) -> Result<(), CountersignRefusal> {
        if !open.stage.is_open() {
            return Err(CountersignRefusal::NotOpen(open.stage.as_str()));
        }
        if open.passed_by {
            return Err(CountersignRefusal::HandedOver);
        }
        self.keys.get(presented.kid()).map_or(Ok(()), expect_active).map_err(Into::into)
    }

    /// What the seal of a handshake says beside the digests.
    fn sealing(&self, open: &LockedHandshake) -> Result<Result<Sealing, CountersignRefusal>, CountersignError> {
        if let Some(previous) = &open.previous {
            let again = previous.envelope.as_deref().and_then(Sealing::again);
            return Ok(again.ok_or(CountersignRefusal::Erased));
        }
        let Some(terms) = open.terms.as_deref().and_then(|bytes| serde_json::from_slice::<Terms>(bytes).ok()) else {
            return Err(StoreError::Failed(format!("the terms of {} cannot be read", open.id)).into());
        };
        let Some(version) = self.versions.of(open.vertical, None, open.provider, &open.facts) else {
            return Ok(Err(CountersignRefusal::NoAgreement));
        };
        let frozen = self.frozen.get(&open.member).cloned().unwrap_or_default();
        Ok(Ok(Sealing::first(terms, version, open.member, frozen)))
    }

    /// Later accepts of the batch find what earlier ones sealed.
    fn remember(&mut self, sealed: LockedHandshake) {
        if let Some(previous) = sealed.previous.as_ref().map(|previous| previous.handshake) {
            let rivals = self.handshakes.values_mut().filter(|other| other.id != sealed.id);
            for rival in rivals.filter(|r| r.previous.as_ref().is_some_and(|p| p.handshake == previous)) {
                rival.passed_by = true;
            }
        }
        self.handshakes.insert(sealed.id, sealed);
    }
}

/// The accept of a handshake that is whole, when it is the same one again.
fn before(
    open: &LockedHandshake,
    presented: &Presented,
    assurance: Assurance,
) -> Result<Option<Countersigned>, CountersignRefusal> {
    let (Some(accept), Some(seal), Some(agreement)) = (open.accept, open.seal, open.agreement) else {
        return if open.accept.is_some() { Err(CountersignRefusal::AlreadyCountersigned) } else { Ok(None) };
    };
    if accept.payload != presented.payload_digest() {
        return Err(CountersignRefusal::AlreadyCountersigned);
    }
    Ok(Some(Countersigned {
        handshake: open.id,
        deal: open.deal,
        accept_sha256: accept.envelope,
        seal_sha256: seal.envelope,
        agreement,
        assurance: weaker(open, assurance),
        new: false,
    }))
}

/// The weaker of the offer's assurance and the accept's.
fn weaker(open: &LockedHandshake, accept: Assurance) -> Assurance {
    accept.min(Assurance::parse(&open.assurance).unwrap_or(Assurance::Attested))
}

/// What the batch comes to, gathered in memory and then written at once.
#[derive(Default)]
struct Batch {
    statements: Vec<HandshakeStatement>,
    deals: Vec<SealedDeal>,
    transitions: Vec<Transition>,
    log: Vec<LogItem>,
    events: Vec<NewEvent>,
}

impl Batch {
    fn take(
        &mut self,
        env: &Env<'_>,
        known: &mut Known,
        asked: Asked<'_, Countersign>,
        accept: Result<Presented, StatementRefusal>,
    ) -> Result<Outcome, CountersignError> {
        let (open, presented, assurance) = match known.judged(asked, accept) {
            Ok(judged) => judged,
            Err(refusal) => return Ok(Err(refusal)),
        };
        match before(open, &presented, assurance) {
            Ok(None) if open.erased => return Ok(Err(CountersignRefusal::Erased)),
            Ok(None) => {}
            Ok(Some(made)) => return Ok(Ok(made)),
            Err(refusal) => return Ok(Err(refusal)),
        }
        let sealing = match known.may_seal(open, &presented) {
            Ok(()) => known.sealing(open)?,
            Err(refusal) => Err(refusal),
        };
        let sealing = match sealing {
            Ok(sealing) => sealing,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let sealed = self.keep(env, asked.actor, open, sealing, (&presented, assurance))?;
        let made = before(&sealed, &presented, assurance);
        known.remember(sealed);
        let made = made.and_then(|made| made.ok_or(CountersignRefusal::AlreadyCountersigned));
        Ok(made.map(|made| Countersigned { new: true, ..made }))
    }

    /// Notes accept, seal and the move of the deal; gives the handshake as it is afterwards.
    fn keep(
        &mut self,
        env: &Env<'_>,
        actor: &Actor,
        open: &LockedHandshake,
        sealing: Sealing,
        (presented, assurance): (&Presented, Assurance),
    ) -> Result<LockedHandshake, CountersignError> {
        let weaker = weaker(open, assurance);
        let agreement = (sealing.agreement.id, sealing.agreement.version);
        let frozen = sealing.frozen.clone();
        let seal = Statement::Seal(Box::new(sealing.seal(env, open, presented.envelope_digest(), weaker)));
        let sealed = seal.sign(env.platform)?;
        let accept = self.add(env, open, presented.envelope());
        let seal = self.add(env, open, &sealed);
        let (accept, seal) = (accept?, seal?);
        // A partner may have moved on before it signed: the seal never moves a deal back, and a hand-over moves nothing.
        let stage = if open.stage == Stage::Referred { Stage::Accepted } else { open.stage };
        if let Some(frozen) = frozen {
            self.deals.push(SealedDeal { deal: open.deal, stage, frozen, agreement });
        }
        let seen = open.seen_by();
        let ids = (open.id, open.deal);
        self.events.push(tell::signed(env, EventKind::HandshakeSealed, ids, weaker.as_str(), &seen)?);
        if stage != open.stage {
            let transition = Transition {
                deal: open.deal,
                n: open.transitions,
                from: Some(open.stage),
                to: stage,
                reason: "countersigned",
                occurred_on: env.now.sydney_date(),
                known_at: env.now,
                actor: actor.id,
            };
            self.events.push(tell::moved(
                env,
                &transition,
                &ownership::of_deal(open.provider, open.introducer, open.member),
            )?);
            self.transitions.push(transition);
        }
        Ok(LockedHandshake {
            stage,
            accept: Some(accept),
            seal: Some(seal),
            agreement: Some(agreement),
            ..open.clone()
        })
    }

    fn add(
        &mut self,
        env: &Env<'_>,
        open: &LockedHandshake,
        envelope: &str,
    ) -> Result<StatementDigests, StatementError> {
        let (jws, statement) = Statement::parse(envelope)?;
        let digests = StatementDigests { payload: jws.payload_digest(), envelope: Digest::of(envelope.as_bytes()) };
        let (id, kind) = (env.ids.next(), statement.kind());
        self.statements.push(HandshakeStatement {
            id,
            handshake: open.id,
            kind: kind.as_str(),
            kid: jws.kid().to_owned(),
            assurance: statement.assurance(),
            payload_sha256: digests.payload,
            envelope_sha256: digests.envelope,
        });
        self.log.push(LogItem {
            subject: open.deal.uuid(),
            source: id,
            kind,
            envelope: envelope.as_bytes().to_vec(),
            keep_envelope: true,
        });
        Ok(digests)
    }

    /// Business rows, then the log.
    fn write(self, uow: &mut dyn UnitOfWork, env: &Env<'_>) -> Result<(), CountersignError> {
        if self.statements.is_empty() {
            return Ok(());
        }
        uow.handshakes().seal_deals(&self.deals, env.now)?;
        uow.deals().append_transitions(&self.transitions)?;
        uow.handshakes().append_statements(&self.statements, env.now)?;
        uow.events().append(&self.events)?;
        Ok(log::append(uow, env, &self.log)?)
    }
}
