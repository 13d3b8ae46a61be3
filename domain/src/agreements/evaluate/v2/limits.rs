//! Caps, floors and counts, of a deal by itself or over a window.
//!
//! Over a window the total is limited, not each deal: what was earned before counts in, and each deal gets the
//! difference. So the sum over the window is the same however the deals are cut up.

use jiff::civil::Date;

use super::plan::{Plan, Planned, PlannedLimit};
use crate::agreements::evaluate::{EvaluateError, Tracer};
use crate::agreements::facts::Standing;
use crate::agreements::model::{Proration, Role, measure::days_between};
use crate::kernel::Money;
use crate::kernel::money::MoneyError;
use crate::kernel::rate::divide_half_away;

/// What a limit leaves of an amount.
pub(super) struct Limited {
    pub(super) minor: i64,
    /// Where the window stands then.
    pub(super) after: Option<(usize, Standing)>,
}

impl PlannedLimit {
    /// Whether the window has had all its deals.
    pub(super) fn count_reached(&self, after: &[Standing]) -> bool {
        let awards = self.counter.and_then(|counter| after.get(counter)).map(|standing| standing.awards);
        self.max_count.zip(awards).is_some_and(|(most, awards)| awards >= i64::from(most))
    }

    /// Whether the limit needs a window that is not known yet.
    pub(super) fn waits(&self, after: &[Standing]) -> bool {
        self.counter.is_some_and(|counter| counter >= after.len())
    }

    pub(super) fn apply(
        &self,
        plan: &Plan,
        on: Option<Date>,
        minor: i64,
        after: &[Standing],
    ) -> Result<Limited, MoneyError> {
        let cap = self.prorated(plan, on, self.cap);
        let floor = self.prorated(plan, on, self.floor);
        let within = |total: i64| total.max(floor.unwrap_or(total)).min(cap.unwrap_or(i64::MAX));
        let Some(counter) = self.counter else { return Ok(Limited { minor: within(minor), after: None }) };
        let before = after.get(counter).copied().unwrap_or_default();
        let total = before.total.checked_add(minor).ok_or(MoneyError::OutOfRange)?;
        let paid = within(total).max(before.paid);
        let awards = before.awards.checked_add(1).ok_or(MoneyError::OutOfRange)?;
        let minor = paid.checked_sub(before.paid).ok_or(MoneyError::OutOfRange)?;
        Ok(Limited { minor, after: Some((counter, Standing { total, paid, awards })) })
    }

    /// A cap or floor, less when the version governs only a part of the window.
    fn prorated(&self, plan: &Plan, on: Option<Date>, amount: Option<i64>) -> Option<i64> {
        let amount = amount?;
        let shrinks = self.proration == Proration::DaysInForce;
        let (Some(window), Some(on), true) = (self.span.window(), on, shrinks) else { return Some(amount) };
        let (Some(last), Some(days)) = (window.last_day(on), window.days(on)) else { return Some(amount) };
        let from = window.first_day(on).max(plan.from);
        let until = plan.until.map_or(last, |until| until.min(last));
        let in_force = days_between(from, until).unwrap_or(0);
        // In force at most every day: never more than the amount.
        i64::try_from(divide_half_away(i128::from(amount) * i128::from(in_force), i128::from(days))).ok()
    }
}

/// The whole of a component within its limits.
pub(super) fn whole(
    plan: &Plan,
    component: &Planned,
    on: Option<Date>,
    mut minor: i64,
    after: &mut [Standing],
    tracer: &mut impl Tracer,
) -> Result<i64, EvaluateError> {
    for limit in &component.whole_limits {
        let limited = limit.apply(plan, on, minor, after)?;
        if limited.minor != minor {
            told(limit, component, None, (minor, limited.minor), tracer);
        }
        minor = limited.minor;
        if let Some((counter, standing)) = limited.after {
            after[counter] = standing;
        }
    }
    Ok(minor)
}

/// Tells what a limit did to a role's part, or to the whole.
pub(super) fn told(
    limit: &PlannedLimit,
    component: &Planned,
    role: Option<Role>,
    (from, to): (i64, i64),
    tracer: &mut impl Tracer,
) {
    let (step, bound, most) = if to < from { ("cap", limit.cap, "most") } else { ("floor", limit.floor, "least") };
    let of = || role.map_or_else(|| component.roles(), |role| vec![role]);
    tracer.tell(&component.key, step, of, || {
        let whose = role.map_or_else(|| "all together".to_owned(), |role| role.to_string());
        let bound = bound.map_or_else(String::new, |bound| Money::aud(bound).to_string());
        let span = limit.span.window().map_or_else(|| "the deal".to_owned(), |window| format!("the {}", window.name()));
        format!("{whose}: at {most} {bound} for {span}: {} becomes {}", Money::aud(from), Money::aud(to))
    });
}
