//! Mappings and statements: the file is read at once, a job matches and posts it.
//!
//! Bounds: a file of at most [`LARGEST_FILE`] bytes is held while it is read, and not kept.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, get, post, put};
use domain::env::Env;
use domain::kernel::Digest;
use domain::kernel::ids::{OrganisationId, ProviderStatementId};
use domain::provider_statements::import::{self, ImportStatement};
use domain::provider_statements::mapping::MappingVersion;
use domain::provider_statements::mapping_input::{self, SaveMapping};
use domain::provider_statements::repository::StatementFilter;
use domain::provider_statements::{LineResult, StatementState};
use domain::store::UnitOfWork;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Caller, Change, Command, Empty, Filter, Id, List, body, query};
use crate::once::{change, once};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::jobs::JobView;
use crate::views::provider_statements::{
    CreateStatementQuery, MappingView, ProviderStatementDetailView, ProviderStatementView, ReplaceMappingRequest,
    SavedMappingView, StatementLineQuery, StatementLineView, StatementQuery,
};

/// The largest file, in bytes.
pub const LARGEST_FILE: usize = 16 * 1024 * 1024;

fn etag(version: u32) -> i32 {
    i32::try_from(version).unwrap_or(i32::MAX)
}

/// Get how a provider's statements are read
///
/// The latest version; not found before the first.
#[utoipa::path(operation_id = "get_statement_mapping", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The provider", example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The mapping", body = MappingView)))]
#[get("/organisations/{id}/statement-mapping")]
async fn get_statement_mapping(app: Data<App>, caller: Caller, Id(id): Id<OrganisationId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.provider_statements().find_mapping(id)).await?;
    let found = found.ok_or_else(Problem::not_found)?;
    let version = etag(found.version);
    Ok(Answer::ok(&MappingView::from(found))?.with_version(version))
}

/// Save how a provider's statements are read
///
/// Makes a new version for files that come later; the sample is read by it at once, and its lines are shown. `If-Match` names
/// the version that was seen, `"0"` before the first.
#[utoipa::path(operation_id = "replace_statement_mapping", tag = "payouts", security(("oauth2" = ["payouts:write"])), params(("id" = String, Path, description = "The provider", example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = ReplaceMappingRequest, responses((status = 200, description = "The mapping, and its sample as it reads", body = SavedMappingView)))]
#[put("/organisations/{id}/statement-mapping")]
async fn replace_statement_mapping(
    app: Data<App>,
    Id(provider): Id<OrganisationId>,
    body: Change<ReplaceMappingRequest>,
) -> Result<Answer, Problem> {
    let body = body.parse(|raw| SaveMapping::parse(&raw.into()))?;
    let sample = body.body.sample.clone();
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, change: &Change<SaveMapping>| {
        mapping_input::save(uow, env, provider, change.if_match, &change.body)
    };
    change(&app, body, work, move |(before, after): (Option<MappingVersion>, MappingVersion)| {
        let answer = Answer::ok(&SavedMappingView::new(after.clone(), sample.clone()))?;
        let answer = answer.with_version(etag(after.version)).about(provider.uuid()).naming(&provider);
        match before {
            Some(before) => answer.altering(&MappingView::from(before), &MappingView::from(after)),
            None => Ok(answer),
        }
    })
    .await
}

/// Import a provider's statement
///
/// The body is the CSV as the provider sent it; it is read by the provider's mapping, whole or not at all: a line that cannot be
/// read is a fault with its number, and all faults are told at once. Its lines must come to the total. The same file counts once.
/// A job then matches each line to what the ledger expects of the deal that it names, posts it once as a `provider_receipt`, and
/// opens an exception for what does not fit. The file itself is not kept.
#[utoipa::path(operation_id = "create_provider_statement", tag = "payouts", security(("oauth2" = ["payouts:write"])), params(CreateStatementQuery), request_body(content((String = "text/csv")), description = "The file"), responses((status = 202, description = "The job that matches and posts it", body = JobView)))]
#[post("/provider-statements")]
async fn create_provider_statement(
    app: Data<App>,
    request: HttpRequest,
    caller: Caller,
    Filter(asked): Filter<CreateStatementQuery>,
    payload: Payload,
) -> Result<Answer, Problem> {
    let claim = caller.claim(body::key(&request)?);
    let media = request.headers().get(CONTENT_TYPE).and_then(|h| h.to_str().ok()).unwrap_or("").to_ascii_lowercase();
    if media.split(';').next().map(str::trim) != Some("text/csv") {
        let detail = "send the file as it is, with `Content-Type: text/csv`";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
    }
    let bytes = body::read(&request, payload.into_inner(), LARGEST_FILE).await?;
    let sha256 = Digest::of(&bytes);
    let address = request.uri().path_and_query().map_or("", |p| p.as_str());
    let fingerprint = Digest::of_parts(&[b"POST\0", address.as_bytes(), b"\0", sha256.bytes()]);
    let command = ImportStatement::parse(&asked.into(), bytes)?;
    let fields = [("file_sha256".to_owned(), sha256.to_string().into())].into_iter().collect();
    let answer = once(
        &app,
        Command { caller, claim, fingerprint, fields, body: command },
        import::import,
        |(statement, job)| {
            let answer = Answer::accepted(format!("/v1/jobs/{}", job.id), statement.id.uuid(), &JobView::from(job))?;
            Ok(answer.naming(&statement.id))
        },
    )
    .await?;
    app.work.ring();
    Ok(answer)
}

/// List providers' statements
///
/// Newest first.
#[utoipa::path(operation_id = "list_provider_statements", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(List<StatementQuery>), responses((status = 200, description = "A page of statements", body = PageView<ProviderStatementView>)))]
#[get("/provider-statements")]
async fn list_provider_statements(app: Data<App>, list: List<StatementQuery>) -> Result<Answer, Problem> {
    let List { caller, query: asked, page, cursors } = list;
    let state = |text: &str| StatementState::parse(text).ok_or("no such status");
    let filter = StatementFilter {
        provider: query::filter("provider_id", asked.provider_id.as_deref(), OrganisationId::parse)?,
        state: query::filter("status", asked.status.as_deref(), state)?,
    };
    let page = read(&app, &caller, move |queries| queries.provider_statements().list(&filter, &page)).await?;
    Answer::page(page, &cursors, ProviderStatementView::from)
}

/// Get a provider's statement
///
/// With how many of its lines became what, and what it came to.
#[utoipa::path(operation_id = "get_provider_statement", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The statement", example = "pstatement_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The statement", body = ProviderStatementDetailView)))]
#[get("/provider-statements/{id}")]
async fn get_provider_statement(
    app: Data<App>,
    caller: Caller,
    Id(id): Id<ProviderStatementId>,
) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.provider_statements().find(id)).await?;
    let (statement, figures) = found.ok_or_else(Problem::not_found)?;
    Answer::ok(&ProviderStatementDetailView::new(statement, figures))
}

/// List the lines of a provider's statement
///
/// In the order of the file, with what became of each.
#[utoipa::path(operation_id = "list_provider_statement_lines", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The statement", example = "pstatement_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<StatementLineQuery>), responses((status = 200, description = "A page of lines", body = PageView<StatementLineView>)))]
#[get("/provider-statements/{id}/lines")]
async fn list_provider_statement_lines(
    app: Data<App>,
    list: List<StatementLineQuery>,
    Id(id): Id<ProviderStatementId>,
) -> Result<Answer, Problem> {
    let List { caller, query: asked, page, cursors } = list;
    let result = |text: &str| LineResult::parse(text).ok_or("no such result");
    let result = query::filter("result", asked.result.as_deref(), result)?;
    let lines = read(&app, &caller, move |queries| {
        let known = queries.provider_statements().find(id)?.is_some();
        known.then(|| queries.provider_statements().list_lines(id, result, &page)).transpose()
    })
    .await?;
    Answer::page(lines.ok_or_else(Problem::not_found)?, &cursors, StatementLineView::from)
}

/// Match a provider's statement again
///
/// Goes on with one that was stopped, and moves on what is unapplied of the provider's lines where something is open by now, say
/// because a deal was recorded or corrected since. What was posted stays; done twice it changes nothing.
#[utoipa::path(operation_id = "match_provider_statement", tag = "payouts", security(("oauth2" = ["payouts:write"])), params(("id" = String, Path, description = "The statement", example = "pstatement_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 202, description = "The job that matches it", body = JobView)))]
#[post("/provider-statements/{id}/match")]
async fn match_provider_statement(
    app: Data<App>,
    Id(id): Id<ProviderStatementId>,
    command: Command<Empty>,
) -> Result<Answer, Problem> {
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, _: &Empty| import::match_again(uow, env, id);
    let answer = once(&app, command, work, move |(statement, job)| {
        let answer = Answer::accepted(format!("/v1/jobs/{}", job.id), statement.id.uuid(), &JobView::from(job))?;
        Ok(answer.naming(&statement.id))
    })
    .await?;
    app.work.ring();
    Ok(answer)
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(get_statement_mapping)
        .service(replace_statement_mapping)
        .service(create_provider_statement)
        .service(list_provider_statements)
        .service(list_provider_statement_lines)
        .service(match_provider_statement)
        .service(get_provider_statement);
}
