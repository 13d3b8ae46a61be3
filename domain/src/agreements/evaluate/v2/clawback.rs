//! How much of each line is taken back: an exact fraction, rounded once per line.

use jiff::civil::Date;
use jiff::{Span, ToSpan};

use crate::agreements::evaluate::{EvaluateError, Tracer, percent};
use crate::agreements::model::{Clawback, ComponentKey};
use crate::kernel::rate::{WHOLE_PPM, divide_half_away};

/// An exact fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fraction {
    numerator: i64,
    denominator: i64,
}

impl Fraction {
    pub(super) const ZERO: Self = Self { numerator: 0, denominator: 1 };

    pub(super) const fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// Of an amount; never more than the amount, as no fraction is above 1.
    pub(super) fn of(self, minor: i64) -> i64 {
        let part = divide_half_away(i128::from(minor) * i128::from(self.numerator), i128::from(self.denominator));
        i64::try_from(part).unwrap_or(minor)
    }
}

/// Whole calendar months from one day to another; a day that a month lacks becomes its last.
pub(super) fn whole_months(from: Date, to: Date) -> Result<u16, EvaluateError> {
    let years = i64::from(to.year()) - i64::from(from.year());
    let months = years * 12 + i64::from(to.month()) - i64::from(from.month());
    // From the first year of the calendar to the last one there are more months than a span holds.
    let span = Span::new().try_months(months).map_err(|_| EvaluateError::Date)?;
    let reached = from.checked_add(span).map_err(|_| EvaluateError::Date)?;
    let whole = if reached > to { months - 1 } else { months };
    Ok(u16::try_from(whole.max(0)).unwrap_or(u16::MAX))
}

/// What is taken back of a deal that settled on one day and unwound on another.
pub(super) fn fraction(
    clawback: &Clawback,
    settled_on: Date,
    discharged_on: Date,
    key: &ComponentKey,
    tracer: &mut impl Tracer,
) -> Result<Fraction, EvaluateError> {
    let months = whole_months(settled_on, discharged_on)?;
    let fraction = match clawback {
        Clawback::Step { steps } => {
            for step in steps {
                let ends_on =
                    settled_on.checked_add(i64::from(step.before_months).months()).map_err(|_| EvaluateError::Date)?;
                if discharged_on < ends_on {
                    tracer.note(key, "clawback", || {
                        let (taken, until) = (percent(step.fraction), step.before_months);
                        format!(
                            "{until} months not reached: discharged on {discharged_on}, before {ends_on} ({months} {} since settlement), so {taken} is taken back",
                            if months == 1 { "month" } else { "months" }
                        )
                    });
                    return Ok(Fraction { numerator: step.fraction.ppm(), denominator: WHOLE_PPM });
                }
            }
            Fraction::ZERO
        }
        Clawback::StraightLine { months: all } => {
            let left = all.saturating_sub(months);
            if left > 0 {
                tracer.note(key, "clawback", || {
                    format!("discharged on {discharged_on}, {months} of {all} months since settlement, so {left}/{all} is taken back")
                });
            }
            Fraction { numerator: i64::from(left), denominator: i64::from(*all) }
        }
        Clawback::Custom { fractions } => match fractions.get(usize::from(months)) {
            Some(fraction) => {
                tracer.note(key, "clawback", || {
                    let taken = percent(*fraction);
                    format!(
                        "discharged on {discharged_on}, in month {} after settlement, so {taken} is taken back",
                        months + 1
                    )
                });
                Fraction { numerator: fraction.ppm(), denominator: WHOLE_PPM }
            }
            None => Fraction::ZERO,
        },
    };
    if fraction.is_zero() {
        tracer.note(key, "clawback", || format!("discharged on {discharged_on}, {months} months since settlement, after the end of the schedule: nothing is taken back"));
    }
    Ok(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_month_ends_on_its_last_day_when_it_lacks_the_day() {
        for (from, to, months) in [
            (date(2026, 1, 31), date(2026, 2, 27), 0),
            (date(2026, 1, 31), date(2026, 2, 28), 1),
            (date(2028, 1, 31), date(2028, 2, 28), 0),
            (date(2028, 1, 31), date(2028, 2, 29), 1),
            (date(2028, 2, 29), date(2029, 2, 27), 11),
            (date(2028, 2, 29), date(2029, 2, 28), 12),
            (date(2026, 3, 15), date(2026, 3, 15), 0),
        ] {
            assert_eq!(whole_months(from, to), Ok(months), "{from} to {to}");
        }
    }
}
