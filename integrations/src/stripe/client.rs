//! The client: `async-stripe` with a stable key for whatever moves money, and no retries of its own.
//!
//! Bounds: [`PATIENCE`] for a request, one page of 100 for a look-up and for a part of Stripe's book. Ids that go
//! into paths are the domain's, which hold letters and digits alone. Answers are read as they come and by what is
//! needed of them, so that what Stripe adds breaks nothing.

use std::sync::Arc;
use std::time::Duration;

use domain::kernel::ids::PayeeId;
use domain::payouts::stripe::event::{account_state, transfer};
use domain::payouts::stripe::names::{AccountName, TransactionName, TransferName};
use domain::payouts::stripe::rail::{
    AccountLink, AccountState, BalanceTransaction, NewTransfer, RailBalance, RailError, ReturnPages, Reversal,
    StripeRail, Transfer,
};
use domain::payouts::stripe::sending::PATIENCE_SECONDS;
use miniserde::json::{Number, Value as Raw};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::Value;
use stripe::{Client, ClientBuilder, StripeError};
use stripe_client_core::{IdempotencyKey, RequestBuilder, RequestStrategy, StripeMethod};
use tokio::runtime::Runtime;

use super::answers;

/// From the first byte of a request to the last of its answer; more would outlive the lease of a payout.
pub const PATIENCE: Duration = Duration::from_secs(PATIENCE_SECONDS as u64);

/// A secret or restricted key of an account at Stripe.
#[derive(Clone)]
pub struct SecretKey(Arc<SecretString>);

/// The text is no such key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a secret or restricted key of Stripe's: sk_test_…, rk_test_…, sk_live_… or rk_live_…")]
pub struct KeyError;

impl std::str::FromStr for SecretKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let rest = ["sk_test_", "rk_test_", "sk_live_", "rk_live_"].iter().find_map(|prefix| text.strip_prefix(prefix));
        let good = rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric()));
        if good { Ok(Self(Arc::new(SecretString::from(text.to_owned())))) } else { Err(KeyError) }
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[hidden]")
    }
}

impl SecretKey {
    /// Whether it moves real money.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.0.expose_secret().contains("_live_")
    }
}

/// Where Stripe is, and who asks.
#[derive(Debug, Clone)]
pub struct StripeConfig {
    /// `https://api.stripe.com`, or a double.
    pub url: String,
    /// Our key.
    pub key: SecretKey,
    /// How long an answer is waited for; [`PATIENCE`], or less.
    pub patience: Duration,
}

/// Stripe.
pub struct Stripe {
    client: Client,
    runtime: Option<Runtime>,
    patience: Duration,
}

impl Drop for Stripe {
    fn drop(&mut self) {
        // Wherever it is dropped: a runtime must not be waited for inside of another one.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[derive(Serialize)]
struct Payee {
    payee: String,
}

#[derive(Serialize)]
struct AccountForm {
    r#type: &'static str,
    country: &'static str,
    capabilities: Capabilities,
    metadata: Payee,
}

#[derive(Serialize)]
struct Capabilities {
    transfers: Requested,
}

#[derive(Serialize)]
struct Requested {
    requested: bool,
}

#[derive(Serialize)]
struct LinkForm<'a> {
    account: &'a str,
    r#type: &'static str,
    refresh_url: &'a str,
    return_url: &'a str,
}

#[derive(Serialize)]
struct TransferForm<'a> {
    amount: i64,
    currency: &'static str,
    destination: &'a str,
    transfer_group: String,
    metadata: OfPayout,
}

#[derive(Serialize)]
struct OfPayout {
    payout: String,
}

#[derive(Serialize)]
struct TransferQuery<'a> {
    destination: &'a str,
    transfer_group: String,
    limit: u8,
}

#[derive(Serialize)]
struct ReversalForm<'a> {
    amount: i64,
    metadata: UnderKey<'a>,
}

#[derive(Serialize)]
struct UnderKey<'a> {
    reversal: &'a str,
}

#[derive(Serialize)]
struct PageQuery {
    limit: u8,
}

#[derive(Serialize)]
struct MovementQuery<'a> {
    currency: &'static str,
    limit: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    starting_after: Option<&'a str>,
}

impl Stripe {
    /// A client.
    ///
    /// # Errors
    /// When the address is none, or no thread can be had.
    pub fn new(config: StripeConfig) -> Result<Self, RailError> {
        let again = |why: String| RailError::Again(why);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("stripe")
            .enable_all()
            .build()
            .map_err(|error| again(error.to_string()))?;
        let url = url::Url::parse(&config.url).map_err(|_| again(format!("{} is no address", config.url)))?;
        let local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if url.scheme() != "https" && !local {
            return Err(again("Stripe is asked by https, or on this machine".to_owned()));
        }
        let patience = config.patience.min(PATIENCE);
        let builder = ClientBuilder::new(config.key.0.expose_secret())
            .url(config.url.trim_end_matches('/'))
            .timeout(patience)
            .request_strategy(RequestStrategy::Once);
        let client = builder.build().map_err(|error| again(error.to_string()))?;
        Ok(Self { client, runtime: Some(runtime), patience })
    }

    fn ask(&self, request: RequestBuilder, key: Option<&str>) -> Result<Value, RailError> {
        let strategy = match key {
            None => RequestStrategy::Once,
            Some(key) => {
                let key = IdempotencyKey::new(key).map_err(|error| RailError::Again(error.to_string()))?;
                RequestStrategy::Idempotent(key)
            }
        };
        let asked = request.customize::<Raw>().request_strategy(strategy);
        let Some(runtime) = &self.runtime else { return Err(RailError::Again("this process is about to end".into())) };
        // The client's own bound is on a part of the way; this one is on all of it.
        let answer = runtime.block_on(async { tokio::time::timeout(self.patience, asked.send(&self.client)).await });
        match answer {
            Ok(Ok(raw)) => Ok(plain(raw)),
            Ok(Err(error)) => Err(meaning(&error)),
            Err(_) => Err(RailError::Unknown("no answer in time".into())),
        }
    }

    fn get<Q: Serialize>(&self, path: String, query: &Q) -> Result<Value, RailError> {
        self.ask(RequestBuilder::new(StripeMethod::Get, path).query(query), None)
    }

    fn post<F: Serialize>(&self, path: String, form: &F, key: &str) -> Result<Value, RailError> {
        self.ask(RequestBuilder::new(StripeMethod::Post, path).form(form), Some(key))
    }
}

fn meaning(error: &StripeError) -> RailError {
    match error {
        StripeError::Stripe(said, status) => {
            let code = said.code.as_ref().map(|code| code.as_str());
            answers::meaning(*status, said.type_.as_str(), code, said.message.as_deref().unwrap_or_default())
        }
        StripeError::JSONDeserialize(why) => {
            RailError::Unknown(format!("an answer that is no JSON of Stripe's: {why}"))
        }
        StripeError::ClientError(why) => RailError::Unknown(why.clone()),
        StripeError::ConfigError(why) => RailError::Again(why.clone()),
        StripeError::Timeout => RailError::Unknown("no answer in time".into()),
    }
}

/// The same value as the rest of the house reads it.
fn plain(raw: Raw) -> Value {
    match raw {
        Raw::Null => Value::Null,
        Raw::Bool(value) => Value::Bool(value),
        Raw::Number(Number::U64(value)) => value.into(),
        Raw::Number(Number::I64(value)) => value.into(),
        Raw::Number(Number::F64(value)) => value.into(),
        Raw::String(value) => Value::String(value),
        Raw::Array(values) => values.into_iter().map(plain).collect(),
        Raw::Object(members) => Value::Object(members.into_iter().map(|(key, value)| (key, plain(value))).collect()),
    }
}

impl StripeRail for Stripe {
    fn create_account(&self, payee: PayeeId) -> Result<AccountState, RailError> {
        let form = AccountForm {
            r#type: "express",
            country: "AU",
            capabilities: Capabilities { transfers: Requested { requested: true } },
            metadata: Payee { payee: payee.to_string() },
        };
        let answer = self.post("/accounts".into(), &form, &payee.to_string())?;
        account_state(&answer).ok_or_else(|| answers::unreadable("account"))
    }

    fn create_account_link(&self, account: &AccountName, pages: &ReturnPages) -> Result<AccountLink, RailError> {
        let form = LinkForm {
            account: account.as_str(),
            r#type: "account_onboarding",
            refresh_url: &pages.refresh_url,
            return_url: &pages.return_url,
        };
        // Without a key: each link is good once.
        let answer = self.ask(RequestBuilder::new(StripeMethod::Post, "/account_links").form(&form), None)?;
        answers::account_link(&answer).ok_or_else(|| answers::unreadable("account link"))
    }

    fn find_account(&self, account: &AccountName) -> Result<AccountState, RailError> {
        let answer = self.ask(RequestBuilder::new(StripeMethod::Get, format!("/accounts/{account}")), None)?;
        account_state(&answer).ok_or_else(|| answers::unreadable("account"))
    }

    fn create_transfer(&self, asked: &NewTransfer) -> Result<Transfer, RailError> {
        let form = TransferForm {
            amount: asked.amount_minor,
            currency: "aud",
            destination: asked.destination.as_str(),
            transfer_group: asked.run.to_string(),
            metadata: OfPayout { payout: asked.payout.to_string() },
        };
        let answer = self.post("/transfers".into(), &form, &asked.key)?;
        transfer(&answer).ok_or_else(|| answers::unreadable("transfer"))
    }

    fn find_transfer(&self, asked: &NewTransfer) -> Result<Option<Transfer>, RailError> {
        let query = TransferQuery {
            destination: asked.destination.as_str(),
            transfer_group: asked.run.to_string(),
            limit: 100,
        };
        let answer = self.get("/transfers".into(), &query)?;
        if answer.get("has_more").and_then(Value::as_bool) != Some(false) {
            return Err(RailError::Again("more transfers of one run to one account than a page holds".into()));
        }
        let found = answers::rows(&answer, "transfer", transfer)?;
        Ok(found.into_iter().find(|transfer| transfer.payout == Some(asked.payout)))
    }

    fn reverse_transfer(&self, key: &str, transfer: &TransferName, amount_minor: i64) -> Result<Reversal, RailError> {
        let form = ReversalForm { amount: amount_minor, metadata: UnderKey { reversal: key } };
        let answer = self.post(format!("/transfers/{transfer}/reversals"), &form, key)?;
        answers::reversal(&answer).ok_or_else(|| answers::unreadable("reversal"))
    }

    fn list_reversals(&self, transfer: &TransferName) -> Result<Vec<Reversal>, RailError> {
        let answer = self.get(format!("/transfers/{transfer}/reversals"), &PageQuery { limit: 100 })?;
        if answer.get("has_more").and_then(Value::as_bool) != Some(false) {
            return Err(RailError::Again("more reversals of one transfer than a page holds".into()));
        }
        answers::rows(&answer, "reversal", answers::reversal)
    }

    fn balance(&self) -> Result<RailBalance, RailError> {
        let answer = self.ask(RequestBuilder::new(StripeMethod::Get, "/balance"), None)?;
        answers::balance(&answer).ok_or_else(|| answers::unreadable("balance"))
    }

    fn list_balance_transactions(
        &self,
        before: Option<&TransactionName>,
    ) -> Result<Vec<BalanceTransaction>, RailError> {
        let query = MovementQuery { currency: "aud", limit: 100, starting_after: before.map(TransactionName::as_str) };
        let answer = self.get("/balance_transactions".into(), &query)?;
        answers::rows(&answer, "movement of the balance", answers::movement)
    }
}
