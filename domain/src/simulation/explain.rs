//! Why a deal comes to what it does in each scenario: its lines and every step, worked out again.

use super::SimulationError;
use super::changes::ChangedDeal;
use super::population::{Chunk, PopulationDeal};
use super::run::Simulation;
use super::simulator::draws_of;
use crate::agreements::evaluate::{self, Line, NonAward, TraceStep};
use crate::agreements::facts::{CalculationInput, DealFacts, Period};
use crate::agreements::version::GoverningVersion;

/// A deal in one scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// What is earned, by whom.
    pub lines: Vec<Line>,
    /// What pays nothing, and why.
    pub non_awards: Vec<NonAward>,
    /// How that came about.
    pub steps: Vec<TraceStep>,
    /// What stays for participants; another sum than the simulation's when facts or versions have changed since.
    pub net_minor: i64,
}

/// Works a changed deal out again, in each scenario; none when it is not governed any more.
///
/// # Errors
/// [`SimulationError::OutOfRange`] when its amounts went out of range.
pub fn explain(
    simulation: &Simulation,
    chunk: &Chunk,
    change: &ChangedDeal,
) -> Result<Option<Vec<Explained>>, SimulationError> {
    let found = chunk.deals.iter().find(|deal| deal.id == change.deal);
    let Some((deal, sold)) = found.and_then(|deal| Some((deal, chunk.product(deal)?))) else { return Ok(None) };
    let shocks = &simulation.shocks;
    let facts = if shocks.is_none() {
        deal.facts
    } else {
        shocks.facts(&deal.facts, &mut draws_of(simulation.seed, deal, u64::from(change.occurrence) + 1))?
    };
    let scenarios = &simulation.scenarios;
    let Some(active) = scenarios.active(sold.vertical, deal, &facts) else { return Ok(None) };
    let explained = (0..scenarios.count()).map(|scenario| {
        let version = scenarios.candidate(scenario, sold.vertical).unwrap_or(active);
        let counters = change.counters.get(scenario).map(Vec::as_slice).unwrap_or_default();
        let input = chunk.input(deal, facts, sold, version);
        in_scenario(simulation, chunk, deal, &facts, &CalculationInput { counters, ..input }, version)
    });
    explained.collect::<Result<Vec<_>, _>>().map(Some)
}

fn in_scenario(
    simulation: &Simulation,
    chunk: &Chunk,
    deal: &PopulationDeal,
    facts: &DealFacts,
    input: &CalculationInput<'_>,
    version: &GoverningVersion,
) -> Result<Explained, SimulationError> {
    let failed = |_| SimulationError::OutOfRange;
    let (output, mut steps) = evaluate::trace(input).map_err(failed)?;
    let (mut lines, mut non_awards) = (output.lines, output.non_awards);
    let fell_through = deal.facts.settlement.is_some() && facts.settlement.is_none();
    if version.plan().is_ok_and(|plan| plan.has_trail()) && !fell_through {
        for period in deal.balances.among(&chunk.balances) {
            let balance = simulation.shocks.size.of(period.balance)?;
            let of_period =
                CalculationInput { period: Some(Period { balance, ..*period }), counters: &[], ..input.clone() };
            let (output, more) = evaluate::trace(&of_period).map_err(failed)?;
            lines.extend(output.lines);
            non_awards.extend(output.non_awards);
            steps.extend(more);
        }
    }
    let of_participants = lines.iter().filter(|line| line.participant.is_some());
    let net_minor = of_participants.map(|line| line.earned.minor() - line.clawed_back.minor()).sum();
    Ok(Explained { lines, non_awards, steps, net_minor })
}
