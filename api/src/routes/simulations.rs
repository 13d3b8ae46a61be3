//! Simulations: what would have been paid under other agreements.

use actix_web::web::Data;
use actix_web::{delete, get, post};
use domain::access::audit::Fields;
use domain::kernel::Page;
use domain::kernel::ids::SimulationId;
use domain::simulation::asked::CreateSimulation;
use domain::simulation::repository::RankedChange;
use domain::simulation::service::{self, SimulateError};
use domain::simulation::{ACTIVE, Explained, Simulation, SimulationError, SimulationReport, explain};
use serde_json::json;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking, read};
use crate::extract::{Caller, Command, Id, List, Unfiltered, query};
use crate::once::{self, once};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::jobs::JobView;
use crate::views::simulations::{ChangeQuery, ChangeView, CreateSimulationRequest, SimulationView};

/// List simulations
///
/// Newest first.
#[utoipa::path(operation_id = "list_simulations", tag = "agreements", security(("oauth2" = ["simulations:read"])), params(List<Unfiltered>), responses((status = 200, description = "A page of simulations", body = PageView<SimulationView>)))]
#[get("/simulations")]
async fn list_simulations(app: Data<App>, list: List<Unfiltered>) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let found = read(&app, &caller, move |queries| queries.simulations().list(&page)).await?;
    let views = found.data.into_iter().map(SimulationView::try_from).collect::<Result<Vec<_>, _>>()?;
    Answer::page(Page { data: views, next: found.next }, &cursors, |view| view)
}

/// Simulate agreements
///
/// Works out every deal as things are and by each candidate, which governs all deals of its vertical as if it always had. A job does
/// it; the report is there once it has succeeded. The same deals, candidates, shocks and seed give the same report.
#[utoipa::path(operation_id = "create_simulation", tag = "agreements", security(("oauth2" = ["simulations:run"])), request_body = CreateSimulationRequest, responses((status = 202, description = "The job that does it; its result is the report", body = JobView)))]
#[post("/simulations")]
async fn create_simulation(app: Data<App>, command: Command<CreateSimulationRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| CreateSimulation::parse(&raw.into()))?;
    let answer = once(&app, command, service::create, |(id, job)| {
        let answer = Answer::accepted(format!("/v1/simulations/{id}"), id.uuid(), &JobView::from(job))?;
        Ok(answer.naming(&id))
    })
    .await?;
    app.work.ring();
    Ok(answer)
}

/// Get a simulation
///
/// What was asked, and how far it is.
#[utoipa::path(operation_id = "get_simulation", tag = "agreements", security(("oauth2" = ["simulations:read"])), params(("id" = String, Path, description = "The simulation", example = "simulation_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The simulation", body = SimulationView)))]
#[get("/simulations/{id}")]
async fn get_simulation(app: Data<App>, caller: Caller, Id(id): Id<SimulationId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.simulations().find(id)).await?;
    Answer::ok(&SimulationView::try_from(found.ok_or_else(Problem::not_found)?)?)
}

/// Get the report of a simulation
///
/// Totals by vertical, cohort and participant, winners and losers, percentiles, cash by month. 409 until the simulation has
/// succeeded. Amounts are whole minor units of AUD.
#[utoipa::path(operation_id = "get_simulation_report", tag = "agreements", security(("oauth2" = ["simulations:read"])), params(("id" = String, Path, description = "The simulation", example = "simulation_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The report", body = SimulationReport), (status = 409, description = "There is no report yet", body = crate::problem::ProblemView, content_type = "application/problem+json")))]
#[get("/simulations/{id}/report")]
async fn get_simulation_report(app: Data<App>, caller: Caller, Id(id): Id<SimulationId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| {
        let report = queries.simulations().find_report(id)?;
        Ok((report, queries.simulations().find(id)?))
    });
    match found.await? {
        (Some(report), _) => Ok(Answer::bytes("application/json", report)),
        (None, Some(_)) => Err(SimulateError::NoReport.into()),
        (None, None) => Err(Problem::not_found()),
    }
}

/// List the deals that a simulation changes
///
/// Those that change most for participants, at most 10,000, that one first; kept for 90 days. With `traces=true` each is worked
/// out again in every scenario, with every step. A synthetic flow has none: its deals are made up.
#[utoipa::path(operation_id = "list_simulation_changes", tag = "agreements", security(("oauth2" = ["simulations:read"])), params(("id" = String, Path, description = "The simulation", example = "simulation_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<ChangeQuery>), responses((status = 200, description = "A page of changed deals", body = PageView<ChangeView>)))]
#[get("/simulations/{id}/changes")]
async fn list_simulation_changes(
    app: Data<App>,
    Id(id): Id<SimulationId>,
    list: List<ChangeQuery>,
) -> Result<Answer, Problem> {
    let List { caller, query: asked, page, cursors } = list;
    let traces = query::filter("traces", asked.traces.as_deref(), |text| match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("expected true or false"),
    })?;
    let found = read(&app, &caller, move |queries| {
        let Some(simulation) = queries.simulations().find(id)? else { return Ok(None) };
        Ok(Some((simulation, queries.simulations().list_changes(id, &page)?)))
    });
    let (simulation, changes) = found.await?.ok_or_else(Problem::not_found)?;
    let asked = simulation.simulation.asked;
    let views =
        blocking(move || views(&app, &caller, &asked, &changes.data, traces == Some(true)).map(|v| (v, changes.next)));
    let (data, next) = views.await??;
    Answer::page(Page { data, next }, &cursors, |view| view)
}

/// The changes of a page, each worked out again where that is asked for.
fn views(
    app: &App,
    caller: &Caller,
    asked: &[u8],
    changes: &[RankedChange],
    traces: bool,
) -> Result<Vec<ChangeView>, Problem> {
    if !traces || changes.is_empty() {
        return Ok(changes.iter().map(|ranked| ChangeView::new(ranked, &[], None)).collect());
    }
    let failed = |error: SimulationError| match error {
        SimulationError::Store(error) => error.into(),
        other => Problem::internal(&other),
    };
    let simulation: Simulation = service::restored(app.store.as_ref(), asked, 1).map_err(failed)?;
    let candidates = simulation.scenarios.candidates().iter().map(|candidate| candidate.name.clone());
    let names: Vec<String> = std::iter::once(ACTIVE.to_owned()).chain(candidates).collect();
    let deals: Vec<_> = changes.iter().map(|ranked| ranked.change.deal).collect();
    let chunk = app.store.read(&caller.viewer(), |queries| queries.simulations().find_deals(&deals))?;
    let view = |ranked: &RankedChange| {
        let explained: Option<Vec<Explained>> = explain(&simulation, &chunk, &ranked.change).map_err(failed)?;
        Ok(ChangeView::new(ranked, &names, explained.as_deref()))
    };
    changes.iter().map(view).collect()
}

/// Cancel a simulation
///
/// One that waits never starts, one that runs stops before its next chunk of deals; nothing is kept of what it came to. One
/// that has ended answers 409.
#[utoipa::path(operation_id = "cancel_simulation", tag = "agreements", security(("oauth2" = ["simulations:run"])), params(("id" = String, Path, description = "The simulation", example = "simulation_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The job, cancelled", body = JobView), (status = 409, description = "It has ended", body = crate::problem::ProblemView, content_type = "application/problem+json")))]
#[delete("/simulations/{id}")]
async fn cancel_simulation(app: Data<App>, caller: Caller, Id(id): Id<SimulationId>) -> Result<Answer, Problem> {
    blocking(move || {
        app.store.transaction(|uow| {
            let env = app.env(&caller.actor);
            let job = service::cancel(uow, &env, id)?;
            let status = |job: &domain::jobs::Job| json!({"status": job.state.as_str()});
            let (before, after) = (status(&job.before), status(&job.after));
            let answer = Answer::ok(&JobView::from(job.after)).map(|answer| answer.about(id.uuid()));
            let answer = answer.and_then(|answer| answer.altering(&before, &after));
            if let Ok(answer) = &answer {
                uow.audit().append(&once::audit_record(&env, &caller, &Fields::new(), answer))?;
            }
            Ok::<_, SimulateError>(answer)
        })
    })
    .await??
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_simulations)
        .service(create_simulation)
        .service(get_simulation_report)
        .service(list_simulation_changes)
        .service(get_simulation)
        .service(cancel_simulation);
}
