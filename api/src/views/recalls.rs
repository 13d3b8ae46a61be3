//! Parts of transfers at Stripe that are taken back, as they come in and go out.

use domain::payouts::stripe::recall::Recall;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MoneyRequest, MoneyView};

/// What is to be taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReversePayout, example = json!({"amount": {"amount": 15_000, "currency": "AUD"}, "reason": "The deal unwound"}))]
pub struct ReversePayoutRequest {
    /// How much: at most what clawbacks have left to be got back of the payout's lines, all of which is meant when it is absent.
    pub amount: Option<MoneyRequest>,
    /// Why.
    #[schema(required = true, nullable = false)]
    pub reason: Option<String>,
}

/// A part of a transfer at Stripe that somebody asked to take back.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = PayoutReversal)]
pub struct PayoutReversalView {
    /// Its id, and the idempotency key at Stripe.
    #[schema(example = "reversal_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// The payout.
    #[schema(example = "payout_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    payout_id: String,
    /// How much.
    amount: MoneyView,
    /// Why.
    #[schema(example = "The deal unwound")]
    reason: String,
    /// `asked`, `unknown` (nobody knows whether Stripe did it; it is looked up before it is asked again), `made`, `refused`.
    #[schema(example = "asked")]
    status: &'static str,
    /// Stripe's id of it.
    #[schema(example = "trr_1PgafTB7WZ01zgkW")]
    stripe_reversal: Option<String>,
    /// What the last try came to, in words.
    #[schema(example = "nobody knows whether Stripe did it: no answer in time")]
    detail: Option<String>,
    /// When it was asked.
    #[schema(example = "2026-11-23T12:00:00Z")]
    asked_at: String,
    /// When it ended.
    #[schema(example = "2026-11-23T12:00:05Z")]
    done_at: Option<String>,
}

impl From<Recall> for PayoutReversalView {
    fn from(recall: Recall) -> Self {
        Self {
            id: recall.id.to_string(),
            payout_id: recall.payout.to_string(),
            amount: MoneyView::aud(recall.amount_minor),
            reason: recall.reason.as_str().to_owned(),
            status: recall.state.as_str(),
            stripe_reversal: recall.reversal.map(|name| name.to_string()),
            detail: recall.detail,
            asked_at: recall.asked_at.to_string(),
            done_at: recall.done_at.map(|at| at.to_string()),
        }
    }
}
