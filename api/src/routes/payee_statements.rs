//! Statements of payees over a period.

use actix_web::get;
use actix_web::web::Data;
use domain::kernel::ids::PayeeId;
use domain::ledger::statement::{self, Days};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Id, List, ListQuery};
use crate::problem::Problem;
use crate::views::payee_statements::PayeeStatementView;

/// Over which days, both included, by business date.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DaysQuery {
    /// The first day.
    #[param(required = true, nullable = false, example = "2026-11-01")]
    from: Option<String>,
    /// The last day.
    #[param(required = true, nullable = false, example = "2026-11-30")]
    to: Option<String>,
}

impl ListQuery for DaysQuery {
    const SORT: &'static str = "seq";
    const DATED: bool = false;
}

/// Get the statement of a payee
///
/// Over a period, by business date: where it stood, what was earned, released, held, taken back, withheld, sent, paid, and where it stands; opening and movements are closing, to the cent. Each entry says where it is explained and where its receipt is. For the payee's organisation and those who see everything.
#[utoipa::path(operation_id = "get_payee_statement", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The payee", example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<DaysQuery>), responses((status = 200, description = "The statement, with a page of its entries", body = PayeeStatementView)))]
#[get("/payees/{id}/statements")]
async fn get_payee_statement(app: Data<App>, list: List<DaysQuery>, Id(id): Id<PayeeId>) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    let days = Days::parse(query.from.as_deref(), query.to.as_deref()).map_err(|faults| {
        let first = faults.0.first().map_or("invalid_value", |fault| fault.code);
        let detail = "name the first and the last day";
        Problem { errors: faults.0, ..Problem::malformed(first, detail) }
    })?;
    let actor = caller.actor.clone();
    let draw = move |queries: &mut dyn domain::store::Queries| statement::of_payee(queries, &actor, id, days, &page);
    let statement = read(&app, &caller, draw).await?.ok_or_else(Problem::not_found)?;
    let next = statement.entries.next.as_deref().map(|key| cursors.write(key));
    Ok(Answer::ok(&PayeeStatementView::new(statement, next.clone()))?.with_next(next))
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(get_payee_statement);
}
