//! Files of returned payments.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::env::Env;
use domain::kernel::ids::BankReturnId;
use domain::payouts::PayoutError;
use domain::payouts::returns::receive::{self, ReceiveReturns, Received};
use domain::store::UnitOfWork;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Caller, Id, List, Unfiltered, Upload};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::payouts::{BankReturnDetailView, BankReturnView};

/// Take in a file of returned payments
///
/// Direct Entry with records of type 2, one file or several behind one another. Each item is found among the payouts by reference, amount and account: its money is `available` again, also after it had arrived. Codes 1, 3, 4 and 5 block the bank details: the payee needs others before it is paid again. What is no payout stays an exception. The same file again changes nothing.
#[utoipa::path(operation_id = "create_bank_return", tag = "payouts", security(("oauth2" = ["payouts:execute"])), request_body(content = String, content_type = "text/plain", description = "The file", example = json!("0                 01CBA       FLIP 360 PTY LTD          301500RETURNS     271126")), responses((status = 201, description = "The file, taken in", body = BankReturnView), (status = 200, description = "The file was taken in before", body = BankReturnView)))]
#[post("/bank-returns")]
async fn create_bank_return(app: Data<App>, upload: Upload) -> Result<Answer, Problem> {
    let command = upload.of(&["text/plain"])?.command.parse(ReceiveReturns::parse)?;
    let work = |uow: &mut dyn UnitOfWork, env: &Env<'_>, file: &ReceiveReturns| receive::receive(uow, env, file);
    once::<_, _, PayoutError>(&app, command, work, |Received { kept, is_new }| {
        let (id, object) = (kept.id, kept.id.uuid());
        let view = BankReturnView::from(kept);
        if is_new {
            Answer::created(format!("/v1/bank-returns/{id}"), object, &view)
        } else {
            Ok(Answer::ok(&view)?.about(object).naming(&id))
        }
    })
    .await
}

/// List files of returned payments
///
/// Newest first.
#[utoipa::path(operation_id = "list_bank_returns", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(List<Unfiltered>), responses((status = 200, description = "A page of files", body = PageView<BankReturnView>)))]
#[get("/bank-returns")]
async fn list_bank_returns(app: Data<App>, list: List<Unfiltered>) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let page = read(&app, &caller, move |queries| queries.returns().list_returns(&page)).await?;
    Answer::page(page, &cursors, BankReturnView::from)
}

/// Get a file of returned payments
///
/// With its items: which payout each was, or why it is none.
#[utoipa::path(operation_id = "get_bank_return", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The file", example = "breturn_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The file", body = BankReturnDetailView)))]
#[get("/bank-returns/{id}")]
async fn get_bank_return(app: Data<App>, caller: Caller, Id(id): Id<BankReturnId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.returns().find_return(id)).await?;
    Answer::ok(&BankReturnDetailView::from(found.ok_or_else(Problem::not_found)?))
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(create_bank_return).service(list_bank_returns).service(get_bank_return);
}
