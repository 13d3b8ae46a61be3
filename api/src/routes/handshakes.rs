//! Signing keys; handshakes: prepare, look at, countersign.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::chain::registration::register as register_key;
use domain::deals::countersign::{Countersign, CountersignError, CountersignRefusal, Countersigned, countersign};
use domain::deals::draft::{Draft, prepare};
use domain::env::{Asked, Env};
use domain::kernel::ids::{HandshakeId, SigningKeyId};
use domain::store::UnitOfWork;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::batch::{BatchWork, Batcher};
use crate::extract::{Caller, Command, Id, List, Unfiltered};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::handshakes::{
    CountersignHandshakeRequest, CountersignedView, CreateSigningKeyRequest, HandshakeView, PrepareHandshakeRequest,
    PreparedHandshakeView, SigningKeyView,
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

/// List signing keys
///
/// Your organisation's, your members', and those that signed a handshake of yours. Oldest first.
#[utoipa::path(operation_id = "list_signing_keys", tag = "chain", security(("oauth2" = ["chain:read"])), params(List<Unfiltered>), responses((status = 200, description = "A page of signing keys", body = PageView<SigningKeyView>)))]
#[get("/signing-keys")]
async fn list_signing_keys(app: Data<App>, list: List<Unfiltered>) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let page = read(&app, &caller, move |queries| queries.keys().list_keys(&page)).await?;
    Answer::page(page, &cursors, SigningKeyView::from)
}

/// Get a signing key
///
/// The public key, whose it is, and in whose hand.
#[utoipa::path(operation_id = "get_signing_key", tag = "chain", security(("oauth2" = ["chain:read"])), params(("id" = String, Path, description = "The signing key", example = "key_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The signing key", body = SigningKeyView)))]
#[get("/signing-keys/{id}")]
async fn get_signing_key(app: Data<App>, caller: Caller, Id(id): Id<SigningKeyId>) -> Result<Answer, Problem> {
    let key = read(&app, &caller, move |queries| queries.keys().find_key(id)).await?;
    Answer::ok(&SigningKeyView::from(key.ok_or_else(Problem::not_found)?))
}

/// Register a signing key
///
/// The registration is signed by the very key that it names, for this log and for one party: your organisation or a
/// member of it. Weak, non-canonical and mixed-order keys are refused. The same registration again answers 200.
#[utoipa::path(operation_id = "create_signing_key", tag = "chain", security(("oauth2" = ["chain:write"])), request_body = CreateSigningKeyRequest, responses((status = 201, description = "The signing key", body = SigningKeyView), (status = 200, description = "The same key, registered before", body = SigningKeyView)))]
#[post("/signing-keys")]
async fn create_signing_key(app: Data<App>, command: Command<CreateSigningKeyRequest>) -> Result<Answer, Problem> {
    once(
        &app,
        command,
        |uow, env, body| register_key(uow, env, &body.registration),
        |registered| {
            let (id, view) = (registered.key.id, SigningKeyView::from(registered.key));
            if registered.new {
                Answer::created(format!("/v1/signing-keys/{id}"), id.uuid(), &view)
            } else {
                Answer::ok(&view)
            }
        },
    )
    .await
}

/// Prepare a statement to sign
///
/// Answers the exact statement and the bytes to sign, for an offer (then `POST /v1/referrals`) or an accept (then
/// `POST /v1/handshakes/{id}/countersign`). Nothing is kept: you may as well form the statement yourself.
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
/// The provider accepts the offer with its registered key; the platform seals at once, and the deal is `accepted`. The
/// same accept again answers the same.
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

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_signing_keys)
        .service(get_signing_key)
        .service(create_signing_key)
        .service(prepare_handshake)
        .service(countersign_handshake)
        .service(get_handshake);
}
