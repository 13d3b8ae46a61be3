//! Organisations and contacts.

use actix_web::web::Data;
use actix_web::{get, patch, post};
use domain::directory::contact::CreateContactOf;
use domain::directory::record::{ContactFilter, OrganisationFilter};
use domain::directory::update::{UpdateContact, UpdateOrganisation};
use domain::directory::{
    ContactKind, ContactRecord, CreateOrganisation, OrganisationKind, OrganisationRecord, OrganisationStatus, service,
};
use domain::kernel::ids::{ContactId, OrganisationId};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, ended_tokens, read};
use crate::extract::query::filter;
use crate::extract::{Caller, Change, Command, Id, List};
use crate::once::{change, once};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::directory::{ContactView, OrganisationView};
use crate::views::directory_requests::{
    ContactQuery, CreateContactRequest, CreateOrganisationRequest, OrganisationQuery, UpdateContactRequest,
    UpdateOrganisationRequest,
};

fn organisation(record: OrganisationRecord) -> Result<Answer, Problem> {
    let version = record.version;
    Ok(Answer::ok(&OrganisationView::from(record))?.with_version(version))
}

/// List organisations
///
/// In the order of their creation. A partner sees its own.
#[utoipa::path(operation_id = "list_organisations", tag = "directory", security(("oauth2" = ["directory:read"])), params(List<OrganisationQuery>), responses((status = 200, description = "A page of organisations", body = PageView<OrganisationView>)))]
#[get("/organisations")]
async fn list_organisations(app: Data<App>, list: List<OrganisationQuery>) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    let filter = OrganisationFilter {
        kind: filter("kind", query.kind.as_deref(), OrganisationKind::parse)?,
        status: filter("status", query.status.as_deref(), OrganisationStatus::parse)?,
    };
    let page = read(&app, &caller, move |queries| queries.directory().list_organisations(&filter, &page)).await?;
    Answer::page(page, &cursors, OrganisationView::from)
}

/// Create an organisation
///
/// A provider, an introducer, or the one operator.
#[utoipa::path(operation_id = "create_organisation", tag = "directory", security(("oauth2" = ["organisations:write"])), request_body = CreateOrganisationRequest, responses((status = 201, description = "The organisation", body = OrganisationView)))]
#[post("/organisations")]
async fn create_organisation(app: Data<App>, command: Command<CreateOrganisationRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| CreateOrganisation::parse(&raw.into()))?;
    once(&app, command, service::create_organisation, |record| {
        let (id, version) = (record.organisation.id, record.version);
        let location = format!("/v1/organisations/{id}");
        Ok(Answer::created(location, id.uuid(), &OrganisationView::from(record))?.with_version(version))
    })
    .await
}

/// Get an organisation
///
/// One that you act for, or any as staff of the operator.
#[utoipa::path(operation_id = "get_organisation", tag = "directory", security(("oauth2" = ["directory:read"])), params(("id" = String, Path, description = "The organisation", example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The organisation", body = OrganisationView)))]
#[get("/organisations/{id}")]
async fn get_organisation(app: Data<App>, caller: Caller, Id(id): Id<OrganisationId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.directory().find_organisation(id)).await?;
    organisation(found.ok_or_else(Problem::not_found)?)
}

/// Change an organisation
///
/// Its name, its ABN, whether it does new business. Absent fields stay.
#[utoipa::path(operation_id = "update_organisation", tag = "directory", security(("oauth2" = ["organisations:write"])), params(("id" = String, Path, description = "The organisation", example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = UpdateOrganisationRequest, responses((status = 200, description = "The organisation", body = OrganisationView)))]
#[patch("/organisations/{id}")]
async fn update_organisation(
    app: Data<App>,
    Id(id): Id<OrganisationId>,
    body: Change<UpdateOrganisationRequest>,
) -> Result<Answer, Problem> {
    let body = body.parse(|raw| UpdateOrganisation::parse(&raw.into()))?;
    let answer = change(
        &app,
        body,
        move |uow, env, change| service::update_organisation(uow, env, id, change.if_match, &change.body),
        move |altered| {
            let (before, after) =
                (OrganisationView::from(altered.before), OrganisationView::from(altered.after.clone()));
            organisation(altered.after)?.about(id.uuid()).altering(&before, &after)
        },
    )
    .await?;
    // One that is suspended ends the tokens of its users and clients.
    ended_tokens(&app).await;
    Ok(answer)
}

fn contact(record: ContactRecord) -> Result<Answer, Problem> {
    let version = record.version;
    Ok(Answer::ok(&ContactView::from(record))?.with_version(version))
}

/// List contacts
///
/// In the order of their creation.
#[utoipa::path(operation_id = "list_contacts", tag = "directory", security(("oauth2" = ["directory:read"])), params(List<ContactQuery>), responses((status = 200, description = "A page of contacts", body = PageView<ContactView>)))]
#[get("/contacts")]
async fn list_contacts(app: Data<App>, list: List<ContactQuery>) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    let filter = ContactFilter {
        organisation: filter("organisation_id", query.organisation_id.as_deref(), OrganisationId::parse)?,
        kind: filter("kind", query.kind.as_deref(), ContactKind::parse)?,
    };
    let page = read(&app, &caller, move |queries| queries.directory().list_contacts(&filter, &page)).await?;
    Answer::page(page, &cursors, ContactView::from)
}

/// Create a contact
///
/// A person or a company of an organisation. What identifies it is kept apart and can be erased.
#[utoipa::path(operation_id = "create_contact", tag = "directory", security(("oauth2" = ["directory:write"])), request_body = CreateContactRequest, responses((status = 201, description = "The contact", body = ContactView)))]
#[post("/contacts")]
async fn create_contact(app: Data<App>, command: Command<CreateContactRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|mut raw| {
        let organisation = raw.organisation_id.take();
        CreateContactOf::parse(organisation.as_deref(), &raw.into())
    })?;
    once(&app, command, service::create_contact, |record| {
        let (id, version) = (record.contact.id, record.version);
        let location = format!("/v1/contacts/{id}");
        Ok(Answer::created(location, id.uuid(), &ContactView::from(record))?.with_version(version).private())
    })
    .await
}

/// Get a contact
///
/// Without its name once it was erased.
#[utoipa::path(operation_id = "get_contact", tag = "directory", security(("oauth2" = ["directory:read"])), params(("id" = String, Path, description = "The contact", example = "contact_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The contact", body = ContactView)))]
#[get("/contacts/{id}")]
async fn get_contact(app: Data<App>, caller: Caller, Id(id): Id<ContactId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.directory().find_contact(id)).await?;
    contact(found.ok_or_else(Problem::not_found)?)
}

/// Change a contact
///
/// Its name, e-mail address, telephone number. Absent fields stay. Deals and statements hold its id and are not touched.
#[utoipa::path(operation_id = "update_contact", tag = "directory", security(("oauth2" = ["directory:write"])), params(("id" = String, Path, description = "The contact", example = "contact_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = UpdateContactRequest, responses((status = 200, description = "The contact", body = ContactView)))]
#[patch("/contacts/{id}")]
async fn update_contact(
    app: Data<App>,
    Id(id): Id<ContactId>,
    body: Change<UpdateContactRequest>,
) -> Result<Answer, Problem> {
    let body = body.parse(|raw| UpdateContact::parse(&raw.into()))?;
    change(
        &app,
        body,
        move |uow, env, change| service::update_contact(uow, env, id, change.if_match, &change.body),
        move |altered| {
            let (before, after) = (ContactView::from(altered.before), ContactView::from(altered.after.clone()));
            contact(altered.after)?.about(id.uuid()).altering(&before, &after)
        },
    )
    .await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_organisations)
        .service(create_organisation)
        .service(get_organisation)
        .service(update_organisation)
        .service(list_contacts)
        .service(create_contact)
        .service(get_contact)
        .service(update_contact);
    super::erasures::register(config);
    super::licences::register(config);
    super::members::register(config);
    super::cohorts::register(config);
    super::payees::register(config);
}
