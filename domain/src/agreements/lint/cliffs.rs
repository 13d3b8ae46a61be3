//! Earnings that fall as the deal grows: a search over sizes, at every boundary, one beside it and between.
//!
//! The other facts are held still at those of a made-up deal for each branch of each condition. A fall between two
//! sizes is halved until they are one apart. Bounds: [`MAX_TRIALS`] deals a version.

use super::deal::{MadeUpDeal, Trial, earned_by, mentions, ordinary, within};
use super::shown::shown;
use super::space::{Space, attribute_of, each};
use crate::agreements::evaluate::CalculationOutput;
use crate::agreements::evaluate::reason::PREDICATE_FALSE;
use crate::agreements::finding::Finding;
use crate::agreements::model::{ComponentRate, Measure, TierBasis};

/// The most deals that the search works out for one version.
const MAX_TRIALS: usize = 20_000;
/// The most deals whose facts are held still.
const MAX_BASES: usize = 32;

pub(super) fn lint(trial: &Trial<'_>, space: &Space<'_>, findings: &mut Vec<Finding>) {
    let mut left = MAX_TRIALS;
    let mut told: Vec<String> = Vec::new();
    let growing = Measure::ALL.iter().copied().filter(|measure| grows(trial, *measure));
    let growing: Vec<(Measure, Vec<i64>)> = growing.map(|measure| (measure, sizes(trial, measure))).collect();
    for base in bases(trial, space) {
        for (measure, sizes) in &growing {
            let measure = *measure;
            let mut before: Option<(i64, i64)> = None;
            for size in sizes.iter().copied() {
                if left == 0 {
                    return;
                }
                left -= 1;
                let Some(earned) = base.sized(measure, size).and_then(|deal| trial.gross(&deal)) else { continue };
                if let Some((smaller, more)) = before.filter(|(_, more)| *more > earned)
                    && let Some(pair) = narrowest(trial, &base, measure, (smaller, more), (size, earned))
                    && let Some(finding) = finding(trial, measure, &pair)
                    && !told.contains(&finding.pointer)
                {
                    told.push(finding.pointer.clone());
                    findings.push(finding);
                }
                before = Some((size, earned));
            }
        }
    }
}

/// Whether deals grow by it: everything that is told of a deal, and that somebody asks for.
fn grows(trial: &Trial<'_>, measure: Measure) -> bool {
    // With the amount the net balance grows.
    let either = [Measure::SettledAmount, Measure::NetBalance];
    match measure {
        Measure::Deals | Measure::NetBalance => false,
        Measure::SettledAmount => either.iter().any(|measure| mentions(trial.content, *measure)),
        other => mentions(trial.content, other),
    }
}

/// A made-up deal for each branch of each condition, those of a trail too.
pub(super) fn bases(trial: &Trial<'_>, space: &Space<'_>) -> Vec<MadeUpDeal> {
    let mut bases: Vec<MadeUpDeal> = Vec::new();
    for trail in [false, true] {
        if trail && !trial.plan.has_trail() {
            continue;
        }
        let Some(like) = ordinary(trial.content, trail) else { continue };
        let components = trial.content.components.iter();
        let of_kind = components.filter(|c| crate::agreements::check::is_trail(trial.content, c) == trail);
        let regions = of_kind.flat_map(|c| space.regions(&c.predicate, c).unwrap_or_default().into_iter().take(8));
        let branches = regions.filter_map(|region| within(space, &region, &like));
        for base in std::iter::once(like.clone()).chain(branches) {
            if bases.len() < MAX_BASES && !bases.contains(&base) {
                bases.push(base);
            }
        }
    }
    bases
}

/// Where something may change: at each boundary, one beside it, between two of them, and far beyond the last one.
pub(super) fn sizes(trial: &Trial<'_>, measure: Measure) -> Vec<i64> {
    let net = |other: Measure| measure == Measure::SettledAmount && other == Measure::NetBalance;
    let same = |other: Measure| other == measure || net(other);
    let mut boundaries: Vec<i64> = vec![0];
    for component in &trial.content.components {
        each(&component.predicate, &mut |attribute, value| {
            let of = Measure::ALL.iter().find(|of| attribute_of(**of).as_ref() == Some(attribute));
            if of.is_some_and(|of| same(*of)) {
                boundaries.extend(value.number());
            }
        });
        if let ComponentRate::Tiered { of, by, tiers, .. } = &component.rate {
            let basis = match by {
                TierBasis::Deal {} => Some(*of),
                TierBasis::Accumulator { key } => {
                    trial.content.accumulators.iter().find(|a| a.key == *key).map(|a| a.measure)
                }
            };
            if basis.is_some_and(same) {
                boundaries.extend(tiers.iter().filter_map(|tier| tier.from.number()));
            }
        }
        if let ComponentRate::Lookup { table, .. } = &component.rate
            && let Some(found) = trial.version.tables().iter().find(|version| version.is(table))
            && let Some(key) = found.table.keys.last()
            && Measure::ALL.iter().any(|of| same(*of) && attribute_of(*of).as_ref() == Some(&key.attribute))
        {
            let last = found.table.rows.iter().filter_map(|row| row.keys.last()?.number());
            boundaries.extend(last.take(256));
        }
    }
    boundaries.retain(|size| (0..i64::MAX / 4).contains(size));
    boundaries.sort_unstable();
    boundaries.dedup();
    let mut sizes: Vec<i64> = Vec::with_capacity(boundaries.len() * 6 + 8);
    for (n, size) in boundaries.iter().enumerate() {
        sizes.extend([(*size - 1).max(0), *size, *size + 1]);
        if let Some(next) = boundaries.get(n + 1) {
            let width = next - size;
            sizes.extend([size + width / 4, size + width / 2, size + width / 4 * 3]);
        }
    }
    let last = boundaries.last().copied().unwrap_or(0);
    let unit = if measure.unit() == crate::agreements::model::MeasureUnit::Money { 100_000 } else { 10 };
    sizes.extend((0..5).map(|n| (last + unit).saturating_mul(10_i64.pow(n))));
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// Two sizes that are one apart, between which earnings fall.
fn narrowest(
    trial: &Trial<'_>,
    base: &MadeUpDeal,
    measure: Measure,
    (mut smaller, mut more): (i64, i64),
    (mut larger, _): (i64, i64),
) -> Option<[MadeUpDeal; 2]> {
    while larger - smaller > 1 {
        let middle = smaller + (larger - smaller) / 2;
        let earned = trial.gross(&base.sized(measure, middle)?)?;
        if more > earned {
            larger = middle;
        } else {
            (smaller, more) = (middle, earned);
        }
    }
    Some([base.sized(measure, smaller)?, base.sized(measure, larger)?])
}

/// The component that loses most, and what about it makes it.
fn finding(trial: &Trial<'_>, measure: Measure, pair: &[MadeUpDeal; 2]) -> Option<Finding> {
    let [smaller, larger] = [trial.output(&pair[0])?, trial.output(&pair[1])?];
    let gross = |output: &CalculationOutput| output.gross().ok();
    let (before, after) = (gross(&smaller)?, gross(&larger)?);
    let components = trial.content.components.iter().enumerate();
    let (place, component) = components.max_by_key(|(place, c)| {
        (earned_by(&smaller, &c.key) - earned_by(&larger, &c.key), std::cmp::Reverse(*place))
    })?;
    let lost = larger.non_awards.iter().find(|n| n.component == component.key);
    let field = match lost.map(|n| n.reason) {
        Some(PREDICATE_FALSE) => "predicate",
        Some(reason) if reason.starts_with("another_") => "combine",
        _ => "rate",
    };
    let size = pair[1].size(measure)?;
    let size = if measure.unit() == crate::agreements::model::MeasureUnit::Money {
        crate::kernel::Money::aud(size).to_string()
    } else {
        size.to_string()
    };
    let message = format!(
        "a larger deal earns less: with {} of {size} it is {after} in all, with one less {before}",
        measure.name()
    );
    Some(Finding::warning("cliff", format!("/components/{place}/{field}"), message).showing(shown(trial, pair)))
}
