//! What is wholly unpaid of a payee and becomes another's: proposed by one person, approved by another.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::access::audit::Altered;
use domain::directory::Grounds;
use domain::env::Env;
use domain::kernel::Digest;
use domain::kernel::ids::{AssignmentId, PayeeId};
use domain::payouts::assignment::command::OnAssignment;
use domain::payouts::assignment::{Assignment, ProposeAssignment, page_of, service};
use domain::payouts::command::{grounds, seen_content};
use domain::store::UnitOfWork;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Caller, Command, Id, IfMatch, List, Unfiltered};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::assignments::{
    AssignmentLineQuery, AssignmentLineView, AssignmentView, CreateAssignmentRequest, RejectAssignmentRequest,
};
use crate::views::manual_requests::ApproveSeenRequest;

fn etag(assignment: &Assignment) -> i32 {
    i32::try_from(assignment.version).unwrap_or(i32::MAX)
}

fn decided(altered: Altered<Assignment>) -> Result<Answer, Problem> {
    let (id, version) = (altered.after.id, etag(&altered.after));
    let (before, after) = (AssignmentView::from(altered.before), AssignmentView::from(altered.after));
    Answer::ok(&after)?.with_version(version).about(id.uuid()).naming(&id).altering(&before, &after)
}

/// List the assignments of a payee
///
/// Those from it and those to it, newest first.
#[utoipa::path(operation_id = "list_assignments", tag = "payouts", security(("oauth2" = ["directory:read"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<Unfiltered>), responses((status = 200, description = "A page of assignments", body = PageView<AssignmentView>)))]
#[get("/payees/{id}/assignments")]
async fn list_assignments(app: Data<App>, list: List<Unfiltered>, Id(id): Id<PayeeId>) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let page = read(&app, &caller, move |queries| match queries.directory().find_payee(id)? {
        Some(_) => queries.assignments().list_assignments(id, &page).map(Some),
        None => Ok(None),
    })
    .await?;
    Answer::page(page.ok_or_else(Problem::not_found)?, &cursors, AssignmentView::from)
}

/// Propose an assignment
///
/// Everything that is wholly unpaid of the payee, or of one member's lines of it, becomes another payee's of the same organisation, by a deed that is recorded. The lines and amounts are frozen now; nothing moves until somebody else approves their digest.
#[utoipa::path(operation_id = "create_assignment", tag = "payouts", security(("oauth2" = ["payouts:write"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = CreateAssignmentRequest, responses((status = 201, description = "The assignment, proposed", body = AssignmentView)))]
#[post("/payees/{id}/assignments")]
async fn create_assignment(
    app: Data<App>,
    Id(payee): Id<PayeeId>,
    command: Command<CreateAssignmentRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| ProposeAssignment::parse(&raw.into()))?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &ProposeAssignment| {
        service::propose(uow, env, payee, command)
    };
    once(&app, command, work, |proposed| {
        let (id, version) = (proposed.id, etag(&proposed));
        let answer = Answer::created(format!("/v1/assignments/{id}"), id.uuid(), &AssignmentView::from(proposed))?;
        Ok(answer.with_version(version).naming(&id))
    })
    .await
}

/// Get an assignment
///
/// Its lines are a list of their own.
#[utoipa::path(operation_id = "get_assignment", tag = "payouts", security(("oauth2" = ["directory:read"])), params(("id" = String, Path, description = "The assignment", example = "assignment_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The assignment", body = AssignmentView)))]
#[get("/assignments/{id}")]
async fn get_assignment(app: Data<App>, caller: Caller, Id(id): Id<AssignmentId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.assignments().find_assignment(id)).await?;
    let found = found.ok_or_else(Problem::not_found)?;
    let version = etag(&found);
    Ok(Answer::ok(&AssignmentView::from(found))?.with_version(version))
}

/// List the lines of an assignment
///
/// As they were frozen, in the order of their ids.
#[utoipa::path(operation_id = "list_assignment_lines", tag = "payouts", security(("oauth2" = ["directory:read"])), params(("id" = String, Path, description = "The assignment", example = "assignment_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<AssignmentLineQuery>), responses((status = 200, description = "A page of lines", body = PageView<AssignmentLineView>)))]
#[get("/assignments/{id}/lines")]
async fn list_assignment_lines(
    app: Data<App>,
    list: List<AssignmentLineQuery>,
    Id(id): Id<AssignmentId>,
) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let lines = read(&app, &caller, move |queries| {
        let content = queries.assignments().find_assignment_content(id)?;
        content.map(|content| page_of(&content, &page)).transpose()
    })
    .await?;
    Answer::page(lines.ok_or_else(Problem::not_found)?, &cursors, AssignmentLineView::from)
}

/// Approve an assignment
///
/// Somebody else than who proposed it names the content that they saw by its digest. All of it moves at once, or, when one of its lines is not as it was frozen, nothing (`lines_changed`): it stays proposed. A run that was approved to pay those lines to the old payee is void when it is executed.
#[utoipa::path(operation_id = "approve_assignment", tag = "payouts", security(("oauth2" = ["payouts:approve"])), params(("id" = String, Path, description = "The assignment", example = "assignment_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw.", example = "\"1\"")), request_body = ApproveSeenRequest, responses((status = 200, description = "The assignment, approved", body = AssignmentView)))]
#[post("/assignments/{id}/approve")]
async fn approve_assignment(
    app: Data<App>,
    Id(id): Id<AssignmentId>,
    IfMatch(version): IfMatch,
    command: Command<ApproveSeenRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| seen_content(raw.content_sha256.as_deref()))?;
    let on = OnAssignment { id, version };
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, seen: &Digest| service::approve(uow, env, on, *seen);
    once(&app, command, work, decided).await
}

/// Reject an assignment
///
/// Nothing moves. Whoever proposed it may do so too.
#[utoipa::path(operation_id = "reject_assignment", tag = "payouts", security(("oauth2" = ["payouts:approve"])), params(("id" = String, Path, description = "The assignment", example = "assignment_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw.", example = "\"1\"")), request_body = RejectAssignmentRequest, responses((status = 200, description = "The assignment, rejected", body = AssignmentView)))]
#[post("/assignments/{id}/reject")]
async fn reject_assignment(
    app: Data<App>,
    Id(id): Id<AssignmentId>,
    IfMatch(version): IfMatch,
    command: Command<RejectAssignmentRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| grounds(raw.reason.as_deref()))?;
    let on = OnAssignment { id, version };
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, because: &Grounds| service::reject(uow, env, on, because);
    once(&app, command, work, decided).await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_assignments)
        .service(create_assignment)
        .service(list_assignment_lines)
        .service(approve_assignment)
        .service(reject_assignment)
        .service(get_assignment);
}
