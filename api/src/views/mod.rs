//! What goes out, context by context: views of aggregates, and the shapes that all of them share.

pub mod access;
pub mod agreements;
pub mod assignments;
pub mod audit;
pub mod bank_changes;
pub mod catalogue;
pub mod client_keys;
pub mod cohorts;
pub mod deal_history;
pub mod deal_requests;
pub mod deals;
pub mod directory;
pub mod directory_requests;
pub mod dry_runs;
pub mod embed;
pub mod erasures;
pub mod events;
pub mod evidence;
pub mod guarantees;
pub mod handshakes;
pub mod holds;
pub mod imports;
pub mod jobs;
pub mod ledger;
pub mod licences;
pub mod log;
pub mod manual_entries;
pub mod manual_requests;
pub mod oidc;
pub mod operations;
pub mod payee_statements;
pub mod payee_tax;
pub mod payouts;
pub mod periods;
pub mod provider_statements;
pub mod recalls;
pub mod recovery_plans;
pub mod referrals;
pub mod signing_keys;
pub mod simulations;
pub mod stripe;
pub mod tax;
pub mod totp;
pub mod trail_runs;
pub mod users;
pub mod webhooks;

use domain::kernel::Money;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// The largest whole number that every JSON reader takes (RFC 8259, 6).
pub const SAFE_INTEGER: u64 = 9_007_199_254_740_991;

/// Reads a number that is at most [`SAFE_INTEGER`], as the document says of every number.
fn safe_integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let number = Option::<u64>::deserialize(deserializer)?;
    if number.is_some_and(|number| number > SAFE_INTEGER) {
        return Err(D::Error::custom(format_args!("a number must be at most {SAFE_INTEGER}")));
    }
    Ok(number)
}

/// Whole minor units of a currency (ISO 4217).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MoneyView {
    /// Minor units: cents of the Australian dollar.
    pub amount: i64,
    /// ISO 4217.
    pub currency: &'static str,
}

impl utoipa::PartialSchema for MoneyView {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        Money::schema()
    }
}

impl ToSchema for MoneyView {
    fn name() -> std::borrow::Cow<'static, str> {
        Money::name()
    }
}

impl MoneyView {
    /// Cents of the Australian dollar.
    #[must_use]
    pub const fn aud(amount: i64) -> Self {
        Self { amount, currency: "AUD" }
    }
}

impl From<Money> for MoneyView {
    fn from(money: Money) -> Self {
        Self::aud(money.minor())
    }
}

/// Money as a request carries it.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MoneyInput)]
pub struct MoneyRequest {
    /// Minor units.
    #[schema(example = 12_345)]
    pub amount: i64,
    /// ISO 4217; `AUD`.
    #[schema(example = "AUD")]
    pub currency: String,
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct PageView<V> {
    /// The rows.
    pub data: Vec<V>,
    /// Give this as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
