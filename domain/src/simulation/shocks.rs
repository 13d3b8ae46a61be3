//! What if: more or fewer deals, larger ones, another mix, more that fall through or unwind, later settlements.
//!
//! All in parts per million and whole days; what happens to a deal follows from the seed and its id alone. A deal that
//! occurs several times is worked out that often.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::draws::Draws;
use super::population::SoldProduct;
use crate::agreements::facts::{DealFacts, Measures, Settlement};
use crate::kernel::fault::Faults;
use crate::kernel::money::MoneyError;
use crate::kernel::{Money, Rate};

/// The largest factor of volume, size and mix: 100 times.
pub const MOST_FACTOR: Rate = match Rate::try_new(100_000_000) {
    Ok(rate) => rate,
    Err(_) => Rate::WHOLE,
};
/// The most days by which settlements move.
pub const MOST_DAYS: i32 = 3_650;
/// The most products and verticals whose part in the mix is told.
pub const MOST_WEIGHTS: usize = 100;
/// An unwinding that a shock adds comes within so many days of settlement.
const UNWINDS_WITHIN_DAYS: u64 = 730;

/// What happens to the deals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shocks {
    /// So many times as many deals.
    pub volume: Rate,
    /// So many times as large.
    pub size: Rate,
    /// So many times as many of these products or verticals, by their code.
    pub mix: BTreeMap<String, Rate>,
    /// Of the deals that settle, so many fall through before.
    pub lost: Rate,
    /// Of those that settle and do not unwind, so many do.
    pub unwound: Rate,
    /// Settlements come so many days later.
    pub settle_days: i32,
}

impl Default for Shocks {
    fn default() -> Self {
        let mix = BTreeMap::new();
        Self { volume: Rate::WHOLE, size: Rate::WHOLE, mix, lost: Rate::ZERO, unwound: Rate::ZERO, settle_days: 0 }
    }
}

impl Shocks {
    /// Whether nothing happens.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Every fault, each with its pointer below `/shocks`.
    pub fn check(&self, faults: &mut Faults) {
        let within = |rate: Rate, most: Rate| rate >= Rate::ZERO && rate <= most;
        let mut hold = |pointer: &str, fine: bool, what: &str| {
            if !fine {
                faults.push(pointer, "out_of_range", what);
            }
        };
        hold("/shocks/volume", within(self.volume, MOST_FACTOR), "from 0 to 100");
        hold("/shocks/size", within(self.size, MOST_FACTOR), "from 0 to 100");
        hold("/shocks/lost", within(self.lost, Rate::WHOLE), "from 0 to 1");
        hold("/shocks/unwound", within(self.unwound, Rate::WHOLE), "from 0 to 1");
        hold(
            "/shocks/settle_days",
            self.settle_days.unsigned_abs() <= MOST_DAYS.unsigned_abs(),
            "at most 3,650 days either way",
        );
        let mix = self.mix.len() <= MOST_WEIGHTS && self.mix.values().all(|weight| within(*weight, MOST_FACTOR));
        hold("/shocks/mix", mix, "at most 100 codes, each from 0 to 100");
    }

    /// How often a deal occurs.
    pub(super) fn occurrences(&self, sold: &SoldProduct, draws: &mut Draws) -> u32 {
        let mut ppm = i128::from(self.volume.ppm());
        for code in [sold.code.as_str(), sold.vertical.as_str()] {
            if let Some(weight) = self.mix.get(code) {
                ppm = ppm * i128::from(weight.ppm()) / i128::from(Rate::WHOLE.ppm());
            }
        }
        draws.times(i64::try_from(ppm).unwrap_or(i64::MAX))
    }

    /// What becomes of a deal's facts.
    pub(super) fn facts(&self, facts: &DealFacts, draws: &mut Draws) -> Result<DealFacts, MoneyError> {
        let Some(settlement) = facts.settlement else { return Ok(*facts) };
        if draws.happens(self.lost.ppm()) {
            return Ok(DealFacts { settlement: None, discharged_on: None, ..*facts });
        }
        let later = |on: Date| on.checked_add(i64::from(self.settle_days).days()).map_err(|_| MoneyError::OutOfRange);
        // A settlement moved forward does not come before the referral.
        let on = later(settlement.on)?.max(facts.referred_on);
        let discharged_on = match facts.discharged_on {
            Some(day) => Some(later(day)?.max(on)),
            None if draws.happens(self.unwound.ppm()) => {
                let age = i64::try_from(draws.below(UNWINDS_WITHIN_DAYS)).unwrap_or(0);
                Some(on.checked_add(age.days()).map_err(|_| MoneyError::OutOfRange)?)
            }
            None => None,
        };
        let settlement = self.sized(&Settlement { on, ..settlement })?;
        Ok(DealFacts { settlement: Some(settlement), discharged_on, ..*facts })
    }

    fn sized(&self, settlement: &Settlement) -> Result<Settlement, MoneyError> {
        if self.size == Rate::WHOLE {
            return Ok(*settlement);
        }
        let amount = |amount: Money| self.size.of(amount);
        let maybe = |told: Option<Money>| told.map(amount).transpose();
        let told = &settlement.measures;
        let measures = Measures {
            premium: maybe(told.premium)?,
            fee: maybe(told.fee)?,
            salary: maybe(told.salary)?,
            rent: maybe(told.rent)?,
            margin: maybe(told.margin)?,
            ..*told
        };
        let (of, offset) = (amount(settlement.amount)?, amount(settlement.offset)?);
        Ok(Settlement { on: settlement.on, amount: of, offset, measures })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{ProductCode, VerticalCode};
    use jiff::civil::date;

    fn rate(text: &str) -> Rate {
        Rate::parse(text).expect("a rate")
    }

    fn settled() -> DealFacts {
        DealFacts {
            referred_on: date(2026, 1, 1),
            contracted_on: None,
            settlement: Some(Settlement::of(date(2026, 2, 1), Money::aud(100_001), Money::aud(3))),
            discharged_on: None,
        }
    }

    #[test]
    fn without_shocks_nothing_happens() {
        let shocks = Shocks::default();
        let sold = SoldProduct { code: ProductCode::parse("FIXED-3Y").expect("a code"), vertical: VerticalCode::V01 };
        assert!(shocks.is_none());
        assert_eq!(shocks.occurrences(&sold, &mut Draws::new(1)), 1);
        assert_eq!(shocks.facts(&settled(), &mut Draws::new(1)), Ok(settled()));
    }

    #[test]
    fn amounts_are_rounded_once_and_settlements_move() {
        let shocks = Shocks { size: rate("1.5"), settle_days: 40, unwound: Rate::WHOLE, ..Shocks::default() };
        let facts = shocks.facts(&settled(), &mut Draws::new(1)).expect("in range");
        let settlement = facts.settlement.expect("it settles");
        // 100,001 × 1.5 = 150,001.5 and 3 × 1.5 = 4.5, half away from zero; 1 February + 40 days.
        assert_eq!((settlement.amount, settlement.offset), (Money::aud(150_002), Money::aud(5)));
        assert_eq!(settlement.on, date(2026, 3, 13));
        assert!(facts.discharged_on.is_some_and(|on| on >= settlement.on));
        let early = Shocks { settle_days: -400, ..Shocks::default() };
        let facts = early.facts(&settled(), &mut Draws::new(1)).expect("in range");
        assert_eq!(facts.settlement.map(|s| s.on), Some(date(2026, 1, 1)));
        let lost = Shocks { lost: Rate::WHOLE, ..Shocks::default() };
        assert_eq!(lost.facts(&settled(), &mut Draws::new(1)).map(|f| f.settlement), Ok(None));
    }

    #[test]
    fn the_mix_multiplies_the_volume() {
        let sold = SoldProduct { code: ProductCode::parse("FIXED-3Y").expect("a code"), vertical: VerticalCode::V01 };
        let mix = BTreeMap::from([("FIXED-3Y".to_owned(), rate("3")), ("V01".to_owned(), rate("2"))]);
        let shocks = Shocks { volume: rate("0.5"), mix, ..Shocks::default() };
        assert_eq!(shocks.occurrences(&sold, &mut Draws::new(1)), 3);
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        // The least number has no absolute value of its own type.
        for settle_days in [4_000, -4_000, i32::MAX, i32::MIN] {
            let (volume, size, lost) = (rate("-1"), rate("101"), rate("1.1"));
            let shocks = Shocks { volume, size, lost, settle_days, ..Shocks::default() };
            let mut faults = Faults::default();
            shocks.check(&mut faults);
            let pointers: Vec<String> = faults.0.into_iter().map(|fault| fault.pointer).collect();
            assert_eq!(pointers, ["/shocks/volume", "/shocks/size", "/shocks/lost", "/shocks/settle_days"]);
        }
    }
}
