//! Makes referrals: the signed offer is judged, kept and logged at once; its index settles who was first.
//!
//! Set-based: one call is a batch of one actor's referrals, with a fixed number of statements whatever
//! its size. Every referral gets its own outcome; a refused one never harms its neighbours. The same
//! offer again, or the same custodial referral under the same `external_ref`, is the referral that was
//! made before: nothing is written.
//!
//! Order of locks: business rows → lanes.

use std::collections::{BTreeMap, BTreeSet};

use super::deal::{Deal, Stage, Transition};
use super::handshake_repository::KnownReferral;
use super::referral::{OfferBy, Refer};
use super::repository::{DealFact, Handshake, HandshakeStatement};
use crate::access::{MissingScope, Scope};
use crate::agreements::evaluate::DealFacts;
use crate::agreements::version::GoverningVersion;
use crate::catalogue::{Product, ProductCode, VerticalCode, reference};
use crate::chain::leaf::LeafKind;
use crate::chain::log::{self, LogItem};
use crate::chain::presented::{Heads, Presented, StatementRefusal, expect_party};
use crate::chain::registry::{KeyOwner, SigningKey};
use crate::chain::statement::{self, Assurance, Offer, PartyId, Salt, Statement, StatementError};
use crate::directory::OrganisationKind;
use crate::directory::party::{MemberParty, OrganisationParty};
use crate::directory::repository::NewContact;
use crate::env::Env;
use crate::kernel::Digest;
use crate::kernel::fault::Reason;
use crate::kernel::ids::{ContactId, DealId, HandshakeId, MemberId, OrganisationId};
use crate::kernel::jcs::JcsError;
use crate::store::{StoreError, UnitOfWork, UseCaseError};

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

/// Why a referral is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferRefusal {
    /// No such member, or none that the actor acts for.
    #[error("there is no such member")]
    UnknownMember,
    /// The member or its organisation may not refer now.
    #[error("the member may not refer: it, or its organisation, is suspended")]
    MemberSuspended,
    /// No such provider.
    #[error("there is no such provider")]
    UnknownProvider,
    /// The provider takes no new business now.
    #[error("the provider is suspended")]
    ProviderSuspended,
    /// No such product.
    #[error("there is no product of that code")]
    UnknownProduct,
    /// No version governs the deal.
    #[error("no agreement version is in force on the day of the referral")]
    NoAgreement,
    /// Later than today in Sydney.
    #[error("the day of the referral is in the future")]
    ReferredInTheFuture,
    /// A member with a key of its own signs for itself.
    #[error("the member has a key of its own: the offer must be signed with it")]
    MemberHasKey,
    /// The organisation calls another deal so.
    #[error("another deal has that external_ref")]
    ExternalRefTaken,
    /// The handshake or contact that the offer names is another one.
    #[error("the offer names the id of another handshake or contact; ask for fresh ones")]
    IdTaken,
    /// The offer.
    #[error(transparent)]
    Offer(#[from] StatementRefusal),
    /// The offer commits to other terms than the request.
    #[error("row_sha256 of the offer is not the digest of these terms, {0}")]
    OtherTerms(Digest),
}

impl Reason for ReferRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownMember => "unknown_member",
            Self::MemberSuspended => "member_suspended",
            Self::UnknownProvider => "unknown_provider",
            Self::ProviderSuspended => "provider_suspended",
            Self::UnknownProduct => "unknown_product",
            Self::NoAgreement => "no_agreement",
            Self::ReferredInTheFuture => "referred_in_the_future",
            Self::MemberHasKey => "member_has_key",
            Self::ExternalRefTaken => "external_ref_taken",
            Self::IdTaken => "id_taken",
            Self::Offer(refusal) => refusal.code(),
            Self::OtherTerms(_) => "terms_mismatch",
        }
    }
}

/// Why nothing of a batch was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The actor may not.
    #[error(transparent)]
    Scope(#[from] MissingScope),
    /// Signing.
    #[error(transparent)]
    Sign(#[from] StatementError),
    /// Canonical bytes.
    #[error(transparent)]
    Canonical(#[from] JcsError),
}

impl UseCaseError for ReferError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Scope(_) | Self::Sign(_) | Self::Canonical(_) => None,
        }
    }
}

/// One referral's outcome.
pub type Outcome = Result<Referred, ReferRefusal>;

/// Makes a batch of referrals.
///
/// # Errors
/// See [`ReferError`]: then none was made.
pub fn refer(uow: &mut dyn UnitOfWork, env: &Env<'_>, commands: &[Refer]) -> Result<Vec<Outcome>, ReferError> {
    env.actor.require(Scope::DealsWrite)?;
    let offers: Vec<Result<Option<Presented>, StatementRefusal>> = commands
        .iter()
        .map(|command| match &command.offer {
            OfferBy::Referrer(envelope) => Presented::read(envelope, LeafKind::Offer, env.origin).map(Some),
            OfferBy::Custodian => Ok(None),
        })
        .collect();
    let mut known = Known::gather(uow, env, commands, &offers)?;
    let mut batch = Batch::default();
    let mut outcomes = Vec::with_capacity(commands.len());
    for (command, offer) in commands.iter().zip(offers) {
        let outcome = batch.take(env, &known, command, offer)?;
        if let Ok((referred, Some(made))) = &outcome {
            known.remember(referred, made);
        }
        outcomes.push(outcome.map(|(referred, _)| referred));
    }
    batch.write(uow, env)?;
    Ok(outcomes)
}

/// What the batch needs to know, read once.
pub(crate) struct Known {
    members: BTreeMap<MemberId, MemberParty>,
    organisations: BTreeMap<OrganisationId, OrganisationParty>,
    products: BTreeMap<ProductCode, Product>,
    versions: BTreeMap<VerticalCode, Vec<GoverningVersion>>,
    keys: BTreeMap<String, SigningKey>,
    keyed_members: BTreeSet<MemberId>,
    heads: Heads,
    by_offer: BTreeMap<Digest, KnownReferral>,
    by_reference: BTreeMap<(OrganisationId, String), KnownReferral>,
    taken_handshakes: BTreeSet<HandshakeId>,
    taken_contacts: BTreeSet<ContactId>,
}

impl Known {
    fn gather(
        uow: &mut dyn UnitOfWork,
        env: &Env<'_>,
        commands: &[Refer],
        offers: &[Result<Option<Presented>, StatementRefusal>],
    ) -> Result<Self, StoreError> {
        let presented: Vec<&Presented> = offers.iter().filter_map(|o| o.as_ref().ok()?.as_ref()).collect();
        let members = uow.parties().find_members_by_id(&distinct(commands.iter().map(|c| c.terms.member)))?;
        let members: BTreeMap<MemberId, MemberParty> = members.into_iter().map(|m| (m.id, m)).collect();
        let sold_by = commands.iter().map(|c| c.terms.provider);
        let organisations = distinct(sold_by.chain(members.values().map(|m| m.organisation)));
        let organisations = uow.parties().find_organisations_by_id(&organisations)?;
        let products = uow.catalogue().find_products(&distinct(commands.iter().map(|c| c.terms.product.clone())))?;
        let mut versions = BTreeMap::new();
        for vertical in distinct(products.iter().map(|p| p.vertical)) {
            versions.insert(vertical, uow.agreements().list_active(vertical)?);
        }
        let (sources, refs): (Vec<OrganisationId>, Vec<String>) = commands
            .iter()
            .filter_map(|c| {
                let external_ref = c.terms.external_ref.as_ref()?.to_string();
                Some((members.get(&c.terms.member)?.organisation, external_ref))
            })
            .unzip();
        let by_reference = uow.handshakes().find_by_references(&sources, &refs)?;
        let payloads: Vec<Digest> = presented.iter().map(|p| p.payload_digest()).collect();
        let by_offer = uow.handshakes().find_by_offers(&payloads)?;
        let named: Vec<(HandshakeId, Option<ContactId>)> = presented.iter().filter_map(|p| named(p)).collect();
        let handshakes = distinct(named.iter().map(|n| n.0));
        let contacts = distinct(named.iter().filter_map(|n| n.1));
        let keys = uow.keys().find_keys(&distinct(presented.iter().map(|p| p.kid().to_owned())))?;
        let member_ids: Vec<MemberId> = members.keys().copied().collect();
        Ok(Self {
            keyed_members: uow.keys().find_members_with_keys(&member_ids)?.into_iter().collect(),
            members,
            organisations: organisations.into_iter().map(|o| (o.id, o)).collect(),
            products: products.into_iter().map(|p| (p.code.clone(), p)).collect(),
            versions,
            keys: keys.into_iter().map(|k| (k.public.kid(), k)).collect(),
            heads: Heads::find(uow, env.seen, presented.into_iter())?,
            by_offer: by_offer.into_iter().map(|k| (k.offer_payload_sha256, k)).collect(),
            by_reference: by_reference
                .into_iter()
                .filter_map(|k| k.external_ref.clone().map(|r| ((k.source, r), k)))
                .collect(),
            taken_handshakes: uow.handshakes().find_taken(&handshakes)?.into_iter().collect(),
            taken_contacts: uow.parties().find_taken_contacts(&contacts)?.into_iter().collect(),
        })
    }

    /// Later commands of the batch find what earlier ones made.
    fn remember(&mut self, referred: &Referred, made: &Made) {
        let known = KnownReferral {
            deal: referred.deal,
            handshake: referred.handshake,
            client: referred.client,
            source: made.deal.source,
            external_ref: made.deal.external_ref.clone(),
            terms_sha256: made.deal.source_sha256,
            assurance: referred.assurance.clone(),
            offer_payload_sha256: made.payload_sha256,
            offer_sha256: referred.offer_sha256,
        };
        self.taken_handshakes.insert(known.handshake);
        self.taken_contacts.insert(known.client);
        self.by_offer.insert(known.offer_payload_sha256, known.clone());
        if let Some(external_ref) = known.external_ref.clone() {
            self.by_reference.insert((known.source, external_ref), known);
        }
    }

    /// The member, its product and who sells, when all may take part.
    fn parties(&self, env: &Env<'_>, command: &Refer) -> Result<(MemberParty, &Product), ReferRefusal> {
        let terms = &command.terms;
        let member = self.members.get(&terms.member).copied();
        let own = |m: &MemberParty| env.actor.member == Some(m.id) || env.actor.acts_for(m.organisation);
        let member = member.filter(own).ok_or(ReferRefusal::UnknownMember)?;
        if !member.active || !self.organisations.get(&member.organisation).is_some_and(|o| o.active) {
            return Err(ReferRefusal::MemberSuspended);
        }
        let provider = self.organisations.get(&terms.provider).filter(|o| o.kind == OrganisationKind::Provider);
        if !provider.ok_or(ReferRefusal::UnknownProvider)?.active {
            return Err(ReferRefusal::ProviderSuspended);
        }
        let product = self.products.get(&terms.product).ok_or(ReferRefusal::UnknownProduct)?;
        if terms.referred_on > env.now.sydney_date() {
            return Err(ReferRefusal::ReferredInTheFuture);
        }
        let versions = self.versions.get(&product.vertical).map_or(&[][..], Vec::as_slice);
        if governing(versions, terms.referred_on).is_none() {
            return Err(ReferRefusal::NoAgreement);
        }
        Ok((member, product))
    }

    /// The signed offer, when everything about it is right, and the ids that it names.
    fn judged(
        &self,
        presented: &Presented,
        member: &MemberParty,
        command: &Refer,
        terms_sha256: Digest,
    ) -> Result<(HandshakeId, ContactId, Assurance), ReferRefusal> {
        let Statement::Offer(offer) = presented.statement() else {
            return Err(StatementRefusal::Content("not an offer").into());
        };
        let may_sign = |owner: KeyOwner| match owner {
            KeyOwner::Organisation(organisation) => organisation == member.organisation,
            KeyOwner::Member { member: signer, .. } => signer == member.id,
        };
        let key = self.keys.get(presented.kid()).filter(|key| may_sign(key.owner));
        let key = key.ok_or(StatementRefusal::UnknownKey)?;
        presented.judge(key, (&offer.party, offer.assurance), &self.heads)?;
        expect_party(&PartyId::organisation(command.terms.provider), &offer.to)?;
        if offer.declaration.is_some() || offer.previous.is_some() {
            return Err(StatementRefusal::Content("a first offer has neither declaration nor previous").into());
        }
        if offer.row_sha256 != Some(terms_sha256) {
            return Err(ReferRefusal::OtherTerms(terms_sha256));
        }
        let client = offer.referred.as_ref().and_then(|party| ContactId::parse(party.as_str()).ok());
        let client = client.ok_or(StatementRefusal::Content("referred must name the client's contact"))?;
        Ok((offer.handshake, client, offer.assurance))
    }
}

/// The version in force on the day of the referral.
pub(crate) fn governing(versions: &[GoverningVersion], on: jiff::civil::Date) -> Option<&GoverningVersion> {
    versions.iter().find(|version| version.content().in_force_on(on))
}

/// The ids that an offer brings along.
fn named(presented: &Presented) -> Option<(HandshakeId, Option<ContactId>)> {
    let Statement::Offer(offer) = presented.statement() else { return None };
    let client = offer.referred.as_ref().and_then(|party| ContactId::parse(party.as_str()).ok());
    Some((offer.handshake, client))
}

fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.collect::<BTreeSet<T>>().into_iter().collect()
}

/// An offer that is taken.
struct Made {
    deal: Deal,
    payload_sha256: Digest,
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

type Taken = Result<(Referred, Option<Made>), ReferRefusal>;

impl Batch {
    fn take(
        &mut self,
        env: &Env<'_>,
        known: &Known,
        command: &Refer,
        offer: Result<Option<Presented>, StatementRefusal>,
    ) -> Result<Taken, ReferError> {
        let terms_sha256 = command.terms.digest()?;
        let (member, product) = match known.parties(env, command) {
            Ok(parties) => parties,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let presented = match offer {
            Ok(presented) => presented,
            Err(refusal) => return Ok(Err(refusal.into())),
        };
        let named = match &presented {
            Some(presented) => match known.judged(presented, &member, command, terms_sha256) {
                Ok(named) => Some(named),
                Err(refusal) => return Ok(Err(refusal)),
            },
            None => None,
        };
        match before(known, command, &member, presented.as_ref(), terms_sha256) {
            Ok(None) => {}
            Ok(Some(referred)) => return Ok(Ok((referred, None))),
            Err(refusal) => return Ok(Err(refusal)),
        }
        if let Some((handshake, client, _)) = &named
            && (known.taken_handshakes.contains(handshake) || known.taken_contacts.contains(client))
        {
            return Ok(Err(ReferRefusal::IdTaken));
        }
        let (handshake, client, assurance) = named.unwrap_or_else(|| {
            (HandshakeId::new(env.ids.next()), ContactId::new(env.ids.next()), Assurance::Custodial)
        });
        let envelope = match presented {
            Some(presented) => presented.envelope().to_owned(),
            None => Statement::Offer(custodial(env, command, (handshake, client), terms_sha256)).sign(env.platform)?,
        };
        let deal = opened(env, command, &member, product, (client, terms_sha256));
        Ok(Ok(self.keep(env, command, deal, (handshake, assurance), &envelope)?))
    }

    /// Notes everything that a new referral leaves behind.
    fn keep(
        &mut self,
        env: &Env<'_>,
        command: &Refer,
        mut deal: Deal,
        (handshake, assurance): (HandshakeId, Assurance),
        envelope: &str,
    ) -> Result<(Referred, Option<Made>), ReferError> {
        let (jws, offer) = Statement::parse(envelope)?;
        let offer_sha256 = Digest::of(envelope.as_bytes());
        let id = env.ids.next();
        let contact = command.client.clone().into_contact(deal.client);
        self.contacts.push(NewContact { organisation: deal.introducer, contact });
        self.transitions.push(first_move(env, &mut deal));
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
            statements: vec![HandshakeStatement {
                id,
                handshake,
                kind: "offer",
                kid: offer.kid().to_owned(),
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
        Ok((referred, Some(Made { deal, payload_sha256: jws.payload_digest() })))
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
        Ok(log::append(uow, env, &self.log)?)
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

/// The same referral, made before; or that its reference stands for another one.
fn before(
    known: &Known,
    command: &Refer,
    member: &MemberParty,
    presented: Option<&Presented>,
    terms_sha256: Digest,
) -> Result<Option<Referred>, ReferRefusal> {
    let made = |k: &KnownReferral| Referred {
        deal: k.deal,
        handshake: k.handshake,
        client: k.client,
        assurance: k.assurance.clone(),
        offer_sha256: k.offer_sha256,
        new: false,
    };
    if let Some(known) = presented.and_then(|p| known.by_offer.get(&p.payload_digest())) {
        return Ok(Some(made(known)));
    }
    let named = command.terms.external_ref.as_ref().map(|r| (member.organisation, r.to_string()));
    if let Some(known) = named.and_then(|named| known.by_reference.get(&named)) {
        let same = presented.is_none()
            && known.assurance == Assurance::Custodial.as_str()
            && known.terms_sha256 == Some(terms_sha256);
        return if same { Ok(Some(made(known))) } else { Err(ReferRefusal::ExternalRefTaken) };
    }
    if presented.is_none() && known.keyed_members.contains(&member.id) {
        return Err(ReferRefusal::MemberHasKey);
    }
    Ok(None)
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
        client,
        product: product.id,
        vertical: reference::vertical_id(product.vertical),
        stage: Stage::Referred,
        source: member.organisation,
        external_ref: terms.external_ref.as_ref().map(ToString::to_string),
        facts: DealFacts { referred_on: terms.referred_on, contracted_on: None, settlement: None, discharged_on: None },
        source_sha256: Some(terms_sha256),
        agreement: None,
        visible_to: vec![terms.provider.uuid(), member.organisation.uuid()],
        transitions: 0,
    }
}

fn first_move(env: &Env<'_>, deal: &mut Deal) -> Transition {
    deal.transitions = 1;
    Transition {
        deal: deal.id,
        n: 0,
        from: None,
        to: Stage::Referred,
        reason: "referral",
        occurred_on: deal.facts.referred_on,
        known_at: env.now,
        actor: env.actor.id,
    }
}
