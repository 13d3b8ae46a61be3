//! Write-offs by two people, and what is available but not yet funded.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::env::Env;
use domain::kernel::ids::WriteOffId;
use domain::ledger::book;
use domain::provider_statements::write_off::{self, Decision, OnWriteOff, ProposeWriteOff};
use domain::provider_statements::{WriteOff, WriteOffState};
use domain::store::UnitOfWork;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Caller, Command, Empty, Id, IfMatch, List, query};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::provider_statements::{CreateWriteOffRequest, FundingReportView, WriteOffQuery, WriteOffView};

fn decided((before, after): (WriteOff, WriteOff)) -> Result<Answer, Problem> {
    let (id, version) = (after.id.uuid(), i32::try_from(after.version).unwrap_or(i32::MAX));
    let (before, view) = (WriteOffView::from(before), WriteOffView::from(after));
    Answer::ok(&view)?.with_version(version).about(id).altering(&before, &view)
}

/// List write-offs
///
/// Newest first.
#[utoipa::path(operation_id = "list_write_offs", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(List<WriteOffQuery>), responses((status = 200, description = "A page of write-offs", body = PageView<WriteOffView>)))]
#[get("/write-offs")]
async fn list_write_offs(app: Data<App>, list: List<WriteOffQuery>) -> Result<Answer, Problem> {
    let List { caller, query: asked, page, cursors } = list;
    let state = |text: &str| WriteOffState::parse(text).ok_or("no such status");
    let state = query::filter("status", asked.status.as_deref(), state)?;
    let page = read(&app, &caller, move |queries| queries.provider_statements().list_write_offs(state, &page)).await?;
    Answer::page(page, &cursors, WriteOffView::from)
}

/// Propose a write-off
///
/// Of what a provider owes for a deal, or for a month of its trail, and will not pay: at most what is open. A second person approves it.
#[utoipa::path(operation_id = "create_write_off", tag = "payouts", security(("oauth2" = ["payouts:write"])), request_body = CreateWriteOffRequest, responses((status = 201, description = "The write-off, proposed", body = WriteOffView)))]
#[post("/write-offs")]
async fn create_write_off(app: Data<App>, command: Command<CreateWriteOffRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| ProposeWriteOff::parse(&raw.into()))?;
    once(&app, command, write_off::propose, |proposed| {
        let id = proposed.id;
        Ok(Answer::created("/v1/write-offs".to_owned(), id.uuid(), &WriteOffView::from(proposed))?.naming(&id))
    })
    .await
}

/// Approve a write-off
///
/// Somebody else than who proposed it. Posts the entry; refused when less is open by now.
#[utoipa::path(operation_id = "approve_write_off", tag = "payouts", security(("oauth2" = ["payouts:approve"])), params(("id" = String, Path, description = "The write-off", example = "writeoff_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw.", example = "\"1\"")), responses((status = 200, description = "The write-off, approved", body = WriteOffView)))]
#[post("/write-offs/{id}/approve")]
async fn approve_write_off(
    app: Data<App>,
    Id(id): Id<WriteOffId>,
    IfMatch(version): IfMatch,
    command: Command<Empty>,
) -> Result<Answer, Problem> {
    let on = OnWriteOff { id, version };
    let work =
        move |uow: &mut dyn UnitOfWork, env: &Env<'_>, _: &Empty| write_off::decide(uow, env, on, Decision::Approve);
    once(&app, command, work, decided).await
}

/// Reject a write-off
///
/// Somebody else than who proposed it. Its exception is open again.
#[utoipa::path(operation_id = "reject_write_off", tag = "payouts", security(("oauth2" = ["payouts:approve"])), params(("id" = String, Path, description = "The write-off", example = "writeoff_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw.", example = "\"1\"")), responses((status = 200, description = "The write-off, rejected", body = WriteOffView)))]
#[post("/write-offs/{id}/reject")]
async fn reject_write_off(
    app: Data<App>,
    Id(id): Id<WriteOffId>,
    IfMatch(version): IfMatch,
    command: Command<Empty>,
) -> Result<Answer, Problem> {
    let on = OnWriteOff { id, version };
    let work =
        move |uow: &mut dyn UnitOfWork, env: &Env<'_>, _: &Empty| write_off::decide(uow, env, on, Decision::Reject);
    once(&app, command, work, decided).await
}

/// Get the funding of what is available
///
/// Per provider: what it owes and paid, what payees may be paid, and what of that it has not paid for yet.
#[utoipa::path(operation_id = "get_ledger_funding", tag = "ledger", security(("oauth2" = ["ledger:read"])), responses((status = 200, description = "One row per provider", body = FundingReportView)))]
#[get("/ledger/funding")]
async fn get_ledger_funding(app: Data<App>, caller: Caller) -> Result<Answer, Problem> {
    book::whole(&caller.actor)?;
    let rows = read(&app, &caller, |queries| queries.provider_statements().funding()).await?;
    Answer::ok(&FundingReportView::from(rows))
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_write_offs)
        .service(create_write_off)
        .service(approve_write_off)
        .service(reject_write_off)
        .service(get_ledger_funding);
}
