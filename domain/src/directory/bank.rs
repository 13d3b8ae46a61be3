//! Bank accounts: BSB, account number, and the port to a directory of branches.
//!
//! Invariants: a BSB is six digits; an account number is one to nine digits, not all zero, leading zeros
//! kept. Whether a branch exists is a dated question for the directory, not part of the value.
//! Source: AusPayNet, BSB numbers and BECS Direct Entry format (account field of nine, hyphens edited out).

use jiff::civil::Date;

use super::aba_text::AbaText;
use crate::kernel::fault::Reason;

/// Why bank details are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BankError {
    /// Not six digits with an optional hyphen in the middle.
    #[error("a BSB has six digits, e.g. 062-000")]
    BsbFormat,
    /// The directory knows no such bank or branch.
    #[error("no bank or branch has the BSB {0}")]
    BsbUnknown(Bsb),
    /// The branch takes no electronic payments.
    #[error("the branch {0} does not take electronic payments")]
    BsbNotElectronic(Bsb),
    /// Not one to nine digits.
    #[error("an account number has one to nine digits")]
    AccountFormat,
    /// Nothing but zeros.
    #[error("an account number cannot be all zeros")]
    AccountZero,
}

impl Reason for BankError {
    fn code(&self) -> &'static str {
        match self {
            Self::BsbFormat => "invalid_bsb",
            Self::BsbUnknown(_) => "unknown_bsb",
            Self::BsbNotElectronic(_) => "bsb_not_electronic",
            Self::AccountFormat => "invalid_account_number",
            Self::AccountZero => "account_number_all_zeros",
        }
    }
}

/// A Bank State Branch number; prints as `062-000`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bsb([u8; 6]);

impl Bsb {
    /// A BSB of six known digits (each 0 to 9).
    pub(crate) const fn from_digits(digits: [u8; 6]) -> Self {
        Self(digits)
    }

    /// Reads `062-000`, `062 000` or `062000`.
    ///
    /// # Errors
    /// [`BankError::BsbFormat`].
    pub fn parse(text: &str) -> Result<Self, BankError> {
        let text = text.trim_matches(' ').as_bytes();
        let (head, tail) = match text {
            [head @ .., b'-' | b' ', a, b, c] if head.len() == 3 => (head, [*a, *b, *c]),
            [head @ .., a, b, c] if head.len() == 3 => (head, [*a, *b, *c]),
            _ => return Err(BankError::BsbFormat),
        };
        let mut digits = [0_u8; 6];
        for (place, byte) in digits.iter_mut().zip(head.iter().chain(&tail)) {
            if !byte.is_ascii_digit() {
                return Err(BankError::BsbFormat);
            }
            *place = byte - b'0';
        }
        Ok(Self(digits))
    }

    /// The six digits without hyphen.
    #[must_use]
    pub fn compact(self) -> String {
        self.0.iter().map(|digit| char::from(b'0' + digit)).collect()
    }
}

impl std::fmt::Display for Bsb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.compact();
        write!(f, "{}-{}", &text[..3], &text[3..])
    }
}

impl std::fmt::Debug for Bsb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Bsb {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Bsb {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// An account number: one to nine digits, leading zeros kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct AccountNumber(String);

impl AccountNumber {
    pub(crate) fn from_counter(counter: u32) -> Self {
        Self((counter % 1_000_000_000).to_string())
    }

    /// Reads digits; single hyphens and blanks between them are edited out, as the format asks.
    ///
    /// # Errors
    /// [`BankError::AccountFormat`], [`BankError::AccountZero`].
    pub fn parse(text: &str) -> Result<Self, BankError> {
        let text = text.trim_matches(' ');
        let edges = |c: char| c.is_ascii_digit();
        if !text.starts_with(edges) || !text.ends_with(edges) {
            return Err(BankError::AccountFormat);
        }
        let digits: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
        if digits.len() > 9 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BankError::AccountFormat);
        }
        if digits.bytes().all(|b| b == b'0') { Err(BankError::AccountZero) } else { Ok(Self(digits)) }
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for AccountNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for AccountNumber {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// Where a payee's money goes, in the form that a bank file carries.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankDetails {
    /// The branch.
    pub bsb: Bsb,
    /// The account.
    pub account: AccountNumber,
    /// The name of the account, as the bank file carries it.
    pub title: AbaText<32>,
}

/// Knows which branches exist and take electronic payments; replaced as a whole when a newer edition comes.
pub trait BsbDirectory: Send + Sync {
    /// The date of this edition.
    fn published_on(&self) -> Date;

    /// The mnemonic of the bank that a payment to this BSB reaches, e.g. `CBA`.
    ///
    /// # Errors
    /// [`BankError::BsbUnknown`], [`BankError::BsbNotElectronic`].
    fn bank_of(&self, bsb: Bsb) -> Result<&str, BankError>;
}

/// The built-in directory: prefixes of the banks only, until a full edition is loaded.
///
/// Knows the larger banks by the first two or three digits; with two, the third must be a state (2 to 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PrefixDirectory;

/// Source: the prefixes of PyPI `bsb-lookup` 0.0.6; not checked against an edition of AusPayNet. Load a full, dated one.
const PREFIXES: &[(&str, &str)] = &[
    ("01", "ANZ"),
    ("03", "WBC"),
    ("73", "WBC"),
    ("06", "CBA"),
    ("76", "CBA"),
    ("08", "NAB"),
    ("10", "BSA"),
    ("11", "STG"),
    ("12", "BQL"),
    ("18", "MBL"),
    ("30", "BWA"),
    ("34", "HBA"),
    ("48", "MET"),
    ("313", "BAU"),
    ("325", "BYB"),
    ("633", "BBL"),
    ("638", "HBS"),
    ("640", "HUM"),
    ("650", "NEW"),
    ("670", "YOU"),
    ("923", "ING"),
    ("939", "AMP"),
];

impl BsbDirectory for PrefixDirectory {
    fn published_on(&self) -> Date {
        Date::constant(2026, 1, 1)
    }

    fn bank_of(&self, bsb: Bsb) -> Result<&str, BankError> {
        let digits = bsb.compact();
        let state = (2..=7).contains(&bsb.0[2]);
        PREFIXES
            .iter()
            .find(|(prefix, _)| digits.starts_with(prefix) && (prefix.len() == 3 || state))
            .map(|(_, bank)| *bank)
            .ok_or(BankError::BsbUnknown(bsb))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_ways_a_bsb_is_written() {
        for text in ["062-000", "062000", "062 000", " 062-000 "] {
            assert_eq!(Bsb::parse(text).map(|b| b.to_string()), Ok("062-000".to_owned()), "{text}");
        }
        for bad in ["", "06200", "0620000", "062--000", "06-2000", "062-00a", "٠٦٢-٠٠٠", "062-000\0", "-062000"] {
            assert_eq!(Bsb::parse(bad), Err(BankError::BsbFormat), "{bad:?}");
        }
    }

    #[test]
    fn accounts_keep_zeros_and_lose_hyphens() {
        for (text, digits) in
            [("000123", "000123"), ("12-345-678", "12345678"), ("1", "1"), ("123 456 789", "123456789")]
        {
            assert_eq!(AccountNumber::parse(text).map(|a| a.to_string()), Ok(digits.to_owned()), "{text}");
        }
        for bad in ["", "1234567890", "12a", "-123", "123-", "1\0", "+12", "¹²"] {
            assert_eq!(AccountNumber::parse(bad), Err(BankError::AccountFormat), "{bad:?}");
        }
        assert_eq!(AccountNumber::parse("000-000"), Err(BankError::AccountZero));
    }

    #[test]
    fn the_built_in_directory_knows_the_banks() {
        let bank = |text: &str| PrefixDirectory.bank_of(Bsb::parse(text).expect("a BSB")).map(str::to_owned);
        assert_eq!(bank("062-000"), Ok("CBA".to_owned()));
        assert_eq!(bank("013-006"), Ok("ANZ".to_owned()));
        assert_eq!(bank("484-799"), Ok("MET".to_owned()));
        for unknown in ["000-000", "999-999", "069-000", "001-234", "555-555"] {
            assert_eq!(bank(unknown), Err(BankError::BsbUnknown(Bsb::parse(unknown).expect("a BSB"))), "{unknown}");
        }
    }
}
