//! The token endpoint (RFC 6749), its metadata (RFC 8414) and its keys (RFC 7517).
//!
//! Errors have the form of RFC 6749 §5.2, not that of problems. Who is unknown, revoked or locked is
//! told the same as who gave a wrong secret. Bounds: a request has at most [`FORM_LIMIT`] bytes.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use actix_web::web::{Data, Payload, Query};
use actix_web::{HttpRequest, HttpResponse, get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::access::error::LoginError;
use domain::access::login::{self, Login, PasswordLogin};
use domain::access::{ClientSecret, Password, Scope};
use domain::directory::Email;
use domain::kernel::ids::ApiClientId;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking};
use crate::auth::token::PASSWORD_CLIENT;
use crate::extract::body;
use crate::problem::Problem;

/// The most bytes of a token request.
const FORM_LIMIT: usize = 8 * 1024;
/// The most that is read at all.
const LARGEST: usize = 256 * 1024;

/// A token request; parameters that are not known are ignored (RFC 6749 §3.2).
#[derive(Deserialize, ToSchema)]
#[schema(as = TokenRequest)]
struct TokenRequest {
    /// `client_credentials` or `password`.
    #[schema(example = "client_credentials")]
    grant_type: Option<String>,
    /// The API client, unless it authenticates by HTTP Basic.
    #[schema(example = "client_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    client_id: Option<String>,
    /// Its secret, unless it authenticates by HTTP Basic.
    #[schema(format = Password)]
    client_secret: Option<String>,
    /// The e-mail address of a user.
    username: Option<String>,
    /// The password of a user.
    #[schema(format = Password)]
    password: Option<String>,
    /// Fewer scopes than the roles have, separated by blanks; all of them if absent.
    #[schema(example = "deals:read deals:write")]
    scope: Option<String>,
}

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
}

/// A refusal (RFC 6749 §5.2).
#[derive(Serialize, ToSchema)]
#[schema(as = TokenError)]
struct TokenErrorView {
    /// `invalid_request`, `invalid_client`, `invalid_grant`, `unauthorized_client`, `unsupported_grant_type` or `invalid_scope`.
    #[schema(example = "invalid_client")]
    error: &'static str,
    /// For a person.
    error_description: String,
}

/// Why there is no token.
struct Refusal {
    error: &'static str,
    description: String,
    /// The client used HTTP Basic: its refusal must name that scheme.
    basic: bool,
}

fn refuse(error: &'static str, description: impl Into<String>) -> Refusal {
    Refusal { error, description: description.into(), basic: false }
}

impl From<Refusal> for HttpResponse {
    fn from(refusal: Refusal) -> Self {
        let status = if refusal.error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
        let mut response = HttpResponse::build(status);
        response.insert_header((CACHE_CONTROL, "no-store"));
        if refusal.basic && status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"flip360\""));
        }
        response.json(TokenErrorView { error: refusal.error, error_description: refusal.description })
    }
}

enum Grant {
    Client { id: Option<ApiClientId>, secret: ClientSecret, basic: bool },
    User(PasswordLogin),
}

/// Get an access token
///
/// `client_credentials` with the secret by HTTP Basic or in the form, or `password` for a user. Tokens live for 15 minutes and are verified with the keys at `/.well-known/jwks.json`.
#[utoipa::path(operation_id = "create_token", tag = "access", request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"), responses((status = 200, description = "A token", body = TokenView), (status = 400, description = "The request is refused", body = TokenErrorView), (status = 401, description = "The client is not known by that secret", body = TokenErrorView)))]
#[post("/oauth/token")]
async fn create_token(app: Data<App>, request: HttpRequest, payload: Payload) -> Result<HttpResponse, Problem> {
    let body = body::read(&request, payload.into_inner(), LARGEST).await?;
    let (grant, asked) = match read_request(&request, &body) {
        Ok(read) => read,
        Err(refusal) => return Ok(refusal.into()),
    };
    let of_user = matches!(grant, Grant::User(_));
    let basic = matches!(grant, Grant::Client { basic: true, .. });
    let doing = app.clone();
    let login = match blocking(move || log_in(&doing, grant, asked.as_ref())).await? {
        Ok(login) => login,
        Err(LoginError::Store(error)) => return Err(error.into()),
        Err(LoginError::MissingScope(missing)) => return Ok(refuse("invalid_scope", missing.to_string()).into()),
        Err(LoginError::Refused) if of_user => {
            return Ok(refuse("invalid_grant", "the user is unknown, locked, or the password is wrong").into());
        }
        Err(LoginError::Refused) => {
            let refusal = refuse("invalid_client", "the client is unknown, revoked, or its secret is wrong");
            return Ok(Refusal { basic, ..refusal }.into());
        }
    };
    let issued = app.tokens.issue(login.subject, &login.actor, app.ids.next(), app.clock.now());
    let issued = issued.map_err(|error| Problem::internal(&error))?;
    let view = TokenView {
        access_token: issued.token,
        token_type: "Bearer",
        expires_in: issued.expires_in,
        scope: issued.scope,
    };
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(view))
}

fn log_in(app: &App, grant: Grant, asked: Option<&BTreeSet<Scope>>) -> Result<Login, LoginError> {
    match grant {
        Grant::Client { id: None, .. } => Err(LoginError::Refused),
        Grant::Client { id: Some(id), secret, .. } => {
            app.store.transaction(|uow| login::authenticate_client(uow, id, &secret, asked))
        }
        Grant::User(login) => {
            login::authenticate_user(app.store.as_ref(), app.passwords.as_ref(), app.clock.now(), &login)
        }
    }
}

fn read_request(request: &HttpRequest, body: &[u8]) -> Result<(Grant, Option<BTreeSet<Scope>>), Refusal> {
    let media = request.headers().get(CONTENT_TYPE).and_then(|h| h.to_str().ok()).unwrap_or("");
    let is_form = media.split(';').next().is_some_and(|m| m.trim() == "application/x-www-form-urlencoded");
    let text = std::str::from_utf8(body).ok().filter(|text| text.len() <= FORM_LIMIT && is_form);
    let text = text.ok_or_else(|| refuse("invalid_request", "send a form (application/x-www-form-urlencoded)"))?;
    let form = Query::<TokenRequest>::from_query(text).map_err(|e| refuse("invalid_request", e.to_string()))?;
    let form = form.into_inner();
    let asked = form.scope.as_deref().map(read_scopes).transpose()?;
    let basic = request.headers().get(AUTHORIZATION).map(|header| header.to_str().unwrap_or(""));
    let grant = match form.grant_type.as_deref() {
        Some("client_credentials") => client_grant(basic, form)?,
        Some("password") => user_grant(basic, form, asked.clone())?,
        Some(_) => return Err(refuse("unsupported_grant_type", "use client_credentials or password")),
        None => return Err(refuse("invalid_request", "`grant_type` is missing")),
    };
    Ok((grant, asked))
}

fn read_scopes(text: &str) -> Result<BTreeSet<Scope>, Refusal> {
    let read = |name| Scope::parse(name).ok_or_else(|| refuse("invalid_scope", "there is no such scope"));
    text.split(' ').map(read).collect()
}

fn client_grant(basic: Option<&str>, form: TokenRequest) -> Result<Grant, Refusal> {
    let (id, secret) = match (basic, form.client_id, form.client_secret) {
        (Some(_), _, Some(_)) => {
            return Err(refuse("invalid_request", "authenticate by HTTP Basic or in the form, not by both"));
        }
        (Some(header), named, None) => {
            let refusal = || Refusal { basic: true, ..refuse("invalid_client", "the header is not HTTP Basic") };
            let (id, secret) = read_basic(header).ok_or_else(refusal)?;
            if named.is_some_and(|named| named != id) {
                return Err(refuse("invalid_request", "`client_id` names another client than the header"));
            }
            (id, secret)
        }
        (None, Some(id), Some(secret)) => (id, secret),
        (None, ..) => return Err(refuse("invalid_client", "the client did not authenticate")),
    };
    let secret = ClientSecret::presented(&secret);
    Ok(Grant::Client { id: ApiClientId::parse(&id).ok(), secret, basic: basic.is_some() })
}

fn read_basic(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    let bytes = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(encoded.trim()).ok()).flatten()?;
    let (id, secret) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

fn user_grant(basic: Option<&str>, form: TokenRequest, asked: Option<BTreeSet<Scope>>) -> Result<Grant, Refusal> {
    let of_another = form.client_id.is_some_and(|client| client != PASSWORD_CLIENT);
    if basic.is_some() || form.client_secret.is_some() || of_another {
        return Err(refuse("unauthorized_client", "passwords are for the platform's own public client only"));
    }
    let (Some(username), Some(password)) = (form.username, form.password) else {
        return Err(refuse("invalid_request", "`username` or `password` is missing"));
    };
    let (email, password) = (Email::parse(&username).ok(), Password::parse(&password).ok());
    Ok(Grant::User(PasswordLogin { email, password, asked }))
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
        "token_endpoint": format!("{issuer}/oauth/token"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "service_documentation": format!("{issuer}/docs"),
        "grant_types_supported": ["client_credentials", "password"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "scopes_supported": Scope::ALL.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(),
    }))
}

/// Public routes outside of `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(create_token).service(jwks).service(metadata);
}
