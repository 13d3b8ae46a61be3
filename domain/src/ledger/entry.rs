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
    /// GST on an invoice or an adjustment note.
    Gst,
    /// A hold has expired.
    Release,
    /// Put aside while a dispute is open.
    Hold,
    /// No longer put aside.
    Unhold,
    /// Money was sent to a rail.
    PayoutInitiated,
    /// The rail says that it arrived.
    PayoutSettled,
    /// It came back.
    PayoutReturned,
    /// The deal unwound.
    Clawback,
    /// A clawback is set off against what may be paid.
    ClawbackRecovery,
    /// What was earned is corrected.
    Adjustment,
    /// A provider paid.
    ProviderReceipt,
    /// A shortfall was accepted.
    WriteOff,
    /// Tax was withheld from a payment.
    Withholding,
    /// GST and withholding went to the tax office.
    TaxRemittance,
    /// A rail charged for its service.
    Fee,
    /// Money moved between own accounts.
    FundsTransfer,
    /// What stood before the first entry.
    Opening,
    /// An entry is undone by its mirror.
    Reversal,
    /// What is unpaid became another payee's.
    Assignment,
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [Self; 20] = [
        Self::Accrual,
        Self::Gst,
        Self::Release,
        Self::Hold,
        Self::Unhold,
        Self::PayoutInitiated,
        Self::PayoutSettled,
        Self::PayoutReturned,
        Self::Clawback,
        Self::ClawbackRecovery,
        Self::Adjustment,
        Self::ProviderReceipt,
        Self::WriteOff,
        Self::Withholding,
        Self::TaxRemittance,
        Self::Fee,
        Self::FundsTransfer,
        Self::Opening,
        Self::Reversal,
        Self::Assignment,
    ];

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
            Self::Gst => "gst",
            Self::Release => "release",
            Self::Hold => "hold",
            Self::Unhold => "unhold",
            Self::PayoutInitiated => "payout_initiated",
            Self::PayoutSettled => "payout_settled",
            Self::PayoutReturned => "payout_returned",
            Self::Clawback => "clawback",
            Self::ClawbackRecovery => "clawback_recovery",
            Self::Adjustment => "adjustment",
            Self::ProviderReceipt => "provider_receipt",
            Self::WriteOff => "write_off",
            Self::Withholding => "withholding",
            Self::TaxRemittance => "tax_remittance",
            Self::Fee => "fee",
            Self::FundsTransfer => "funds_transfer",
            Self::Opening => "opening",
            Self::Reversal => "reversal",
            Self::Assignment => "assignment",
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

/// What is hashed, logged and put into a receipt. Its members stand in canonical order.
#[derive(Debug, Serialize)]
pub struct CanonicalEntry<'a> {
    /// The deal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deal: Option<DealId>,
    /// The business date.
    pub effective_on: Date,
    /// Its id.
    pub id: EntryId,
    /// Its kind.
    pub kind: &'static str,
    /// The name of the log.
    pub log: &'a str,
    /// The payee.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payee: Option<PayeeId>,
    /// The sides.
    pub postings: Vec<CanonicalPosting>,
    /// The hash of the entry before.
    pub previous_sha256: Digest,
    /// When it was written.
    pub recorded_at: Instant,
    /// 32 random bytes, so that nobody guesses it from its leaf.
    pub salt: String,
    /// Its sequence number, without gaps from 1.
    pub seq: i64,
    /// What caused it.
    pub source: Uuid,
    /// `ledger_entry`.
    pub r#type: &'static str,
    /// 1.
    pub v: u8,
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
