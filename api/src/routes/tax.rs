//! Tax papers, what the tax office is told and paid.

use actix_web::web::Data;
use actix_web::{HttpRequest, get, post};
use domain::env::Env;
use domain::kernel::ids::{PayeeId, PayoutId, TaxDocumentId, TaxRemittanceId};
use domain::ledger::book;
use domain::store::UnitOfWork;
use domain::tax::DocumentKind;
use domain::tax::document::Content;
use domain::tax::remit::{self, ProposeRemittance};
use domain::tax::report::{self, Quarter};
use domain::tax::repository::{DocumentFilter, DocumentRecord};
use integrations::paper;
use jiff::civil::Date;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking, read};
use crate::extract::query::filter;
use crate::extract::{Caller, Command, Empty, Filter, Id, List, ListQuery, Unfiltered};
use crate::http::media::prefers;
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::tax::{
    BasPeriodView, CreateTaxRemittanceRequest, TaxDocumentDetailView, TaxDocumentView, TaxRemittanceView,
    WithholdingReportView,
};

const PDF: &str = "application/pdf";

/// Which papers are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DocumentQuery {
    /// Of one payee.
    payee_id: Option<String>,
    /// Of one payout.
    payout_id: Option<String>,
    /// `rcti`, `adjustment_note`, `remittance_statement` or `payment_summary`.
    #[param(example = "rcti")]
    kind: Option<String>,
    /// Of one financial year, by the year in which it ends.
    #[param(example = "2027")]
    financial_year: Option<String>,
}

impl ListQuery for DocumentQuery {}

/// Which year is asked for, and in what form.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReportQuery {
    /// The financial year, by the year in which it ends.
    #[param(example = "2027")]
    financial_year: String,
    /// `json` (the default) or `csv`.
    #[param(example = "csv")]
    format: Option<String>,
}

/// Which quarters are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PeriodQuery {
    /// A day of the first quarter.
    #[param(example = "2026-07-01")]
    from: String,
    /// A day of the last quarter.
    #[param(example = "2027-06-30")]
    to: String,
}

/// Not a word of a filter.
struct Unknown(&'static str);

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

fn kind(text: &str) -> Result<DocumentKind, Unknown> {
    DocumentKind::parse(text).ok_or(Unknown("there is no such kind of tax paper"))
}

fn year(text: &str) -> Result<i32, Unknown> {
    let plain = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| plain).ok_or(Unknown("expected the year in which it ends, e.g. 2027"))
}

fn day(text: &str) -> Result<Date, Unknown> {
    text.parse().map_err(|_| Unknown("expected a date such as 2026-07-01"))
}

/// List tax papers
///
/// Newest first; partners and members see those of their own payees.
#[utoipa::path(operation_id = "list_tax_documents", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(List<DocumentQuery>), responses((status = 200, description = "A page of papers", body = PageView<TaxDocumentView>)))]
#[get("/tax-documents")]
async fn list_tax_documents(app: Data<App>, list: List<DocumentQuery>) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    let asked = DocumentFilter {
        payee: filter("payee_id", query.payee_id.as_deref(), PayeeId::parse)?,
        payout: filter("payout_id", query.payout_id.as_deref(), PayoutId::parse)?,
        kind: filter("kind", query.kind.as_deref(), kind)?,
        financial_year: filter("financial_year", query.financial_year.as_deref(), year)?,
    };
    let page = read(&app, &caller, move |queries| queries.tax().list_documents(&asked, &page)).await?;
    Answer::page(page, &cursors, TaxDocumentView::from)
}

/// Get a tax paper
///
/// With its exact text, whose digest is its `sha256` and its `ETag`. `Accept: application/pdf` gets its PDF, as `/pdf` does.
#[utoipa::path(operation_id = "get_tax_document", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The paper", example = "taxdoc_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The paper", content((TaxDocumentDetailView = "application/json"), (Vec<u8> = "application/pdf")))))]
#[get("/tax-documents/{id}")]
async fn get_tax_document(
    app: Data<App>,
    caller: Caller,
    Id(id): Id<TaxDocumentId>,
    request: HttpRequest,
) -> Result<Answer, Problem> {
    if prefers(request.headers(), PDF, "application/json") {
        return pdf_of(&app, &caller, id).await;
    }
    let (record, content) = found(&app, &caller, id).await?;
    let etag = record.sha256.to_string();
    Ok(Answer::ok(&TaxDocumentDetailView::new(record, &content))?.with_etag(&etag))
}

/// Get a tax paper as PDF
///
/// Made of the paper's text alone: the same paper gives the same bytes. The `ETag` is the SHA-256 of the PDF.
#[utoipa::path(operation_id = "get_tax_document_pdf", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The paper", example = "taxdoc_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The paper", body = Vec<u8>, content_type = "application/pdf")))]
#[get("/tax-documents/{id}/pdf")]
async fn get_tax_document_pdf(app: Data<App>, caller: Caller, Id(id): Id<TaxDocumentId>) -> Result<Answer, Problem> {
    pdf_of(&app, &caller, id).await
}

/// A paper that the caller may see, and its exact text.
async fn found(app: &Data<App>, caller: &Caller, id: TaxDocumentId) -> Result<(DocumentRecord, Vec<u8>), Problem> {
    let found = read(app, caller, move |queries| queries.tax().find_document(id)).await?;
    found.ok_or_else(Problem::not_found)
}

async fn pdf_of(app: &Data<App>, caller: &Caller, id: TaxDocumentId) -> Result<Answer, Problem> {
    let (_, content) = found(app, caller, id).await?;
    let pdf = blocking(move || {
        let content = Content::restore(&content).map_err(|error| Problem::internal(&error))?;
        paper::pdf(&content).map_err(|error| Problem::internal(&error))
    })
    .await??;
    let etag = domain::kernel::Digest::of(&pdf).to_string();
    Ok(Answer::bytes(PDF, pdf).with_etag(&etag))
}

/// Report what was withheld in a year
///
/// Where no ABN was quoted, by payee: the annual report, due on 31 October. As JSON or, with `format=csv`, as CSV.
#[utoipa::path(operation_id = "get_withholding_report", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(ReportQuery), responses((status = 200, description = "The report", content((WithholdingReportView = "application/json"), (String = "text/csv")))))]
#[get("/withholding-report")]
async fn get_withholding_report(
    app: Data<App>,
    caller: Caller,
    Filter(query): Filter<ReportQuery>,
) -> Result<Answer, Problem> {
    let financial_year = filter("financial_year", Some(query.financial_year.as_str()), year)?.unwrap_or_default();
    let csv = match query.format.as_deref() {
        None | Some("json") => false,
        Some("csv") => true,
        Some(_) => return Err(Problem::malformed_at("#format", "unknown_value", "format is one of: json, csv")),
    };
    let found = read(&app, &caller, move |queries| queries.tax().withheld(financial_year)).await?;
    if csv {
        let bytes = report::withheld_csv(&found).map_err(|error| Problem::internal(&error))?;
        return Ok(Answer::bytes("text/csv; charset=utf-8", bytes));
    }
    Answer::ok(&WithholdingReportView::new(financial_year, found))
}

/// List what activity statements say by quarter
///
/// Sums of the ledger's own postings by the date on which they take effect. For those who see everything.
#[utoipa::path(operation_id = "list_bas_periods", tag = "payouts", security(("oauth2" = ["ledger:read"])), params(PeriodQuery), responses((status = 200, description = "The quarters with any tax", body = PageView<BasPeriodView>)))]
#[get("/bas-periods")]
async fn list_bas_periods(
    app: Data<App>,
    caller: Caller,
    Filter(query): Filter<PeriodQuery>,
) -> Result<Answer, Problem> {
    book::whole(&caller.actor)?;
    let from = filter("from", Some(query.from.as_str()), day)?.map(|on| Quarter::of(on).from).unwrap_or(Date::MIN);
    let to = filter("to", Some(query.to.as_str()), day)?.map(|on| Quarter::of(on).to).unwrap_or(Date::MAX);
    let totals = read(&app, &caller, move |queries| queries.tax().quarter_totals(from, to)).await?;
    Answer::whole(totals, BasPeriodView::from)
}

/// List payments to the tax office
///
/// Newest first.
#[utoipa::path(operation_id = "list_tax_remittances", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(List<Unfiltered>), responses((status = 200, description = "A page of payments", body = PageView<TaxRemittanceView>)))]
#[get("/tax-remittances")]
async fn list_tax_remittances(app: Data<App>, list: List<Unfiltered>) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let page = read(&app, &caller, move |queries| queries.tax().list_remittances(&page)).await?;
    Answer::page(page, &cursors, TaxRemittanceView::from)
}

/// Propose a payment to the tax office
///
/// Over what the books say of a quarter that has ended: GST collected, less GST paid, and what was withheld. Somebody else approves it.
#[utoipa::path(operation_id = "create_tax_remittance", tag = "payouts", security(("oauth2" = ["payouts:write"])), request_body = CreateTaxRemittanceRequest, responses((status = 201, description = "The payment, proposed", body = TaxRemittanceView)))]
#[post("/tax-remittances")]
async fn create_tax_remittance(
    app: Data<App>,
    command: Command<CreateTaxRemittanceRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| {
        let account = raw.bank_account_id.as_deref();
        ProposeRemittance::parse(raw.quarter_from.as_deref(), account, raw.paid_on.as_deref())
    })?;
    once(&app, command, remit::propose, |made| {
        let location = format!("/v1/tax-remittances/{}", made.id);
        Answer::created(location, made.id.uuid(), &TaxRemittanceView::from(made))
    })
    .await
}

/// Approve a payment to the tax office
///
/// As somebody else than who proposed it, while the books still say the same. Posts its entry; a quarter is settled once.
#[utoipa::path(operation_id = "approve_tax_remittance", tag = "payouts", security(("oauth2" = ["payouts:approve"])), params(("id" = String, Path, description = "The payment", example = "remittance_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The payment, approved", body = TaxRemittanceView)))]
#[post("/tax-remittances/{id}/approve")]
async fn approve_tax_remittance(
    app: Data<App>,
    Id(id): Id<TaxRemittanceId>,
    command: Command<Empty>,
) -> Result<Answer, Problem> {
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, _: &Empty| remit::approve(uow, env, id);
    once(&app, command, work, move |done| Ok(Answer::ok(&TaxRemittanceView::from(done))?.about(id.uuid()))).await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_tax_documents)
        .service(get_tax_document_pdf)
        .service(get_tax_document)
        .service(get_withholding_report)
        .service(list_bas_periods)
        .service(list_tax_remittances)
        .service(create_tax_remittance)
        .service(approve_tax_remittance);
}
