//! What a component earns before it is combined, limited and split: one amount, rounded once.

use super::counters;
use super::plan::{Plan, Planned, PlannedRate, PlannedTable, PlannedTier};
use super::run::{Attributes, Awarded};
use crate::agreements::evaluate::{EvaluateError, Tracer, reason};
use crate::agreements::facts::{CalculationInput, Standing};
use crate::agreements::model::{Measure, MeasureUnit, Pay, TierMode};
use crate::kernel::Money;
use crate::kernel::money::MoneyError;
use crate::kernel::rate::{WHOLE_PPM, divide_half_away};

/// Why a component earns nothing, or how much.
pub(super) type Earned = Result<i64, &'static str>;

/// What a rate works with.
pub(super) struct Bases<'b> {
    pub(super) plan: &'b Plan,
    pub(super) input: &'b CalculationInput<'b>,
    pub(super) after: &'b [Standing],
    pub(super) wholes: &'b [Awarded],
    /// What the components before this one took of the amount (`stack`).
    pub(super) taken: i64,
    pub(super) component: &'b Planned,
}

/// Rounded once; what is beyond 64 bits whatever it is divided by is not divided at all.
fn cents(exact: i128, denominator: i128) -> Result<i64, MoneyError> {
    if exact.unsigned_abs() > u128::MAX / 4 {
        return Err(MoneyError::OutOfRange);
    }
    i64::try_from(divide_half_away(exact, denominator)).map_err(|_| MoneyError::OutOfRange)
}

fn shown(of: Measure, value: i64) -> String {
    match of.unit() {
        MeasureUnit::Money => Money::aud(value).to_string(),
        MeasureUnit::Count => value.to_string(),
    }
}

impl Bases<'_> {
    fn measure(&self, of: Measure) -> Option<i64> {
        let value = match of {
            Measure::PeriodBalance => self.input.period.map(|period| period.balance.minor()),
            other => self.input.facts.measure(other),
        }?;
        match of.unit() {
            MeasureUnit::Money => value.checked_sub(self.taken),
            MeasureUnit::Count => Some(value),
        }
    }

    pub(super) fn earned(&self, rate: &PlannedRate, tracer: &mut impl Tracer) -> Result<Earned, EvaluateError> {
        match rate {
            PlannedRate::Flat(minor) => {
                tracer.tell(
                    &self.component.key,
                    "rate",
                    || self.component.roles(),
                    || format!("{} flat", Money::aud(*minor)),
                );
                Ok(Ok(*minor))
            }
            PlannedRate::PerUnit { minor, of } => self.paid(Pay::PerUnit { amount: Money::aud(*minor) }, *of, tracer),
            PlannedRate::Percent { of, rate } => self.paid(Pay::Percent { rate: *rate }, *of, tracer),
            PlannedRate::OfComponent { place, rate } => {
                let Awarded::Earned { minor, .. } = self.wholes[*place] else { return Ok(Err(reason::NOTHING_EARNED)) };
                let whole = cents(i128::from(minor) * i128::from(rate.ppm()), i128::from(WHOLE_PPM))?;
                tracer.tell(
                    &self.component.key,
                    "rate",
                    || self.component.roles(),
                    || {
                        let of = &self.plan.components[*place].key;
                        format!("{rate} × {} of `{of}` = {}, {ROUNDED}", Money::aud(minor), Money::aud(whole))
                    },
                );
                Ok(Ok(whole))
            }
            PlannedRate::Tiered { of, mode, counter, tiers } => self.tiered(*of, *mode, *counter, tiers, tracer),
            PlannedRate::Lookup { table, of } => self.looked_up(table, *of, tracer),
            PlannedRate::Trail { annual_rate, periods_per_year } => {
                let Some(balance) = self.measure(Measure::PeriodBalance) else {
                    return Ok(Err(reason::AMOUNT_NOT_KNOWN));
                };
                let exact = i128::from(balance) * i128::from(annual_rate.ppm());
                let whole = cents(exact, i128::from(WHOLE_PPM) * i128::from(*periods_per_year))?;
                tracer.tell(
                    &self.component.key,
                    "rate",
                    || self.component.roles(),
                    || {
                        format!(
                            "{annual_rate} a year × {} ÷ {periods_per_year} = {}, {ROUNDED}",
                            Money::aud(balance),
                            Money::aud(whole)
                        )
                    },
                );
                Ok(Ok(whole))
            }
            PlannedRate::Bonus { counter, milestones } => self.bonus(*counter, milestones, tracer),
        }
    }

    /// A percentage, so much for each, or a flat amount, of what the deal has.
    fn paid(&self, pays: Pay, of: Measure, tracer: &mut impl Tracer) -> Result<Earned, EvaluateError> {
        if let Pay::Flat { amount } = pays {
            tracer.tell(&self.component.key, "rate", || self.component.roles(), || format!("{amount} flat"));
            return Ok(Ok(amount.minor()));
        }
        let Some(base) = self.measure(of) else {
            tracer.note(&self.component.key, "base", || format!("{} is not known", of.name()));
            return Ok(Err(reason::AMOUNT_NOT_KNOWN));
        };
        self.tell_base(of, base, tracer);
        let whole = match pays {
            Pay::Percent { rate } => cents(i128::from(base) * i128::from(rate.ppm()), i128::from(WHOLE_PPM))?,
            Pay::PerUnit { amount } | Pay::Flat { amount } => cents(i128::from(base) * i128::from(amount.minor()), 1)?,
        };
        tracer.tell(
            &self.component.key,
            "rate",
            || self.component.roles(),
            || match pays {
                Pay::Percent { rate } => format!("{rate} × {} = {}, {ROUNDED}", shown(of, base), Money::aud(whole)),
                Pay::PerUnit { amount } | Pay::Flat { amount } => format!("{amount} × {base} = {}", Money::aud(whole)),
            },
        );
        Ok(Ok(whole))
    }

    fn tell_base(&self, of: Measure, base: i64, tracer: &mut impl Tracer) {
        tracer.note(&self.component.key, "base", || {
            let settlement = self.input.facts.settlement.filter(|_| of == Measure::NetBalance);
            let mut told = settlement.map_or_else(
                || {
                    format!(
                        "{} is {}",
                        of.name(),
                        shown(of, base + if of.unit() == MeasureUnit::Money { self.taken } else { 0 })
                    )
                },
                |s| {
                    format!(
                        "{} = {} less offset {} gives {}",
                        of.name(),
                        s.amount,
                        s.offset,
                        Money::aud(base + self.taken)
                    )
                },
            );
            if self.taken != 0 && of.unit() == MeasureUnit::Money {
                told.push_str(&format!(
                    ", less {} that came before gives {}",
                    Money::aud(self.taken),
                    Money::aud(base)
                ));
            }
            told
        });
    }

    fn tiered(
        &self,
        of: Measure,
        mode: TierMode,
        counter: Option<usize>,
        tiers: &[PlannedTier],
        tracer: &mut impl Tracer,
    ) -> Result<Earned, EvaluateError> {
        let Some(counter) = counter else {
            let Some(base) = self.measure(of) else { return Ok(Err(reason::AMOUNT_NOT_KNOWN)) };
            return match mode {
                TierMode::Marginal => {
                    self.tell_base(of, base, tracer);
                    let whole = cents(marginal(tiers, base)?, i128::from(WHOLE_PPM))?;
                    self.tell_bands(of, tiers, base, whole, tracer);
                    Ok(if reached(tiers, base).is_none() { Err(reason::BELOW_FIRST_TIER) } else { Ok(whole) })
                }
                TierMode::Whole | TierMode::WholeWithTrueUp => self.tier_of(of, tiers, base, tracer),
            };
        };
        let (Some(given), Some(after)) = (self.input.counters.get(counter), self.after.get(counter)) else {
            return Ok(Err(reason::NOT_GOVERNED_YET));
        };
        let (before, after) = (given.before.total, after.total);
        tracer.note(&self.component.key, "accumulator", || {
            let measure = counters::measure_of(&self.plan.counters[counter]).unwrap_or(of);
            format!(
                "{} since {}: {} before, {} with this deal",
                given.key.counter,
                given.key.window_from,
                shown(measure, before),
                shown(measure, after)
            )
        });
        if mode == TierMode::Whole {
            return self.tier_of(of, tiers, after, tracer);
        }
        if reached(tiers, after).is_none() {
            return Ok(Err(reason::BELOW_FIRST_TIER));
        }
        let total = |at: i64| match mode {
            TierMode::Marginal => cents(marginal(tiers, at)?, i128::from(WHOLE_PPM)),
            TierMode::Whole | TierMode::WholeWithTrueUp => {
                let pays = reached(tiers, at).map_or(0, |tier| unit_ppm(tiers[tier].pays));
                cents(i128::from(at).checked_mul(pays).ok_or(MoneyError::OutOfRange)?, i128::from(WHOLE_PPM))
            }
        };
        let (total_before, total_after) = (total(before)?, total(after)?);
        let whole = total_after.checked_sub(total_before).ok_or(MoneyError::OutOfRange)?;
        tracer.tell(&self.component.key, "rate", || self.component.roles(), || {
            format!(
                "the running total is worth {} with this deal and {} before it: {}, each rounded once, half away from zero",
                Money::aud(total_after),
                Money::aud(total_before),
                Money::aud(whole)
            )
        });
        Ok(Ok(whole))
    }

    /// The tier that a total reaches, paid on the deal.
    fn tier_of(
        &self,
        of: Measure,
        tiers: &[PlannedTier],
        total: i64,
        tracer: &mut impl Tracer,
    ) -> Result<Earned, EvaluateError> {
        let Some(tier) = reached(tiers, total) else {
            tracer.note(&self.component.key, "tier", || "below the first tier".to_owned());
            return Ok(Err(reason::BELOW_FIRST_TIER));
        };
        tracer.note(&self.component.key, "tier", || format!("tier {} of {} is reached", tier + 1, tiers.len()));
        self.paid(tiers[tier].pays, of, tracer)
    }

    fn tell_bands(&self, of: Measure, tiers: &[PlannedTier], base: i64, whole: i64, tracer: &mut impl Tracer) {
        tracer.tell(
            &self.component.key,
            "rate",
            || self.component.roles(),
            || {
                let bands: Vec<String> = bands(tiers, base)
                    .map(|(tier, width)| match tier.pays {
                        Pay::Percent { rate } => format!("{rate} × {}", shown(of, width)),
                        Pay::PerUnit { amount } | Pay::Flat { amount } => format!("{amount} × {width}"),
                    })
                    .collect();
                format!("{} = {}, {ROUNDED}", bands.join(" + "), Money::aud(whole))
            },
        );
    }

    fn looked_up(&self, table: &PlannedTable, of: Measure, tracer: &mut impl Tracer) -> Result<Earned, EvaluateError> {
        let attributes = Attributes { plan: self.plan, input: self.input, after: self.after };
        let place = table.rows.partition_point(|row| {
            let mut order = std::cmp::Ordering::Equal;
            for (attribute, value) in table.attributes.iter().zip(&row.keys) {
                let seen = attributes.value(attribute);
                order = seen.and_then(|seen| value.seen().order(&seen)).unwrap_or(std::cmp::Ordering::Greater);
                if order.is_ne() {
                    break;
                }
            }
            order.is_le()
        });
        let found = place.checked_sub(1).and_then(|place| table.rows.get(place)).filter(|row| {
            let exact = table.attributes.len() - usize::from(table.band);
            table
                .attributes
                .iter()
                .zip(&row.keys)
                .take(exact)
                .all(|(attribute, value)| attributes.value(attribute) == Some(value.seen()))
        });
        tracer.note(&self.component.key, "lookup", || {
            let seen: Vec<String> = table
                .attributes
                .iter()
                .map(|a| {
                    format!("{a} is {}", attributes.value(a).map_or_else(|| "not known".to_owned(), |v| v.to_string()))
                })
                .collect();
            let row = found.map_or_else(
                || "no row".to_owned(),
                |row| {
                    format!(
                        "the row {}",
                        row.keys.iter().map(|key| key.seen().to_string()).collect::<Vec<_>>().join(", ")
                    )
                },
            );
            format!("{}: {row}", seen.join(", "))
        });
        match found {
            Some(row) => self.paid(row.pays, of, tracer),
            None => Ok(Err(reason::NO_ROW)),
        }
    }

    fn bonus(
        &self,
        counter: usize,
        milestones: &[(i64, i64)],
        tracer: &mut impl Tracer,
    ) -> Result<Earned, EvaluateError> {
        let (Some(given), Some(after)) = (self.input.counters.get(counter), self.after.get(counter)) else {
            return Ok(Err(reason::NOT_GOVERNED_YET));
        };
        let (before, after) = (given.before.total, after.total);
        let mut whole: i64 = 0;
        for (at, minor) in milestones.iter().filter(|(at, _)| before < *at && *at <= after) {
            whole = whole.checked_add(*minor).ok_or(MoneyError::OutOfRange)?;
            tracer.tell(
                &self.component.key,
                "milestone",
                || self.component.roles(),
                || format!("{at} is passed: {}", Money::aud(*minor)),
            );
        }
        tracer.note(&self.component.key, "accumulator", || {
            format!("{} since {}: {before} before, {after} with this deal", given.key.counter, given.key.window_from)
        });
        Ok(if whole == 0 { Err(reason::MILESTONE_NOT_REACHED) } else { Ok(whole) })
    }
}

const ROUNDED: &str = "rounded once, half away from zero";

/// What one minor unit or one of a count pays, in millionths of a minor unit.
const fn unit_ppm(pays: Pay) -> i128 {
    match pays {
        Pay::Percent { rate } => rate.ppm() as i128,
        Pay::PerUnit { amount } | Pay::Flat { amount } => amount.minor() as i128 * WHOLE_PPM as i128,
    }
}

/// The tier that a value lies in.
fn reached(tiers: &[PlannedTier], value: i64) -> Option<usize> {
    tiers.iter().rposition(|tier| tier.from <= value)
}

/// Each band that a value reaches into, and how far.
fn bands(tiers: &[PlannedTier], value: i64) -> impl Iterator<Item = (&PlannedTier, i64)> {
    tiers.iter().enumerate().take_while(move |(_, tier)| tier.from <= value).map(move |(place, tier)| {
        let until = tiers.get(place + 1).map_or(value, |next| next.from.min(value));
        (tier, until - tier.from)
    })
}

/// The bands' sum in millionths of a minor unit.
fn marginal(tiers: &[PlannedTier], value: i64) -> Result<i128, MoneyError> {
    let added = |sum: i128, (tier, width): (&PlannedTier, i64)| {
        i128::from(width).checked_mul(unit_ppm(tier.pays)).and_then(|band| sum.checked_add(band))
    };
    bands(tiers, value).try_fold(0, added).ok_or(MoneyError::OutOfRange)
}
