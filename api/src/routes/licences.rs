//! Licences of organisations.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::directory::licence::{self, CreateLicence, Jurisdiction, LicenceFilter, LicenceKind};
use domain::env::Env;
use domain::kernel::ids::OrganisationId;
use domain::store::UnitOfWork;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::query::filter;
use crate::extract::{Command, Id, List};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::licences::{CreateLicenceRequest, LicenceQuery, LicenceView};

/// List the licences of an organisation
///
/// What counts of each licence, in the order in which it was recorded.
#[utoipa::path(operation_id = "list_licences", tag = "directory", security(("oauth2" = ["directory:read"])), params(("id" = String, Path, description = "The organisation", example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<LicenceQuery>), responses((status = 200, description = "A page of licences", body = PageView<LicenceView>)))]
#[get("/organisations/{id}/licences")]
async fn list_licences(
    app: Data<App>,
    list: List<LicenceQuery>,
    Id(id): Id<OrganisationId>,
) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    let day = |text: &str| text.parse().map_err(|_| "expected a date, YYYY-MM-DD");
    let filter = LicenceFilter {
        kind: filter("kind", query.kind.as_deref(), LicenceKind::parse)?,
        jurisdiction: filter("jurisdiction", query.jurisdiction.as_deref(), Jurisdiction::parse)?,
        valid_on: filter("valid_on", query.valid_on.as_deref(), day)?,
    };
    let page = read(&app, &caller, move |queries| match queries.directory().find_organisation(id)? {
        Some(_) => queries.licences().list_licences(id, &filter, &page).map(Some),
        None => Ok(None),
    })
    .await?;
    Answer::page(page.ok_or_else(Problem::not_found)?, &cursors, LicenceView::from)
}

/// Record a licence of an organisation
///
/// As the operator has seen it: a licence decides who may earn, so whom it is for does not record it. A licence that ends
/// otherwise than was known is recorded again, with the same first day; what was recorded last counts.
#[utoipa::path(operation_id = "create_licence", tag = "directory", security(("oauth2" = ["organisations:write"])), params(("id" = String, Path, description = "The organisation", example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = CreateLicenceRequest, responses((status = 201, description = "The licence", body = LicenceView)))]
#[post("/organisations/{id}/licences")]
async fn create_licence(
    app: Data<App>,
    Id(organisation): Id<OrganisationId>,
    command: Command<CreateLicenceRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| CreateLicence::parse(&raw.into()))?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &CreateLicence| {
        licence::create(uow, env, organisation, command)
    };
    once(&app, command, work, move |made| {
        let id = made.id;
        let location = format!("/v1/organisations/{organisation}/licences");
        Ok(Answer::created(location, id.uuid(), &LicenceView::from(made))?.naming(&id))
    })
    .await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(list_licences).service(create_licence);
}
