//! Australian business and company numbers.
//!
//! Sources: Australian Business Register, "Format of the ABN": weights 10, 1, 3, … 19, one taken off
//! the first digit, sum divisible by 89; the two check digits run from 11 to 99, so that anything below
//! 11 is refused although its sum may divide. ASIC, "Australian Company Number digit check":
//! weights 8 … 1, check digit = (10 − sum mod 10) mod 10. Oracle: `python-stdnum`.
//! A valid ABN says nothing about registration for GST.

use crate::kernel::fault::Reason;

/// Why a number is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Not eleven digits.
    #[error("an ABN has eleven digits")]
    AbnFormat,
    /// The check digits do not fit.
    #[error("this is not a valid ABN: its check digits do not match")]
    AbnChecksum,
    /// Not nine digits.
    #[error("an ACN has nine digits")]
    AcnFormat,
    /// The check digit does not fit.
    #[error("this is not a valid ACN: its check digit does not match")]
    AcnChecksum,
}

impl Reason for NumberError {
    fn code(&self) -> &'static str {
        match self {
            Self::AbnFormat => "invalid_abn",
            Self::AbnChecksum => "invalid_abn_checksum",
            Self::AcnFormat => "invalid_acn",
            Self::AcnChecksum => "invalid_acn_checksum",
        }
    }
}

/// The digits of a number written with optional blanks between them.
fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut found = [0_u8; N];
    let mut count = 0;
    for byte in text.bytes().filter(|b| *b != b' ') {
        if !byte.is_ascii_digit() || count == N {
            return None;
        }
        found[count] = byte - b'0';
        count += 1;
    }
    (count == N).then_some(found)
}

fn sum(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| u32::from(*digit) * weight).sum()
}

fn written(digits: &[u8]) -> String {
    digits.iter().map(|digit| char::from(b'0' + digit)).collect()
}

/// Declares a number that prints and serialises as its digits.
macro_rules! number_value {
    ($(#[$meta:meta])* $name:ident, $length:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $length]);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&written(&self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

number_value!(/// An Australian Business Number; prints as eleven digits.
    Abn, 11);
number_value!(/// An Australian Company Number; prints as nine digits.
    Acn, 9);

impl Abn {
    const BODY_WEIGHTS: [u32; 9] = [3, 5, 7, 9, 11, 13, 15, 17, 19];

    /// Reads eleven digits, blanks between them allowed.
    ///
    /// # Errors
    /// [`NumberError::AbnFormat`], [`NumberError::AbnChecksum`].
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let digits = digits::<11>(text).ok_or(NumberError::AbnFormat)?;
        let check = u32::from(digits[0]) * 10 + u32::from(digits[1]);
        // One off the first digit takes ten off the sum.
        let divides = check >= 11 && (check - 10 + sum(&digits[2..], &Self::BODY_WEIGHTS)).is_multiple_of(89);
        if divides { Ok(Self(digits)) } else { Err(NumberError::AbnChecksum) }
    }

    /// The ABN whose last nine digits are `body` (its lowest nine decimal digits count).
    #[must_use]
    pub(crate) fn with_body(body: u32) -> Self {
        let mut found = [0_u8; 11];
        let mut rest = body;
        for place in found[2..].iter_mut().rev() {
            *place = u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
        let check = 99 - sum(&found[2..], &Self::BODY_WEIGHTS) % 89;
        found[0] = u8::try_from(check / 10).unwrap_or(0);
        found[1] = u8::try_from(check % 10).unwrap_or(0);
        Self(found)
    }

    /// As people write it: `51 824 753 556`.
    #[must_use]
    pub fn grouped(self) -> String {
        let text = written(&self.0);
        format!("{} {} {} {}", &text[..2], &text[2..5], &text[5..8], &text[8..])
    }
}

impl Acn {
    /// Reads nine digits, blanks between them allowed.
    ///
    /// # Errors
    /// [`NumberError::AcnFormat`], [`NumberError::AcnChecksum`]; all zeros are refused too.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let digits = digits::<9>(text).ok_or(NumberError::AcnFormat)?;
        let check = (10 - sum(&digits[..8], &[8, 7, 6, 5, 4, 3, 2, 1]) % 10) % 10;
        if check == u32::from(digits[8]) && digits != [0; 9] { Ok(Self(digits)) } else { Err(NumberError::AcnChecksum) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Made by `tests/oracles/abn_acn.py` with python-stdnum 2.2.
    const VERDICTS: &str = include_str!("../../../tests/oracles/fixtures/abn_acn.csv");

    #[test]
    fn agrees_with_python_stdnum() {
        let mut checked = 0;
        for row in VERDICTS.lines().skip(1) {
            let fields: Vec<&str> = row.split(',').collect();
            let valid = match fields[0] {
                "abn" => Abn::parse(fields[1]).is_ok(),
                _ => Acn::parse(fields[1]).is_ok(),
            };
            assert_eq!(if valid { "valid" } else { "invalid" }, fields[2], "{row}");
            checked += 1;
        }
        assert_eq!(checked, 242);
    }

    #[test]
    fn reads_and_prints() {
        let abn = Abn::parse("51 824 753 556").expect("the ABN of the tax office");
        assert_eq!(abn.to_string(), "51824753556");
        assert_eq!(abn.grouped(), "51 824 753 556");
        for bad in ["", "5182475355", "518247535560", "5182475355x", "٥١٨٢٤٧٥٣٥٥٦", "51-824-753-556"] {
            assert_eq!(Abn::parse(bad), Err(NumberError::AbnFormat), "{bad}");
        }
        assert_eq!(Abn::parse("00000000000"), Err(NumberError::AbnChecksum));
        assert_eq!(Acn::parse("000000000"), Err(NumberError::AcnChecksum));
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_always_noticed(body in 0_u32..1_000_000_000, place in 0_usize..11, by in 1_u8..10) {
            let good = Abn::with_body(body);
            prop_assert_eq!(Abn::parse(&good.to_string()), Ok(good));
            let mut bad = good.to_string().into_bytes();
            bad[place] = b'0' + (bad[place] - b'0' + by) % 10;
            prop_assert!(Abn::parse(std::str::from_utf8(&bad).expect("digits")).is_err());
        }
    }
}
