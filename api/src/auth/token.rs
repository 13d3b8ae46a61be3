//! Access tokens: signed JWTs of 15 minutes (RFC 9068), checked without a look into the database.
//!
//! Invariants: only EdDSA, only `at+jwt`, only our issuer and audience, only a key that is published
//! (RFC 8725). The time comes as a parameter; the library never reads a clock. A token can say no more
//! than its roles allow today: scopes that a role has lost are dropped.
//! Bounds: a token has at most [`MAX_TOKEN_BYTES`]; clocks may differ by [`SKEW_SECONDS`].

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError, RwLock};

use domain::access::login::Login;
use domain::access::{Actor, Methods, Role, Scope, Standing, Subject};
use domain::chain::key::PublicKey;
use domain::kernel::Instant;
use domain::kernel::ids::{MemberId, OrganisationId};
use ed25519_dalek::SigningKey;
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::crypto;
pub use super::keys::KeyUnusable;
use super::keys::{KeyRing, KeySource};

/// How long an access token is good for.
pub const LIFETIME_SECONDS: i64 = 900;
/// By how much the clocks of two servers may differ.
pub const SKEW_SECONDS: i64 = 5;
/// Nothing longer is read.
pub const MAX_TOKEN_BYTES: usize = 4096;
/// The `client_id` of people who log in with a password: the platform's own, public client.
pub const PASSWORD_CLIENT: &str = "flip360";
/// The type of an access token (RFC 9068).
const TYPE: &str = "at+jwt";

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a JWT, or one with another algorithm, type or critical extension.
    #[error("the token is malformed or of another kind")]
    Malformed,
    /// No key of ours has this `kid`.
    #[error("the token was signed with an unknown key")]
    UnknownKey,
    /// The signature does not verify.
    #[error("the signature of the token is not valid")]
    BadSignature,
    /// Another issuer or audience, or claims that do not hold together.
    #[error("the token was not issued by or for this service")]
    NotForUs,
    /// Its time is over.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYet,
}

/// Whose tokens these are.
#[derive(Debug, Clone)]
pub struct TokenConfig {
    /// The issuer: the base URL of this service.
    pub issuer: String,
    /// The audience: whom tokens are for. A sandbox has another one.
    pub audience: String,
}

/// A token that was issued.
#[derive(Clone)]
pub struct IssuedToken {
    /// The JWT.
    pub token: String,
    /// Seconds until it expires.
    pub expires_in: i64,
    /// What it allows, as the `scope` of RFC 6749.
    pub scope: String,
}

/// Who bears a token, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The user or API client.
    pub subject: Subject,
    /// What it may do.
    pub actor: Actor,
    /// When the token expires, in seconds since 1970.
    pub expires_at_second: i64,
    /// The token's own id.
    pub id: Option<Uuid>,
    /// The only origin that browsers may send it from, when it is bound to one.
    pub origin: Option<String>,
    /// Whether it was given to a page: whoever asked for it lent their name, not their account.
    pub embed: bool,
    /// The version of the bearer that it was issued to; 0 when the token does not say.
    pub version: i32,
    /// How a person proved who they are.
    pub methods: Methods,
    /// The session that it was issued in.
    pub session: Option<Uuid>,
}

/// Issues and verifies access tokens.
pub struct Tokens {
    config: TokenConfig,
    keys: RwLock<Arc<KeyRing>>,
    source: Option<Box<dyn KeySource>>,
    validation: Validation,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    client_id: String,
    scope: String,
    roles: Vec<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    org: Option<OrganisationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<MemberId>,
    jti: String,
    #[serde(default)]
    ver: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    embed: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    amr: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<Uuid>,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    exp: i64,
}

impl Tokens {
    /// Issues with one key and accepts it and `others`: so that a key is changed without downtime.
    ///
    /// # Errors
    /// When the key is not a good Ed25519 key.
    pub fn new(config: TokenConfig, key: &SigningKey, others: &[PublicKey]) -> Result<Self, KeyUnusable> {
        crypto::install();
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.set_issuer(&[&config.issuer]);
        validation.set_audience(&[&config.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let keys = RwLock::new(Arc::new(KeyRing::new(key, others)?));
        Ok(Self { config, keys, source: None, validation })
    }

    /// Issues with the keys of a source, which may change: see [`Tokens::learn_keys`].
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn of(config: TokenConfig, source: Box<dyn KeySource>) -> Result<Self, KeyUnusable> {
        let (present, others) = source.read()?;
        Ok(Self { source: Some(source), ..Self::new(config, &present, &others)? })
    }

    /// Reads the keys again, if there is somewhere to read them from.
    ///
    /// # Errors
    /// When they cannot be read; then those that are known stay.
    pub fn learn_keys(&self) -> Result<(), KeyUnusable> {
        let Some(source) = &self.source else { return Ok(()) };
        let (present, others) = source.read()?;
        let ring = KeyRing::new(&present, &others)?;
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if !keys.is_same(&ring) {
            tracing::warn!(kid = ring.kid(), "the keys of access tokens changed");
            *keys = Arc::new(ring);
        }
        Ok(())
    }

    fn keys(&self) -> Arc<KeyRing> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Issues a token to somebody who logged in. `id` makes it unique.
    ///
    /// # Errors
    /// When the key could not sign.
    pub fn issue(&self, login: &Login, id: Uuid, now: Instant) -> Result<IssuedToken, KeyUnusable> {
        self.sign(login, id, now, LIFETIME_SECONDS, None)
    }

    /// Issues a token to a page for so many seconds, bound to an origin when one is given.
    ///
    /// # Errors
    /// When the key could not sign.
    pub fn issue_embed(
        &self,
        login: &Login,
        id: Uuid,
        now: Instant,
        seconds: i64,
        origin: Option<&str>,
    ) -> Result<IssuedToken, KeyUnusable> {
        self.sign(login, id, now, seconds, Some(origin))
    }

    /// Signs a token; for a page when it says from which origin, if any.
    fn sign(
        &self,
        login: &Login,
        id: Uuid,
        now: Instant,
        seconds: i64,
        page: Option<Option<&str>>,
    ) -> Result<IssuedToken, KeyUnusable> {
        let Login { subject, actor, version, methods, session } = login;
        let issued_at = now.timestamp().as_second();
        let scope = actor.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ");
        let claims = Claims {
            iss: self.config.issuer.clone(),
            aud: self.config.audience.clone(),
            sub: subject.to_string(),
            client_id: match subject {
                Subject::Client(client) => client.to_string(),
                Subject::User(_) => PASSWORD_CLIENT.to_owned(),
            },
            scope: scope.clone(),
            roles: actor.roles.iter().copied().collect(),
            org: actor.organisation,
            member: actor.member,
            jti: id.to_string(),
            ver: *version,
            origin: page.flatten().map(str::to_owned),
            embed: page.is_some(),
            amr: methods.names().into_iter().map(str::to_owned).collect(),
            sid: *session,
            iat: issued_at,
            nbf: None,
            exp: issued_at + seconds,
        };
        let keys = self.keys();
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(keys.kid().to_owned());
        let token = jsonwebtoken::encode(&header, &claims, keys.signing()).map_err(|e| KeyUnusable(e.to_string()))?;
        Ok(IssuedToken { token, expires_in: seconds, scope })
    }

    /// Who bears this token, if it is one of ours and its time is now.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn verify(&self, token: &str, now: Instant) -> Result<Bearer, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Malformed);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Malformed)?;
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(TYPE) || header.crit.is_some() {
            return Err(TokenError::Malformed);
        }
        let kid = header.kid.ok_or(TokenError::UnknownKey)?;
        let keys = self.keys();
        let key = keys.find(&kid).ok_or(TokenError::UnknownKey)?;
        let claims = jsonwebtoken::decode::<Claims>(token, key, &self.validation).map_err(|e| refusal(&e))?.claims;
        let second = now.timestamp().as_second();
        if second >= claims.exp {
            return Err(TokenError::Expired);
        }
        if claims.nbf.unwrap_or(claims.iat).max(claims.iat) > second.saturating_add(SKEW_SECONDS) {
            return Err(TokenError::NotYet);
        }
        bearer(claims).ok_or(TokenError::NotForUs)
    }

    /// The keys that tokens are verified with (RFC 7517): the one that signs first.
    #[must_use]
    pub fn jwks(&self) -> Value {
        self.keys().jwks()
    }

    /// Whom tokens are for.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.config.audience
    }

    /// Where tokens are got.
    #[must_use]
    pub fn token_endpoint(&self) -> String {
        format!("{}/oauth/token", self.config.issuer.trim_end_matches('/'))
    }

    /// Who issues.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.config.issuer
    }
}

fn refusal(error: &jsonwebtoken::errors::Error) -> TokenError {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::InvalidSignature => TokenError::BadSignature,
        ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience | ErrorKind::MissingRequiredClaim(_) => {
            TokenError::NotForUs
        }
        _ => TokenError::Malformed,
    }
}

fn bearer(claims: Claims) -> Option<Bearer> {
    let subject = Subject::parse(&claims.sub)?;
    let roles: BTreeSet<Role> = claims.roles.into_iter().collect();
    let standing = Standing::try_new(roles, claims.org, claims.member).ok()?;
    let allowed = standing.scopes();
    let scopes: BTreeSet<Scope> = claims.scope.split(' ').filter_map(Scope::parse).collect();
    let actor = standing.actor(subject.uuid(), Some(&scopes.intersection(&allowed).copied().collect())).ok()?;
    let methods = Methods::restore(&claims.amr);
    Some(Bearer {
        subject,
        // Again, whatever the token says: no second factor, no money.
        actor: methods.allow(subject, actor),
        methods,
        expires_at_second: claims.exp,
        id: Uuid::parse_str(&claims.jti).ok(),
        origin: claims.origin,
        embed: claims.embed,
        version: claims.ver,
        session: claims.sid,
    })
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
