//! Jobs: how far they are, following and stopping them.

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, delete, get};
use domain::access::audit::Fields;
use domain::jobs::repository::JobFilter;
use domain::jobs::{self, CancelJobError, Job, JobKind, JobState};
use domain::kernel::ids::JobId;
use serde_json::json;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking, read};
use crate::extract::{Caller, Id, List, query};
use crate::once;
use crate::problem::Problem;
use crate::sse::{self, Frame, Next, Source};
use crate::views::PageView;
use crate::views::jobs::{JobQuery, JobView};

/// How often a job that somebody follows is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// List jobs
///
/// Newest first.
#[utoipa::path(operation_id = "list_jobs", tag = "operations", security(("oauth2" = ["jobs:read"])), params(List<JobQuery>), responses((status = 200, description = "A page of jobs", body = PageView<JobView>)))]
#[get("/jobs")]
async fn list_jobs(app: Data<App>, list: List<JobQuery>) -> Result<Answer, Problem> {
    let List { caller, query: asked, page, cursors } = list;
    let filter = JobFilter {
        state: query::filter("status", asked.status.as_deref(), |text| JobState::parse(text).ok_or("no such status"))?,
        kind: query::filter("kind", asked.kind.as_deref(), |text| JobKind::parse(text).ok_or("no such kind"))?,
    };
    let page = read(&app, &caller, move |queries| queries.jobs().list(&filter, &page)).await?;
    Answer::page(page, &cursors, JobView::from)
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

/// Follow a job
///
/// Server-sent events: the job as it is now, then each time that it has got on (`job.progress`), and once more when it has
/// ended (`job.ended`), which ends the stream. Says something every 15 seconds; ends when the token expires: connect again.
#[utoipa::path(operation_id = "stream_job", tag = "operations", security(("oauth2" = ["jobs:read"])), params(("id" = String, Path, description = "The job", example = "job_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("Last-Event-ID" = Option<u64>, Header, description = "The last `id` that was dealt with", example = 2401)), responses((status = 200, description = "Progress until the job has ended", body = String, content_type = "text/event-stream", example = "id: 2401\nevent: job.progress\ndata: {\"id\":\"job_01k0w4q7v8e2rtf3k2m9x5c6dz\",\"status\":\"running\"}\n\n")))]
#[get("/jobs/{id}/events")]
async fn stream_job(
    app: Data<App>,
    caller: Caller,
    Id(id): Id<JobId>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let last = request.headers().get("last-event-id").map(|h| h.to_str().ok().and_then(|text| text.parse().ok()));
    if last == Some(None) {
        return Err(Problem::malformed_at("#Last-Event-ID", "invalid_header", "the `id` of a message"));
    }
    let life = caller.life(&app);
    let following = Following { app: app.clone(), caller, job: id, seen: last.flatten(), wait: false };
    // What is not there, or not theirs, is told before the stream begins.
    following.look().await?;
    Ok(sse::respond(following, life))
}

/// Somebody who follows a job.
struct Following {
    app: Data<App>,
    caller: Caller,
    job: JobId,
    /// The mark of what was sent last.
    seen: Option<u64>,
    wait: bool,
}

impl Following {
    async fn look(&self) -> Result<Job, Problem> {
        let id = self.job;
        let found = read(&self.app, &self.caller, move |queries| queries.jobs().find(id)).await?;
        found.ok_or_else(Problem::not_found)
    }
}

/// Where a job stands, as one number that rises as it gets on.
const fn mark(job: &Job) -> u64 {
    let step = match job.state {
        JobState::Queued => 0,
        JobState::Running => 1,
        JobState::Succeeded | JobState::Failed | JobState::Cancelled => 2,
    };
    job.progress.done.saturating_mul(4).saturating_add(step)
}

impl Source for Following {
    async fn next(&mut self) -> Result<Next, Problem> {
        if self.wait {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.wait = true;
        let job = self.look().await?;
        let (mark, ended) = (mark(&job), job.state.is_ended());
        let new = self.seen != Some(mark);
        self.seen = Some(mark);
        let event = if ended { "job.ended" } else { "job.progress" };
        let data = serde_json::to_vec(&JobView::from(job)).map_err(|error| Problem::internal(&error))?;
        let frames = if new { vec![Frame { id: mark, event, data: data.into() }] } else { Vec::new() };
        Ok(if ended { Next::Last(frames) } else { Next::Frames(frames) })
    }
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
            let status = |job: &Job| json!({"status": job.state.as_str()});
            let (before, after) = (status(&job.before), status(&job.after));
            let answer = Answer::ok(&JobView::from(job.after)).map(|answer| answer.about(id.uuid()));
            let answer = answer.and_then(|answer| answer.altering(&before, &after));
            if let Ok(answer) = &answer {
                uow.audit().append(&once::audit_record(&env, &caller, &Fields::new(), answer))?;
            }
            Ok::<_, CancelJobError>(answer)
        })
    })
    .await??
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(list_jobs).service(stream_job).service(get_job).service(cancel_job);
}
