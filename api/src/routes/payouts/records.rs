//! Payouts, own accounts, statements.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::directory::PrefixDirectory;
use domain::env::Env;
use domain::kernel::ids::{MemberId, PayeeId, PayoutId, PayoutRunId};
use domain::payouts::payout::PayoutState;
use domain::payouts::repository::PayoutFilter;
use domain::payouts::retry::Retried;
use domain::payouts::{CreateBankAccount, PayoutError, RunSummary, decide, retry, statement};
use domain::store::UnitOfWork;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Caller, Command, Empty, Id, List, ListQuery, Unfiltered};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::payouts::{
    BankAccountView, CreateBankAccountRequest, PayoutDetailView, PayoutRunView, PayoutView, ResentPayoutView,
    StatementView,
};

/// Which payouts are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PayoutQuery {
    /// Of one run.
    run_id: Option<String>,
    /// Of one payee.
    payee_id: Option<String>,
    /// `in_transit`, `waiting_for_funds`, `unknown`, `settled`, `returned`.
    #[param(example = "in_transit")]
    state: Option<String>,
}

impl ListQuery for PayoutQuery {}

/// Whose statement is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct StatementQuery {
    /// The member; a token of a member may leave it out.
    #[param(example = "member_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    member_id: Option<String>,
}

impl ListQuery for StatementQuery {
    const DATED: bool = false;
}

/// An id in a query parameter.
fn id<T: std::str::FromStr>(name: &str, text: Option<&str>) -> Result<Option<T>, Problem> {
    let bad = |_| Problem::malformed_at(&format!("#{name}"), "invalid_id", format!("{name} is not such an id"));
    text.map(str::parse).transpose().map_err(bad)
}

/// List payouts
///
/// Newest first; partners and members see those of their own payees.
#[utoipa::path(operation_id = "list_payouts", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(List<PayoutQuery>), responses((status = 200, description = "A page of payouts", body = PageView<PayoutView>)))]
#[get("/payouts")]
async fn list_payouts(app: Data<App>, list: List<PayoutQuery>) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    let unknown = || Problem::malformed_at("#state", "unknown_value", "there is no such state of a payout");
    let state = query.state.as_deref().map(|text| PayoutState::parse(text).ok_or_else(unknown)).transpose()?;
    let filter = PayoutFilter {
        run: id::<PayoutRunId>("run_id", query.run_id.as_deref())?,
        payee: id::<PayeeId>("payee_id", query.payee_id.as_deref())?,
        state,
    };
    let today = app.clock.now().sydney_date();
    let page = read(&app, &caller, move |queries| queries.payouts().list_payouts(&filter, &page)).await?;
    Answer::page(page, &cursors, |payout| PayoutView::new(payout, today))
}

/// Get a payout
///
/// With what it sent by line, and which clawbacks were got back.
#[utoipa::path(operation_id = "get_payout", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The payout", example = "payout_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The payout", body = PayoutDetailView)))]
#[get("/payouts/{id}")]
async fn get_payout(app: Data<App>, caller: Caller, Id(id): Id<PayoutId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.payouts().find_payout(id)).await?;
    let today = app.clock.now().sydney_date();
    Answer::ok(&PayoutDetailView::new(found.ok_or_else(Problem::not_found)?, today))
}

/// Retry a payout
///
/// Of a payout by Stripe that is open (`unknown`, `waiting_for_funds`, `in_transit`): looks it up and sends it now, under its own key. Of a payout by bank file that came back: previews a run of its own that sends the money again, to the payee's bank account of now, by a new payout that names the one that came back. The run needs a proposal and somebody else's approval like any other.
#[utoipa::path(operation_id = "retry_payout", tag = "payouts", security(("oauth2" = ["payouts:write"])), params(("id" = String, Path, description = "The payout", example = "payout_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 201, description = "The run, previewed", body = PayoutRunView), (status = 202, description = "It is looked up and sent by Stripe now", body = ResentPayoutView)))]
#[post("/payouts/{id}/retry")]
async fn retry_payout(app: Data<App>, Id(id): Id<PayoutId>, command: Command<Empty>) -> Result<Answer, Problem> {
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, _: &Empty| retry::retry(uow, env, id);
    once::<_, _, PayoutError>(&app, command, work, |retried| match retried {
        Retried::Run(run) => {
            let location = format!("/v1/payout-runs/{}", run.id);
            let view = PayoutRunView::from(&RunSummary::from(&*run));
            Ok(Answer::created(location, run.id.uuid(), &view)?.naming(&run.id))
        }
        Retried::Resent(payout) => {
            Answer::accepted(format!("/v1/payouts/{payout}"), payout.uuid(), &ResentPayoutView::new(payout))
        }
    })
    .await
}

/// List own bank accounts
///
/// Newest first.
#[utoipa::path(operation_id = "list_bank_accounts", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(List<Unfiltered>), responses((status = 200, description = "A page of accounts", body = PageView<BankAccountView>)))]
#[get("/bank-accounts")]
async fn list_bank_accounts(app: Data<App>, list: List<Unfiltered>) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let page = read(&app, &caller, move |queries| queries.payouts().list_bank_accounts(&page)).await?;
    Answer::page(page, &cursors, BankAccountView::from)
}

/// Keep an own bank account
///
/// With the profile that its bank asks of a file. Everything in it fits a bank file from now on.
#[utoipa::path(operation_id = "create_bank_account", tag = "payouts", security(("oauth2" = ["payouts:write"])), request_body = CreateBankAccountRequest, responses((status = 201, description = "The account", body = BankAccountView)))]
#[post("/bank-accounts")]
async fn create_bank_account(app: Data<App>, command: Command<CreateBankAccountRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| CreateBankAccount::parse(&raw.into(), &PrefixDirectory))?;
    let work = |uow: &mut dyn domain::store::UnitOfWork, env: &domain::env::Env<'_>, create: &CreateBankAccount| {
        decide::keep_bank_account(uow, env, create.clone())
    };
    once(&app, command, work, |account| {
        let (uuid, location) = (account.id.uuid(), format!("/v1/bank-accounts/{}", account.id));
        Answer::created(location, uuid, &BankAccountView::from(account))
    })
    .await
}

/// Get the statement of a member
///
/// What was earned and taken back, line by line, where it lies now, and what was paid. For the member, its organisation, and the operator.
#[utoipa::path(operation_id = "get_statement", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(List<StatementQuery>), responses((status = 200, description = "The statement", body = StatementView)))]
#[get("/statements")]
async fn get_statement(app: Data<App>, list: List<StatementQuery>) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    statement::allowed(&caller.actor)?;
    let asked = id::<MemberId>("member_id", query.member_id.as_deref())?.or(caller.actor.member);
    let member = asked.ok_or_else(|| Problem::malformed_at("#member_id", "required", "say whose statement it is"))?;
    let actor = caller.actor.clone();
    let drawn =
        read(&app, &caller, move |queries| statement::of_member(queries.statements(), &actor, member, &page)).await?;
    let statement = drawn.ok_or_else(Problem::not_found)?;
    let next = statement.lines.next.as_deref().map(|key| cursors.write(key));
    let today = app.clock.now().sydney_date();
    Ok(Answer::ok(&StatementView::new(statement, next.clone(), today))?.with_next(next))
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_payouts)
        .service(get_payout)
        .service(retry_payout)
        .service(list_bank_accounts)
        .service(create_bank_account)
        .service(get_statement);
}
