//! Step 4: pay what may be paid, with two people, by a bank file.

use serde_json::{Value, json};

use super::people::People;
use super::{DemoError, Say, text};

/// A run that was executed.
pub struct Paid {
    /// The run as it ended.
    pub run: Value,
    /// The bank file.
    pub file: Vec<u8>,
}

/// Previews, proposes, approves and executes one run.
///
/// # Errors
/// What the service refuses.
pub fn pay(people: &People, say: &Say) -> Result<Paid, DemoError> {
    let account = json!({
        "name": "Commission account", "bank_code": "CBA", "user_name": "FLIP 360 PTY LTD", "user_number": "301500",
        "remitter": "FLIP 360", "description": "COMMISSION", "self_balancing": true,
        "account": {"bsb": "062-000", "account_number": "12345678", "account_name": "FLIP 360 PTY LTD"}
    });
    let known = people.finance.list("/v1/bank-accounts")?;
    let account = match known.iter().find(|known| known["name"] == account["name"]) {
        Some(known) => text(known, "id")?,
        None => text(&people.finance.post("/v1/bank-accounts", &account)?, "id")?,
    };
    let preview = people.finance.post("/v1/payout-runs", &json!({"bank_account_id": account}))?;
    let (id, digest) = (text(&preview, "id")?, text(&preview, "content_sha256")?);
    let path = format!("/v1/payout-runs/{id}");
    say.line(&format!(
        "previewed: {} payees, {} left out, {} in all",
        preview["payouts"],
        preview["skipped"],
        dollars(&preview["total"])
    ));
    people.finance.post(&format!("{path}/propose"), &json!({}))?;
    let approval = json!({"content_sha256": digest});
    if people.finance.post(&format!("{path}/approve"), &approval).is_ok() {
        return Err(DemoError::Step("who proposed the run could approve it".into()));
    }
    say.line("proposed by one person, who is refused when trying to approve");
    people.approver.post(&format!("{path}/approve"), &approval)?;
    say.line(&format!("approved by another person: content {digest}"));
    let run = people.finance.post(&format!("{path}/execute"), &json!({}))?;
    let file = people.finance.get_bytes(&format!("{path}/aba"))?;
    let again = people.finance.get_bytes(&format!("{path}/aba"))?;
    if file != again {
        return Err(DemoError::Step("the bank file came out differently the second time".into()));
    }
    say.line(&format!("executed: a bank file of {} lines", file.iter().filter(|byte| **byte == b'\n').count()));
    Ok(Paid { run, file })
}

/// An amount for a person.
#[must_use]
pub fn dollars(money: &Value) -> String {
    let cents = money["amount"].as_i64().unwrap_or(0);
    format!("${}.{:02}", cents / 100, cents.rem_euclid(100))
}
