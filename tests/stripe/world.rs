//! A platform with one payee who is paid by Stripe and one by bank file, a service over it, and the double.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use api::stripe_desk;
use diesel::RunQueryDsl;
use domain::access::Role;
use domain::kernel::Instant;
use harness::platform::Platform;
use harness::server::{Reply, Service};
use harness::stripe::{Double, SECRET, desk, signature};
use serde_json::{Value, json};
use uuid::Uuid;

const MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");
const HEADER: &str = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on";
/// What the member who is paid by Stripe earns of one deal of [`MEMBER`], in cents.
pub const EARNED: i64 = 78_000;
/// Who is paid by Stripe; its upline is paid by bank file.
pub const MEMBER: &str = "M016";
/// Long enough for an answer on a machine that is busy with other tests; what never comes is waited for as long.
const PATIENCE: Duration = Duration::from_secs(15);

/// The world of one test.
pub struct World {
    pub service: Service,
    pub double: Double,
    pub account: String,
    pub payee: String,
}

pub fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key}: {value}")).to_owned()
}

fn seconds(at: Instant) -> i64 {
    at.timestamp().as_second()
}

/// A row of an import: settled on 1 February 2026 over $200,000.
pub fn row(reference: &str, amount: &str, discharged: &str) -> String {
    format!("{reference},{MEMBER},Ann,FIXED-3Y,2026-01-01,2026-01-10,2026-02-01,{amount},0.00,{discharged}\n")
}

/// The same of a member who is paid by bank file: a run has a file then.
pub fn by_file(reference: &str) -> String {
    row(reference, "200000.00", "").replace(MEMBER, "M001")
}

/// Imports rows.
pub fn import(platform: &Platform, rows: &str) {
    let report = platform.import(format!("{HEADER}\n{rows}").as_bytes());
    assert!(report.refused.is_empty(), "{:?}", report.refused);
}

impl World {
    /// Nobody has an account at Stripe yet.
    pub fn bare() -> Self {
        Self::over(&row("C-1", "200000.00", ""))
    }

    /// The same over other deals.
    pub fn over(rows: &str) -> Self {
        let platform = Platform::new();
        platform.onboard(MEMBERS);
        import(&platform, rows);
        let of_member = format!(
            "select p.payee_id as id from member_payee p join member m on m.id = p.member_id where m.member_ref = '{MEMBER}'"
        );
        let payee = platform.ids_of(&of_member)[0];
        let rail = format!("update payee set rail = 'stripe' where id = '{payee}'");
        let _ = diesel::sql_query(rail).execute(&mut platform.owner()).expect("the payee changes");
        let double = Double::start(seconds(platform.now));
        let service = Service::over_altered(platform, |app| app.stripe = Some(desk(&double, PATIENCE)));
        let finance = service.token_of(Uuid::from_u128(21), &[Role::Finance], None, None);
        let bank = json!({"name": "Commission account", "account": {"bsb": "062-000", "account_number": "12345678",
            "account_name": "FLIP 360 PTY LTD"}, "bank_code": "CBA", "user_name": "FLIP 360 PTY LTD", "user_number": "301500",
            "remitter": "FLIP 360", "description": "COMMISSION", "self_balancing": true});
        let account = text(&service.post("/v1/bank-accounts", &finance, &bank).expect(201), "id");
        let payee = domain::kernel::ids::PayeeId::new(payee).to_string();
        Self { service, double, account, payee }
    }

    /// The payee is enabled, and our balance holds what it earns.
    pub fn ready() -> Self {
        let world = Self::bare();
        world.enable();
        world.fund(EARNED);
        world
    }

    /// Who prepares and executes. Tokens are short-lived, and tests let time pass.
    pub fn finance(&self) -> String {
        self.service.token_of(Uuid::from_u128(21), &[Role::Finance], None, None)
    }

    pub fn approver(&self) -> String {
        self.service.token_of(Uuid::from_u128(22), &[Role::Approver], None, None)
    }

    pub fn admin(&self) -> String {
        self.service.operator_of(23)
    }

    pub fn onboard(&self) -> Reply {
        let path = format!("/v1/payees/{}/stripe-account", self.payee);
        self.service.post(&path, &self.admin(), &json!({}))
    }

    pub fn standing(&self) -> Value {
        self.service.get(&format!("/v1/payees/{}/stripe-account", self.payee), &self.admin()).expect(200)
    }

    /// From nothing to enabled.
    pub fn enable(&self) {
        let _ = self.onboard().expect(201);
        let account = self.double.newest_account();
        let events = self.double.set_account(&account, "active", true, None);
        self.tell(&events);
        assert_eq!(self.standing()["status"], "enabled");
    }

    pub fn now(&self) -> Instant {
        domain::kernel::time::Clock::now(self.service.clock.as_ref())
    }

    /// Lets time pass.
    pub fn wait(&self, seconds_more: i64) {
        let later = self.now().timestamp() + jiff::SignedDuration::from_secs(seconds_more);
        self.service.clock.set(Instant::new(later));
        self.double.set_now(seconds(self.now()));
    }

    /// A webhook as Stripe sends it.
    pub fn deliver(&self, event: &Value) -> Reply {
        let body = event.to_string();
        let signed = signature(SECRET, seconds(self.now()), body.as_bytes());
        self.send_event(&signed, body.as_bytes())
    }

    pub fn send_event(&self, signed: &str, body: &[u8]) -> Reply {
        let headers = [("stripe-signature", signed), ("content-type", "application/json; charset=utf-8")];
        self.service.send("POST", "/webhooks/stripe", &headers, Some(body))
    }

    /// Delivers events, and has them applied.
    pub fn tell(&self, events: &[Value]) {
        for event in events {
            let _ = self.deliver(event).expect(200);
        }
        let _ = self.work();
    }

    /// One round of the worker. Returns how many payouts were tried.
    pub fn work(&self) -> usize {
        let desk = self.service.app.stripe.as_ref().expect("a desk");
        stripe_desk::round(&self.service.app, desk, &AtomicBool::new(false))
    }

    /// Puts money on our balance, has it booked, and tells.
    pub fn fund(&self, cents: i64) {
        let (movement, event) = self.double.top_up(cents);
        self.read_book();
        let body = json!({"transaction_id": movement, "bank_account_id": self.account});
        let _ = self.service.post("/v1/reconciliation/stripe/bookings", &self.finance(), &body).expect(201);
        self.tell(&[event]);
    }

    pub fn read_book(&self) {
        stripe_desk::read_book(&self.service.app, self.service.app.stripe.as_ref().expect("a desk"));
    }

    pub fn act(&self, run: &Value, act: &str, token: &str, body: &Value) -> Value {
        self.service.post(&format!("/v1/payout-runs/{}/{act}", text(run, "id")), token, body).expect(200)
    }

    pub fn preview(&self) -> Value {
        let body = json!({"bank_account_id": self.account});
        self.service.post("/v1/payout-runs", &self.finance(), &body).expect(201)
    }

    pub fn approved(&self) -> Value {
        let run = self.preview();
        let _ = self.act(&run, "propose", &self.finance(), &json!({}));
        let seen = json!({"content_sha256": run["content_sha256"]});
        self.act(&run, "approve", &self.approver(), &seen)
    }

    /// A run whose payouts are under way; nothing is sent yet.
    pub fn executed(&self) -> Value {
        let run = self.approved();
        self.act(&run, "execute", &self.finance(), &json!({}))
    }

    /// The payouts by Stripe, newest first.
    pub fn payouts(&self) -> Vec<Value> {
        let all = self.service.get("/v1/payouts", &self.finance()).expect(200);
        let rows = all["data"].as_array().expect("payouts").clone();
        rows.into_iter().filter(|payout| payout["rail"] == "stripe").collect()
    }

    /// The state of the newest payout by Stripe.
    pub fn state(&self) -> String {
        text(self.payouts().first().expect("a payout"), "state")
    }

    pub fn number(&self, sql: &str) -> i64 {
        self.service.platform.number(sql)
    }

    /// Stripe's book against ours.
    pub fn reconciliation(&self) -> Value {
        self.read_book();
        self.service.get("/v1/reconciliation/stripe", &self.finance()).expect(200)
    }

    /// What every test must come to: both books agree, the double's balance is the ledger's, the guarantees hold, and
    /// no payout is two transfers.
    pub fn is_whole(&self) {
        let compared = self.reconciliation();
        assert_eq!(compared["agrees"], true, "{compared}");
        assert_eq!(compared["ledger"]["amount"].as_i64(), Some(self.double.balance()));
        self.service.sequence();
        let run = self.service.post("/v1/guarantee-runs", &self.admin(), &json!({})).expect(201);
        assert_eq!(run["outcome"], "holds", "{run}");
        let transfers = self.double.transfers();
        let mut payouts: Vec<&str> = transfers.iter().filter_map(|t| t["metadata"]["payout"].as_str()).collect();
        payouts.sort_unstable();
        let all = payouts.len();
        payouts.dedup();
        assert_eq!(payouts.len(), all, "a payout is one transfer: {transfers:?}");
    }
}
