//! Canonical JSON (RFC 8785): the one byte string of a JSON value, which is what gets hashed and signed.
//!
//! What stands in canonical order as it is written, which all that is hashed by the thousand does, is looked over once and
//! taken as it is; anything else is put in order by `serde_json_canonicalizer`.

use serde::Serialize;
use serde_json::Value;

/// The largest whole number that every double around it tells apart.
const LARGEST: u64 = (1 << 53) - 1;

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
    let written = serde_json::to_vec(value).map_err(|e| JcsError::Invalid(e.to_string()))?;
    if stands(&written) { Ok(written) } else { ordered(value) }
}

/// The canonical bytes of a value whose members stand in any order.
fn ordered<T: Serialize>(value: &T) -> Result<Vec<u8>, JcsError> {
    let value = serde_json::to_value(value).map_err(|e| JcsError::Invalid(e.to_string()))?;
    exact(&value)?;
    serde_json_canonicalizer::to_vec(&value).map_err(|e| JcsError::Invalid(e.to_string()))
}

/// Whether JSON, as `serde_json` writes it without blanks, is canonical as it stands: names are plain ASCII and ascend, so
/// that none comes twice, and numbers are whole and exact. `serde_json` escapes just what RFC 8785 does.
fn stands(json: &[u8]) -> bool {
    // For each array and object that is open: the name before in an object, nothing in an array.
    let mut open: Vec<Option<&[u8]>> = Vec::new();
    let (mut at, mut name_next) = (0, false);
    while let Some(byte) = json.get(at) {
        match byte {
            b'{' => {
                open.push(Some(&[]));
                name_next = true;
            }
            b'[' => open.push(None),
            b'}' | b']' => {
                open.pop();
                name_next = false;
            }
            b',' => name_next = matches!(open.last(), Some(Some(_))),
            b'"' => {
                let Some(text) = string(&json[at + 1..]) else { return false };
                at += text.len() + 1;
                if std::mem::take(&mut name_next) {
                    let Some(Some(before)) = open.last_mut() else { return false };
                    if *before >= text || text.iter().any(|byte| !byte.is_ascii() || *byte == b'\\') {
                        return false;
                    }
                    *before = text;
                }
            }
            b'-' | b'0'..=b'9' => {
                let digits =
                    json[at..].iter().take_while(|byte| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'));
                let end = at + digits.count();
                let whole = std::str::from_utf8(&json[at..end]).ok().and_then(|text| text.parse::<i64>().ok());
                if whole.is_none_or(|whole| whole.unsigned_abs() > LARGEST) {
                    return false;
                }
                at = end - 1;
            }
            // A colon, or a letter of true, false and null.
            _ => {}
        }
        at += 1;
    }
    true
}

/// What stands before the closing quotation mark.
fn string(rest: &[u8]) -> Option<&[u8]> {
    let mut at = 0;
    loop {
        match rest.get(at)? {
            b'"' => return rest.get(..at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// RFC 8785 writes numbers as IEEE doubles, so an integer beyond ±(2^53 − 1) would lose digits and two
/// different values would share one digest. Those, and every float, are refused.
fn exact(value: &Value) -> Result<(), JcsError> {
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
    use proptest::prelude::*;

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

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::from),
            (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-4.0..4.0).prop_map(Value::from),
            "[\\u{0}-\\u{7f}]{0,6}".prop_map(Value::from),
            ".{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 48, 6, |inner| {
            let name = prop_oneof!["[a-c\\\\\"{},:]{0,3}", ".{0,3}"];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((name, inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Members as they come, in any order and twice, as a struct or a foreign text may have them.
    struct AsTheyCome(Vec<(String, Value)>);

    impl Serialize for AsTheyCome {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_as_it_stands_is_what_the_canonicalizer_writes(value in json()) {
            prop_assert_eq!(to_bytes(&value), ordered(&value));
        }

        #[test]
        fn members_in_any_order_are_put_in_order(members in prop::collection::vec(("[a-d]{0,2}", json()), 0..5)) {
            let members = AsTheyCome(members);
            prop_assert_eq!(to_bytes(&members), ordered(&members));
        }
    }

    #[test]
    fn only_what_is_canonical_is_taken_as_it_stands() {
        for canonical in
            [r#"{"a":"\"}","b":[{"a":-1},{"a":0}],"c":{}}"#, r#"["\\",null,true]"#, r#"{"a":{"z":1},"b":"\u0000"}"#]
        {
            assert!(stands(canonical.as_bytes()), "{canonical}");
        }
        for other in [
            r#"{"b":1,"a":2}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"a":1}}"#,
            r#"{"a":1.0}"#,
            r#"[9007199254740992]"#,
            r#"{"é":1}"#,
            r#"{"a\n":1}"#,
            r#"{"a":"b}"#,
        ] {
            assert!(!stands(other.as_bytes()), "{other}");
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
