//! The keys of access tokens as this process knows them, and where they come from.

use domain::chain::key::PublicKey;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::EncodePrivateKey as _;
use integrations::token_keys::TokenKeyFiles;
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Value, json};

/// The keys could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the keys of access tokens cannot be used: {0}")]
pub struct KeyUnusable(pub String);

/// Where keys come from.
pub trait KeySource: Send + Sync {
    /// The key that signs, and those that are accepted beside it.
    ///
    /// # Errors
    /// When they cannot be read.
    fn read(&self) -> Result<(SigningKey, Vec<PublicKey>), KeyUnusable>;
}

impl KeySource for TokenKeyFiles {
    fn read(&self) -> Result<(SigningKey, Vec<PublicKey>), KeyUnusable> {
        let keys = Self::read(self).map_err(|error| KeyUnusable(error.to_string()))?;
        Ok((keys.present, keys.others))
    }
}

/// The key that signs, and every key that is accepted.
pub(super) struct KeyRing {
    kid: String,
    signing: EncodingKey,
    /// The signing key first.
    accepted: Vec<(String, PublicKey, DecodingKey)>,
}

impl KeyRing {
    /// A ring of these keys.
    ///
    /// # Errors
    /// When the signing key is not a good Ed25519 key.
    pub(super) fn new(key: &SigningKey, others: &[PublicKey]) -> Result<Self, KeyUnusable> {
        let public = PublicKey::parse(key.verifying_key().as_bytes()).map_err(|e| KeyUnusable(e.to_string()))?;
        let der = key.to_pkcs8_der().map_err(|_| KeyUnusable("it has no DER form".to_owned()))?;
        let accepted = std::iter::once(public).chain(others.iter().copied());
        let accepted = accepted.map(|key| (key.kid(), key, DecodingKey::from_ed_der(&key.bytes()))).collect();
        Ok(Self { kid: public.kid(), signing: EncodingKey::from_ed_der(der.as_bytes()), accepted })
    }

    /// The name of the key that signs.
    pub(super) fn kid(&self) -> &str {
        &self.kid
    }

    /// The key that signs.
    pub(super) const fn signing(&self) -> &EncodingKey {
        &self.signing
    }

    /// An accepted key by its name.
    pub(super) fn find(&self, kid: &str) -> Option<&DecodingKey> {
        self.accepted.iter().find(|(name, ..)| name == kid).map(|(.., key)| key)
    }

    /// Whether both hold the same keys for the same purposes.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let names = |ring: &Self| ring.accepted.iter().map(|(kid, ..)| kid.clone()).collect::<Vec<_>>();
        self.kid == other.kid && names(self) == names(other)
    }

    /// As a set (RFC 7517).
    pub(super) fn jwks(&self) -> Value {
        let key = |(kid, key, _): &(String, PublicKey, DecodingKey)| {
            let jwk = key.jwk();
            json!({"kty": jwk.kty, "crv": jwk.crv, "x": jwk.x, "kid": kid, "use": "sig", "alg": "EdDSA"})
        };
        json!({"keys": self.accepted.iter().map(key).collect::<Vec<_>>()})
    }
}
