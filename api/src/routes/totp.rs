//! The second factor of the caller.

use actix_web::web::Data;
use actix_web::{delete, get, post};
use domain::access::code::{SecondFactor, TotpCode};
use domain::access::totp::{self, Wanted};
use domain::access::{AccessError, Password, Subject, service, user_change};
use domain::kernel::ids::UserId;
use integrations::one_time_code::Hotp;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking, ended_tokens};
use crate::extract::{Caller, Change, Command};
use crate::once::{answered, change, once};
use crate::problem::Problem;
use crate::views::totp::{CreateTotpRequest, TotpCodeRequest, TotpSecretView, TotpView};

/// Whose authenticator entry it is.
const SERVICE: &str = "Flip 360";

/// What checking a code needs.
pub fn second_factor(app: &App) -> SecondFactor<'_> {
    SecondFactor { vault: &app.sealer, codes: &Hotp }
}

fn user_of(caller: &Caller) -> Result<UserId, Problem> {
    match caller.subject {
        Subject::User(id) => Ok(id),
        Subject::Client(_) => Err(Problem::refused("users_only", "only a user has a second factor")),
    }
}

/// Get your second factor
///
/// Whether it is confirmed. The secret is never shown again. 404 when there is none.
#[utoipa::path(operation_id = "get_totp", tag = "access", security(("oauth2" = [])), responses((status = 200, description = "The second factor", body = TotpView), (status = 404, description = "There is none", body = crate::problem::ProblemView, content_type = "application/problem+json")))]
#[get("/me/totp")]
async fn get_totp(app: Data<App>, caller: Caller) -> Result<Answer, Problem> {
    let Subject::User(id) = caller.subject else { return Err(Problem::not_found()) };
    let found = blocking(move || app.store.transaction(|uow| uow.totp().lock_totp(id))).await??;
    let found = found.ok_or_else(Problem::not_found)?;
    Ok(Answer::ok(&TotpView::from(&found))?.with_version(found.version))
}

/// Set a second factor up
///
/// Draws the secret of one-time codes (RFC 6238) for an authenticator app. For a user; the password is asked for again, and a wrong one counts towards the lock. The secret is in this answer and nowhere else; within an hour `POST /v1/me/totp/confirm` makes it the second factor. Asking again draws another one.
#[utoipa::path(operation_id = "create_totp", tag = "access", security(("oauth2" = [])), request_body = CreateTotpRequest, responses((status = 200, description = "The secret", body = TotpSecretView)))]
#[post("/me/totp")]
async fn create_totp(app: Data<App>, command: Command<CreateTotpRequest>) -> Result<Answer, Problem> {
    let mut command = command.parse(|raw: CreateTotpRequest| Password::current(raw.current_password.as_deref()))?;
    // The body holds a password: a bare digest of it could be guessed from the database.
    command.fingerprint = app.sealer.blind(&command.fingerprint);
    let id = user_of(&command.caller)?;
    if let Some(first) = answered(&app, &command).await? {
        return Ok(first);
    }
    let (doing, current) = (app.clone(), command.body.clone());
    blocking(move || {
        let (store, hasher) = (doing.store.as_ref(), doing.passwords.as_ref());
        user_change::confirm_password(store, hasher, doing.clock.now(), id, &current)
    })
    .await??;
    let own = app.clone();
    let work = move |uow: &mut dyn domain::store::UnitOfWork, env: &domain::env::Env<'_>, _: &Password| {
        let account = service::name_of(uow, Subject::User(id))?.unwrap_or_else(|| id.to_string());
        Ok::<_, AccessError>((totp::begin(uow, env, &own.sealer, id)?, account))
    };
    once(&app, command, work, move |(made, account)| {
        let view = TotpSecretView::new(&made, SERVICE, &account);
        Ok(Answer::ok(&view)?.with_version(made.kept.version).about(id.uuid()).naming(&id).private())
    })
    .await
}

/// Confirm your second factor
///
/// With a code of the secret that was drawn. From now on a login with `totp` gets the scopes that move money, and one without does not. A wrong code counts towards the lock. Sessions and tokens from before end, also the one that asks: log in again.
#[utoipa::path(operation_id = "confirm_totp", tag = "access", security(("oauth2" = [])), request_body = TotpCodeRequest, responses((status = 200, description = "The second factor", body = TotpView), (status = 404, description = "No secret waits to be confirmed", body = crate::problem::ProblemView, content_type = "application/problem+json")))]
#[post("/me/totp/confirm")]
async fn confirm_totp(app: Data<App>, command: Command<TotpCodeRequest>) -> Result<Answer, Problem> {
    let mut command = command.parse(|raw: TotpCodeRequest| TotpCode::required(raw.code.as_deref()))?;
    // A bare digest of six digits could be guessed.
    command.fingerprint = app.sealer.blind(&command.fingerprint);
    let id = user_of(&command.caller)?;
    if let Some(first) = answered(&app, &command).await? {
        return Ok(first);
    }
    verified(&app, id, command.body.clone(), Wanted::Drawn).await?;
    let work = move |uow: &mut dyn domain::store::UnitOfWork, env: &domain::env::Env<'_>, _: &TotpCode| {
        totp::confirm(uow, env, id)
    };
    let answer = once(&app, command, work, move |kept| {
        let answer = Answer::ok(&TotpView::from(&kept))?.with_version(kept.version);
        Ok(answer.about(id.uuid()).naming(&id))
    })
    .await?;
    ended_tokens(&app).await;
    Ok(answer)
}

/// Take your second factor away
///
/// With a code of it; a wrong one counts towards the lock. Sessions and tokens from before end, also the one that asks: log in again.
#[utoipa::path(operation_id = "delete_totp", tag = "access", security(("oauth2" = [])), params(("If-Match" = String, Header, description = "The `ETag` that the caller last saw.", example = "\"2\"")), request_body = TotpCodeRequest, responses((status = 204, description = "It is gone"), (status = 404, description = "There is none", body = crate::problem::ProblemView, content_type = "application/problem+json"), (status = 422, description = "The code is wrong", body = crate::problem::ProblemView, content_type = "application/problem+json")))]
#[delete("/me/totp")]
async fn delete_totp(app: Data<App>, body: Change<TotpCodeRequest>) -> Result<Answer, Problem> {
    let body = body.parse(|raw: TotpCodeRequest| TotpCode::required(raw.code.as_deref()))?;
    let id = user_of(&body.caller)?;
    verified(&app, id, body.body.clone(), Wanted::Confirmed).await?;
    let answer = change(
        &app,
        body,
        move |uow, env, change| totp::remove(uow, env, id, change.if_match),
        move |()| Ok(Answer::no_content(id.uuid()).naming(&id)),
    )
    .await?;
    ended_tokens(&app).await;
    Ok(answer)
}

async fn verified(app: &Data<App>, id: UserId, code: TotpCode, wanted: Wanted) -> Result<(), Problem> {
    let doing = app.clone();
    let work = move || totp::verify(doing.store.as_ref(), second_factor(&doing), doing.clock.now(), id, &code, wanted);
    Ok(blocking(work).await??)
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(get_totp).service(create_totp).service(confirm_totp).service(delete_totp);
}
