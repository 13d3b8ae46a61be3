//! What Stripe's answers mean in the words of the domain.
//!
//! | answer | meaning |
//! |---|---|
//! | 429; 409 (the key is in use); 5xx in Stripe's own words; 401, 403 (our key, not the payee) | again, under the same key |
//! | `idempotency_error` (the key stands for another body) | unknown: there is an earlier request |
//! | `balance_insufficient` | our balance does not hold it; nothing was done |
//! | any other 400, 402, 404 in Stripe's own words | a definite no |
//! | a time-out, a broken connection, HTML, a 200 that cannot be read | unknown |
//!
//! Source: Stripe's API reference, "Errors", "Idempotent requests"; "Advanced error handling".

use domain::payouts::stripe::event::moment;
use domain::payouts::stripe::names::{ReversalName, TransactionName};
use domain::payouts::stripe::rail::{AccountLink, BalanceTransaction, RailBalance, RailError, Reversal};
use serde_json::Value;

/// What an error in Stripe's own words means.
pub fn meaning(status: u16, kind: &str, code: Option<&str>, message: &str) -> RailError {
    let said = |what: &str| format!("{status} {what}: {message}");
    let word = code.unwrap_or(kind);
    match (status, kind, word) {
        (401 | 403 | 409 | 429 | 500..=599, ..) => RailError::Again(said(word)),
        (_, "idempotency_error", _) => RailError::Unknown(said("idempotency_error")),
        (400 | 402, _, "balance_insufficient" | "insufficient_funds") => RailError::InsufficientFunds(said(word)),
        (400 | 402 | 404, ..) => RailError::Refused { code: word.to_owned(), detail: said(word) },
        _ => RailError::Unknown(said(word)),
    }
}

/// An answer that was taken and cannot be read: nobody knows.
pub fn unreadable(what: &str) -> RailError {
    RailError::Unknown(format!("an answer that is no {what}"))
}

/// The rows of a list.
pub fn rows<T>(list: &Value, what: &str, read: impl Fn(&Value) -> Option<T>) -> Result<Vec<T>, RailError> {
    let rows = list.get("data").and_then(Value::as_array).ok_or_else(|| unreadable(what))?;
    rows.iter().map(|row| read(row).ok_or_else(|| unreadable(what))).collect()
}

/// A link to Stripe's pages.
pub fn account_link(object: &Value) -> Option<AccountLink> {
    let url = object.get("url")?.as_str()?.to_owned();
    Some(AccountLink { url, expires_at: moment(object.get("expires_at")?.as_i64()?)? })
}

/// A reversal.
pub fn reversal(object: &Value) -> Option<Reversal> {
    let id = ReversalName::parse(object.get("id")?.as_str()?)?;
    let key = object.get("metadata").and_then(|metadata| metadata.get("reversal")).and_then(Value::as_str);
    Some(Reversal { id, amount_minor: object.get("amount")?.as_i64()?, key: key.map(str::to_owned) })
}

/// Our balance in AUD; nothing of it is nought.
pub fn balance(object: &Value) -> Option<RailBalance> {
    let of = |key: &str| -> Option<i64> {
        let amounts = object.get(key)?.as_array()?;
        let aud = amounts.iter().filter(|amount| amount.get("currency").and_then(Value::as_str) == Some("aud"));
        aud.map(|amount| amount.get("amount")?.as_i64()).sum()
    };
    Some(RailBalance { available_minor: of("available")?, pending_minor: of("pending")? })
}

/// A movement of our balance.
pub fn movement(object: &Value) -> Option<BalanceTransaction> {
    let cents = |key: &str| object.get(key).and_then(Value::as_i64);
    let movement = BalanceTransaction {
        id: TransactionName::parse(object.get("id")?.as_str()?)?,
        kind: object.get("type")?.as_str()?.to_owned(),
        amount_minor: cents("amount")?,
        fee_minor: cents("fee")?,
        net_minor: cents("net")?,
        source: object.get("source").and_then(Value::as_str).map(str::to_owned),
        created_at: moment(cents("created")?)?,
    };
    domain::payouts::stripe::book::net_is_whole(&movement).then_some(movement)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_stripe_says_is_a_no() {
        let refused = |error| matches!(error, RailError::Refused { .. });
        for status in [400, 402, 404] {
            assert!(refused(meaning(status, "invalid_request_error", Some("account_invalid"), "")), "{status}");
        }
        for status in [401, 403, 409, 429, 500, 502, 503] {
            let error = meaning(status, "api_error", None, "");
            assert!(matches!(error, RailError::Again(_)), "{status}: {error}");
        }
        for status in [200, 302, 418] {
            assert!(matches!(meaning(status, "", None, ""), RailError::Unknown(_)), "{status}");
        }
        assert!(matches!(meaning(400, "idempotency_error", None, ""), RailError::Unknown(_)));
        let poor = meaning(400, "invalid_request_error", Some("balance_insufficient"), "");
        assert!(matches!(poor, RailError::InsufficientFunds(_)));
    }

    #[test]
    fn a_balance_counts_aud_alone() {
        let object = serde_json::json!({"available": [{"amount": 5, "currency": "usd"}, {"amount": 7, "currency": "aud"}], "pending": []});
        assert_eq!(balance(&object), Some(RailBalance { available_minor: 7, pending_minor: 0 }));
    }
}
