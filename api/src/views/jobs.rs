//! Jobs, as they go out.

use domain::jobs::Job;
use domain::kernel::Instant;
use domain::kernel::ids::OrganisationId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::extract::ListQuery;

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct JobQuery {
    /// `queued`, `running`, `succeeded`, `failed`, `cancelled`.
    #[param(example = "running")]
    pub status: Option<String>,
    /// `deal_import`, `trail_run`, `simulation`, `provider_statement`.
    #[param(example = "deal_import")]
    pub kind: Option<String>,
}

impl ListQuery for JobQuery {}

/// How far a job is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JobProgress)]
pub struct ProgressView {
    /// Done: deals; runs, for a simulation of made-up deals.
    #[schema(example = 600)]
    done: u64,
    /// In all, once it is known.
    #[schema(example = 1200)]
    total: Option<u64>,
}

impl From<domain::jobs::Progress> for ProgressView {
    fn from(progress: domain::jobs::Progress) -> Self {
        Self { done: progress.done, total: progress.total }
    }
}

/// Why something failed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Failure)]
pub struct FailureView {
    /// Stable and machine-readable.
    #[schema(example = "wrong_header")]
    pub code: String,
    /// For a person.
    #[schema(example = "the first line must be external_ref,member_ref,…")]
    pub detail: String,
}

/// Long work.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Job)]
pub struct JobView {
    /// Its id.
    #[schema(example = "job_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// What is done: `deal_import`, `trail_run`, `simulation`, `provider_statement`.
    #[schema(example = "deal_import")]
    kind: &'static str,
    /// `queued`, `running`, `succeeded`, `failed`, `cancelled`.
    #[schema(example = "running")]
    status: &'static str,
    /// How far it is.
    progress: ProgressView,
    /// Where the result is, once there is one.
    #[schema(example = "/v1/deals/imports/import_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    result: Option<String>,
    /// Why it failed.
    failure: Option<FailureView>,
    /// How often a worker took it: more than 1 after a crash.
    #[schema(example = 1)]
    attempts: i32,
    /// For whom.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    organisation_id: Option<String>,
    /// Since when it waits.
    #[schema(example = "2026-11-25T02:00:00Z")]
    created_at: String,
    /// When it ended.
    #[schema(example = "2026-11-25T02:00:02Z")]
    finished_at: Option<String>,
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        Self {
            id: job.id.to_string(),
            kind: job.kind.as_str(),
            status: job.state.as_str(),
            progress: job.progress.into(),
            result: job.result_path,
            failure: job.fault.map(|fault| FailureView { code: fault.code, detail: fault.detail }),
            attempts: job.attempts,
            organisation_id: job.organisation.as_ref().map(OrganisationId::to_string),
            created_at: job.created_at.to_string(),
            finished_at: job.finished_at.as_ref().map(Instant::to_string),
        }
    }
}
