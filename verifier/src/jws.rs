//! Compact JWS with one algorithm and one spelling.
//!
//! Source: RFC 7515 (compact serialisation), RFC 9864 (`Ed25519`), RFC 8785 (canonical JSON).
//! `ASCII(b64url(JCS(protected)) "." b64url(JCS(statement)))` is signed, where the protected header is
//! exactly `{"alg":"Ed25519","kid":…,"typ":…}`: no `crit`, no other member, no other order. The payload
//! must be its own canonical form, which also refuses duplicate keys.

use serde::{Deserialize, Serialize};

use super::encoding::{b64url, from_b64url};
use super::key::{KeyError, PublicKey};
use super::signer::{PortError, Signer};
use crate::digest::Digest;
use crate::jcs;

/// The longest envelope, in bytes.
pub const MAX_ENVELOPE_BYTES: usize = 65_535;

/// Why an envelope is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// Not three base64url parts, or too long.
    #[error("not a compact JWS")]
    Malformed,
    /// The protected header is not exactly `alg`, `kid`, `typ` in canonical form.
    #[error("the protected header is not exactly alg (Ed25519), kid and typ, in canonical form")]
    Header,
    /// The payload is not canonical JSON.
    #[error("the payload is not canonical JSON: {0}")]
    Payload(#[from] jcs::JcsError),
    /// Signed for another use.
    #[error("the envelope is of type {found}, not {expected}")]
    OtherType {
        /// What was needed.
        expected: String,
        /// What it says.
        found: String,
    },
    /// Signed by another key than the one at hand.
    #[error("the envelope is signed by key {found}, not {expected}")]
    OtherKey {
        /// The key at hand.
        expected: String,
        /// What it says.
        found: String,
    },
    /// The signature does not verify.
    #[error(transparent)]
    Signature(#[from] KeyError),
    /// The signer failed.
    #[error("cannot sign: {0}")]
    Signer(#[from] PortError),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Protected {
    alg: String,
    kid: String,
    typ: String,
}

/// An envelope that has been taken apart; its signature counts only after [`Jws::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jws {
    kid: String,
    typ: String,
    payload: Vec<u8>,
    signed: String,
    signature: Vec<u8>,
}

/// Signs a payload: the whole envelope, in compact serialisation.
///
/// # Errors
/// When the payload has no canonical JSON, is too long, or the signer fails.
pub fn sign<T: Serialize>(payload: &T, typ: &str, signer: &dyn Signer) -> Result<String, JwsError> {
    let payload = jcs::to_bytes(payload)?;
    // What canonicalisation cannot carry (a number beyond 2^53) must not be signed.
    jcs::parse(&payload)?;
    let protected = Protected { alg: "Ed25519".to_owned(), kid: signer.kid(), typ: typ.to_owned() };
    let signed = format!("{}.{}", b64url(&jcs::to_bytes(&protected)?), b64url(&payload));
    let signature = signer.sign(signed.as_bytes())?;
    let envelope = format!("{signed}.{}", b64url(&signature));
    if envelope.len() > MAX_ENVELOPE_BYTES { Err(JwsError::Malformed) } else { Ok(envelope) }
}

impl Jws {
    /// Takes an envelope apart. Judges everything but the signature.
    ///
    /// # Errors
    /// See [`JwsError`].
    pub fn parse(envelope: &str) -> Result<Self, JwsError> {
        if envelope.len() > MAX_ENVELOPE_BYTES {
            return Err(JwsError::Malformed);
        }
        let (signed, signature) = envelope.rsplit_once('.').ok_or(JwsError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsError::Malformed)?;
        let part = |text: &str| from_b64url(text).ok_or(JwsError::Malformed);
        let (header, payload, signature) = (part(header)?, part(payload)?, part(signature)?);
        let protected: Protected = serde_json::from_slice(&header).map_err(|_| JwsError::Header)?;
        let canonical = jcs::to_bytes(&protected).map_err(|_| JwsError::Header)?;
        if protected.alg != "Ed25519" || canonical != header {
            return Err(JwsError::Header);
        }
        jcs::parse(&payload)?;
        Ok(Self { kid: protected.kid, typ: protected.typ, payload, signed: signed.to_owned(), signature })
    }

    /// The thumbprint of the key that claims to have signed.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What the envelope was signed for.
    #[must_use]
    pub fn typ(&self) -> &str {
        &self.typ
    }

    /// The payload, in canonical form.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The digest of the payload: what deduplication goes by (never the signature).
    #[must_use]
    pub fn payload_digest(&self) -> Digest {
        Digest::of(&self.payload)
    }

    /// The bytes that are signed.
    #[must_use]
    pub fn signing_input(&self) -> &[u8] {
        self.signed.as_bytes()
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Checks type, key and signature.
    ///
    /// # Errors
    /// See [`JwsError`].
    pub fn verify(&self, key: &PublicKey, typ: &str) -> Result<(), JwsError> {
        if self.typ != typ {
            return Err(JwsError::OtherType { expected: typ.to_owned(), found: self.typ.clone() });
        }
        let kid = key.kid();
        if self.kid != kid {
            return Err(JwsError::OtherKey { expected: kid, found: self.kid.clone() });
        }
        Ok(key.verify(self.signed.as_bytes(), &self.signature)?)
    }
}
