//! Statements of our own bank accounts, and the reconciliation.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::env::Env;
use domain::kernel::Faults;
use domain::kernel::ids::{BankAccountId, BankStatementId, BankStatementLineId};
use domain::payouts::PayoutError;
use domain::payouts::bank::by_hand::{self, MatchLine};
use domain::payouts::bank::csv_profile::CsvProfile;
use domain::payouts::bank::receive::{self, ReceiveStatements, Received};
use domain::payouts::bank::reconcile;
use domain::payouts::bank::statement::StatementFormat;
use domain::store::UnitOfWork;
use integrations::bank_statements::{camt, csv};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking, read};
use crate::extract::query::filter;
use crate::extract::{Caller, Command, Filter, Id, List, ListQuery, Upload};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::payouts::bank::{
    AccountQuery, BankStatementLineView, BankStatementView, BankStatementsView, MatchLineRequest, ReconciliationQuery,
    ReconciliationView,
};

impl ListQuery for AccountQuery {}

/// Nothing is asked of lines but their page.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LineQuery {}

impl ListQuery for LineQuery {
    const SORT: &'static str = "n";
    const DATED: bool = false;
}

impl IntoParams for LineQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Vec::new()
    }
}

fn account(text: Option<&str>) -> Result<Option<BankAccountId>, Problem> {
    filter("bank_account_id", text, BankAccountId::parse)
}

/// Take in bank statements
///
/// A camt.053 document (001.02 or 001.08; it says whose account it is), or a CSV by the profile of the account that is named. A debit over exactly the total of a bank file settles every payout of it that has not come back; a credit that names payouts by their references brings them back; what is left is `unmatched`. The same document again changes nothing.
#[utoipa::path(operation_id = "create_bank_statement", tag = "payouts", security(("oauth2" = ["payouts:execute"])), params(AccountQuery), request_body(content((String = "application/xml"), (String = "text/csv")), description = "The document"), responses((status = 201, description = "The statements, taken in", body = BankStatementsView), (status = 200, description = "The document was taken in before", body = BankStatementsView)))]
#[post("/bank-statements")]
async fn create_bank_statement(
    app: Data<App>,
    Filter(asked): Filter<AccountQuery>,
    upload: Upload,
) -> Result<Answer, Problem> {
    let account = account(asked.bank_account_id.as_deref())?;
    let upload = upload.of(&["application/xml", "text/xml", "text/csv"])?;
    let profile =
        if upload.media == "text/csv" { Some(profile(&app, &upload.command.caller, account).await?) } else { None };
    let command = upload.command;
    let command = blocking(move || command.parse(|bytes| read_document(bytes, account, profile.as_ref()))).await??;
    let work =
        |uow: &mut dyn UnitOfWork, env: &Env<'_>, document: &ReceiveStatements| receive::receive(uow, env, document);
    once::<_, _, PayoutError>(&app, command, work, |Received { statements, is_new }| {
        let first = statements.first().map(|statement| (statement.id, statement.id.uuid()));
        let view = BankStatementsView::from(statements);
        match first {
            Some((id, object)) if is_new => Answer::created(format!("/v1/bank-statements/{id}"), object, &view),
            Some((id, object)) => Ok(Answer::ok(&view)?.about(object).naming(&id)),
            None => Answer::ok(&view),
        }
    })
    .await
}

/// How the CSV of an account is to be read.
async fn profile(app: &Data<App>, caller: &Caller, account: Option<BankAccountId>) -> Result<CsvProfile, Problem> {
    let needed = || Problem::malformed_at("#bank_account_id", "required", "say of which account the CSV is");
    let id = account.ok_or_else(needed)?;
    let found = read(app, caller, move |queries| queries.payouts().find_bank_account(id)).await?;
    let mut faults = Faults::default();
    match found {
        None => faults.push("#bank_account_id", "not_found", "there is no such bank account"),
        Some(account) => match account.csv {
            Some(profile) => return Ok(profile),
            None => faults.push("#bank_account_id", "no_csv_profile", "the account has no profile for CSV"),
        },
    }
    Err(faults.into())
}

fn read_document(
    bytes: Vec<u8>,
    account: Option<BankAccountId>,
    profile: Option<&CsvProfile>,
) -> Result<ReceiveStatements, Faults> {
    let (format, statements) = match profile {
        Some(profile) => (StatementFormat::Csv, csv::read(&bytes, profile)?),
        None => (StatementFormat::Camt053, camt::read(&bytes)?),
    };
    Ok(ReceiveStatements { account, format, bytes, statements })
}

/// List bank statements
///
/// Newest first.
#[utoipa::path(operation_id = "list_bank_statements", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(List<AccountQuery>), responses((status = 200, description = "A page of statements", body = PageView<BankStatementView>)))]
#[get("/bank-statements")]
async fn list_bank_statements(app: Data<App>, list: List<AccountQuery>) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    let account = account(query.bank_account_id.as_deref())?;
    let page = read(&app, &caller, move |queries| queries.bank().list_statements(account, &page)).await?;
    Answer::page(page, &cursors, BankStatementView::from)
}

/// Get a bank statement
///
/// With how many of its lines are matched.
#[utoipa::path(operation_id = "get_bank_statement", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The statement", example = "bstatement_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The statement", body = BankStatementView)))]
#[get("/bank-statements/{id}")]
async fn get_bank_statement(app: Data<App>, caller: Caller, Id(id): Id<BankStatementId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.bank().find_statement(id)).await?;
    Answer::ok(&BankStatementView::from(found.ok_or_else(Problem::not_found)?))
}

/// List the lines of a bank statement
///
/// In their order, each with what it is.
#[utoipa::path(operation_id = "list_bank_statement_lines", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The statement", example = "bstatement_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<LineQuery>), responses((status = 200, description = "A page of lines", body = PageView<BankStatementLineView>)))]
#[get("/bank-statements/{id}/lines")]
async fn list_bank_statement_lines(
    app: Data<App>,
    list: List<LineQuery>,
    Id(id): Id<BankStatementId>,
) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let found = read(&app, &caller, move |queries| {
        let known = queries.bank().find_statement(id)?.is_some();
        known.then(|| queries.bank().list_lines(id, &page)).transpose()
    })
    .await?;
    Answer::page(found.ok_or_else(Problem::not_found)?, &cursors, BankStatementLineView::from)
}

/// Match a line of a bank statement by hand
///
/// To the bank file that it paid, to the payout that came back by it, or to neither where it has nothing to do with payouts. Amounts must agree to the cent; a match is never taken back.
#[utoipa::path(operation_id = "match_bank_statement_line", tag = "payouts", security(("oauth2" = ["payouts:execute"])), params(("id" = String, Path, description = "The line", example = "bline_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = MatchLineRequest, responses((status = 200, description = "The line, matched", body = BankStatementLineView)))]
#[post("/bank-statement-lines/{id}/match")]
async fn match_bank_statement_line(
    app: Data<App>,
    Id(id): Id<BankStatementLineId>,
    command: Command<MatchLineRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| {
        MatchLine::parse(id, raw.bank_file_id.as_deref(), raw.payout_id.as_deref(), raw.reason.as_deref())
    })?;
    let work = |uow: &mut dyn UnitOfWork, env: &Env<'_>, line: &MatchLine| by_hand::match_line(uow, env, line);
    once::<_, _, PayoutError>(&app, command, work, |line| {
        let object = line.id.uuid();
        Ok(Answer::ok(&BankStatementLineView::from(line))?.about(object))
    })
    .await
}

/// Get the reconciliation
///
/// For each of our own accounts the closing balance of the newest statement beside the ledger's cash on that day, to the cent: the difference is what is unmatched, a matter of days, or unexplained. With every unmatched line and returned payment, and its age.
#[utoipa::path(operation_id = "get_reconciliation", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(ReconciliationQuery), responses((status = 200, description = "The reconciliation", body = ReconciliationView)))]
#[get("/reconciliation")]
async fn get_reconciliation(
    app: Data<App>,
    caller: Caller,
    Filter(asked): Filter<ReconciliationQuery>,
) -> Result<Answer, Problem> {
    let account = account(asked.bank_account_id.as_deref())?;
    let on = filter("on", asked.on.as_deref(), |text| text.parse().map_err(|_| "expected a date such as 2026-11-25"))?;
    let today = app.clock.now().sydney_date();
    let report = read(&app, &caller, move |queries| reconcile::draw_up(queries, today, account, on)).await?;
    Answer::ok(&ReconciliationView::from(report))
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(create_bank_statement)
        .service(list_bank_statements)
        .service(list_bank_statement_lines)
        .service(get_bank_statement)
        .service(match_bank_statement_line)
        .service(get_reconciliation);
}
