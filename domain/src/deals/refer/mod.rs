//! Makes referrals: the signed offer is judged, kept and logged at once; its index settles who was first.
//!
//! Set-based: one call is a batch of referrals, each by its own actor, with a fixed number of statements
//! whatever their number. Every referral gets its own outcome; a refused one never harms its neighbours. The same
//! offer again, or the same custodial referral under the same `external_ref`, is the referral that was
//! made before: nothing is written.
//!
//! Order of locks: keys that sign → business rows → lanes.

mod error;
mod known;

pub use error::{ReferError, ReferRefusal};
use known::{Judged, Known};

use super::deal::{Deal, Stage, Transition};
use super::referral::{OfferBy, Refer};
use super::repository::{DealFact, Handshake, HandshakeStatement};
use super::tell;
use crate::access::{Actor, ownership};
use crate::agreements::facts::Milestones;
use crate::catalogue::{Product, reference};
use crate::chain::leaf::LeafKind;
use crate::chain::log::{self, LogItem};
use crate::chain::presented::{Presented, StatementRefusal};
use crate::chain::statement::{self, Assurance, Offer, PartyId, Salt, Statement};
use crate::directory::party::MemberParty;
use crate::directory::repository::NewContact;
use crate::env::{Asked, Env};
use crate::events::{EventKind, NewEvent};
use crate::kernel::Digest;
use crate::kernel::ids::{ContactId, DealId, HandshakeId};
use crate::store::{StoreError, UnitOfWork};

/// A referral that is made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referred {
    /// Its deal.
    pub deal: DealId,
    /// Its handshake.
    pub handshake: HandshakeId,
    /// The client.
    pub client: ContactId,
    /// `self` or `custodial`.
    pub assurance: String,
    /// The digest of the offer's envelope: what the accept commits to.
    pub offer_sha256: Digest,
    /// Whether this call made it; otherwise the same one was made before.
    pub new: bool,
}

/// One referral's outcome.
pub type Outcome = Result<Referred, ReferRefusal>;

/// Makes a batch of referrals.
///
/// # Errors
/// See [`ReferError`]: then none was made.
pub fn refer(uow: &mut dyn UnitOfWork, env: &Env<'_>, asked: &[Asked<'_, Refer>]) -> Result<Vec<Outcome>, ReferError> {
    let offers: Vec<Result<Option<Presented>, StatementRefusal>> = asked
        .iter()
        .map(|asked| match &asked.command.offer {
            OfferBy::Referrer(envelope) => Presented::read(envelope, LeafKind::Offer, env.origin).map(Some),
            OfferBy::Custodian => Ok(None),
        })
        .collect();
    let mut known = Known::gather(uow, env, asked, &offers)?;
    let mut batch = Batch::default();
    let outcomes = asked.iter().zip(offers).map(|(asked, offer)| batch.take(env, &mut known, *asked, offer));
    let outcomes = outcomes.collect::<Result<Vec<Outcome>, ReferError>>()?;
    batch.write(uow, env)?;
    Ok(outcomes)
}

/// What the batch comes to, gathered in memory and then written at once.
#[derive(Default)]
struct Batch {
    contacts: Vec<NewContact>,
    deals: Vec<Deal>,
    facts: Vec<DealFact>,
    transitions: Vec<Transition>,
    handshakes: Vec<Handshake>,
    log: Vec<LogItem>,
}

impl Batch {
    fn take(
        &mut self,
        env: &Env<'_>,
        known: &mut Known,
        asked: Asked<'_, Refer>,
        offer: Result<Option<Presented>, StatementRefusal>,
    ) -> Result<Outcome, ReferError> {
        let command = asked.command;
        let terms_sha256 = command.terms.digest()?;
        let (member, product, signed) = match known.judged(env, asked, offer, terms_sha256) {
            Ok(Judged::New { member, product, signed }) => (member, product, signed),
            Ok(Judged::Before(referred)) => return Ok(Ok(referred)),
            Err(refusal) => return Ok(Err(refusal)),
        };
        let ((handshake, client, assurance), envelope) = match signed {
            Some(signed) => signed,
            None => {
                let ids = (HandshakeId::new(env.ids.next()), ContactId::new(env.ids.next()));
                let offer = Statement::Offer(custodial(env, command, ids, terms_sha256));
                ((ids.0, ids.1, Assurance::Custodial), offer.sign(env.platform)?)
            }
        };
        let deal = opened(env, command, &member, product, (client, terms_sha256));
        let (referred, deal, payload_sha256) = self.keep(env, asked, deal, (handshake, assurance), &envelope)?;
        known.remember(&referred, (&deal, &command.client), payload_sha256);
        Ok(Ok(referred))
    }

    /// Notes everything that a new referral leaves behind.
    fn keep(
        &mut self,
        env: &Env<'_>,
        Asked { actor, command }: Asked<'_, Refer>,
        mut deal: Deal,
        (handshake, assurance): (HandshakeId, Assurance),
        envelope: &str,
    ) -> Result<(Referred, Deal, Digest), ReferError> {
        let (jws, offer) = Statement::parse(envelope)?;
        let offer_sha256 = Digest::of(envelope.as_bytes());
        let id = env.ids.next();
        let contact = command.client.clone().into_contact(deal.client);
        self.contacts.push(NewContact { organisation: deal.introducer, contact });
        self.transitions.push(first_move(env, actor, &mut deal));
        self.facts.push(DealFact {
            id: env.ids.next(),
            deal: deal.id,
            kind: "referral",
            body: command.terms.canonical_bytes()?,
            occurred_on: command.terms.referred_on,
            known_at: env.now,
            source: deal.source,
            import: None,
        });
        self.handshakes.push(Handshake {
            id: handshake,
            deal: deal.id,
            assurance: assurance.as_str(),
            hop: None,
            statements: vec![HandshakeStatement {
                id,
                handshake,
                kind: "offer",
                kid: offer.kid().to_owned(),
                assurance,
                payload_sha256: jws.payload_digest(),
                envelope_sha256: offer_sha256,
            }],
        });
        self.log.push(LogItem {
            subject: deal.id.uuid(),
            source: id,
            kind: LeafKind::Offer,
            envelope: envelope.as_bytes().to_vec(),
            keep_envelope: true,
        });
        self.deals.push(deal.clone());
        let assurance = assurance.as_str().to_owned();
        let referred = Referred { deal: deal.id, handshake, client: deal.client, assurance, offer_sha256, new: true };
        Ok((referred, deal, jws.payload_digest()))
    }

    /// Business rows, then the log.
    fn write(self, uow: &mut dyn UnitOfWork, env: &Env<'_>) -> Result<(), ReferError> {
        if self.deals.is_empty() {
            return Ok(());
        }
        uow.directory().insert_contacts(&self.contacts, env.now).map_err(taken_now)?;
        uow.deals().insert(&self.deals, env.now).map_err(taken_now)?;
        uow.deals().append_facts(&self.facts)?;
        uow.deals().append_transitions(&self.transitions)?;
        uow.deals().append_handshakes(&self.handshakes, env.now).map_err(taken_now)?;
        uow.events().append(&self.told(env)?)?;
        Ok(log::append(uow, env, &self.log)?)
    }
}

impl Batch {
    fn told(&self, env: &Env<'_>) -> Result<Vec<NewEvent>, StoreError> {
        // One of each for every referral, in the same order.
        let made = self.deals.iter().zip(&self.transitions).zip(&self.handshakes);
        let mut events = Vec::with_capacity(2 * self.deals.len());
        for ((deal, transition), handshake) in made {
            events.push(tell::moved(env, transition, &deal.visible_to)?);
            let ids = (handshake.id, deal.id);
            events.push(tell::signed(env, EventKind::HandshakeOffered, ids, handshake.assurance, &deal.visible_to)?);
        }
        Ok(events)
    }
}

/// Somebody else took the same offer, reference or id a moment ago: begin again and find it.
fn taken_now(error: StoreError) -> StoreError {
    const TAKEN: [&str; 4] = ["contact_pkey", "deal_external_ref_taken", "handshake_pkey", "handshake_statement_seen"];
    match error {
        StoreError::Violates(name) if TAKEN.contains(&name.as_str()) => StoreError::Contention,
        other => other,
    }
}

/// The offer of a member without a key: the platform signs, and says so.
fn custodial(env: &Env<'_>, command: &Refer, (handshake, client): (HandshakeId, ContactId), terms: Digest) -> Offer {
    Offer {
        assurance: Assurance::Custodial,
        declaration: None,
        handshake,
        kid: env.platform.kid(),
        log: env.origin.to_owned(),
        party: PartyId::member(command.terms.member),
        previous: None,
        referred: Some(PartyId::contact(client)),
        row_sha256: Some(terms),
        salt: Salt(env.draw()),
        seen: env.seen,
        to: PartyId::organisation(command.terms.provider),
        v: statement::VERSION,
        value: None,
    }
}

fn opened(
    env: &Env<'_>,
    command: &Refer,
    member: &MemberParty,
    product: &Product,
    (client, terms_sha256): (ContactId, Digest),
) -> Deal {
    let terms = &command.terms;
    Deal {
        id: DealId::new(env.ids.next()),
        provider: terms.provider,
        introducer: member.organisation,
        member: member.id,
        upline: member.upline,
        frozen: None,
        client,
        product: product.id,
        vertical: reference::vertical_id(product.vertical),
        stage: Stage::Referred,
        source: member.organisation,
        external_ref: terms.external_ref.as_ref().map(ToString::to_string),
        facts: known::facts(terms.referred_on),
        milestones: Milestones::new(),
        source_sha256: Some(terms_sha256),
        agreement: None,
        visible_to: ownership::of_deal(terms.provider, member.organisation, member.id),
        transitions: 0,
    }
}

fn first_move(env: &Env<'_>, actor: &Actor, deal: &mut Deal) -> Transition {
    deal.transitions = 1;
    Transition {
        deal: deal.id,
        n: 0,
        from: None,
        to: Stage::Referred,
        reason: "referral",
        occurred_on: deal.facts.referred_on,
        known_at: env.now,
        actor: actor.id,
    }
}
