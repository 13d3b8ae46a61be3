//! The guardrails of the vertical: what the law or the platform asks of every version, and of every accrual.
//!
//! A version is held against them with made-up deals; numbers that only a deal has are asked again when it accrues,
//! by [`guardrail_breaches`]. A guardrail whose code is not known here asks something that content cannot break.

use super::cliffs::{bases, sizes};
use super::deal::{MadeUpDeal, Trial, earned_by, ordinary, within};
use super::shown::{shown, unwound};
use super::space::{Space, each};
use crate::agreements::check::is_trail;
use crate::agreements::evaluate::CalculationOutput;
use crate::agreements::facts::CalculationInput;
use crate::agreements::finding::Finding;
use crate::agreements::model::{
    Clawback, Component, ComponentKey, ComponentRate, GoverningDate, MAX_CLAWBACK_MONTHS, Measure, Role, TierBasis,
    Trigger,
};
use crate::agreements::predicate::Attribute;
use crate::catalogue::guardrail::{Guardrail, Limit};
use crate::kernel::Rate;
use crate::kernel::rate::WHOLE_PPM;

/// The last month in which a policy that ends is one of its first year; its second year follows.
const FIRST_YEAR: std::ops::Range<u16> = 0..12;
const SECOND_YEAR: std::ops::Range<u16> = 12..24;

pub(super) fn lint(trial: &Trial<'_>, space: &Space<'_>, guardrails: &[Guardrail], findings: &mut Vec<Finding>) {
    for guardrail in guardrails {
        match (guardrail.code, guardrail.limit) {
            ("clawback_months_at_most", Some(Limit::Months(most))) => months(trial, space, guardrail, most, findings),
            ("no_volume_or_campaign_benefits", _) => volume(trial, space, guardrail, findings),
            ("upfront_share_at_most", Some(Limit::Share(most))) => {
                shares(trial, space, guardrail, (most, Measure::Premium), findings);
            }
            ("ongoing_share_at_most", Some(Limit::Share(most))) => {
                shares(trial, space, guardrail, (most, Measure::PeriodBalance), findings);
            }
            ("clawback_share_first_year", Some(Limit::Share(least))) => {
                taken_back(trial, space, guardrail, (least, FIRST_YEAR), findings);
            }
            ("clawback_share_second_year", Some(Limit::Share(least))) => {
                taken_back(trial, space, guardrail, (least, SECOND_YEAR), findings);
            }
            ("licensed_participants_only", _) => licensed(trial, guardrail, findings),
            ("flat_fee_only", _) => flat(trial, guardrail, findings),
            ("cooling_off_first", _) => cooling_off(trial, guardrail, findings),
            _ => {}
        }
    }
}

fn said(guardrail: &Guardrail, why: &str) -> String {
    format!("{} {why} ({})", guardrail.statement, guardrail.source)
}

/// The fraction that is taken back of a deal that unwound so many whole months after it settled, exactly:
/// numerator and denominator.
fn fraction(clawback: Option<&Clawback>, months: u16) -> (i64, i64) {
    let of = |rate: Option<Rate>| (rate.map_or(0, Rate::ppm), WHOLE_PPM);
    match clawback {
        None => (0, 1),
        Some(Clawback::Step { steps }) => {
            of(steps.iter().find(|step| months < step.before_months).map(|step| step.fraction))
        }
        Some(Clawback::StraightLine { months: all }) => (i64::from(all.saturating_sub(months)), i64::from(*all)),
        Some(Clawback::Custom { fractions }) => of(fractions.get(usize::from(months)).copied()),
    }
}

/// A made-up deal by which a component earns.
fn earning(trial: &Trial<'_>, space: &Space<'_>, component: &Component) -> Option<MadeUpDeal> {
    let like = ordinary(trial.content, is_trail(trial.content, component))?;
    let regions = space.regions(&component.predicate, component)?;
    let earns = |deal: &MadeUpDeal| trial.output(deal).is_some_and(|output| earned_by(&output, &component.key) > 0);
    regions.iter().filter_map(|region| within(space, region, &like)).find(earns)
}

fn months(trial: &Trial<'_>, space: &Space<'_>, guardrail: &Guardrail, most: u16, findings: &mut Vec<Finding>) {
    for (place, component) in trial.content.components.iter().enumerate() {
        let late = (most..MAX_CLAWBACK_MONTHS).rev().find(|month| fraction(component.clawback.as_ref(), *month).0 > 0);
        let Some(late) = late else { continue };
        let example = earning(trial, space, component)
            .and_then(|deal| unwound(&deal, i64::from(late)))
            .and_then(|deal| shown(trial, &[deal]));
        let why = format!("This one takes back {late} months after settlement.");
        let at = format!("/components/{place}/clawback");
        findings.push(Finding::error(guardrail.code, at, said(guardrail, &why)).showing(example));
    }
}

fn volume(trial: &Trial<'_>, space: &Space<'_>, guardrail: &Guardrail, findings: &mut Vec<Finding>) {
    for (place, component) in trial.content.components.iter().enumerate() {
        let mut asked: Vec<(ComponentKey, &str)> = Vec::new();
        match &component.rate {
            ComponentRate::Tiered { by: TierBasis::Accumulator { key }, .. } => asked.push((key.clone(), "rate/by")),
            ComponentRate::MilestoneBonus { accumulator, .. } => asked.push((accumulator.clone(), "rate/accumulator")),
            _ => {}
        }
        each(&component.predicate, &mut |attribute, _| {
            if let Attribute::Accumulator(key) = attribute
                && asked.iter().all(|(_, field)| *field != "predicate")
            {
                asked.push((key.clone(), "predicate"));
            }
        });
        for (key, field) in asked {
            let example = differs(trial, space, component, &key).and_then(|pair| shown(trial, &pair));
            let why = format!("What `{}` pays depends on the running total `{key}`.", component.key);
            let at = format!("/components/{place}/{field}");
            findings.push(Finding::error(guardrail.code, at, said(guardrail, &why)).showing(example));
        }
    }
}

/// Two deals that differ in the running total before them alone, and earn differently.
fn differs(trial: &Trial<'_>, space: &Space<'_>, component: &Component, key: &ComponentKey) -> Option<[MadeUpDeal; 2]> {
    let like = ordinary(trial.content, false)?;
    let regions = space.regions(&component.predicate, component).unwrap_or_default();
    let mut totals: Vec<i64> = vec![0, 1_000, 1_000_000, 1_000_000_000_000];
    match &component.rate {
        ComponentRate::Tiered { tiers, .. } => totals.extend(tiers.iter().filter_map(|tier| tier.from.number())),
        ComponentRate::MilestoneBonus { milestones, .. } => {
            totals.extend(milestones.iter().filter_map(|m| m.at.number()).flat_map(|at| [(at - 1).max(0), at]));
        }
        _ => {}
    }
    each(&component.predicate, &mut |attribute, value| {
        if *attribute == Attribute::Accumulator(key.clone()) {
            totals.extend(value.number().into_iter().flat_map(|at| [at.saturating_sub(1).max(0), at.max(0)]));
        }
    });
    let bases = std::iter::once(like.clone()).chain(regions.iter().filter_map(|region| within(space, region, &like)));
    for base in bases.take(16) {
        let mut first: Option<(MadeUpDeal, i64)> = None;
        for total in &totals {
            let mut deal = base.clone();
            deal.totals.insert(key.clone(), *total);
            let Some(earned) = trial.output(&deal).map(|output| earned_by(&output, &component.key)) else { continue };
            match &first {
                Some((other, before)) if *before != earned => return Some([other.clone(), deal]),
                Some(_) => {}
                None => first = Some((deal, earned)),
            }
        }
    }
    None
}

/// Whether what a year earns is more than its share of the base, by more than rounding can make it.
fn passes(earned: i128, base: i64, most: Rate, roundings: i128) -> bool {
    // Each rounding adds at most half a cent.
    2 * (earned * i128::from(WHOLE_PPM) - i128::from(base) * i128::from(most.ppm())) > roundings * i128::from(WHOLE_PPM)
}

/// What a year earns, and how often it is rounded: a trail earns in each of its periods.
fn in_a_year(content: &crate::agreements::VersionContent, output: &CalculationOutput) -> (i128, i128) {
    let mut sums = (0, 0);
    for component in &content.components {
        let times = match component.rate {
            ComponentRate::Trail { periods_per_year, .. } => i128::from(periods_per_year),
            _ => 1,
        };
        let earned = i128::from(earned_by(output, &component.key));
        sums = (sums.0 + earned * times, sums.1 + times);
    }
    sums
}

fn shares(
    trial: &Trial<'_>,
    space: &Space<'_>,
    guardrail: &Guardrail,
    (most, of): (&str, Measure),
    findings: &mut Vec<Finding>,
) {
    let Ok(most) = Rate::parse(most) else { return };
    let trail = of == Measure::PeriodBalance;
    let mut sizes = sizes(trial, of);
    // Where a flat amount weighs most, and where rounding weighs least.
    sizes.extend([1, 100, 10_000, 1_000_000, 100_000_000]);
    for base in bases(trial, space).into_iter().filter(|base| base.period.is_some() == trail) {
        let breach = sizes.iter().filter(|size| **size > 0).find_map(|size| {
            let deal = base.sized(of, *size)?;
            let output = trial.output(&deal)?;
            let (earned, roundings) = in_a_year(trial.content, &output);
            passes(earned, *size, most, roundings).then_some((deal, output))
        });
        let Some((deal, output)) = breach else { continue };
        let components = trial.content.components.iter().enumerate();
        let most_earned = components.max_by_key(|(place, c)| (earned_by(&output, &c.key), std::cmp::Reverse(*place)));
        let Some((place, component)) = most_earned else { continue };
        let why = format!("A made-up deal earns more, most of it by `{}`.", component.key);
        let at = format!("/components/{place}/rate");
        findings.push(Finding::error(guardrail.code, at, said(guardrail, &why)).showing(shown(trial, &[deal])));
        return;
    }
}

fn taken_back(
    trial: &Trial<'_>,
    space: &Space<'_>,
    guardrail: &Guardrail,
    (least, months): (&str, std::ops::Range<u16>),
    findings: &mut Vec<Finding>,
) {
    let Ok(least) = Rate::parse(least) else { return };
    for (place, component) in trial.content.components.iter().enumerate() {
        if is_trail(trial.content, component) {
            continue;
        }
        let too_little = |month: &u16| {
            let (numerator, denominator) = fraction(component.clawback.as_ref(), *month);
            i128::from(numerator) * i128::from(WHOLE_PPM) < i128::from(least.ppm()) * i128::from(denominator)
        };
        let Some(month) = months.clone().find(too_little) else { continue };
        let example = earning(trial, space, component)
            .and_then(|deal| unwound(&deal, i64::from(month)))
            .and_then(|deal| shown(trial, &[deal]));
        let at = if component.clawback.is_some() { "/clawback" } else { "" };
        let why = format!("`{}` takes back less {month} months after settlement.", component.key);
        let at = format!("/components/{place}{at}");
        findings.push(Finding::error(guardrail.code, at, said(guardrail, &why)).showing(example));
    }
}

/// A fee that is not the same for every deal: anything but a flat amount, or a part of one.
fn flat(trial: &Trial<'_>, guardrail: &Guardrail, findings: &mut Vec<Finding>) {
    for (place, component) in trial.content.components.iter().enumerate() {
        if !matches!(component.rate, ComponentRate::Flat { .. } | ComponentRate::PercentOfComponent { .. }) {
            let why = format!("What `{}` pays is no flat amount.", component.key);
            findings.push(Finding::error(guardrail.code, format!("/components/{place}/rate"), said(guardrail, &why)));
        }
    }
}

/// Ten business days are fourteen days at least; a deal that settled has them behind it.
fn cooling_off(trial: &Trial<'_>, guardrail: &Guardrail, findings: &mut Vec<Finding>) {
    const DAYS: u16 = 14;
    for (place, component) in trial.content.components.iter().enumerate() {
        let early = matches!(
            &component.trigger,
            Trigger::DealEvent { event: GoverningDate::Referred | GoverningDate::Contracted }
        );
        if early && component.hold.days < DAYS {
            let why = format!("`{}` may be paid {} days after its trigger.", component.key, component.hold.days);
            let at = format!("/components/{place}/hold/days");
            findings.push(Finding::error(guardrail.code, at, said(guardrail, &why)));
        }
    }
}

fn licensed(trial: &Trial<'_>, guardrail: &Guardrail, findings: &mut Vec<Finding>) {
    for (place, component) in trial.content.components.iter().enumerate() {
        let people: Vec<(usize, String)> = component
            .split
            .iter()
            .enumerate()
            .filter(|(_, share)| share.role != Role::Platform)
            .map(|(n, share)| (n, share.role.to_string()))
            .collect();
        if let Some((n, _)) = people.first() {
            let roles: Vec<&str> = people.iter().map(|(_, role)| role.as_str()).collect();
            let why = format!("`{}` gives a share to {}.", component.key, roles.join(", "));
            let at = format!("/components/{place}/split/{n}");
            findings.push(Finding::warning(guardrail.code, at, said(guardrail, &why)));
        }
    }
}

/// The guardrails that a calculation breaks, by the numbers of its own deal; each is an error with a pointer to the
/// lines. To be asked where a calculation becomes lines (before they accrue), of first calculations and of
/// recalculations alike: content that was clean when it was approved can meet a deal that nobody thought of.
#[must_use]
pub fn guardrail_breaches(
    guardrails: &[Guardrail],
    input: &CalculationInput<'_>,
    output: &CalculationOutput,
) -> Vec<Finding> {
    let content = input.version.content();
    let settlement = input.facts.settlement;
    let (earned, roundings) = in_a_year(content, output);
    let months = settlement.zip(input.facts.discharged_on).and_then(|(settlement, discharged)| {
        (0..=MAX_CLAWBACK_MONTHS).rev().find(|month| {
            let span = jiff::Span::new().try_months(i64::from(*month));
            span.and_then(|span| settlement.on.checked_add(span)).is_ok_and(|reached| reached <= discharged)
        })
    });
    // The exact mirror of a share is rounded once for each line.
    let back = |least: Rate, within: std::ops::Range<u16>| {
        months.is_some_and(|months| within.contains(&months))
            && output.lines.iter().filter(|line| line.period.is_none()).any(|line| {
                let (earned, back) = (i128::from(line.earned.minor()), i128::from(line.clawed_back.minor()));
                2 * (earned * i128::from(least.ppm()) - back * i128::from(WHOLE_PPM)) > i128::from(WHOLE_PPM)
            })
    };
    let breaks = |guardrail: &Guardrail| {
        let share = match guardrail.limit {
            Some(Limit::Share(text)) => Rate::parse(text).ok(),
            _ => None,
        };
        match (guardrail.code, guardrail.limit, share) {
            ("clawback_months_at_most", Some(Limit::Months(most)), _) => {
                output.reversed && months.is_some_and(|months| months >= most)
            }
            ("upfront_share_at_most", _, Some(most)) => {
                let premium = settlement.and_then(|s| s.measures.premium);
                input.period.is_none() && premium.is_some_and(|p| passes(earned, p.minor(), most, roundings))
            }
            ("ongoing_share_at_most", _, Some(most)) => {
                input.period.is_some_and(|period| passes(earned, period.balance.minor(), most, roundings))
            }
            ("clawback_share_first_year", _, Some(least)) => back(least, FIRST_YEAR),
            ("clawback_share_second_year", _, Some(least)) => back(least, SECOND_YEAR),
            _ => false,
        }
    };
    let broken = guardrails.iter().filter(|guardrail| breaks(guardrail));
    broken.map(|g| Finding::error(g.code, "/lines".to_owned(), said(g, "This deal does not keep to it."))).collect()
}
