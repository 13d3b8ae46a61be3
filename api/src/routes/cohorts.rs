//! Cohorts of members.

use actix_web::web::Data;
use actix_web::{get, patch, post};
use domain::directory::cohort::{self, Cohort, CreateCohort, UpdateCohort};
use domain::kernel::ids::{CohortId, OrganisationId};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::query::filter;
use crate::extract::{Caller, Change, Command, Id, List};
use crate::once::{change, once};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::cohorts::{CohortQuery, CohortView, CreateCohortRequest, UpdateCohortRequest};

fn answer(cohort: Cohort) -> Result<Answer, Problem> {
    let version = cohort.version;
    Ok(Answer::ok(&CohortView::from(cohort))?.with_version(version))
}

/// List cohorts
///
/// In the order of their creation.
#[utoipa::path(operation_id = "list_cohorts", tag = "directory", security(("oauth2" = ["directory:read"])), params(List<CohortQuery>), responses((status = 200, description = "A page of cohorts", body = PageView<CohortView>)))]
#[get("/cohorts")]
async fn list_cohorts(app: Data<App>, list: List<CohortQuery>) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    let organisation = filter("organisation_id", query.organisation_id.as_deref(), OrganisationId::parse)?;
    let page = read(&app, &caller, move |queries| queries.cohorts().list_cohorts(organisation, &page)).await?;
    Answer::page(page, &cursors, CohortView::from)
}

/// Create a cohort
///
/// Members of the organisation and agreements name it by its code.
#[utoipa::path(operation_id = "create_cohort", tag = "directory", security(("oauth2" = ["directory:write"])), request_body = CreateCohortRequest, responses((status = 201, description = "The cohort", body = CohortView)))]
#[post("/cohorts")]
async fn create_cohort(app: Data<App>, command: Command<CreateCohortRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| CreateCohort::parse(&raw.into()))?;
    once(&app, command, cohort::create, |made| {
        let (id, version) = (made.id, made.version);
        Ok(Answer::created(format!("/v1/cohorts/{id}"), id.uuid(), &CohortView::from(made))?.with_version(version))
    })
    .await
}

/// Get a cohort
///
/// Its code and its name; its members are listed with `GET /v1/members?cohort=`.
#[utoipa::path(operation_id = "get_cohort", tag = "directory", security(("oauth2" = ["directory:read"])), params(("id" = String, Path, description = "The cohort", example = "cohort_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The cohort", body = CohortView)))]
#[get("/cohorts/{id}")]
async fn get_cohort(app: Data<App>, caller: Caller, Id(id): Id<CohortId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.cohorts().find_cohort(id)).await?;
    answer(found.ok_or_else(Problem::not_found)?)
}

/// Change a cohort
///
/// Its name. Its code stands in members and agreements and stays.
#[utoipa::path(operation_id = "update_cohort", tag = "directory", security(("oauth2" = ["directory:write"])), params(("id" = String, Path, description = "The cohort", example = "cohort_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = UpdateCohortRequest, responses((status = 200, description = "The cohort", body = CohortView)))]
#[patch("/cohorts/{id}")]
async fn update_cohort(
    app: Data<App>,
    Id(id): Id<CohortId>,
    body: Change<UpdateCohortRequest>,
) -> Result<Answer, Problem> {
    let body = body.parse(|raw| UpdateCohort::parse(&raw.name))?;
    change(
        &app,
        body,
        move |uow, env, change| cohort::update(uow, env, id, change.if_match, &change.body),
        move |altered| {
            let (before, after) = (CohortView::from(altered.before), CohortView::from(altered.after.clone()));
            answer(altered.after)?.about(id.uuid()).altering(&before, &after)
        },
    )
    .await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(list_cohorts).service(create_cohort).service(get_cohort).service(update_cohort);
}
