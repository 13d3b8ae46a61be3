//! Logging in by the ID token of an outside issuer.
//!
//! Source: OpenID Connect Core 3.1.3.7 (what to check in an ID token), RFC 7523 2.1 (the grant), RFC 8725.
//! Invariants: the token was verified with the keys of an issuer that was registered by hand, names us as that
//! issuer does, is about somebody who is linked to it, and is good here once. Bounds: [`LONGEST_SECONDS`].

use std::collections::BTreeSet;

use super::error::LoginError;
use super::jwt::{Jwt, JwtError, SKEW_SECONDS, Verified};
use super::login::{Login, of_user};
use super::oidc::{OidcIssuer, OidcLink};
use super::session::later;
use super::{Method, Methods, Scope};
use crate::kernel::Instant;
use crate::kernel::ids::OidcIssuerId;
use crate::store::{StoreError, UnitOfWork};

/// An ID token expires at most so far ahead.
pub const LONGEST_SECONDS: i64 = 86_400;

/// The issuer that an ID token is from, among those that we know under its name: the one that names us as the
/// token does.
///
/// # Errors
/// [`JwtError::NotForUs`] when there is none.
pub fn issuer_of<'i>(jwt: &Jwt, known: &'i [OidcIssuer]) -> Result<&'i OidcIssuer, JwtError> {
    let claims = &jwt.claims;
    // An access token or a logout token of the same issuer is no ID token (RFC 8725, 3.11); a logout token that has
    // the type of any JWT is told by its `events` (OpenID Connect Back-Channel Logout 2.4).
    if claims.tells_events || !jwt.kind.as_deref().unwrap_or("JWT").eq_ignore_ascii_case("JWT") {
        return Err(JwtError::Malformed);
    }
    let names_us = |issuer: &&OidcIssuer| {
        let given_to_us = claims.authorized.as_ref().is_none_or(|party| *party == issuer.audience);
        // Of several audiences one must be told to be the one that asked (OpenID Connect Core 3.1.3.7, 3 to 5).
        let alone = claims.audiences.len() == 1 || claims.authorized.is_some();
        issuer.issuer.as_str() == claims.issuer && claims.audiences.contains(&issuer.audience) && given_to_us && alone
    };
    known.iter().find(names_us).ok_or(JwtError::NotForUs)
}

/// Logs somebody in by an ID token that was verified with the keys of that issuer.
///
/// # Errors
/// See [`LoginError`]; then the token is not used up.
pub fn authenticate_by_issuer(
    uow: &mut dyn UnitOfWork,
    now: Instant,
    issuer: OidcIssuerId,
    token: Verified<'_>,
    asked: Option<&BTreeSet<Scope>>,
) -> Result<Login, LoginError> {
    let jwt = token.jwt();
    let link = OidcLink::new(issuer, &jwt.claims.subject);
    let user = uow.issuers().find_linked(&link)?.ok_or(LoginError::Refused)?;
    if uow.access().is_suspended(&user.standing)? {
        return Err(LoginError::Refused);
    }
    let many = jwt.claims.methods.iter().any(|method| method == Method::ManyFactors.as_str());
    let methods = if many { Methods::default().and(Method::ManyFactors) } else { Methods::default() };
    let login = of_user(&user, methods, asked)?;
    let until = later(now, LONGEST_SECONDS + 2 * SKEW_SECONDS);
    let until = until.ok_or_else(|| StoreError::Violates("value_out_of_range".into()))?;
    if uow.sessions().use_assertion(issuer.uuid(), &jwt.digest(), now, until)? {
        Ok(login)
    } else {
        Err(LoginError::Refused)
    }
}
