//! Takes deals, chunk by chunk, through every scenario, and sums up what comes of them.
//!
//! Invariants: what is found depends on the deals (and, where there are running totals, on their order), never on how
//! they are cut into chunks; nothing is kept of a deal but what [`super::changes`] keeps.

use super::SimulationError;
use super::changes::{ChangedDeal, KeptChanges};
use super::desk::{Desk, Taken, changed_lines};
use super::draws::Draws;
use super::population::{Chunk, PopulationDeal, SoldProduct};
use super::report::PopulationReport;
use super::scenario::{MOST_SCENARIOS, Scenarios};
use super::shocks::Shocks;
use super::spread::Spread;
use super::tally::{Amounts, ByName, Months, Participants};
use crate::agreements::facts::DealFacts;
use crate::catalogue::VerticalCode;

/// What is known of one candidate's differences.
#[derive(Debug, Default)]
pub(super) struct Differences {
    pub(super) deals: u64,
    pub(super) lines: u64,
    pub(super) spread: Spread,
}

/// A simulation under way.
#[derive(Debug)]
pub struct Simulator<'s> {
    pub(super) scenarios: &'s Scenarios,
    shocks: &'s Shocks,
    desks: Vec<Desk>,
    pub(super) totals: [Amounts; MOST_SCENARIOS],
    pub(super) verticals: Vec<[Amounts; MOST_SCENARIOS]>,
    pub(super) cohorts: ByName,
    pub(super) months: Vec<Months>,
    pub(super) participants: Participants,
    pub(super) differences: Vec<Differences>,
    pub(super) changes: KeptChanges,
    pub(super) population: PopulationReport,
}

impl<'s> Simulator<'s> {
    /// Begins: no deal has been taken. Keeps so many changed deals.
    #[must_use]
    pub fn new(scenarios: &'s Scenarios, shocks: &'s Shocks, seed: u64, kind: &str, changes: usize) -> Self {
        let count = scenarios.count();
        Self {
            scenarios,
            shocks,
            desks: (0..count).map(|_| Desk::default()).collect(),
            totals: Default::default(),
            verticals: vec![Default::default(); usize::from(VerticalCode::LAST) + 1],
            cohorts: ByName::new(),
            months: vec![Months::default(); count],
            participants: Participants::default(),
            differences: (1..count).map(|_| Differences::default()).collect(),
            changes: KeptChanges::new(changes),
            population: PopulationReport {
                kind: kind.to_owned(),
                seed,
                deals: 0,
                settled: 0,
                unwound: 0,
                ungoverned: 0,
                out_of_range: 0,
                trail_months: 0,
            },
        }
    }

    /// Takes the next deals.
    ///
    /// # Errors
    /// [`SimulationError::OutOfRange`] when a sum leaves 64 bits of minor units.
    pub fn take(&mut self, chunk: &Chunk) -> Result<(), SimulationError> {
        let shocked = !self.shocks.is_none();
        for deal in &chunk.deals {
            let Some(sold) = chunk.product(deal) else { continue };
            if !shocked {
                self.one(chunk, (deal, 0), deal.facts, sold)?;
                continue;
            }
            let seed = self.population.seed;
            for occurrence in 0..self.shocks.occurrences(sold, &mut draws_of(seed, deal, 0)) {
                match self.shocks.facts(&deal.facts, &mut draws_of(seed, deal, u64::from(occurrence) + 1)) {
                    Ok(facts) => self.one(chunk, (deal, occurrence), facts, sold)?,
                    Err(_) => self.population.out_of_range += 1,
                }
            }
        }
        Ok(())
    }

    fn one(
        &mut self,
        chunk: &Chunk,
        (deal, occurrence): (&PopulationDeal, u32),
        facts: DealFacts,
        sold: &SoldProduct,
    ) -> Result<(), SimulationError> {
        let Some(active) = self.scenarios.active(sold.vertical, deal, &facts) else {
            self.population.ungoverned += 1;
            return Ok(());
        };
        for (scenario, desk) in self.desks.iter_mut().enumerate() {
            let version = if scenario == 0 { Some(active) } else { self.scenarios.candidate(scenario, sold.vertical) };
            let Some(version) = version else { continue };
            if desk.work(chunk, &Taken { deal, facts, sold, size: self.shocks.size }, version).is_err() {
                self.population.out_of_range += 1;
                return Ok(());
            }
        }
        self.population.deals += 1;
        self.population.settled += u64::from(facts.settlement.is_some());
        self.population.unwound += u64::from(facts.settlement.is_some() && facts.discharged_on.is_some());
        self.population.trail_months += deal.balances.among(&chunk.balances).len() as u64;
        let net = self.sum(chunk, deal, &facts, sold)?;
        self.compare((deal, occurrence), sold.vertical, &net);
        Ok(())
    }

    /// The desk whose lines a scenario has for a vertical.
    fn desk(&self, scenario: usize, vertical: VerticalCode) -> usize {
        if self.scenarios.candidate(scenario, vertical).is_some() { scenario } else { 0 }
    }

    /// Adds the lines of a deal to every sum; gives what stays of it for participants, by scenario.
    fn sum(
        &mut self,
        chunk: &Chunk,
        deal: &PopulationDeal,
        facts: &DealFacts,
        sold: &SoldProduct,
    ) -> Result<[i64; MOST_SCENARIOS], SimulationError> {
        let mut nets = [0; MOST_SCENARIOS];
        let cohort = chunk.text(deal.cohort).unwrap_or("none");
        if !self.cohorts.contains_key(cohort) {
            self.cohorts.insert(cohort.to_owned(), Default::default());
        }
        let vertical = usize::from(sold.vertical.number());
        for scenario in 0..self.desks.len() {
            let mut sums = Amounts::default();
            for line in &self.desks[self.desk(scenario, sold.vertical)].lines {
                sums.take(line)?;
                self.months[scenario].take(line, facts.discharged_on)?;
                if let Some(member) = line.participant {
                    self.participants.take(member, scenario, line.net())?;
                }
            }
            nets[scenario] = sums.participants_minor;
            self.totals[scenario].plus(&sums)?;
            self.verticals[vertical][scenario].plus(&sums)?;
            if let Some(of_cohort) = self.cohorts.get_mut(cohort) {
                of_cohort[scenario].plus(&sums)?;
            }
        }
        // Scenarios that are not there never differ.
        let active = nets[0];
        nets[self.desks.len()..].fill(active);
        Ok(nets)
    }

    fn compare(&mut self, of: (&PopulationDeal, u32), vertical: VerticalCode, net: &[i64; MOST_SCENARIOS]) {
        let mut lines = [0; MOST_SCENARIOS];
        for scenario in 1..self.desks.len() {
            let desk = self.desk(scenario, vertical);
            let changed = if desk == 0 { 0 } else { changed_lines(&self.desks[0].lines, &self.desks[desk].lines) };
            if changed > 0 {
                let differences = &mut self.differences[scenario - 1];
                differences.deals += 1;
                differences.lines += changed;
                differences.spread.take(net[scenario].saturating_sub(net[0]));
                lines[scenario] = changed;
            }
        }
        if lines == [0; MOST_SCENARIOS] {
            return;
        }
        let count = self.desks.len();
        let desks: [usize; MOST_SCENARIOS] = std::array::from_fn(|scenario| self.desk(scenario, vertical));
        let counters = |scenario: &usize| self.desks[*scenario].counters.clone();
        self.changes.take((of.0.name, of.0.id, of.1), net, || ChangedDeal {
            deal: of.0.id,
            occurrence: of.1,
            net_minor: net[..count].to_vec(),
            changed_lines: lines[1..count].to_vec(),
            counters: desks[..count].iter().map(counters).collect(),
        });
    }
}

/// The draws of one deal: 0 for how often it occurs, then one stream for each time.
pub(super) fn draws_of(seed: u64, deal: &PopulationDeal, occurrence: u64) -> Draws {
    Draws::of(seed, &[deal.name, occurrence])
}
