//! What a proposal says, frozen: canonical JSON whose SHA-256 is what gets approved.
//!
//! It names accounts by kind, party and vertical, amounts as strings of cents, entries under the ids that they will
//! have. Entries stand in the order in which they are posted.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Mode;
use crate::kernel::ids::{EntryId, ManualEntryId, VerticalId};
use crate::kernel::{Cents, Frozen};
use crate::ledger::account::{AccountKey, AccountKind};
use crate::ledger::entry::{EntryKind, Posting};

/// The version of every content so far.
const VERSION: u8 = 1;

/// One side of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostingContent {
    /// Cents; debit positive.
    pub amount: Cents,
    /// The kind of account.
    pub kind: String,
    /// Its party.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<Uuid>,
    /// Its vertical.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vertical: Option<VerticalId>,
}

impl PostingContent {
    /// One side.
    #[must_use]
    pub fn new(posting: &Posting) -> Self {
        let AccountKey { kind, party, vertical } = posting.account;
        Self { amount: Cents(posting.amount_minor), kind: kind.as_str().to_owned(), party, vertical }
    }

    /// The account that it names; none if its kind is unknown, which storage rules out.
    #[must_use]
    pub fn account(&self) -> Option<AccountKey> {
        let kind = AccountKind::parse(&self.kind)?;
        Some(AccountKey { kind, party: self.party, vertical: self.vertical })
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryContent {
    /// The business date.
    pub effective_on: Date,
    /// The id that it has once it is posted.
    pub id: EntryId,
    /// Its kind.
    pub kind: String,
    /// Its place among what was asked for, from 0.
    pub n: u32,
    /// Its sides.
    pub postings: Vec<PostingContent>,
    /// What it undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<EntryId>,
}

impl EntryContent {
    /// Its kind; none if it is unknown, which storage rules out.
    #[must_use]
    pub fn entry_kind(&self) -> Option<EntryKind> {
        EntryKind::parse(&self.kind)
    }

    /// Its sides; none if one names no account.
    #[must_use]
    pub fn sides(&self) -> Option<Vec<Posting>> {
        let side =
            |p: &PostingContent| p.account().map(|account| Posting { account, amount_minor: p.amount.0, line: None });
        self.postings.iter().map(side).collect()
    }

    /// The sum of its debits.
    #[must_use]
    pub fn debit_minor(&self) -> i64 {
        self.postings.iter().map(|p| p.amount.0.max(0)).fold(0, i64::saturating_add)
    }
}

/// The one type of this content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum ContentType {
    #[serde(rename = "manual_entries")]
    ManualEntries,
}

/// What a proposal says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntriesContent {
    /// The entries.
    pub entries: Vec<EntryContent>,
    id: ManualEntryId,
    mode: String,
    reason: String,
    r#type: ContentType,
    v: u8,
}

impl EntriesContent {
    /// Of entries in the order in which they are posted.
    #[must_use]
    pub fn new(id: ManualEntryId, mode: Mode, reason: &str, entries: Vec<EntryContent>) -> Self {
        let (mode, reason) = (mode.as_str().to_owned(), reason.to_owned());
        Self { entries, id, mode, reason, r#type: ContentType::ManualEntries, v: VERSION }
    }
}

/// The same with its exact bytes and their digest.
pub type FrozenEntries = Frozen<EntriesContent>;
