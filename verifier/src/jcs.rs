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
    let value = serde_json::to_value(value).map_err(|e| JcsError::Invalid(e.to_string()))?;
    exact(&value)?;
    serde_json_canonicalizer::to_vec(&value).map_err(|e| JcsError::Invalid(e.to_string()))
}

/// RFC 8785 writes numbers as IEEE doubles, so an integer beyond ±(2^53 − 1) would lose digits and two
/// different values would share one digest. Those, and every float, are refused.
fn exact(value: &Value) -> Result<(), JcsError> {
    const LARGEST: u64 = (1 << 53) - 1;
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(whole) if whole.unsigned_abs() <= LARGEST => Ok(()),
            _ => Err(JcsError::Invalid(format!("{number} is not a whole number that canonical JSON carries exactly"))),
        },
        Value::Array(items) => items.iter().try_for_each(exact),
        Value::Object(members) => members.values().try_for_each(exact),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_would_lose_digits_are_refused() {
        assert_eq!(to_bytes(&9_007_199_254_740_991_i64), Ok(b"9007199254740991".to_vec()));
        for value in
            [serde_json::json!(9_007_199_254_740_993_i64), serde_json::json!([i64::MIN]), serde_json::json!({"a": 0.5})]
        {
            assert!(to_bytes(&value).is_err(), "{value}");
        }
    }

    #[test]
    fn only_the_canonical_spelling_is_read() {
        assert!(parse(br#"{"a":1,"b":2}"#).is_ok());
        for other in [r#"{"b":2,"a":1}"#, r#"{"a":1,"a":1}"#, r#"{"a": 1}"#, r#"{"a":1e0}"#, r#"{"a":"\u0061"}"#] {
            assert!(parse(other.as_bytes()).is_err(), "{other}");
        }
    }
}
