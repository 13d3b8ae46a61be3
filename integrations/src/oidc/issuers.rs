//! Finds the keys of outside issuers (OpenID Connect Discovery 4) and keeps them for a while.
//!
//! Keys are read again when they are older than [`FRESH_SECONDS`], and when a token names one that is not
//! known: that is how an issuer rotates. So that tokens with made-up key names do not make us ask for ever,
//! an issuer is asked at most once in [`AGAIN_SECONDS`]. While it cannot be reached, what is known is used for
//! up to [`STALE_SECONDS`]. One request at a time goes to an issuer; others wait for it.
//! Bounds: [`MAX_DOCUMENT`], [`MAX_KEPT`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::access::jwt::{Jwt, JwtError, JwtVerifier as _};
use domain::access::oidc::IssuerUrl;
use domain::kernel::Instant;
use serde::Deserialize;
use tokio::sync::Mutex as AsyncMutex;

use super::keys::JwkSet;
use crate::outbound::{Outbound, OutboundError, OutboundRequest, Verb};

/// Keys are not looked for again for so long, unless one is missing.
pub const FRESH_SECONDS: i64 = 3_600;
/// An issuer is asked at most this often.
pub const AGAIN_SECONDS: i64 = 30;
/// Keys of an issuer that cannot be reached are used for so long.
pub const STALE_SECONDS: i64 = 86_400;
/// Bytes of a document that are read.
const MAX_DOCUMENT: usize = 256 * 1024;
/// Issuers whose keys are kept.
const MAX_KEPT: usize = 1_000;

/// Why there are no keys of an issuer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// It did not answer.
    #[error("the issuer could not be asked: {0}")]
    Away(#[from] OutboundError),
    /// It answered something else.
    #[error("the issuer answered {0}")]
    Status(u16),
    /// Its metadata are not metadata, or those of another issuer.
    #[error("the issuer's metadata are not its own")]
    Metadata,
    /// Its keys are no keys.
    #[error("the issuer's keys cannot be read")]
    Keys,
    /// It was asked a moment ago.
    #[error("the issuer was asked a moment ago, and had no keys")]
    TooSoon,
}

/// Why an ID token is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// It is not good.
    #[error(transparent)]
    Token(#[from] JwtError),
    /// Nobody can say whether it is good.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
}

#[derive(Default)]
struct Known {
    keys: Option<(Arc<JwkSet>, i64)>,
    asked_at: Option<i64>,
}

/// The keys of every issuer that was asked for.
pub struct OutsideIssuers {
    outbound: Outbound,
    known: Mutex<HashMap<String, Arc<AsyncMutex<Known>>>>,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

impl OutsideIssuers {
    /// Asks through this client.
    #[must_use]
    pub fn new(outbound: Outbound) -> Self {
        Self { outbound, known: Mutex::default() }
    }

    /// Keys of an issuer that can judge this token: those that are known, or those that it has now when the
    /// token names one that is not among them. Needs a tokio runtime.
    ///
    /// # Errors
    /// See [`VerifyError`]; the signature itself is judged, too.
    pub async fn keys_for(&self, issuer: &IssuerUrl, jwt: &Jwt, now: Instant) -> Result<Arc<JwkSet>, VerifyError> {
        let second = now.timestamp().as_second();
        let entry = self.entry(issuer);
        let mut known = entry.lock().await;
        if let Some((keys, at)) = &known.keys
            && second - at < FRESH_SECONDS
        {
            match keys.verify(jwt) {
                Err(JwtError::UnknownKey) if known.may_ask(second) => {}
                judged => return judged.map(|()| Arc::clone(keys)).map_err(VerifyError::Token),
            }
        }
        let keys = self.renewed(issuer, &mut known, second).await?;
        keys.verify(jwt)?;
        Ok(keys)
    }

    fn entry(&self, issuer: &IssuerUrl) -> Arc<AsyncMutex<Known>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Issuers are registered by hand, and few; those that were deleted are not kept for ever.
        if known.len() >= MAX_KEPT && !known.contains_key(issuer.as_str()) {
            known.clear();
        }
        Arc::clone(known.entry(issuer.as_str().to_owned()).or_default())
    }

    /// The keys that the issuer has now; those from before when it cannot be asked.
    async fn renewed(&self, issuer: &IssuerUrl, known: &mut Known, second: i64) -> Result<Arc<JwkSet>, IssuerError> {
        let asked = if known.may_ask(second) {
            known.asked_at = Some(second);
            self.ask(issuer).await
        } else {
            Err(IssuerError::TooSoon)
        };
        match asked {
            Ok(keys) => {
                let keys = Arc::new(keys);
                known.keys = Some((Arc::clone(&keys), second));
                Ok(keys)
            }
            Err(error) => match &known.keys {
                Some((keys, at)) if second - at < STALE_SECONDS => Ok(Arc::clone(keys)),
                _ => Err(error),
            },
        }
    }

    async fn ask(&self, issuer: &IssuerUrl) -> Result<JwkSet, IssuerError> {
        let metadata = self.document(issuer.discovery()).await?;
        let metadata: Metadata = serde_json::from_slice(&metadata).map_err(|_| IssuerError::Metadata)?;
        // Whoever answers under this address must be this issuer and no other (Discovery 4.3).
        if metadata.issuer != issuer.as_str() {
            return Err(IssuerError::Metadata);
        }
        let keys = self.document(metadata.jwks_uri).await?;
        JwkSet::parse(&keys).filter(|keys| !keys.is_empty()).ok_or(IssuerError::Keys)
    }

    async fn document(&self, url: String) -> Result<Vec<u8>, IssuerError> {
        let headers = vec![("accept", "application/json".to_owned())];
        let request = OutboundRequest { verb: Verb::Get, url, headers, body: Vec::new(), keep: MAX_DOCUMENT };
        let answer = self.outbound.send(request).await?;
        match answer.status {
            200 if !answer.cut => Ok(answer.body),
            200 => Err(IssuerError::Keys),
            status => Err(IssuerError::Status(status)),
        }
    }
}

impl Known {
    fn may_ask(&self, second: i64) -> bool {
        self.asked_at.is_none_or(|at| second - at >= AGAIN_SECONDS)
    }
}
