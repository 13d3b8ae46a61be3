//! How a version comes about and lives: written, looked over, proposed, approved by somebody else, retired.

use actix_web::web::{Data, Path};
use actix_web::{get, post, put};
use domain::access::audit::Altered;
use domain::agreements::command::{ApproveVersion, CreateAgreement, OnVersion, WriteVersion, grounds};
use domain::agreements::{AgreementVersion, decide, diff};
use domain::directory::text::Grounds;
use domain::env::Env;
use domain::kernel::ids::AgreementId;
use domain::store::UnitOfWork;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{number, shown};
use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Caller, Change, Command, Empty, Filter, Id, IfMatch};
use crate::once::{change, once};
use crate::problem::Problem;
use crate::views::agreements::{
    AgreementView, ApproveVersionRequest, CreateAgreementRequest, DecideVersionRequest, DiffQuery, FindingsView,
    VersionDiffView, VersionSummaryView, VersionView, WriteVersionRequest, written_as_objects,
};

/// The version in full, and what became of it for the audit log.
fn altered(Altered { before, after }: Altered<AgreementVersion>) -> Result<Answer, Problem> {
    let answer = shown(&after)?.about(after.agreement.uuid()).naming(&after.agreement);
    answer.altering(&VersionSummaryView::from(&before), &VersionSummaryView::from(&after))
}

/// A version that is named, at the `ETag` that the caller saw, if it says so.
fn named(agreement: AgreementId, number: u32, version: Option<u32>) -> OnVersion {
    OnVersion { agreement, number, version: version.map(|version| i32::try_from(version).unwrap_or(i32::MAX)) }
}

/// The content of a request.
fn content(body: WriteVersionRequest) -> Result<WriteVersion, Problem> {
    let missing = || Problem::malformed_at("/content", "required", "this field is required");
    body.content.map(|content| WriteVersion { content }).ok_or_else(missing)
}

/// Create an agreement
///
/// For the deals of a vertical; of one provider, or for everybody. It says nothing until a version is in force.
#[utoipa::path(operation_id = "create_agreement", tag = "agreements", security(("oauth2" = ["agreements:write"])), request_body = CreateAgreementRequest, responses((status = 201, description = "The agreement", body = AgreementView)))]
#[post("/agreements")]
async fn create_agreement(app: Data<App>, command: Command<CreateAgreementRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| {
        CreateAgreement::parse(raw.vertical.as_deref(), raw.name.as_deref(), raw.provider_id.as_deref())
    })?;
    once(&app, command, decide::create, |made| {
        let id = made.id;
        Answer::created(format!("/v1/agreements/{id}"), id.uuid(), &AgreementView::from(made))
    })
    .await
}

/// Create a version of an agreement
///
/// A draft; its number is the next one. What it says may still have errors: `lint` tells, `propose` insists.
#[utoipa::path(operation_id = "create_agreement_version", tag = "agreements", security(("oauth2" = ["agreements:write"])), params(("id" = String, Path, description = "The agreement", example = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = WriteVersionRequest, responses((status = 201, description = "The draft", body = VersionView)))]
#[post("/agreements/{id}/versions")]
async fn create_agreement_version(
    app: Data<App>,
    Id(id): Id<AgreementId>,
    command: Command<WriteVersionRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(content)?;
    written_as_objects(command.fields.get("content"), &command.body.content, "/content")?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &WriteVersion| {
        decide::create_version(uow, env, id, command)
    };
    once(&app, command, work, |version: AgreementVersion| {
        let location = format!("/v1/agreements/{}/versions/{}", version.agreement, version.number);
        let view = VersionView::try_from(&version)?;
        let answer = Answer::created(location, version.agreement.uuid(), &view)?.naming(&version.agreement);
        Ok(answer.with_version(version.version))
    })
    .await
}

/// Replace a draft
///
/// Writes what a draft says anew. Everybody who wrote any of it is an author, and cannot approve it.
#[utoipa::path(operation_id = "replace_agreement_version", tag = "agreements", security(("oauth2" = ["agreements:write"])), params(("id" = String, Path, description = "The agreement", example = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("number" = u32, Path, description = "The version", example = 1)), request_body = WriteVersionRequest, responses((status = 200, description = "The draft", body = VersionView)))]
#[put("/agreements/{id}/versions/{number}")]
async fn replace_agreement_version(
    app: Data<App>,
    Id(id): Id<AgreementId>,
    path: Path<(String, String)>,
    body: Change<WriteVersionRequest>,
) -> Result<Answer, Problem> {
    let number = number(&path.1)?;
    let body = body.parse(content)?;
    written_as_objects(body.fields.get("content"), &body.body.content, "/content")?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, change: &Change<WriteVersion>| {
        let on = OnVersion { agreement: id, number, version: Some(change.if_match) };
        decide::replace_version(uow, env, &on, &change.body)
    };
    change(&app, body, work, altered).await
}

/// Lint a version
///
/// Everything that is wrong with what it says, and everything worth knowing: where, why, and where there is one a made-up deal that shows it. Changes nothing.
#[utoipa::path(operation_id = "lint_agreement_version", tag = "agreements", security(("oauth2" = ["agreements:read"])), params(("id" = String, Path, description = "The agreement", example = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("number" = u32, Path, description = "The version", example = 1)), responses((status = 200, description = "The findings", body = FindingsView)))]
#[post("/agreements/{id}/versions/{number}/lint")]
async fn lint_agreement_version(
    app: Data<App>,
    Id(id): Id<AgreementId>,
    path: Path<(String, String)>,
    command: Command<Empty>,
) -> Result<Answer, Problem> {
    let number = number(&path.1)?;
    let found = read(&app, &command.caller, move |queries| {
        let queries = queries.agreements();
        let Some(version) = queries.find_version(id, number)? else { return Ok(None) };
        let findings = decide::findings(&version, queries.list_ranges(id, number)?)?;
        Ok(Some((version, findings)))
    });
    let (version, findings) = found.await?.ok_or_else(Problem::not_found)?;
    Answer::ok(&FindingsView::new(&version, findings))
}

/// Propose a version
///
/// Asks for approval; what it says stays from now on. Every error that the lint finds is refused. `If-Match` is honoured when sent.
#[utoipa::path(operation_id = "propose_agreement_version", tag = "agreements", security(("oauth2" = ["agreements:write"])), params(("id" = String, Path, description = "The agreement", example = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("number" = u32, Path, description = "The version", example = 1), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw; optional, since the state and the key guard.", example = "\"1\"")), responses((status = 200, description = "The version, proposed", body = VersionView)))]
#[post("/agreements/{id}/versions/{number}/propose")]
async fn propose_agreement_version(
    app: Data<App>,
    Id(id): Id<AgreementId>,
    path: Path<(String, String)>,
    IfMatch(version): IfMatch,
    command: Command<Empty>,
) -> Result<Answer, Problem> {
    let on = named(id, number(&path.1)?, version);
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, _: &Empty| decide::propose(uow, env, &on);
    once(&app, command, work, altered).await
}

/// Approve a version
///
/// Names what the approver saw by its hash, and every warning of the lint by its code. The approver neither wrote nor proposed it. The approval is signed and logged. A version whose first day has come is active at once.
#[utoipa::path(operation_id = "approve_agreement_version", tag = "agreements", security(("oauth2" = ["agreements:approve"])), params(("id" = String, Path, description = "The agreement", example = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("number" = u32, Path, description = "The version", example = 1), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw; optional, since the hash guards.", example = "\"1\"")), request_body = ApproveVersionRequest, responses((status = 200, description = "The version, approved", body = VersionView)))]
#[post("/agreements/{id}/versions/{number}/approve")]
async fn approve_agreement_version(
    app: Data<App>,
    Id(id): Id<AgreementId>,
    path: Path<(String, String)>,
    IfMatch(version): IfMatch,
    command: Command<ApproveVersionRequest>,
) -> Result<Answer, Problem> {
    let on = named(id, number(&path.1)?, version);
    let command = command.parse(|raw| ApproveVersion::parse(raw.content_sha256.as_deref(), raw.acknowledged))?;
    let work =
        move |uow: &mut dyn UnitOfWork, env: &Env<'_>, seen: &ApproveVersion| decide::approve(uow, env, &on, seen);
    once(&app, command, work, altered).await
}

/// Reject a version
///
/// Sends a proposal back: it is a draft again, and its author may write it anew.
#[utoipa::path(operation_id = "reject_agreement_version", tag = "agreements", security(("oauth2" = ["agreements:approve"])), params(("id" = String, Path, description = "The agreement", example = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("number" = u32, Path, description = "The version", example = 1), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw; optional, since the state and the key guard.", example = "\"1\"")), request_body = DecideVersionRequest, responses((status = 200, description = "The version, a draft again", body = VersionView)))]
#[post("/agreements/{id}/versions/{number}/reject")]
async fn reject_agreement_version(
    app: Data<App>,
    Id(id): Id<AgreementId>,
    path: Path<(String, String)>,
    IfMatch(version): IfMatch,
    command: Command<DecideVersionRequest>,
) -> Result<Answer, Problem> {
    let on = named(id, number(&path.1)?, version);
    let command = command.parse(|raw| grounds(raw.reason.as_deref()))?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, grounds: &Grounds| decide::reject(uow, env, &on, grounds);
    once(&app, command, work, altered).await
}

/// Retire a version
///
/// It takes no new deals; those that are sealed under it stay. One that was approved and has not begun never begins.
#[utoipa::path(operation_id = "retire_agreement_version", tag = "agreements", security(("oauth2" = ["agreements:approve"])), params(("id" = String, Path, description = "The agreement", example = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("number" = u32, Path, description = "The version", example = 1), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw; optional, since the state and the key guard.", example = "\"1\"")), request_body = DecideVersionRequest, responses((status = 200, description = "The version, retired", body = VersionView)))]
#[post("/agreements/{id}/versions/{number}/retire")]
async fn retire_agreement_version(
    app: Data<App>,
    Id(id): Id<AgreementId>,
    path: Path<(String, String)>,
    IfMatch(version): IfMatch,
    command: Command<DecideVersionRequest>,
) -> Result<Answer, Problem> {
    let on = named(id, number(&path.1)?, version);
    let command = command.parse(|raw| grounds(raw.reason.as_deref()))?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, grounds: &Grounds| decide::retire(uow, env, &on, grounds);
    once(&app, command, work, altered).await
}

/// Compare two versions
///
/// What leads from the other version to this one, change by change, in words and as JSON Patch would say it. Components are the same when their keys are, so one that stands elsewhere has moved.
#[utoipa::path(operation_id = "diff_agreement_version", tag = "agreements", security(("oauth2" = ["agreements:read"])), params(("id" = String, Path, description = "The agreement", example = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("number" = u32, Path, description = "The version", example = 1), DiffQuery), responses((status = 200, description = "The changes", body = VersionDiffView)))]
#[get("/agreements/{id}/versions/{number}/diff")]
async fn diff_agreement_version(
    app: Data<App>,
    caller: Caller,
    Id(id): Id<AgreementId>,
    path: Path<(String, String)>,
    Filter(query): Filter<DiffQuery>,
) -> Result<Answer, Problem> {
    let number = number(&path.1)?;
    let bad = |detail: &str| Problem::malformed_at("#against", "invalid_filter", detail);
    let against = match query.against {
        Some(text) => text.parse().map_err(|_| bad("expected the number of a version"))?,
        None if number > 1 => number - 1,
        None => return Err(bad("there is no version before the first; say with which one to compare")),
    };
    let found = read(&app, &caller, move |queries| {
        let queries = queries.agreements();
        let pair = (queries.find_version(id, against)?, queries.find_version(id, number)?);
        let (Some(before), Some(after)) = pair else { return Ok(None) };
        let contents = (before.read()?, after.read()?);
        Ok(Some((before, after, contents)))
    });
    let (before, after, contents) = found.await?.ok_or_else(Problem::not_found)?;
    let changes = diff::diff(&contents.0, &contents.1).map_err(|error| Problem::internal(&error))?;
    Answer::ok(&VersionDiffView::new(&before, &after, changes))
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(create_agreement)
        .service(create_agreement_version)
        .service(replace_agreement_version)
        .service(lint_agreement_version)
        .service(propose_agreement_version)
        .service(approve_agreement_version)
        .service(reject_agreement_version)
        .service(retire_agreement_version)
        .service(diff_agreement_version);
}
