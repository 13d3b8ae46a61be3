//! Referrals.

use actix_web::post;
use actix_web::web::Data;
use domain::deals::refer::{ReferError, ReferRefusal, Referred, refer};
use domain::deals::referral::Refer;
use domain::env::{Asked, Env};
use domain::store::UnitOfWork;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::App;
use crate::batch::{BatchWork, Batcher};
use crate::extract::Command;
use crate::problem::Problem;
use crate::views::referrals::{CreateReferralRequest, ReferralView};

/// Referrals of one moment share one commit.
pub struct Referrals;

impl BatchWork for Referrals {
    type Command = Refer;
    type Done = Referred;
    type Refusal = ReferRefusal;
    type Failure = ReferError;

    fn run(
        uow: &mut dyn UnitOfWork,
        env: &Env<'_>,
        asked: &[Asked<'_, Refer>],
    ) -> Result<Vec<Result<Referred, ReferRefusal>>, ReferError> {
        refer(uow, env, asked)
    }

    fn answer(made: Referred) -> Result<Answer, Problem> {
        let (deal, new) = (made.deal, made.new);
        let view = ReferralView::from(made);
        if new { Answer::created(format!("/v1/deals/{deal}"), deal.uuid(), &view) } else { Answer::ok(&view) }
    }
}

/// Make a referral
///
/// Opens a deal at `referred` and logs the offer at once: its index in the log settles who was first. The same offer
/// again, or the same custodial referral under the same `external_ref`, answers 200 with the referral that was made before.
#[utoipa::path(operation_id = "create_referral", tag = "deals", security(("oauth2" = ["deals:write"])), request_body = CreateReferralRequest, responses((status = 201, description = "The referral", body = ReferralView), (status = 200, description = "The same referral, made before", body = ReferralView)))]
#[post("/referrals")]
async fn create_referral(app: Data<App>, command: Command<CreateReferralRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| Refer::parse(&raw.into()))?;
    Batcher::<Referrals>::submit(&app, |app| &app.referrals, command).await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(create_referral);
}
