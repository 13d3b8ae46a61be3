//! The token endpoint (RFC 6749), its metadata (RFC 8414) and its keys (RFC 7517).
//!
//! Errors have the form of RFC 6749 §5.2, not that of problems. Who is unknown, revoked or locked is
//! told the same as who gave a wrong secret. Bounds: at most [`LARGEST`] bytes are read at all.

use std::collections::BTreeSet;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, get, post};
use domain::access::assertion::authenticate_by_assertion;
use domain::access::error::LoginError;
use domain::access::failed_login::{self, Named};
use domain::access::login::{self, Login};
use domain::access::session::{self, RefreshToken, Refreshed};
use domain::access::{Actor, Scope, Subject};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking, ended_tokens};
use crate::extract::{RequestId, body};
use crate::problem::Problem;
use crate::routes::totp::second_factor;

mod outside;
mod request;

use request::{Grant, RevokeRequest, TokenErrorView, TokenRequest, read_request, read_revocation, refuse};

/// Why a session ended: one of its refresh tokens was used twice.
const REUSED: &str = "refresh_token_reused";
/// The most that is read at all.
const LARGEST: usize = 256 * 1024;

/// An access token (RFC 6749 §5.1).
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
struct TokenView {
    /// The JWT.
    access_token: String,
    /// `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds.
    #[schema(example = 900)]
    expires_in: i64,
    /// What it allows.
    #[schema(example = "deals:read deals:write")]
    scope: String,
    /// For users: good once, for the next access token and the next refresh token; unused it ends after 7 days, and after 30 days somebody logs in again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "flip_rt_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc")]
    refresh_token: Option<String>,
}

/// Get an access token
///
/// `client_credentials` with the secret by HTTP Basic or in the form, or with an assertion that the client signed (`private_key_jwt`), `password` for a user, an ID token of an outside issuer (`urn:ietf:params:oauth:grant-type:jwt-bearer`) for one who is linked to it, or `refresh_token` to go on with a user's session. Scopes that move money are given to users who show a second factor. Tokens live for 15 minutes and are verified with the keys at `/.well-known/jwks.json`.
#[utoipa::path(operation_id = "create_token", tag = "access", request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"), responses((status = 200, description = "A token", body = TokenView), (status = 400, description = "The request is refused", body = TokenErrorView), (status = 401, description = "The client is not known by that secret", body = TokenErrorView)))]
#[post("/oauth/token")]
async fn create_token(app: Data<App>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let body = body::read(&request, payload.into_inner(), LARGEST).await?;
    let (grant, asked) = match read_request(&request, &body) {
        Ok(read) => read,
        Err(refusal) => return Ok(refusal.into()),
    };
    let of_user = matches!(grant, Grant::User(_));
    let of_client = matches!(grant, Grant::Client { .. } | Grant::Assertion(_));
    let basic = matches!(grant, Grant::Client { basic: true, .. });
    let of_outside = matches!(grant, Grant::Outside(_));
    let named = grant.named();
    let doing = app.clone();
    let logged_in = match grant {
        Grant::Outside(None) => Err(LoginError::Refused),
        Grant::Outside(Some(token)) => outside::log_in(&app, *token, asked).await?,
        grant => blocking(move || log_in(&doing, grant, asked.as_ref())).await?,
    };
    let why = match &logged_in {
        Err(LoginError::Reused(user)) => Some((Named::Subject(Subject::User(*user)), REUSED)),
        Err(LoginError::Refused) => Some((named, if of_client { "invalid_client" } else { "invalid_grant" })),
        _ => None,
    };
    if let Some((named, why)) = why {
        keep_failed(&app, &request, named, why).await;
    }
    let (login, refresh) = match logged_in {
        Ok(login) => login,
        Err(LoginError::Store(error)) => return Err(error.into()),
        Err(LoginError::MissingScope(missing)) => return Ok(refuse("invalid_scope", missing.to_string()).into()),
        Err(error @ LoginError::Withheld(_)) => return Ok(refuse("invalid_scope", error.to_string()).into()),
        Err(LoginError::Refused) if of_user => {
            let what = "the user is unknown, locked, or the password or the code is wrong";
            return Ok(refuse("invalid_grant", what).into());
        }
        Err(LoginError::Refused) if of_client => {
            let refusal = refuse("invalid_client", "the client is unknown, revoked, or did not prove itself");
            return Ok(refusal.with_basic(basic).into());
        }
        Err(LoginError::Refused) if of_outside => {
            let what = "the ID token is not good here, was used, or is about nobody who is linked";
            return Ok(refuse("invalid_grant", what).into());
        }
        Err(LoginError::Refused | LoginError::Reused(_)) => {
            let what = "the refresh token is unknown, used, expired, or its session has ended";
            return Ok(refuse("invalid_grant", what).into());
        }
    };
    let issued = app.tokens.issue(&login, app.ids.next(), app.clock.now());
    let issued = issued.map_err(|error| Problem::internal(&error))?;
    let view = TokenView {
        access_token: issued.token,
        token_type: "Bearer",
        expires_in: issued.expires_in,
        scope: issued.scope,
        refresh_token: refresh.map(|token| token.reveal().to_owned()),
    };
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(view))
}

/// Keeps that a login failed. Whoever tried is refused all the same; that it could not be kept is for whoever runs
/// the service to know. A session that ended with it ends here at once.
async fn keep_failed(app: &Data<App>, request: &HttpRequest, named: Named, why: &'static str) {
    let (doing, id, service) = (app.clone(), RequestId::current(request), Actor::service());
    let kept = blocking(move || {
        let env = doing.env(&service);
        doing.store.transaction(|uow| failed_login::keep(uow, &env, &named, why, id.as_str()))
    });
    match kept.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "a failed login was not kept"),
        Err(problem) => tracing::error!(%problem, "a failed login was not kept"),
    }
    if why == REUSED {
        ended_tokens(app).await;
    }
}

type LoggedIn = (Login, Option<RefreshToken>);

fn log_in(app: &App, grant: Grant, asked: Option<&BTreeSet<Scope>>) -> Result<LoggedIn, LoginError> {
    let (store, service) = (app.store.as_ref(), Actor::service());
    match grant {
        Grant::Client { id: None, .. } | Grant::Outside(_) => Err(LoginError::Refused),
        Grant::Client { id: Some(id), secret, .. } => {
            let login =
                store.transaction(|uow| login::authenticate_client(uow, app.environment, id, &secret, asked))?;
            Ok((login, None))
        }
        Grant::Assertion(None) => Err(LoginError::Refused),
        Grant::Assertion(Some(assertion)) => {
            let endpoint = app.tokens.token_endpoint();
            let (audiences, now) = ([app.tokens.issuer(), &endpoint], app.clock.now());
            let login = store.transaction(|uow| authenticate_by_assertion(uow, now, &audiences, &assertion, asked))?;
            Ok((login, None))
        }
        Grant::User(presented) => {
            let (hasher, second) = (app.passwords.as_ref(), second_factor(app));
            let login = login::authenticate_user(store, hasher, second, app.clock.now(), &presented)?;
            Ok(store.transaction(|uow| session::begin(uow, &app.env(&service), login.clone()))?)
        }
        Grant::Refresh(token) => {
            match store.transaction(|uow| session::refresh(uow, &app.env(&service), &token, asked))? {
                Refreshed::Next(login, next) => Ok((login, Some(next))),
                Refreshed::Refused => Err(LoginError::Refused),
                Refreshed::Reused(user) => Err(LoginError::Reused(user)),
            }
        }
    }
}

/// End a token
///
/// Ends an access token, or a refresh token with its whole session and the access tokens that were issued in it (RFC 7009). Whoever bears it may end it. A token that is not known, or that has ended, is answered the same. Other processes learn of it within a second.
#[utoipa::path(operation_id = "revoke_token", tag = "access", request_body(content = RevokeRequest, content_type = "application/x-www-form-urlencoded"), responses((status = 200, description = "It is good no more"), (status = 400, description = "The request is refused", body = TokenErrorView)))]
#[post("/oauth/revoke")]
async fn revoke_token(app: Data<App>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let body = body::read(&request, payload.into_inner(), LARGEST).await?;
    let token = match read_revocation(&request, &body) {
        Ok(token) => token,
        Err(refusal) => return Ok(refusal.into()),
    };
    let doing = app.clone();
    blocking(move || {
        let now = doing.clock.now();
        let access = doing.tokens.verify(&token, now).ok().and_then(|bearer| bearer.id);
        doing.store.transaction(|uow| match access {
            Some(id) => session::end_tokens(uow, now, id, i32::MAX),
            None => session::revoke_refresh_token(uow, now, &RefreshToken::presented(&token)),
        })
    })
    .await??;
    ended_tokens(&app).await;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).finish())
}

/// Keys of access tokens
///
/// The public keys that verify access tokens (RFC 7517); more than one while keys are being changed.
#[utoipa::path(operation_id = "get_jwks", tag = "access", responses((status = 200, description = "A JSON Web Key Set", body = Object, example = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "use": "sig", "alg": "EdDSA"}]}))))]
#[get("/.well-known/jwks.json")]
async fn jwks(app: Data<App>) -> Result<Answer, Problem> {
    Answer::ok(&app.tokens.jwks())
}

/// What the token endpoint can do
///
/// Authorisation server metadata (RFC 8414).
#[utoipa::path(operation_id = "get_oauth_metadata", tag = "access", responses((status = 200, description = "The metadata", body = Object, example = json!({"issuer": "https://api.flip360.example", "token_endpoint": "https://api.flip360.example/oauth/token", "jwks_uri": "https://api.flip360.example/.well-known/jwks.json"}))))]
#[get("/.well-known/oauth-authorization-server")]
async fn metadata(app: Data<App>) -> Result<Answer, Problem> {
    let issuer = app.tokens.issuer().trim_end_matches('/');
    Answer::ok(&json!({
        "issuer": app.tokens.issuer(),
        "token_endpoint": app.tokens.token_endpoint(),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "service_documentation": format!("{issuer}/docs"),
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "revocation_endpoint_auth_methods_supported": ["none"],
        "grant_types_supported": request::GRANTS,
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
        "token_endpoint_auth_signing_alg_values_supported": ["EdDSA", "Ed25519"],
        "scopes_supported": Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(),
    }))
}

/// Public routes outside of `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(create_token).service(revoke_token).service(jwks).service(metadata);
}
