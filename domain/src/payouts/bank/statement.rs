//! A bank statement as it was read.
//!
//! Invariants: opening balance + lines = closing balance, where the document tells both; every line is booked, in AUD
//! and not of nothing; credits are positive. Bounds: [`MAX_LINES`] lines a document, [`MAX_TEXT`] characters a line.

use jiff::civil::Date;

use crate::kernel::Faults;

/// The most lines of one document.
pub const MAX_LINES: usize = 200_000;
/// The most characters that are kept of what a line says.
pub const MAX_TEXT: usize = 500;

/// How a statement is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementFormat {
    /// ISO 20022 camt.053.001.02 or .08.
    Camt053,
    /// Comma-separated, by the profile of the account.
    Csv,
}

impl StatementFormat {
    /// The word in the API and in storage.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Camt053 => "camt.053",
            Self::Csv => "csv",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Camt053, Self::Csv].into_iter().find(|format| format.code() == text)
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineInput {
    /// The date on which it was booked.
    pub booked_on: Date,
    /// Positive: money came in. Cents.
    pub amount_minor: i64,
    /// Its references and what else it says, for matching.
    pub text: String,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementInput {
    /// The number of the account as the document writes it, if it does.
    pub account: Option<String>,
    /// What the bank calls the statement.
    pub reference: String,
    /// Its first day.
    pub from_on: Date,
    /// Its last day: that of the closing balance.
    pub to_on: Date,
    /// The balance before its lines, in cents.
    pub opening_minor: Option<i64>,
    /// The balance after them, in cents.
    pub closing_minor: Option<i64>,
    /// Its lines, in their order.
    pub lines: Vec<LineInput>,
}

impl StatementInput {
    /// Checks that it adds up; `n` is its place in the document, from 0.
    pub fn check(&self, n: usize, faults: &mut Faults) {
        let sum = self.lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.amount_minor));
        let (Some(opening), Some(closing)) = (self.opening_minor, self.closing_minor) else { return };
        if sum.and_then(|sum| opening.checked_add(sum)) != Some(closing) {
            let detail = "the opening balance and the lines do not come to the closing balance";
            faults.push(format!("/statements/{n}"), "statement_does_not_add_up", detail);
        }
    }

    /// Whether its account is the one with this BSB and number: digits alone are compared, with or without the BSB.
    #[must_use]
    pub fn is_of(&self, bsb: &str, number: &str) -> bool {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let plain = |text: &str| digits(text).trim_start_matches('0').to_owned();
        let said = self.account.as_deref().map(digits);
        said.is_some_and(|said| {
            let whole = format!("{}{}", digits(bsb), digits(number));
            said == whole || plain(&said) == plain(number) || said == format!("{}{:0>9}", digits(bsb), digits(number))
        })
    }
}
