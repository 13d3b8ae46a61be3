//! Base64 of fixed-size values, with exactly one accepted spelling each (RFC 4648).
//!
//! Both engines refuse wrong padding and stray trailing bits, so that no two texts mean one value.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::digest::Digest;

/// Standard base64 with padding, as the log's formats use it.
#[must_use]
pub fn b64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// URL-safe base64 without padding, as JOSE uses it.
#[must_use]
pub fn b64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads standard base64 with padding.
#[must_use]
pub fn from_b64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Reads URL-safe base64 without padding.
#[must_use]
pub fn from_b64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Reads a digest from standard base64.
#[must_use]
pub fn digest_from_b64(text: &str) -> Option<Digest> {
    from_b64(text).and_then(|bytes| Digest::from_slice(&bytes))
}

/// `serde(with)`: a digest as standard base64.
pub mod digest_b64 {
    use super::{Digest, b64, digest_from_b64};
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the digest.
    ///
    /// # Errors
    /// Those of the serialiser.
    pub fn serialize<S: Serializer>(digest: &Digest, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&b64(digest.bytes()))
    }

    /// Reads the digest.
    ///
    /// # Errors
    /// When the text is not the base64 of 32 bytes.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Digest, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        digest_from_b64(&text).ok_or_else(|| serde::de::Error::custom("expected the base64 of 32 bytes"))
    }
}

/// `serde(with)`: a list of digests as standard base64.
pub mod digests_b64 {
    use super::{Digest, b64, digest_from_b64};
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the digests.
    ///
    /// # Errors
    /// Those of the serialiser.
    pub fn serialize<S: Serializer>(digests: &[Digest], s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(digests.iter().map(|digest| b64(digest.bytes())))
    }

    /// Reads the digests.
    ///
    /// # Errors
    /// When one of them is not the base64 of 32 bytes.
    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<Digest>, D::Error> {
        let texts = Vec::<String>::deserialize(d)?;
        let digests = texts.iter().map(|text| digest_from_b64(text)).collect::<Option<Vec<_>>>();
        digests.ok_or_else(|| serde::de::Error::custom("expected the base64 of 32 bytes"))
    }
}
