//! Deals as an onboarding partner exports them: a CSV, or NDJSON, read row by row.
//!
//! A file may end without a line break, but where its last row could have lost its last field that way
//! (a settled deal without discharge date) the row is refused: a deal that unwound would look sound.
//! Bounds: one record of at most 64 KiB is held at a time; a longer one (an unclosed quote) is refused
//! and reading goes on with the next physical line. Source: the V01 data notes, RFC 4180.

use std::io::{BufRead, BufReader, Read};

use super::file::{FileFault, ImportFormat};
use super::ndjson;
use super::row::{self, DealRow, RowFault};

/// The columns that every export has, in their order: the header begins with them.
pub const COLUMNS: [&str; 10] = [
    "external_ref",
    "member_ref",
    "client_name",
    "product_code",
    "referred_on",
    "contracted_on",
    "settled_on",
    "settled_amount",
    "offset_balance",
    "discharged_on",
];
/// The columns that an export may have after [`COLUMNS`], each once and in any order: amounts, then counts.
pub const MEASURE_COLUMNS: [&str; 10] =
    ["premium", "fee", "salary", "rent", "margin", "units", "connections", "kilowatts", "policies", "travellers"];
/// How many columns there are.
pub(super) const WIDTH: usize = COLUMNS.len() + MEASURE_COLUMNS.len();

/// The name of the column at a place: those of every export, then the measures.
pub(super) fn column(at: usize) -> &'static str {
    COLUMNS.get(at).or_else(|| MEASURE_COLUMNS.get(at.saturating_sub(COLUMNS.len()))).copied().unwrap_or_default()
}

/// The place of a column.
pub(super) fn place(name: &str) -> Option<usize> {
    (0..WIDTH).find(|at| column(*at) == name)
}

/// The longest record in bytes.
pub const MAX_RECORD_BYTES: usize = 64 * 1024;

/// What some writers put before the first character.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// One row and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    /// The physical line on which the record starts, from 1.
    pub line: u64,
    /// The reference, if the row has one.
    pub external_ref: Option<String>,
    /// The values, or every fault at once.
    pub result: Result<DealRow, Vec<RowFault>>,
}

enum Ending {
    Complete,
    /// The file ended before the line did.
    WithoutBreak,
    TooLong,
    Unclosed,
}

/// Reads rows one at a time.
pub struct ImportReader<R: Read> {
    input: BufReader<R>,
    format: ImportFormat,
    /// The places of a CSV's columns, as its header has them.
    layout: Vec<usize>,
    next_line: u64,
    failed: bool,
}

impl<R: Read> ImportReader<R> {
    /// Begins a file of this format.
    ///
    /// # Errors
    /// `wrong_header` of a CSV, or `unreadable` when the source fails.
    pub fn of(format: ImportFormat, read: R) -> Result<Self, FileFault> {
        match format {
            ImportFormat::Csv => Self::new(read),
            ImportFormat::Ndjson => Ok(Self::begun(read, format)),
        }
    }

    /// Reads the header of a CSV.
    ///
    /// # Errors
    /// `wrong_header`, or `unreadable` when the source fails.
    pub fn new(read: R) -> Result<Self, FileFault> {
        let mut reader = Self::begun(read, ImportFormat::Csv);
        let mut record = Vec::new();
        reader.record(&mut record)?;
        let header = fields(record.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&record));
        reader.layout = header.as_ref().and_then(layout).ok_or_else(|| {
            let (first, rest) = (COLUMNS.join(","), MEASURE_COLUMNS.join(", "));
            FileFault::new("wrong_header", format!("the first line must be {first}, then any of {rest}"))
        })?;
        Ok(reader)
    }

    fn begun(read: R, format: ImportFormat) -> Self {
        Self { input: BufReader::new(read), format, layout: Vec::new(), next_line: 1, failed: false }
    }

    /// Fills `record` up to a line break; in a CSV, one outside quotes.
    fn record(&mut self, record: &mut Vec<u8>) -> Result<Ending, FileFault> {
        let (mut place, mut too_long) = (Place::FieldStart, false);
        loop {
            let chunk = match self.input.fill_buf() {
                Ok(chunk) => chunk,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(FileFault::new("unreadable", e.to_string())),
            };
            if chunk.is_empty() {
                return Ok(if too_long {
                    Ending::TooLong
                } else if place == Place::Quoted {
                    Ending::Unclosed
                } else {
                    Ending::WithoutBreak
                });
            }
            let mut used = 0;
            for byte in chunk {
                used += 1;
                if *byte == b'\n' {
                    self.next_line += 1;
                    if too_long || place != Place::Quoted {
                        self.input.consume(used);
                        return Ok(if too_long { Ending::TooLong } else { Ending::Complete });
                    }
                }
                place = match self.format {
                    ImportFormat::Csv => place.after(*byte),
                    ImportFormat::Ndjson => Place::Plain,
                };
                too_long |= record.len() >= MAX_RECORD_BYTES;
                if !too_long {
                    record.push(*byte);
                }
            }
            self.input.consume(used);
        }
    }
}

/// Where a byte of a record stands. A quote opens a quoted field only at the field's start, as the csv
/// crate reads it: a stray one inside a name never swallows the rows that follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    FieldStart,
    Plain,
    Quoted,
    /// After a quote inside a quoted field: its end, or the first half of an escaped quote.
    QuoteInQuoted,
}

impl Place {
    const fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::FieldStart | Self::QuoteInQuoted, b'"') => Self::Quoted,
            (Self::Quoted, b'"') => Self::QuoteInQuoted,
            (Self::Quoted, _) => Self::Quoted,
            (_, b',') => Self::FieldStart,
            _ => Self::Plain,
        }
    }
}

/// Refuses the file's last row where a cut could hide its discharge date. Cut anywhere else a row has too
/// few columns or a broken date, and a deal that never settled has no discharge.
fn whole(row: DealRow, layout: &[usize]) -> Result<DealRow, Vec<RowFault>> {
    let last = layout.last().map_or(COLUMNS[9], |at| column(*at));
    // A measure that was cut is another measure.
    let sound = row.settled_on.is_none() || (row.discharged_on.is_some() && layout.len() == COLUMNS.len());
    if sound {
        return Ok(row);
    }
    let detail = "the file ends inside this row, so its last field may be missing; end the row with a line break";
    Err(vec![RowFault { column: last, code: "row_cut_off", detail: detail.to_owned() }])
}

/// The places of a header's columns; none when it is not one.
fn layout(header: &csv::ByteRecord) -> Option<Vec<usize>> {
    let places: Vec<usize> =
        header.iter().map(|name| std::str::from_utf8(name).ok().and_then(place)).collect::<Option<_>>()?;
    let once = places.iter().enumerate().all(|(n, at)| !places[..n].contains(at));
    let begins = places.iter().copied().take(COLUMNS.len()).eq(0..COLUMNS.len());
    (once && begins).then_some(places)
}

fn broken(code: &'static str, detail: &str) -> Result<DealRow, Vec<RowFault>> {
    Err(vec![RowFault { column: "", code, detail: detail.to_owned() }])
}

/// The reference of a record, as far as it could be read, and what it says.
fn judged(
    (format, layout): (ImportFormat, &[usize]),
    record: &[u8],
    ending: &Ending,
) -> (Option<String>, Result<DealRow, Vec<RowFault>>) {
    let too_long = || broken("record_too_long", "the record is longer than 64 KiB");
    match (format, ending) {
        (ImportFormat::Ndjson, Ending::TooLong) => (None, too_long()),
        // An object that was cut off is no object.
        (ImportFormat::Ndjson, _) => ndjson::read(record),
        (ImportFormat::Csv, ending) => {
            let found = fields(record).unwrap_or_default();
            let first = found.get(0).and_then(|f| std::str::from_utf8(f).ok()).filter(|f| !f.is_empty());
            let external_ref = first.map(str::trim).filter(|f| row::is_reference(f)).map(str::to_owned);
            let result = match ending {
                Ending::TooLong => too_long(),
                Ending::Unclosed => broken("unclosed_quote", "the file ends inside quotes"),
                Ending::Complete => row::read(&found, layout),
                Ending::WithoutBreak => row::read(&found, layout).and_then(|row| whole(row, layout)),
            };
            (external_ref, result)
        }
    }
}

fn fields(record: &[u8]) -> Option<csv::ByteRecord> {
    let mut out = csv::ByteRecord::new();
    // One physical line: a carriage return that ends it is its line break, any other one is a character
    // that no field may hold. Were it a line break too, what follows would vanish.
    let line = record.strip_suffix(b"\r").unwrap_or(record);
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(csv::Terminator::Any(b'\n'))
        .from_reader(line);
    reader.read_byte_record(&mut out).ok()?.then_some(out)
}

impl<R: Read> Iterator for ImportReader<R> {
    type Item = Result<ImportRow, FileFault>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.failed {
            let line = self.next_line;
            let mut record = Vec::new();
            let ending = match self.record(&mut record) {
                Ok(ending) => ending,
                Err(fault) => {
                    self.failed = true;
                    return Some(Err(fault));
                }
            };
            if record.is_empty() && self.next_line == line {
                return None;
            }
            if matches!(record.as_slice(), b"" | b"\r") {
                continue;
            }
            let begun = if line == 1 { record.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&record) } else { &record };
            let (external_ref, result) = judged((self.format, &self.layout), begun, &ending);
            return Some(Ok(ImportRow { line, external_ref, result }));
        }
        None
    }
}
