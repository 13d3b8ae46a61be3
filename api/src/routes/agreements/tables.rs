//! Lookup tables and their versions.

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use domain::agreements::command::{CreateLookupTable, CreateTableVersion};
use domain::agreements::tables::{self, FoundTableVersion};
use domain::env::Env;
use domain::kernel::Page;
use domain::kernel::ids::LookupTableId;
use domain::store::UnitOfWork;
use utoipa_actix_web::service_config::ServiceConfig;

use super::number;
use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Caller, Command, Id, List, Unfiltered};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::agreements::{
    CreateTableRequest, CreateTableVersionRequest, TableVersionView, TableView, written_as_objects,
};

/// List lookup tables
///
/// A partner sees those that a version names which it sees.
#[utoipa::path(operation_id = "list_lookup_tables", tag = "agreements", security(("oauth2" = ["agreements:read"])), params(List<Unfiltered>), responses((status = 200, description = "A page of tables", body = PageView<TableView>)))]
#[get("/lookup-tables")]
async fn list_lookup_tables(app: Data<App>, list: List<Unfiltered>) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let page = read(&app, &caller, move |queries| queries.lookup_tables().list_tables(&page)).await?;
    Answer::page(page, &cursors, TableView::from)
}

/// Create a lookup table
///
/// It says nothing until a version is added.
#[utoipa::path(operation_id = "create_lookup_table", tag = "agreements", security(("oauth2" = ["agreements:write"])), request_body = CreateTableRequest, responses((status = 201, description = "The table", body = TableView)))]
#[post("/lookup-tables")]
async fn create_lookup_table(app: Data<App>, command: Command<CreateTableRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| CreateLookupTable::parse(raw.name.as_deref()))?;
    once(&app, command, tables::create, |made| {
        let id = made.id;
        Answer::created(format!("/v1/lookup-tables/{id}/versions"), id.uuid(), &TableView::from(made))
            .map(|answer| answer.naming(&id))
    })
    .await
}

/// List the versions of a lookup table
///
/// The first one first, each with its content.
#[utoipa::path(operation_id = "list_lookup_table_versions", tag = "agreements", security(("oauth2" = ["agreements:read"])), params(("id" = String, Path, description = "The table", example = "table_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<Unfiltered>), responses((status = 200, description = "A page of versions", body = PageView<TableVersionView>)))]
#[get("/lookup-tables/{id}/versions")]
async fn list_lookup_table_versions(
    app: Data<App>,
    list: List<Unfiltered>,
    Id(id): Id<LookupTableId>,
) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let page = read(&app, &caller, move |queries| {
        let queries = queries.lookup_tables();
        match queries.find_table(id)? {
            Some(_) => queries.list_table_versions(id, &page).map(Some),
            None => Ok(None),
        }
    })
    .await?
    .ok_or_else(Problem::not_found)?;
    let views = page.data.iter().map(TableVersionView::try_from).collect::<Result<Vec<_>, _>>()?;
    Answer::page(Page { data: views, next: page.next }, &cursors, |view| view)
}

/// Add a version to a lookup table
///
/// Its number is the next one. It never changes: what is wrong is put right by another version.
#[utoipa::path(operation_id = "create_lookup_table_version", tag = "agreements", security(("oauth2" = ["agreements:write"])), params(("id" = String, Path, description = "The table", example = "table_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = CreateTableVersionRequest, responses((status = 201, description = "The version", body = TableVersionView)))]
#[post("/lookup-tables/{id}/versions")]
async fn create_lookup_table_version(
    app: Data<App>,
    Id(id): Id<LookupTableId>,
    command: Command<CreateTableVersionRequest>,
) -> Result<Answer, Problem> {
    let missing = || Problem::malformed_at("/content", "required", "this field is required");
    let command = command.parse(|raw| raw.content.map(|content| CreateTableVersion { content }).ok_or_else(missing))?;
    written_as_objects(command.fields.get("content"), &command.body.content, "/content")?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &CreateTableVersion| {
        tables::create_version(uow, env, id, command)
    };
    once(&app, command, work, move |made: FoundTableVersion| {
        let location = format!("/v1/lookup-tables/{id}/versions/{}", made.version.number);
        Ok(Answer::created(location, id.uuid(), &TableVersionView::try_from(&made)?)?.naming(&id))
    })
    .await
}

/// Get a version of a lookup table
///
/// Its content is what was hashed: the SHA-256 of its canonical JSON is `content_sha256`.
#[utoipa::path(operation_id = "get_lookup_table_version", tag = "agreements", security(("oauth2" = ["agreements:read"])), params(("id" = String, Path, description = "The table", example = "table_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("number" = u32, Path, description = "The version", example = 1)), responses((status = 200, description = "The version", body = TableVersionView)))]
#[get("/lookup-tables/{id}/versions/{number}")]
async fn get_lookup_table_version(
    app: Data<App>,
    caller: Caller,
    Id(id): Id<LookupTableId>,
    path: Path<(String, String)>,
) -> Result<Answer, Problem> {
    let number = number(&path.1)?;
    let found = read(&app, &caller, move |queries| queries.lookup_tables().find_table_version(id, number)).await?;
    let found = found.ok_or_else(Problem::not_found)?;
    let sha256 = found.version.content_hash.to_string();
    Ok(Answer::ok(&TableVersionView::try_from(&found)?)?.with_etag(&sha256))
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_lookup_tables)
        .service(create_lookup_table)
        .service(list_lookup_table_versions)
        .service(create_lookup_table_version)
        .service(get_lookup_table_version);
}
