//! The trial balance of a month as it is approved and frozen: canonical JSON and its SHA-256.
//!
//! By kind of account, each with a digest over all of its accounts; amounts as strings of cents.

use serde::{Deserialize, Serialize};

use super::period::Month;
use crate::kernel::{Cents, Digest, Frozen};

/// What stood on one kind of account at the end of a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrozenRow {
    /// Accounts that do not stand at zero.
    pub accounts: u32,
    /// SHA-256 over `account-id balance` lines, by account.
    pub accounts_sha256: Digest,
    /// The sum of those in credit, positive.
    pub credit: Cents,
    /// The sum of those in debit.
    pub debit: Cents,
    /// The kind.
    pub kind: String,
}

/// The one type of this content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum ContentType {
    #[serde(rename = "accounting_period")]
    AccountingPeriod,
}

/// The trial balance at the end of a month, by business date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BalanceContent {
    month: String,
    /// By kind of account.
    pub rows: Vec<FrozenRow>,
    r#type: ContentType,
    v: u8,
}

impl BalanceContent {
    /// Of rows by kind.
    #[must_use]
    pub fn new(month: Month, rows: Vec<FrozenRow>) -> Self {
        Self { month: month.to_string(), rows, r#type: ContentType::AccountingPeriod, v: 1 }
    }
}

/// The same with its exact bytes and their digest.
pub type FrozenBalance = Frozen<BalanceContent>;
