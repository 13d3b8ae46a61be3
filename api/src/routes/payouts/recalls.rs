//! Taking back what was paid by Stripe, by reversing our own transfer.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::env::Env;
use domain::kernel::ids::PayoutId;
use domain::payouts::stripe::recall::{self, AskRecall};
use domain::store::UnitOfWork;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Caller, Command, Id};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::recalls::{PayoutReversalView, ReversePayoutRequest};

/// Reverse a payout by Stripe
///
/// Takes back a part of its transfer: what clawbacks have left to be got back of its lines, or less. Stripe is asked after the answer.
#[utoipa::path(operation_id = "reverse_payout", tag = "payouts", security(("oauth2" = ["payouts:execute"])), params(("id" = String, Path, description = "The payout", example = "payout_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = ReversePayoutRequest, responses((status = 202, description = "It is asked of Stripe now", body = PayoutReversalView)))]
#[post("/payouts/{id}/reverse")]
async fn reverse_payout(
    app: Data<App>,
    Id(payout): Id<PayoutId>,
    command: Command<ReversePayoutRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| {
        let amount = raw.amount.as_ref().map(|money| (money.amount, money.currency.as_str()));
        AskRecall::parse(amount, raw.reason.as_deref())
    })?;
    let is_connected = app.stripe.is_some();
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &AskRecall| {
        recall::ask(uow, env, payout, command, is_connected)
    };
    let answer = once(&app, command, work, move |asked| {
        let (id, location) = (asked.id, format!("/v1/payouts/{payout}/reversals"));
        Ok(Answer::accepted(location, id.uuid(), &PayoutReversalView::from(asked))?.naming(&id))
    })
    .await?;
    if let Some(desk) = &app.stripe {
        desk.bell.ring();
    }
    Ok(answer)
}

/// List the reversals of a payout by Stripe that were asked for
///
/// Oldest first.
#[utoipa::path(operation_id = "list_payout_reversals", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The payout", example = "payout_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The reversals", body = PageView<PayoutReversalView>)))]
#[get("/payouts/{id}/reversals")]
async fn list_payout_reversals(app: Data<App>, caller: Caller, Id(id): Id<PayoutId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| match queries.payouts().find_payout(id)? {
        Some(_) => queries.stripe().list_recalls(id).map(Some),
        None => Ok(None),
    })
    .await?;
    Answer::whole(found.ok_or_else(Problem::not_found)?, PayoutReversalView::from)
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(reverse_payout).service(list_payout_reversals);
}
