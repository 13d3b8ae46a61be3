//! The bank file: Direct Entry (ABA, «Cemtex») records of 120 bytes.
//!
//! Layout, positions from 1. `0`: 19–20 `01`, 21–23 bank, 31–56 user name, 57–62 user number, 63–74
//! description, 75–80 DDMMYY. `1`: 2–8 BSB, 9–17 account (right), 18 indicator, 19–20 code, 21–30 cents, 31–62
//! title, 63–80 lodgement reference, 81–87 and 88–96 trace account, 97–112 remitter, 113–120 zeros. `7`: 2–8
//! `999-999`, 21–30 net, 31–40 credits, 41–50 debits, 75–80 count. Everything else is blank.
//! Invariants: ASCII of the Direct Entry set only (by type); CRLF after each record, the last too; no amount
//! of nothing; the trailer is the sum of the details; the same input gives the same bytes. Nothing is cut
//! to fit. Bounds: a line at most $99,999,999.99, a total ten digits, at most the bank's item limit. Field
//! 113–120 is for withholding of non-residents (indicators W, X, Y) and stays zero.
//! Source: AusPayNet BECS procedures (Direct Entry file format), as laid down in the payouts document.

use std::fmt::Write as _;

use jiff::civil::Date;

use super::bank_account::BankAccount;
use crate::directory::aba_text::{AbaText, AbaTextError};
use crate::directory::bank::BankDetails;
use crate::kernel::Digest;
use crate::kernel::fault::Reason;

/// The most cents that one line carries: ten digits.
pub const MAX_LINE_MINOR: i64 = 9_999_999_999;
/// The most cents that a total of the trailer carries: ten digits.
pub const MAX_TOTAL_MINOR: i64 = 9_999_999_999;
/// Bytes of a record with its CRLF.
pub const RECORD: usize = 122;

/// Why a bank file cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AbaError {
    /// There is nothing to pay.
    #[error("a bank file needs at least one payment")]
    Empty,
    /// An amount of nothing, or less.
    #[error("a payment of nothing cannot stand in a bank file")]
    NotPositive,
    /// An amount of more than ten digits.
    #[error("a bank file carries at most $99,999,999.99 a line")]
    LineTooLarge,
    /// A total of more than ten digits.
    #[error("a bank file carries at most $99,999,999.99 in all; pay in several runs")]
    TotalTooLarge,
    /// More lines than the bank takes.
    #[error("the bank takes at most {0} lines a file")]
    TooManyLines(u32),
}

impl Reason for AbaError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "nothing_to_pay",
            Self::NotPositive => "amount_not_positive",
            Self::LineTooLarge => "amount_too_large_for_bank_file",
            Self::TotalTooLarge => "total_too_large_for_bank_file",
            Self::TooManyLines(_) => "too_many_lines_for_bank",
        }
    }
}

/// What the payee reads on the statement; never begins with `0` or `-`, which banks refuse.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct LodgementReference(AbaText<18>);

/// Why a text is no lodgement reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Not a text of a bank file.
    #[error(transparent)]
    Text(#[from] AbaTextError),
    /// Begins with `0` or `-`.
    #[error("a lodgement reference must not begin with 0 or -")]
    BadStart,
}

impl LodgementReference {
    /// Reads a reference.
    ///
    /// # Errors
    /// See [`ReferenceError`].
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let text = AbaText::parse(text)?;
        if text.as_str().starts_with(['0', '-']) { Err(ReferenceError::BadStart) } else { Ok(Self(text)) }
    }

    /// `FLIP-` and up to 13 letters or digits of the capital alphabet; anything else is left out.
    #[must_use]
    pub(crate) fn numbered(letters: &str) -> Self {
        let plain: String = letters.chars().filter(char::is_ascii_alphanumeric).take(13).collect();
        Self(AbaText::ascii(format!("FLIP-{plain}")))
    }

    /// The text, ASCII.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl std::fmt::Display for LodgementReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for LodgementReference {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The transaction code of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionCode {
    /// 50: general credit. Commission is no wage.
    Credit,
    /// 53: pay.
    Pay,
}

impl TransactionCode {
    const fn digits(self) -> &'static str {
        match self {
            Self::Credit => "50",
            Self::Pay => "53",
        }
    }
}

/// The debit of the own account, in a file that balances itself.
const DEBIT: &str = "13";

/// One payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// Where it goes.
    pub to: BankDetails,
    /// How much, in cents.
    pub amount_minor: i64,
    /// What the payee reads.
    pub reference: LodgementReference,
    /// What kind of payment it is.
    pub code: TransactionCode,
}

/// A bank file. Its identity is the digest of its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct AbaFile {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Their SHA-256.
    pub sha256: Digest,
    /// What the payees get in all.
    pub total_minor: i64,
}

/// Writes the file that pays from an own account; `dated` stands in the header.
///
/// # Errors
/// See [`AbaError`].
pub fn write(account: &BankAccount, dated: Date, credits: &[Credit]) -> Result<AbaFile, AbaError> {
    let total_minor = checked_total(account, credits)?;
    let mut text = String::with_capacity((credits.len() + 3) * RECORD);
    header(&mut text, account, dated);
    for credit in credits {
        let reference = credit.reference.as_str();
        detail(&mut text, account, &credit.to, (credit.code.digits(), credit.amount_minor), reference);
    }
    let debits_minor = if account.self_balancing { total_minor } else { 0 };
    if account.self_balancing {
        detail(&mut text, account, &account.details, (DEBIT, total_minor), account.description.as_str());
    }
    let count = credits.len() + usize::from(account.self_balancing);
    trailer(&mut text, (total_minor, debits_minor), count);
    let bytes = text.into_bytes();
    Ok(AbaFile { sha256: Digest::of(&bytes), bytes, total_minor })
}

fn checked_total(account: &BankAccount, credits: &[Credit]) -> Result<i64, AbaError> {
    if credits.is_empty() {
        return Err(AbaError::Empty);
    }
    let most = account.payments_per_file();
    if credits.len() > most {
        return Err(AbaError::TooManyLines(account.item_limit));
    }
    let mut total_minor = 0_i64;
    for credit in credits {
        match credit.amount_minor {
            ..=0 => return Err(AbaError::NotPositive),
            1..=MAX_LINE_MINOR => total_minor += credit.amount_minor,
            _ => return Err(AbaError::LineTooLarge),
        }
        if total_minor > MAX_TOTAL_MINOR {
            return Err(AbaError::TotalTooLarge);
        }
    }
    Ok(total_minor)
}

fn header(text: &mut String, account: &BankAccount, dated: Date) {
    record(
        text,
        format_args!(
            "0{:17}01{:<3}{:7}{:<26}{:0>6}{:<12}{:02}{:02}{:02}{:40}",
            "",
            account.bank_code.as_str(),
            "",
            account.user_name.as_str(),
            account.user_number.as_str(),
            account.description.as_str(),
            dated.day(),
            dated.month(),
            dated.year().rem_euclid(100),
            "",
        ),
    );
}

fn detail(text: &mut String, own: &BankAccount, to: &BankDetails, what: (&str, i64), reference: &str) {
    let (code, cents) = what;
    record(
        text,
        format_args!(
            "1{}{:>9} {code}{cents:010}{:<32}{reference:<18}{}{:>9}{:<16}{:08}",
            to.bsb,
            to.account.as_str(),
            to.title.as_str(),
            own.details.bsb,
            own.details.account.as_str(),
            own.remitter.as_str(),
            0,
        ),
    );
}

fn trailer(text: &mut String, (credits, debits): (i64, i64), count: usize) {
    let net = (credits - debits).abs();
    record(text, format_args!("7999-999{:12}{net:010}{credits:010}{debits:010}{:24}{count:06}{:40}", "", "", ""));
}

fn record(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing into a String cannot fail.
    let _ = text.write_fmt(line);
    text.push_str("\r\n");
}
