//! A set of outside public keys (RFC 7517), and signatures under them.
//!
//! The algorithm follows from the key, never from the token alone: RSA verifies `RS256` only, P-256 `ES256`
//! only, Ed25519 `EdDSA` only (RFC 8725, 3.1). So no public key is ever used as a shared secret, and no key as
//! one of another kind. Keys of other kinds are left out, as are those that are not for signatures.
//! Bounds: [`MAX_KEYS`]; RSA keys have 2048 to 8192 bits.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::access::jwt::{Jwt, JwtError, JwtVerifier};
use domain::chain::key::{Jwk as Ed25519Jwk, PublicKey};
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;

/// Keys of one issuer that are looked at.
pub const MAX_KEYS: usize = 100;

#[derive(Deserialize)]
struct RawSet {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct RawKey {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    Ed25519(PublicKey),
}

struct Key {
    kid: Option<String>,
    material: Material,
}

/// The keys of one issuer.
pub struct JwkSet(Vec<Key>);

impl JwkSet {
    /// Reads a set; keys that cannot verify anything here are left out.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let raw: RawSet = serde_json::from_slice(bytes).ok()?;
        let read = |value| serde_json::from_value::<RawKey>(value).ok().and_then(Key::of);
        Some(Self(raw.keys.into_iter().take(MAX_KEYS).filter_map(read).collect()))
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn decoded(text: Option<&str>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text?).ok()
}

impl Key {
    fn of(raw: RawKey) -> Option<Self> {
        let signs = raw.usage.as_deref().is_none_or(|usage| usage == "sig");
        let verifies = raw.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        let material = match (raw.kty.as_str(), raw.crv.as_deref()) {
            ("RSA", None) => Material::Rsa { n: decoded(raw.n.as_deref())?, e: decoded(raw.e.as_deref())? },
            ("EC", Some("P-256")) => {
                let (x, y) = (decoded(raw.x.as_deref())?, decoded(raw.y.as_deref())?);
                (x.len() == 32 && y.len() == 32).then(|| Material::P256([&[4], x.as_slice(), &y].concat()))?
            }
            ("OKP", Some("Ed25519")) => {
                let jwk = Ed25519Jwk { crv: "Ed25519".into(), kty: "OKP".into(), x: raw.x? };
                Material::Ed25519(PublicKey::from_jwk(&jwk).ok()?)
            }
            _ => return None,
        };
        let fits = raw.alg.as_deref().is_none_or(|alg| material.verifies(alg));
        (signs && verifies && fits).then_some(Self { kid: raw.kid, material })
    }
}

impl Material {
    fn verifies(&self, algorithm: &str) -> bool {
        match self {
            Self::Rsa { .. } => algorithm == "RS256",
            Self::P256(_) => algorithm == "ES256",
            Self::Ed25519(_) => matches!(algorithm, "EdDSA" | "Ed25519"),
        }
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rsa { n, e } => {
                let key = RsaPublicKeyComponents { n, e };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
            }
            Self::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            Self::Ed25519(key) => key.verify(message, signature).is_ok(),
        }
    }
}

impl JwtVerifier for JwkSet {
    fn verify(&self, jwt: &Jwt) -> Result<(), JwtError> {
        if !matches!(jwt.algorithm.as_str(), "RS256" | "ES256" | "EdDSA" | "Ed25519") {
            return Err(JwtError::Algorithm);
        }
        // Without a name there must be only one key that it could be (OpenID Connect Core 10.1).
        let named: Vec<&Key> = self.0.iter().filter(|key| jwt.key.is_none() || key.kid == jwt.key).collect();
        if named.is_empty() || (jwt.key.is_none() && self.0.len() > 1) {
            return Err(JwtError::UnknownKey);
        }
        let fitting: Vec<&Key> = named.into_iter().filter(|key| key.material.verifies(&jwt.algorithm)).collect();
        if fitting.is_empty() {
            return Err(JwtError::Algorithm);
        }
        let signed = |key: &&Key| key.material.verify(jwt.signed.as_bytes(), &jwt.signature);
        if fitting.iter().any(signed) { Ok(()) } else { Err(JwtError::BadSignature) }
    }
}
