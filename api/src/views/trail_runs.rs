//! Runs over the trails of a month, as they go in and out.

use domain::deals::trail_run::TrailRun;
use domain::deals::trail_run::begin::BeginTrailRunInput;
use domain::deals::trail_run::repository::MissingBalance;
use domain::kernel::ids::AgreementId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::deals::month;
use super::jobs::FailureView;
use crate::extract::ListQuery;

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TrailRunQuery {
    /// `open`, `done`, `failed`.
    #[param(example = "done")]
    pub status: Option<String>,
}

impl ListQuery for TrailRunQuery {}

/// Over which trails of which month.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateTrailRun, example = json!({"vertical": "V01", "month": "2026-07"}))]
pub struct CreateTrailRunRequest {
    /// The code of a vertical: the trails of all of its agreements. Either this or an agreement.
    vertical: Option<String>,
    /// An agreement: its trails alone.
    agreement_id: Option<String>,
    /// The month, YYYY-MM; it must have ended.
    #[schema(required = true, nullable = false)]
    month: Option<String>,
}

impl From<CreateTrailRunRequest> for BeginTrailRunInput {
    fn from(raw: CreateTrailRunRequest) -> Self {
        let CreateTrailRunRequest { vertical, agreement_id, month } = raw;
        Self { vertical, agreement_id, month }
    }
}

/// A run over the trails of a month. While it is open its counts are those of the deals that it has looked at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrailRun)]
pub struct TrailRunView {
    /// Its id.
    #[schema(example = "trailrun_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// The month.
    #[schema(example = "2026-07")]
    month: String,
    /// The vertical.
    #[schema(example = "V01")]
    vertical: String,
    /// The agreement; null for all of the vertical.
    #[schema(example = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    agreement_id: Option<String>,
    /// `open`, `done`, `failed`.
    #[schema(example = "done")]
    status: &'static str,
    /// Deals that a trail is due on: settled by the end of the month, not discharged by then.
    #[schema(example = 1200)]
    due: u64,
    /// Of those: the balance is known and the commission worked out.
    #[schema(example = 1188)]
    calculated: u64,
    /// How many deals the run itself had to work out; 0 when everything was worked out as it came in.
    #[schema(example = 0)]
    changed: u64,
    /// Of those that are due: nobody has told the balance.
    #[schema(example = 12)]
    missing: u64,
    /// Deals that were discharged by the end of the month.
    #[schema(example = 31)]
    stopped: u64,
    /// Why it did not come to its end.
    failure: Option<FailureView>,
    /// When it was asked for.
    #[schema(example = "2026-11-25T02:00:00Z")]
    created_at: String,
    /// When it ended.
    #[schema(example = "2026-11-25T02:00:02Z")]
    finished_at: Option<String>,
}

impl From<TrailRun> for TrailRunView {
    fn from(run: TrailRun) -> Self {
        Self {
            id: run.id.to_string(),
            month: month(run.month),
            vertical: run.vertical.to_string(),
            agreement_id: run.agreement.as_ref().map(AgreementId::to_string),
            status: run.state.as_str(),
            due: run.tally.due,
            calculated: run.tally.calculated,
            changed: run.tally.changed,
            missing: run.tally.missing,
            stopped: run.tally.stopped,
            failure: run.fault.map(|fault| FailureView { code: fault.code, detail: fault.detail }),
            created_at: run.created_at.to_string(),
            finished_at: run.finished_at.map(|at| at.to_string()),
        }
    }
}

/// A deal whose balance a run has missed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MissingBalance)]
pub struct MissingBalanceView {
    /// The deal.
    #[schema(example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    deal_id: String,
    /// What its source calls it.
    #[schema(example = "LN-69-000844")]
    external_ref: Option<String>,
    /// Who sold, and should tell the balance.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    provider_id: String,
    /// Whose member referred.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6e0")]
    introducer_id: String,
    /// The last month before that whose balance is known; null when none ever was.
    #[schema(example = "2026-06")]
    last_known: Option<String>,
    /// Whether the balance has come in since.
    #[schema(example = false)]
    known_now: bool,
}

impl From<MissingBalance> for MissingBalanceView {
    fn from(missing: MissingBalance) -> Self {
        Self {
            deal_id: missing.deal.to_string(),
            external_ref: missing.external_ref,
            provider_id: missing.provider.to_string(),
            introducer_id: missing.introducer.to_string(),
            last_known: missing.last_known.map(month),
            known_now: missing.known_now,
        }
    }
}
