//! Logging in by the ID token of an outside issuer (RFC 7523, 2.1).

use std::collections::BTreeSet;

use actix_web::web::Data;
use domain::access::Scope;
use domain::access::error::LoginError;
use domain::access::jwt::Jwt;
use domain::access::outside::{LONGEST_SECONDS, authenticate_by_issuer, issuer_of};
use integrations::oidc::VerifyError;

use super::LoggedIn;
use crate::app::{App, blocking};
use crate::problem::Problem;

/// Logs somebody in by an ID token. There is no refresh token: whether the session goes on is for the issuer
/// to say.
///
/// # Errors
/// 503 while nobody can say whether the token is good.
pub(super) async fn log_in(
    app: &Data<App>,
    token: Jwt,
    asked: Option<BTreeSet<Scope>>,
) -> Result<Result<LoggedIn, LoginError>, Problem> {
    let (finding, name) = (app.clone(), token.claims.issuer.clone());
    let known = blocking(move || finding.store.transaction(|uow| uow.issuers().find_issuers(&name))).await??;
    let Ok(issuer) = issuer_of(&token, &known) else { return Ok(Err(LoginError::Refused)) };
    let now = app.clock.now();
    let keys = match app.issuers.keys_for(&issuer.issuer, &token, now).await {
        Ok(keys) => keys,
        Err(VerifyError::Token(why)) => {
            tracing::info!(issuer = issuer.issuer.as_str(), %why, "an ID token was refused");
            return Ok(Err(LoginError::Refused));
        }
        Err(VerifyError::Issuer(why)) => {
            tracing::warn!(issuer = issuer.issuer.as_str(), %why, "an ID token could not be judged");
            return Err(Problem::unavailable());
        }
    };
    let (doing, issuer) = (app.clone(), issuer.id);
    let logged_in = blocking(move || {
        let verified = token.verified(keys.as_ref(), now, LONGEST_SECONDS).map_err(|_| LoginError::Refused)?;
        doing.store.transaction(|uow| authenticate_by_issuer(uow, now, issuer, verified, asked.as_ref()))
    })
    .await?;
    Ok(logged_in.map(|login| (login, None)))
}
