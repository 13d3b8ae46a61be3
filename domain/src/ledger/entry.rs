//! Entries: two or more postings that sum to zero, or nothing at all.

use jiff::civil::Date;
use serde::Serialize;
use uuid::Uuid;

use super::account::AccountKey;
use crate::kernel::ids::{AccountId, DealId, EntryId, LineId, PayeeId};
use crate::kernel::jcs::{self, JcsError};
use crate::kernel::{Digest, Instant};

/// The kinds of entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// Commission is earned.
    Accrual,
    /// What was earned is corrected.
    Adjustment,
    /// A hold has expired.
    Release,
    /// The deal unwound.
    Clawback,
    /// A clawback is set off against what may be paid.
    ClawbackRecovery,
    /// Money was sent to a rail.
    PayoutInitiated,
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Accrual, Self::Adjustment, Self::Release, Self::Clawback, Self::ClawbackRecovery, Self::PayoutInitiated];

    /// Reads a kind.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accrual => "accrual",
            Self::Adjustment => "adjustment",
            Self::Release => "release",
            Self::Clawback => "clawback",
            Self::ClawbackRecovery => "clawback_recovery",
            Self::PayoutInitiated => "payout_initiated",
        }
    }
}

/// One side of an entry. Debit is positive, credit negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// Where.
    pub account: AccountKey,
    /// How much, in minor units of AUD; never zero.
    pub amount_minor: i64,
    /// For which commission line.
    pub line: Option<LineId>,
}

/// An entry before it has a sequence number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryDraft {
    /// Its id.
    pub id: EntryId,
    /// Its kind.
    pub kind: EntryKind,
    /// The deal it is for; its lane is the deal's.
    pub deal: Option<DealId>,
    /// The payee it is for; without a deal its lane is the payee's.
    pub payee: Option<PayeeId>,
    /// What caused it: a calculation, a payout …
    pub source: Uuid,
    /// The business date that it takes effect on.
    pub effective_on: Date,
    /// The sides.
    pub postings: Vec<Posting>,
    /// Organisations that may see it.
    pub visible_to: Vec<Uuid>,
}

/// Why an entry does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The postings do not sum to zero.
    #[error("the postings of an entry must sum to zero")]
    Unbalanced,
    /// Fewer than two postings, or one of nothing.
    #[error("an entry has two or more postings, none of zero")]
    Empty,
    /// A sum leaves 64 bits.
    #[error("the amount is out of range")]
    OutOfRange,
}

impl EntryDraft {
    /// Checks that it balances.
    ///
    /// # Errors
    /// See [`EntryError`].
    pub fn check(&self) -> Result<(), EntryError> {
        if self.postings.len() < 2 || self.postings.iter().any(|p| p.amount_minor == 0) {
            return Err(EntryError::Empty);
        }
        let sum = self.postings.iter().try_fold(0_i64, |sum, p| sum.checked_add(p.amount_minor));
        match sum {
            Some(0) => Ok(()),
            Some(_) => Err(EntryError::Unbalanced),
            None => Err(EntryError::OutOfRange),
        }
    }
}

/// A posting as the canonical bytes carry it: amounts as strings, so that no reader makes a float of it.
#[derive(Debug, Serialize)]
pub struct CanonicalPosting {
    /// The account.
    pub account: AccountId,
    /// Minor units; debit positive.
    pub amount: String,
    /// ISO 4217.
    pub currency: &'static str,
    /// The commission line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<LineId>,
}

/// What is hashed, logged and put into a receipt.
#[derive(Debug, Serialize)]
pub struct CanonicalEntry<'a> {
    /// `ledger_entry`.
    pub r#type: &'static str,
    /// 1.
    pub v: u8,
    /// The name of the log.
    pub log: &'a str,
    /// Its sequence number, without gaps from 1.
    pub seq: i64,
    /// Its id.
    pub id: EntryId,
    /// Its kind.
    pub kind: &'static str,
    /// The deal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deal: Option<DealId>,
    /// The payee.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payee: Option<PayeeId>,
    /// What caused it.
    pub source: Uuid,
    /// The business date.
    pub effective_on: Date,
    /// When it was written.
    pub recorded_at: Instant,
    /// The hash of the entry before.
    pub previous_sha256: Digest,
    /// 32 random bytes, so that nobody guesses it from its leaf.
    pub salt: String,
    /// The sides.
    pub postings: Vec<CanonicalPosting>,
}

impl CanonicalEntry<'_> {
    /// The bytes (RFC 8785).
    ///
    /// # Errors
    /// Never for typed values; the signature keeps the failure visible.
    pub fn to_bytes(&self) -> Result<Vec<u8>, JcsError> {
        jcs::to_bytes(self)
    }
}
