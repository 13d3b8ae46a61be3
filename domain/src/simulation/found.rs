//! From sums to the report: the names in their order, the largest of everything.

use super::changes::ChangedDeal;
use super::report::{
    AmountsReport, CandidateComparison, MOST_NAMED, MonthCash, NamedAmounts, ParticipantAmounts, ParticipantDifference,
    ParticipantsReport, Percentiles, ScenarioReport, SimulationReport,
};
use super::scenario::MOST_SCENARIOS;
use super::simulator::Simulator;
use super::spread::Spread;
use super::tally::{Amounts, Cash, add, month_of};
use super::{ACTIVE, SimulationError};
use crate::catalogue::VerticalCode;
use crate::kernel::ids::MemberId;
use crate::kernel::money::MoneyError;

/// What a simulation comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The report.
    pub report: SimulationReport,
    /// The deals that change most, those first.
    pub changes: Vec<ChangedDeal>,
}

type Row = (MemberId, [i64; MOST_SCENARIOS]);

impl Simulator<'_> {
    /// Ends, and says what was found.
    ///
    /// # Errors
    /// [`SimulationError::OutOfRange`] when a difference leaves 64 bits of minor units.
    pub fn found(self) -> Result<Found, SimulationError> {
        let count = self.scenarios.count();
        let mut rows: Vec<Row> = self.participants.rows().to_vec();
        rows.sort_unstable_by_key(|(member, _)| *member);
        let comparisons: Result<Vec<CandidateComparison>, MoneyError> =
            (1..count).map(|scenario| self.comparison(scenario, &rows)).collect();
        let report = SimulationReport {
            population: self.population.clone(),
            scenarios: (0..count).map(|scenario| self.scenario(scenario)).collect(),
            comparisons: comparisons?,
            participants: participants(rows, count)?,
            monte_carlo: None,
        };
        Ok(Found { report, changes: self.changes.into_ranked() })
    }

    /// What a scenario is called.
    fn name(&self, scenario: usize) -> String {
        let candidate = scenario.checked_sub(1).and_then(|place| self.scenarios.candidates().get(place));
        candidate.map_or_else(|| ACTIVE.to_owned(), |candidate| candidate.name.clone())
    }

    fn scenario(&self, scenario: usize) -> ScenarioReport {
        let candidate = scenario.checked_sub(1).and_then(|place| self.scenarios.candidates().get(place));
        let named = |name: String, sums: &[Amounts; MOST_SCENARIOS]| {
            let is_there = sums.iter().any(|amounts| *amounts != Amounts::default());
            is_there.then(|| NamedAmounts { name, amounts: sums[scenario].into() })
        };
        let verticals = (1..=VerticalCode::LAST).filter_map(|n| VerticalCode::try_new(n).ok());
        let by_vertical = verticals
            .filter_map(|vertical| named(vertical.to_string(), &self.verticals[usize::from(vertical.number())]));
        let by_cohort = self.cohorts.iter().filter_map(|(name, sums)| named(name.clone(), sums));
        let cash: Vec<MonthCash> = self.months[scenario].by_number().filter_map(month_cash).collect();
        // The first of the equal ones.
        let worst = cash.iter().rev().max_by_key(|month| month.participants_minor);
        ScenarioReport {
            name: self.name(scenario),
            content_sha256: candidate.map(|candidate| candidate.version.content_hash().to_string()),
            totals: self.totals[scenario].into(),
            by_vertical: by_vertical.collect(),
            by_cohort: by_cohort.collect(),
            worst_month: worst.cloned(),
            cash_by_month: cash,
        }
    }

    fn comparison(&self, scenario: usize, rows: &[Row]) -> Result<CandidateComparison, MoneyError> {
        let (active, candidate) = (&self.totals[0], &self.totals[scenario]);
        let less = |more: i64, less: i64| more.checked_sub(less).ok_or(MoneyError::OutOfRange);
        let mut spread = Spread::default();
        let mut named = Vec::with_capacity(rows.len());
        for (member, nets) in rows {
            let difference = less(nets[scenario], nets[0])?;
            spread.take(difference);
            named.push((difference, *member, nets));
        }
        let winners = named.iter().filter(|(difference, ..)| *difference > 0).count() as u64;
        let losers = named.iter().filter(|(difference, ..)| *difference < 0).count() as u64;
        named.sort_unstable_by_key(|(difference, member, _)| (std::cmp::Reverse(*difference), *member));
        let shown = |(difference, member, nets): &(i64, MemberId, &[i64; MOST_SCENARIOS])| ParticipantDifference {
            member_id: member.to_string(),
            active_minor: nets[0],
            candidate_minor: nets[scenario],
            difference_minor: *difference,
        };
        let top_winners = named.iter().take_while(|(difference, ..)| *difference > 0).take(MOST_NAMED);
        let top_losers = named.iter().rev().take_while(|(difference, ..)| *difference < 0).take(MOST_NAMED);
        let differences = &self.differences[scenario - 1];
        Ok(CandidateComparison {
            name: self.name(scenario),
            difference_minor: less(candidate.net(), active.net())?,
            participants_difference_minor: less(candidate.participants_minor, active.participants_minor)?,
            platform_difference_minor: less(candidate.platform_minor, active.platform_minor)?,
            changed_deals: differences.deals,
            changed_lines: differences.lines,
            deal_percentiles: Percentiles::of(&differences.spread),
            winners,
            losers,
            unchanged: rows.len() as u64 - winners - losers,
            participant_percentiles: Percentiles::of(&spread),
            top_winners: top_winners.map(shown).collect(),
            top_losers: top_losers.map(shown).collect(),
        })
    }
}

fn month_cash((number, cash): (i32, Cash)) -> Option<MonthCash> {
    let Cash { participants_minor, platform_minor } = cash;
    Some(MonthCash { month: month_of(number)?, participants_minor, platform_minor })
}

fn participants(mut rows: Vec<Row>, count: usize) -> Result<ParticipantsReport, MoneyError> {
    rows.sort_unstable_by_key(|(member, nets)| (std::cmp::Reverse(nets[0]), *member));
    let (largest, others) = rows.split_at(rows.len().min(MOST_NAMED));
    let mut others_minor = vec![0; count];
    for (_, nets) in others {
        for (sum, net) in others_minor.iter_mut().zip(nets) {
            add(sum, *net)?;
        }
    }
    let shown =
        |(member, nets): &Row| ParticipantAmounts { member_id: member.to_string(), net_minor: nets[..count].to_vec() };
    Ok(ParticipantsReport { count: rows.len() as u64, largest: largest.iter().map(shown).collect(), others_minor })
}

impl AmountsReport {
    /// What stays in all.
    #[must_use]
    pub const fn net_minor(&self) -> i64 {
        self.earned_minor - self.clawed_back_minor
    }
}
