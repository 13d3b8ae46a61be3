//! Jobs: how far they are, and stopping them.

use actix_web::web::Data;
use actix_web::{delete, get};
use domain::access::audit::Fields;
use domain::jobs::repository::JobFilter;
use domain::jobs::{self, CancelJobError, JobKind, JobState};
use domain::kernel::ids::JobId;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking, read};
use crate::extract::{Caller, Filter, Id, cursor, query};
use crate::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::jobs::{JobQuery, JobView};

/// List jobs
///
/// Newest first.
#[utoipa::path(operation_id = "list_jobs", tag = "operations", security(("oauth2" = ["jobs:read"])), params(JobQuery), responses((status = 200, description = "A page of jobs", body = PageView<JobView>)))]
#[get("/jobs")]
async fn list_jobs(app: Data<App>, caller: Caller, Filter(asked): Filter<JobQuery>) -> Result<Answer, Problem> {
    let page = cursor::page_request(asked.limit, asked.cursor.as_deref())?;
    let filter = JobFilter {
        state: query::filter("status", asked.status.as_deref(), |text| JobState::parse(text).ok_or("no such status"))?,
        kind: query::filter("kind", asked.kind.as_deref(), |text| JobKind::parse(text).ok_or("no such kind"))?,
    };
    let page = read(&app, &caller, move |queries| queries.jobs().list(&filter, &page)).await?;
    Answer::page(page, JobView::from)
}

/// Get a job
///
/// Its progress, and where the result is once it has succeeded.
#[utoipa::path(operation_id = "get_job", tag = "operations", security(("oauth2" = ["jobs:read"])), params(("id" = String, Path, description = "The job", example = "job_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The job", body = JobView)))]
#[get("/jobs/{id}")]
async fn get_job(app: Data<App>, caller: Caller, Id(id): Id<JobId>) -> Result<Answer, Problem> {
    let job = read(&app, &caller, move |queries| queries.jobs().find(id)).await?;
    Answer::ok(&JobView::from(job.ok_or_else(Problem::not_found)?))
}

/// Cancel a job
///
/// A waiting job never starts, a running one stops before its next batch; what it committed stays. A job changes
/// by itself while it runs, so no `If-Match` is asked for. One that has ended answers 409.
#[utoipa::path(operation_id = "cancel_job", tag = "operations", security(("oauth2" = ["deals:write"])), params(("id" = String, Path, description = "The job", example = "job_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The job, cancelled", body = JobView), (status = 409, description = "It has ended", body = crate::problem::ProblemView, content_type = "application/problem+json")))]
#[delete("/jobs/{id}")]
async fn cancel_job(app: Data<App>, caller: Caller, Id(id): Id<JobId>) -> Result<Answer, Problem> {
    blocking(move || {
        app.store.transaction(|uow| {
            let env = app.env(&caller.actor);
            let job = jobs::cancel(uow, &env, id)?;
            let answer = Answer::ok(&JobView::from(job)).map(|answer| answer.about(id.uuid()));
            if let Ok(answer) = &answer {
                let now: Fields = [("status".to_owned(), JobState::Cancelled.as_str().into())].into_iter().collect();
                uow.audit().append(&once::audit_record(&env, &caller, &now, answer))?;
            }
            Ok::<_, CancelJobError>(answer)
        })
    })
    .await??
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(list_jobs).service(get_job).service(cancel_job);
}
