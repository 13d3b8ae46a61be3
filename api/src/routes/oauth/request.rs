//! What comes to the token and the revocation endpoint, and how they refuse (RFC 6749 §5.2).
//!
//! Bounds: a form has at most [`FORM_LIMIT`] bytes.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use actix_web::web::Query;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::access::assertion::{ASSERTION_TYPE, ClientAssertion};
use domain::access::code::TotpCode;
use domain::access::failed_login::Named;
use domain::access::jwt::Jwt;
use domain::access::login::PasswordLogin;
use domain::access::session::RefreshToken;
use domain::access::{ClientSecret, Password, Scope, Subject};
use domain::directory::Email;
use domain::kernel::ids::ApiClientId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::token::PASSWORD_CLIENT;

/// The most bytes of a token request.
const FORM_LIMIT: usize = 8 * 1024;

/// The grant of RFC 7523, 2.1.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Every way to get a token.
pub(super) const GRANTS: [&str; 4] = ["client_credentials", "password", "refresh_token", JWT_BEARER];

/// A token request; parameters that are not known are ignored (RFC 6749 §3.2).
#[derive(Deserialize, ToSchema)]
#[schema(as = TokenRequest)]
pub(super) struct TokenRequest {
    /// `client_credentials`, `password`, `refresh_token` or `urn:ietf:params:oauth:grant-type:jwt-bearer`.
    #[schema(example = "client_credentials")]
    #[schema(required = true, nullable = false)]
    grant_type: Option<String>,
    /// The API client, unless it authenticates by HTTP Basic.
    #[schema(example = "client_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    client_id: Option<String>,
    /// Its secret, unless it authenticates by HTTP Basic.
    #[schema(format = Password)]
    client_secret: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`, with `client_assertion`.
    #[schema(example = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")]
    client_assertion_type: Option<String>,
    /// Instead of a secret (`private_key_jwt`, RFC 7523): a JWT by the client about itself (`iss` = `sub` = its id), for this server (`aud` = the issuer or the token endpoint), signed with one of its registered keys (EdDSA), expiring within 5 minutes; its `jti` is good once.
    #[schema(format = Password)]
    client_assertion: Option<String>,
    /// The e-mail address of a user.
    username: Option<String>,
    /// The password of a user.
    #[schema(format = Password)]
    password: Option<String>,
    /// A one-time code of a user who has a second factor. Without one the token has no scope that moves money.
    #[schema(format = Password, example = "492039")]
    totp: Option<String>,
    /// An ID token of a registered outside issuer, about a user who is linked to it; it is good once.
    #[schema(format = Password)]
    assertion: Option<String>,
    /// A refresh token; it is good once.
    #[schema(format = Password, example = "flip_rt_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc")]
    refresh_token: Option<String>,
    /// Fewer scopes than the roles have, separated by blanks; all of them if absent.
    #[schema(example = "deals:read deals:write")]
    scope: Option<String>,
}

/// A revocation request (RFC 7009).
#[derive(Deserialize, ToSchema)]
#[schema(as = RevokeRequest)]
pub(super) struct RevokeRequest {
    /// The refresh token or access token that is to end.
    #[schema(format = Password, example = "flip_rt_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc")]
    #[schema(required = true, nullable = false)]
    token: Option<String>,
    /// `refresh_token` or `access_token`; the token tells by itself.
    #[serde(rename = "token_type_hint")]
    #[schema(example = "refresh_token")]
    _token_type_hint: Option<String>,
}

/// A refusal (RFC 6749 §5.2).
#[derive(Serialize, ToSchema)]
#[schema(as = TokenError)]
pub(super) struct TokenErrorView {
    /// `invalid_request`, `invalid_client`, `invalid_grant`, `unauthorized_client`, `unsupported_grant_type` or `invalid_scope`.
    #[schema(example = "invalid_client")]
    error: &'static str,
    /// For a person.
    error_description: String,
}

/// Why there is no token.
pub(super) struct Refusal {
    error: &'static str,
    description: String,
    /// The client used HTTP Basic: its refusal must name that scheme.
    basic: bool,
}

pub(super) fn refuse(error: &'static str, description: impl Into<String>) -> Refusal {
    Refusal { error, description: description.into(), basic: false }
}

impl Refusal {
    /// The refusal of somebody who used HTTP Basic, or not.
    pub(super) fn with_basic(self, basic: bool) -> Self {
        Self { basic, ..self }
    }
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

pub(super) enum Grant {
    Client {
        id: Option<ApiClientId>,
        secret: ClientSecret,
        basic: bool,
    },
    /// `None`: what came could never be one.
    Assertion(Option<Box<ClientAssertion>>),
    User(PasswordLogin),
    /// `None`: what came could never be one.
    Outside(Option<Box<Jwt>>),
    Refresh(RefreshToken),
}

impl Grant {
    /// Whom it is about, as far as it says so before it is looked at.
    pub(super) fn named(&self) -> Named {
        let client = |id: &ApiClientId| Named::Subject(Subject::Client(*id));
        match self {
            Self::Client { id, .. } => id.as_ref().map_or(Named::Nobody, client),
            Self::Assertion(assertion) => assertion.as_ref().map_or(Named::Nobody, |read| client(&read.client())),
            Self::User(login) => login.email.clone().map_or(Named::Nobody, Named::Address),
            Self::Outside(_) | Self::Refresh(_) => Named::Nobody,
        }
    }
}

/// Reads the form of a request.
fn read_form<T: serde::de::DeserializeOwned>(request: &HttpRequest, body: &[u8]) -> Result<T, Refusal> {
    let media = request.headers().get(CONTENT_TYPE).and_then(|h| h.to_str().ok()).unwrap_or("");
    let is_form = media.split(';').next().is_some_and(|m| m.trim() == "application/x-www-form-urlencoded");
    let text = std::str::from_utf8(body).ok().filter(|text| text.len() <= FORM_LIMIT && is_form);
    let text = text.ok_or_else(|| refuse("invalid_request", "send a form (application/x-www-form-urlencoded)"))?;
    let form = Query::<T>::from_query(text).map_err(|e| refuse("invalid_request", e.to_string()))?;
    Ok(form.into_inner())
}

/// What a revocation request names (RFC 7009).
pub(super) fn read_revocation(request: &HttpRequest, body: &[u8]) -> Result<String, Refusal> {
    let form: RevokeRequest = read_form(request, body)?;
    form.token.ok_or_else(|| refuse("invalid_request", "`token` is missing"))
}

/// How somebody asks for a token, and for which scopes.
pub(super) fn read_request(request: &HttpRequest, body: &[u8]) -> Result<(Grant, Option<BTreeSet<Scope>>), Refusal> {
    let form: TokenRequest = read_form(request, body)?;
    let asked = form.scope.as_deref().map(read_scopes).transpose()?;
    let basic = request.headers().get(AUTHORIZATION).map(|header| header.to_str().unwrap_or(""));
    let grant = match form.grant_type.as_deref() {
        Some("client_credentials") => client_grant(basic, form)?,
        Some("password") => user_grant(basic, form, asked.clone())?,
        Some("refresh_token") => refresh_grant(basic, form)?,
        Some(JWT_BEARER) => outside_grant(basic, form)?,
        Some(_) => {
            return Err(refuse("unsupported_grant_type", format!("use one of {}", GRANTS.join(", "))));
        }
        None => return Err(refuse("invalid_request", "`grant_type` is missing")),
    };
    Ok((grant, asked))
}

fn read_scopes(text: &str) -> Result<BTreeSet<Scope>, Refusal> {
    let read = |name| Scope::parse(name).ok_or_else(|| refuse("invalid_scope", "there is no such scope"));
    text.split(' ').map(read).collect()
}

fn client_grant(basic: Option<&str>, form: TokenRequest) -> Result<Grant, Refusal> {
    if form.client_assertion.is_some() || form.client_assertion_type.is_some() {
        return assertion_grant(basic, form);
    }
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

/// A client that signs instead of telling a secret (RFC 7521 §4.2).
fn assertion_grant(basic: Option<&str>, form: TokenRequest) -> Result<Grant, Refusal> {
    if basic.is_some() || form.client_secret.is_some() {
        return Err(refuse("invalid_request", "authenticate by an assertion or by a secret, not by both"));
    }
    let (Some(ASSERTION_TYPE), Some(text)) = (form.client_assertion_type.as_deref(), form.client_assertion) else {
        let what = format!("send `client_assertion` with `client_assertion_type` {ASSERTION_TYPE}");
        return Err(refuse("invalid_request", what));
    };
    let assertion = ClientAssertion::parse(&text).ok();
    if let (Some(named), Some(read)) = (&form.client_id, &assertion)
        && *named != read.client().to_string()
    {
        return Err(refuse("invalid_request", "`client_id` names another client than the assertion"));
    }
    Ok(Grant::Assertion(assertion.map(Box::new)))
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
    let code = form.totp.as_deref().filter(|code| !code.is_empty()).map(TotpCode::presented);
    Ok(Grant::User(PasswordLogin { email, password, code, asked }))
}

/// People whom an outside issuer vouches for come through the platform's own public client.
fn outside_grant(basic: Option<&str>, form: TokenRequest) -> Result<Grant, Refusal> {
    let of_another = form.client_id.is_some_and(|client| client != PASSWORD_CLIENT);
    if basic.is_some() || form.client_secret.is_some() || form.client_assertion.is_some() || of_another {
        return Err(refuse("unauthorized_client", "ID tokens are for the platform's own public client only"));
    }
    let token = form.assertion.ok_or_else(|| refuse("invalid_request", "`assertion` is missing"))?;
    Ok(Grant::Outside(Jwt::parse(&token).ok().map(Box::new)))
}

/// Refresh tokens belong to people, who log in through the platform's own public client.
fn refresh_grant(basic: Option<&str>, form: TokenRequest) -> Result<Grant, Refusal> {
    let of_another = form.client_id.is_some_and(|client| client != PASSWORD_CLIENT);
    if basic.is_some() || form.client_secret.is_some() || of_another {
        return Err(refuse("unauthorized_client", "refresh tokens are for the platform's own public client only"));
    }
    let token = form.refresh_token.ok_or_else(|| refuse("invalid_request", "`refresh_token` is missing"))?;
    Ok(Grant::Refresh(RefreshToken::presented(&token)))
}
