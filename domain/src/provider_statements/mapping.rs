//! The mapping: how a provider's file reads. A new version replaces the one before for files that come later.
//!
//! Invariants: every column that is needed is named; without a header columns are numbers from 1; a file is read by
//! one version only. Source: the payouts document, "Reconciliation": CSV with a mapping per provider.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::kernel::Instant;
use crate::kernel::fault::Reason;
use crate::kernel::ids::OrganisationId;

/// A word that a field does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one of: {expected}")]
pub struct UnknownWord {
    /// The words that it has.
    pub expected: &'static str,
}

impl Reason for UnknownWord {
    fn code(&self) -> &'static str {
        "unknown_value"
    }
}

macro_rules! words {
    ($(#[doc = $what:literal])+ $name:ident, $expected:literal, $($(#[doc = $doc:literal])+ $variant:ident = $text:literal),+ $(,)?) => {
        $(#[doc = $what])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[doc = $doc])+ #[serde(rename = $text)] $variant,)+ }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Reads the word.
            ///
            /// # Errors
            /// [`UnknownWord`].
            pub fn parse(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { expected: $expected }),
                }
            }

            /// The word in the API and in storage.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

words! {
    /// What stands between two fields.
    Delimiter, "comma, semicolon, tab, pipe",
    /// `,`
    Comma = "comma",
    /// `;`
    Semicolon = "semicolon",
    /// A tabulator.
    Tab = "tab",
    /// `|`
    Pipe = "pipe",
}

words! {
    /// What an amount is written in.
    AmountUnit, "dollars, cents",
    /// `1,234.50`; a dollar sign and brackets around what is negative are understood.
    Dollars = "dollars",
    /// Whole cents.
    Cents = "cents",
}

words! {
    /// Which sign a payment to us has.
    AmountSign, "paid_positive, paid_negative",
    /// Paid is positive, taken back negative.
    PaidPositive = "paid_positive",
    /// The other way round.
    PaidNegative = "paid_negative",
}

words! {
    /// How GST is told.
    GstMode, "none, exclusive, inclusive, column",
    /// No GST is paid.
    None = "none",
    /// The amount is without GST; a tenth is paid on top.
    Exclusive = "exclusive",
    /// The amount includes GST: an eleventh of it.
    Inclusive = "inclusive",
    /// The amount is without GST, which has a column of its own.
    Column = "column",
}

words! {
    /// How a date is written.
    DateFormat, "YYYY-MM-DD, DD/MM/YYYY, MM/DD/YYYY, DD-MM-YYYY, YYYYMMDD, DD Mon YYYY",
    /// ISO 8601.
    Iso = "YYYY-MM-DD",
    /// Day first.
    DayFirst = "DD/MM/YYYY",
    /// Month first.
    MonthFirst = "MM/DD/YYYY",
    /// Day first, with dashes.
    DayFirstDashed = "DD-MM-YYYY",
    /// Digits only.
    Compact = "YYYYMMDD",
    /// `05 Aug 2026`.
    Worded = "DD Mon YYYY",
}

words! {
    /// How a month is written.
    MonthFormat, "YYYY-MM, MM/YYYY, Mon YYYY, YYYYMM",
    /// `2026-07`.
    Iso = "YYYY-MM",
    /// `07/2026`.
    Slashed = "MM/YYYY",
    /// `Jul 2026`.
    Worded = "Mon YYYY",
    /// `202607`.
    Compact = "YYYYMM",
}

words! {
    /// What a line is for.
    LineKind, "upfront, trail, clawback",
    /// The commission of a deal.
    Upfront = "upfront",
    /// The trail of a month.
    Trail = "trail",
    /// Commission that the provider takes back.
    Clawback = "clawback",
}

words! {
    /// How one sees that something is taken back.
    Clawbacks, "signed, by_word",
    /// By its sign alone.
    Signed = "signed",
    /// By the word of its kind, whatever sign it has.
    ByWord = "by_word",
}

impl Delimiter {
    /// The character.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Pipe => b'|',
        }
    }
}

impl DateFormat {
    const fn pattern(self) -> &'static str {
        match self {
            Self::Iso => "%Y-%m-%d",
            Self::DayFirst => "%d/%m/%Y",
            Self::MonthFirst => "%m/%d/%Y",
            Self::DayFirstDashed => "%d-%m-%Y",
            Self::Compact => "%Y%m%d",
            Self::Worded => "%d %b %Y",
        }
    }

    /// Reads a date.
    #[must_use]
    pub fn read(self, text: &str) -> Option<Date> {
        Date::strptime(self.pattern(), text).ok()
    }
}

impl MonthFormat {
    const fn pattern(self) -> &'static str {
        match self {
            Self::Iso => "%d %Y-%m",
            Self::Slashed => "%d %m/%Y",
            Self::Worded => "%d %b %Y",
            Self::Compact => "%d %Y%m",
        }
    }

    /// Reads a month as its first day.
    #[must_use]
    pub fn read(self, text: &str) -> Option<Date> {
        Date::strptime(self.pattern(), format!("01 {text}")).ok()
    }
}

/// How a provider's file reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementMapping {
    /// Between fields.
    pub delimiter: Delimiter,
    /// Lines before the header, or before the first line where there is none.
    pub skip_rows: u16,
    /// Whether columns have names.
    pub header_row: bool,
    /// What the provider calls the deal.
    pub reference_column: String,
    /// What was paid.
    pub amount_column: String,
    /// What that is written in.
    pub amount_unit: AmountUnit,
    /// Which sign it has.
    pub amount_sign: AmountSign,
    /// How GST is told.
    pub gst: GstMode,
    /// The column of GST, where it has one.
    pub gst_column: Option<String>,
    /// The date of a line.
    pub date_column: String,
    /// How it is written.
    pub date_format: DateFormat,
    /// The month of a trail; without one it is that of the date.
    pub period_column: Option<String>,
    /// How it is written.
    pub period_format: Option<MonthFormat>,
    /// What a line is for.
    pub kind_column: Option<String>,
    /// What stands there for the commission of a deal.
    pub upfront_words: Vec<String>,
    /// For a trail.
    pub trail_words: Vec<String>,
    /// For what is taken back.
    pub clawback_words: Vec<String>,
    /// What a line is for where no column tells.
    pub default_kind: LineKind,
    /// How one sees that something is taken back.
    pub clawbacks: Clawbacks,
    /// What the provider calls the product.
    pub product_column: Option<String>,
    /// How many months before its date the month of a trail is.
    pub trail_lag_months: u8,
    /// Days around a line's date in which an item may have fallen due that it is matched to by its amount alone.
    pub date_window_days: u16,
    /// What the provider's statements tell in full: only of these something can be missing.
    pub covers: Vec<LineKind>,
}

/// A version of a provider's mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingVersion {
    /// Whose files.
    pub provider: OrganisationId,
    /// Its number, from 1.
    pub version: u32,
    /// How they read.
    pub mapping: StatementMapping,
    /// Who wrote it.
    pub created_by: Uuid,
    /// When.
    pub created_at: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_day_and_one_month_in_every_way_of_writing() {
        let day: Date = "2026-08-05".parse().expect("a date");
        let written = ["2026-08-05", "05/08/2026", "08/05/2026", "05-08-2026", "20260805", "05 Aug 2026"];
        for (format, text) in DateFormat::ALL.iter().zip(written) {
            assert_eq!(format.read(text), Some(day), "{text}");
            assert_eq!(format.read("2026-13-45"), None);
            assert_eq!(format.read(&format!("{text} x")), None);
        }
        let month: Date = "2026-07-01".parse().expect("a date");
        for (format, text) in MonthFormat::ALL.iter().zip(["2026-07", "07/2026", "Jul 2026", "202607"]) {
            assert_eq!(format.read(text), Some(month), "{text}");
            assert_eq!(format.read("13"), None);
        }
    }
}
