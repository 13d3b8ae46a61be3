//! The running totals and limits that a version asks for: which ones a deal touches.

use super::plan::{CounterOf, Plan, PlannedCounter};
use crate::agreements::facts::{CalculationInput, Counter, CounterKey, Standing};
use crate::agreements::model::{AccumulatorScope, GoverningDate, Measure, Role, Unwound};
use crate::kernel::ids::MemberId;
use crate::kernel::money::MoneyError;
use jiff::civil::Date;

impl Plan {
    /// The date that governs the deal, when it is known.
    #[must_use]
    pub fn governing_on(&self, input: &CalculationInput<'_>) -> Option<Date> {
        match self.governing {
            GoverningDate::Referred => Some(input.facts.referred_on),
            GoverningDate::Contracted => input.facts.contracted_on,
            GoverningDate::Settled => input.facts.settlement.map(|settlement| settlement.on),
        }
    }

    /// The counters that the deal touches, in the order in which a calculation wants them; none for a period of a
    /// trail, nor before the date that governs is known. A scope of no letters is nobody's.
    #[must_use]
    pub fn counter_keys(&self, input: &CalculationInput<'_>) -> Vec<CounterKey> {
        let Some(on) = self.governing_on(input).filter(|_| input.period.is_none()) else { return Vec::new() };
        let key = |counter: &PlannedCounter| CounterKey {
            counter: counter.name.clone(),
            scope: scope(input, counter.of),
            window_from: counter.window.first_day(on),
        };
        self.counters.iter().map(key).collect()
    }

    /// The names of all its counters, in its order.
    pub fn counter_names(&self) -> impl Iterator<Item = &str> {
        self.counters.iter().map(|counter| counter.name.as_str())
    }

    /// Whether the counters are those of the plan, in its order.
    pub(super) fn fits(&self, counters: &[Counter]) -> bool {
        counters.is_empty()
            || (counters.len() == self.counters.len()
                && counters.iter().zip(&self.counters).all(|(given, planned)| given.key.counter == planned.name))
    }
}

fn scope(input: &CalculationInput<'_>, of: CounterOf) -> String {
    match of {
        CounterOf::Accumulator { scope, .. } => match scope {
            AccumulatorScope::Member => input.member.to_string(),
            AccumulatorScope::Organisation => input.introducer.unwrap_or_default().to_owned(),
            AccumulatorScope::Product => input.product.as_str().to_owned(),
            AccumulatorScope::Vertical => input.vertical.to_string(),
            AccumulatorScope::Cohort => input.cohort.unwrap_or_default().to_owned(),
        },
        CounterOf::Limit { role } => {
            let member = participant(input, role.unwrap_or(Role::Member));
            member.map(|member| member.to_string()).unwrap_or_default()
        }
    }
}

/// Who has a role in the deal; nobody for the platform. An upline who is the referrer is nobody.
pub(in crate::agreements::evaluate) fn participant(input: &CalculationInput<'_>, role: Role) -> Option<MemberId> {
    let nth = |members: &[MemberId], n: u8| members.get(usize::from(n).checked_sub(1)?).copied();
    match role {
        Role::Member => Some(input.member),
        Role::Upline(level) if input.own_uplines.contains(&level) => None,
        Role::Upline(level) => nth(input.uplines, level),
        Role::Participant(n) => nth(input.participants, n),
        Role::Platform => None,
    }
}

/// What a running total adds up; none for a limit.
pub(super) const fn measure_of(counter: &PlannedCounter) -> Option<Measure> {
    match counter.of {
        CounterOf::Accumulator { measure, .. } => Some(measure),
        CounterOf::Limit { .. } => None,
    }
}

/// What a deal adds to a running total.
pub(super) fn contribution(input: &CalculationInput<'_>, counter: &PlannedCounter) -> i64 {
    match counter.of {
        CounterOf::Accumulator { unwound: Unwound::LeftOut, .. } if input.facts.discharged_on.is_some() => 0,
        CounterOf::Accumulator { measure, .. } => input.facts.measure(measure).unwrap_or(0),
        CounterOf::Limit { .. } => 0,
    }
}

/// Where the running totals stand with this deal in them; limits follow as they are met.
pub(super) fn with_this_deal(
    plan: &Plan,
    input: &CalculationInput<'_>,
    after: &mut Vec<Standing>,
) -> Result<(), super::EvaluateError> {
    after.clear();
    for (given, planned) in input.counters.iter().zip(&plan.counters) {
        let mut standing = given.before;
        let more = contribution(input, planned);
        standing.total = standing.total.checked_add(more).ok_or(MoneyError::OutOfRange)?;
        standing.awards = standing.awards.checked_add(i64::from(more != 0)).ok_or(MoneyError::OutOfRange)?;
        after.push(standing);
    }
    Ok(())
}
