//! A signed JWT that somebody else made, taken apart: client assertions, ID tokens of outside issuers.
//!
//! Source: RFC 7519, RFC 7515 (compact serialisation), RFC 8725 (what to distrust). Nothing in it counts
//! before its signature was verified under a key that we chose, by the algorithm that belongs to that key:
//! `jwk`, `jku`, `x5u` and `x5c` are never looked at, `crit` is refused.
//! Bounds: [`MAX_BYTES`], [`MAX_AUDIENCES`], [`MAX_NAME`]; clocks may differ by [`SKEW_SECONDS`].

use serde::Deserialize;
use serde_json::Value;

use crate::chain::encoding::from_b64url;
use crate::kernel::{Digest, Instant};

/// Nothing longer is read.
pub const MAX_BYTES: usize = 8 * 1024;
/// Audiences of one token.
pub const MAX_AUDIENCES: usize = 10;
/// The most bytes of an issuer, a subject, a key's name or a token's own id.
pub const MAX_NAME: usize = 255;
/// By how much the clocks of two servers may differ.
pub const SKEW_SECONDS: i64 = 5;

/// Why a JWT of somebody else is refused. For the log and the tests; a caller hears less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// Not a signed JWT, or one that asks for more than is understood.
    #[error("not a signed JWT of this kind")]
    Malformed,
    /// Another algorithm than that of the key, or none.
    #[error("signed with another algorithm")]
    Algorithm,
    /// No key that could have signed it.
    #[error("signed with an unknown key")]
    UnknownKey,
    /// The signature does not verify.
    #[error("the signature is not valid")]
    BadSignature,
    /// Another issuer, subject or audience.
    #[error("from somebody else, or for somebody else")]
    NotForUs,
    /// Its time is over, or has not come, or is too long.
    #[error("expired, not valid yet, or valid for too long")]
    Time,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
    b64: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
struct RawClaims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
    jti: Option<String>,
    azp: Option<String>,
    events: Option<Value>,
    #[serde(default)]
    amr: Vec<String>,
}

/// What a JWT says; true only once its signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Who made it.
    pub issuer: String,
    /// Whom it is about.
    pub subject: String,
    /// Whom it is for; at least one.
    pub audiences: Vec<String>,
    /// When it expires, in seconds since 1970.
    pub expires_at: i64,
    /// When it begins to be valid.
    pub not_before: Option<i64>,
    /// When it was made.
    pub issued_at: Option<i64>,
    /// Its own id.
    pub id: Option<String>,
    /// To which client it was given (OpenID Connect Core 2).
    pub authorized: Option<String>,
    /// How the subject proved who they are (RFC 8176).
    pub methods: Vec<String>,
    /// Whether it tells of something that happened (RFC 8417), such as a logout: then it proves nobody's presence.
    pub tells_events: bool,
}

/// A JWT that has been taken apart.
#[derive(Clone, PartialEq, Eq)]
pub struct Jwt {
    /// The algorithm that it claims.
    pub algorithm: String,
    /// The name of the key that it claims.
    pub key: Option<String>,
    /// Its type.
    pub kind: Option<String>,
    /// What it says.
    pub claims: Claims,
    /// The bytes that are signed.
    pub signed: String,
    /// The signature.
    pub signature: Vec<u8>,
}

impl Jwt {
    /// Takes a JWT apart. Judges nothing but its shape.
    ///
    /// # Errors
    /// [`JwtError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, JwtError> {
        if text.len() > MAX_BYTES {
            return Err(JwtError::Malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(JwtError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(JwtError::Malformed)?;
        let part = |text: &str| from_b64url(text).ok_or(JwtError::Malformed);
        let header: Header = serde_json::from_slice(&part(header)?).map_err(|_| JwtError::Malformed)?;
        let claims: RawClaims = serde_json::from_slice(&part(claims)?).map_err(|_| JwtError::Malformed)?;
        let named = header.kid.as_ref().is_none_or(|kid| kid.len() <= MAX_NAME);
        if header.crit.is_some() || header.b64.is_some() || !named {
            return Err(JwtError::Malformed);
        }
        Ok(Self {
            algorithm: header.alg,
            key: header.kid,
            kind: header.typ,
            claims: claims.checked().ok_or(JwtError::Malformed)?,
            signed: signed.to_owned(),
            signature: part(signature)?,
        })
    }

    /// The digest of what was signed: two spellings of one signature are still one token.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.signed.as_bytes())
    }
}

/// Keys of somebody else, chosen by us.
pub trait JwtVerifier {
    /// Judges the signature, and whether its algorithm is that of the key.
    ///
    /// # Errors
    /// See [`JwtError`].
    fn verify(&self, jwt: &Jwt) -> Result<(), JwtError>;
}

/// A JWT whose signature was verified and whose time is now: what it says is what its issuer said.
#[derive(Clone, Copy)]
pub struct Verified<'j>(&'j Jwt);

impl Verified<'_> {
    /// The token.
    #[must_use]
    pub const fn jwt(&self) -> &Jwt {
        self.0
    }
}

impl Jwt {
    /// Judges signature and time.
    ///
    /// # Errors
    /// See [`JwtError`].
    pub fn verified(
        &self,
        keys: &dyn JwtVerifier,
        now: Instant,
        longest_seconds: i64,
    ) -> Result<Verified<'_>, JwtError> {
        keys.verify(self)?;
        self.claims.timely(now, longest_seconds)?;
        Ok(Verified(self))
    }
}

impl RawClaims {
    fn checked(self) -> Option<Claims> {
        let audiences = match self.aud {
            Audience::One(one) => vec![one],
            Audience::Many(many) => many,
        };
        let bounded = |text: &str| !text.is_empty() && text.len() <= MAX_NAME;
        let id = self.jti.as_deref().is_none_or(bounded);
        let methods = self.amr.len() <= MAX_AUDIENCES;
        let good = bounded(&self.iss) && bounded(&self.sub) && id && methods;
        let few = (1..=MAX_AUDIENCES).contains(&audiences.len());
        (good && few).then_some(Claims {
            issuer: self.iss,
            subject: self.sub,
            audiences,
            expires_at: self.exp,
            not_before: self.nbf,
            issued_at: self.iat,
            id: self.jti,
            authorized: self.azp,
            methods: self.amr,
            tells_events: self.events.is_some(),
        })
    }
}

impl Claims {
    /// Whether its time is now, and ends within so many seconds.
    ///
    /// # Errors
    /// [`JwtError::Time`].
    pub fn timely(&self, now: Instant, longest_seconds: i64) -> Result<(), JwtError> {
        let second = now.timestamp().as_second();
        let soon = second.saturating_add(SKEW_SECONDS);
        let begun = [self.not_before, self.issued_at].into_iter().flatten().all(|at| at <= soon);
        let ends = self.expires_at > second && self.expires_at <= soon.saturating_add(longest_seconds);
        if begun && ends { Ok(()) } else { Err(JwtError::Time) }
    }
}
