//! Reading a file by its mapping: every line, or every fault.
//!
//! Nothing half done: a file with one line that cannot be read is refused as a whole, with all faults, each at
//! `/lines/{line}/{field}`. Bounds: [`MAX_LINES`] lines, [`MAX_FAULTS`] faults before reading stops, a field of at most
//! [`MAX_FIELD`] characters. Source: RFC 4180; GST Act s 9-75, 9-90 (an eleventh, half up at the cent).

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::mapping::{AmountSign, AmountUnit, Clawbacks, GstMode, LineKind, StatementMapping};
use crate::kernel::{Faults, Money};

/// The most lines of a statement.
pub const MAX_LINES: usize = 100_000;
/// Faults after which reading stops.
pub const MAX_FAULTS: usize = 1_000;
/// The longest reference or product in characters.
pub const MAX_FIELD: usize = 200;

/// A line as it was read; amounts in cents, taken back is negative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleLine {
    /// The line of the file, from 1.
    pub line: u64,
    /// What the provider calls the deal.
    pub reference: String,
    /// What it is for.
    pub kind: LineKind,
    /// Its date.
    pub on: Date,
    /// The first day of the month of the trail.
    pub month: Date,
    /// Without GST.
    pub amount_minor: i64,
    /// GST.
    pub gst_minor: i64,
    /// What the provider calls the product.
    pub product: Option<String>,
}

/// Reads a sample: faults are the field's, and it must hold a line.
///
/// # Errors
/// Every fault at once.
pub fn sample(mapping: &StatementMapping, bytes: &[u8]) -> Result<Vec<SampleLine>, Faults> {
    read(mapping, bytes).map_err(|faults| {
        let at = |pointer: &str| format!("/sample{}", pointer.trim_start_matches("/file"));
        let moved = faults.0.into_iter().map(|fault| crate::kernel::Fault { pointer: at(&fault.pointer), ..fault });
        Faults(moved.collect())
    })
}

/// Reads a file.
///
/// # Errors
/// Every fault at once, up to [`MAX_FAULTS`].
pub fn read(mapping: &StatementMapping, bytes: &[u8]) -> Result<Vec<SampleLine>, Faults> {
    let mut faults = Faults::default();
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let (skipped, rest) = skip(bytes, mapping.skip_rows);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(mapping.delimiter.byte())
        .has_headers(false)
        .flexible(true)
        .from_reader(rest);
    let mut records = reader.byte_records();
    let columns = if mapping.header_row {
        match records.next() {
            Some(Ok(header)) => Columns::of_header(mapping, &header, &mut faults),
            Some(Err(_)) | None => {
                faults.push("/file", "header_missing", "the file ends before its header");
                None
            }
        }
    } else {
        Columns::of_numbers(mapping)
    };
    let Some(columns) = columns.filter(|_| faults.0.is_empty()) else { return Err(faults) };
    let mut lines = Vec::new();
    for record in records {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                faults.push("/file", "unreadable", error.to_string());
                break;
            }
        };
        let line = skipped + record.position().map_or(0, |at| at.line() + blank_lines(rest, at.byte()));
        if record.iter().all(|field| field.trim_ascii().is_empty()) {
            continue;
        }
        lines.extend(columns.line(mapping, line, &record, &mut faults));
        if faults.0.len() >= MAX_FAULTS {
            faults.push("/file", "too_many_faults", format!("reading stopped after {MAX_FAULTS} faults"));
            break;
        }
        if lines.len() > MAX_LINES {
            faults.push("/file", "too_many_lines", format!("a statement has at most {MAX_LINES} lines; split it"));
            break;
        }
    }
    if lines.is_empty() && faults.0.is_empty() {
        faults.push("/file", "no_lines", "the file holds no line");
    }
    faults.check().map(|()| lines)
}

/// What comes after so many physical lines, and how many there were.
fn skip(bytes: &[u8], rows: u16) -> (u64, &[u8]) {
    let mut rest = bytes;
    for _ in 0..rows {
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { return (u64::from(rows), &[]) };
        rest = &rest[end + 1..];
    }
    (u64::from(rows), rest)
}

/// The empty lines from this byte on: the reader skips them, and counts them to the record that follows.
fn blank_lines(file: &[u8], from: u64) -> u64 {
    let from = usize::try_from(from).unwrap_or(usize::MAX).min(file.len());
    let breaks = file[from..].iter().take_while(|byte| **byte == b'\r' || **byte == b'\n');
    breaks.filter(|byte| **byte == b'\n').count() as u64
}

/// Where the fields are, from 0.
struct Columns {
    reference: usize,
    amount: usize,
    gst: Option<usize>,
    date: usize,
    period: Option<usize>,
    kind: Option<usize>,
    product: Option<usize>,
}

impl Columns {
    fn of_header(mapping: &StatementMapping, header: &csv::ByteRecord, faults: &mut Faults) -> Option<Self> {
        let names: Vec<String> =
            header.iter().map(|name| String::from_utf8_lossy(name).trim().to_lowercase()).collect();
        let mut place = |name: &str| {
            let wanted = name.to_lowercase();
            let mut found = names.iter().enumerate().filter(|(_, name)| **name == wanted).map(|(at, _)| at);
            match (found.next(), found.next()) {
                (Some(at), None) => Some(at),
                (Some(_), Some(_)) => {
                    faults.push("/file", "column_twice", format!("the header has the column `{name}` twice"));
                    None
                }
                (None, _) => {
                    faults.push("/file", "column_missing", format!("the header has no column `{name}`"));
                    None
                }
            }
        };
        let (reference, amount) = (place(&mapping.reference_column), place(&mapping.amount_column));
        let date = place(&mapping.date_column);
        let mut optional = |name: &Option<String>| name.as_deref().map(&mut place);
        let gst = optional(&mapping.gst_column);
        let period = optional(&mapping.period_column);
        let kind = optional(&mapping.kind_column);
        let product = optional(&mapping.product_column);
        Some(Self {
            reference: reference?,
            amount: amount?,
            gst: gst.flatten(),
            date: date?,
            period: period.flatten(),
            kind: kind.flatten(),
            product: product.flatten(),
        })
    }

    fn of_numbers(mapping: &StatementMapping) -> Option<Self> {
        let place = |name: &str| name.parse::<usize>().ok()?.checked_sub(1);
        let optional = |name: &Option<String>| name.as_deref().and_then(place);
        Some(Self {
            reference: place(&mapping.reference_column)?,
            amount: place(&mapping.amount_column)?,
            gst: optional(&mapping.gst_column),
            date: place(&mapping.date_column)?,
            period: optional(&mapping.period_column),
            kind: optional(&mapping.kind_column),
            product: optional(&mapping.product_column),
        })
    }

    fn line(
        &self,
        mapping: &StatementMapping,
        line: u64,
        record: &csv::ByteRecord,
        faults: &mut Faults,
    ) -> Option<SampleLine> {
        let mut fields = Fields { line, record, faults };
        let reference = fields.text("reference", self.reference);
        let amount = fields.amount(mapping, "amount", self.amount);
        let gst = self.gst.map_or(Some(0), |at| fields.amount(mapping, "gst", at));
        let on = fields.date(mapping, self.date);
        let month = match (self.period, mapping.period_format) {
            (Some(at), Some(format)) => {
                fields.read("period", at, "invalid_month", &|text| format.read(text), format.code())
            }
            _ => on.and_then(|on| on.first_of_month().checked_sub(i64::from(mapping.trail_lag_months).months()).ok()),
        };
        let told = self.kind.map_or(Some(mapping.default_kind), |at| fields.kind(mapping, at));
        let product = self.product.map_or(Some(String::new()), |at| fields.text("product", at));
        let (mut amount, mut gst, told) = (amount?, gst?, told?);
        if mapping.clawbacks == Clawbacks::ByWord && told == LineKind::Clawback {
            (amount, gst) = (-amount.abs(), -gst.abs());
        }
        let Some((amount_minor, gst_minor)) = shares(mapping.gst, amount, gst) else {
            fields.fault("amount", "amount_out_of_range", "the amount is out of range".to_owned());
            return None;
        };
        // What is negative is taken back, whatever it is called.
        let kind = if amount_minor < 0 { LineKind::Clawback } else { told };
        let product = product.filter(|text| !text.is_empty());
        Some(SampleLine { line, reference: reference?, kind, on: on?, month: month?, amount_minor, gst_minor, product })
    }
}

/// The amount without GST, and the GST: rounded half up on the absolute value, then signed.
fn shares(mode: GstMode, amount: i64, gst: i64) -> Option<(i64, i64)> {
    let rounded = |whole: i64, of: i64| whole.checked_abs()?.checked_mul(2)?.checked_add(of)?.checked_div(2 * of);
    match mode {
        GstMode::None => Some((amount, 0)),
        GstMode::Column => amount.checked_add(gst).map(|_| (amount, gst)),
        GstMode::Exclusive => {
            let gst = rounded(amount, 10)? * amount.signum();
            amount.checked_add(gst).map(|_| (amount, gst))
        }
        GstMode::Inclusive => {
            let gst = rounded(amount, 11)? * amount.signum();
            Some((amount - gst, gst))
        }
    }
}

/// One record while it is read.
struct Fields<'f> {
    line: u64,
    record: &'f csv::ByteRecord,
    faults: &'f mut Faults,
}

impl Fields<'_> {
    fn fault(&mut self, field: &str, code: &'static str, detail: String) {
        self.faults.push(format!("/lines/{}/{field}", self.line), code, detail);
    }

    fn text(&mut self, field: &str, at: usize) -> Option<String> {
        let Some(bytes) = self.record.get(at) else {
            self.fault(field, "field_missing", format!("the line has no field {}", at + 1));
            return None;
        };
        match std::str::from_utf8(bytes).map(str::trim) {
            Ok(text) if text.chars().count() <= MAX_FIELD && !text.chars().any(char::is_control) => {
                Some(text.to_owned())
            }
            Ok(_) => {
                self.fault(field, "invalid_text", format!("expected at most {MAX_FIELD} printable characters"));
                None
            }
            Err(_) => {
                self.fault(field, "not_utf8", "expected text in UTF-8".to_owned());
                None
            }
        }
    }

    fn read<T>(
        &mut self,
        field: &str,
        at: usize,
        code: &'static str,
        parse: &dyn Fn(&str) -> Option<T>,
        expected: &str,
    ) -> Option<T> {
        let text = self.text(field, at)?;
        let value = parse(&text);
        if value.is_none() {
            self.fault(field, code, format!("`{text}` is not written as {expected}"));
        }
        value
    }

    fn date(&mut self, mapping: &StatementMapping, at: usize) -> Option<Date> {
        let format = mapping.date_format;
        self.read("date", at, "invalid_date", &|text| format.read(text), format.code())
    }

    fn amount(&mut self, mapping: &StatementMapping, field: &str, at: usize) -> Option<i64> {
        let unit = mapping.amount_unit;
        let minor = self.read(field, at, "invalid_amount", &|text| cents(unit, text), unit.code())?;
        Some(match mapping.amount_sign {
            AmountSign::PaidPositive => minor,
            AmountSign::PaidNegative => -minor,
        })
    }

    fn kind(&mut self, mapping: &StatementMapping, at: usize) -> Option<LineKind> {
        let text = self.text("kind", at)?.to_lowercase();
        let of = |words: &[String]| words.contains(&text);
        let found = match () {
            () if of(&mapping.clawback_words) => Some(LineKind::Clawback),
            () if of(&mapping.trail_words) => Some(LineKind::Trail),
            () if of(&mapping.upfront_words) => Some(LineKind::Upfront),
            () => None,
        };
        if found.is_none() {
            self.fault("kind", "unknown_kind", format!("no word of the mapping is `{text}`"));
        }
        found
    }
}

/// Reads an amount: `$1,234.50`, `-12.5`, `(12.50)`; or whole cents.
fn cents(unit: AmountUnit, text: &str) -> Option<i64> {
    // Far below what 64 bits hold, so that sums of a file never leave them.
    let bounded = |minor: &i64| minor.unsigned_abs() <= 1_000_000_000_000;
    let (inner, bracketed) = match text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inner) => (inner, true),
        None => (text, false),
    };
    let (sign, digits) = inner.strip_prefix('-').map_or((1, inner), |rest| (-1, rest));
    if bracketed && sign < 0 {
        return None;
    }
    let digits = digits.strip_prefix('$').unwrap_or(digits);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let minor = match unit {
        AmountUnit::Dollars => Money::parse_dollars(digits).ok()?.minor(),
        AmountUnit::Cents => digits.parse::<i64>().ok()?,
    };
    Some(if bracketed { -minor } else { sign * minor }).filter(bounded)
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
