//! One row of an export: its values, or all of its faults at once.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::reader::{COLUMNS, WIDTH, column};
use crate::agreements::facts::Measures;
use crate::kernel::fault::Reason;
use crate::kernel::jcs::{self, JcsError};
use crate::kernel::{Digest, Money};

/// What is wrong with a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowFault {
    /// The column; empty for the row as a whole.
    pub column: &'static str,
    /// Stable.
    pub code: &'static str,
    /// For a person.
    pub detail: String,
}

/// What a valid row says of a deal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DealRow {
    /// The partner's reference.
    pub external_ref: String,
    /// The member who referred.
    pub member_ref: String,
    /// The client.
    pub client_name: String,
    /// The product.
    pub product_code: String,
    /// The day of referral.
    pub referred_on: Date,
    /// The day of contract.
    pub contracted_on: Option<Date>,
    /// The day of settlement.
    pub settled_on: Option<Date>,
    /// What settled.
    pub settled_amount: Option<Money>,
    /// The balance of the offset account.
    pub offset_balance: Option<Money>,
    /// The day on which the deal unwound.
    pub discharged_on: Option<Date>,
    /// What else was told of the settlement.
    #[serde(default, skip_serializing_if = "Measures::is_empty")]
    pub measures: Measures,
}

/// The texts of a row, by the places of their columns; none stands for one that is at fault already.
pub(super) type Cells<'r> = [Option<&'r str>; WIDTH];

impl DealRow {
    /// SHA-256 of the canonical values; how they were written does not matter.
    ///
    /// # Errors
    /// Never for typed values; the signature keeps the failure visible.
    pub fn digest(&self) -> Result<Digest, JcsError> {
        jcs::to_bytes(self).map(|bytes| Digest::of(&bytes))
    }
}

/// The longest `external_ref`.
const MAX_REFERENCE_BYTES: usize = 200;

/// Whether a text can be kept as a deal's reference.
pub(super) fn is_reference(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_REFERENCE_BYTES && !text.chars().any(char::is_control)
}

fn fault(at: usize, code: &'static str, detail: impl Into<String>) -> RowFault {
    RowFault { column: column(at), code, detail: detail.into() }
}

pub(super) fn read(found: &csv::ByteRecord, layout: &[usize]) -> Result<DealRow, Vec<RowFault>> {
    if found.len() != layout.len() {
        let detail = format!("expected {} columns, found {}", layout.len(), found.len());
        return Err(vec![RowFault { column: "", code: "wrong_column_count", detail }]);
    }
    let mut faults = Vec::new();
    let cells = texts(found, layout, &mut faults);
    judge(&cells, faults)
}

/// Judges the cells of a row whose texts were read; none stands for one that is at fault already.
pub(super) fn judge(cells: &Cells<'_>, mut faults: Vec<RowFault>) -> Result<DealRow, Vec<RowFault>> {
    for (at, cell) in cells.iter().enumerate().take(5) {
        if cell.is_some_and(str::is_empty) {
            faults.push(fault(at, "required", "must not be empty"));
        }
    }
    if cells[0].is_some_and(|text| !text.is_empty() && !is_reference(text)) {
        faults.push(fault(0, "too_long", format!("must be at most {MAX_REFERENCE_BYTES} bytes")));
    }
    let dates = [4, 5, 6, 9].map(|at| date(at, cells[at].unwrap_or_default(), &mut faults));
    let amounts = [7, 8].map(|at| amount(at, cells[at].unwrap_or_default(), &mut faults));
    check(cells, dates, amounts, &mut faults);
    let measures = measures(cells, &mut faults);
    let text = |at: usize| cells[at].unwrap_or_default().to_owned();
    match (faults.is_empty(), dates[0]) {
        (true, Some(referred_on)) => Ok(DealRow {
            external_ref: text(0),
            member_ref: text(1),
            client_name: text(2),
            product_code: text(3),
            referred_on,
            contracted_on: dates[1],
            settled_on: dates[2],
            settled_amount: amounts[0],
            offset_balance: amounts[1],
            discharged_on: dates[3],
            measures,
        }),
        _ => Err(faults),
    }
}

/// The texts of a row; none where one cannot be read, which is a fault of that column alone.
fn texts<'r>(found: &'r csv::ByteRecord, layout: &[usize], faults: &mut Vec<RowFault>) -> Cells<'r> {
    // What the export has no column for is empty.
    let mut cells = [Some(""); WIDTH];
    for (at, bytes) in layout.iter().copied().zip(found.iter()) {
        cells[at] = None;
        match std::str::from_utf8(bytes) {
            Err(_) => faults.push(fault(at, "invalid_utf8", "not UTF-8; Latin-1 and Windows-1252 are refused")),
            Ok(t) => cells[at] = text(at, t, faults),
        }
    }
    cells
}

/// The text of a cell.
pub(super) fn text<'r>(at: usize, text: &'r str, faults: &mut Vec<RowFault>) -> Option<&'r str> {
    if text.chars().any(char::is_control) {
        faults.push(fault(at, "control_character", "control characters are refused"));
        return None;
    }
    Some(text.trim())
}

/// The amounts and counts beside the settled amount.
fn measures(cells: &Cells<'_>, faults: &mut Vec<RowFault>) -> Measures {
    let first = COLUMNS.len();
    let amounts: [usize; 5] = std::array::from_fn(|n| first + n);
    let amounts = amounts.map(|at| amount(at, cells[at].unwrap_or_default(), faults));
    let counts: [usize; 5] = std::array::from_fn(|n| first + amounts.len() + n);
    let counts = counts.map(|at| count(at, cells[at].unwrap_or_default(), faults));
    let given = (first..WIDTH).find(|at| cells[*at].is_some_and(|cell| !cell.is_empty()));
    if let Some(at) = given.filter(|_| cells[6].is_some_and(str::is_empty)) {
        faults.push(fault(at, "measure_without_settlement", "needs a settled date"));
    }
    Measures::of(amounts, counts)
}

fn count(at: usize, text: &str, faults: &mut Vec<RowFault>) -> Option<i64> {
    if text.is_empty() {
        return None;
    }
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let parsed = if digits { text.parse().ok() } else { None };
    if parsed.is_none() {
        faults.push(fault(at, "invalid_count", "expected a whole number that is not negative"));
    }
    parsed
}

fn check(cells: &Cells<'_>, dates: [Option<Date>; 4], amounts: [Option<Money>; 2], faults: &mut Vec<RowFault>) {
    let mut latest = dates[0];
    for (at, on) in [(5, dates[1]), (6, dates[2]), (9, dates[3])] {
        if let (Some(before), Some(after)) = (latest, on)
            && after < before
        {
            faults.push(fault(at, "date_out_of_order", format!("{after} is before {before}")));
        }
        latest = on.or(latest);
    }
    let given = |at: usize| cells[at].is_some_and(|cell: &str| !cell.is_empty());
    let missing = |at: usize| cells[at].is_some_and(str::is_empty);
    if given(6) && missing(7) {
        faults.push(fault(7, "amount_missing", "a settled deal needs an amount"));
    }
    if given(7) && missing(6) {
        faults.push(fault(6, "settled_date_missing", "an amount needs a settled date"));
    }
    if given(9) && missing(6) {
        faults.push(fault(9, "discharge_without_settlement", "a discharge needs a settled date"));
    }
    if let [Some(settled), Some(offset)] = amounts
        && offset > settled
    {
        faults.push(fault(8, "offset_exceeds_amount", "the offset is larger than the settled amount"));
    }
}

fn date(at: usize, text: &str, faults: &mut Vec<RowFault>) -> Option<Date> {
    if text.is_empty() {
        return None;
    }
    // Parsing alone would take other ISO forms; writing it back takes only YYYY-MM-DD.
    let parsed = text.parse::<Date>().ok().filter(|d| d.to_string() == text);
    if parsed.is_none() {
        faults.push(fault(at, "invalid_date", "expected a date of the calendar, YYYY-MM-DD"));
    }
    parsed
}

fn amount(at: usize, text: &str, faults: &mut Vec<RowFault>) -> Option<Money> {
    if text.is_empty() {
        return None;
    }
    match Money::parse_dollars(text) {
        Ok(money) if money.minor() >= 0 => return Some(money),
        Ok(_) => faults.push(fault(at, "negative_amount", "must not be negative")),
        Err(e) => faults.push(fault(at, e.code(), e.to_string())),
    }
    None
}
