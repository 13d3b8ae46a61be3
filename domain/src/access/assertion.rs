//! An API client that proves itself by a signed assertion instead of a secret.
//!
//! Source: RFC 7523 sections 2.2 and 3, RFC 8725. The assertion is signed with one of the client's registered
//! Ed25519 keys, is for this token endpoint and for nobody else, lives [`LONGEST_SECONDS`] at most, and is good
//! once: its `jti` is kept until it expires, in the transaction of the login, so that no other process takes it
//! either. What is wrong with it is not told to the caller.

use std::collections::BTreeSet;

use super::Scope;
use super::client_key::ApiClientKey;
use super::error::LoginError;
use super::jwt::{Jwt, JwtError, SKEW_SECONDS};
use super::login::{Login, of_client};
use super::session::later;
use crate::kernel::ids::ApiClientId;
use crate::kernel::{Digest, Instant};
use crate::store::{StoreError, UnitOfWork};

/// The only type of assertion that is taken.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// An assertion expires at most so far ahead.
pub const LONGEST_SECONDS: i64 = 300;

/// A client assertion that has been read; it counts only after [`ClientAssertion::verify`].
#[derive(Clone)]
pub struct ClientAssertion {
    jwt: Jwt,
    client: ApiClientId,
    id: Digest,
}

impl ClientAssertion {
    /// Reads an assertion: a client about itself, by an algorithm that we take, with an id.
    ///
    /// # Errors
    /// See [`JwtError`].
    pub fn parse(text: &str) -> Result<Self, JwtError> {
        let jwt = Jwt::parse(text)?;
        // `Ed25519` is the fully specified name (RFC 9864) of what RFC 8037 calls `EdDSA`.
        if jwt.algorithm != "EdDSA" && jwt.algorithm != "Ed25519" {
            return Err(JwtError::Algorithm);
        }
        let kind = jwt.kind.as_deref().unwrap_or("JWT");
        if !kind.eq_ignore_ascii_case("JWT") && kind != "client-authentication+jwt" {
            return Err(JwtError::Malformed);
        }
        if jwt.claims.issuer != jwt.claims.subject {
            return Err(JwtError::NotForUs);
        }
        let client = ApiClientId::parse(&jwt.claims.subject).map_err(|_| JwtError::NotForUs)?;
        let id = jwt.claims.id.as_deref().ok_or(JwtError::Malformed)?;
        Ok(Self { client, id: Digest::of(id.as_bytes()), jwt })
    }

    /// The client that it is about.
    #[must_use]
    pub const fn client(&self) -> ApiClientId {
        self.client
    }

    /// Checks signature, audience and time.
    ///
    /// # Errors
    /// See [`JwtError`].
    pub fn verify(&self, keys: &[ApiClientKey], audiences: &[&str], now: Instant) -> Result<(), JwtError> {
        let named = |key: &&ApiClientKey| {
            self.jwt.key.as_deref().is_none_or(|kid| kid == key.key.kid() || kid == key.id.to_string())
        };
        let mut candidates = keys.iter().filter(named).peekable();
        if candidates.peek().is_none() {
            return Err(JwtError::UnknownKey);
        }
        let signed = self.jwt.signed.as_bytes();
        if !candidates.any(|key| key.key.verify(signed, &self.jwt.signature).is_ok()) {
            return Err(JwtError::BadSignature);
        }
        // For us alone: whoever else it is for could present it here.
        if !self.jwt.claims.audiences.iter().all(|audience| audiences.contains(&audience.as_str())) {
            return Err(JwtError::NotForUs);
        }
        self.jwt.claims.timely(now, LONGEST_SECONDS)
    }
}

/// Logs an API client in by an assertion, with the scopes asked for or all that it has. `audiences` are the
/// names of this token endpoint.
///
/// # Errors
/// See [`LoginError`]; then the assertion is not used up.
pub fn authenticate_by_assertion(
    uow: &mut dyn UnitOfWork,
    now: Instant,
    audiences: &[&str],
    assertion: &ClientAssertion,
    asked: Option<&BTreeSet<Scope>>,
) -> Result<Login, LoginError> {
    let id = assertion.client;
    // The client before its keys: should a key go in between, the token is of the version that ended with it.
    let client = uow.access().find_client(id)?.ok_or(LoginError::Refused)?.client;
    let keys = uow.client_keys().list_client_keys(id)?;
    assertion.verify(&keys, audiences, now).map_err(|_| LoginError::Refused)?;
    let login = of_client(uow, client, asked)?;
    let until = later(now, LONGEST_SECONDS + 2 * SKEW_SECONDS);
    let until = until.ok_or_else(|| StoreError::Violates("value_out_of_range".into()))?;
    if uow.sessions().use_assertion(id.uuid(), &assertion.id, now, until)? {
        Ok(login)
    } else {
        Err(LoginError::Refused)
    }
}

#[cfg(test)]
#[path = "assertion_tests.rs"]
mod tests;
