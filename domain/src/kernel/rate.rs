//! Rates: exact decimal fractions with at most six places, and the one rounding that money knows.
//!
//! Bounds: a rate is between −1000 and 1000 (−100 000 % … 100 000 %). Products are worked out in
//! 128 bits and rounded once, half away from zero, so that a mirrored amount gives a mirrored result.

use super::money::{Money, MoneyError};

/// Parts per million in one whole.
pub const WHOLE_PPM: i64 = 1_000_000;
const LIMIT_PPM: i64 = 1_000 * WHOLE_PPM;

/// A fraction in parts per million: `"0.0065"` is 6,500 ppm is 0.65 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate {
    ppm: i64,
}

/// The text is not a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a decimal fraction with at most six places between -1000 and 1000, e.g. \"0.0065\" for 0.65 %")]
pub struct ParseRateError;

impl super::fault::Reason for ParseRateError {
    fn code(&self) -> &'static str {
        "invalid_rate"
    }
}

impl Rate {
    /// 100 %.
    pub const WHOLE: Self = Self { ppm: WHOLE_PPM };
    /// 0 %.
    pub const ZERO: Self = Self { ppm: 0 };

    /// A rate of so many parts per million, if within bounds.
    ///
    /// # Errors
    /// Beyond ±1000.
    pub const fn try_new(ppm: i64) -> Result<Self, ParseRateError> {
        if ppm.abs() > LIMIT_PPM { Err(ParseRateError) } else { Ok(Self { ppm }) }
    }

    /// Parts per million.
    #[must_use]
    pub const fn ppm(self) -> i64 {
        self.ppm
    }

    /// Reads `"0.0065"`.
    ///
    /// # Errors
    /// Anything but digits with an optional sign and at most six decimals.
    pub fn parse(text: &str) -> Result<Self, ParseRateError> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |s: &str, most: usize| !s.is_empty() && s.len() <= most && s.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole, 4) || !plain(fraction, 6) {
            return Err(ParseRateError);
        }
        let ppm: i64 = format!("{whole}{fraction:0<6}").parse().map_err(|_| ParseRateError)?;
        Self::try_new(if negative { -ppm } else { ppm })
    }

    /// The share of an amount, rounded once to the minor unit, half away from zero.
    ///
    /// # Errors
    /// When the product leaves 64 bits of minor units.
    pub fn of(self, amount: Money) -> Result<Money, MoneyError> {
        let minor = divide_half_away(i128::from(amount.minor()) * i128::from(self.ppm), i128::from(WHOLE_PPM));
        i64::try_from(minor).map(|m| Money::new(m, amount.currency())).map_err(|_| MoneyError::OutOfRange)
    }
}

/// `numerator / denominator`, half away from zero. The denominator is positive.
#[must_use]
pub fn divide_half_away(numerator: i128, denominator: i128) -> i128 {
    debug_assert!(denominator > 0);
    // What fits is divided in 64 bits, which a machine does at once: nearly everything does.
    const FITS: u128 = (u64::MAX / 4) as u128;
    let (above, below) = (numerator.unsigned_abs(), denominator.unsigned_abs());
    if above <= FITS && below <= FITS {
        #[expect(clippy::cast_possible_truncation, reason = "both are at most a quarter of 64 bits")]
        let (above, below) = (above as u64, below as u64);
        let magnitude = i128::from((above * 2 + below) / (2 * below));
        return if numerator < 0 { -magnitude } else { magnitude };
    }
    let magnitude = (numerator.unsigned_abs() * 2 + denominator.unsigned_abs()) / (2 * denominator.unsigned_abs());
    // Fits: the magnitude is at most that of the numerator.
    if numerator < 0 { -(magnitude as i128) } else { magnitude as i128 }
}

impl std::fmt::Display for Rate {
    /// The shortest decimal: `0.0065`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.ppm < 0 { "-" } else { "" };
        let (whole, fraction) = (self.ppm.abs() / WHOLE_PPM, self.ppm.abs() % WHOLE_PPM);
        if fraction == 0 {
            return write!(f, "{sign}{whole}");
        }
        let digits = format!("{fraction:06}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

impl serde::Serialize for Rate {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Rate {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rounds_half_away_from_zero() {
        let half = Rate::parse("0.5").expect("a rate");
        assert_eq!(half.of(Money::aud(1)), Ok(Money::aud(1)));
        assert_eq!(half.of(Money::aud(-1)), Ok(Money::aud(-1)));
        assert_eq!(half.of(Money::aud(3)), Ok(Money::aud(2)));
        let rate = Rate::parse("0.0065").expect("a rate");
        assert_eq!(rate.of(Money::aud(217_127_698)), Ok(Money::aud(1_411_330)));
    }

    #[test]
    fn refuses_what_is_not_a_rate() {
        for text in ["", ".5", "5.", "0.0000001", "1e-3", "1001", "0,5", "+1", "10000", "½"] {
            assert_eq!(Rate::parse(text), Err(ParseRateError), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_mirrored_amount_gives_a_mirrored_share(minor in -1_000_000_000_000_i64..1_000_000_000_000, ppm in 0_i64..WHOLE_PPM) {
            let rate = Rate::try_new(ppm).expect("in bounds");
            let share = rate.of(Money::aud(minor)).expect("in range").minor();
            prop_assert_eq!(rate.of(Money::aud(-minor)).expect("in range").minor(), -share);
            // Twice the error is at most one unit: |2·(share·10⁶ − minor·ppm)| ≤ 10⁶.
            let error = i128::from(share) * 1_000_000 - i128::from(minor) * i128::from(ppm);
            prop_assert!((2 * error).abs() <= 1_000_000);
        }

        #[test]
        fn the_short_way_and_the_long_way_come_to_the_same(small in -(1_i64 << 61)..1 << 61, below in 1_i64..1 << 61) {
            let (above, below) = (i128::from(small), i128::from(below));
            // A common factor takes the long way and changes nothing.
            let factor = 1 << 64;
            prop_assert_eq!(divide_half_away(above, below), divide_half_away(above * factor, below * factor) );
        }

        #[test]
        fn what_is_shown_reads_back(ppm in -LIMIT_PPM..=LIMIT_PPM) {
            let rate = Rate::try_new(ppm).expect("in bounds");
            prop_assert_eq!(Rate::parse(&rate.to_string()), Ok(rate));
        }
    }
}
