//! How the CSV of a bank is to be read: which column is what.

use serde::{Deserialize, Serialize};

use crate::kernel::Faults;

/// How dates are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DateFormat {
    /// `2026-11-25`
    #[serde(rename = "YYYY-MM-DD")]
    Iso,
    /// `25/11/2026`
    #[serde(rename = "DD/MM/YYYY")]
    DayFirst,
    /// `20261125`
    #[serde(rename = "YYYYMMDD")]
    Compact,
}

impl DateFormat {
    /// Reads the word in the API.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "YYYY-MM-DD" => Some(Self::Iso),
            "DD/MM/YYYY" => Some(Self::DayFirst),
            "YYYYMMDD" => Some(Self::Compact),
            _ => None,
        }
    }

    /// The word in the API.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Iso => "YYYY-MM-DD",
            Self::DayFirst => "DD/MM/YYYY",
            Self::Compact => "YYYYMMDD",
        }
    }
}

/// Columns by their names in the header line. Either one signed amount, or debits and credits apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvProfile {
    /// The date on which a line was booked.
    pub date: String,
    /// How it is written.
    pub date_format: DateFormat,
    /// The signed amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// What went out, positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debit: Option<String>,
    /// What came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit: Option<String>,
    /// What the line says.
    pub text: String,
    /// The balance after the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<String>,
}

/// A profile in a request, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CsvProfileInput {
    /// `/csv/date`
    pub date: Option<String>,
    /// `/csv/date_format`
    pub date_format: Option<String>,
    /// `/csv/amount`
    pub amount: Option<String>,
    /// `/csv/debit`
    pub debit: Option<String>,
    /// `/csv/credit`
    pub credit: Option<String>,
    /// `/csv/text`
    pub text: Option<String>,
    /// `/csv/balance`
    pub balance: Option<String>,
}

/// The longest name of a column.
const LONGEST: usize = 64;

impl CsvProfile {
    /// Checks every field.
    pub fn check(raw: &CsvProfileInput, faults: &mut Faults) -> Option<Self> {
        let before = faults.0.len();
        let f = &mut *faults;
        let given = [
            ("/csv/date", &raw.date, true),
            ("/csv/text", &raw.text, true),
            ("/csv/amount", &raw.amount, false),
            ("/csv/debit", &raw.debit, false),
            ("/csv/credit", &raw.credit, false),
            ("/csv/balance", &raw.balance, false),
        ];
        for (pointer, name, is_needed) in given {
            match name.as_deref() {
                None if is_needed => f.push(pointer, "required", "this column is needed"),
                Some("") => f.push(pointer, "empty", "a column has a name"),
                Some(name) if name.chars().count() > LONGEST || name.contains('\0') => {
                    f.push(pointer, "too_long", "a column's name has at most 64 characters");
                }
                _ => {}
            }
        }
        let format = raw.date_format.as_deref().unwrap_or("DD/MM/YYYY");
        let date_format = DateFormat::parse(format);
        if date_format.is_none() {
            f.push("/csv/date_format", "unknown_value", "expected one of: YYYY-MM-DD, DD/MM/YYYY, YYYYMMDD");
        }
        match (&raw.amount, &raw.debit, &raw.credit) {
            (Some(_), None, None) | (None, Some(_), Some(_)) => {}
            _ => f.push(
                "/csv/amount",
                "required",
                "name the column of the signed amount, or those of debits and credits",
            ),
        }
        if faults.0.len() > before {
            return None;
        }
        Some(Self {
            date: raw.date.clone()?,
            date_format: date_format?,
            amount: raw.amount.clone(),
            debit: raw.debit.clone(),
            credit: raw.credit.clone(),
            text: raw.text.clone()?,
            balance: raw.balance.clone(),
        })
    }
}
