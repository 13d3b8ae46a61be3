//! The root of trust of a verifier: which log, signed by which key, sealed by which platform.
//!
//! It travels out of band (from the operator's site, a contract, an auditor), never inside a receipt
//! and never fetched by the verifier. The log's key is a C2SP verifier key, whose name is the origin. Witnesses are
//! verifier keys too, each beginning with its name, and `quorum` says how many of them must have cosigned; a file without
//! both asks for none.

use serde::{Deserialize, Serialize};

use super::key::{Jwk, KeyError, PublicKey};
use super::note::{NoteError, VerifierKey};
use super::policy::{Policy, PolicyError};

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
    /// The witnesses or their quorum.
    #[error("`witnesses`: {0}")]
    Witnesses(#[from] PolicyError),
    /// The log would be its own witness.
    #[error("the witness {0} has the key of the log or of the platform: nobody witnesses for himself")]
    OwnWitness(String),
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    witnesses: Vec<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    quorum: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_zero(quorum: &usize) -> bool {
    *quorum == 0
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
    policy: Policy,
}

impl Trust {
    /// Trusts a log and the platform's keys; no witness is asked for.
    #[must_use]
    pub fn new(log: VerifierKey, platform: Vec<PublicKey>) -> Self {
        Self { log, platform, policy: Policy::default() }
    }

    /// The same, with witnesses.
    ///
    /// # Errors
    /// [`TrustError::OwnWitness`].
    pub fn witnessed(self, policy: Policy) -> Result<Self, TrustError> {
        let own = |key: &PublicKey| self.log.key() == key || self.platform.contains(key);
        match policy.witnesses().iter().find(|witness| own(witness.key())) {
            Some(witness) => Err(TrustError::OwnWitness(witness.name().to_owned())),
            None => Ok(Self { policy, ..self }),
        }
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
        if platform.is_empty() {
            return Err(TrustError::NoPlatformKey);
        }
        Self::new(log, platform).witnessed(Policy::parse(&file.witnesses, file.quorum)?)
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
            witnesses: self.policy.witnesses().iter().map(ToString::to_string).collect(),
            quorum: self.policy.quorum(),
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

    /// The witnesses, and how many of them must have cosigned.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
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
