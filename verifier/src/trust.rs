//! The root of trust of a verifier: which log, signed by which key, sealed by which platform.
//!
//! It travels out of band (from the operator's site, a contract, an auditor), never inside a receipt
//! and never fetched by the verifier. The log's key is a C2SP verifier key, whose name is the origin.

use serde::{Deserialize, Serialize};

use super::key::{Jwk, KeyError, PublicKey};
use super::note::{NoteError, VerifierKey};

const TYPE: &str = "flip360_trust";
const VERSION: u8 = 1;

/// Why a file is no root of trust.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// Not JSON of exactly its members.
    #[error("not a trust file: {0}")]
    Malformed(String),
    /// The verifier key of the log.
    #[error("`log_key`: {0}")]
    LogKey(#[from] NoteError),
    /// The verifier key is named otherwise than the log.
    #[error("`log_key` is of log {key}, but `origin` is {origin}")]
    OtherOrigin {
        /// The name of the key.
        key: String,
        /// The origin in the file.
        origin: String,
    },
    /// A key of the platform breaks the key policy.
    #[error("a key of the platform: {0}")]
    PlatformKey(#[from] KeyError),
    /// A thumbprint is not that of its key.
    #[error("the thumbprint {0} is not that of its key")]
    Thumbprint(String),
    /// Nobody could have sealed anything.
    #[error("`platform_keys` is empty")]
    NoPlatformKey,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustFile {
    r#type: String,
    v: u8,
    origin: String,
    log_key: String,
    platform_keys: Vec<NamedKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedKey {
    kid: String,
    jwk: Jwk,
}

/// What a verifier trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    log: VerifierKey,
    platform: Vec<PublicKey>,
}

impl Trust {
    /// Trusts a log and the platform's keys.
    #[must_use]
    pub const fn new(log: VerifierKey, platform: Vec<PublicKey>) -> Self {
        Self { log, platform }
    }

    /// Reads a trust file.
    ///
    /// # Errors
    /// See [`TrustError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, TrustError> {
        let file: TrustFile = serde_json::from_slice(bytes).map_err(|e| TrustError::Malformed(e.to_string()))?;
        if file.r#type != TYPE || file.v != VERSION {
            return Err(TrustError::Malformed(format!("expected {TYPE} version {VERSION}")));
        }
        let log = VerifierKey::parse(&file.log_key)?;
        if log.name() != file.origin {
            return Err(TrustError::OtherOrigin { key: log.name().to_owned(), origin: file.origin });
        }
        let platform = file
            .platform_keys
            .into_iter()
            .map(|named| {
                let key = PublicKey::from_jwk(&named.jwk)?;
                if key.kid() == named.kid { Ok(key) } else { Err(TrustError::Thumbprint(named.kid)) }
            })
            .collect::<Result<Vec<_>, _>>()?;
        if platform.is_empty() { Err(TrustError::NoPlatformKey) } else { Ok(Self { log, platform }) }
    }

    /// Writes the trust file, for people to read too.
    ///
    /// # Errors
    /// Never for typed values; the signature keeps the failure visible.
    pub fn to_json(&self) -> Result<String, TrustError> {
        let named = |key: &PublicKey| NamedKey { kid: key.kid(), jwk: key.jwk() };
        let file = TrustFile {
            r#type: TYPE.to_owned(),
            v: VERSION,
            origin: self.log.name().to_owned(),
            log_key: self.log.to_string(),
            platform_keys: self.platform.iter().map(named).collect(),
        };
        let text = serde_json::to_string_pretty(&file).map_err(|e| TrustError::Malformed(e.to_string()))?;
        Ok(text + "\n")
    }

    /// The name of the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.log.name()
    }

    /// The key of the log.
    #[must_use]
    pub const fn log(&self) -> &VerifierKey {
        &self.log
    }

    /// The platform's key with this thumbprint.
    #[must_use]
    pub fn platform_key(&self, kid: &str) -> Option<&PublicKey> {
        self.platform.iter().find(|key| key.kid() == kid)
    }

    /// Every key of the platform.
    #[must_use]
    pub fn platform_keys(&self) -> &[PublicKey] {
        &self.platform
    }
}
