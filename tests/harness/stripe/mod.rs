//! A double of Stripe: an HTTP server with a state, which knows Stripe's published specification.
//!
//! It refuses what the specification does not know, keeps accounts, transfers, reversals, the book of the balance
//! and idempotency keys as Stripe does (the first answer to a key is kept, a refusal too; other parameters under a
//! key are an error), writes an event for what happens, and does wrong what it is told to. Its own answers are held
//! against the specification too: a violation fails the test that drops it.

pub mod server;
pub mod spec;
pub mod state;

use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
use domain::payouts::stripe::rail::ReturnPages;
use integrations::stripe::{Stripe, StripeConfig, WebhookSecrets};
use ring::hmac;
use serde_json::{Value, json};
use tokio::sync::watch;

use server::{Shared, answer};
use spec::Spec;
use state::State;
pub use state::{Asked, Fault};

/// The key that the double accepts.
pub const KEY: &str = "sk_test_Double";
/// The secret of the webhook endpoint.
pub const SECRET: &str = "whsec_double";

/// A running double.
pub struct Double {
    /// `http://127.0.0.1:port`.
    pub url: String,
    shared: Arc<Shared>,
    stop: Option<(ServerHandle, JoinHandle<()>)>,
}

impl Double {
    /// Starts one whose time is this second.
    #[must_use]
    pub fn start(now: i64) -> Self {
        let shared = Arc::new(Shared {
            spec: Spec::load(),
            state: Mutex::new(State::new(now)),
            released: watch::Sender::new(false),
            key: KEY.to_owned(),
        });
        let (started, ready) = mpsc::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || {
                    let shared = Data::new(Arc::clone(&serving));
                    App::new().app_data(shared).default_service(web::to(answer))
                };
                let server = HttpServer::new(app)
                    .workers(2)
                    .disable_signals()
                    .shutdown_timeout(1)
                    .bind(("127.0.0.1", 0))
                    .expect("a port");
                let address = server.addrs()[0];
                let server = server.run();
                started.send((address, server.handle())).expect("the test waits");
                server.await.expect("the server ends");
            });
        });
        let (address, handle) = ready.recv().expect("the double starts");
        Self { url: format!("http://{address}"), shared, stop: Some((handle, thread)) }
    }

    /// A client of it, as the service has one.
    #[must_use]
    pub fn client(&self, patience: Duration) -> Stripe {
        let config = StripeConfig { url: self.url.clone(), key: KEY.parse().expect("a key"), patience };
        Stripe::new(config).expect("a client")
    }

    /// What goes wrong with the next requests to an operation, such as `POST /v1/transfers`.
    pub fn fault(&self, operation: &str, fault: Fault) {
        self.shared.state().faults.entry(operation.to_owned()).or_default().push_back(fault);
    }

    /// Lets go of requests that are never answered.
    pub fn release(&self) {
        let _ = self.shared.released.send_replace(true);
    }

    /// Sets its time.
    pub fn set_now(&self, now: i64) {
        self.shared.state().now = now;
    }

    /// Our balance.
    #[must_use]
    pub fn balance(&self) -> i64 {
        self.shared.state().balance()
    }

    /// Every transfer, oldest first.
    #[must_use]
    pub fn transfers(&self) -> Vec<Value> {
        self.shared.state().transfers.clone()
    }

    /// Every event, oldest first.
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        self.shared.state().events.clone()
    }

    /// Everything that was asked of an operation.
    #[must_use]
    pub fn asked(&self, operation: &str) -> Vec<Asked> {
        self.shared.state().asked.iter().filter(|asked| asked.operation == operation).cloned().collect()
    }

    /// Puts money on our balance from our bank. Returns the movement and the event.
    pub fn top_up(&self, cents: i64) -> (String, Value) {
        let mut state = self.shared.state();
        let movement = state.moves("topup", cents, "tu_Double");
        let balance = state.balance_object().body;
        let event = state.tell("balance.available", balance, None);
        (movement, event)
    }

    /// Changes an account: the capability `transfers`, whether it pays out, why not. Returns the events.
    pub fn set_account(&self, account: &str, transfers: &str, payouts: bool, reason: Option<&str>) -> Vec<Value> {
        let mut state = self.shared.state();
        let kept = state.accounts.get_mut(account).expect("an account");
        kept["capabilities"]["transfers"] = transfers.into();
        kept["payouts_enabled"] = payouts.into();
        kept["details_submitted"] = true.into();
        kept["requirements"]["disabled_reason"] = reason.into();
        let (kept, mut capability) = (kept.clone(), state::capability());
        capability["account"] = account.into();
        capability["status"] = transfers.into();
        let updated = state.tell("account.updated", kept, Some(account));
        let capability = state.tell("capability.updated", capability, Some(account));
        vec![updated, capability]
    }

    /// The only account, or the newest.
    #[must_use]
    pub fn newest_account(&self) -> String {
        self.shared.state().accounts.keys().next_back().expect("an account").clone()
    }

    /// Takes back a part of a transfer, as Stripe or a person at its dashboard does. Returns the event.
    pub fn reverse(&self, transfer: &str, cents: i64) -> Value {
        let mut state = self.shared.state();
        let answer = state.reverse(transfer, &json!({ "amount": cents }));
        assert_eq!(answer.status, 200, "{}", answer.body);
        state.events.last().expect("an event").clone()
    }

    /// Tells what the bank of an account did with its money.
    pub fn payout_event(&self, kind: &str, account: &str) -> Value {
        let mut state = self.shared.state();
        let mut payout = state::payout();
        payout["status"] = kind.trim_start_matches("payout.").into();
        state.tell(kind, payout, Some(account))
    }

    /// Any event.
    pub fn tell(&self, kind: &str, object: Value) -> Value {
        self.shared.state().tell(kind, object, None)
    }

    /// Where its answers were not as the specification says.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.shared.state().violations.clone()
    }

    /// The specification.
    #[must_use]
    pub fn spec(&self) -> &Spec {
        &self.shared.spec
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.release();
        if let Some((handle, thread)) = self.stop.take() {
            actix_web::rt::System::new().block_on(handle.stop(false));
            let _ = thread.join();
        }
        if !std::thread::panicking() {
            assert_eq!(self.violations(), Vec::<String>::new(), "the double answers as Stripe's specification says");
        }
    }
}

/// The header with which Stripe signs a body.
#[must_use]
pub fn signature(secret: &str, at: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signed = [format!("{at}.").as_bytes(), body].concat();
    let tag: String = hmac::sign(&key, &signed).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={at},v1={tag}")
}

/// A desk of the service over a double.
#[must_use]
pub fn desk(double: &Double, patience: Duration) -> api::stripe_desk::StripeDesk {
    let page = |name: &str| format!("https://flip360.test/stripe/{name}");
    let pages = ReturnPages { refresh_url: page("again"), return_url: page("done") };
    api::stripe_desk::StripeDesk::new(
        Arc::new(double.client(patience)),
        WebhookSecrets::new([SECRET.to_owned()]),
        pages,
    )
}
