//! Money of commission lines that is put aside, and let go again.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::access::audit::Altered;
use domain::directory::Grounds;
use domain::env::Env;
use domain::kernel::ids::{HoldId, LineId, PayeeId};
use domain::ledger::hold::command::OnHold;
use domain::ledger::hold::{HoldFilter, HoldRecord, HoldState, PlaceHold, service};
use domain::payouts::command::grounds;
use domain::store::UnitOfWork;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::query::filter;
use crate::extract::{Caller, Command, Id, IfMatch, List};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::holds::{CreateHoldRequest, HoldQuery, HoldView, ReleaseHoldRequest};

fn version(record: &HoldRecord) -> i32 {
    i32::try_from(record.hold.version).unwrap_or(i32::MAX)
}

/// List holds
///
/// Newest first. Who earns on a line sees its holds.
#[utoipa::path(operation_id = "list_holds", tag = "ledger", security(("oauth2" = ["payouts:read"])), params(List<HoldQuery>), responses((status = 200, description = "A page of holds", body = PageView<HoldView>)))]
#[get("/holds")]
async fn list_holds(app: Data<App>, list: List<HoldQuery>) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    let asked = HoldFilter {
        line: filter("line_id", query.line_id.as_deref(), LineId::parse)?,
        payee: filter("payee_id", query.payee_id.as_deref(), PayeeId::parse)?,
        state: filter("status", query.status.as_deref(), |text| HoldState::parse(text).ok_or("no such status"))?,
    };
    let page = read(&app, &caller, move |queries| queries.holds().list_holds(&asked, &page)).await?;
    Answer::page(page, &cursors, HoldView::from)
}

/// Place a hold
///
/// Puts money of a commission line aside at once: the smaller of what is asked and what of the line is not paid, what may be paid first. The rest is shown as `exposure`. A payout run that was approved to pay it is void when it is executed.
#[utoipa::path(operation_id = "create_hold", tag = "ledger", security(("oauth2" = ["payouts:write"])), request_body = CreateHoldRequest, responses((status = 201, description = "The hold", body = HoldView)))]
#[post("/holds")]
async fn create_hold(app: Data<App>, command: Command<CreateHoldRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| PlaceHold::parse(&raw.into()))?;
    once(&app, command, service::place, |placed| {
        let (id, version) = (placed.hold.id, version(&placed));
        let answer = Answer::created(format!("/v1/holds/{id}"), id.uuid(), &HoldView::from(placed))?;
        Ok(answer.with_version(version).naming(&id))
    })
    .await
}

/// Get a hold
///
/// With what of it is put aside now, and how it ended.
#[utoipa::path(operation_id = "get_hold", tag = "ledger", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The hold", example = "hold_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The hold", body = HoldView)))]
#[get("/holds/{id}")]
async fn get_hold(app: Data<App>, caller: Caller, Id(id): Id<HoldId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.holds().find_hold(id)).await?;
    let found = found.ok_or_else(Problem::not_found)?;
    let version = version(&found);
    Ok(Answer::ok(&HoldView::from(found))?.with_version(version))
}

/// Release a hold
///
/// What is left of it goes back: where it may be paid if the line's own hold has expired, otherwise where it waits. A line that is paid only after its provider gets back what it was taken from.
#[utoipa::path(operation_id = "release_hold", tag = "ledger", security(("oauth2" = ["payouts:write"])), params(("id" = String, Path, description = "The hold", example = "hold_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw.", example = "\"1\"")), request_body = ReleaseHoldRequest, responses((status = 200, description = "The hold, released", body = HoldView)))]
#[post("/holds/{id}/release")]
async fn release_hold(
    app: Data<App>,
    Id(id): Id<HoldId>,
    IfMatch(seen): IfMatch,
    command: Command<ReleaseHoldRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| grounds(raw.reason.as_deref()))?;
    let on = OnHold { id, version: seen };
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, reason: &Grounds| service::release(uow, env, on, reason);
    once(&app, command, work, move |altered: Altered<HoldRecord>| {
        let version = version(&altered.after);
        let (before, after) = (HoldView::from(altered.before), HoldView::from(altered.after));
        Answer::ok(&after)?.with_version(version).about(id.uuid()).naming(&id).altering(&before, &after)
    })
    .await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(list_holds).service(create_hold).service(release_hold).service(get_hold);
}
