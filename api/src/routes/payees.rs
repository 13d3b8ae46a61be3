//! Payees: who gets paid.

use actix_web::web::Data;
use actix_web::{get, patch, post};
use domain::directory::record::PayeeFilter;
use domain::directory::update::UpdatePayee;
use domain::directory::{CreatePayee, PayeeRecord, PrefixDirectory, Rail, service};
use domain::kernel::ids::{MemberId, OrganisationId, PayeeId};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::query::filter;
use crate::extract::{Caller, Change, Command, Id, List};
use crate::once::{change, once};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::directory::PayeeView;
use crate::views::directory_requests::{CreatePayeeRequest, PayeeQuery, UpdatePayeeRequest, in_dollars};

fn payee(record: PayeeRecord) -> Result<Answer, Problem> {
    let version = record.version;
    Ok(Answer::ok(&PayeeView::from(record))?.with_version(version))
}

/// List payees
///
/// In the order of their creation.
#[utoipa::path(operation_id = "list_payees", tag = "directory", security(("oauth2" = ["directory:read"])), params(List<PayeeQuery>), responses((status = 200, description = "A page of payees", body = PageView<PayeeView>)))]
#[get("/payees")]
async fn list_payees(app: Data<App>, list: List<PayeeQuery>) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    let filter = PayeeFilter {
        organisation: filter("organisation_id", query.organisation_id.as_deref(), OrganisationId::parse)?,
        member: filter("member_id", query.member_id.as_deref(), MemberId::parse)?,
        rail: filter("rail", query.rail.as_deref(), Rail::parse)?,
    };
    let page = read(&app, &caller, move |queries| queries.directory().list_payees(&filter, &page)).await?;
    Answer::page(page, &cursors, PayeeView::from)
}

/// Create a payee
///
/// ABN and BSB are verified. With `member_id`, what the member earns from `from_on` on goes to this payee. When the member has a payee already, the account waits for a second person: it is proposed as `POST /v1/payees/{id}/bank-details` would, and nothing is paid to it until it is approved and has cooled off.
#[utoipa::path(operation_id = "create_payee", tag = "directory", security(("oauth2" = ["directory:write"])), request_body = CreatePayeeRequest, responses((status = 201, description = "The payee", body = PayeeView)))]
#[post("/payees")]
async fn create_payee(app: Data<App>, command: Command<CreatePayeeRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| {
        let minimum = raw.minimum_payout.clone();
        in_dollars(minimum.as_ref(), CreatePayee::parse(&raw.into(), &PrefixDirectory))
    })?;
    once(&app, command, service::create_payee, |record| {
        let (id, version) = (record.payee.id, record.version);
        let location = format!("/v1/payees/{id}");
        Ok(Answer::created(location, id.uuid(), &PayeeView::from(record))?.with_version(version).private())
    })
    .await
}

/// Get a payee
///
/// Its account number is shown in part.
#[utoipa::path(operation_id = "get_payee", tag = "directory", security(("oauth2" = ["directory:read"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The payee", body = PayeeView)))]
#[get("/payees/{id}")]
async fn get_payee(app: Data<App>, caller: Caller, Id(id): Id<PayeeId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.directory().find_payee(id)).await?;
    payee(found.ok_or_else(Problem::not_found)?)
}

/// Change a payee
///
/// Its name, ABN, GST registration, minimum. Bank details change by another way, with a second person's approval.
#[utoipa::path(operation_id = "update_payee", tag = "directory", security(("oauth2" = ["directory:write"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = UpdatePayeeRequest, responses((status = 200, description = "The payee", body = PayeeView)))]
#[patch("/payees/{id}")]
async fn update_payee(
    app: Data<App>,
    Id(id): Id<PayeeId>,
    body: Change<UpdatePayeeRequest>,
) -> Result<Answer, Problem> {
    let body = body.parse(|raw| {
        let minimum = raw.minimum_payout.clone();
        in_dollars(minimum.as_ref(), UpdatePayee::parse(&raw.into()))
    })?;
    change(
        &app,
        body,
        move |uow, env, change| service::update_payee(uow, env, id, change.if_match, &change.body),
        move |altered| {
            let (before, after) = (PayeeView::from(altered.before), PayeeView::from(altered.after.clone()));
            payee(altered.after)?.about(id.uuid()).altering(&before, &after)
        },
    )
    .await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    super::bank_changes::register(config);
    super::payee_tax::register(config);
    config.service(list_payees).service(create_payee).service(get_payee).service(update_payee);
}
