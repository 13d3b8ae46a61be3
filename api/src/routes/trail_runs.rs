//! Runs over the trails of a month.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::deals::trail_run::TrailRunState;
use domain::deals::trail_run::begin::{self, BeginTrailRun};
use domain::kernel::ids::TrailRunId;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Caller, Command, Id, List, Unfiltered, query};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::jobs::JobView;
use crate::views::trail_runs::{CreateTrailRunRequest, MissingBalanceView, TrailRunQuery, TrailRunView};

/// Run over the trails of a month
///
/// Goes through every deal with a trail: is its balance known, and its commission worked out? Balances are worked out as they come
/// in, so a run changes nothing that is complete, and a second one changes nothing at all. Its job's result is the run.
#[utoipa::path(operation_id = "create_trail_run", tag = "payouts", security(("oauth2" = ["payouts:write"])), request_body = CreateTrailRunRequest, responses((status = 202, description = "The job that runs", body = JobView)))]
#[post("/trail-runs")]
async fn create_trail_run(app: Data<App>, command: Command<CreateTrailRunRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| BeginTrailRun::parse(&raw.into()))?;
    let answer = once(&app, command, begin::begin, |(run, job)| {
        let answer = Answer::accepted(format!("/v1/jobs/{}", job.id), run.id.uuid(), &JobView::from(job))?;
        Ok(answer.naming(&run.id))
    })
    .await?;
    app.work.ring();
    Ok(answer)
}

/// List trail runs
///
/// Newest first.
#[utoipa::path(operation_id = "list_trail_runs", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(List<TrailRunQuery>), responses((status = 200, description = "A page of runs", body = PageView<TrailRunView>)))]
#[get("/trail-runs")]
async fn list_trail_runs(app: Data<App>, list: List<TrailRunQuery>) -> Result<Answer, Problem> {
    let List { caller, query: asked, page, cursors } = list;
    let state = |text: &str| TrailRunState::parse(text).ok_or("no such status");
    let state = query::filter("status", asked.status.as_deref(), state)?;
    let page = read(&app, &caller, move |queries| queries.trail_runs().list(state, &page)).await?;
    Answer::page(page, &cursors, TrailRunView::from)
}

/// Get a trail run
///
/// How far it is, and how many deals are due, worked out, missing a balance, or discharged.
#[utoipa::path(operation_id = "get_trail_run", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The run", example = "trailrun_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The run", body = TrailRunView)))]
#[get("/trail-runs/{id}")]
async fn get_trail_run(app: Data<App>, caller: Caller, Id(id): Id<TrailRunId>) -> Result<Answer, Problem> {
    let run = read(&app, &caller, move |queries| queries.trail_runs().find(id)).await?;
    Answer::ok(&TrailRunView::from(run.ok_or_else(Problem::not_found)?))
}

/// List the balances that a trail run has missed
///
/// By deal; with the last balance that is known, and whether the missing one has come in since.
#[utoipa::path(operation_id = "list_missing_balances", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The run", example = "trailrun_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<Unfiltered>), responses((status = 200, description = "A page of deals", body = PageView<MissingBalanceView>)))]
#[get("/trail-runs/{id}/missing")]
async fn list_missing_balances(
    app: Data<App>,
    list: List<Unfiltered>,
    Id(id): Id<TrailRunId>,
) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let page = read(&app, &caller, move |queries| {
        let queries = queries.trail_runs();
        let known = queries.find(id)?.is_some();
        known.then(|| queries.list_missing(id, &page)).transpose()
    })
    .await?;
    Answer::page(page.ok_or_else(Problem::not_found)?, &cursors, MissingBalanceView::from)
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(create_trail_run).service(list_trail_runs).service(list_missing_balances).service(get_trail_run);
}
