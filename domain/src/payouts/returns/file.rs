//! The file of returned payments: Direct Entry records of 120 bytes, `0`, `2`…, `7`, one such file or several.
//!
//! Layout as that of a bank file ([`crate::payouts::aba`]), but a detail begins with `2`, has the return code in
//! column 18, the day of the original payment in 113–114 and the number of its user in 115–120. The account in 2–17
//! is the one that could not be paid; banks that put it into the trace (81–96) are understood as well.
//! Invariants: every record is read or refused with its place; the trailer counts and sums its details. Bounds: at most
//! [`MAX_ITEMS`] items, at most [`MAX_FAULTS`] faults told. Line ends are CRLF or LF. Source: the payouts document.

use jiff::civil::Date;

use crate::directory::bank::{AccountNumber, Bsb};
use crate::kernel::Faults;

/// The most items of one request.
pub const MAX_ITEMS: usize = 100_000;
/// The most faults that are told of one file.
pub const MAX_FAULTS: usize = 100;

/// Why a payment came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReturnCode {
    /// 1: no such BSB.
    BadBsb,
    /// 2: payment stopped.
    Stopped,
    /// 3: account closed.
    Closed,
    /// 4: customer deceased.
    Deceased,
    /// 5: no account, or a wrong number.
    NoAccount,
    /// 6: refer to customer.
    ReferToCustomer,
    /// 8: bad user id.
    BadUser,
    /// 9: technically invalid.
    Invalid,
}

impl ReturnCode {
    /// Every code.
    pub const ALL: [Self; 8] = [
        Self::BadBsb,
        Self::Stopped,
        Self::Closed,
        Self::Deceased,
        Self::NoAccount,
        Self::ReferToCustomer,
        Self::BadUser,
        Self::Invalid,
    ];

    /// The bank's digit.
    #[must_use]
    pub const fn digit(self) -> char {
        match self {
            Self::BadBsb => '1',
            Self::Stopped => '2',
            Self::Closed => '3',
            Self::Deceased => '4',
            Self::NoAccount => '5',
            Self::ReferToCustomer => '6',
            Self::BadUser => '8',
            Self::Invalid => '9',
        }
    }

    /// The word in the API.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::BadBsb => "bad_bsb",
            Self::Stopped => "stopped",
            Self::Closed => "closed",
            Self::Deceased => "deceased",
            Self::NoAccount => "no_account",
            Self::ReferToCustomer => "refer_to_customer",
            Self::BadUser => "bad_user_id",
            Self::Invalid => "technically_invalid",
        }
    }

    /// Reads the bank's digit.
    #[must_use]
    pub fn of_digit(digit: char) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.digit() == digit)
    }

    /// Whether the account can never be paid again as it stands.
    #[must_use]
    pub const fn blocks_details(self) -> bool {
        matches!(self, Self::BadBsb | Self::Closed | Self::Deceased | Self::NoAccount)
    }
}

/// A place at a bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The branch.
    pub bsb: Bsb,
    /// The number.
    pub account: AccountNumber,
}

/// One returned payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnedItem {
    /// Columns 2–17.
    pub to: Option<Place>,
    /// Columns 81–96.
    pub trace: Option<Place>,
    /// Why.
    pub code: ReturnCode,
    /// How much, in cents.
    pub amount_minor: i64,
    /// What the payee would have read.
    pub reference: String,
    /// The date in the header of its file.
    pub returned_on: Date,
}

/// Reads a file.
///
/// # Errors
/// Every fault of the first [`MAX_FAULTS`], with the place of the record: `/records/3/amount`.
pub fn read(bytes: &[u8]) -> Result<Vec<ReturnedItem>, Faults> {
    let mut reader = Reader::default();
    let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    for (n, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if reader.faults.0.len() >= MAX_FAULTS || reader.items.len() > MAX_ITEMS {
            break;
        }
        reader.record(n, line.strip_suffix(b"\r").unwrap_or(line));
    }
    reader.finish()
}

/// What is known between a header and its trailer.
#[derive(Default)]
struct Reader {
    faults: Faults,
    items: Vec<ReturnedItem>,
    open: Option<Open>,
    last: usize,
}

struct Open {
    on: Date,
    count: i64,
    total_minor: i64,
}

impl Reader {
    fn fault(&mut self, n: usize, field: &str, code: &'static str, detail: &str) {
        self.faults.push(format!("/records/{n}{field}"), code, detail);
    }

    fn record(&mut self, n: usize, line: &[u8]) {
        self.last = n;
        let text = std::str::from_utf8(line).ok().filter(|text| text.len() == 120 && text.is_ascii());
        let Some(text) = text else { return self.fault(n, "", "invalid_record", "a record has 120 ASCII characters") };
        match (text.chars().next(), self.open.is_some()) {
            (Some('0'), false) => self.header(n, text),
            (Some('2'), true) => self.detail(n, text),
            (Some('7'), true) => self.trailer(n, text),
            _ => self.fault(n, "", "unexpected_record", "a file has a record 0, then records 2, then a record 7"),
        }
    }

    fn header(&mut self, n: usize, text: &str) {
        let number = |from: usize, to: usize| text[from - 1..to].parse::<i16>().ok();
        let date = (|| {
            Date::new(2000 + number(79, 80)?, i8::try_from(number(77, 78)?).ok()?, i8::try_from(number(75, 76)?).ok()?)
                .ok()
        })();
        if date.is_none() {
            self.fault(n, "/date", "invalid_date", "columns 75 to 80 are a date, DDMMYY");
        }
        // The rest is still read, so that all faults are told.
        self.open = Some(Open { on: date.unwrap_or(Date::ZERO), count: 0, total_minor: 0 });
    }

    fn detail(&mut self, n: usize, text: &str) {
        let column = |from: usize, to: usize| &text[from - 1..to];
        let code = column(18, 18).chars().next().and_then(ReturnCode::of_digit);
        let amount = column(21, 30).parse::<i64>().ok().filter(|cents| *cents > 0);
        if code.is_none() {
            self.fault(n, "/return_code", "unknown_value", "column 18 is one of 1, 2, 3, 4, 5, 6, 8, 9");
        }
        if amount.is_none() {
            self.fault(n, "/amount", "invalid_amount", "columns 21 to 30 are a number of cents, not zero");
        }
        let Some(open) = self.open.as_mut() else { return };
        open.count += 1;
        open.total_minor += amount.unwrap_or(0);
        if let (Some(code), Some(amount_minor)) = (code, amount) {
            self.items.push(ReturnedItem {
                to: place(column(2, 8), column(9, 17)),
                trace: place(column(81, 87), column(88, 96)),
                code,
                amount_minor,
                reference: column(63, 80).trim().to_owned(),
                returned_on: open.on,
            });
        }
    }

    fn trailer(&mut self, n: usize, text: &str) {
        let number = |from: usize, to: usize| text[from - 1..to].trim().parse::<i64>().ok();
        let Some(open) = self.open.take() else { return };
        if number(75, 80) != Some(open.count) {
            self.fault(n, "/count", "count_differs", "columns 75 to 80 are the number of records 2");
        }
        let totals = [number(31, 40), number(41, 50)];
        if !totals.contains(&Some(open.total_minor)) {
            self.fault(n, "/total", "total_differs", "columns 31 to 40 (or 41 to 50) are the sum of the amounts");
        }
    }

    fn finish(mut self) -> Result<Vec<ReturnedItem>, Faults> {
        let next = self.last + 1;
        if self.open.is_some() && self.faults.0.len() < MAX_FAULTS {
            self.fault(next, "", "missing_trailer", "a file ends with a record 7");
        } else if self.items.is_empty() && self.faults.0.is_empty() {
            self.fault(next, "", "nothing_returned", "the file holds no returned payment");
        } else if self.items.len() > MAX_ITEMS {
            self.fault(next, "", "too_many_items", "a file holds at most 100,000 returned payments");
        }
        self.faults.check()?;
        Ok(self.items)
    }
}

fn place(bsb: &str, account: &str) -> Option<Place> {
    Some(Place { bsb: Bsb::parse(bsb).ok()?, account: AccountNumber::parse(account).ok()? })
}
