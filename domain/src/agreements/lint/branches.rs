//! Conditions of components beside each other: never true, overlapping, shadowed.

use super::deal::{MadeUpDeal, Trial, earned_by, measure_of, ordinary, within};
use super::shown::shown;
use super::space::{Places, Region, Space, attribute_of, each, meet, without};
use crate::agreements::check::{graph, is_trail};
use crate::agreements::evaluate::reason::ANOTHER_CAME_FIRST;
use crate::agreements::finding::Finding;
use crate::agreements::model::{
    CombineMode, Component, ComponentRate, GoverningDate, LimitSpan, Measure, Pay, Tier, TierBasis, TierMode, Trigger,
};
use crate::agreements::predicate::{Attribute, Predicate};
use crate::kernel::Money;
use crate::kernel::rate::WHOLE_PPM;

pub(super) fn lint(trial: &Trial<'_>, space: &Space<'_>, findings: &mut Vec<Finding>) {
    let content = trial.content;
    let mut never = vec![false; content.components.len()];
    for (place, component) in content.components.iter().enumerate() {
        if space.regions(&component.predicate, component).is_some_and(|regions| regions.is_empty()) {
            never[place] = true;
            findings.push(Finding::error(
                "predicate_never_true",
                format!("/components/{place}/predicate"),
                format!("no deal that sets `{}` off meets its condition", component.key),
            ));
        }
    }
    for (combine, places) in graph::groups(content) {
        let places: Vec<usize> = places.into_iter().filter(|place| !never[*place]).collect();
        match combine.mode {
            CombineMode::First => shadowed(trial, space, &places, findings),
            CombineMode::Sum => overlapping(trial, space, &places, findings),
            CombineMode::Best | CombineMode::Stack => {}
        }
    }
}

fn shadowed(trial: &Trial<'_>, space: &Space<'_>, places: &[usize], findings: &mut Vec<Finding>) {
    for (n, later) in places.iter().enumerate().skip(1) {
        let component = &trial.content.components[*later];
        let Some(mut wins) = winning(space, component, component) else { continue };
        if wins.is_empty() {
            continue;
        }
        let all = wins.clone();
        let mut by: Vec<&str> = Vec::new();
        for earlier in &places[..n] {
            let other = &trial.content.components[*earlier];
            if !surely_considered(trial, other, component) {
                continue;
            }
            let Some(others) = winning(space, other, component) else { continue };
            let possible = |attribute: &Attribute| space.possible(attribute, component);
            let Some(left) = without(wins.clone(), &others, &possible) else { continue };
            if left != wins {
                by.push(other.key.as_str());
                wins = left;
            }
        }
        if wins.is_empty() {
            let example = ordinary(trial.content, is_trail(trial.content, component)).and_then(|like| {
                let deals = all.iter().filter_map(|region| within(space, region, &like));
                let loses = |deal: &MadeUpDeal| {
                    let output = trial.output(deal);
                    output.is_some_and(|o| {
                        o.non_awards.iter().any(|n| n.component == component.key && n.reason == ANOTHER_CAME_FIRST)
                    })
                };
                deals.into_iter().find(loses)
            });
            findings.push(
                Finding::error(
                    "branch_shadowed",
                    format!("/components/{later}/predicate"),
                    format!(
                        "`{}` can never win: every deal that it is for has earned by `{}` before",
                        component.key,
                        by.join("`, `")
                    ),
                )
                .showing(example.and_then(|deal| shown(trial, &[deal]))),
            );
        }
    }
}

/// Whether a component is looked at, and not held up by a window, whenever another one is set off.
fn surely_considered(trial: &Trial<'_>, earlier: &Component, later: &Component) -> bool {
    let same = earlier.trigger == later.trigger;
    let referred = matches!(&earlier.trigger, Trigger::DealEvent { event: GoverningDate::Referred });
    let whole = || earlier.limits.iter().filter(|limit| limit.role.is_none());
    // A window waits for the date that governs; the event that set both off may be that date.
    let governed = trial.content.governing_date == GoverningDate::Referred
        || matches!(&later.trigger, Trigger::DealEvent { event } if *event == trial.content.governing_date);
    (same || (referred && !is_trail(trial.content, later)))
        && whole().all(|limit| limit.max_count.is_none() && limit.cap.is_none_or(leaves_something(limit.per)))
        && (governed || earlier.limits.iter().all(|limit| limit.per.window().is_none()))
}

/// Whether a cap leaves something of every deal: one over a window is used up some day, and so is one that shrinks.
fn leaves_something(per: LimitSpan) -> impl Fn(Money) -> bool {
    move |cap| per == LimitSpan::Deal && cap.minor() > 0
}

/// The deals that set `as_of` off and by which a component surely earns something (if it is another one), or at
/// best (if it is that one itself); none when it cannot be told.
fn winning(space: &Space<'_>, component: &Component, as_of: &Component) -> Option<Vec<Region>> {
    let held = space.regions(&component.predicate, as_of)?;
    let earning = match earning(&component.rate) {
        Some(earning) => earning,
        None if std::ptr::eq(component, as_of) => vec![Region::new()],
        None => return None,
    };
    Some(held.iter().flat_map(|region| earning.iter().filter_map(|earn| meet(region, earn))).collect())
}

/// The deals by which a rate earns at least a cent; none when that depends on more than the deal.
fn earning(rate: &ComponentRate) -> Option<Vec<Region>> {
    let nothing = Vec::new;
    match rate {
        ComponentRate::Flat { amount } => Some(if amount.minor() > 0 { vec![Region::new()] } else { nothing() }),
        ComponentRate::FlatPerUnit { amount, of } => {
            Some(from_on(*of, least(Pay::PerUnit { amount: *amount }), None).into_iter().collect())
        }
        ComponentRate::Percent { of, rate } => {
            Some(from_on(*of, least(Pay::Percent { rate: *rate }), None).into_iter().collect())
        }
        ComponentRate::Trail { annual_rate, periods_per_year } => {
            let ppm = i128::from(annual_rate.ppm());
            let least = (ppm > 0).then(|| divided_up(i128::from(WHOLE_PPM) * i128::from(*periods_per_year), 2 * ppm));
            Some(from_on(Measure::PeriodBalance, least.flatten(), None).into_iter().collect())
        }
        ComponentRate::Tiered { of, mode: TierMode::Whole, by: TierBasis::Deal {}, tiers } => {
            let upto = |n: usize| tiers.get(n + 1).and_then(|next| next.from.number()).map(|next| next - 1);
            let one = |(n, tier): (usize, &Tier)| {
                let from = tier.from.number()?;
                from_on(*of, least(tier.pays).map(|least| least.max(from)), upto(n))
            };
            Some(tiers.iter().enumerate().filter_map(one).collect())
        }
        ComponentRate::Tiered { .. }
        | ComponentRate::PercentOfComponent { .. }
        | ComponentRate::Lookup { .. }
        | ComponentRate::MilestoneBonus { .. } => None,
    }
}

/// The deals whose measure lies between two values; none when there are none.
fn from_on(of: Measure, least: Option<i64>, most: Option<i64>) -> Option<Region> {
    let places = Places::span(least?, most.unwrap_or(i64::MAX));
    // A deal is always one; whether it settled tells its amount.
    let (attribute, places) = match attribute_of(of) {
        Some(attribute) => (attribute, places),
        None if places.holds(1) => (Attribute::SettledAmount, Places::known()),
        None => return None,
    };
    (!places.is_empty()).then(|| Region::from([(attribute, places)]))
}

/// The least of a measure that pays a cent after rounding; none when nothing does.
fn least(pays: Pay) -> Option<i64> {
    match pays {
        Pay::Percent { rate } if rate.ppm() > 0 => divided_up(i128::from(WHOLE_PPM), 2 * i128::from(rate.ppm())),
        Pay::PerUnit { amount } if amount.minor() > 0 => Some(1),
        Pay::Flat { amount } if amount.minor() > 0 => Some(0),
        Pay::Percent { .. } | Pay::PerUnit { .. } | Pay::Flat { .. } => None,
    }
}

fn divided_up(numerator: i128, denominator: i128) -> Option<i64> {
    i64::try_from((numerator + denominator - 1) / denominator).ok()
}

fn overlapping(trial: &Trial<'_>, space: &Space<'_>, places: &[usize], findings: &mut Vec<Finding>) {
    for (n, later) in places.iter().enumerate() {
        let component = &trial.content.components[*later];
        for earlier in &places[..n] {
            let other = &trial.content.components[*earlier];
            if !same_thing(component, other) {
                continue;
            }
            let Some(like) = ordinary(trial.content, is_trail(trial.content, component)) else { continue };
            let (Some(a), Some(b)) =
                (space.regions(&component.predicate, component), space.regions(&other.predicate, other))
            else {
                continue;
            };
            let both = a.iter().flat_map(|a| b.iter().filter_map(move |b| meet(a, b)));
            let shows = |deal: &MadeUpDeal| {
                let output = trial.output(deal);
                output.is_some_and(|o| earned_by(&o, &component.key) > 0 && earned_by(&o, &other.key) > 0)
            };
            let found = both.take(64).filter_map(|region| within(space, &region, &like)).find(shows);
            if let Some(deal) = found {
                findings.push(
                    Finding::warning(
                        "branches_overlap",
                        format!("/components/{later}/predicate"),
                        format!(
                            "a deal can earn by `{}` and by `{}` for the same thing: both are paid",
                            other.key, component.key
                        ),
                    )
                    .showing(shown(trial, &[deal])),
                );
            }
        }
    }
}

/// Whether two components look like branches of one distinction: set off by the same, paid for the same, and their
/// conditions ask for something in common (or for nothing at all).
fn same_thing(a: &Component, b: &Component) -> bool {
    let alike = match (&a.rate, &b.rate) {
        (ComponentRate::Flat { .. }, ComponentRate::Flat { .. }) => true,
        (
            ComponentRate::MilestoneBonus { accumulator: a, .. },
            ComponentRate::MilestoneBonus { accumulator: b, .. },
        ) => a == b,
        (a, b) => measure_of(a).is_some() && measure_of(a) == measure_of(b),
    };
    let (asked_a, asked_b) = (attributes(&a.predicate), attributes(&b.predicate));
    let distinguished = asked_a.iter().any(|attribute| asked_b.contains(attribute));
    a.trigger == b.trigger && alike && (distinguished || (asked_a.is_empty() && asked_b.is_empty()))
}

fn attributes(predicate: &Predicate) -> Vec<Attribute> {
    let mut asked = Vec::new();
    each(predicate, &mut |attribute, _| asked.push(attribute.clone()));
    asked
}
