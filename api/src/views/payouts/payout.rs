//! Payouts.

use domain::kernel::ids::LineId;
use domain::payouts::repository::{PayoutLines, PayoutRecord};
use serde::Serialize;
use utoipa::ToSchema;

use crate::views::MoneyView;

/// Money that was sent to one payee by one run.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payout)]
pub struct PayoutView {
    /// Its id.
    #[schema(example = "payout_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// The run.
    #[schema(example = "run_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    run_id: String,
    /// Who is paid.
    #[schema(example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    payee_id: String,
    /// `in_transit`, `waiting_for_funds`, `unknown`, `settled`, `returned`.
    #[schema(example = "in_transit")]
    state: &'static str,
    /// What is paid.
    amount: MoneyView,
    /// What was available.
    gross: MoneyView,
    /// What of it clawbacks took.
    recovered: MoneyView,
    /// GST that an invoice added to it.
    gst: MoneyView,
    /// What was withheld for the tax office.
    withheld: MoneyView,
    /// `aba` or `stripe`.
    #[schema(example = "aba")]
    rail: &'static str,
    /// What the payee reads on the bank statement.
    #[schema(example = "FLIP-7V8E2RTF3K2M")]
    reference: String,
    /// When it was sent.
    #[schema(example = "2026-11-25T02:00:00Z")]
    created_at: String,
}

impl From<PayoutRecord> for PayoutView {
    fn from(payout: PayoutRecord) -> Self {
        Self {
            id: payout.id.to_string(),
            run_id: payout.run.to_string(),
            payee_id: payout.payee.to_string(),
            state: payout.state.code(),
            amount: MoneyView::aud(payout.amount_minor),
            gross: MoneyView::aud(payout.gross_minor),
            recovered: MoneyView::aud(payout.recovered_minor),
            gst: MoneyView::aud(payout.gst_minor),
            withheld: MoneyView::aud(payout.withheld_minor),
            rail: payout.rail.code(),
            reference: payout.reference,
            created_at: payout.created_at.to_string(),
        }
    }
}

/// An amount of a commission line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LineAmount)]
pub struct LineAmountView {
    /// The line.
    #[schema(example = "line_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    line_id: String,
    /// How much.
    amount: MoneyView,
}

impl From<(LineId, i64)> for LineAmountView {
    fn from((line, amount_minor): (LineId, i64)) -> Self {
        Self { line_id: line.to_string(), amount: MoneyView::aud(amount_minor) }
    }
}

/// A payout with its lines.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutDetail)]
pub struct PayoutDetailView {
    /// The payout.
    #[serde(flatten)]
    payout: PayoutView,
    /// What was sent, by line; sums to the amount.
    lines: Vec<LineAmountView>,
    /// Which clawbacks were got back, by line; sums to what was recovered.
    recoveries: Vec<LineAmountView>,
}

impl From<(PayoutRecord, PayoutLines)> for PayoutDetailView {
    fn from((payout, lines): (PayoutRecord, PayoutLines)) -> Self {
        Self {
            payout: payout.into(),
            lines: lines.sent.into_iter().map(Into::into).collect(),
            recoveries: lines.settled.into_iter().map(Into::into).collect(),
        }
    }
}
