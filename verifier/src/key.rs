//! Public keys: Ed25519 (RFC 8032) under a policy, and their spellings.
//!
//! A key is taken only if it is canonically encoded, not of small order and torsion-free: under any
//! other key one signature can be valid for two messages, or two verifiers can disagree. Verification
//! is always strict. The `kid` is the thumbprint of the key (RFC 7638) over its JWK (RFC 8037).

use ed25519_dalek::pkcs8::{DecodePublicKey as _, EncodePublicKey as _, spki::der::pem::LineEnding};
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};

use super::encoding::{b64url, from_b64url};
use crate::digest::Digest;

/// Why a public key or a signature is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not 32 bytes, not base64url, not PEM, or not a JWK of this kind.
    #[error("not an Ed25519 public key")]
    Malformed,
    /// Not the one encoding of its point, or no point at all.
    #[error("the public key is not canonically encoded")]
    NotCanonical,
    /// A point of small order: forgeries are trivial.
    #[error("the public key is weak (small order)")]
    Weak,
    /// A point outside of the prime-order group.
    #[error("the public key is of mixed order (not torsion-free)")]
    MixedOrder,
    /// The signature does not verify strictly.
    #[error("the signature is not valid under this key")]
    BadSignature,
}

impl crate::fault::Reason for KeyError {
    fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "key_malformed",
            Self::NotCanonical => "key_not_canonical",
            Self::Weak => "key_weak",
            Self::MixedOrder => "key_mixed_order",
            Self::BadSignature => "signature_invalid",
        }
    }
}

/// An Ed25519 public key that passed the policy.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PublicKey(VerifyingKey);

/// A public key as JSON (RFC 8037); its canonical JSON is what the thumbprint is taken of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jwk {
    /// Always `Ed25519`.
    pub crv: String,
    /// Always `OKP`.
    pub kty: String,
    /// The 32 bytes, base64url.
    pub x: String,
}

impl PublicKey {
    /// Reads 32 bytes and applies the policy.
    ///
    /// # Errors
    /// Which rule the key breaks.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| KeyError::Malformed)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotCanonical)?;
        if key.to_edwards().compress().as_bytes() != bytes {
            return Err(KeyError::NotCanonical);
        }
        if key.is_weak() {
            return Err(KeyError::Weak);
        }
        if !key.to_edwards().is_torsion_free() {
            return Err(KeyError::MixedOrder);
        }
        Ok(Self(key))
    }

    /// Reads a JWK.
    ///
    /// # Errors
    /// Which rule the key breaks.
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, KeyError> {
        if jwk.kty != "OKP" || jwk.crv != "Ed25519" {
            return Err(KeyError::Malformed);
        }
        Self::parse(&from_b64url(&jwk.x).ok_or(KeyError::Malformed)?)
    }

    /// Reads `-----BEGIN PUBLIC KEY-----` (RFC 8410).
    ///
    /// # Errors
    /// Which rule the key breaks.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_public_key_pem(pem).map_err(|_| KeyError::Malformed)?;
        Self::parse(key.as_bytes())
    }

    /// The 32 bytes.
    #[must_use]
    pub fn bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// As JSON.
    #[must_use]
    pub fn jwk(&self) -> Jwk {
        Jwk { crv: "Ed25519".to_owned(), kty: "OKP".to_owned(), x: b64url(self.0.as_bytes()) }
    }

    /// As PEM, for OpenSSL.
    ///
    /// # Errors
    /// [`KeyError::Malformed`], which a key that passed the policy never gives.
    pub fn pem(&self) -> Result<String, KeyError> {
        self.0.to_public_key_pem(LineEnding::LF).map_err(|_| KeyError::Malformed)
    }

    /// The thumbprint (RFC 7638), base64url: 43 characters.
    #[must_use]
    pub fn kid(&self) -> String {
        let required = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, b64url(self.0.as_bytes()));
        b64url(Digest::of(required.as_bytes()).bytes())
    }

    /// The digest of the 32 bytes: what a registration promises as its next key.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    /// Verifies a signature strictly: canonical scalar and commitment, no small-order point.
    ///
    /// # Errors
    /// [`KeyError::BadSignature`].
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        let signature = Signature::from_slice(signature).map_err(|_| KeyError::BadSignature)?;
        self.0.verify_strict(message, &signature).map_err(|_| KeyError::BadSignature)
    }
}

/// A message, a signature over it, and the key that is said to have made it.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'s> {
    /// The key.
    pub key: &'s PublicKey,
    /// The message.
    pub message: &'s [u8],
    /// The signature.
    pub signature: &'s [u8],
}

/// Verifies many signatures at once, for audits: some three times as fast as one by one. `false` when any of them is not
/// valid, which then has to be found one by one. Keys have passed the policy, so that none is of small order.
#[must_use]
pub fn verify_all(signed: &[Signed<'_>]) -> bool {
    if signed.is_empty() {
        return true;
    }
    let signatures: Result<Vec<Signature>, _> = signed.iter().map(|s| Signature::from_slice(s.signature)).collect();
    let Ok(signatures) = signatures else { return false };
    let messages: Vec<&[u8]> = signed.iter().map(|s| s.message).collect();
    let keys: Vec<VerifyingKey> = signed.iter().map(|s| s.key.0).collect();
    ed25519_dalek::verify_batch(&messages, &signatures, &keys).is_ok()
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({})", self.kid())
    }
}
