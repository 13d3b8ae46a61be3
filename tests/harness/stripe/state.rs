//! What the double keeps: accounts, transfers, reversals, the balance and its book, keys, events.
//!
//! Objects begin as Stripe's own fixtures. The balance is the sum of the book at each moment.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde_json::{Map, Value, json};

use super::spec::fixtures;

/// What goes wrong with the next request to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Does what it is asked, and never answers.
    TimeoutAfter,
    /// Does nothing, and never answers.
    TimeoutBefore,
    /// Does what it is asked, and breaks off the connection in its answer.
    ResetAfter,
    /// 429, nothing done.
    TooMany,
    /// 500 in Stripe's own words, nothing done, nothing kept under the key.
    ServerError,
    /// 409: the key is in use.
    KeyInUse,
    /// Does what it is asked; an HTML page with 502 is what comes back.
    BadGatewayAfter,
    /// Does what it is asked, and answers 200 with something that is no JSON.
    MalformedAfter,
    /// Does what it is asked, and answers 200 with JSON that is something else.
    OtherAfter,
}

/// An answer as it is kept under a key.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

/// What was asked of the double.
#[derive(Debug, Clone)]
pub struct Asked {
    /// `POST /v1/transfers` …
    pub operation: String,
    /// The idempotency key.
    pub key: Option<String>,
    /// The form or the query, decoded.
    pub pairs: Vec<(String, String)>,
}

/// Everything that the double keeps.
pub struct State {
    fixtures: Map<String, Value>,
    /// The time, in seconds since 1970.
    pub now: i64,
    counter: u64,
    /// Accounts by id.
    pub accounts: BTreeMap<String, Value>,
    /// Transfers, oldest first.
    pub transfers: Vec<Value>,
    /// The book, oldest first.
    pub book: Vec<Value>,
    /// Answers by key.
    pub keys: HashMap<String, (String, Answer)>,
    /// Events, oldest first.
    pub events: Vec<Value>,
    /// What goes wrong next, by operation.
    pub faults: HashMap<String, VecDeque<Fault>>,
    /// Everything that was asked.
    pub asked: Vec<Asked>,
    /// Where answers were not as the specification says.
    pub violations: Vec<String>,
}

/// An error in Stripe's own words.
pub fn error(status: u16, kind: &str, code: Option<&str>, param: Option<&str>, message: &str) -> Answer {
    let mut said = json!({"type": kind, "message": message});
    if let Some(code) = code {
        said["code"] = code.into();
    }
    if let Some(param) = param {
        said["param"] = param.into();
    }
    Answer { status, body: json!({ "error": said }) }
}

fn refused(code: &str, param: Option<&str>, message: &str) -> Answer {
    error(400, "invalid_request_error", Some(code), param, message)
}

fn good(body: Value) -> Answer {
    Answer { status: 200, body }
}

impl State {
    /// An empty account of ours.
    #[must_use]
    pub fn new(now: i64) -> Self {
        Self {
            fixtures: fixtures(),
            now,
            counter: 0,
            accounts: BTreeMap::new(),
            transfers: Vec::new(),
            book: Vec::new(),
            keys: HashMap::new(),
            events: Vec::new(),
            faults: HashMap::new(),
            asked: Vec::new(),
            violations: Vec::new(),
        }
    }

    fn id(&mut self, prefix: &str) -> String {
        self.counter += 1;
        format!("{prefix}_Double{:012}", self.counter)
    }

    fn fixture(&self, name: &str) -> Value {
        self.fixtures.get(name).unwrap_or_else(|| panic!("no fixture {name}")).clone()
    }

    /// The balance: the sum of the book.
    #[must_use]
    pub fn balance(&self) -> i64 {
        self.book.iter().filter_map(|movement| movement["net"].as_i64()).sum()
    }

    /// Writes a movement into the book.
    pub fn moves(&mut self, kind: &str, net: i64, source: &str) -> String {
        let mut movement = self.fixture("balance_transaction");
        let id = self.id("txn");
        for (key, value) in [
            ("id", Value::from(id.clone())),
            ("type", kind.into()),
            ("reporting_category", kind.into()),
            ("amount", net.into()),
            ("net", net.into()),
            ("fee", 0.into()),
            ("currency", "aud".into()),
            ("source", source.into()),
            ("created", self.now.into()),
            ("available_on", self.now.into()),
            ("description", Value::Null),
        ] {
            movement[key] = value;
        }
        self.book.push(movement);
        id
    }

    /// Tells of an object.
    pub fn tell(&mut self, kind: &str, object: Value, account: Option<&str>) -> Value {
        let mut event = self.fixture("event");
        event["id"] = self.id("evt").into();
        event["type"] = kind.into();
        event["created"] = self.now.into();
        event["api_version"] = "2023-08-16".into();
        event["data"] = json!({ "object": object });
        if let Some(account) = account {
            event["account"] = account.into();
        }
        self.events.push(event.clone());
        event
    }

    /// `POST /v1/accounts`.
    pub fn create_account(&mut self, form: &Value) -> Answer {
        let mut account = self.fixture("account");
        let id = self.id("acct");
        account["id"] = id.clone().into();
        account["type"] = form["type"].clone();
        account["country"] = form["country"].clone();
        account["default_currency"] = "aud".into();
        account["metadata"] = form.get("metadata").cloned().unwrap_or_else(|| json!({}));
        account["capabilities"] = json!({"transfers": "inactive"});
        account["external_accounts"]["url"] = format!("/v1/accounts/{id}/external_accounts").into();
        account["created"] = self.now.into();
        account["requirements"]["disabled_reason"] = Value::Null;
        // The fixture is newer than the specification, and has null there where the specification has a text.
        account["settings"]["bacs_debit_payments"] = json!({});
        let _ = self.accounts.insert(id, account.clone());
        good(account)
    }

    /// `POST /v1/account_links`.
    pub fn create_account_link(&mut self, form: &Value) -> Answer {
        let account = form["account"].as_str().unwrap_or_default().to_owned();
        if !self.accounts.contains_key(&account) {
            return refused("account_invalid", Some("account"), "No such account");
        }
        let mut link = self.fixture("account_link");
        link["created"] = self.now.into();
        link["expires_at"] = (self.now + 300).into();
        link["url"] = format!("https://connect.stripe.com/setup/e/{account}/{}", self.id("link")).into();
        good(link)
    }

    /// `GET /v1/accounts/{account}`.
    #[must_use]
    pub fn account(&self, id: &str) -> Answer {
        match self.accounts.get(id) {
            Some(account) => good(account.clone()),
            None => error(403, "invalid_request_error", Some("account_invalid"), None, "No access to this account"),
        }
    }

    /// `POST /v1/transfers`.
    pub fn create_transfer(&mut self, form: &Value) -> Answer {
        let destination = form["destination"].as_str().unwrap_or_default().to_owned();
        let Some(account) = self.accounts.get(&destination) else {
            return refused("resource_missing", Some("destination"), "No such destination");
        };
        let amount = form["amount"].as_i64().unwrap_or_default();
        if account["capabilities"]["transfers"] != "active" {
            let why = "Your destination account needs to have the capability `transfers` enabled.";
            return refused("insufficient_capabilities_for_transfer", Some("destination"), why);
        }
        if amount <= 0 {
            return refused(
                "parameter_invalid_integer",
                Some("amount"),
                "This value must be greater than or equal to 1.",
            );
        }
        if amount > self.balance() {
            return refused("balance_insufficient", None, "You have insufficient funds in your Stripe account.");
        }
        let (id, payment) = (self.id("tr"), self.id("py"));
        let movement = self.moves("transfer", -amount, &id);
        let mut transfer = self.fixture("transfer");
        for (key, value) in [
            ("id", Value::from(id.clone())),
            ("amount", amount.into()),
            ("currency", form["currency"].clone()),
            ("destination", destination.into()),
            ("destination_payment", payment.into()),
            ("balance_transaction", movement.into()),
            ("created", self.now.into()),
            ("metadata", form.get("metadata").cloned().unwrap_or_else(|| json!({}))),
            ("transfer_group", form.get("transfer_group").cloned().unwrap_or(Value::Null)),
        ] {
            transfer[key] = value;
        }
        transfer["reversals"]["url"] = format!("/v1/transfers/{id}/reversals").into();
        self.transfers.push(transfer.clone());
        let _ = self.tell("transfer.created", transfer.clone(), None);
        good(transfer)
    }

    /// `POST /v1/transfers/{id}/reversals`.
    pub fn reverse(&mut self, id: &str, form: &Value) -> Answer {
        let Some(at) = self.transfers.iter().position(|transfer| transfer["id"] == id) else {
            return error(404, "invalid_request_error", Some("resource_missing"), Some("id"), "No such transfer");
        };
        let figure = |key: &str| self.transfers[at][key].as_i64().unwrap_or_default();
        let (amount, before) = (figure("amount"), figure("amount_reversed"));
        let back = form["amount"].as_i64().unwrap_or(amount - before);
        if back <= 0 || before + back > amount {
            return refused("transfer_reversal_amount", Some("amount"), "More than what is left of the transfer.");
        }
        let reversal_id = self.id("trr");
        let movement = self.moves("transfer_refund", back, &reversal_id);
        let mut reversal = self.fixture("transfer_reversal");
        reversal["id"] = reversal_id.into();
        reversal["amount"] = back.into();
        reversal["currency"] = "aud".into();
        reversal["balance_transaction"] = movement.into();
        reversal["created"] = self.now.into();
        reversal["transfer"] = id.into();
        reversal["metadata"] = form.get("metadata").cloned().unwrap_or_else(|| json!({}));
        let transfer = &mut self.transfers[at];
        transfer["amount_reversed"] = (before + back).into();
        transfer["reversed"] = (before + back == amount).into();
        if let Some(reversals) = transfer["reversals"]["data"].as_array_mut() {
            reversals.insert(0, reversal.clone());
        }
        let told = transfer.clone();
        let _ = self.tell("transfer.reversed", told, None);
        good(reversal)
    }

    /// `GET /v1/transfers/{id}/reversals`.
    #[must_use]
    pub fn reversals(&self, id: &str, query: &Value) -> Answer {
        let Some(transfer) = self.transfers.iter().find(|transfer| transfer["id"] == id) else {
            return error(404, "invalid_request_error", Some("resource_missing"), Some("id"), "No such transfer");
        };
        let all = transfer["reversals"]["data"].as_array().cloned().unwrap_or_default();
        page(all, query, &format!("/v1/transfers/{id}/reversals"))
    }

    /// `GET /v1/transfers`.
    #[must_use]
    pub fn transfers(&self, query: &Value) -> Answer {
        let asked = |key: &str, transfer: &Value| query.get(key).is_none_or(|wanted| *wanted == transfer[key]);
        let found = self.transfers.iter().rev().filter(|t| asked("transfer_group", t) && asked("destination", t));
        page(found.cloned().collect(), query, "/v1/transfers")
    }

    /// `GET /v1/balance_transactions`.
    #[must_use]
    pub fn movements(&self, query: &Value) -> Answer {
        let wanted = query.get("currency");
        let found =
            self.book.iter().rev().filter(|movement| wanted.is_none_or(|wanted| *wanted == movement["currency"]));
        page(found.cloned().collect(), query, "/v1/balance_transactions")
    }

    /// `GET /v1/balance`.
    #[must_use]
    pub fn balance_object(&self) -> Answer {
        let mut balance = self.fixture("balance");
        let of = |amount: i64| json!([{"amount": amount, "currency": "aud", "source_types": {"card": amount}}]);
        balance["available"] = of(self.balance());
        balance["pending"] = of(0);
        good(balance)
    }
}

/// A page of a list, newest first.
fn page(all: Vec<Value>, query: &Value, url: &str) -> Answer {
    let limit = query["limit"].as_u64().unwrap_or(10);
    if !(1..=100).contains(&limit) {
        return refused("parameter_invalid_integer", Some("limit"), "A limit is from 1 to 100.");
    }
    let from = match query.get("starting_after") {
        None => 0,
        Some(id) => match all.iter().position(|row| row["id"] == *id) {
            Some(at) => at + 1,
            None => return refused("resource_missing", Some("starting_after"), "No such object"),
        },
    };
    let limit = usize::try_from(limit).unwrap_or(100);
    let rows: Vec<Value> = all.iter().skip(from).take(limit).cloned().collect();
    let has_more = from + rows.len() < all.len();
    good(json!({"object": "list", "url": url, "has_more": has_more, "data": rows}))
}

/// Stripe's fixture of a capability.
#[must_use]
pub fn capability() -> Value {
    let mut capability = fixtures().get("capability").expect("a fixture").clone();
    capability["id"] = "transfers".into();
    capability
}

/// Stripe's fixture of a payout.
#[must_use]
pub fn payout() -> Value {
    fixtures().get("payout").expect("a fixture").clone()
}
