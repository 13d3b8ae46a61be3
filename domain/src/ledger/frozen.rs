//! The trial balance of a month as it is approved and frozen: canonical JSON and its SHA-256.
//!
//! By kind of account, each with a digest over all of its accounts; amounts as strings of cents.

use serde::{Deserialize, Serialize};

use super::period::Month;
use crate::kernel::Digest;
use crate::kernel::jcs::{self, JcsError};
use crate::payouts::content::Cents;

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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    month: String,
    rows: Vec<FrozenRow>,
    r#type: ContentType,
    v: u8,
}

/// The trial balance at the end of a month (by business date), with its exact bytes and their digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrozenBalance {
    content: Content,
    bytes: Vec<u8>,
    sha256: Digest,
}

impl FrozenBalance {
    /// Freezes rows, by kind.
    ///
    /// # Errors
    /// Never for typed values; the signature keeps the failure visible.
    pub fn freeze(month: Month, rows: Vec<FrozenRow>) -> Result<Self, JcsError> {
        let content = Content { month: month.to_string(), rows, r#type: ContentType::AccountingPeriod, v: 1 };
        let bytes = jcs::to_bytes(&content)?;
        Ok(Self { sha256: Digest::of(&bytes), content, bytes })
    }

    /// Reads what was stored.
    ///
    /// # Errors
    /// When the bytes are no such content.
    pub fn restore(bytes: Vec<u8>) -> Result<Self, JcsError> {
        let content: Content = serde_json::from_slice(&bytes).map_err(|e| JcsError::Invalid(e.to_string()))?;
        Ok(Self { sha256: Digest::of(&bytes), content, bytes })
    }

    /// By kind of account.
    #[must_use]
    pub fn rows(&self) -> &[FrozenRow] {
        &self.content.rows
    }

    /// Its canonical bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What is approved.
    #[must_use]
    pub const fn sha256(&self) -> Digest {
        self.sha256
    }
}
