//! Another bank account for a payee: proposed by one person, approved by a second one.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::directory::PrefixDirectory;
use domain::directory::bank_change::{self, ApproveBankChange, ProposeBankChange};
use domain::env::Env;
use domain::kernel::ids::PayeeId;
use domain::store::UnitOfWork;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Command, Id, List};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::bank_changes::{ApproveBankChangeRequest, BankChangeQuery, BankChangeView, ProposeBankChangeRequest};

/// List the changes of a payee's bank account
///
/// Newest first; account numbers are shown in part.
#[utoipa::path(operation_id = "list_bank_changes", tag = "directory", security(("oauth2" = ["directory:read"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<BankChangeQuery>), responses((status = 200, description = "A page of changes", body = PageView<BankChangeView>)))]
#[get("/payees/{id}/bank-details")]
async fn list_bank_changes(
    app: Data<App>,
    list: List<BankChangeQuery>,
    Id(id): Id<PayeeId>,
) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let page = read(&app, &caller, move |queries| match queries.directory().find_payee(id)? {
        Some(_) => queries.bank_changes().list_bank_changes(id, &page).map(Some),
        None => Ok(None),
    })
    .await?;
    Answer::page(page.ok_or_else(Problem::not_found)?, &cursors, BankChangeView::from)
}

/// Propose another bank account for a payee
///
/// A second person approves it. A newer proposal replaces the one that waits; until the approval the payee is paid to the
/// account that it has.
#[utoipa::path(operation_id = "propose_bank_change", tag = "directory", security(("oauth2" = ["directory:write"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = ProposeBankChangeRequest, responses((status = 201, description = "The change, which waits", body = BankChangeView)))]
#[post("/payees/{id}/bank-details")]
async fn propose_bank_change(
    app: Data<App>,
    Id(payee): Id<PayeeId>,
    command: Command<ProposeBankChangeRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| ProposeBankChange::parse(&raw.into(), &PrefixDirectory))?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &ProposeBankChange| {
        bank_change::propose(uow, env, payee, command)
    };
    once(&app, command, work, move |change| {
        let location = format!("/v1/payees/{payee}/bank-details");
        let answer = Answer::created(location, payee.uuid(), &BankChangeView::from(change))?;
        Ok(answer.naming(&payee).private())
    })
    .await
}

/// Approve another bank account for a payee
///
/// Somebody else than who proposed it. BSB and account number are typed again, as the payee told them by another way, and must
/// be those that were proposed. For 48 hours after the approval nothing is paid to the payee.
#[utoipa::path(operation_id = "approve_bank_change", tag = "directory", security(("oauth2" = ["payouts:approve"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = ApproveBankChangeRequest, responses((status = 200, description = "The change, approved", body = BankChangeView)))]
#[post("/payees/{id}/bank-details/approve")]
async fn approve_bank_change(
    app: Data<App>,
    Id(payee): Id<PayeeId>,
    command: Command<ApproveBankChangeRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| ApproveBankChange::parse(&raw.into()))?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &ApproveBankChange| {
        bank_change::approve(uow, env, payee, command)
    };
    once(&app, command, work, move |altered| {
        let (before, after) = (BankChangeView::from(altered.before), BankChangeView::from(altered.after));
        Answer::ok(&after)?.about(payee.uuid()).naming(&payee).private().altering(&before, &after)
    })
    .await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(approve_bank_change).service(propose_bank_change).service(list_bank_changes);
}
