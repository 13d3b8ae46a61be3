//! What payees are to the tax office: registration for GST, agreements that we write their invoices, statements.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::env::Env;
use domain::kernel::ids::PayeeId;
use domain::store::UnitOfWork;
use domain::tax::facts::{EndRctiAgreement, RecordGstStatus, RecordRctiAgreement, RecordSupplierStatement};
use domain::tax::service;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Caller, Command, Id};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::payee_tax::{
    CreateRctiAgreementRequest, CreateSupplierStatementRequest, EndRctiAgreementRequest, GstStatusView,
    RctiAgreementView, RecordGstStatusRequest, SupplierStatementView,
};

/// List a payee's registration for GST
///
/// The facts as they came. The answer on a day is the last fact on or before it; of two from one day the later one counts.
#[utoipa::path(operation_id = "list_gst_status", tag = "directory", security(("oauth2" = ["directory:read"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The facts", body = PageView<GstStatusView>)))]
#[get("/payees/{id}/gst-status")]
async fn list_gst_status(app: Data<App>, caller: Caller, Id(id): Id<PayeeId>) -> Result<Answer, Problem> {
    let facts = read(&app, &caller, move |queries| match queries.directory().find_payee(id)? {
        Some(_) => queries.tax().list_gst_facts(id).map(Some),
        None => Ok(None),
    })
    .await?;
    Answer::whole(facts.ok_or_else(Problem::not_found)?, GstStatusView::from)
}

/// Tell of a payee's registration for GST
///
/// A fact with its first day; nothing that was told before is changed. GST on a payment needs registration at the supply and at the issue of the invoice: where they differ, the payment waits for somebody.
#[utoipa::path(operation_id = "create_gst_status", tag = "directory", security(("oauth2" = ["directory:write"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = RecordGstStatusRequest, responses((status = 201, description = "The fact", body = GstStatusView)))]
#[post("/payees/{id}/gst-status")]
async fn create_gst_status(
    app: Data<App>,
    Id(payee): Id<PayeeId>,
    command: Command<RecordGstStatusRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| RecordGstStatus::parse(raw.registered, raw.from_on.as_deref()))?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &RecordGstStatus| {
        service::record_gst_status(uow, env, payee, command)
    };
    once(&app, command, work, move |fact| {
        let location = format!("/v1/payees/{payee}/gst-status");
        Ok(Answer::created(location, payee.uuid(), &GstStatusView::from(fact))?.naming(&payee))
    })
    .await
}

/// List a payee's agreements that we write its invoices
///
/// Oldest first.
#[utoipa::path(operation_id = "list_rcti_agreements", tag = "directory", security(("oauth2" = ["directory:read"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The agreements", body = PageView<RctiAgreementView>)))]
#[get("/payees/{id}/rcti-agreements")]
async fn list_rcti_agreements(app: Data<App>, caller: Caller, Id(id): Id<PayeeId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| match queries.directory().find_payee(id)? {
        Some(_) => queries.tax().list_rcti_agreements(id).map(Some),
        None => Ok(None),
    })
    .await?;
    Answer::whole(found.ok_or_else(Problem::not_found)?, RctiAgreementView::from)
}

/// Record that a payee agreed that we write its invoices
///
/// A payee that is registered for GST is paid with a recipient created tax invoice, which needs such an agreement in force (LI 2023/20).
#[utoipa::path(operation_id = "create_rcti_agreement", tag = "directory", security(("oauth2" = ["directory:write"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = CreateRctiAgreementRequest, responses((status = 201, description = "The agreement", body = RctiAgreementView)))]
#[post("/payees/{id}/rcti-agreements")]
async fn create_rcti_agreement(
    app: Data<App>,
    Id(payee): Id<PayeeId>,
    command: Command<CreateRctiAgreementRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| {
        let accepted_by = raw.accepted_by_contact_id.as_deref();
        RecordRctiAgreement::parse(raw.wording_version.as_deref(), accepted_by, raw.accepted_on.as_deref())
    })?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &RecordRctiAgreement| {
        service::record_rcti_agreement(uow, env, payee, command)
    };
    once(&app, command, work, move |agreement| {
        let location = format!("/v1/payees/{payee}/rcti-agreements");
        Ok(Answer::created(location, payee.uuid(), &RctiAgreementView::from(agreement))?.naming(&payee))
    })
    .await
}

/// End an agreement that we write a payee's invoices
///
/// From its day on no invoice is written under it; those that were stay.
#[utoipa::path(operation_id = "end_rcti_agreement", tag = "directory", security(("oauth2" = ["directory:write"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = EndRctiAgreementRequest, responses((status = 200, description = "The agreement, ended", body = RctiAgreementView)))]
#[post("/payees/{id}/rcti-agreements/end")]
async fn end_rcti_agreement(
    app: Data<App>,
    Id(payee): Id<PayeeId>,
    command: Command<EndRctiAgreementRequest>,
) -> Result<Answer, Problem> {
    let command =
        command.parse(|raw| EndRctiAgreement::parse(raw.rcti_agreement_id.as_deref(), raw.ended_on.as_deref()))?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &EndRctiAgreement| {
        service::end_rcti_agreement(uow, env, payee, command)
    };
    once(&app, command, work, move |agreement| {
        Ok(Answer::ok(&RctiAgreementView::from(agreement))?.about(payee.uuid()).naming(&payee))
    })
    .await
}

/// List a payee's statements why it quotes no ABN
///
/// Oldest first.
#[utoipa::path(operation_id = "list_supplier_statements", tag = "directory", security(("oauth2" = ["directory:read"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The statements", body = PageView<SupplierStatementView>)))]
#[get("/payees/{id}/withholding")]
async fn list_supplier_statements(app: Data<App>, caller: Caller, Id(id): Id<PayeeId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| match queries.directory().find_payee(id)? {
        Some(_) => queries.tax().list_supplier_statements(id).map(Some),
        None => Ok(None),
    })
    .await?;
    Answer::whole(found.ok_or_else(Problem::not_found)?, SupplierStatementView::from)
}

/// Put a supplier's statement on file
///
/// While it holds, nothing is withheld from a payee without ABN (TAA 1953, schedule 1, section 12-190).
#[utoipa::path(operation_id = "create_supplier_statement", tag = "directory", security(("oauth2" = ["directory:write"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = CreateSupplierStatementRequest, responses((status = 201, description = "The statement", body = SupplierStatementView)))]
#[post("/payees/{id}/withholding")]
async fn create_supplier_statement(
    app: Data<App>,
    Id(payee): Id<PayeeId>,
    command: Command<CreateSupplierStatementRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| {
        RecordSupplierStatement::parse(raw.reason.as_deref(), raw.from_on.as_deref(), raw.to_on.as_deref())
    })?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &RecordSupplierStatement| {
        service::record_supplier_statement(uow, env, payee, command)
    };
    once(&app, command, work, move |statement| {
        let location = format!("/v1/payees/{payee}/withholding");
        Ok(Answer::created(location, payee.uuid(), &SupplierStatementView::from(statement))?.naming(&payee))
    })
    .await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_gst_status)
        .service(create_gst_status)
        .service(list_rcti_agreements)
        .service(end_rcti_agreement)
        .service(create_rcti_agreement)
        .service(list_supplier_statements)
        .service(create_supplier_statement);
}
