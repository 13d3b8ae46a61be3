//! Plans by which clawbacks of a payee are got back bit by bit: proposed by one person, approved by another.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::access::audit::Altered;
use domain::env::Env;
use domain::kernel::ids::{PayeeId, RecoveryPlanId};
use domain::payouts::recovery::command::{Decision, OnPlan, ended_on};
use domain::payouts::recovery::{ProposePlan, RecoveryPlan, service};
use domain::store::UnitOfWork;
use jiff::civil::Date;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Command, Empty, Id, IfMatch, List, PlanId, Unfiltered};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::recovery_plans::{CreateRecoveryPlanRequest, EndRecoveryPlanRequest, RecoveryPlanView};

fn altered(altered: Altered<RecoveryPlan>) -> Result<Answer, Problem> {
    let id = altered.after.id;
    let version = i32::try_from(altered.after.version).unwrap_or(i32::MAX);
    let (before, after) = (RecoveryPlanView::from(altered.before), RecoveryPlanView::from(altered.after));
    Answer::ok(&after)?.with_version(version).about(id.uuid()).naming(&id).altering(&before, &after)
}

async fn decided(
    app: &Data<App>,
    payee: PayeeId,
    on: OnPlan,
    command: Command<Empty>,
    decision: Decision,
) -> Result<Answer, Problem> {
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, _: &Empty| service::decide(uow, env, payee, on, decision);
    once(app, command, work, altered).await
}

/// List the recovery plans of a payee
///
/// Newest first. Without a plan in force a run sets off everything that is to be got back.
#[utoipa::path(operation_id = "list_recovery_plans", tag = "payouts", security(("oauth2" = ["directory:read"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<Unfiltered>), responses((status = 200, description = "A page of plans", body = PageView<RecoveryPlanView>)))]
#[get("/payees/{id}/recovery-plans")]
async fn list_recovery_plans(app: Data<App>, list: List<Unfiltered>, Id(id): Id<PayeeId>) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let page = read(&app, &caller, move |queries| match queries.directory().find_payee(id)? {
        Some(_) => queries.recovery_plans().list_plans(id, &page).map(Some),
        None => Ok(None),
    })
    .await?;
    Answer::page(page.ok_or_else(Problem::not_found)?, &cursors, RecoveryPlanView::from)
}

/// Propose a recovery plan for a payee
///
/// It bounds how much of what is to be got back one payout run sets off; the payee is paid the rest. A second person approves it.
#[utoipa::path(operation_id = "create_recovery_plan", tag = "payouts", security(("oauth2" = ["payouts:write"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = CreateRecoveryPlanRequest, responses((status = 201, description = "The plan, proposed", body = RecoveryPlanView)))]
#[post("/payees/{id}/recovery-plans")]
async fn create_recovery_plan(
    app: Data<App>,
    Id(payee): Id<PayeeId>,
    command: Command<CreateRecoveryPlanRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| ProposePlan::parse(&raw.into()))?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &ProposePlan| {
        service::propose(uow, env, payee, command)
    };
    once(&app, command, work, move |proposed| {
        let (id, location) = (proposed.id, format!("/v1/payees/{payee}/recovery-plans"));
        Ok(Answer::created(location, id.uuid(), &RecoveryPlanView::from(proposed))?.with_version(1).naming(&id))
    })
    .await
}

/// Approve a recovery plan
///
/// Somebody else than who proposed it. A run that was approved before and would set off something else by now is void when it is executed.
#[utoipa::path(operation_id = "approve_recovery_plan", tag = "payouts", security(("oauth2" = ["payouts:approve"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("plan_id" = String, Path, description = "The plan", example = "plan_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw.", example = "\"1\"")), responses((status = 200, description = "The plan, approved", body = RecoveryPlanView)))]
#[post("/payees/{id}/recovery-plans/{plan_id}/approve")]
async fn approve_recovery_plan(
    app: Data<App>,
    Id(payee): Id<PayeeId>,
    PlanId(id): PlanId<RecoveryPlanId>,
    IfMatch(version): IfMatch,
    command: Command<Empty>,
) -> Result<Answer, Problem> {
    decided(&app, payee, OnPlan { id, version }, command, Decision::Approve).await
}

/// Reject a recovery plan
///
/// Somebody else than who proposed it.
#[utoipa::path(operation_id = "reject_recovery_plan", tag = "payouts", security(("oauth2" = ["payouts:approve"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("plan_id" = String, Path, description = "The plan", example = "plan_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw.", example = "\"1\"")), responses((status = 200, description = "The plan, rejected", body = RecoveryPlanView)))]
#[post("/payees/{id}/recovery-plans/{plan_id}/reject")]
async fn reject_recovery_plan(
    app: Data<App>,
    Id(payee): Id<PayeeId>,
    PlanId(id): PlanId<RecoveryPlanId>,
    IfMatch(version): IfMatch,
    command: Command<Empty>,
) -> Result<Answer, Problem> {
    decided(&app, payee, OnPlan { id, version }, command, Decision::Reject).await
}

/// End a recovery plan
///
/// Today, or on a later day: from then on runs set off everything again, unless another plan governs.
#[utoipa::path(operation_id = "end_recovery_plan", tag = "payouts", security(("oauth2" = ["payouts:write"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("plan_id" = String, Path, description = "The plan", example = "plan_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw.", example = "\"2\"")), request_body = EndRecoveryPlanRequest, responses((status = 200, description = "The plan, with its end", body = RecoveryPlanView)))]
#[post("/payees/{id}/recovery-plans/{plan_id}/end")]
async fn end_recovery_plan(
    app: Data<App>,
    Id(payee): Id<PayeeId>,
    PlanId(id): PlanId<RecoveryPlanId>,
    IfMatch(version): IfMatch,
    command: Command<EndRecoveryPlanRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| ended_on(raw.ended_on.as_deref()))?;
    let on = OnPlan { id, version };
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, ended_on: &Option<Date>| {
        service::end(uow, env, payee, on, *ended_on)
    };
    once(&app, command, work, altered).await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(approve_recovery_plan)
        .service(reject_recovery_plan)
        .service(end_recovery_plan)
        .service(list_recovery_plans)
        .service(create_recovery_plan);
}
