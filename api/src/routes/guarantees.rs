//! The guarantees and their runs.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::env::Env;
use domain::guarantees::report::Report;
use domain::guarantees::repository::KeptRun;
use domain::guarantees::run::{self, GuaranteeError};
use domain::kernel::PageRequest;
use domain::kernel::ids::GuaranteeRunId;
use domain::store::UnitOfWork;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking};
use crate::extract::{Caller, Command, Empty, Id, List, Unfiltered};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::guarantees::{GuaranteeRunSummaryView, GuaranteeRunView, GuaranteesView};

/// List the guarantees
///
/// What the platform promises, and how each promise stood when it was last checked.
#[utoipa::path(operation_id = "list_guarantees", tag = "guarantees", security(("oauth2" = ["guarantees:read"])), responses((status = 200, description = "The guarantees", body = GuaranteesView)))]
#[get("/guarantees")]
async fn list_guarantees(app: Data<App>, caller: Caller) -> Result<Answer, Problem> {
    let newest = PageRequest::of(1);
    let runs = blocking(move || run::list(app.store.as_ref(), &caller.actor, &newest)).await??;
    Answer::ok(&GuaranteesView::new(runs.data.into_iter().next())?)
}

/// List runs of the guarantees
///
/// Newest first.
#[utoipa::path(operation_id = "list_guarantee_runs", tag = "guarantees", security(("oauth2" = ["guarantees:read"])), params(List<Unfiltered>), responses((status = 200, description = "A page of runs", body = PageView<GuaranteeRunSummaryView>)))]
#[get("/guarantee-runs")]
async fn list_guarantee_runs(app: Data<App>, list: List<Unfiltered>) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let runs = blocking(move || run::list(app.store.as_ref(), &caller.actor, &page)).await??;
    Answer::page(runs, &cursors, GuaranteeRunSummaryView::from)
}

/// Get a run of the guarantees
///
/// With the report as it was signed.
#[utoipa::path(operation_id = "get_guarantee_run", tag = "guarantees", security(("oauth2" = ["guarantees:read"])), params(("id" = String, Path, description = "The run", example = "grun_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The run", body = GuaranteeRunView)))]
#[get("/guarantee-runs/{id}")]
async fn get_guarantee_run(app: Data<App>, caller: Caller, Id(id): Id<GuaranteeRunId>) -> Result<Answer, Problem> {
    let kept = blocking(move || run::find(app.store.as_ref(), &caller.actor, id)).await??;
    Answer::ok(&GuaranteeRunView::try_from(kept)?)
}

/// Run the guarantees
///
/// Checks every promise over all live data, at one moment; then signs, logs and keeps the report. A broken promise is no
/// error: the run says so. It takes about a second for two thousand deals.
#[utoipa::path(operation_id = "create_guarantee_run", tag = "guarantees", security(("oauth2" = ["guarantees:run"])), responses((status = 201, description = "The run", body = GuaranteeRunView)))]
#[post("/guarantee-runs")]
async fn create_guarantee_run(app: Data<App>, command: Command<Empty>) -> Result<Answer, Problem> {
    let trust = app.trust().map_err(|error| Problem::internal(&error))?;
    // Outside of the transaction that keeps the report: looking at everything takes its time.
    let (examined, actor) = (app.clone(), command.caller.actor.clone());
    let report = blocking(move || {
        let label = run::label(&examined.env(&actor))?;
        Ok::<Report, GuaranteeError>(run::examine(examined.store.as_ref(), &trust, &label, &mut |_| ())?)
    });
    let report = report.await??;
    let command = command.parse(|_| Ok::<_, Problem>(report))?;
    let work = |uow: &mut dyn UnitOfWork, env: &Env<'_>, report: &Report| run::keep(uow, env, report);
    once(&app, command, work, |kept: KeptRun| {
        let id = kept.id;
        Answer::created(format!("/v1/guarantee-runs/{id}"), id.uuid(), &GuaranteeRunView::try_from(kept)?)
    })
    .await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_guarantees)
        .service(list_guarantee_runs)
        .service(create_guarantee_run)
        .service(get_guarantee_run);
}
