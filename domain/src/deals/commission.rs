//! From the facts of deals to their commission: calculate, then write everything that a batch came to.
//!
//! Both ways in use it: what a source says (`record`) and what happens to a deal that is known
//! (`advance`). Set-based: one write is a fixed number of statements, whatever the number of deals, in
//! the order of locks: business rows, lanes, balances, ledger head.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use uuid::Uuid;

use super::deal::{Deal, Transition};
use super::input::Parties;
use super::recalculate::repository::DealCounter;
use super::repository::{DealFact, Handshake, SaidBalance};
use super::{recalculate, tell};
use crate::access::ownership;
use crate::agreements::evaluate::{self, CalculationOutput};
use crate::agreements::facts::{CalculationInput, Counter, DealFacts, Period};
use crate::agreements::in_force::{Published, in_force};
use crate::agreements::repository::StoredCalculation;
use crate::agreements::version::GoverningVersion;
use crate::catalogue::{ProductCode, VerticalCode};
use crate::chain::log::{self, LogItem};
use crate::directory::repository::NewContact;
use crate::env::Env;
use crate::events::{EventKind, NewEvent};
use crate::kernel::Digest;
use crate::kernel::ids::{AgreementId, CalculationId, DealId, MemberId, OrganisationId, PayeeId};
use crate::ledger::accrue::{self, DealAccounts};
use crate::ledger::line::CommissionLine;
use crate::ledger::posting::{self, PostError};
use crate::store::{StoreError, UnitOfWork};

/// The agreement versions of the verticals that a batch touches.
pub(super) struct Versions(BTreeMap<VerticalCode, Vec<Published>>);

impl Versions {
    /// Reads them, once a vertical.
    pub(super) fn gather(
        uow: &mut dyn UnitOfWork,
        verticals: impl IntoIterator<Item = VerticalCode>,
    ) -> Result<Self, StoreError> {
        let mut versions = BTreeMap::new();
        for vertical in verticals {
            if let std::collections::btree_map::Entry::Vacant(vacant) = versions.entry(vertical) {
                vacant.insert(uow.agreements().list_published(vertical)?);
            }
        }
        Ok(Self(versions))
    }

    /// Reads those of the verticals of deals; the deals are not locked yet.
    pub(super) fn of_deals(uow: &mut dyn UnitOfWork, deals: &[DealId]) -> Result<Self, StoreError> {
        Ok(Self(uow.agreements().list_published_of(deals)?.into_iter().collect()))
    }

    /// Locks the counters of those that have any: before any deal is locked.
    pub(super) fn lock_counters(&self, uow: &mut dyn UnitOfWork) -> Result<(), StoreError> {
        let counted = self.all().filter(|version| recalculate::has_counters(version));
        let agreements: BTreeSet<AgreementId> = counted.map(GoverningVersion::agreement).collect();
        if agreements.is_empty() {
            return Ok(());
        }
        uow.counters().lock_counters(&Vec::from_iter(agreements))
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &GoverningVersion> {
        self.0.values().flatten().map(|published| &published.version)
    }

    /// The version that a deal of this provider is sealed under, whatever became of it; else the one in force on the
    /// date that governs, and before that date is known, on the referral's.
    pub(super) fn of(
        &self,
        vertical: VerticalCode,
        sealed: Option<(AgreementId, u32)>,
        provider: OrganisationId,
        facts: &DealFacts,
    ) -> Option<&GoverningVersion> {
        let published = self.0.get(&vertical)?;
        let Some(sealed) = sealed else { return in_force(published, provider, facts) };
        let mut versions = published.iter().map(|p| &p.version);
        versions.find(|version| (version.agreement(), version.number()) == sealed)
    }
}

/// What is sold, as a calculation needs it.
#[derive(Clone, Copy)]
pub(super) struct Sold<'p> {
    pub(super) vertical: VerticalCode,
    pub(super) product: &'p ProductCode,
}

/// Why a deal cannot be worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unworkable {
    /// The amounts are out of range.
    OutOfRange,
    /// More deals come after it than can be worked out again at once.
    ReplayTooLong,
}

/// What a deal is worked out from under a version, or one period of its trail; with the counters as they stand before it.
pub(super) fn with_input<R>(
    deal: &Deal,
    sold: Sold<'_>,
    version: &GoverningVersion,
    period: Option<Period>,
    counters: &[Counter],
    work: impl FnOnce(&CalculationInput<'_>) -> R,
) -> R {
    let parties = Parties::of(deal);
    let input = parties.input(sold, version, period);
    if period.is_some() || !recalculate::has_counters(version) {
        return work(&input);
    }
    // Counters are of somebody: organisations are told where they can be asked for.
    let (provider, introducer) = (deal.provider.to_string(), deal.introducer.to_string());
    work(&CalculationInput { provider: Some(&provider), introducer: Some(&introducer), counters, ..input })
}

/// What a deal's facts come to under a version: of the deal itself, or of one period of its trail.
pub(super) struct WorkedOut {
    pub(super) output: CalculationOutput,
    period: Option<Period>,
    input: Vec<u8>,
    output_sha256: Digest,
}

impl WorkedOut {
    pub(super) fn try_new(
        deal: &Deal,
        sold: Sold<'_>,
        version: &GoverningVersion,
        period: Option<Period>,
        counters: &[Counter],
    ) -> Result<Self, Unworkable> {
        with_input(deal, sold, version, period, counters, |input| {
            let output = evaluate::evaluate(input).map_err(|_| Unworkable::OutOfRange)?;
            // Canonical JSON refuses what an IEEE double cannot carry, some 90 trillion dollars.
            Ok(Self {
                period,
                input: input.canonical_bytes().map_err(|_| Unworkable::OutOfRange)?,
                output_sha256: output.digest().map_err(|_| Unworkable::OutOfRange)?,
                output,
            })
        })
    }

    /// As it is stored, under a new id.
    pub(super) fn stored(
        self,
        env: &Env<'_>,
        deal: DealId,
        version: &GoverningVersion,
    ) -> (StoredCalculation, CalculationOutput) {
        let calculation = StoredCalculation {
            id: CalculationId::new(env.ids.next()),
            deal,
            version: (version.agreement(), version.number()),
            period: self.period.map(|period| period.month),
            engine: self.output.engine,
            input: self.input,
            output_sha256: self.output_sha256,
            known_at: env.now,
        };
        (calculation, self.output)
    }
}

/// A deal whose commission is to be brought up to date.
pub(super) struct Calculated {
    pub(super) deal: Deal,
    pub(super) calculation: StoredCalculation,
    pub(super) output: CalculationOutput,
}

impl Calculated {
    pub(super) fn of(deal: &Deal, (calculation, output): (StoredCalculation, CalculationOutput)) -> Self {
        Self { deal: deal.clone(), calculation, output }
    }
}

/// What a batch comes to, gathered in memory and then written at once.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) contacts: Vec<NewContact>,
    pub(super) created: Vec<Deal>,
    pub(super) changed: Vec<Deal>,
    pub(super) facts: Vec<DealFact>,
    pub(super) balances: Vec<SaidBalance>,
    pub(super) transitions: Vec<Transition>,
    pub(super) handshakes: Vec<Handshake>,
    pub(super) log: Vec<LogItem>,
    pub(super) calculated: Vec<Calculated>,
    /// Deals whose counters are to be forgotten before others are written.
    pub(super) gone: Vec<DealId>,
    pub(super) counters: Vec<DealCounter>,
}

impl Changes {
    /// Business rows, then the log, then the ledger: the order of locks.
    pub(super) fn write(self, uow: &mut dyn UnitOfWork, env: &Env<'_>) -> Result<(), PostError> {
        uow.directory().insert_contacts(&self.contacts, env.now)?;
        uow.deals().insert(&self.created, env.now)?;
        uow.deals().update(&self.changed, env.now)?;
        uow.deals().append_facts(&self.facts)?;
        uow.deals().update_balances(&self.balances, env.now)?;
        uow.deals().append_transitions(&self.transitions)?;
        uow.deals().append_handshakes(&self.handshakes, env.now)?;
        let calculations: Vec<StoredCalculation> = self.calculated.iter().map(|c| c.calculation.clone()).collect();
        uow.agreements().append_calculations(&calculations)?;
        if !(self.gone.is_empty() && self.counters.is_empty()) {
            uow.counters().save_counters(&self.gone, &self.counters)?;
        }
        uow.events().append(&self.told(env)?)?;
        log::append(uow, env, &self.log)?;
        accrued(uow, env, self.calculated)
    }
}

impl Changes {
    /// What listeners hear of the deals; lines and entries tell their own.
    fn told(&self, env: &Env<'_>) -> Result<Vec<NewEvent>, StoreError> {
        let calculated = self.calculated.iter().map(|c| &c.deal);
        let deals = self.created.iter().chain(&self.changed).chain(calculated);
        let seen: BTreeMap<DealId, &[Uuid]> = deals.map(|deal| (deal.id, deal.visible_to.as_slice())).collect();
        let visible = |deal: DealId| seen.get(&deal).copied().unwrap_or_default();
        let moved = self.transitions.iter().map(|t| tell::moved(env, t, visible(t.deal)));
        let learned = self.facts.iter().map(|f| tell::learned(env, f, visible(f.deal)));
        let signed = self
            .handshakes
            .iter()
            .map(|h| tell::signed(env, EventKind::HandshakeSealed, (h.id, h.deal), h.assurance, visible(h.deal)));
        let calculated = self.calculated.iter().map(|c| tell::calculated(env, &c.calculation, visible(c.deal.id)));
        moved.chain(learned).chain(signed).chain(calculated).collect()
    }
}

/// Brings lines and ledger to what the calculations come to.
fn accrued(uow: &mut dyn UnitOfWork, env: &Env<'_>, calculated: Vec<Calculated>) -> Result<(), PostError> {
    if calculated.is_empty() {
        return Ok(());
    }
    let deals: Vec<DealId> = calculated.iter().map(|c| c.deal.id).collect();
    let mut posted: BTreeMap<(DealId, Option<Date>), Vec<CommissionLine>> = BTreeMap::new();
    for line in uow.ledger().lock_lines(&deals)? {
        posted.entry((line.deal, line.period)).or_default().push(line);
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
        let (facts, period) = (&one.deal.facts, one.calculation.period);
        let organisations = ownership::of_deal_entry(one.deal.provider, one.deal.introducer);
        let accounts = DealAccounts {
            deal: one.deal.id,
            provider: one.deal.provider,
            introducer: one.deal.introducer,
            vertical: one.deal.vertical,
            calculation: one.calculation.id,
            earned_on: period.map_or_else(|| facts.settlement.map_or(today, |s| s.on), Date::last_of_month),
            clawed_back_on: facts.discharged_on.unwrap_or(today),
            visible_to: &organisations,
        };
        let before = posted.remove(&(one.deal.id, period)).unwrap_or_default();
        let accrual = accrue::difference(&accounts, before, &one.output, |m| payees.get(&m).copied(), env.ids);
        lines.extend(accrual.lines);
        drafts.extend(accrual.drafts);
    }
    // An adjustment note takes GST off in the same lines; its entries come after what it adjusts.
    drafts.extend(crate::tax::adjust::clawed_back(uow, env, &mut lines)?);
    uow.ledger().save_lines(&lines)?;
    uow.events().append(&tell::earned(env, &lines)?)?;
    posting::post(uow, env, drafts)
}

#[cfg(test)]
impl Versions {
    pub(super) fn holding(vertical: VerticalCode, versions: Vec<GoverningVersion>) -> Self {
        let published = |version| Published { version, provider: None, retired_on: None };
        Self([(vertical, versions.into_iter().map(published).collect())].into())
    }
}
