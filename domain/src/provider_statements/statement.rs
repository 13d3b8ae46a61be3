//! The statement: a file of a provider, its lines, and what became of them.

use jiff::civil::Date;
use uuid::Uuid;

use super::item::{ItemKey, Side};
use super::mapping::LineKind;
use crate::jobs::JobFault;
use crate::kernel::ids::{BankAccountId, DealId, OrganisationId, ProviderStatementId, ProviderStatementLineId};
use crate::kernel::{Digest, Instant};

/// Where a statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatementState {
    /// Its lines are kept; they wait to be posted, or are.
    Received,
    /// Every line is posted and its exceptions are known.
    Posted,
    /// It was stopped; what was posted stays, and matching it again goes on.
    Failed,
}

impl StatementState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Received, Self::Posted, Self::Failed];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Posted => "posted",
            Self::Failed => "failed",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineResult {
    /// It settles its item.
    Matched,
    /// It leaves some of its item open.
    ShortPaid,
    /// It brings more than was open; the rest is unapplied.
    OverPaid,
    /// Nothing was open that it could be for.
    Unexpected,
    /// It is over nothing: no entry.
    Nothing,
}

impl LineResult {
    /// Every result.
    pub const ALL: [Self; 5] = [Self::Matched, Self::ShortPaid, Self::OverPaid, Self::Unexpected, Self::Nothing];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::ShortPaid => "short_paid",
            Self::OverPaid => "over_paid",
            Self::Unexpected => "unexpected",
            Self::Nothing => "nothing",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.as_str() == text)
    }
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderStatement {
    /// Its id.
    pub id: ProviderStatementId,
    /// Who says that it paid.
    pub provider: OrganisationId,
    /// Where the money came in.
    pub bank_account: BankAccountId,
    /// The version of the mapping by which it was read.
    pub mapping_version: u32,
    /// Where it stands.
    pub state: StatementState,
    /// The first day that it is about.
    pub period_from: Date,
    /// The last day.
    pub period_to: Date,
    /// The date of the payment.
    pub paid_on: Date,
    /// What the bank statement shows of the payment.
    pub payment_reference: String,
    /// What was paid in all, GST included, in cents.
    pub total_minor: i64,
    /// The digest of the file.
    pub file_sha256: Digest,
    /// Its size in bytes.
    pub file_bytes: u64,
    /// How many lines it has.
    pub lines: u64,
    /// Why it was stopped.
    pub fault: Option<JobFault>,
    /// Who sent it.
    pub created_by: Uuid,
    /// When.
    pub created_at: Instant,
    /// When everything was posted.
    pub posted_at: Option<Instant>,
}

/// A line as it was read; amounts in cents, taken back is negative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementLine {
    /// Its id.
    pub id: ProviderStatementLineId,
    /// The line of the file, from 1.
    pub line: u64,
    /// What the provider calls the deal; empty when it does not say.
    pub reference: String,
    /// What it is for.
    pub kind: LineKind,
    /// Its date.
    pub on: Date,
    /// The first day of the month of the trail.
    pub month: Date,
    /// Without GST.
    pub amount_minor: i64,
    /// GST by the provider's document.
    pub gst_minor: i64,
    /// What the provider calls the product.
    pub product: Option<String>,
}

impl StatementLine {
    /// What was paid for it, GST included.
    #[must_use]
    pub const fn total_minor(&self) -> i64 {
        self.amount_minor + self.gst_minor
    }
}

/// What became of a line, once it is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineOutcome {
    /// The result.
    pub result: LineResult,
    /// The item that it took from last.
    pub item: Option<ItemKey>,
    /// What of it, GST included, waits for something that it is for.
    pub unapplied_minor: i64,
}

/// A line with what became of it, to look up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineRecord {
    /// As it was read.
    pub line: StatementLine,
    /// What became of it; none while it waits.
    pub outcome: Option<LineOutcome>,
}

/// A line that is to be matched, with what of it is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenLine {
    /// As it was read, but amount and GST are what is left.
    pub line: StatementLine,
    /// The statement that it is of.
    pub statement: ProviderStatementId,
    /// The date of the payment.
    pub paid_on: Date,
    /// Where the money came in.
    pub bank_account: BankAccountId,
    /// How many times it was posted before.
    pub steps: i32,
    /// Days around its date in which an item without a reference may have fallen due.
    pub window_days: u16,
}

/// One posting of a line. Invariant: cash = applied + GST + rounding + unapplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineStep {
    /// The line.
    pub line: ProviderStatementLineId,
    /// From 0; every later one moves on what was unapplied.
    pub n: i32,
    /// The item that it takes from.
    pub item: Option<ItemKey>,
    /// What it settles of the item, without GST.
    pub applied_minor: i64,
    /// The GST of that.
    pub gst_minor: i64,
    /// The odd cent between the provider's document and our figure.
    pub rounding_minor: i64,
    /// What is added to the unapplied receipts; negative when it is moved on.
    pub unapplied_minor: i64,
}

impl LineStep {
    /// What came into the bank account.
    #[must_use]
    pub const fn cash_minor(&self) -> i64 {
        self.applied_minor + self.gst_minor + self.rounding_minor + self.unapplied_minor
    }

    /// The deal that it is about.
    #[must_use]
    pub fn deal(&self) -> Option<DealId> {
        self.item.map(|item| item.deal)
    }
}

/// How many lines became what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineCounts {
    /// Not posted yet.
    pub waiting: u64,
    /// They settle their items.
    pub matched: u64,
    /// They leave something open.
    pub short_paid: u64,
    /// They bring more than was open.
    pub over_paid: u64,
    /// Nothing was open.
    pub unexpected: u64,
    /// Over nothing.
    pub nothing: u64,
}

/// What a statement came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatementFigures {
    /// Its lines.
    pub counts: LineCounts,
    /// What its lines settled, without GST.
    pub applied_minor: i64,
    /// GST of that.
    pub gst_minor: i64,
    /// Odd cents.
    pub rounding_minor: i64,
    /// What is still unapplied.
    pub unapplied_minor: i64,
    /// Exceptions that are not resolved.
    pub open_exceptions: u64,
}

/// Reads an item back from its parts; none where there is no deal.
#[must_use]
pub fn item_of(deal: Option<DealId>, period: Option<Date>, side: Option<&str>) -> Option<ItemKey> {
    Some(ItemKey { deal: deal?, period, side: Side::parse(side?)? })
}
