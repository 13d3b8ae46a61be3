//! Payouts.

use domain::kernel::ids::{LineId, PayoutId};
use domain::payouts::repository::{PayoutLines, PayoutRecord};
use jiff::civil::Date;
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
    /// The last day on which it is on time: banking days from the day on which it was sent.
    #[schema(example = "2026-11-27")]
    due_on: String,
    /// Whether it is late, or arrived late.
    #[schema(example = false)]
    late: bool,
    /// The day of the rail on which it arrived or came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_on: Option<String>,
    /// The payout that came back and is sent again by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_of: Option<String>,
    /// The payout by which it is sent again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retried_by: Option<String>,
}

impl PayoutView {
    /// A payout as it stands on a day (Sydney).
    #[must_use]
    pub fn new(payout: PayoutRecord, today: Date) -> Self {
        Self {
            due_on: payout.due_on().to_string(),
            late: payout.is_late(today),
            ended_on: payout.ended_on.map(|on| on.to_string()),
            retry_of: payout.retry_of.map(|id| id.to_string()),
            retried_by: payout.retried_by.map(|id| id.to_string()),
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

impl PayoutDetailView {
    /// A payout as it stands on a day (Sydney).
    #[must_use]
    pub fn new((payout, lines): (PayoutRecord, PayoutLines), today: Date) -> Self {
        Self {
            payout: PayoutView::new(payout, today),
            lines: lines.sent.into_iter().map(Into::into).collect(),
            recoveries: lines.settled.into_iter().map(Into::into).collect(),
        }
    }
}

/// A payout by Stripe that is sent again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResentPayout)]
pub struct ResentPayoutView {
    /// The payout, the same as before.
    #[schema(example = "payout_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    payout_id: String,
}

impl ResentPayoutView {
    /// Of a payout.
    #[must_use]
    pub fn new(payout: PayoutId) -> Self {
        Self { payout_id: payout.to_string() }
    }
}
