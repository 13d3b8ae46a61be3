//! What the tax office is told: quarters of the activity statement, withholding of a year.
//!
//! Quarters are those of the calendar (GST Act, s 27-5). Their figures are sums of the ledger's own postings by the date
//! on which an entry takes effect, payments to the tax office left out, so that they equal the books to the cent.
//! The annual report of withholding without ABN is due on 31 October (TAA 1953, sch 1, s 16-153).

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::kernel::ids::PayeeId;

/// A quarter of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quarter {
    /// Its first day.
    pub from: Date,
    /// Its last day.
    pub to: Date,
}

impl Quarter {
    /// The quarter of a date.
    #[must_use]
    pub fn of(on: Date) -> Self {
        let from = Date::new(on.year(), (on.month() - 1) / 3 * 3 + 1, 1).unwrap_or(on);
        let to = from.checked_add(2.months()).map_or(on, Date::last_of_month);
        Self { from, to }
    }
}

/// What the books say of one quarter, in cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuarterTotals {
    /// The quarter.
    pub quarter: Quarter,
    /// GST on what providers owe us.
    pub gst_collected_minor: i64,
    /// GST on what payees invoiced.
    pub gst_paid_minor: i64,
    /// Withheld from payees.
    pub withheld_minor: i64,
}

impl QuarterTotals {
    /// What is to be paid to the tax office; negative: what it refunds.
    #[must_use]
    pub const fn payable_minor(&self) -> i64 {
        self.gst_collected_minor - self.gst_paid_minor + self.withheld_minor
    }
}

/// A payee from whom tax was withheld in a year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithheldFrom {
    /// The payee.
    pub payee: PayeeId,
    /// Its name, until it is erased.
    pub name: Option<String>,
    /// How many payment summaries.
    pub summaries: i64,
    /// What was paid, tax included.
    pub gross_minor: i64,
    /// What was withheld.
    pub withheld_minor: i64,
}

/// The annual report as CSV (RFC 4180), amounts in cents.
///
/// # Errors
/// Never in memory; the signature keeps the failure visible.
pub fn withheld_csv(rows: &[WithheldFrom]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(["payee_id", "name", "summaries", "gross_cents", "withheld_cents"])?;
    for row in rows {
        writer.write_record([
            row.payee.to_string(),
            row.name.clone().unwrap_or_default(),
            row.summaries.to_string(),
            row.gross_minor.to_string(),
            row.withheld_minor.to_string(),
        ])?;
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_are_those_of_the_calendar() {
        let table = [
            (Date::constant(2026, 1, 1), Date::constant(2026, 1, 1), Date::constant(2026, 3, 31)),
            (Date::constant(2026, 6, 30), Date::constant(2026, 4, 1), Date::constant(2026, 6, 30)),
            (Date::constant(2026, 11, 29), Date::constant(2026, 10, 1), Date::constant(2026, 12, 31)),
        ];
        for (on, from, to) in table {
            assert_eq!(Quarter::of(on), Quarter { from, to });
        }
    }
}
