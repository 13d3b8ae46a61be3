//! One deal in one scenario: its lines, with the running totals that came before it.

use jiff::civil::Date;

use super::population::{Chunk, PopulationDeal, SoldProduct};
use crate::agreements::evaluate::v2::{Plan, Scratch};
use crate::agreements::evaluate::{EvaluateError, Silent};
use crate::agreements::facts::{CalculationInput, Counter, DealFacts, Period};
use crate::agreements::model::Role;
use crate::agreements::replay::Replay;
use crate::agreements::version::GoverningVersion;
use crate::kernel::Rate;
use crate::kernel::ids::{AgreementId, MemberId};

/// What one participant would get of one deal, or of one month of its trail, by one component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimulatedLine {
    /// In which role.
    pub role: Role,
    /// Who; none for the platform.
    pub participant: Option<MemberId>,
    /// What is earned, in minor units.
    pub earned: i64,
    /// What is taken back of it.
    pub clawed_back: i64,
    /// The first day on which it may be paid.
    pub payable_on: Date,
    /// The month of a trail.
    pub period: Option<Date>,
}

impl SimulatedLine {
    /// What stays.
    #[must_use]
    pub const fn net(&self) -> i64 {
        self.earned - self.clawed_back
    }
}

/// One deal as a scenario takes it.
pub(super) struct Taken<'a> {
    pub(super) deal: &'a PopulationDeal,
    /// After what a shock did to them.
    pub(super) facts: DealFacts,
    pub(super) sold: &'a SoldProduct,
    /// So many times are balances what they were.
    pub(super) size: Rate,
}

/// Works out deal after deal of one scenario.
#[derive(Debug, Default)]
pub(super) struct Desk {
    replays: Vec<(AgreementId, Replay)>,
    scratch: Scratch,
    /// Of the last deal.
    pub(super) lines: Vec<SimulatedLine>,
    /// Where the counters stood before the last deal.
    pub(super) counters: Vec<Counter>,
}

impl Desk {
    /// Works out the deal and the periods of its trail.
    pub(super) fn work(
        &mut self,
        chunk: &Chunk,
        taken: &Taken<'_>,
        version: &GoverningVersion,
    ) -> Result<(), EvaluateError> {
        let deal = taken.deal;
        let plan = version.plan().map_err(|findings| EvaluateError::Content(findings.len()))?;
        self.lines.clear();
        self.counters.clear();
        let input = chunk.input(deal, taken.facts, taken.sold, version);
        if plan.has_counters() {
            self.counted(plan, &input)?;
        } else {
            plan.evaluate(&input, &mut self.scratch, &mut Silent)?;
        }
        self.keep(None);
        // A deal that a shock has fall through has no balances either.
        let fell_through = deal.facts.settlement.is_some() && taken.facts.settlement.is_none();
        if plan.has_trail() && !fell_through {
            for period in deal.balances.among(&chunk.balances) {
                let balance = taken.size.of(period.balance)?;
                let of_period = CalculationInput { period: Some(Period { balance, ..*period }), ..input.clone() };
                plan.evaluate(&of_period, &mut self.scratch, &mut Silent)?;
                self.keep(Some(period.month));
            }
        }
        Ok(())
    }

    fn counted(&mut self, plan: &Plan, input: &CalculationInput<'_>) -> Result<(), EvaluateError> {
        let agreement = input.version.agreement();
        let place = self.replays.iter().position(|(of, _)| *of == agreement);
        let place = place.unwrap_or_else(|| {
            self.replays.push((agreement, Replay::default()));
            self.replays.len() - 1
        });
        let replay = &mut self.replays[place].1;
        self.counters = replay.counters(plan, input);
        let counted = CalculationInput { counters: &self.counters, ..input.clone() };
        plan.evaluate(&counted, &mut self.scratch, &mut Silent)?;
        replay.note(&self.counters, self.scratch.counters());
        Ok(())
    }

    fn keep(&mut self, period: Option<Date>) {
        let line = |(role, participant, earned, clawed_back, payable_on)| SimulatedLine {
            role,
            participant,
            earned,
            clawed_back,
            payable_on,
            period,
        };
        self.lines.extend(self.scratch.lines().map(line));
    }
}

/// How many lines of two outcomes of a deal are not the same.
pub(super) fn changed_lines(one: &[SimulatedLine], other: &[SimulatedLine]) -> u64 {
    if one == other {
        return 0;
    }
    let mut left: Vec<&SimulatedLine> = other.iter().collect();
    let mut missing = 0_u64;
    for line in one {
        match left.iter().position(|other| *other == line) {
            Some(place) => drop(left.swap_remove(place)),
            None => missing += 1,
        }
    }
    missing.max(left.len() as u64)
}
