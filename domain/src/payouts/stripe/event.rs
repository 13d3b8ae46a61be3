//! What Stripe tells us by webhook: kept once as it came, applied later, in any order, as often as it comes.
//!
//! An event is a hint, never a command: of an account only that it is to be asked about, of a transfer what can
//! only grow (that it is there, how much of it was reversed). What happens between a payee's account at Stripe
//! and its bank (`payout.*`, where `paid` may turn into `failed`) is kept and posts nothing.

use serde::Deserialize;
use serde_json::Value;

use super::account;
use super::names::{AccountName, EventName, TransferName};
use super::rail::{AccountState, Capability, RailError, StripeRail, Transfer};
use super::sending;
use super::transfer::{later, wait};
use crate::env::Env;
use crate::kernel::Instant;
use crate::kernel::ids::PayoutId;
use crate::payouts::error::PayoutError;
use crate::store::{Store, StoreError, UnitOfWork};

/// Events that are looked for at a time.
pub const BATCH: u32 = 50;
/// The longest type of an event that is kept.
const MAX_KIND: usize = 100;

/// An event as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StripeEvent {
    /// Its id.
    pub id: EventName,
    /// `transfer.reversed` …
    pub kind: String,
    /// The account that it is about, if it is not ours.
    pub account: Option<AccountName>,
    /// When Stripe made it.
    pub created_at: Instant,
    /// The body that was signed.
    pub body: Vec<u8>,
}

/// The body is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is not an event of Stripe")]
pub struct NotAnEvent;

#[derive(Deserialize)]
struct RawEvent {
    id: String,
    r#type: String,
    created: i64,
    #[serde(default)]
    account: Option<String>,
}

#[derive(Deserialize)]
struct RawData {
    data: RawObject,
}

#[derive(Deserialize)]
struct RawObject {
    object: Value,
}

/// A moment that Stripe names: whole seconds since 1970.
#[must_use]
pub fn moment(seconds: i64) -> Option<Instant> {
    jiff::Timestamp::from_second(seconds).ok().map(Instant::new)
}

impl StripeEvent {
    /// Reads a body whose signature was checked.
    ///
    /// # Errors
    /// [`NotAnEvent`].
    pub fn parse(body: &[u8]) -> Result<Self, NotAnEvent> {
        let raw: RawEvent = serde_json::from_slice(body).map_err(|_| NotAnEvent)?;
        let known = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
        if raw.r#type.is_empty() || raw.r#type.len() > MAX_KIND || !raw.r#type.chars().all(known) {
            return Err(NotAnEvent);
        }
        let account = raw.account.as_deref().map(|text| AccountName::parse(text).ok_or(NotAnEvent)).transpose()?;
        Ok(Self {
            id: EventName::parse(&raw.id).ok_or(NotAnEvent)?,
            kind: raw.r#type,
            account,
            created_at: moment(raw.created).ok_or(NotAnEvent)?,
            body: body.to_vec(),
        })
    }

    /// What it says.
    #[must_use]
    pub fn news(&self) -> News {
        let data: Option<RawData> = serde_json::from_slice(&self.body).ok();
        let object = data.map(|raw| raw.data.object).unwrap_or(Value::Null);
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        match self.kind.as_str() {
            "account.updated" => text("id").and_then(AccountName::parse).map_or(News::Nothing, News::Account),
            "capability.updated" => text("account").and_then(AccountName::parse).map_or(News::Nothing, News::Account),
            "transfer.created" | "transfer.updated" | "transfer.reversed" => {
                transfer(&object).map_or(News::Nothing, News::Transfer)
            }
            "balance.available" => News::Funds,
            "payout.created" | "payout.updated" | "payout.paid" | "payout.failed" | "payout.canceled" => News::Noted,
            _ => News::Nothing,
        }
    }
}

/// What an event says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// This account is to be asked about.
    Account(AccountName),
    /// There is this transfer.
    Transfer(Transfer),
    /// Our balance holds more than before.
    Funds,
    /// To be kept, and posts nothing.
    Noted,
    /// Not for us.
    Nothing,
}

/// Reads a transfer as Stripe writes it.
#[must_use]
pub fn transfer(object: &Value) -> Option<Transfer> {
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    let payout = object.get("metadata").and_then(|metadata| metadata.get("payout")).and_then(Value::as_str);
    Some(Transfer {
        id: TransferName::parse(text("id")?)?,
        amount_minor: object.get("amount")?.as_i64()?,
        currency: text("currency")?.to_owned(),
        destination: text("destination").and_then(AccountName::parse),
        reversed_minor: object.get("amount_reversed")?.as_i64()?,
        payout: payout.and_then(|text| PayoutId::parse(text).ok()),
        created_at: moment(object.get("created")?.as_i64()?)?,
    })
}

/// Reads how an account stands, as Stripe writes it.
#[must_use]
pub fn account_state(object: &Value) -> Option<AccountState> {
    let capability = object.get("capabilities").and_then(|all| all.get("transfers")).and_then(Value::as_str);
    let reason = object.get("requirements").and_then(|all| all.get("disabled_reason")).and_then(Value::as_str);
    Some(AccountState {
        account: AccountName::parse(object.get("id")?.as_str()?)?,
        transfers: capability.map_or(Capability::Inactive, Capability::parse),
        payouts_enabled: object.get("payouts_enabled").and_then(Value::as_bool).unwrap_or(false),
        disabled_reason: reason.map(str::to_owned),
    })
}

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Done.
    Applied,
    /// Nothing for us.
    Ignored,
    /// It contradicts what we know; for a person to look at.
    Contradicts(String),
    /// To be tried again then.
    Later(Instant, String),
}

/// Keeps an event, unless it is kept already. Returns whether it is new.
///
/// # Errors
/// The failure of the store.
pub fn receive(uow: &mut dyn UnitOfWork, env: &Env<'_>, event: &StripeEvent) -> Result<bool, StoreError> {
    uow.stripe().append_event(event, env.now)
}

/// Applies events that wait. Returns how many were looked at.
///
/// # Errors
/// The failure of the store; what an event fails with on its own is kept with it.
pub fn turn(store: &dyn Store, rail: &dyn StripeRail, env: &Env<'_>) -> Result<usize, StoreError> {
    let waiting = store.transaction(|uow| uow.stripe().list_waiting_events(env.now, BATCH))?;
    for (event, attempts) in &waiting {
        let news = event.news();
        let asked = match &news {
            News::Account(account) => Some(rail.find_account(account)),
            News::Transfer(_) | News::Funds | News::Noted | News::Nothing => None,
        };
        let again = later(env.now, wait(attempts + 1, 0));
        let done = store.transaction(|uow| {
            // Whoever comes second finds it done.
            if !uow.stripe().lock_waiting_event(&event.id)? {
                return Ok(());
            }
            let ending = apply(uow, env, &news, asked.as_ref(), again)?;
            uow.stripe().end_event(&event.id, &ending, env.now)?;
            Ok::<_, PayoutError>(())
        });
        if let Err(error) = done {
            let ending = Ending::Later(again, error.to_string());
            store.transaction(|uow| uow.stripe().end_event(&event.id, &ending, env.now))?;
        }
    }
    Ok(waiting.len())
}

fn apply(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    news: &News,
    asked: Option<&Result<AccountState, RailError>>,
    again: Instant,
) -> Result<Ending, PayoutError> {
    Ok(match (news, asked) {
        (News::Account(account), Some(Ok(state))) => match uow.stripe().find_payee_of(account)? {
            Some(payee) => {
                account::keep(uow, env, payee, state, env.now)?;
                Ending::Applied
            }
            None => Ending::Ignored,
        },
        (News::Account(_), Some(Err(RailError::Refused { .. }))) => Ending::Ignored,
        (News::Account(_), Some(Err(error))) => Ending::Later(again, error.to_string()),
        (News::Account(_), None) => Ending::Later(again, "the account was not asked about".to_owned()),
        (News::Transfer(transfer), _) => match sending::told(uow, env, transfer)? {
            None => Ending::Ignored,
            Some(Ok(())) => Ending::Applied,
            Some(Err(why)) => Ending::Contradicts(why),
        },
        (News::Funds, _) => {
            uow.stripe().wake_for_funds(env.now)?;
            Ending::Applied
        }
        (News::Noted, _) => Ending::Applied,
        (News::Nothing, _) => Ending::Ignored,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_or_refused_whole() {
        let good = br#"{"id":"evt_1","type":"transfer.created","created":1700000000,"data":{"object":{"id":"tr_1","amount":5,"currency":"aud","destination":"acct_1","amount_reversed":0,"created":1700000000,"metadata":{}}}}"#;
        let event = StripeEvent::parse(good).expect("an event");
        let News::Transfer(transfer) = event.news() else { panic!("no transfer") };
        assert_eq!((transfer.amount_minor, transfer.payout), (5, None));
        for bad in [
            &b""[..],
            b"{}",
            b"[]",
            br#"{"id":"tr_1","type":"a","created":1}"#,
            br#"{"id":"evt_1","type":"a b","created":1}"#,
        ] {
            assert_eq!(StripeEvent::parse(bad), Err(NotAnEvent));
        }
    }

    #[test]
    fn what_a_payees_bank_did_with_it_posts_nothing() {
        for kind in ["payout.paid", "payout.failed", "payout.canceled"] {
            let body =
                format!(r#"{{"id":"evt_1","type":"{kind}","created":1,"account":"acct_1","data":{{"object":{{}}}}}}"#);
            assert_eq!(StripeEvent::parse(body.as_bytes()).expect("an event").news(), News::Noted);
        }
    }
}
