//! Our own bank accounts, each with the profile that its bank asks of a file.
//!
//! Invariants: every text is in the Direct Entry set and fits its field when it is saved, so that a file
//! can always be made. Bounds: user name 26, description 12, remitter 16, account title 32 bytes; at most
//! 999,999 lines a file. Banks differ: CBA, HSBC and Bankwest want a debit line that balances the file;
//! ANZ, NAB and Westpac do not. Source: the payouts document, section on bank profiles.

use jiff::civil::Date;

use super::bank::csv_profile::{CsvProfile, CsvProfileInput};
use super::calendar;
use crate::directory::aba_text::AbaText;
use crate::directory::bank::{BankDetails, BsbDirectory};
use crate::directory::payee::BankAccountInput;
use crate::directory::required;
use crate::directory::text::ClusterText;
use crate::kernel::Faults;
use crate::kernel::fault::Reason;
use crate::kernel::ids::BankAccountId;

/// The most lines that the trailer can count.
pub const MAX_ITEMS: u32 = 999_999;
/// The most banking days after which a file may count as paid.
pub const MAX_SETTLE_DAYS: u16 = 30;

/// The bank's three letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankCode(String);

/// The number that the bank gave the user of Direct Entry: six digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserNumber(String);

/// Why a profile is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// Not three capital letters.
    #[error("a bank code has three capital letters, e.g. CBA")]
    BankCode,
    /// Not one to six digits.
    #[error("a user number has one to six digits")]
    UserNumber,
    /// Not a rule for the date in the header.
    #[error("expected one of: run_day, next_banking_day")]
    HeaderDate,
    /// Not a number of banking days.
    #[error("expected a number of banking days from 1 to 30")]
    SettleAfter,
    /// Not a number of lines.
    #[error("expected a number of lines from 2 to 999999")]
    ItemLimit,
}

impl Reason for ProfileError {
    fn code(&self) -> &'static str {
        match self {
            Self::BankCode => "invalid_bank_code",
            Self::UserNumber => "invalid_user_number",
            Self::HeaderDate => "unknown_value",
            Self::ItemLimit | Self::SettleAfter => "out_of_range",
        }
    }
}

impl BankCode {
    /// Reads three capital letters.
    ///
    /// # Errors
    /// [`ProfileError::BankCode`].
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let good = text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase());
        if good { Ok(Self(text.to_owned())) } else { Err(ProfileError::BankCode) }
    }

    /// The letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl UserNumber {
    /// Reads one to six digits; zeros are filled in on the left.
    ///
    /// # Errors
    /// [`ProfileError::UserNumber`].
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let good = (1..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        if good { Ok(Self(format!("{text:0>6}"))) } else { Err(ProfileError::UserNumber) }
    }

    /// The six digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which date stands in the header of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HeaderDate {
    /// The day on which the run is executed.
    #[default]
    RunDay,
    /// That day if banks are open on it, else the next on which they are.
    NextBankingDay,
}

impl HeaderDate {
    /// The word in the API and in storage.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::RunDay => "run_day",
            Self::NextBankingDay => "next_banking_day",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// [`ProfileError::HeaderDate`].
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        match text {
            "run_day" => Ok(Self::RunDay),
            "next_banking_day" => Ok(Self::NextBankingDay),
            _ => Err(ProfileError::HeaderDate),
        }
    }

    /// The date of a file that is made on `today` (Sydney).
    #[must_use]
    pub fn on(self, today: Date) -> Date {
        match self {
            Self::RunDay => today,
            Self::NextBankingDay => calendar::banking_day_from(today),
        }
    }
}

/// One of our own accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankAccount {
    /// Its id.
    pub id: BankAccountId,
    /// What we call it.
    pub name: ClusterText,
    /// Where it is; its title stands in the debit line.
    pub details: BankDetails,
    /// Its bank.
    pub bank_code: BankCode,
    /// Our name at the bank.
    pub user_name: AbaText<26>,
    /// Our number at the bank.
    pub user_number: UserNumber,
    /// Who pays, as payees read it.
    pub remitter: AbaText<16>,
    /// What the file is for.
    pub description: AbaText<12>,
    /// Whether the file ends with a debit of this account over its total.
    pub self_balancing: bool,
    /// Which date stands in the header.
    pub header_date: HeaderDate,
    /// The most lines that the bank takes, a debit line among them.
    pub item_limit: u32,
    /// After how many banking days without a return a file counts as paid; never if absent.
    pub settle_after_days: Option<u16>,
    /// How the CSV of its statements is to be read.
    pub csv: Option<CsvProfile>,
}

impl BankAccount {
    /// The most payments in one file.
    #[must_use]
    pub fn payments_per_file(&self) -> usize {
        let lines = usize::try_from(self.item_limit).unwrap_or(usize::MAX);
        lines.saturating_sub(usize::from(self.self_balancing))
    }
}

/// A request to keep an own account, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateBankAccountInput {
    /// `/name`
    pub name: Option<String>,
    /// `/account`: BSB, number and title.
    pub account: Option<BankAccountInput>,
    /// `/bank_code`
    pub bank_code: Option<String>,
    /// `/user_name`
    pub user_name: Option<String>,
    /// `/user_number`
    pub user_number: Option<String>,
    /// `/remitter`
    pub remitter: Option<String>,
    /// `/description`
    pub description: Option<String>,
    /// `/self_balancing`, false if absent
    pub self_balancing: Option<bool>,
    /// `/header_date`, `run_day` if absent
    pub header_date: Option<String>,
    /// `/item_limit`, the largest if absent
    pub item_limit: Option<i64>,
    /// `/settle_after_days`, never if absent
    pub settle_after_days: Option<i64>,
    /// `/csv`
    pub csv: Option<CsvProfileInput>,
}

/// A valid request to keep an own account: everything but its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateBankAccount(BankAccount);

impl CreateBankAccount {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &CreateBankAccountInput, directory: &dyn BsbDirectory) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let f = &mut faults;
        let name = required(f, "/name", raw.name.as_deref(), ClusterText::parse);
        let details = raw.account.clone().unwrap_or_default().check("/account", directory, f);
        let bank_code = required(f, "/bank_code", raw.bank_code.as_deref(), BankCode::parse);
        let user_name = required(f, "/user_name", raw.user_name.as_deref(), AbaText::parse);
        let user_number = required(f, "/user_number", raw.user_number.as_deref(), UserNumber::parse);
        let remitter = required(f, "/remitter", raw.remitter.as_deref(), AbaText::parse);
        let description = required(f, "/description", raw.description.as_deref(), AbaText::parse);
        let word = raw.header_date.as_deref().unwrap_or(HeaderDate::RunDay.code());
        let header_date = f.keep("/header_date", HeaderDate::parse(word));
        let item_limit = f.keep("/item_limit", item_limit(raw.item_limit));
        let settle_after_days = f.keep("/settle_after_days", settle_after(raw.settle_after_days));
        let csv = raw.csv.as_ref().and_then(|csv| CsvProfile::check(csv, f));
        let made = (|| {
            Some(Self(BankAccount {
                id: BankAccountId::new(uuid::Uuid::nil()),
                name: name?,
                details: details?,
                bank_code: bank_code?,
                user_name: user_name?,
                user_number: user_number?,
                remitter: remitter?,
                description: description?,
                self_balancing: raw.self_balancing.unwrap_or(false),
                header_date: header_date?,
                item_limit: item_limit?,
                settle_after_days: settle_after_days?,
                csv,
            }))
        })();
        faults.clone().check()?;
        made.ok_or(faults)
    }

    /// The account.
    #[must_use]
    pub fn into_account(self, id: BankAccountId) -> BankAccount {
        BankAccount { id, ..self.0 }
    }
}

fn settle_after(raw: Option<i64>) -> Result<Option<u16>, ProfileError> {
    let days = raw.map(u16::try_from).transpose().map_err(|_| ProfileError::SettleAfter)?;
    if days.is_none_or(|days| (1..=MAX_SETTLE_DAYS).contains(&days)) {
        Ok(days)
    } else {
        Err(ProfileError::SettleAfter)
    }
}

fn item_limit(raw: Option<i64>) -> Result<u32, ProfileError> {
    let limit = u32::try_from(raw.unwrap_or(i64::from(MAX_ITEMS))).map_err(|_| ProfileError::ItemLimit)?;
    if (2..=MAX_ITEMS).contains(&limit) { Ok(limit) } else { Err(ProfileError::ItemLimit) }
}
