//! Reads an entry back from the canonical bytes that were hashed, logged and handed out in receipts.
//!
//! Strict: exactly the members of a canonical entry, as the ledger writes it, in canonical form, amounts as whole
//! minor units; any other spelling is refused.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::digest::Digest;
use crate::ids::{AccountId, DealId, EntryId, LineId, PayeeId};
use crate::instant::Instant;
use crate::jcs;

/// Why bytes are not an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the canonical bytes of a ledger entry: {0}")]
pub struct LoggedEntryError(pub String);

/// A posting as it was logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedPosting {
    /// The account.
    pub account: AccountId,
    /// Whole minor units; debit positive.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
    /// The commission line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<LineId>,
}

impl LoggedPosting {
    /// The amount in minor units; `None` unless it is written as a whole number writes itself.
    #[must_use]
    pub fn amount_minor(&self) -> Option<i64> {
        self.amount.parse().ok().filter(|minor: &i64| minor.to_string() == self.amount)
    }
}

/// An entry as it was logged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedEntry {
    /// `ledger_entry`.
    pub r#type: String,
    /// 1.
    pub v: u8,
    /// The name of the log.
    pub log: String,
    /// Its sequence number.
    pub seq: i64,
    /// Its id.
    pub id: EntryId,
    /// Its kind.
    pub kind: String,
    /// The deal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deal: Option<DealId>,
    /// The payee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee: Option<PayeeId>,
    /// What caused it.
    pub source: Uuid,
    /// The business date.
    pub effective_on: Date,
    /// When it was written.
    pub recorded_at: Instant,
    /// The hash of the entry before.
    pub previous_sha256: Digest,
    /// 32 random bytes.
    pub salt: String,
    /// The sides.
    pub postings: Vec<LoggedPosting>,
}

impl LoggedEntry {
    /// Reads the bytes.
    ///
    /// # Errors
    /// [`LoggedEntryError`], with the reason.
    pub fn parse(bytes: &[u8]) -> Result<Self, LoggedEntryError> {
        let refused = |why: String| LoggedEntryError(why);
        let value = jcs::parse(bytes).map_err(|e| refused(e.to_string()))?;
        let entry: Self = serde_json::from_value(value).map_err(|e| refused(e.to_string()))?;
        if entry.r#type != "ledger_entry" || entry.v != 1 {
            return Err(refused("expected ledger_entry version 1".to_owned()));
        }
        if jcs::to_bytes(&entry).map_err(|e| refused(e.to_string()))? != bytes {
            return Err(refused("a member is not written as it must be".to_owned()));
        }
        Ok(entry)
    }

    /// Whether it has two or more postings, none of zero, that sum to zero per currency.
    #[must_use]
    pub fn balances(&self) -> bool {
        let mut sums = std::collections::BTreeMap::<&str, i128>::new();
        for posting in &self.postings {
            match posting.amount_minor() {
                Some(minor) if minor != 0 => *sums.entry(&posting.currency).or_default() += i128::from(minor),
                _ => return false,
            }
        }
        self.postings.len() >= 2 && sums.values().all(|sum| *sum == 0)
    }
}
