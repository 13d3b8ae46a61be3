//! Rates: units fit, tiers ascend, nothing is negative.

use super::{Findings, Known, kind_of};
use crate::agreements::finding::Finding;
use crate::agreements::model::{
    Component, ComponentKey, ComponentRate, LookupUse, MAX_TIERS, Measure, MeasureUnit, Pay, Tier, TierBasis, TierMode,
};
use crate::agreements::predicate::{Attribute, Predicate, Value};
use crate::kernel::{Money, Rate};

pub(super) fn check(findings: &mut Findings, known: &Known<'_>, component: &Component, at: &str) {
    let rate_at = format!("{at}/rate");
    let trail = known.is_trail(component);
    match &component.rate {
        ComponentRate::Flat { amount } => not_negative(findings, *amount, format!("{rate_at}/amount")),
        ComponentRate::FlatPerUnit { amount, of } => {
            not_negative(findings, *amount, format!("{rate_at}/amount"));
            unit(findings, *of, MeasureUnit::Count, format!("{rate_at}/of"));
        }
        ComponentRate::Percent { of, rate } => {
            rate_not_negative(findings, *rate, format!("{rate_at}/rate"));
            unit(findings, *of, MeasureUnit::Money, format!("{rate_at}/of"));
        }
        ComponentRate::PercentOfComponent { rate, .. } => {
            rate_not_negative(findings, *rate, format!("{rate_at}/rate"));
        }
        ComponentRate::Tiered { of, mode, by, tiers } => tiered(findings, known, (*of, *mode, by), tiers, &rate_at),
        ComponentRate::Lookup { table, of } => lookup(findings, known, table, *of, &rate_at),
        ComponentRate::Trail { annual_rate, periods_per_year } => {
            rate_not_negative(findings, *annual_rate, format!("{rate_at}/annual_rate"));
            if !matches!(periods_per_year, 1 | 2 | 4 | 12) {
                findings.error("periods_per_year", format!("{rate_at}/periods_per_year"), "expected 1, 2, 4 or 12");
            }
            if !trail {
                findings.error(
                    "trail_without_period",
                    format!("{at}/trigger"),
                    "a trail rate needs the trigger `trail`",
                );
            }
        }
        ComponentRate::MilestoneBonus { accumulator, milestones } => {
            bonus(findings, known, accumulator, milestones.iter().map(|m| (&m.at, m.amount)), &rate_at);
        }
    }
    if measure_of(&component.rate).is_some_and(|of| (of == Measure::PeriodBalance) && !trail) {
        findings.error("trail_without_period", format!("{rate_at}/of"), "only a trail has the balance of a period");
    }
    if trail && (running_total(&component.rate).is_some() || asks_for_total(&component.predicate)) {
        findings.error("running_total_on_trail", rate_at, "a trail cannot ask for a running total of deals");
    }
}

const fn measure_of(rate: &ComponentRate) -> Option<Measure> {
    match rate {
        ComponentRate::FlatPerUnit { of, .. }
        | ComponentRate::Percent { of, .. }
        | ComponentRate::Tiered { of, .. }
        | ComponentRate::Lookup { of, .. } => Some(*of),
        _ => None,
    }
}

/// The running total that a rate asks for.
pub(in crate::agreements) const fn running_total(rate: &ComponentRate) -> Option<&ComponentKey> {
    match rate {
        ComponentRate::Tiered { by: TierBasis::Accumulator { key }, .. }
        | ComponentRate::MilestoneBonus { accumulator: key, .. } => Some(key),
        _ => None,
    }
}

fn asks_for_total(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::All { of } | Predicate::Any { of } => of.iter().any(asks_for_total),
        Predicate::Not { of } => asks_for_total(of),
        Predicate::Compare { attribute, .. }
        | Predicate::In { attribute, .. }
        | Predicate::Between { attribute, .. } => {
            matches!(attribute, Attribute::Accumulator(_))
        }
    }
}

fn not_negative(findings: &mut Findings, amount: Money, at: String) {
    if amount.minor() < 0 {
        findings.error("negative_rate", at, "expected nothing below 0");
    }
}

fn rate_not_negative(findings: &mut Findings, rate: Rate, at: String) {
    if rate.ppm() < 0 {
        findings.error("negative_rate", at, "expected nothing below 0");
    }
}

fn unit(findings: &mut Findings, of: Measure, wanted: MeasureUnit, at: String) {
    if of.unit() != wanted {
        let wanted = kind_of(wanted).name();
        findings.error(
            "unit_mismatch",
            at,
            format!("expected {wanted}, `{}` is {}", of.name(), kind_of(of.unit()).name()),
        );
    }
}

fn pays(findings: &mut Findings, pays: Pay, of: Measure, at: &str) {
    match pays {
        Pay::Percent { rate } => {
            rate_not_negative(findings, rate, format!("{at}/rate"));
            if of.unit() != MeasureUnit::Money {
                findings.error(
                    "unit_mismatch",
                    format!("{at}/kind"),
                    format!("a percentage of `{}`, which is a count", of.name()),
                );
            }
        }
        Pay::PerUnit { amount } => {
            not_negative(findings, amount, format!("{at}/amount"));
            if of.unit() != MeasureUnit::Count {
                findings.error(
                    "unit_mismatch",
                    format!("{at}/kind"),
                    format!("so much for each `{}`, which is an amount", of.name()),
                );
            }
        }
        Pay::Flat { amount } => not_negative(findings, amount, format!("{at}/amount")),
    }
}

fn tiered(
    findings: &mut Findings,
    known: &Known<'_>,
    (of, mode, by): (Measure, TierMode, &TierBasis),
    tiers: &[Tier],
    at: &str,
) {
    let basis = match by {
        TierBasis::Deal {} => Some(of),
        TierBasis::Accumulator { key } => total(findings, known, key, format!("{at}/by/key")),
    };
    if mode == TierMode::WholeWithTrueUp && matches!(by, TierBasis::Deal {}) {
        findings.error("true_up_needs_accumulator", format!("{at}/by"), "only a running total can be trued up");
    }
    let running = matches!(by, TierBasis::Accumulator { .. }) && mode != TierMode::Whole;
    if running && basis.is_some_and(|basis| basis != of) {
        findings.error(
            "unit_mismatch",
            format!("{at}/of"),
            "it is paid for what the running total adds up; choose the same measure",
        );
    }
    if tiers.is_empty() || tiers.len() > MAX_TIERS {
        findings.error("tier_count", format!("{at}/tiers"), format!("expected 1 to {MAX_TIERS} tiers"));
    }
    ascending(findings, tiers.iter().map(|tier| &tier.from), basis, &format!("{at}/tiers"), "from");
    for (place, tier) in tiers.iter().enumerate() {
        let at = format!("{at}/tiers/{place}/pays");
        pays(findings, tier.pays, of, &at);
        if mode != TierMode::Whole && matches!(tier.pays, Pay::Flat { .. }) {
            findings.error("flat_tier", format!("{at}/kind"), "a flat amount has no bands: it needs the mode `whole`");
        }
        if mode == TierMode::WholeWithTrueUp && place > 0 && worth(tier.pays) < worth(tiers[place - 1].pays) {
            findings.error("true_up_falls", at, "a higher tier that pays less would take back what was earned");
        }
    }
}

const fn worth(pays: Pay) -> i64 {
    match pays {
        Pay::Percent { rate } => rate.ppm(),
        Pay::PerUnit { amount } | Pay::Flat { amount } => amount.minor(),
    }
}

fn total(findings: &mut Findings, known: &Known<'_>, key: &ComponentKey, at: String) -> Option<Measure> {
    let found = known.accumulators.get(key).map(|accumulator| accumulator.measure);
    if found.is_none() {
        findings.error("unknown_accumulator", at, format!("there is no accumulator `{key}`"));
    }
    found
}

/// Thresholds: of the unit of what they are compared with, none negative, each above the one before.
fn ascending<'v>(
    findings: &mut Findings,
    values: impl Iterator<Item = &'v Value>,
    basis: Option<Measure>,
    at: &str,
    field: &str,
) {
    let mut before: Option<&Value> = None;
    for (place, value) in values.enumerate() {
        let at = format!("{at}/{place}/{field}");
        let wanted = basis.map(|basis| kind_of(basis.unit()));
        if wanted.is_some_and(|wanted| wanted != value.kind()) {
            findings.error(
                "unit_mismatch",
                at,
                format!("expected {}, found {}", wanted.map_or("", |w| w.name()), value.kind().name()),
            );
            continue;
        }
        if value.number().is_none_or(|number| number < 0) {
            findings.error("negative_threshold", at.clone(), "expected an amount or a count, nothing below 0");
        }
        if before.is_some_and(|before| !value.seen().order(&before.seen()).is_some_and(std::cmp::Ordering::is_gt)) {
            findings.error("tiers_out_of_order", at, "expected more than the one before");
        }
        before = Some(value);
    }
}

fn bonus<'v>(
    findings: &mut Findings,
    known: &Known<'_>,
    accumulator: &ComponentKey,
    milestones: impl Iterator<Item = (&'v Value, Money)> + Clone,
    at: &str,
) {
    let basis = total(findings, known, accumulator, format!("{at}/accumulator"));
    let count = milestones.clone().count();
    if count == 0 || count > MAX_TIERS {
        findings.error("tier_count", format!("{at}/milestones"), format!("expected 1 to {MAX_TIERS} milestones"));
    }
    ascending(findings, milestones.clone().map(|(value, _)| value), basis, &format!("{at}/milestones"), "at");
    for (place, (_, amount)) in milestones.enumerate() {
        not_negative(findings, amount, format!("{at}/milestones/{place}/amount"));
    }
}

fn lookup(findings: &mut Findings, known: &Known<'_>, table: &LookupUse, of: Measure, at: &str) {
    let found = known.tables.iter().find(|version| version.is(table));
    let Some(found) = found else {
        findings.error(
            "unknown_table",
            format!("{at}/table"),
            "there is no version of a lookup table with this id, number and hash",
        );
        return;
    };
    for key in &found.table.keys {
        if known.kind(&key.attribute).is_none() {
            findings.error(
                "unknown_accumulator",
                format!("{at}/table"),
                format!("the table asks for `{}`, which the version does not have", key.attribute),
            );
        }
    }
    let mut below = Findings::default();
    for row in &found.table.rows {
        pays(&mut below, row.pays, of, &format!("{at}/of"));
    }
    // One is enough: the table may have thousands of rows. They are not part of this content, so it points at what is.
    findings.0.extend(below.0.into_iter().next().map(|finding| Finding { pointer: format!("{at}/of"), ..finding }));
}
