//! What a batch of referrals needs to know, read once, and what is judged by it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::Referred;
use super::error::ReferRefusal;
use crate::access::{Scope, ownership};
use crate::agreements::facts::DealFacts;
use crate::catalogue::{Product, ProductCode};
use crate::chain::presented::{Heads, Presented, StatementRefusal, expect_active, expect_party};
use crate::chain::registry::{KeyLock, KeyOwner, SigningKey};
use crate::chain::statement::{Assurance, PartyId, Statement};
use crate::deals::commission::Versions;
use crate::deals::deal::Deal;
use crate::deals::handshake_repository::KnownReferral;
use crate::deals::referral::Refer;
use crate::directory::OrganisationKind;
use crate::directory::contact::{CreateContact, PersonalData};
use crate::directory::party::{MemberParty, OrganisationParty};
use crate::env::{Asked, Env};
use crate::kernel::Digest;
use crate::kernel::ids::{ContactId, HandshakeId, MemberId, OrganisationId};
use crate::store::{StoreError, UnitOfWork};

/// What a signed offer brings along: the ids that it names, and how its signer stands behind it.
pub(super) type Signed = (HandshakeId, ContactId, Assurance);

/// What a command comes to.
pub(super) enum Judged<'k> {
    /// The same referral was made before.
    Before(Referred),
    /// It is new.
    New {
        /// Who refers.
        member: MemberParty,
        /// What is to be sold.
        product: &'k Product,
        /// What was signed, and its envelope; none when the platform is to sign.
        signed: Option<(Signed, String)>,
    },
}

/// What the batch needs to know, read once.
pub(super) struct Known {
    members: BTreeMap<MemberId, MemberParty>,
    organisations: BTreeMap<OrganisationId, OrganisationParty>,
    products: BTreeMap<ProductCode, Product>,
    versions: Versions,
    keys: BTreeMap<String, SigningKey>,
    keyed_members: BTreeSet<MemberId>,
    heads: Heads,
    by_offer: BTreeMap<Digest, KnownReferral>,
    by_reference: BTreeMap<(OrganisationId, String), KnownReferral>,
    taken_handshakes: BTreeSet<HandshakeId>,
    taken_contacts: BTreeSet<ContactId>,
}

impl Known {
    pub(super) fn gather(
        uow: &mut dyn UnitOfWork,
        env: &Env<'_>,
        asked: &[Asked<'_, Refer>],
        offers: &[Result<Option<Presented>, StatementRefusal>],
    ) -> Result<Self, StoreError> {
        let presented: Vec<&Presented> = offers.iter().filter_map(|o| o.as_ref().ok()?.as_ref()).collect();
        let members = uow.parties().find_members_by_id(&distinct(asked.iter().map(|a| a.command.terms.member)))?;
        let members: BTreeMap<MemberId, MemberParty> = members.into_iter().map(|m| (m.id, m)).collect();
        let sold_by = asked.iter().map(|a| a.command.terms.provider);
        let organisations = distinct(sold_by.chain(members.values().map(|m| m.organisation)));
        let organisations = uow.parties().find_organisations_by_id(&organisations)?;
        let products =
            uow.catalogue().find_products(&distinct(asked.iter().map(|a| a.command.terms.product.clone())))?;
        let versions = Versions::gather(uow, products.iter().map(|p| p.vertical))?;
        let (sources, refs): (Vec<OrganisationId>, Vec<String>) = asked
            .iter()
            .filter_map(|a| {
                let external_ref = a.command.terms.external_ref.as_ref()?.to_string();
                Some((members.get(&a.command.terms.member)?.organisation, external_ref))
            })
            .unzip();
        let named: Vec<(HandshakeId, Option<ContactId>)> = presented.iter().filter_map(|p| named(p)).collect();
        let handshakes = distinct(named.iter().map(|n| n.0));
        let contacts = distinct(named.iter().filter_map(|n| n.1));
        let taken_handshakes = uow.handshakes().find_taken(&handshakes)?;
        let taken_contacts = uow.parties().find_taken_contacts(&contacts)?;
        let by_reference = uow.handshakes().find_by_references(&sources, &refs)?;
        // Last: whoever finds an id or a reference taken by this very offer must find the offer too, though
        // each look-up has its own moment.
        let payloads: Vec<Digest> = presented.iter().map(|p| p.payload_digest()).collect();
        let by_offer = uow.handshakes().find_by_offers(&payloads)?;
        let kids = distinct(presented.iter().map(|p| p.kid().to_owned()));
        let keys = uow.keys().lock_keys(&kids, KeyLock::Signing)?;
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
            taken_handshakes: taken_handshakes.into_iter().collect(),
            taken_contacts: taken_contacts.into_iter().collect(),
        })
    }

    /// Later commands of the batch find what earlier ones made.
    pub(super) fn remember(
        &mut self,
        referred: &Referred,
        (deal, client): (&Deal, &CreateContact),
        offer_payload_sha256: Digest,
    ) {
        let known = KnownReferral {
            deal: referred.deal,
            handshake: referred.handshake,
            client: referred.client,
            personal: Some(client.personal.clone()),
            source: deal.source,
            external_ref: deal.external_ref.clone(),
            terms_sha256: deal.source_sha256,
            assurance: referred.assurance.clone(),
            offer_payload_sha256,
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
    fn parties(&self, env: &Env<'_>, asked: Asked<'_, Refer>) -> Result<(MemberParty, &Product), ReferRefusal> {
        let Asked { actor, command: Refer { terms, .. } } = asked;
        actor.require(Scope::DealsWrite)?;
        let member = self.members.get(&terms.member).copied();
        let own = |m: &MemberParty| ownership::speaks_for(actor, m.id, m.organisation);
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
        if self.versions.of(product.vertical, None, terms.provider, &facts(terms.referred_on)).is_none() {
            return Err(ReferRefusal::NoAgreement);
        }
        Ok((member, product))
    }

    /// What a command comes to, before anything is made.
    pub(super) fn judged(
        &self,
        env: &Env<'_>,
        asked: Asked<'_, Refer>,
        offer: Result<Option<Presented>, StatementRefusal>,
        terms_sha256: Digest,
    ) -> Result<Judged<'_>, ReferRefusal> {
        let (member, product) = self.parties(env, asked)?;
        let presented = offer?;
        let signed = match &presented {
            Some(presented) => Some(self.judged_offer(presented, &member, asked.command, terms_sha256)?),
            None => None,
        };
        if let Some(referred) = before(self, asked.command, &member, presented.as_ref(), terms_sha256)? {
            return Ok(Judged::Before(referred));
        }
        if let Some((handshake, client, _)) = &signed
            && (self.taken_handshakes.contains(handshake) || self.taken_contacts.contains(client))
        {
            return Err(ReferRefusal::IdTaken);
        }
        if let Some(key) = presented.as_ref().and_then(|p| self.keys.get(p.kid())) {
            expect_active(key)?;
        }
        Ok(Judged::New { member, product, signed: signed.zip(presented.map(|p| p.envelope().to_owned())) })
    }

    /// The signed offer, when everything about it is right, and the ids that it names.
    fn judged_offer(
        &self,
        presented: &Presented,
        member: &MemberParty,
        command: &Refer,
        terms_sha256: Digest,
    ) -> Result<Signed, ReferRefusal> {
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

/// What is known of a deal when it is referred.
pub(super) const fn facts(referred_on: Date) -> DealFacts {
    DealFacts { referred_on, contracted_on: None, settlement: None, discharged_on: None }
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

/// Whether the client is the one that is known. What was erased, and what one of the two does not say, is
/// no difference.
fn is_client(known: &KnownReferral, command: &Refer) -> bool {
    fn differ<T: PartialEq>(known: Option<&T>, said: Option<&T>) -> bool {
        known.zip(said).is_some_and(|(known, said)| known != said)
    }
    let said: &PersonalData = &command.client.personal;
    known.personal.as_ref().is_none_or(|known| {
        known.name == said.name
            && !differ(known.email.as_ref(), said.email.as_ref())
            && !differ(known.phone.as_ref(), said.phone.as_ref())
    })
}

/// The same referral, made before; or that its reference stands for another one. Terms whose digest was erased are no
/// difference.
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
        return if is_client(known, command) { Ok(Some(made(known))) } else { Err(ReferRefusal::IdTaken) };
    }
    let named = command.terms.external_ref.as_ref().map(|r| (member.organisation, r.to_string()));
    if let Some(known) = named.and_then(|named| known.by_reference.get(&named)) {
        let same = presented.is_none()
            && known.assurance == Assurance::Custodial.as_str()
            && known.terms_sha256.is_none_or(|known| known == terms_sha256)
            && is_client(known, command);
        return if same { Ok(Some(made(known))) } else { Err(ReferRefusal::ExternalRefTaken) };
    }
    if presented.is_none() && known.keyed_members.contains(&member.id) {
        return Err(ReferRefusal::MemberHasKey);
    }
    Ok(None)
}
