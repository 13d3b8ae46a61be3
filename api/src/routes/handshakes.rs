//! Handshakes: prepare, look at, countersign, hand over.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::deals::countersign::{Countersign, CountersignError, CountersignRefusal, Countersigned, countersign};
use domain::deals::draft::{Draft, prepare};
use domain::deals::hand_over::{HandOver, hand_over};
use domain::env::{Asked, Env};
use domain::kernel::ids::HandshakeId;
use domain::store::UnitOfWork;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::batch::{BatchWork, Batcher};
use crate::extract::{Caller, Command, Id};
use crate::once::once;
use crate::problem::Problem;
use crate::views::handshakes::{
    CountersignHandshakeRequest, CountersignedView, HandOverHandshakeRequest, HandedOverView, HandshakeView,
    PrepareHandshakeRequest, PreparedHandshakeView,
};

/// Accepts of one moment share one commit.
pub struct Accepts;

impl BatchWork for Accepts {
    type Command = Countersign;
    type Done = Countersigned;
    type Refusal = CountersignRefusal;
    type Failure = CountersignError;

    fn run(
        uow: &mut dyn UnitOfWork,
        env: &Env<'_>,
        asked: &[Asked<'_, Countersign>],
    ) -> Result<Vec<Result<Countersigned, CountersignRefusal>>, CountersignError> {
        countersign(uow, env, asked)
    }

    fn answer(made: Countersigned) -> Result<Answer, Problem> {
        let (handshake, new) = (made.handshake, made.new);
        let answer = Answer::ok(&CountersignedView::from(made))?;
        Ok(if new { answer.about(handshake.uuid()) } else { answer })
    }
}

/// Prepare a statement to sign
///
/// Answers the exact statement and the bytes to sign, for an offer (then `POST /v1/referrals`), an accept (then
/// `POST /v1/handshakes/{id}/countersign`) or a hand-over (then `POST /v1/handshakes/{id}/hand-over`). Nothing is kept: you
/// may as well form the statement yourself.
#[utoipa::path(operation_id = "prepare_handshake", tag = "chain", security(("oauth2" = ["chain:write"])), request_body = PrepareHandshakeRequest, responses((status = 200, description = "The statement and the bytes to sign", body = PreparedHandshakeView)))]
#[post("/handshakes")]
async fn prepare_handshake(app: Data<App>, command: Command<PrepareHandshakeRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| Draft::parse(&raw.into()))?;
    once(&app, command, prepare, |prepared| Answer::ok(&PreparedHandshakeView::try_from(prepared)?)).await
}

/// Get a handshake
///
/// Its statements with their envelopes, as far as it has come, and their indexes in the log.
#[utoipa::path(operation_id = "get_handshake", tag = "chain", security(("oauth2" = ["chain:read"])), params(("id" = String, Path, description = "The handshake", example = "handshake_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The handshake", body = HandshakeView)))]
#[get("/handshakes/{id}")]
async fn get_handshake(app: Data<App>, caller: Caller, Id(id): Id<HandshakeId>) -> Result<Answer, Problem> {
    let handshake = read(&app, &caller, move |queries| queries.handshakes().find_handshake(id)).await?;
    Answer::ok(&HandshakeView::from(handshake.ok_or_else(Problem::not_found)?))
}

/// Countersign a handshake
///
/// Who the offer is made to accepts it with its registered key; the platform seals at once, and the deal is `accepted` (a
/// hand-over leaves it where it is). The same accept again answers the same.
#[utoipa::path(operation_id = "countersign_handshake", tag = "chain", security(("oauth2" = ["chain:write"])), params(("id" = String, Path, description = "The handshake", example = "handshake_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = CountersignHandshakeRequest, responses((status = 200, description = "The handshake is whole", body = CountersignedView), (status = 410, description = "Whom it is about was erased, and the offer with it", content_type = "application/problem+json", body = crate::problem::ProblemView)))]
#[post("/handshakes/{id}/countersign")]
async fn countersign_handshake(
    app: Data<App>,
    Id(handshake): Id<HandshakeId>,
    command: Command<CountersignHandshakeRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| Ok::<_, Problem>(Countersign { handshake, accept: raw.accept }))?;
    Batcher::<Accepts>::submit(&app, |app| &app.accepts, command).await
}

/// Hand a deal over
///
/// Who accepted a handshake offers the deal to another provider, on the same lane of the log: `previous` in the offer is
/// the digest of the seal. That provider countersigns the new handshake; of several offers the first accept wins. The
/// deal's own provider goes on to answer for it. The same offer again answers 200.
#[utoipa::path(operation_id = "hand_over_handshake", tag = "chain", security(("oauth2" = ["chain:write"])), params(("id" = String, Path, description = "The handshake that is handed over", example = "handshake_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = HandOverHandshakeRequest, responses((status = 201, description = "The new handshake", body = HandedOverView), (status = 200, description = "The same, made before", body = HandedOverView)))]
#[post("/handshakes/{id}/hand-over")]
async fn hand_over_handshake(
    app: Data<App>,
    Id(handshake): Id<HandshakeId>,
    command: Command<HandOverHandshakeRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| Ok::<_, Problem>(HandOver { handshake, offer: raw.offer }))?;
    once(&app, command, hand_over, |made| {
        let (id, new) = (made.handshake, made.new);
        let view = HandedOverView::from(made);
        if new { Answer::created(format!("/v1/handshakes/{id}"), id.uuid(), &view) } else { Answer::ok(&view) }
    })
    .await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(prepare_handshake)
        .service(countersign_handshake)
        .service(hand_over_handshake)
        .service(get_handshake);
}
