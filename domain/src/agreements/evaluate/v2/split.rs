//! Among whom the whole of a component goes.

use jiff::civil::Date;

use super::counters::participant;
use super::limits::told;
use super::plan::{Plan, Planned};
use crate::agreements::evaluate::{EvaluateError, Tracer, percent};
use crate::agreements::facts::{CalculationInput, Standing};
use crate::agreements::model::Role;
use crate::kernel::Money;
use crate::kernel::money::MoneyError;

/// Shares the whole by largest remainder, passes on what is absent, then applies the limits of roles.
pub(super) fn parts(
    plan: &Plan,
    input: &CalculationInput<'_>,
    component: &Planned,
    (whole, on): (i64, Option<Date>),
    after: &mut [Standing],
    parts: &mut Vec<i64>,
    tracer: &mut impl Tracer,
) -> Result<(), EvaluateError> {
    largest_remainder(whole, &component.weights, parts)?;
    for (share, part) in component.shares.iter().zip(parts.iter()) {
        let (role, part) = (share.role, Money::aud(*part));
        let shown = || format!("{role} {} = {part}, by largest remainder", percent(share.size));
        tracer.tell(&component.key, "split", || vec![role], shown);
    }
    for (place, share) in component.shares.iter().enumerate() {
        if is_present(input, share.role) {
            continue;
        }
        let to = present(input, component, place)?;
        let moved = std::mem::take(&mut parts[place]);
        parts[to] = parts[to].checked_add(moved).ok_or(MoneyError::OutOfRange)?;
        tracer.tell(
            &component.key,
            "absent",
            || vec![component.shares[to].role],
            || {
                let why = match share.role {
                    Role::Upline(level) if input.own_uplines.contains(&level) => "is the referrer (self_override)",
                    _ => "is not there",
                };
                format!("{} {why}: {} goes to {}", share.role, Money::aud(moved), component.shares[to].role)
            },
        );
    }
    for limit in &component.role_limits {
        let Some(place) = limit.share.filter(|place| is_present(input, component.shares[*place].role)) else {
            continue;
        };
        let Some(excess_to) = component.shares[place].excess_to else { continue };
        let to = if is_present(input, component.shares[excess_to].role) {
            excess_to
        } else {
            present(input, component, excess_to)?
        };
        let part = parts[place];
        let limited = limit.apply(plan, on, part, after)?;
        // A top-up is paid by the other one, as far as it has something.
        let minor = if to == place { part } else { limited.minor.min(part.saturating_add(parts[to].max(0))) };
        if minor != part {
            told(limit, component, Some(component.shares[place].role), (part, minor), tracer);
            let moved = part.checked_sub(minor).ok_or(MoneyError::OutOfRange)?;
            parts[place] = minor;
            parts[to] = parts[to].checked_add(moved).ok_or(MoneyError::OutOfRange)?;
            let both = || vec![component.shares[place].role, component.shares[to].role];
            tracer.tell(&component.key, "excess", both, || {
                let (from, other) = (component.shares[place].role, component.shares[to].role);
                let (from, other) = if moved >= 0 { (from, other) } else { (other, from) };
                format!("{} goes from {from} to {other}", Money::aud(moved.abs()))
            });
        }
        if let Some((counter, mut standing)) = limited.after {
            standing.paid += minor - limited.minor;
            after[counter] = standing;
        }
    }
    Ok(())
}

fn is_present(input: &CalculationInput<'_>, role: Role) -> bool {
    role == Role::Platform || participant(input, role).is_some()
}

/// The first that is there, by `absent_to`; checked content always has one.
fn present(input: &CalculationInput<'_>, component: &Planned, from: usize) -> Result<usize, EvaluateError> {
    let mut at = from;
    for _ in 0..component.shares.len() {
        at = component.shares[at].absent_to.ok_or(EvaluateError::Content(1))?;
        if is_present(input, component.shares[at].role) {
            return Ok(at);
        }
    }
    Err(EvaluateError::Content(1))
}

/// As [`crate::kernel::split::largest_remainder`], into a buffer: the weights sum to one million.
fn largest_remainder(whole: i64, weights: &[u64], parts: &mut Vec<i64>) -> Result<(), MoneyError> {
    const TOTAL: u64 = crate::kernel::rate::WHOLE_PPM as u64;
    parts.clear();
    let magnitude = whole.unsigned_abs();
    let part_of = |weight: u64| match magnitude.checked_mul(weight) {
        Some(exact) => (exact / TOTAL, exact % TOTAL),
        None => {
            let exact = u128::from(magnitude) * u128::from(weight);
            // At most the whole, as no weight is above one million; the remainder is below it.
            let narrowed = |part: u128| u64::try_from(part).unwrap_or(u64::MAX);
            (narrowed(exact / u128::from(TOTAL)), narrowed(exact % u128::from(TOTAL)))
        }
    };
    let mut given = 0_u64;
    for weight in weights {
        let part = part_of(*weight).0;
        given = given.checked_add(part).ok_or(MoneyError::OutOfRange)?;
        parts.push(i64::try_from(part).map_err(|_| MoneyError::OutOfRange)?);
    }
    // At most one cent a share is missing; each goes to the largest remainder that has not had one.
    let mut missing = magnitude.saturating_sub(given);
    let mut had: u32 = 0;
    while missing > 0 {
        let mut best: Option<(u64, usize)> = None;
        for (place, weight) in weights.iter().enumerate() {
            let remainder = part_of(*weight).1;
            if had & (1 << place) == 0 && best.is_none_or(|(most, _)| remainder > most) {
                best = Some((remainder, place));
            }
        }
        let Some((_, place)) = best else { return Err(MoneyError::OutOfRange) };
        parts[place] += 1;
        had |= 1 << place;
        missing -= 1;
    }
    if whole < 0 {
        parts.iter_mut().for_each(|part| *part = -*part);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_buffer_comes_to_what_the_kernel_splits(
            whole in prop_oneof![0_i64..1_000_000_000, 0_i64..=i64::MAX], cuts in prop::collection::vec(0_u64..=1_000_000, 0..15),
        ) {
            let mut cuts = cuts;
            cuts.extend([0, 1_000_000]);
            cuts.sort_unstable();
            let weights: Vec<u64> = cuts.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let mut parts = Vec::new();
            largest_remainder(whole, &weights, &mut parts).expect("it splits");
            let expected = crate::kernel::split::largest_remainder(Money::aud(whole), &weights).expect("it splits");
            prop_assert_eq!(parts, expected.into_iter().map(Money::minor).collect::<Vec<_>>());
        }
    }
}
