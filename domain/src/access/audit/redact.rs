//! What the audit log may show of a value: an allow-list, so that a field which nobody thought of is withheld.
//!
//! Personal data lives in `personal_data` alone and can be erased; the audit log is append-only, so it
//! must never have held any. Shown are numbers, truth values, ids, and texts of fields that are words,
//! dates, references or digests by their definition. Free text is withheld: people write names into it.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::Fields;
use crate::kernel::Digest;
use crate::kernel::id::decode;

/// Stands where a value was that the audit log does not hold.
pub const WITHHELD: &str = "[withheld]";
/// Stands where a value was that is too long.
pub const TOO_LONG: &str = "[too long]";
/// The most bytes that are kept of one field.
pub const LONGEST: usize = 2_048;

/// Fields whose texts are words of ours or references.
const SHOWN: [&str; 28] = [
    "acknowledged",
    "bank_code",
    "by",
    "category",
    "cohort",
    "currency",
    "earned_from",
    "event_types",
    "external_ref",
    "from",
    "governing_date",
    "jurisdiction",
    "kind",
    "member_ref",
    "product",
    "rail",
    "rate",
    "revision",
    "role",
    "roles",
    "scopes",
    "stage",
    "state",
    "status",
    "to",
    "type",
    "upline_ref",
    "vertical",
];

/// Fields that are public for objects of these operations, and personal elsewhere.
const SHOWN_OF: [(&str, &str); 10] = [
    ("organisation", "name"),
    ("organisation", "abn"),
    ("vertical", "name"),
    ("vertical", "description"),
    ("product", "name"),
    ("product", "code"),
    ("cohort", "name"),
    ("cohort", "code"),
    ("agreement", "name"),
    ("lookup_table", "name"),
];

/// The fields as the audit log may hold them.
#[must_use]
pub fn shown(action: &str, fields: &Fields) -> Fields {
    fields.iter().map(|(name, value)| (name.clone(), bounded(value_shown(action, name, value)))).collect()
}

fn bounded(value: Value) -> Value {
    if value.to_string().len() > LONGEST { Value::from(TOO_LONG) } else { value }
}

fn value_shown(action: &str, name: &str, value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) => value.clone(),
        // Canonical JSON carries whole numbers up to 2^53 - 1 exactly; a larger one is kept as its digits.
        Value::Number(number) => match number.as_i64() {
            Some(whole) if whole.unsigned_abs() < 1 << 53 => value.clone(),
            Some(whole) => Value::from(whole.to_string()),
            None => Value::from(WITHHELD),
        },
        Value::String(text) if is_shown(action, name, text) => value.clone(),
        Value::String(_) => Value::from(WITHHELD),
        Value::Array(items) => items.iter().map(|item| value_shown(action, name, item)).collect(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| (name.clone(), value_shown(action, name, value));
            Value::Object(members.iter().map(member).collect::<Map<String, Value>>())
        }
    }
}

fn is_shown(action: &str, name: &str, text: &str) -> bool {
    let of_object = |(object, field): &(&str, &str)| *field == name && action.ends_with(&format!("_{object}"));
    SHOWN.contains(&name)
        || is_id(name, text)
        || is_date(name, text)
        || is_digest(name, text)
        || SHOWN_OF.iter().any(of_object)
}

/// An id of ours in a field that holds ids.
fn is_id(name: &str, text: &str) -> bool {
    let suffix = text.rsplit_once('_').map(|(_, suffix)| suffix);
    (name == "id" || name.ends_with("_id") || name.ends_with("_ids")) && suffix.and_then(decode).is_some()
}

/// A date or a moment in a field that holds one.
fn is_date(name: &str, text: &str) -> bool {
    let named =
        ["on", "at"].contains(&name) || ["_on", "_at", "_from", "_to", "_until"].iter().any(|end| name.ends_with(end));
    // Annotations, which ISO 8601's extensions allow, could hold anything.
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"-:+.TZ".contains(&byte));
    named && plain && (text.parse::<Date>().is_ok() || text.parse::<Timestamp>().is_ok())
}

/// A SHA-256 in a field that holds one.
fn is_digest(name: &str, text: &str) -> bool {
    name.ends_with("_sha256") && Digest::parse_hex(text).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen(action: &str, value: &Value) -> Value {
        Value::Object(shown(action, value.as_object().expect("an object")))
    }

    #[test]
    fn what_is_not_known_to_be_harmless_is_withheld() {
        let given = json!({
            "name": "Ann Lee", "email": "ann@example.com", "password": "correct horse battery", "totp": "123456",
            "client": {"name": "Bob", "phone": "+61 2 9000 0000"}, "note": "Ann called", "abn": "51824753556",
            "account": {"bsb": "062-000", "account_number": "12345678"}, "minimum_payout": {"amount": 500, "currency": "AUD"},
            "member_id": "member_01k0w4q7v8e2rtf3k2m9x5c6dz", "contact_id": "Ann Lee", "status": "active", "age": 1.5,
            "roles": ["finance"], "erased": false, "phones": ["1"], "upline_id": null
        });
        let w = WITHHELD;
        let expected = json!({
            "name": w, "email": w, "password": w, "totp": w, "client": {"name": w, "phone": w}, "note": w, "abn": w,
            "account": {"bsb": w, "account_number": w}, "minimum_payout": {"amount": 500, "currency": "AUD"},
            "member_id": "member_01k0w4q7v8e2rtf3k2m9x5c6dz", "contact_id": w, "status": "active", "age": w,
            "roles": ["finance"], "erased": false, "phones": [w], "upline_id": null
        });
        assert_eq!(seen("create_contact", &given), expected);
    }

    #[test]
    fn the_name_of_an_organisation_is_public_and_that_of_a_payee_is_not() {
        let given = json!({"name": "Bay Pty Ltd", "abn": "51824753556"});
        assert_eq!(seen("update_organisation", &given), given);
        assert_eq!(seen("create_payee", &given), json!({"name": WITHHELD, "abn": WITHHELD}));
    }

    #[test]
    fn dates_digests_and_numbers_are_shown_where_they_belong() {
        let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
        let given = json!({
            "on": "2026-02-01", "settled_on": "Ann", "opened_on": "2026-02-01[Ann/Lee]", "born": "1990-01-01", "executed_at": "2026-11-25T02:00:00Z",
            "file_sha256": digest, "name": digest, "amount": i64::MAX, "small": -9_007_199_254_740_991_i64
        });
        let expected = json!({
            "on": "2026-02-01", "settled_on": WITHHELD, "opened_on": WITHHELD, "born": WITHHELD, "executed_at": "2026-11-25T02:00:00Z",
            "file_sha256": digest, "name": WITHHELD, "amount": "9223372036854775807", "small": -9_007_199_254_740_991_i64
        });
        let seen = seen("create_deal_fact", &given);
        assert_eq!(seen, expected);
        assert!(crate::kernel::jcs::to_bytes(&seen).is_ok());
    }

    #[test]
    fn a_field_is_bounded() {
        let given = json!({"roles": vec!["auditor"; 1_000]});
        assert_eq!(seen("create_user", &given), json!({"roles": TOO_LONG}));
    }
}
