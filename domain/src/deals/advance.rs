//! Takes steps of deals that are known (facts and decisions) and carries them through to the ledger.
//!
//! Set-based: one call takes a slice of commands, each with its own actor and its own outcome; a refused
//! one never harms its neighbours. Commands on the same deal are taken in their order, as if each had
//! come alone. Statements per call: those of `commission`, once per command on the busiest deal.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::commission::{Calculated, Changes, Sold, Unworkable, Versions};
use super::deal::{Deal, Stage, Told, Transition};
use super::recalculate::{self, Ready};
use super::repository::{DealFact, LockedDeal, SaidBalance};
use super::step::{Decision, Reached, Step, StepError};
use super::trail::{Trail, Trails};
use crate::access::ownership::Side;
use crate::access::{Actor, MissingScope, Scope, ownership};
use crate::agreements::evaluate::CalculationOutput;
use crate::agreements::facts::Period;
use crate::agreements::repository::StoredCalculation;
use crate::env::{Asked, Env};
use crate::kernel::ids::{CalculationId, DealId};
use crate::kernel::jcs;
use crate::ledger::posting::PostError;
use crate::store::{StoreError, UnitOfWork};

/// One step of one deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdvanceDeal {
    /// The deal.
    pub deal: DealId,
    /// What happens.
    pub step: Step,
}

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advanced {
    /// The deal after it.
    pub deal: Deal,
    /// The fact that was kept; none for a decision, and when nothing was different.
    pub fact: Option<Uuid>,
    /// The calculation that the commission stands on now, if the step touched it.
    pub calculation: Option<CalculationId>,
    /// The moves that it made.
    pub transitions: Vec<Transition>,
}

/// Why a step was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdvanceDealError {
    /// The actor may not.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// There is no such deal, or it is none of the actor's business.
    #[error("there is no such deal")]
    NotFound,
    /// The provider alone accepts or declines.
    #[error("only the provider accepts or declines a referral")]
    ProviderOnly,
    /// No handshake is sealed, so nothing may be earned.
    #[error("the deal has no sealed handshake")]
    NotSealed,
    /// No version governs the deal.
    #[error("no agreement version is in force on the deal's governing date")]
    NoAgreement,
    /// The amounts cannot be worked out.
    #[error("the amounts are out of range")]
    OutOfRange,
    /// Deals after it depend on it, and they are too many.
    #[error("more deals depend on this one than can be worked out again at once")]
    ReplayTooLong,
    /// The deal does not allow it.
    #[error(transparent)]
    Step(#[from] StepError),
}

impl From<Unworkable> for AdvanceDealError {
    fn from(why: Unworkable) -> Self {
        match why {
            Unworkable::OutOfRange => Self::OutOfRange,
            Unworkable::ReplayTooLong => Self::ReplayTooLong,
        }
    }
}

/// Takes the steps, each with its own outcome, in the order of the commands.
///
/// # Errors
/// See [`PostError`]: then nothing was taken.
pub fn advance(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    asked: &[Asked<'_, AdvanceDeal>],
) -> Result<Vec<Result<Advanced, AdvanceDealError>>, PostError> {
    let mut outcomes: Vec<Option<Result<Advanced, AdvanceDealError>>> = asked.iter().map(|_| None).collect();
    for round in rounds(asked) {
        let known = Known::gather(uow, round.iter().map(|at| asked[*at].command.deal))?;
        let mut batch = Changes::default();
        let mut taken: Vec<(usize, Learned<'_>)> = Vec::new();
        for at in round {
            match take(&mut batch, env, &known, asked[at]) {
                Ok(Taken::Learned(learned)) => taken.push((at, *learned)),
                Ok(Taken::Done(advanced)) => outcomes[at] = Some(Ok(*advanced)),
                Err(error) => outcomes[at] = Some(Err(error)),
            }
        }
        let ready: Vec<&Ready<'_>> = taken.iter().map(|(_, learned)| &learned.ready).collect();
        let worked = recalculate::work_out(uow, env, &known.versions, &ready, &mut batch)?;
        for ((at, learned), worked) in taken.into_iter().zip(worked) {
            let Learned { ready, said } = learned;
            let kept = |worked| keep(&mut batch, env, ready.deal, said, Some(worked));
            outcomes[at] = Some(worked.map(kept).map_err(AdvanceDealError::from));
        }
        batch.write(uow, env)?;
    }
    let missing = || StoreError::Failed("a command was left out".into());
    outcomes.into_iter().map(|outcome| outcome.ok_or_else(|| missing().into())).collect()
}

/// The places of the commands, parted so that each part names a deal at most once, in order.
fn rounds(asked: &[Asked<'_, AdvanceDeal>]) -> Vec<Vec<usize>> {
    let mut seen: BTreeMap<DealId, usize> = BTreeMap::new();
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    for (at, one) in asked.iter().enumerate() {
        let round = seen.entry(one.command.deal).or_default();
        if rounds.len() == *round {
            rounds.push(Vec::new());
        }
        rounds[*round].push(at);
        *round += 1;
    }
    rounds
}

/// What a round needs to know, read once.
struct Known {
    deals: BTreeMap<DealId, LockedDeal>,
    versions: Versions,
    trails: Trails,
}

impl Known {
    fn gather(uow: &mut dyn UnitOfWork, deals: impl Iterator<Item = DealId>) -> Result<Self, StoreError> {
        let mut ids: Vec<DealId> = deals.collect();
        ids.sort_unstable();
        let versions = Versions::of_deals(uow, &ids)?;
        versions.lock_counters(uow)?;
        let deals = uow.deals().lock(&ids)?;
        let trails = Trails::gather(uow, &ids)?;
        Ok(Self { trails, deals: deals.into_iter().map(|locked| (locked.deal.id, locked)).collect(), versions })
    }
}

/// A fact that a deal's commission is to be worked out from.
struct Learned<'k> {
    ready: Ready<'k>,
    said: Said,
}

/// What was said of a deal, and what its trail comes to.
struct Said {
    fact: DealFact,
    actor: Uuid,
    /// Whether it changes the deal itself; a balance alone does not.
    differs: bool,
    balance: Option<Period>,
    trail: Trail,
}

/// What became of a command before anything is worked out.
enum Taken<'k> {
    Learned(Box<Learned<'k>>),
    Done(Box<Advanced>),
}

fn take<'k>(
    batch: &mut Changes,
    env: &Env<'_>,
    known: &'k Known,
    asked: Asked<'_, AdvanceDeal>,
) -> Result<Taken<'k>, AdvanceDealError> {
    asked.actor.require(Scope::DealsWrite)?;
    let locked = known.deals.get(&asked.command.deal).filter(|locked| concerns(asked.actor, &locked.deal));
    let locked = locked.ok_or(AdvanceDealError::NotFound)?;
    asked.command.step.not_after(env.now.sydney_date()).map_err(StepError::Faults)?;
    match asked.command.step {
        Step::Decision(decision) => {
            decide(batch, env, &locked.deal, asked.actor, decision).map(|advanced| Taken::Done(Box::new(advanced)))
        }
        _ => learn(batch, env, known, locked, asked),
    }
}

fn concerns(actor: &Actor, deal: &Deal) -> bool {
    let side = ownership::side(actor, deal.provider, deal.introducer, deal.member);
    matches!(side, Side::Provider | Side::Introducer)
}

fn decide(
    batch: &mut Changes,
    env: &Env<'_>,
    before: &Deal,
    actor: &Actor,
    decision: Decision,
) -> Result<Advanced, AdvanceDealError> {
    if matches!(decision.to, Stage::Accepted | Stage::Declined)
        && ownership::side(actor, before.provider, before.introducer, before.member) != Side::Provider
    {
        return Err(AdvanceDealError::ProviderOnly);
    }
    let on = decision.on.unwrap_or_else(|| env.now.sydney_date().max(before.facts.referred_on));
    if on < before.facts.referred_on {
        let mut faults = crate::kernel::Faults::default();
        faults.push("/on", "date_out_of_order", format!("{on} is before {}", before.facts.referred_on));
        return Err(StepError::Faults(faults).into());
    }
    let mut deal = before.clone();
    let reason = decision.reason.map_or("decision", super::step::DecisionReason::as_str);
    let told = Told { actor: actor.id, known_at: env.now, reason };
    let not_allowed = StepError::NotAllowed { from: deal.stage, to: decision.to };
    let transition = deal.decide(decision.to, on, &told).ok_or(not_allowed)?;
    batch.transitions.push(transition.clone());
    batch.changed.push(deal.clone());
    Ok(Advanced { deal, fact: None, calculation: None, transitions: vec![transition] })
}

fn learn<'k>(
    batch: &mut Changes,
    env: &Env<'_>,
    known: &'k Known,
    locked: &'k LockedDeal,
    asked: Asked<'_, AdvanceDeal>,
) -> Result<Taken<'k>, AdvanceDealError> {
    let mut deal = locked.deal.clone();
    let step = &asked.command.step;
    let facts = step.facts_after(&deal)?;
    let milestones = step.milestones_after(&deal)?;
    let balance = step.balance_after(&deal, known.trails.balance(deal.id, step))?;
    let differs = facts != deal.facts || milestones != deal.milestones;
    if !differs && balance.is_none() {
        let advanced = Advanced { deal, fact: None, calculation: None, transitions: Vec::new() };
        return Ok(Taken::Done(Box::new(advanced)));
    }
    let needs_seal = facts.settlement.is_some() || matches!(step, Step::Milestone(_) | Step::Balance(_));
    if needs_seal && !locked.sealed {
        return Err(AdvanceDealError::NotSealed);
    }
    (deal.facts, deal.milestones) = (facts, milestones);
    let sold = Sold { vertical: locked.vertical, product: &locked.product };
    let version = known.versions.of(locked.vertical, deal.agreement, deal.provider, &facts).filter(|_| locked.sealed);
    if version.is_none() && facts.settlement.is_some() {
        return Err(AdvanceDealError::NoAgreement);
    }
    let fact = kept_fact(env, &deal, asked, &locked.deal)?;
    let trail = match version {
        Some(version) => known.trails.calculated(env, &deal, sold, version, balance)?,
        None => Trail::default(),
    };
    let said = Said { fact, actor: asked.actor.id, differs, balance, trail };
    // A balance alone moves neither the deal nor what it comes to itself.
    Ok(match version.filter(|_| differs) {
        Some(version) => Taken::Learned(Box::new(Learned { ready: Ready { deal, sold, version }, said })),
        None => Taken::Done(Box::new(keep(batch, env, deal, said, None))),
    })
}

/// Gathers what was learned of a deal, with what it comes to itself if that was worked out.
fn keep(
    batch: &mut Changes,
    env: &Env<'_>,
    mut deal: Deal,
    said: Said,
    own: Option<(StoredCalculation, CalculationOutput)>,
) -> Advanced {
    let Said { fact, actor, differs, balance, trail } = said;
    let fact_id = fact.id;
    let reversed = trail.reversed || own.as_ref().is_some_and(|(_, output)| output.reversed);
    let told = Told { actor, known_at: env.now, reason: fact.kind };
    let transitions = if differs { deal.follow_facts(reversed, &told) } else { Vec::new() };
    let worked_out: Vec<_> = own.into_iter().chain(trail.calculated).collect();
    let calculation = worked_out.first().map(|(calculation, _)| calculation.id);
    batch.balances.extend(balance.map(|period| SaidBalance { deal: deal.id, period, fact: fact_id }));
    batch.facts.push(fact);
    batch.transitions.extend(transitions.iter().cloned());
    if differs {
        batch.changed.push(deal.clone());
    }
    batch.calculated.extend(worked_out.into_iter().map(|worked| Calculated::of(&deal, worked)));
    Advanced { deal, fact: Some(fact_id), calculation, transitions }
}

/// The fact as it is kept: of the deal's own facts all that are known, of a milestone or a balance what was said.
fn kept_fact(
    env: &Env<'_>,
    deal: &Deal,
    asked: Asked<'_, AdvanceDeal>,
    before: &Deal,
) -> Result<DealFact, AdvanceDealError> {
    let (facts, step) = (&deal.facts, &asked.command.step);
    let dates = [facts.discharged_on, facts.settlement.map(|s| s.on), facts.contracted_on];
    let occurred_on = match step {
        Step::Contract { on } | Step::Discharge { on } => *on,
        Step::Settlement(settlement) => settlement.on,
        Step::Milestone(Reached { name, on, .. }) => {
            on.or_else(|| before.milestones.get(name).copied()).unwrap_or(facts.referred_on)
        }
        Step::Balance(balance) => balance.period.ends_on(),
        Step::Correction(_) | Step::Decision(_) => dates.into_iter().flatten().next().unwrap_or(facts.referred_on),
    };
    let body = match step {
        Step::Milestone(reached) => jcs::to_bytes(reached),
        Step::Balance(balance) => jcs::to_bytes(balance),
        _ => jcs::to_bytes(facts),
    };
    Ok(DealFact {
        id: env.ids.next(),
        deal: deal.id,
        kind: step.fact_kind().unwrap_or("correction"),
        body: body.map_err(|_| AdvanceDealError::OutOfRange)?,
        occurred_on,
        known_at: env.now,
        source: asked.actor.organisation.unwrap_or(deal.source),
        import: None,
    })
}
