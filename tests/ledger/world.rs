//! What the tests of the ledger have in common: finance proposes, the approver approves.

use domain::access::Role;
use domain::kernel::Instant;
use harness::platform::Platform;
use harness::server::{Reply, Service};
use serde_json::{Value, json};
use uuid::Uuid;

pub const MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");
pub const HEADER: &str = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on";
const ACCOUNT: &str = r#"{"name": "Commission account", "account": {"bsb": "062-000", "account_number": "12345678",
    "account_name": "FLIP 360 PTY LTD"}, "bank_code": "CBA", "user_name": "FLIP 360 PTY LTD", "user_number": "301500",
    "remitter": "FLIP 360", "description": "COMMISSION", "self_balancing": true}"#;

pub struct World {
    pub service: Service,
    pub finance: String,
    pub approver: String,
    /// An own bank account.
    pub bank: String,
}

impl World {
    pub fn over(platform: Platform) -> Self {
        let service = Service::over(platform);
        let finance = service.token_of(Uuid::from_u128(21), &[Role::Finance], None, None);
        let approver = service.token_of(Uuid::from_u128(22), &[Role::Approver], None, None);
        let account: Value = serde_json::from_str(ACCOUNT).expect("JSON");
        let made = service.post("/v1/bank-accounts", &finance, &account).expect(201);
        Self { bank: text(&made, "id"), service, finance, approver }
    }

    /// On another day: everybody logs in again.
    pub fn on(&mut self, now: Instant) {
        self.service.platform.now = now;
        self.service.clock.set(now);
        self.finance = self.service.token_of(Uuid::from_u128(21), &[Role::Finance], None, None);
        self.approver = self.service.token_of(Uuid::from_u128(22), &[Role::Approver], None, None);
    }

    /// A platform with reference data and nothing else.
    pub fn new() -> Self {
        Self::over(Platform::new())
    }

    /// The same with settled deals of M016: reference, discharged on.
    pub fn with_deals(deals: &[(&str, &str)]) -> Self {
        let platform = Platform::new();
        platform.onboard(MEMBERS);
        import(&platform, deals);
        Self::over(platform)
    }

    pub fn count(&self, sql: &str) -> i64 {
        self.service.platform.number(sql)
    }

    /// One side: an own account named by what it is.
    pub fn cash(&self, cents: i64) -> Value {
        json!({"account": {"kind": "cash", "party_id": self.bank}, "amount": {"amount": cents, "currency": "AUD"}})
    }

    pub fn propose(&self, body: &Value) -> Reply {
        self.service.post("/v1/ledger/entries", &self.finance, body)
    }

    pub fn batch(&self, mode: &str, entries: &[Value]) -> Reply {
        let body = json!({"mode": mode, "reason": "In bulk", "entries": entries});
        self.service.post("/v1/ledger/entries/batch", &self.finance, &body)
    }

    /// Approves a proposal as it was shown.
    pub fn approve(&self, proposal: &Value) -> Reply {
        let path = format!("/v1/ledger/entries/{}/approve", text(proposal, "id"));
        self.service.post(&path, &self.approver, &json!({"content_sha256": proposal["content_sha256"]}))
    }

    /// Proposes and approves one entry; gives its id.
    pub fn posted(&self, body: &Value) -> String {
        let proposal = self.propose(body).expect(201);
        assert_eq!(self.approve(&proposal).expect(200)["state"], "posted");
        text(&self.items(&proposal)[0], "entry_id")
    }

    pub fn items(&self, proposal: &Value) -> Vec<Value> {
        let path = format!("/v1/ledger/manual-entries/{}/items?limit=200", text(proposal, "id"));
        let page = self.service.get(&path, &self.finance).expect(200);
        page["data"].as_array().expect("items").clone()
    }

    /// A month by its first day.
    pub fn period(&self, month: &str) -> String {
        let listed = self.service.get("/v1/accounting-periods", &self.finance).expect(200);
        let found = listed["data"].as_array().expect("months").iter().find(|period| period["month"] == month).cloned();
        text(&found.expect("it is shown"), "id")
    }

    pub fn act(&self, period: &str, act: &str, token: &str, body: &Value) -> Reply {
        self.service.post(&format!("/v1/accounting-periods/{period}/{act}"), token, body)
    }

    /// Closes a month by two people.
    pub fn close(&self, month: &str) -> Value {
        let period = self.period(month);
        let asked = self.act(&period, "close", &self.finance, &json!({"reason": "It is complete"})).expect(200);
        let seen = json!({"content_sha256": asked["content_sha256"]});
        self.act(&period, "approve", &self.approver, &seen).expect(200)
    }
}

pub fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key}: {value}")).to_owned()
}

/// One side of an account that there is one of.
pub fn side(kind: &str, cents: i64) -> Value {
    json!({"account": {"kind": kind}, "amount": {"amount": cents, "currency": "AUD"}})
}

/// An entry of two sides.
pub fn entry(kind: &str, on: &str, postings: &[Value]) -> Value {
    json!({"kind": kind, "effective_on": on, "postings": postings})
}

/// The same with a reason.
pub fn alone(kind: &str, on: &str, postings: &[Value]) -> Value {
    json!({"kind": kind, "effective_on": on, "reason": "By hand", "postings": postings})
}

/// Settled on 1 February 2026 over $200,000: 78,000 cents for M016, 13,000 for its upline M004.
pub fn import(platform: &Platform, deals: &[(&str, &str)]) {
    let mut file = format!("{HEADER}\n");
    for (reference, discharged) in deals {
        file.push_str(&format!(
            "{reference},M016,Ann,FIXED-3Y,2026-01-01,2026-01-10,2026-02-01,200000.00,0.00,{discharged}\n"
        ));
    }
    let report = platform.import(file.as_bytes());
    assert!(report.refused.is_empty(), "{:?}", report.refused);
}
