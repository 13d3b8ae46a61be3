//! Takes what a source says of deals and carries it through to the ledger.
//!
//! Set-based: one call is a batch, with a fixed number of statements whatever its size. Every said deal
//! gets its own outcome; a refused one never harms its neighbours. Saying the same again changes
//! nothing; saying something else is a correction, whose difference is posted.

use std::collections::BTreeMap;

use super::commission::{Calculated, Changes, Sold, Unworkable, Versions};
use super::deal::{Deal, Stage, Told};
use super::frozen::Frozen;
use super::handshake::{self, Attestation};
use super::recalculate::{self, Ready};
use super::repository::DealFact;
use super::trail::{Trail, Trails};
use crate::access::ownership;
use crate::agreements::evaluate::CalculationOutput;
use crate::agreements::facts::{DealFacts, Milestones};
use crate::agreements::repository::StoredCalculation;
use crate::catalogue::{Product, ProductCode, reference};
use crate::chain::statement::StatementError;
use crate::directory::contact::{Contact, ContactKind, PersonalData};
use crate::directory::repository::{MemberStanding, NewContact};
use crate::directory::text::PersonName;
use crate::env::Env;
use crate::kernel::ids::{ContactId, DealId, DealImportId, MemberId, OrganisationId};
use crate::kernel::jcs::JcsError;
use crate::kernel::{Digest, jcs};
use crate::ledger::posting::PostError;
use crate::store::{StoreError, UnitOfWork, UseCaseError};

/// Where the deals come from.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// Whose members referred, and who says so.
    pub organisation: OrganisationId,
    /// Who sells.
    pub provider: OrganisationId,
    /// The import that the deals are part of.
    pub import: DealImportId,
    /// The digest of the declaration that the organisation signed.
    pub declaration: Digest,
}

/// What a source says of one deal.
#[derive(Clone)]
pub struct SaidDeal {
    /// What the source calls it.
    pub external_ref: String,
    /// What the source calls the member.
    pub member_ref: String,
    /// The client.
    pub client_name: PersonName,
    /// The product.
    pub product: ProductCode,
    /// The dates and amounts.
    pub facts: DealFacts,
    /// The digest of everything that was said, however it was written.
    pub sha256: Digest,
}

/// What became of one said deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is new.
    Created(DealId),
    /// It was known, and something was different.
    Corrected(DealId),
    /// It was known, and nothing was different.
    Unchanged(DealId),
    /// It cannot be taken.
    Refused(Refusal),
}

/// Why a said deal cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No such member.
    #[error("the organisation has no member of that reference")]
    UnknownMember,
    /// No such product.
    #[error("there is no product of that code")]
    UnknownProduct,
    /// No version governs the deal.
    #[error("no agreement version is in force on the deal's governing date")]
    NoAgreement,
    /// Another member or product than before: that needs a new seal and an approval.
    #[error("the member or product of a sealed deal cannot be changed by an import")]
    AttributionChanged,
    /// Referred by a signed offer that nobody has accepted: nothing may accrue before the seal.
    #[error("the deal's handshake is not countersigned yet")]
    NotSealed,
    /// A fact is of the past.
    #[error("a date lies after today")]
    InTheFuture,
    /// The amounts cannot be worked out.
    #[error("the amounts are out of range")]
    OutOfRange,
    /// Deals after it depend on it, and they are too many.
    #[error("more deals depend on this one than can be worked out again at once")]
    ReplayTooLong,
}

impl From<Unworkable> for Refusal {
    fn from(why: Unworkable) -> Self {
        match why {
            Unworkable::OutOfRange => Self::OutOfRange,
            Unworkable::ReplayTooLong => Self::ReplayTooLong,
        }
    }
}

impl crate::kernel::fault::Reason for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownMember => "unknown_member",
            Self::UnknownProduct => "unknown_product",
            Self::NoAgreement => "no_agreement",
            Self::AttributionChanged => "attribution_changed",
            Self::NotSealed => "handshake_open",
            Self::InTheFuture => "in_future",
            Self::OutOfRange => "amount_out_of_range",
            Self::ReplayTooLong => "replay_too_long",
        }
    }
}

/// Why nothing of a batch was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Posting.
    #[error(transparent)]
    Post(#[from] PostError),
    /// Signing.
    #[error(transparent)]
    Sign(#[from] StatementError),
    /// Canonical bytes.
    #[error(transparent)]
    Canonical(#[from] JcsError),
}

impl UseCaseError for RecordError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Post(error) => error.store_error(),
            Self::Sign(_) | Self::Canonical(_) => None,
        }
    }
}

/// Records a batch. Each `external_ref` occurs once in it.
///
/// # Errors
/// See [`RecordError`]: then nothing was recorded.
pub fn record(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    source: &Source,
    said: &[SaidDeal],
) -> Result<Vec<Outcome>, RecordError> {
    let known = Known::gather(uow, env, source, said)?;
    let kid = env.platform.kid();
    let mut batch = Batch::default();
    let understood: Vec<Result<(Ready<'_>, Trail), Outcome>> =
        said.iter().map(|one| known.understood(env, source, one)).collect();
    let ready: Vec<&Ready<'_>> =
        understood.iter().filter_map(|one| one.as_ref().ok()).map(|(ready, _)| ready).collect();
    let mut worked = recalculate::work_out(uow, env, &known.versions, &ready, &mut batch.0)?.into_iter();
    let mut outcomes = Vec::with_capacity(said.len());
    for (one, understood) in said.iter().zip(understood) {
        outcomes.push(match understood {
            Ok((ready, trail)) => match worked.next().unwrap_or(Err(Unworkable::OutOfRange)) {
                Ok(worked) => batch.keep(env, source, &kid, (one, known.is_new(one)), (ready, trail), worked)?,
                Err(why) => Outcome::Refused(why.into()),
            },
            Err(outcome) => outcome,
        });
    }
    batch.0.write(uow, env).map_err(|error| match error {
        // Another import made the deal since we looked: begin again and find it.
        PostError::Store(StoreError::Violates(rule)) if rule == "deal_external_ref_taken" => {
            RecordError::Store(StoreError::Contention)
        }
        other => RecordError::Post(other),
    })?;
    Ok(outcomes)
}

/// What the batch needs to know, read once.
struct Known {
    members: BTreeMap<String, MemberStanding>,
    products: BTreeMap<ProductCode, Product>,
    versions: Versions,
    deals: BTreeMap<String, Deal>,
    trails: Trails,
    frozen: BTreeMap<MemberId, Frozen>,
}

impl Known {
    fn gather(uow: &mut dyn UnitOfWork, env: &Env<'_>, source: &Source, said: &[SaidDeal]) -> Result<Self, StoreError> {
        let refs: Vec<String> = said.iter().map(|s| s.external_ref.clone()).collect();
        let mut member_refs: Vec<String> = said.iter().map(|s| s.member_ref.clone()).collect();
        member_refs.sort_unstable();
        member_refs.dedup();
        let mut codes: Vec<ProductCode> = said.iter().map(|s| s.product.clone()).collect();
        codes.sort_unstable();
        codes.dedup();
        let members = uow.directory().find_members(source.organisation, &member_refs)?;
        let products = uow.catalogue().find_products(&codes)?;
        let versions = Versions::gather(uow, products.iter().map(|product| product.vertical))?;
        versions.lock_counters(uow)?;
        let deals = uow.deals().lock_by_external_refs(source.organisation, &refs)?;
        let ids: Vec<DealId> = deals.iter().map(|deal| deal.id).collect();
        let trails = Trails::gather(uow, &ids)?;
        let member_ids: Vec<MemberId> = members.iter().map(|member| member.id).collect();
        let frozen = uow.parties().find_frozen(&member_ids, env.now.sydney_date())?;
        Ok(Self {
            trails,
            frozen: frozen.into_iter().collect(),
            members: members.into_iter().map(|m| (m.member_ref.clone(), m)).collect(),
            products: products.into_iter().map(|p| (p.code.clone(), p)).collect(),
            versions,
            deals: deals.into_iter().filter_map(|d| d.external_ref.clone().map(|r| (r, d))).collect(),
        })
    }
}

impl Known {
    fn is_new(&self, said: &SaidDeal) -> bool {
        !self.deals.contains_key(&said.external_ref)
    }

    /// The deal as it is said to be, what governs it and what its trail comes to; else what becomes of it.
    fn understood(&self, env: &Env<'_>, source: &Source, said: &SaidDeal) -> Result<(Ready<'_>, Trail), Outcome> {
        let member = self.members.get(&said.member_ref).ok_or(Outcome::Refused(Refusal::UnknownMember))?;
        let product = self.products.get(&said.product).ok_or(Outcome::Refused(Refusal::UnknownProduct))?;
        let before = self.deals.get(&said.external_ref);
        if let Some(deal) = before {
            if deal.source_sha256 == Some(said.sha256) {
                return Err(Outcome::Unchanged(deal.id));
            }
            if deal.member != member.id || deal.product != product.id {
                return Err(Outcome::Refused(Refusal::AttributionChanged));
            }
            if deal.agreement.is_none() {
                return Err(Outcome::Refused(Refusal::NotSealed));
            }
            // Its client was erased, and the digest that tells of the name with it: the rest decides.
            if deal.source_sha256.is_none() && deal.facts == said.facts {
                return Err(Outcome::Unchanged(deal.id));
            }
        }
        if is_in_future(env, &said.facts) {
            return Err(Outcome::Refused(Refusal::InTheFuture));
        }
        let sealed = before.and_then(|deal| deal.agreement);
        let version = self.versions.of(product.vertical, sealed, source.provider, &said.facts);
        let version = version.ok_or(Outcome::Refused(Refusal::NoAgreement))?;
        let mut deal = before.cloned().unwrap_or_else(|| {
            let frozen = self.frozen.get(&member.id).cloned().unwrap_or_default();
            opened(env, source, (member.id, frozen), product, said)
        });
        deal.facts = said.facts;
        deal.source_sha256 = before.is_none_or(|known| known.source_sha256.is_some()).then_some(said.sha256);
        deal.agreement = Some((version.agreement(), version.number()));
        let sold = Sold { vertical: product.vertical, product: &product.code };
        let trail = self.trails.calculated(env, &deal, sold, version, None);
        let trail = trail.map_err(|why| Outcome::Refused(why.into()))?;
        Ok((Ready { deal, sold, version }, trail))
    }
}

/// What the batch comes to.
#[derive(Default)]
struct Batch(Changes);

impl Batch {
    fn keep(
        &mut self,
        env: &Env<'_>,
        source: &Source,
        kid: &str,
        (said, new): (&SaidDeal, bool),
        (ready, trail): (Ready<'_>, Trail),
        (calculation, output): (StoredCalculation, CalculationOutput),
    ) -> Result<Outcome, RecordError> {
        let Ready { mut deal, version, .. } = ready;
        let told = Told { actor: env.actor.id, known_at: env.now, reason: "import" };
        if new {
            self.0.transitions.push(deal.open(&told));
        }
        self.0.transitions.extend(deal.follow_facts(output.reversed || trail.reversed, &told));
        self.0.facts.push(fact(env, source, &deal, said, new)?);
        if new {
            self.0.contacts.push(client(source, &deal, said));
            let attestation = Attestation { declaration: source.declaration, version, kid };
            let (handshake, items) = handshake::attest(env, &deal, &attestation)?;
            self.0.handshakes.push(handshake);
            self.0.log.extend(items);
            self.0.created.push(deal.clone());
        } else {
            self.0.changed.push(deal.clone());
        }
        let id = deal.id;
        if deal.facts.settlement.is_some() || !new || !output.counters.is_empty() {
            let own = std::iter::once((calculation, output));
            self.0.calculated.extend(own.chain(trail.calculated).map(|worked| Calculated::of(&deal, worked)));
        }
        Ok(if new { Outcome::Created(id) } else { Outcome::Corrected(id) })
    }
}

/// Whether anything is said to have happened later than today.
fn is_in_future(env: &Env<'_>, facts: &DealFacts) -> bool {
    let dates = [facts.contracted_on, facts.settlement.map(|settlement| settlement.on), facts.discharged_on];
    let last = dates.into_iter().flatten().fold(facts.referred_on, std::cmp::Ord::max);
    last > env.now.sydney_date()
}

fn opened(
    env: &Env<'_>,
    source: &Source,
    (member, frozen): (MemberId, Frozen),
    product: &Product,
    said: &SaidDeal,
) -> Deal {
    Deal {
        id: DealId::new(env.ids.next()),
        provider: source.provider,
        introducer: source.organisation,
        member,
        upline: frozen.uplines.first().copied(),
        frozen: Some(frozen),
        client: ContactId::new(env.ids.next()),
        product: product.id,
        vertical: reference::vertical_id(product.vertical),
        stage: Stage::Referred,
        source: source.organisation,
        external_ref: Some(said.external_ref.clone()),
        facts: said.facts,
        milestones: Milestones::new(),
        source_sha256: None,
        agreement: None,
        visible_to: ownership::of_deal(source.provider, source.organisation, member),
        transitions: 0,
    }
}

/// The fact of one saying: what was said, without the client's name.
fn fact(env: &Env<'_>, source: &Source, deal: &Deal, said: &SaidDeal, new: bool) -> Result<DealFact, JcsError> {
    let facts = &said.facts;
    let dates = [facts.discharged_on, facts.settlement.map(|s| s.on), facts.contracted_on];
    let kind = match (new, facts.discharged_on, facts.settlement, facts.contracted_on) {
        (false, ..) => "correction",
        (_, Some(_), ..) => "discharge",
        (_, None, Some(_), _) => "settlement",
        (_, None, None, Some(_)) => "contract",
        (_, None, None, None) => "referral",
    };
    Ok(DealFact {
        id: env.ids.next(),
        deal: deal.id,
        kind,
        body: jcs::to_bytes(facts)?,
        occurred_on: dates.into_iter().flatten().next().unwrap_or(facts.referred_on),
        known_at: env.now,
        source: source.organisation,
        import: Some(source.import),
    })
}

fn client(source: &Source, deal: &Deal, said: &SaidDeal) -> NewContact {
    NewContact {
        organisation: source.organisation,
        contact: Contact {
            id: deal.client,
            kind: ContactKind::Person,
            personal: Some(PersonalData { name: said.client_name.clone(), email: None, phone: None }),
        },
    }
}
