//! The CSV of a bank, by the profile of the account: columns by name, in any order, others are passed over.
//!
//! Lines go from the oldest to the newest, or the other way round; then they are turned. With a column of balances
//! the opening and the closing balance are known, and every balance must follow from the one before.

use domain::kernel::Faults;
use domain::payouts::bank::csv_profile::{CsvProfile, DateFormat};
use domain::payouts::bank::statement::{LineInput, MAX_LINES, StatementInput};
use jiff::civil::Date;

use super::{cents, fault, said};

/// A line with the balance after it.
struct Read {
    line: LineInput,
    balance_minor: Option<i64>,
}

/// Reads a document.
///
/// # Errors
/// All faults at once, each with its place: `/lines/3/date`, lines counted from 0 behind the header.
pub fn read(bytes: &[u8], profile: &CsvProfile) -> Result<Vec<StatementInput>, Faults> {
    let mut faults = Faults::default();
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let columns = match reader.headers() {
        Ok(header) => Columns::of(header, profile, &mut faults),
        Err(error) => {
            fault(&mut faults, "/header", "invalid_csv", &error.to_string());
            None
        }
    };
    let mut lines: Vec<Read> = Vec::new();
    if let Some(columns) = columns {
        for (n, record) in reader.records().enumerate() {
            match record {
                Ok(record) => lines.extend(columns.line(&record, profile.date_format, n, &mut faults)),
                Err(error) => fault(&mut faults, &format!("/lines/{n}"), "invalid_csv", &error.to_string()),
            }
            if lines.len() > MAX_LINES {
                fault(&mut faults, "/lines", "too_many_lines", "a document has at most 200,000 lines");
                break;
            }
        }
    }
    if lines.is_empty() && faults.0.is_empty() {
        fault(&mut faults, "/lines", "required", "the document holds no line");
    }
    faults.check()?;
    Ok(vec![together(lines)?])
}

struct Columns {
    date: usize,
    text: usize,
    amount: Option<usize>,
    debit: Option<usize>,
    credit: Option<usize>,
    balance: Option<usize>,
}

impl Columns {
    fn of(header: &csv::StringRecord, profile: &CsvProfile, faults: &mut Faults) -> Option<Self> {
        let mut of = |name: &str| {
            let place = header.iter().position(|column| column.eq_ignore_ascii_case(name));
            if place.is_none() {
                fault(faults, "/header", "column_missing", &format!("the header has no column `{name}`"));
            }
            place
        };
        let (date, text) = (of(&profile.date), of(&profile.text));
        let mut maybe = |name: &Option<String>| name.as_deref().map(&mut of);
        let (amount, debit) = (maybe(&profile.amount), maybe(&profile.debit));
        let (credit, balance) = (maybe(&profile.credit), maybe(&profile.balance));
        // A column that the profile names and the header lacks is a fault that was told.
        let named = |place: Option<Option<usize>>| place.map_or(Some(None), |place| place.map(Some));
        Some(Self {
            date: date?,
            text: text?,
            amount: named(amount)?,
            debit: named(debit)?,
            credit: named(credit)?,
            balance: named(balance)?,
        })
    }

    fn line(&self, record: &csv::StringRecord, format: DateFormat, n: usize, faults: &mut Faults) -> Option<Read> {
        let at = |place: usize| record.get(place).unwrap_or_default();
        let booked_on = date(at(self.date), format);
        if booked_on.is_none() {
            fault(
                faults,
                &format!("/lines/{n}/date"),
                "invalid_date",
                &format!("expected a date such as {}", format.code()),
            );
        }
        let amount = match (self.amount, self.debit, self.credit) {
            (Some(amount), ..) => money(at(amount)),
            (None, Some(debit), Some(credit)) => match (at(debit), at(credit)) {
                ("", credit) => money(credit),
                (debit, "") => money(debit).map(|minor| -minor.abs()),
                (debit, credit) => money(credit).zip(money(debit)).map(|(credit, debit)| credit - debit.abs()),
            },
            _ => None,
        };
        if amount.is_none() {
            fault(faults, &format!("/lines/{n}/amount"), "invalid_amount", "expected dollars with whole cents");
        }
        let balance_minor = self.balance.map(at).map(money);
        if balance_minor == Some(None) {
            fault(faults, &format!("/lines/{n}/balance"), "invalid_amount", "expected dollars with whole cents");
        }
        if amount == Some(0) {
            return None;
        }
        let line = LineInput { booked_on: booked_on?, amount_minor: amount?, text: said([at(self.text)]) };
        Some(Read { line, balance_minor: balance_minor.flatten() })
    }
}

/// One statement of lines, the oldest first.
fn together(mut lines: Vec<Read>) -> Result<StatementInput, Faults> {
    let ends = |lines: &[Read]| lines.first().zip(lines.last()).map(|(a, z)| (a.line.booked_on, z.line.booked_on));
    let follows = |pair: &[Read]| match (pair[0].balance_minor, pair[1].balance_minor) {
        (Some(before), Some(after)) => before.checked_add(pair[1].line.amount_minor) == Some(after),
        _ => true,
    };
    // Within one day only the balances tell which way the lines go.
    if ends(&lines).is_some_and(|(first, last)| first > last) || !lines.windows(2).all(follows) {
        lines.reverse();
    }
    let mut faults = Faults::default();
    for (n, pair) in lines.windows(2).enumerate() {
        if !follows(pair) {
            fault(
                &mut faults,
                &format!("/lines/{}/balance", n + 1),
                "balance_does_not_follow",
                "a balance does not follow from the one before",
            );
        }
    }
    faults.check()?;
    let opening = lines.first().and_then(|read| read.balance_minor?.checked_sub(read.line.amount_minor));
    let closing = lines.last().and_then(|read| read.balance_minor);
    let days = || lines.iter().map(|read| read.line.booked_on);
    Ok(StatementInput {
        account: None,
        reference: String::new(),
        from_on: days().min().unwrap_or(Date::ZERO),
        to_on: days().max().unwrap_or(Date::ZERO),
        opening_minor: opening,
        closing_minor: closing,
        lines: lines.into_iter().map(|read| read.line).collect(),
    })
}

/// Dollars as people write them: with a dollar sign, with commas between thousands.
fn money(text: &str) -> Option<i64> {
    cents(&text.replace(['$', ','], ""))
}

fn date(text: &str, format: DateFormat) -> Option<Date> {
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<i16>().ok();
    let (year, month, day) = match format {
        DateFormat::Iso => return text.parse().ok(),
        DateFormat::DayFirst => {
            let mut parts = text.split('/');
            let mut next = || parts.next()?.parse::<i16>().ok();
            let (day, month, year) = (next()?, next()?, next()?);
            (if year < 100 { 2000 + year } else { year }, month, day)
        }
        DateFormat::Compact => (part(0, 4)?, part(4, 6)?, part(6, 8)?),
    };
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}
