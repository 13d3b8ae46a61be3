//! What a simulation found. Whole minor units and counts throughout; the same run gives the same bytes.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::spread::Spread;
use super::tally::Amounts;

/// Winners, losers and largest participants that a report names.
pub const MOST_NAMED: usize = 20;
/// The hundredths that a report reads off a spread.
const HUNDREDTHS: [u8; 11] = [0, 1, 5, 10, 25, 50, 75, 90, 95, 99, 100];

macro_rules! said {
    ($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        pub struct $name { $($(#[$field_meta])* pub $field: $type,)* }
    };
}

said!(/// What a simulation found.
SimulationReport {
    /// Over which deals.
    population: PopulationReport,
    /// What comes of them: first as things are, then by each candidate.
    scenarios: Vec<ScenarioReport>,
    /// Each candidate beside what is active, in the same order.
    comparisons: Vec<CandidateComparison>,
    /// Who gets most of it.
    participants: ParticipantsReport,
    /// How sure the figures are, of several runs of a synthetic flow.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    monte_carlo: Option<MonteCarlo>,
});

said!(/// Over which deals.
PopulationReport {
    /// `history` or `synthetic`.
    kind: String,
    /// What chance was drawn from.
    seed: u64,
    /// Deals that were worked out, those that occur several times counted so often.
    deals: u64,
    /// Of these, those that settled.
    settled: u64,
    /// Of these, those that unwound.
    unwound: u64,
    /// Left out, since no version was in force.
    ungoverned: u64,
    /// Left out, since amounts or dates went out of range.
    out_of_range: u64,
    /// Months of a trail that were worked out.
    trail_months: u64,
});

said!(/// Sums of amounts, in minor units.
AmountsReport {
    /// Earned, the platform's share included.
    earned_minor: i64,
    /// Taken back of it.
    clawed_back_minor: i64,
    /// What stays of the two for the platform.
    platform_minor: i64,
    /// What stays for members, uplines and other participants.
    participants_minor: i64,
});

said!(/// Sums of a vertical or a cohort.
NamedAmounts {
    /// Its code; `none` for deals of members without a cohort.
    name: String,
    /// What comes of its deals.
    amounts: AmountsReport,
});

said!(/// What may be paid in a month, less what is taken back in it.
MonthCash {
    /// Its first day.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    month: Date,
    /// To members, uplines and other participants.
    participants_minor: i64,
    /// What the platform keeps.
    platform_minor: i64,
});

said!(/// One scenario.
ScenarioReport {
    /// `active`, or the candidate's name.
    name: String,
    /// SHA-256 of the candidate's content as it was worked with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    content_sha256: Option<String>,
    /// In all.
    totals: AmountsReport,
    /// By vertical, those without any deal left out.
    by_vertical: Vec<NamedAmounts>,
    /// By cohort of the member who referred.
    by_cohort: Vec<NamedAmounts>,
    /// Cash by month: earned in the month from which it may be paid, taken back in the month of the unwinding.
    cash_by_month: Vec<MonthCash>,
    /// The month in which most has to be paid to participants; the first of equal ones.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    worst_month: Option<MonthCash>,
});

said!(/// How amounts are spread: at so many hundredths of the way from the least to the most (nearest rank; beyond
/// 20.48 in either direction exact to 0.1 %, least and most exact).
Percentiles {
    /// The least.
    least_minor: i64,
    /// One hundredth is at most this.
    p1_minor: i64,
    /// Five hundredths.
    p5_minor: i64,
    /// A tenth.
    p10_minor: i64,
    /// A quarter.
    p25_minor: i64,
    /// Half.
    p50_minor: i64,
    /// Three quarters.
    p75_minor: i64,
    /// Nine tenths.
    p90_minor: i64,
    /// 95 hundredths.
    p95_minor: i64,
    /// 99 hundredths.
    p99_minor: i64,
    /// The most.
    most_minor: i64,
});

said!(/// A participant and the difference to what is active.
ParticipantDifference {
    /// The member.
    member_id: String,
    /// As things are.
    active_minor: i64,
    /// By the candidate.
    candidate_minor: i64,
    /// The difference.
    difference_minor: i64,
});

said!(/// A candidate beside what is active; differences are the candidate's less the active.
CandidateComparison {
    /// The candidate's name.
    name: String,
    /// Of everything that stays.
    difference_minor: i64,
    /// Of what stays for participants.
    participants_difference_minor: i64,
    /// Of what stays for the platform.
    platform_difference_minor: i64,
    /// Deals of which any line is another.
    changed_deals: u64,
    /// Lines that are others.
    changed_lines: u64,
    /// The differences of changed deals, of what stays for participants.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    deal_percentiles: Option<Percentiles>,
    /// Participants who get more.
    winners: u64,
    /// Participants who get less.
    losers: u64,
    /// Participants who get the same.
    unchanged: u64,
    /// The differences of all participants.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    participant_percentiles: Option<Percentiles>,
    /// Those who win most.
    top_winners: Vec<ParticipantDifference>,
    /// Those who lose most.
    top_losers: Vec<ParticipantDifference>,
});

said!(/// What a participant gets in each scenario.
ParticipantAmounts {
    /// The member.
    member_id: String,
    /// In the order of the scenarios.
    net_minor: Vec<i64>,
});

said!(/// Who gets most.
ParticipantsReport {
    /// How many get anything, or would have.
    count: u64,
    /// Those who get most as things are.
    largest: Vec<ParticipantAmounts>,
    /// All others together, in the order of the scenarios.
    others_minor: Vec<i64>,
});

said!(/// Between which amounts runs lie: a twentieth of them is below the first, and so on (nearest rank).
Band {
    /// 5 hundredths of the runs.
    p5_minor: i64,
    /// A quarter.
    p25_minor: i64,
    /// Half.
    p50_minor: i64,
    /// Three quarters.
    p75_minor: i64,
    /// 95 hundredths.
    p95_minor: i64,
});

said!(/// What participants are paid in a month, over all runs.
MonthBand {
    /// Its first day.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    month: Date,
    /// To members, uplines and other participants.
    participants: Band,
});

said!(/// One scenario over all runs.
ScenarioBands {
    /// `active`, or the candidate's name.
    name: String,
    /// What stays for participants.
    participants: Band,
    /// What stays for the platform.
    platform: Band,
    /// Cash by month.
    cash_by_month: Vec<MonthBand>,
});

said!(/// How sure the figures are.
MonteCarlo {
    /// How many runs; the report's other figures are those of the first.
    runs: u32,
    /// Deals of all runs.
    deals: u64,
    /// By scenario.
    scenarios: Vec<ScenarioBands>,
});

impl From<Amounts> for AmountsReport {
    fn from(amounts: Amounts) -> Self {
        Self {
            earned_minor: amounts.earned_minor,
            clawed_back_minor: amounts.clawed_back_minor,
            platform_minor: amounts.platform_minor,
            participants_minor: amounts.participants_minor,
        }
    }
}

impl Percentiles {
    /// Reads them off; none of nothing.
    #[must_use]
    pub fn of(spread: &Spread) -> Option<Self> {
        let read: [i64; HUNDREDTHS.len()] = spread.at(&HUNDREDTHS)?.try_into().ok()?;
        let [
            least_minor,
            p1_minor,
            p5_minor,
            p10_minor,
            p25_minor,
            p50_minor,
            p75_minor,
            p90_minor,
            p95_minor,
            p99_minor,
            most_minor,
        ] = read;
        Some(Self {
            least_minor,
            p1_minor,
            p5_minor,
            p10_minor,
            p25_minor,
            p50_minor,
            p75_minor,
            p90_minor,
            p95_minor,
            p99_minor,
            most_minor,
        })
    }
}

impl Band {
    /// The band of these amounts, in any order; zero of none.
    #[must_use]
    pub fn of(mut amounts: Vec<i64>) -> Self {
        amounts.sort_unstable();
        let at = |hundredths: usize| {
            let rank = (amounts.len() * hundredths).div_ceil(100).max(1);
            amounts.get(rank - 1).copied().unwrap_or_default()
        };
        Self { p5_minor: at(5), p25_minor: at(25), p50_minor: at(50), p75_minor: at(75), p95_minor: at(95) }
    }
}
