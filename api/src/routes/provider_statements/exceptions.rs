//! Exceptions: what does not fit, who looks after it, how it ends.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::env::Env;
use domain::kernel::ids::{ExceptionId, OrganisationId, ProviderStatementId, UserId};
use domain::provider_statements::ExceptionStatus;
use domain::provider_statements::repository::ExceptionFilter;
use domain::provider_statements::resolve::{self, Changed, ResolveException};
use domain::store::UnitOfWork;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Command, Id, IfMatch, List, query};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::provider_statements::{
    AssignExceptionRequest, ExceptionQuery, ExceptionView, ResolveExceptionRequest, StatementExceptionQuery,
};

fn status(text: Option<&str>) -> Result<Option<ExceptionStatus>, Problem> {
    query::filter("status", text, |text| ExceptionStatus::parse(text).ok_or("no such status"))
}

/// The exception as it is, and what became of it for the audit log.
fn changed(app: &Data<App>) -> impl Fn(Changed) -> Result<Answer, Problem> + Send + use<> {
    let app = app.clone();
    move |(before, after): Changed| {
        let now = app.clock.now();
        let (before, view) = (ExceptionView::new(&before, now), ExceptionView::new(&after, now));
        let version = i32::try_from(after.version).unwrap_or(i32::MAX);
        Answer::ok(&view)?.with_version(version).about(after.id.uuid()).altering(&before, &view)
    }
}

/// List the exceptions of a provider's statement
///
/// Newest first: those that it was the first or the last to show.
#[utoipa::path(operation_id = "list_provider_statement_exceptions", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The statement", example = "pstatement_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<StatementExceptionQuery>), responses((status = 200, description = "A page of exceptions", body = PageView<ExceptionView>)))]
#[get("/provider-statements/{id}/exceptions")]
async fn list_provider_statement_exceptions(
    app: Data<App>,
    list: List<StatementExceptionQuery>,
    Id(id): Id<ProviderStatementId>,
) -> Result<Answer, Problem> {
    let List { caller, query: asked, page, cursors } = list;
    let filter =
        ExceptionFilter { statement: Some(id), status: status(asked.status.as_deref())?, ..ExceptionFilter::default() };
    let now = app.clock.now();
    let found = read(&app, &caller, move |queries| {
        let known = queries.provider_statements().find(id)?.is_some();
        known.then(|| queries.provider_statements().list_exceptions(&filter, &page)).transpose()
    })
    .await?;
    Answer::page(found.ok_or_else(Problem::not_found)?, &cursors, |exception| ExceptionView::new(&exception, now))
}

/// List exceptions
///
/// What does not match of providers' statements, newest first, each with who looks after it and how old it is.
#[utoipa::path(operation_id = "list_exceptions", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(List<ExceptionQuery>), responses((status = 200, description = "A page of exceptions", body = PageView<ExceptionView>)))]
#[get("/exceptions")]
async fn list_exceptions(app: Data<App>, list: List<ExceptionQuery>) -> Result<Answer, Problem> {
    let List { caller, query: asked, page, cursors } = list;
    let filter = ExceptionFilter {
        statement: None,
        provider: query::filter("provider_id", asked.provider_id.as_deref(), OrganisationId::parse)?,
        status: status(asked.status.as_deref())?,
        owner: query::filter("owner", asked.owner.as_deref(), UserId::parse)?,
    };
    let now = app.clock.now();
    let found =
        read(&app, &caller, move |queries| queries.provider_statements().list_exceptions(&filter, &page)).await?;
    Answer::page(found, &cursors, |exception| ExceptionView::new(&exception, now))
}

/// Assign an exception
///
/// To a user of the operator, who looks after it from now on. `If-Match` is honoured when sent.
#[utoipa::path(operation_id = "assign_exception", tag = "payouts", security(("oauth2" = ["payouts:write"])), params(("id" = String, Path, description = "The exception", example = "exception_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw.", example = "\"1\"")), request_body = AssignExceptionRequest, responses((status = 200, description = "The exception", body = ExceptionView)))]
#[post("/exceptions/{id}/assign")]
async fn assign_exception(
    app: Data<App>,
    Id(id): Id<ExceptionId>,
    IfMatch(version): IfMatch,
    command: Command<AssignExceptionRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| resolve::owner(raw.owner_id.as_deref()))?;
    let work =
        move |uow: &mut dyn UnitOfWork, env: &Env<'_>, owner: &UserId| resolve::assign(uow, env, id, version, *owner);
    let view = changed(&app);
    once(&app, command, work, view).await
}

/// Resolve an exception
///
/// By accepting the difference (a write-off is proposed, and ends the exception once a second person approves it), by waiting, after
/// a fact was corrected, or because we are wrong. `If-Match` is honoured when sent.
#[utoipa::path(operation_id = "resolve_exception", tag = "payouts", security(("oauth2" = ["payouts:write"])), params(("id" = String, Path, description = "The exception", example = "exception_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw.", example = "\"1\"")), request_body = ResolveExceptionRequest, responses((status = 200, description = "The exception", body = ExceptionView)))]
#[post("/exceptions/{id}/resolve")]
async fn resolve_exception(
    app: Data<App>,
    Id(id): Id<ExceptionId>,
    IfMatch(version): IfMatch,
    command: Command<ResolveExceptionRequest>,
) -> Result<Answer, Problem> {
    let command =
        command.parse(|raw| ResolveException::parse(raw.how.as_deref(), raw.until.as_deref(), raw.note.as_deref()))?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &ResolveException| {
        resolve::resolve(uow, env, id, version, command)
    };
    let view = changed(&app);
    once(&app, command, work, view).await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_provider_statement_exceptions)
        .service(list_exceptions)
        .service(assign_exception)
        .service(resolve_exception);
}
