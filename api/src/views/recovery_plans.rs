//! Plans by which clawbacks are got back, as they come in and go out.

use domain::kernel::Rate;
use domain::payouts::recovery::{ProposePlanInput, RecoveryPlan};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{MoneyRequest, MoneyView};

/// How much a run may set off at most: a share, an amount, or both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateRecoveryPlan, example = json!({"max_share": "0.25", "max_amount": {"amount": 50_000, "currency": "AUD"}, "from_on": "2026-12-01", "reason": "Agreed by telephone"}))]
pub struct CreateRecoveryPlanRequest {
    /// So much of what the payee is paid for in a run, as a decimal fraction: more than 0, at most 1.
    max_share: Option<String>,
    /// So much in a run.
    max_amount: Option<MoneyRequest>,
    /// From this day on.
    #[schema(required = true, nullable = false)]
    from_on: Option<String>,
    /// Why.
    #[schema(required = true, nullable = false)]
    reason: Option<String>,
}

impl From<CreateRecoveryPlanRequest> for ProposePlanInput {
    fn from(raw: CreateRecoveryPlanRequest) -> Self {
        let CreateRecoveryPlanRequest { max_share, max_amount, from_on, reason } = raw;
        Self { max_share, max_amount: max_amount.map(|money| (money.amount, money.currency)), from_on, reason }
    }
}

/// When a plan ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EndRecoveryPlan, example = json!({"ended_on": "2027-06-30"}))]
pub struct EndRecoveryPlanRequest {
    /// From this day on it bounds nothing; today when it is absent.
    pub ended_on: Option<String>,
}

/// A plan by which clawbacks of a payee are got back bit by bit.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = RecoveryPlan)]
pub struct RecoveryPlanView {
    /// Its id.
    #[schema(example = "plan_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Whose clawbacks.
    #[schema(example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    payee_id: String,
    /// The most that a run sets off of what the payee is paid for in it, without GST and after withholding; rounded down.
    #[schema(example = "0.25")]
    max_share: Option<String>,
    /// The most that a run sets off.
    max_amount: Option<MoneyView>,
    /// From this day on; of two plans the one that begins later governs.
    #[schema(example = "2026-12-01")]
    from_on: String,
    /// From this day on it bounds nothing any more.
    #[schema(example = "2027-06-30")]
    ended_on: Option<String>,
    /// Why.
    #[schema(example = "Agreed by telephone")]
    reason: String,
    /// `proposed`, `approved`, `rejected`.
    #[schema(example = "proposed")]
    status: &'static str,
    /// When it was proposed.
    #[schema(example = "2026-11-23T12:00:00Z")]
    proposed_at: String,
    /// When a second person decided.
    #[schema(example = "2026-11-23T13:00:00Z")]
    decided_at: Option<String>,
    /// Its version, from 1.
    #[schema(example = 1)]
    version: u32,
}

impl From<RecoveryPlan> for RecoveryPlanView {
    fn from(plan: RecoveryPlan) -> Self {
        Self {
            id: plan.id.to_string(),
            payee_id: plan.payee.to_string(),
            max_share: plan.term.cap.max_share.as_ref().map(Rate::to_string),
            max_amount: plan.term.cap.max_minor.map(MoneyView::aud),
            from_on: plan.term.from_on.to_string(),
            ended_on: plan.term.ended_on.map(|on| on.to_string()),
            reason: plan.reason.as_str().to_owned(),
            status: plan.state.as_str(),
            proposed_at: plan.proposed.at.to_string(),
            decided_at: plan.decided.map(|act| act.at.to_string()),
            version: plan.version,
        }
    }
}
