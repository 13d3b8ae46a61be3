//! Who calls: the bearer of an access token, with the scope that the operation asks for.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, ORIGIN};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use domain::access::{Actor, Methods, MissingScope, Subject, Viewer};

use domain::idempotency::{Claim, IdempotencyKey, Tenant};

use uuid::Uuid;

use super::RequestId;
use crate::app::App;
use crate::auth::revocations::Credential;
use crate::auth::token::Bearer;
use crate::problem::Problem;
use crate::sse::Life;

/// Where people keep their own account: password, second factor.
const ACCOUNT: &str = "/v1/me/";

/// An authenticated caller of an operation that it may call.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The user or API client.
    pub subject: Subject,
    /// Who it is.
    pub actor: Actor,
    /// When its token expires, in seconds since 1970.
    pub expires_at_second: i64,
    /// The version of the user or API client that the token was issued to.
    pub bearer_version: i32,
    /// What of its token can be ended before its time.
    pub credential: Credential,
    /// How a person proved who they are.
    pub methods: Methods,
    /// The session that its token was issued in.
    pub session: Option<Uuid>,
    /// Whether it is the page that a token was given to, not who asked for that token.
    pub embed: bool,
    /// For whom it acts, live or in the sandbox.
    pub tenant: Tenant,
    /// In which request.
    pub request_id: RequestId,
    /// The operation, by its id in the API document.
    pub operation: &'static str,
    /// The path that was asked for.
    pub path: String,
    /// `If-None-Match` and `If-Match` are left to [`super::Change`] and the middleware.
    pub method: actix_web::http::Method,
}

impl Caller {
    /// Whose eyes its reads have.
    #[must_use]
    pub fn viewer(&self) -> Viewer {
        self.actor.viewer()
    }

    /// Its key: of this user or API client, acting for its organisation, in this environment.
    #[must_use]
    pub fn claim(&self, key: IdempotencyKey) -> Claim {
        Claim { caller: self.actor.id, tenant: self.tenant.clone(), key }
    }

    /// What ends a stream of its: the end of its token, also before its time, and that of the service.
    #[must_use]
    pub fn life(&self, app: &Data<App>) -> Life {
        let left = self.expires_at_second.saturating_sub(app.clock.now().timestamp().as_second());
        let (knowing, credential) = (app.clone(), self.credential.clone());
        Life {
            lifetime: Duration::from_secs(left.try_into().unwrap_or_default()),
            stopping: app.stopping.subscribe(),
            revoking: app.revocations.watch(),
            ended: Box::new(move || knowing.revocations.end(&credential)),
        }
    }

    /// Authenticates, and enforces the declared scope.
    ///
    /// # Errors
    /// 401 without a good token, 403 without the scope.
    pub fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let app = application(request)?;
        let bearer = verified(request)?;
        let credential = Credential::from(&bearer);
        let Bearer { subject, actor, expires_at_second, version: bearer_version, methods, embed, session, .. } = bearer;
        let pattern = request.match_pattern().unwrap_or_default();
        let Some(operation) = app.policy.operation(request.method(), &pattern) else {
            return Err(Problem::internal(&format_args!("{pattern} is not in the API document")));
        };
        if let Some(missing) = operation.missing(&actor) {
            return Err(MissingScope(missing).into());
        }
        if embed && operation.pattern.starts_with(ACCOUNT) {
            return Err(Problem::forbidden("the token of a page has no account: log in yourself"));
        }
        Ok(Self {
            subject,
            tenant: Tenant::of(app.environment, &actor),
            actor,
            expires_at_second,
            bearer_version,
            credential,
            methods,
            session,
            embed,
            request_id: RequestId::current(request),
            operation: operation.id,
            path: request.path().to_owned(),
            method: request.method().clone(),
        })
    }
}

fn application(request: &HttpRequest) -> Result<&Data<App>, Problem> {
    request.app_data::<Data<App>>().ok_or_else(|| Problem::internal(&"no application"))
}

/// The bearer of a request's token, whatever it may do with it. It is looked at once a request.
///
/// # Errors
/// 401 without a good token.
pub fn verified(request: &HttpRequest) -> Result<Bearer, Problem> {
    if let Some(bearer) = request.extensions().get::<Bearer>() {
        return Ok(bearer.clone());
    }
    let app = application(request)?;
    let token = bearer(request)?;
    let refused = |detail: String| {
        Problem::unauthenticated(detail)
            .with_header("WWW-Authenticate", "Bearer realm=\"flip360\", error=\"invalid_token\"")
    };
    let bearer = app.tokens.verify(token, app.clock.now()).map_err(|error| refused(error.to_string()))?;
    if app.revocations.end(&Credential::from(&bearer)) {
        return Err(refused("the token was ended before its time: get another one".to_owned()));
    }
    if bearer.origin.as_deref().is_some_and(|bound| from_elsewhere(request, bound)) {
        return Err(refused("the token is bound to another origin".to_owned()));
    }
    request.extensions_mut().insert(bearer.clone());
    Ok(bearer)
}

/// Whether a browser sends this from a page of another origin.
fn from_elsewhere(request: &HttpRequest, bound: &str) -> bool {
    request.headers().get_all(ORIGIN).any(|origin| origin.as_bytes() != bound.as_bytes())
}

/// The access token of a request.
///
/// # Errors
/// 401 when there is none.
pub fn bearer(request: &HttpRequest) -> Result<&str, Problem> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    // A generated client may say it once for each way to log in; two different ones are nobody's.
    let Some(header) = headers.next().filter(|first| headers.all(|other| other == *first)) else {
        return Err(Problem::unauthenticated(
            "send `Authorization: Bearer <access token>`; POST /oauth/token gives one",
        ));
    };
    let token = header.to_str().ok().and_then(|text| text.split_once(' '));
    match token {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Problem::unauthenticated("expected `Authorization: Bearer <access token>`")),
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}
