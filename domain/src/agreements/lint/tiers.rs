//! Rates that pay nothing, tiers that no deal reaches or that the cap makes worthless.

use super::deal::{MadeUpDeal, Trial, earned_by, ordinary, within};
use super::shown::shown;
use super::space::{Places, Space, attribute_of};
use crate::agreements::evaluate::reason::PREDICATE_FALSE;
use crate::agreements::finding::Finding;
use crate::agreements::model::{
    CombineMode, Component, ComponentRate, LimitSpan, Measure, Pay, Tier, TierBasis, TierMode,
};
use crate::agreements::predicate::Attribute;

pub(super) fn lint(trial: &Trial<'_>, space: &Space<'_>, findings: &mut Vec<Finding>) {
    for (place, component) in trial.content.components.iter().enumerate() {
        if pays_nothing(&component.rate) {
            findings.push(Finding::warning(
                "zero_rate",
                format!("/components/{place}/rate"),
                format!("`{}` never earns anything: its rate is 0", component.key),
            ));
        }
        match &component.rate {
            ComponentRate::Tiered { of, mode, by, tiers } => {
                let unreached = unreachable(trial, space, (place, component), (*of, *mode, by), tiers, findings);
                if matches!(by, TierBasis::Deal {}) && unreached == 0 {
                    above_cap(trial, space, (place, component), *of, tiers, findings);
                }
            }
            ComponentRate::MilestoneBonus { milestones, .. } => {
                for (n, _) in milestones.iter().enumerate().filter(|(_, m)| m.at.number() == Some(0)) {
                    findings.push(Finding::warning(
                        "milestone_unreachable",
                        format!("/components/{place}/rate/milestones/{n}/at"),
                        "a running total begins at 0 and passes only what is above it".to_owned(),
                    ));
                }
            }
            _ => {}
        }
    }
}

fn pays_nothing(rate: &ComponentRate) -> bool {
    let zero = |pays: Pay| match pays {
        Pay::Percent { rate } => rate.ppm() == 0,
        Pay::PerUnit { amount } | Pay::Flat { amount } => amount.is_zero(),
    };
    match rate {
        ComponentRate::Flat { amount } | ComponentRate::FlatPerUnit { amount, .. } => amount.is_zero(),
        ComponentRate::Percent { rate, .. }
        | ComponentRate::PercentOfComponent { rate, .. }
        | ComponentRate::Trail { annual_rate: rate, .. } => rate.ppm() == 0,
        ComponentRate::Tiered { tiers, .. } => tiers.iter().all(|tier| zero(tier.pays)),
        ComponentRate::MilestoneBonus { milestones, .. } => milestones.iter().all(|m| m.amount.is_zero()),
        ComponentRate::Lookup { .. } => false,
    }
}

/// Tells the tiers that the condition shuts out; how many they are.
fn unreachable(
    trial: &Trial<'_>,
    space: &Space<'_>,
    (place, component): (usize, &Component),
    (of, mode, by): (Measure, TierMode, &TierBasis),
    tiers: &[Tier],
    findings: &mut Vec<Finding>,
) -> usize {
    let attribute = match by {
        TierBasis::Deal {} => attribute_of(of),
        TierBasis::Accumulator { key } => Some(Attribute::Accumulator(key.clone())),
    };
    let (Some(attribute), Some(regions)) = (attribute, space.regions(&component.predicate, component)) else {
        return 0;
    };
    // What others of a stack took makes the base smaller than the deal; a condition that never holds is told already.
    if component.combine.mode == CombineMode::Stack || regions.is_empty() {
        return 0;
    }
    let mut found = 0;
    for (n, tier) in tiers.iter().enumerate() {
        let Some(from) = tier.from.number() else { continue };
        let next = tiers.get(n + 1).and_then(|next| next.from.number()).filter(|_| mode != TierMode::Marginal);
        let band = Places::span(from, next.map_or(i64::MAX, |next| next - 1));
        let reaches = |places: &Places| !places.and(&band).is_empty();
        if regions.iter().any(|region| region.get(&attribute).is_none_or(reaches)) {
            continue;
        }
        found += 1;
        let excluded = |deal: &MadeUpDeal| {
            let output = trial.output(deal);
            output.is_some_and(|o| {
                o.non_awards.iter().any(|n| n.component == component.key && n.reason == PREDICATE_FALSE)
            })
        };
        let example = ordinary(trial.content, attribute == Attribute::PeriodBalance)
            .and_then(|like| within(space, regions.first()?, &like))
            .and_then(|like| within(space, &[(attribute.clone(), Places::span(from, from))].into(), &like))
            .filter(excluded)
            .and_then(|deal| shown(trial, &[deal]));
        findings.push(
            Finding::warning(
                "tier_unreachable",
                format!("/components/{place}/rate/tiers/{n}"),
                format!(
                    "no deal reaches tier {} of `{}`: the condition of the component shuts it out",
                    n + 1,
                    component.key
                ),
            )
            .showing(example),
        );
    }
    found
}

/// Tells the tiers that begin where the cap of the deal is reached already.
fn above_cap(
    trial: &Trial<'_>,
    space: &Space<'_>,
    (place, component): (usize, &Component),
    of: Measure,
    tiers: &[Tier],
    findings: &mut Vec<Finding>,
) {
    let capped = |limit: &&crate::agreements::model::Limit| limit.role.is_none() && limit.per == LimitSpan::Deal;
    let Some(cap) = component.limits.iter().find(capped).and_then(|limit| limit.cap) else { return };
    if component.combine.mode != CombineMode::Sum || cap.is_zero() {
        return;
    }
    let Some(like) = ordinary(trial.content, of == Measure::PeriodBalance) else { return };
    let Some(regions) = space.regions(&component.predicate, component) else { return };
    for (n, tier) in tiers.iter().enumerate().skip(1) {
        let Some(from) = tier.from.number() else { continue };
        let earns = |deal: &MadeUpDeal| trial.output(deal).map(|output| earned_by(&output, &component.key));
        let pair = regions.iter().find_map(|region| {
            let at = within(space, region, &like)?.sized(of, from)?;
            let below = at.sized(of, from - 1)?;
            (earns(&at)? >= cap.minor() && earns(&below)? >= cap.minor()).then_some([below, at])
        });
        if let Some(pair) = pair {
            findings.push(
                Finding::warning(
                    "tier_above_cap",
                    format!("/components/{place}/rate/tiers/{n}"),
                    format!(
                        "tier {} of `{}` adds nothing: the deal has earned the cap of {cap} before it",
                        n + 1,
                        component.key
                    ),
                )
                .showing(shown(trial, &pair)),
            );
            return;
        }
    }
}
