//! What people write into the ledger by hand, as it comes in.

use domain::ledger::manual::{EntryInput, PostingInput, ProposeInput};
use serde::Deserialize;
use utoipa::ToSchema;

use super::MoneyRequest;

/// An account by what it is.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NamedAccount)]
pub struct NamedAccountRequest {
    /// Its kind.
    #[schema(required = true, nullable = false, example = "cash")]
    kind: Option<String>,
    /// Its provider or own bank account, where its kind has one.
    #[schema(example = "bank_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    party_id: Option<String>,
    /// Its vertical, where its kind has one.
    #[schema(example = "V01")]
    vertical: Option<String>,
}

/// One side of an entry: the account by its id, or by what it is.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PostingInput)]
pub struct PostingRequest {
    /// The account.
    #[schema(example = "account_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    account_id: Option<String>,
    /// The account, which may not have been opened yet.
    account: Option<NamedAccountRequest>,
    /// How much; debit is positive.
    #[schema(required = true, nullable = false)]
    amount: Option<MoneyRequest>,
}

/// An entry by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateManualEntry, example = json!({
    "kind": "fee", "effective_on": "2026-11-20", "reason": "Bank fees of November",
    "postings": [
        {"account": {"kind": "rail_fees"}, "amount": {"amount": 1250, "currency": "AUD"}},
        {"account": {"kind": "cash", "party_id": "bank_01k0w4q7v8e2rtf3k2m9x5c6dz"}, "amount": {"amount": -1250, "currency": "AUD"}}
    ]
}))]
pub struct CreateManualEntryRequest {
    /// `adjustment`, `fee`, `funds_transfer`, `opening`: what no use case writes.
    #[schema(required = true, nullable = false, example = "fee")]
    kind: Option<String>,
    /// The business date; not in the future, not in a closed month.
    #[schema(required = true, nullable = false, example = "2026-11-20")]
    effective_on: Option<String>,
    /// Why.
    #[schema(required = true, nullable = false, example = "Bank fees of November")]
    reason: Option<String>,
    /// Two or more sides that sum to zero.
    #[schema(required = true)]
    #[serde(default)]
    postings: Vec<PostingRequest>,
}

/// One entry of a batch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BatchEntry)]
pub struct BatchEntryRequest {
    /// `adjustment`, `fee`, `funds_transfer`, `opening`.
    #[schema(required = true, nullable = false, example = "fee")]
    kind: Option<String>,
    /// The business date.
    #[schema(required = true, nullable = false, example = "2026-11-20")]
    effective_on: Option<String>,
    /// Two or more sides that sum to zero.
    #[schema(required = true)]
    #[serde(default)]
    postings: Vec<PostingRequest>,
}

/// Many entries by hand, proposed and approved as one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateManualBatch, example = json!({
    "mode": "per_item", "reason": "Opening balances",
    "entries": [{
        "kind": "opening", "effective_on": "2026-11-20",
        "postings": [
            {"account": {"kind": "stripe_balance"}, "amount": {"amount": 5000, "currency": "AUD"}},
            {"account": {"kind": "opening_balance"}, "amount": {"amount": -5000, "currency": "AUD"}}
        ]
    }]
}))]
pub struct CreateManualBatchRequest {
    /// `atomic` (the default): all or none. `per_item`: what cannot be taken is left out.
    #[schema(example = "per_item")]
    mode: Option<String>,
    /// Why.
    #[schema(required = true, nullable = false, example = "Opening balances")]
    reason: Option<String>,
    /// At most 10,000 entries.
    #[schema(required = true, max_items = 10_000)]
    #[serde(default)]
    entries: Vec<BatchEntryRequest>,
}

/// A reversal of an entry.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReverseLedgerEntry, example = json!({"reason": "Entered twice"}))]
pub struct ReverseEntryRequest {
    /// Why.
    #[schema(required = true, nullable = false, example = "Entered twice")]
    pub reason: Option<String>,
    /// The business date of the reversal; today (Sydney) if absent.
    #[schema(example = "2026-11-20")]
    pub effective_on: Option<String>,
}

/// An approval of what was seen.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApproveSeen, example = json!({"content_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}))]
pub struct ApproveSeenRequest {
    /// `content_sha256` of what the approver saw.
    #[schema(required = true, nullable = false)]
    pub content_sha256: Option<String>,
}

impl From<PostingRequest> for PostingInput {
    fn from(raw: PostingRequest) -> Self {
        let PostingRequest { account_id, account, amount } = raw;
        let (kind, party_id, vertical) = account.map_or((None, None, None), |account| {
            (Some(account.kind.unwrap_or_default()), account.party_id, account.vertical)
        });
        let (amount_minor, currency) = amount.map_or((None, None), |money| (Some(money.amount), Some(money.currency)));
        Self { account_id, kind, party_id, vertical, amount_minor, currency }
    }
}

impl From<CreateManualEntryRequest> for ProposeInput {
    fn from(raw: CreateManualEntryRequest) -> Self {
        let CreateManualEntryRequest { kind, effective_on, reason, postings } = raw;
        let postings = postings.into_iter().map(Into::into).collect();
        Self { mode: None, reason, entries: vec![EntryInput { kind, effective_on, postings }] }
    }
}

impl From<CreateManualBatchRequest> for ProposeInput {
    fn from(raw: CreateManualBatchRequest) -> Self {
        let CreateManualBatchRequest { mode, reason, entries } = raw;
        let entry = |raw: BatchEntryRequest| {
            let BatchEntryRequest { kind, effective_on, postings } = raw;
            EntryInput { kind, effective_on, postings: postings.into_iter().map(Into::into).collect() }
        };
        Self { mode, reason, entries: entries.into_iter().map(entry).collect() }
    }
}

/// The floor of an own account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SetAccountFloor, example = json!({"floor": {"amount": -500_000, "currency": "AUD"}}))]
pub struct SetFloorRequest {
    /// The balance never gets below; negative where the account may be overdrawn.
    #[schema(required = true, nullable = false)]
    pub floor: Option<MoneyRequest>,
}
