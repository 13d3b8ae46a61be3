//! Takes what a source says of deals and carries it through to the ledger.
//!
//! Set-based: one call is a batch, with a fixed number of statements whatever its size. Every said deal
//! gets its own outcome; a refused one never harms its neighbours. Saying the same again changes
//! nothing; saying something else is a correction, whose difference is posted.

use std::collections::BTreeMap;

use super::deal::{Deal, Stage};
use super::handshake::{self, Attestation};
use super::repository::{DealFact, Handshake};
use crate::agreements::evaluate::{self, CalculationInput, CalculationOutput, DealFacts, EvaluateError};
use crate::agreements::repository::StoredCalculation;
use crate::agreements::version::GoverningVersion;
use crate::catalogue::{Product, ProductCode, VerticalCode, reference};
use crate::chain::log::{self, LogItem};
use crate::chain::statement::StatementError;
use crate::directory::contact::{Contact, ContactKind, PersonalData};
use crate::directory::repository::{MemberStanding, NewContact};
use crate::directory::text::PersonName;
use crate::env::Env;
use crate::kernel::ids::{CalculationId, ContactId, DealId, DealImportId, MemberId, OrganisationId, PayeeId};
use crate::kernel::jcs::JcsError;
use crate::kernel::{Digest, jcs};
use crate::ledger::accrue::{self, DealAccounts};
use crate::ledger::line::CommissionLine;
use crate::ledger::posting::{self, PostError};
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
    /// The amounts cannot be worked out.
    #[error("the amounts are out of range")]
    OutOfRange,
}

impl crate::kernel::fault::Reason for Refusal {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownMember => "unknown_member",
            Self::UnknownProduct => "unknown_product",
            Self::NoAgreement => "no_agreement",
            Self::AttributionChanged => "attribution_changed",
            Self::NotSealed => "handshake_open",
            Self::OutOfRange => "amount_out_of_range",
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
    let known = Known::gather(uow, source, said)?;
    let kid = env.platform.kid();
    let mut batch = Batch::default();
    let outcomes = said
        .iter()
        .map(|one| batch.take(env, source, &known, &kid, one))
        .collect::<Result<Vec<Outcome>, RecordError>>()?;
    batch.write(uow, env, source)?;
    Ok(outcomes)
}

/// What the batch needs to know, read once.
struct Known {
    members: BTreeMap<String, MemberStanding>,
    products: BTreeMap<ProductCode, Product>,
    versions: BTreeMap<VerticalCode, Vec<GoverningVersion>>,
    deals: BTreeMap<String, Deal>,
}

impl Known {
    fn gather(uow: &mut dyn UnitOfWork, source: &Source, said: &[SaidDeal]) -> Result<Self, StoreError> {
        let refs: Vec<String> = said.iter().map(|s| s.external_ref.clone()).collect();
        let mut member_refs: Vec<String> = said.iter().map(|s| s.member_ref.clone()).collect();
        member_refs.sort_unstable();
        member_refs.dedup();
        let mut codes: Vec<ProductCode> = said.iter().map(|s| s.product.clone()).collect();
        codes.sort_unstable();
        codes.dedup();
        let deals = uow.deals().lock_by_external_refs(source.organisation, &refs)?;
        let members = uow.directory().find_members(source.organisation, &member_refs)?;
        let products = uow.catalogue().find_products(&codes)?;
        let mut versions = BTreeMap::new();
        for product in &products {
            if let std::collections::btree_map::Entry::Vacant(vacant) = versions.entry(product.vertical) {
                vacant.insert(uow.agreements().list_active(product.vertical)?);
            }
        }
        Ok(Self {
            members: members.into_iter().map(|m| (m.member_ref.clone(), m)).collect(),
            products: products.into_iter().map(|p| (p.code.clone(), p)).collect(),
            versions,
            deals: deals.into_iter().filter_map(|d| d.external_ref.clone().map(|r| (r, d))).collect(),
        })
    }

    /// The version in force on the deal's governing date; before that date is known, on the referral's.
    fn governing(&self, vertical: VerticalCode, facts: &DealFacts) -> Option<&GoverningVersion> {
        use crate::agreements::model::GoverningDate;
        self.versions.get(&vertical)?.iter().find(|version| {
            let on = match version.content().governing_date {
                GoverningDate::Referred => None,
                GoverningDate::Contracted => facts.contracted_on,
                GoverningDate::Settled => facts.settlement.map(|s| s.on),
            };
            version.content().in_force_on(on.unwrap_or(facts.referred_on))
        })
    }

    fn version(
        &self,
        vertical: VerticalCode,
        (agreement, number): (crate::kernel::ids::AgreementId, u32),
    ) -> Option<&GoverningVersion> {
        self.versions.get(&vertical)?.iter().find(|v| v.agreement() == agreement && v.number() == number)
    }
}

/// A deal whose commission is to be brought up to date.
struct Calculated {
    deal: Deal,
    calculation: StoredCalculation,
    output: CalculationOutput,
}

/// What the batch comes to, gathered in memory and then written at once.
#[derive(Default)]
struct Batch {
    contacts: Vec<NewContact>,
    created: Vec<Deal>,
    corrected: Vec<Deal>,
    facts: Vec<DealFact>,
    transitions: Vec<super::deal::Transition>,
    handshakes: Vec<Handshake>,
    log: Vec<LogItem>,
    calculated: Vec<Calculated>,
}

impl Batch {
    fn take(
        &mut self,
        env: &Env<'_>,
        source: &Source,
        known: &Known,
        kid: &str,
        said: &SaidDeal,
    ) -> Result<Outcome, RecordError> {
        let Some(member) = known.members.get(&said.member_ref) else {
            return Ok(Outcome::Refused(Refusal::UnknownMember));
        };
        let Some(product) = known.products.get(&said.product) else {
            return Ok(Outcome::Refused(Refusal::UnknownProduct));
        };
        let before = known.deals.get(&said.external_ref);
        if let Some(deal) = before {
            if deal.source_sha256 == Some(said.sha256) {
                return Ok(Outcome::Unchanged(deal.id));
            }
            if deal.member != member.id || deal.product != product.id {
                return Ok(Outcome::Refused(Refusal::AttributionChanged));
            }
            if deal.agreement.is_none() {
                return Ok(Outcome::Refused(Refusal::NotSealed));
            }
        }
        let frozen = before.and_then(|deal| deal.agreement);
        let version = match frozen {
            Some(named) => known.version(product.vertical, named),
            None => known.governing(product.vertical, &said.facts),
        };
        let Some(version) = version else { return Ok(Outcome::Refused(Refusal::NoAgreement)) };
        let mut deal = before.cloned().unwrap_or_else(|| opened(env, source, member, product, said));
        deal.facts = said.facts;
        deal.source_sha256 = Some(said.sha256);
        deal.agreement = Some((version.agreement(), version.number()));
        let (calculation, output) = match calculated(env, &deal, product, version)? {
            Ok(worked_out) => worked_out,
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        let new = before.is_none();
        let stage = Stage::of(&deal.facts, output.reversed);
        self.transitions.extend(deal.move_to(stage, env.actor.id, env.now, new));
        self.facts.push(fact(env, source, &deal, said, new)?);
        if new {
            self.contacts.push(client(source, &deal, said));
            let attestation = Attestation { declaration: source.declaration, version, kid };
            let (handshake, items) = handshake::attest(env, &deal, &attestation)?;
            self.handshakes.push(handshake);
            self.log.extend(items);
            self.created.push(deal.clone());
        } else {
            self.corrected.push(deal.clone());
        }
        let id = deal.id;
        if deal.facts.settlement.is_some() || !new {
            self.calculated.push(Calculated { deal, calculation, output });
        }
        Ok(if new { Outcome::Created(id) } else { Outcome::Corrected(id) })
    }

    /// Business rows, then the log, then the ledger: the order of locks.
    fn write(self, uow: &mut dyn UnitOfWork, env: &Env<'_>, source: &Source) -> Result<(), RecordError> {
        uow.directory().insert_contacts(&self.contacts, env.now)?;
        uow.deals().insert(&self.created, env.now)?;
        uow.deals().update(&self.corrected, env.now)?;
        uow.deals().append_facts(&self.facts)?;
        uow.deals().append_transitions(&self.transitions)?;
        uow.deals().append_handshakes(&self.handshakes, env.now)?;
        let calculations: Vec<StoredCalculation> = self.calculated.iter().map(|c| c.calculation.clone()).collect();
        uow.agreements().append_calculations(&calculations)?;
        log::append(uow, env, &self.log)?;
        accrued(uow, env, source, self.calculated)
    }
}

/// Brings lines and ledger to what the calculations come to.
fn accrued(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    source: &Source,
    calculated: Vec<Calculated>,
) -> Result<(), RecordError> {
    let deals: Vec<DealId> = calculated.iter().map(|c| c.deal.id).collect();
    let mut posted: BTreeMap<DealId, Vec<CommissionLine>> = BTreeMap::new();
    for line in uow.ledger().lock_lines(&deals)? {
        posted.entry(line.deal).or_default().push(line);
    }
    let mut members: Vec<MemberId> =
        calculated.iter().flat_map(|c| c.output.lines.iter().filter_map(|l| l.participant)).collect();
    members.sort_unstable();
    members.dedup();
    let today = env.now.sydney_date();
    let payees: BTreeMap<MemberId, PayeeId> = uow.directory().find_payees(&members, today)?.into_iter().collect();
    let mut lines = Vec::new();
    let mut drafts = Vec::new();
    for one in &calculated {
        let facts = &one.deal.facts;
        let accounts = DealAccounts {
            deal: one.deal.id,
            provider: source.provider,
            vertical: one.deal.vertical,
            calculation: one.calculation.id,
            earned_on: facts.settlement.map_or(today, |s| s.on),
            clawed_back_on: facts.discharged_on.unwrap_or(today),
            visible_to: &one.deal.visible_to,
        };
        let before = posted.remove(&one.deal.id).unwrap_or_default();
        let accrual = accrue::difference(&accounts, before, &one.output, |m| payees.get(&m).copied(), env.ids);
        lines.extend(accrual.lines);
        drafts.extend(accrual.drafts);
    }
    uow.ledger().save_lines(&lines)?;
    posting::post(uow, env, drafts)?;
    Ok(())
}

fn opened(env: &Env<'_>, source: &Source, member: &MemberStanding, product: &Product, said: &SaidDeal) -> Deal {
    Deal {
        id: DealId::new(env.ids.next()),
        provider: source.provider,
        introducer: source.organisation,
        member: member.id,
        upline: member.upline,
        client: ContactId::new(env.ids.next()),
        product: product.id,
        vertical: reference::vertical_id(product.vertical),
        stage: Stage::Referred,
        source: source.organisation,
        external_ref: Some(said.external_ref.clone()),
        facts: said.facts,
        source_sha256: None,
        agreement: None,
        visible_to: vec![source.provider.uuid(), source.organisation.uuid()],
        transitions: 0,
    }
}

type WorkedOut = Result<(StoredCalculation, CalculationOutput), Refusal>;

fn calculated(
    env: &Env<'_>,
    deal: &Deal,
    product: &Product,
    version: &GoverningVersion,
) -> Result<WorkedOut, RecordError> {
    let uplines: Vec<MemberId> = deal.upline.into_iter().collect();
    let input = CalculationInput {
        deal: deal.id,
        vertical: product.vertical,
        product: &product.code,
        facts: deal.facts,
        member: deal.member,
        uplines: &uplines,
        version,
    };
    let output = match evaluate::evaluate(&input) {
        Ok(output) => output,
        Err(EvaluateError::Money(_) | EvaluateError::Date | EvaluateError::Unsupported { .. }) => {
            return Ok(Err(Refusal::OutOfRange));
        }
    };
    let calculation = StoredCalculation {
        id: CalculationId::new(env.ids.next()),
        deal: deal.id,
        version: (version.agreement(), version.number()),
        engine: output.engine,
        input: input.canonical_bytes()?,
        output_sha256: output.digest()?,
        known_at: env.now,
    };
    Ok(Ok((calculation, output)))
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
