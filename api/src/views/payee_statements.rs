//! Statements of payees over a period.

use domain::kernel::ids::{AssignmentId, CalculationId, HoldId, PayoutId};
use domain::ledger::entry::EntryKind;
use domain::ledger::statement::{MovementSum, PayeeBuckets, PayeeStatement, StatementEntry};
use serde::Serialize;
use utoipa::ToSchema;

use super::MoneyView;

/// Where the money of a payee lies, or by how much that changes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayeeBuckets)]
pub struct BucketsView {
    /// Owed in all: everything below, less what is to be got back.
    owed: MoneyView,
    /// Earned, on hold.
    accrued: MoneyView,
    /// In dispute.
    held: MoneyView,
    /// May be paid.
    available: MoneyView,
    /// Sent, not confirmed.
    in_transit: MoneyView,
    /// To be got back.
    recoverable: MoneyView,
}

impl From<PayeeBuckets> for BucketsView {
    fn from(buckets: PayeeBuckets) -> Self {
        Self {
            owed: MoneyView::aud(buckets.owed_minor()),
            accrued: MoneyView::aud(buckets.accrued_minor),
            held: MoneyView::aud(buckets.held_minor),
            available: MoneyView::aud(buckets.available_minor),
            in_transit: MoneyView::aud(buckets.in_transit_minor),
            recoverable: MoneyView::aud(buckets.recoverable_minor),
        }
    }
}

/// The entries of one kind in the period.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayeeMovement)]
pub struct MovementView {
    /// `earned`, `adjusted`, `gst`, `released`, `held`, `unheld`, `clawed_back`, `recovered`, `withheld`, `sent`, `paid`, `returned`, `assigned_in`, `assigned_out`, `other`.
    #[schema(example = "earned")]
    movement: &'static str,
    /// In how many entries.
    #[schema(example = 3)]
    entries: i64,
    /// How much moved, positive.
    moved: MoneyView,
    /// By how much each bucket changed.
    change: BucketsView,
}

impl From<MovementSum> for MovementView {
    fn from(sum: MovementSum) -> Self {
        Self {
            movement: sum.movement.as_str(),
            entries: sum.entries,
            moved: MoneyView::aud(sum.moved_minor),
            change: sum.change.into(),
        }
    }
}

/// One entry of the statement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayeeStatementLine)]
pub struct StatementLineView {
    /// The entry.
    #[schema(example = "entry_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    entry_id: String,
    /// Its sequence number.
    #[schema(example = 4711)]
    seq: i64,
    /// The entry's kind.
    #[schema(example = "accrual")]
    kind: &'static str,
    /// The business date.
    #[schema(example = "2026-11-25")]
    effective_on: String,
    /// The business date that it would have, had its month not been closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_from_on: Option<String>,
    /// When it was written.
    #[schema(example = "2026-11-25T02:00:00Z")]
    recorded_at: String,
    /// The deal.
    #[serde(skip_serializing_if = "Option::is_none")]
    deal_id: Option<String>,
    /// The commission lines that it moves.
    line_ids: Vec<String>,
    /// By how much each bucket changed.
    change: BucketsView,
    /// Where it is explained: how the amount was worked out, or what was paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/v1/calculations/calc_01k0w4q7v8e2rtf3k2m9x5c6dz/explain")]
    explanation: Option<String>,
    /// Where its receipt is, which anybody can verify.
    #[schema(example = "/v1/receipts/entries/entry_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    receipt: String,
}

/// Where what caused an entry is explained.
fn explanation(entry: &StatementEntry) -> Option<String> {
    match entry.kind {
        EntryKind::Accrual | EntryKind::Adjustment | EntryKind::Clawback | EntryKind::Release => {
            Some(format!("/v1/calculations/{}/explain", CalculationId::new(entry.source)))
        }
        EntryKind::PayoutInitiated
        | EntryKind::PayoutSettled
        | EntryKind::PayoutReturned
        | EntryKind::ClawbackRecovery
        | EntryKind::Withholding
        | EntryKind::Gst => Some(format!("/v1/payouts/{}", PayoutId::new(entry.source))),
        EntryKind::Hold | EntryKind::Unhold => Some(format!("/v1/holds/{}", HoldId::new(entry.source))),
        EntryKind::Assignment => Some(format!("/v1/assignments/{}", AssignmentId::new(entry.source))),
        EntryKind::ProviderReceipt
        | EntryKind::WriteOff
        | EntryKind::TaxRemittance
        | EntryKind::Fee
        | EntryKind::FundsTransfer
        | EntryKind::Opening
        | EntryKind::Reversal => None,
    }
}

impl From<StatementEntry> for StatementLineView {
    fn from(entry: StatementEntry) -> Self {
        Self {
            explanation: explanation(&entry),
            receipt: format!("/v1/receipts/entries/{}", entry.entry),
            entry_id: entry.entry.to_string(),
            seq: entry.seq,
            kind: entry.kind.as_str(),
            effective_on: entry.effective_on.to_string(),
            moved_from_on: entry.moved_from.map(|on| on.to_string()),
            recorded_at: entry.recorded_at.to_string(),
            deal_id: entry.deal.map(|id| id.to_string()),
            line_ids: entry.lines.iter().map(ToString::to_string).collect(),
            change: entry.change.into(),
        }
    }
}

/// The statement of a payee over a period: opening and movements are closing, to the cent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayeeStatement)]
pub struct PayeeStatementView {
    /// Whose it is.
    #[schema(example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    payee_id: String,
    /// The first day.
    #[schema(example = "2026-11-01")]
    from: String,
    /// The last day.
    #[schema(example = "2026-11-30")]
    to: String,
    /// Where it stood before the first day.
    opening: BucketsView,
    /// What moved, by kind.
    movements: Vec<MovementView>,
    /// Where it stood at the end of the last day.
    closing: BucketsView,
    /// The entries, in the order of the book.
    data: Vec<StatementLineView>,
    /// Give this as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl PayeeStatementView {
    /// A statement with where it goes on.
    #[must_use]
    pub fn new(statement: PayeeStatement, next_cursor: Option<String>) -> Self {
        Self {
            payee_id: statement.payee.to_string(),
            from: statement.days.from.to_string(),
            to: statement.days.to.to_string(),
            opening: statement.opening.into(),
            movements: statement.movements.into_iter().map(Into::into).collect(),
            closing: statement.closing.into(),
            data: statement.entries.data.into_iter().map(Into::into).collect(),
            next_cursor,
        }
    }
}
