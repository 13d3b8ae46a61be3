//! Money: whole minor units and a currency.
//!
//! Invariants: no floats; arithmetic is checked, an overflow is an error and never wraps.

use serde::{Deserialize, Serialize};
use verifier::parts::Amount;

pub use verifier::currency::Currency;

/// The amount is outside what 64 bits of minor units hold, or currencies differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Beyond ±92 quadrillion dollars.
    #[error("the amount is out of range")]
    OutOfRange,
    /// Not an amount in dollars with at most two decimals.
    #[error("expected dollars with at most two decimals, e.g. 1,234.50")]
    NotDollars,
    /// Two currencies met.
    #[error("amounts of different currencies cannot be combined")]
    CurrencyMismatch,
}

impl super::fault::Reason for MoneyError {
    fn code(&self) -> &'static str {
        match self {
            Self::OutOfRange => "amount_out_of_range",
            Self::NotDollars => "invalid_amount",
            Self::CurrencyMismatch => "currency_mismatch",
        }
    }
}

/// An amount in whole minor units (cents for AUD).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Money {
    #[serde(rename = "amount")]
    amount_minor: i64,
    currency: Currency,
}

impl Money {
    /// Nothing, in AUD.
    pub const ZERO: Self = Self::aud(0);

    /// An amount of cents.
    #[must_use]
    pub const fn aud(amount_minor: i64) -> Self {
        Self { amount_minor, currency: Currency::Aud }
    }

    /// An amount of minor units.
    #[must_use]
    pub const fn new(amount_minor: i64, currency: Currency) -> Self {
        Self { amount_minor, currency }
    }

    /// Whole minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.amount_minor
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Neither owed nor owing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.amount_minor == 0
    }

    /// Reads `1234.5`, `1,234.50` or `-3`: dollars, optional thousands separators, at most two decimals.
    ///
    /// # Errors
    /// [`MoneyError::NotDollars`] for anything else, [`MoneyError::OutOfRange`] beyond 64 bits of cents.
    pub fn parse_dollars(text: &str) -> Result<Self, MoneyError> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (whole, cents) = digits.split_once('.').map_or((digits, ""), |(w, c)| (w, c));
        let cents_given = digits.contains('.');
        if cents.len() > 2 || (cents_given && cents.is_empty()) || !cents.bytes().all(|b| b.is_ascii_digit()) {
            return Err(MoneyError::NotDollars);
        }
        let whole = ungroup(whole).ok_or(MoneyError::NotDollars)?;
        let mut minor: i64 = 0;
        for digit in whole.bytes().chain(format!("{cents:0<2}").bytes()) {
            minor = minor
                .checked_mul(10)
                .and_then(|m| m.checked_add(i64::from(digit - b'0')))
                .ok_or(MoneyError::OutOfRange)?;
        }
        Ok(Self::aud(if negative { -minor } else { minor }))
    }

    /// Sum.
    ///
    /// # Errors
    /// On overflow or when the currencies differ.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// Difference.
    ///
    /// # Errors
    /// On overflow or when the currencies differ.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    /// The mirror image: what was owed is owing.
    ///
    /// # Errors
    /// On overflow (`i64::MIN` has no mirror).
    pub fn mirrored(self) -> Result<Self, MoneyError> {
        let amount_minor = self.amount_minor.checked_neg().ok_or(MoneyError::OutOfRange)?;
        Ok(Self { amount_minor, ..self })
    }

    fn combine(self, other: Self, op: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let amount_minor = op(self.amount_minor, other.amount_minor).ok_or(MoneyError::OutOfRange)?;
        Ok(Self { amount_minor, ..self })
    }
}

/// Takes thousands separators out, if they stand where they belong (`1,234,567`).
fn ungroup(whole: &str) -> Option<String> {
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let grouped = whole.contains(',');
    let digits = |g: &str| !g.is_empty() && g.bytes().all(|b| b.is_ascii_digit());
    if !digits(first) || (grouped && first.len() > 3) || !groups.all(|g| g.len() == 3 && digits(g)) {
        return None;
    }
    Some(whole.replace(',', ""))
}

impl std::fmt::Display for Money {
    /// `-1234.50 AUD`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.amount_minor < 0 { "-" } else { "" };
        let cents = self.amount_minor.unsigned_abs();
        write!(f, "{sign}{}.{:02} {}", cents / 100, cents % 100, self.currency.code())
    }
}

impl std::fmt::Debug for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self { amount: money.minor().to_string(), currency: money.currency() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_partners_write() {
        for (text, cents) in
            [("2,171,276.98", 217_127_698), ("0.00", 0), ("5", 500), ("5.1", 510), ("-16.09", -1609), ("999", 99_900)]
        {
            assert_eq!(Money::parse_dollars(text), Ok(Money::aud(cents)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_dollars() {
        for text in
            ["", ".", "1.", "1.234", "1,23.00", "1234,567", ",123", "1e3", "+1", "--1", "١", "1 000", "$5", "NaN", "-"]
        {
            assert_eq!(Money::parse_dollars(text), Err(MoneyError::NotDollars), "{text}");
        }
        assert_eq!(Money::parse_dollars("92233720368547758.08"), Err(MoneyError::OutOfRange));
        assert_eq!(Money::parse_dollars("92233720368547758.07"), Ok(Money::aud(i64::MAX)));
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(cents in -i64::MAX..=i64::MAX) {
            let shown = Money::aud(cents).to_string();
            prop_assert_eq!(Money::parse_dollars(shown.trim_end_matches(" AUD")), Ok(Money::aud(cents)));
        }
    }
}
