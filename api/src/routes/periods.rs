//! Accounting periods: shown, closed and reopened by two people.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::access::audit::Altered;
use domain::directory::text::Grounds;
use domain::env::Env;
use domain::kernel::Digest;
use domain::kernel::ids::AccountingPeriodId;
use domain::ledger::book;
use domain::ledger::closing::{self, OnPeriod, PeriodError};
use domain::ledger::period::{self, Period};
use domain::payouts::command;
use domain::store::{Queries, UnitOfWork};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Caller, Command, Id, IfMatch, List};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::manual_requests::ApproveSeenRequest;
use crate::views::payouts::DecideRunRequest;
use crate::views::periods::{ClosePeriodRequest, PeriodDetailView, PeriodQuery, PeriodView};

fn etag(period: &Period) -> i32 {
    i32::try_from(period.version).unwrap_or(i32::MAX)
}

fn decided(altered: Altered<Period>) -> Result<Answer, Problem> {
    let id = altered.after.month.id();
    let (before, after) = (PeriodView::from(&altered.before), PeriodView::from(&altered.after));
    let answer = Answer::ok(&PeriodDetailView::from(&altered.after))?.with_version(etag(&altered.after));
    answer.about(id.uuid()).naming(&id).altering(&before, &after)
}

/// List accounting periods
///
/// Months, newest first: those to which something happened, and the two years up to now. For those who see everything.
#[utoipa::path(operation_id = "list_accounting_periods", tag = "ledger", security(("oauth2" = ["ledger:read"])), params(List<PeriodQuery>), responses((status = 200, description = "A page of months", body = PageView<PeriodView>)))]
#[get("/accounting-periods")]
async fn list_accounting_periods(app: Data<App>, list: List<PeriodQuery>) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let today = app.clock.now().sydney_date();
    let whole = book::whole(&caller.actor).is_ok();
    let shown = move |queries: &mut dyn Queries| {
        let periods = if whole { period::shown(queries.periods().list_periods()?, today) } else { Vec::new() };
        period::page_of(periods, &page)
    };
    let page = read(&app, &caller, shown).await?;
    Answer::page(page, &cursors, |period| PeriodView::from(&period))
}

/// Get an accounting period
///
/// With its trial balance, once somebody asked for it to be closed.
#[utoipa::path(operation_id = "get_accounting_period", tag = "ledger", security(("oauth2" = ["ledger:read"])), params(("id" = String, Path, description = "The period", example = "period_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The period", body = PeriodDetailView)))]
#[get("/accounting-periods/{id}")]
async fn get_accounting_period(
    app: Data<App>,
    caller: Caller,
    Id(id): Id<AccountingPeriodId>,
) -> Result<Answer, Problem> {
    book::whole(&caller.actor)?;
    let kept = read(&app, &caller, |queries| queries.periods().list_periods()).await?;
    let shown = period::shown(kept, app.clock.now().sydney_date());
    let found = shown.into_iter().find(|period| period.month.id() == id);
    let period = found.ok_or_else(Problem::not_found)?;
    Ok(Answer::ok(&PeriodDetailView::from(&period))?.with_version(etag(&period)))
}

/// Ask for a month to be closed
///
/// After it has ended, right after the one before. Draws up its trial balance, whose digest somebody else approves; until then it takes entries still.
#[utoipa::path(operation_id = "close_accounting_period", tag = "ledger", security(("oauth2" = ["ledger:write"])), params(("id" = String, Path, description = "The period", example = "period_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw; optional, since the digest or the key guards.", example = "\"1\"")), request_body = ClosePeriodRequest, responses((status = 200, description = "The period, with the trial balance to approve", body = PeriodDetailView)))]
#[post("/accounting-periods/{id}/close")]
async fn close_accounting_period(
    app: Data<App>,
    Id(id): Id<AccountingPeriodId>,
    IfMatch(version): IfMatch,
    command: Command<ClosePeriodRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| command::grounds(raw.reason.as_deref()))?;
    let on = OnPeriod { id, version };
    let work =
        move |uow: &mut dyn UnitOfWork, env: &Env<'_>, reason: &Grounds| closing::close(uow, env, on, Some(reason));
    once::<_, _, PeriodError>(&app, command, work, decided).await
}

/// Ask for a month to be reopened
///
/// The one that was closed last; somebody else approves it.
#[utoipa::path(operation_id = "reopen_accounting_period", tag = "ledger", security(("oauth2" = ["ledger:write"])), params(("id" = String, Path, description = "The period", example = "period_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw; optional, since the digest or the key guards.", example = "\"1\"")), request_body = DecideRunRequest, responses((status = 200, description = "The period, still closed", body = PeriodDetailView)))]
#[post("/accounting-periods/{id}/reopen")]
async fn reopen_accounting_period(
    app: Data<App>,
    Id(id): Id<AccountingPeriodId>,
    IfMatch(version): IfMatch,
    command: Command<DecideRunRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| command::grounds(raw.reason.as_deref()))?;
    let on = OnPeriod { id, version };
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, reason: &Grounds| closing::reopen(uow, env, on, reason);
    once::<_, _, PeriodError>(&app, command, work, decided).await
}

/// Approve the closing or reopening of a month
///
/// As somebody else than who asked, naming the trial balance by its digest. A closed month takes no entry: what would take effect in it does so on the first open day.
#[utoipa::path(operation_id = "approve_accounting_period", tag = "ledger", security(("oauth2" = ["ledger:approve"])), params(("id" = String, Path, description = "The period", example = "period_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw; optional, since the digest or the key guards.", example = "\"1\"")), request_body = ApproveSeenRequest, responses((status = 200, description = "The period, closed or open again", body = PeriodDetailView)))]
#[post("/accounting-periods/{id}/approve")]
async fn approve_accounting_period(
    app: Data<App>,
    Id(id): Id<AccountingPeriodId>,
    IfMatch(version): IfMatch,
    command: Command<ApproveSeenRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| command::seen_content(raw.content_sha256.as_deref()))?;
    let on = OnPeriod { id, version };
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, seen: &Digest| closing::approve(uow, env, on, *seen);
    once::<_, _, PeriodError>(&app, command, work, decided).await
}

/// Reject the closing or reopening of a month
///
/// It stays as it was.
#[utoipa::path(operation_id = "reject_accounting_period", tag = "ledger", security(("oauth2" = ["ledger:approve"])), params(("id" = String, Path, description = "The period", example = "period_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw; optional, since the digest or the key guards.", example = "\"1\"")), request_body = DecideRunRequest, responses((status = 200, description = "The period, as it was", body = PeriodDetailView)))]
#[post("/accounting-periods/{id}/reject")]
async fn reject_accounting_period(
    app: Data<App>,
    Id(id): Id<AccountingPeriodId>,
    IfMatch(version): IfMatch,
    command: Command<DecideRunRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| command::grounds(raw.reason.as_deref()))?;
    let on = OnPeriod { id, version };
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, reason: &Grounds| closing::reject(uow, env, on, reason);
    once::<_, _, PeriodError>(&app, command, work, decided).await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_accounting_periods)
        .service(close_accounting_period)
        .service(reopen_accounting_period)
        .service(approve_accounting_period)
        .service(reject_accounting_period)
        .service(get_accounting_period);
}
