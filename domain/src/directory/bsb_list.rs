//! A full edition of the directory of branches, as AusPayNet publishes it in CSV.
//!
//! Eight columns without header: BSB, bank, branch, street, suburb, state, postcode, payments accepted
//! (`P` paper, `E` electronic, `H` high value). Branches marked `Closed` stay listed with no flags that help.
//! Bounds: 50,000 rows. An edition replaces the one before it as a whole.

use std::collections::HashMap;

use jiff::civil::Date;

use super::bank::{BankError, Bsb, BsbDirectory};
use crate::kernel::fault::Reason;

/// The most rows of one edition; today's has about 16,000.
pub const MAX_ROWS: usize = 50_000;

/// Why an edition is refused; nothing of it is used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BsbListError {
    /// A row that is not eight columns of text.
    #[error("line {line}: expected eight columns of CSV in UTF-8")]
    NotCsv {
        /// Counted from 1.
        line: u64,
    },
    /// A first column that is no BSB, or one listed twice.
    #[error("line {line}: not a BSB, or one that is listed already")]
    BadBsb {
        /// Counted from 1.
        line: u64,
    },
    /// No rows.
    #[error("the list is empty")]
    Empty,
    /// More rows than [`MAX_ROWS`].
    #[error("the list has more than {MAX_ROWS} rows")]
    TooLong,
}

impl Reason for BsbListError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotCsv { .. } => "invalid_bsb_list",
            Self::BadBsb { .. } => "invalid_bsb_list_row",
            Self::Empty => "empty_bsb_list",
            Self::TooLong => "bsb_list_too_long",
        }
    }
}

/// One edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BsbList {
    published_on: Date,
    branches: HashMap<Bsb, (String, bool)>,
}

impl BsbList {
    /// Reads an edition.
    ///
    /// # Errors
    /// See [`BsbListError`].
    pub fn parse(csv: &[u8], published_on: Date) -> Result<Self, BsbListError> {
        let mut branches = HashMap::new();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(csv);
        for (row, record) in (1_u64..).zip(reader.records()) {
            let record = record.map_err(|_| BsbListError::NotCsv { line: row })?;
            let (8, Some(bsb), Some(bank), Some(flags)) = (record.len(), record.get(0), record.get(1), record.get(7))
            else {
                return Err(BsbListError::NotCsv { line: row });
            };
            let bsb = Bsb::parse(bsb).map_err(|_| BsbListError::BadBsb { line: row })?;
            if branches.insert(bsb, (bank.to_owned(), flags.contains('E'))).is_some() {
                return Err(BsbListError::BadBsb { line: row });
            }
            if branches.len() > MAX_ROWS {
                return Err(BsbListError::TooLong);
            }
        }
        if branches.is_empty() { Err(BsbListError::Empty) } else { Ok(Self { published_on, branches }) }
    }
}

impl BsbDirectory for BsbList {
    fn published_on(&self) -> Date {
        self.published_on
    }

    fn bank_of(&self, bsb: Bsb) -> Result<&str, BankError> {
        match self.branches.get(&bsb) {
            None => Err(BankError::BsbUnknown(bsb)),
            Some((_, false)) => Err(BankError::BsbNotElectronic(bsb)),
            Some((bank, true)) => Ok(bank),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDITION: &str = "\"062-000\",\"CBA\",\"48 Martin Place Sydney\",\"48 Martin Place\",\"Sydney\",\"NSW\",\"2000\",\"PEH\"\n\
        \"062-001\",\"CBA\",\"Paper only\",\"1 X Street, Y\",\"Sydney\",\"NSW\",\"2000\",\"P\"\n";

    #[test]
    fn tells_electronic_from_paper() {
        let list = BsbList::parse(EDITION.as_bytes(), Date::constant(2026, 7, 1)).expect("an edition");
        let bsb = |text: &str| Bsb::parse(text).expect("a BSB");
        assert_eq!(list.bank_of(bsb("062-000")), Ok("CBA"));
        assert_eq!(list.bank_of(bsb("062-001")), Err(BankError::BsbNotElectronic(bsb("062-001"))));
        assert_eq!(list.bank_of(bsb("062-002")), Err(BankError::BsbUnknown(bsb("062-002"))));
    }

    #[test]
    fn refuses_a_broken_edition_whole() {
        let parse = |text: &[u8]| BsbList::parse(text, Date::constant(2026, 7, 1));
        assert_eq!(parse(b""), Err(BsbListError::Empty));
        assert_eq!(parse(b"062-000,CBA\n"), Err(BsbListError::NotCsv { line: 1 }));
        assert_eq!(parse(b"062-000,\xff,a,b,c,d,e,E\n"), Err(BsbListError::NotCsv { line: 1 }));
        assert_eq!(parse(EDITION.repeat(2).as_bytes()), Err(BsbListError::BadBsb { line: 3 }));
    }
}
