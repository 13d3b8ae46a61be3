//! What is asked of runs, read from requests: every fault at once.

use jiff::civil::Date;

use crate::directory::required;
use crate::directory::text::Grounds;
use crate::kernel::fault::Reason;
use crate::kernel::ids::{BankAccountId, PayoutRunId};
use crate::kernel::{Digest, Faults};

/// Asks for a preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreviewRun {
    /// From which account.
    pub bank_account: BankAccountId,
    /// What may be paid on or before this date; today (Sydney) if absent.
    pub cut_off_on: Option<Date>,
}

/// Names a run, and the version at which the caller saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnRun {
    /// The run.
    pub run: PayoutRunId,
    /// The version that it must be at; any if absent.
    pub version: Option<u32>,
}

/// Why a field is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum CommandError {
    /// Not a calendar date.
    #[error("expected a date such as 2026-07-01")]
    Date,
    /// Not 64 hexadecimal digits.
    #[error("expected the 64 hexadecimal digits of the run's `content_sha256`")]
    Digest,
}

impl Reason for CommandError {
    fn code(&self) -> &'static str {
        match self {
            Self::Date => "invalid_date",
            Self::Digest => "invalid_digest",
        }
    }
}

fn date(text: &str) -> Result<Date, CommandError> {
    let date: Date = text.parse().map_err(|_| CommandError::Date)?;
    if date.to_string() == text { Ok(date) } else { Err(CommandError::Date) }
}

fn digest(text: &str) -> Result<Digest, CommandError> {
    let bytes = hex::decode(text).map_err(|_| CommandError::Digest)?;
    Digest::from_slice(&bytes).ok_or(CommandError::Digest)
}

impl PreviewRun {
    /// Reads `/bank_account_id` and `/cut_off_on`.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(bank_account: Option<&str>, cut_off_on: Option<&str>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let bank_account = required(&mut faults, "/bank_account_id", bank_account, BankAccountId::parse);
        let cut_off_on = cut_off_on.map(|text| faults.keep("/cut_off_on", date(text)));
        faults.clone().check()?;
        let bank_account = bank_account.ok_or(faults)?;
        Ok(Self { bank_account, cut_off_on: cut_off_on.flatten() })
    }
}

/// Reads `/content_sha256`: what the approver saw.
///
/// # Errors
/// The fault.
pub fn seen_content(text: Option<&str>) -> Result<Digest, Faults> {
    let mut faults = Faults::default();
    let seen = required(&mut faults, "/content_sha256", text, digest);
    seen.ok_or(faults)
}

/// Reads `/reason`.
///
/// # Errors
/// The fault.
pub fn grounds(text: Option<&str>) -> Result<Grounds, Faults> {
    let mut faults = Faults::default();
    let grounds = required(&mut faults, "/reason", text, Grounds::parse);
    grounds.ok_or(faults)
}
