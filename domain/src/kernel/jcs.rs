//! Canonical JSON (RFC 8785): the one byte string of a JSON value, which is what gets hashed and signed.

use serde::Serialize;
use serde_json::Value;

/// The text is not JSON, not canonical, or holds a number that canonical JSON cannot carry exactly.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JcsError {
    /// Not JSON, or duplicate keys, or a float.
    #[error("not valid JSON for signing: {0}")]
    Invalid(String),
    /// JSON, but not in its canonical form.
    #[error("the JSON is not in canonical form (RFC 8785)")]
    NotCanonical,
}

/// The canonical bytes of a value.
///
/// # Errors
/// When the value does not serialise to JSON.
pub fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, JcsError> {
    serde_json_canonicalizer::to_vec(value).map_err(|e| JcsError::Invalid(e.to_string()))
}

/// Reads canonical bytes; anything that would not be written back the same is refused, which also
/// refuses duplicate keys, floats and needless escapes.
///
/// # Errors
/// See [`JcsError`].
pub fn parse(bytes: &[u8]) -> Result<Value, JcsError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|e| JcsError::Invalid(e.to_string()))?;
    if to_bytes(&value)? == bytes { Ok(value) } else { Err(JcsError::NotCanonical) }
}
