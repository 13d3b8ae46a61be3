//! Money of lines that is put aside, as it comes in and goes out.

use domain::ledger::hold::{HoldRecord, Parts, PlaceHoldInput};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{MoneyRequest, MoneyView};
use crate::extract::ListQuery;

/// Which holds.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct HoldQuery {
    /// Only of this commission line.
    #[param(example = "line_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub line_id: Option<String>,
    /// Only of this payee's money.
    #[param(example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub payee_id: Option<String>,
    /// `active`, `released`.
    #[param(example = "active")]
    pub status: Option<String>,
}

impl ListQuery for HoldQuery {}

/// What is to be put aside.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateHold, example = json!({"line_id": "line_01k0w4q7v8e2rtf3k2m9x5c6dz", "amount": {"amount": 15_000, "currency": "AUD"}, "reason": "dispute", "note": "Two agents say that the client is theirs"}))]
pub struct CreateHoldRequest {
    /// The commission line.
    #[schema(required = true, nullable = false)]
    line_id: Option<String>,
    /// How much is in question; absent for all of the line that is not paid.
    amount: Option<MoneyRequest>,
    /// `dispute`, `provider_query`, `suspected_fraud`, `documents`, `legal`, `other`.
    #[schema(required = true, nullable = false)]
    reason: Option<String>,
    /// Why, in words; those who earn on the line read it.
    #[schema(required = true, nullable = false)]
    note: Option<String>,
}

impl From<CreateHoldRequest> for PlaceHoldInput {
    fn from(raw: CreateHoldRequest) -> Self {
        let CreateHoldRequest { line_id, amount, reason, note } = raw;
        Self { line_id, amount: amount.map(|money| (money.amount, money.currency)), reason, note }
    }
}

/// Why a hold ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReleaseHold, example = json!({"reason": "The dispute was withdrawn"}))]
pub struct ReleaseHoldRequest {
    /// Why, in words; those who earn on the line read it.
    #[schema(required = true, nullable = false)]
    pub reason: Option<String>,
}

/// An amount by where it lies when it is not put aside.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = HoldParts)]
pub struct HoldPartsView {
    /// May be paid.
    available: MoneyView,
    /// Earned, and waits for its day or for the provider.
    accrued: MoneyView,
}

impl From<Parts> for HoldPartsView {
    fn from(parts: Parts) -> Self {
        Self { available: MoneyView::aud(parts.available_minor), accrued: MoneyView::aud(parts.accrued_minor) }
    }
}

/// Money of a commission line that is put aside while something about it is in question.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Hold)]
pub struct HoldView {
    /// Its id.
    #[schema(example = "hold_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// The commission line.
    #[schema(example = "line_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    line_id: String,
    /// Its deal.
    #[schema(example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    deal_id: String,
    /// Whose money it is.
    #[schema(example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    payee_id: String,
    /// `dispute`, `provider_query`, `suspected_fraud`, `documents`, `legal`, `other`.
    #[schema(example = "dispute")]
    reason: &'static str,
    /// Why, in words.
    #[schema(example = "Two agents say that the client is theirs")]
    note: String,
    /// What was asked to be put aside.
    asked: MoneyView,
    /// What was put aside, by where it lay.
    from: HoldPartsView,
    /// What was asked and could not be put aside, since it was paid or never earned: a memo, nothing is posted of it.
    exposure: MoneyView,
    /// What of it is put aside now: less than at first when a clawback took of it.
    held: MoneyView,
    /// `active`, `released`.
    #[schema(example = "active")]
    status: &'static str,
    /// When it was placed.
    #[schema(example = "2026-11-23T12:00:00Z")]
    placed_at: String,
    /// When it was released.
    #[schema(example = "2026-11-30T12:00:00Z")]
    released_at: Option<String>,
    /// Why it was released.
    #[schema(example = "The dispute was withdrawn")]
    release_reason: Option<String>,
    /// What was left when it was released, by where it went.
    released: Option<HoldPartsView>,
    /// Its version, from 1.
    #[schema(example = 1)]
    version: u32,
}

impl From<HoldRecord> for HoldView {
    fn from(record: HoldRecord) -> Self {
        let HoldRecord { hold, held_minor } = record;
        let ended = hold.release.as_ref();
        Self {
            id: hold.id.to_string(),
            line_id: hold.line.to_string(),
            deal_id: hold.deal.to_string(),
            payee_id: hold.payee.to_string(),
            reason: hold.reason.as_str(),
            note: hold.note.as_str().to_owned(),
            asked: MoneyView::aud(hold.asked_minor),
            from: hold.from.into(),
            exposure: MoneyView::aud(hold.exposure_minor()),
            held: MoneyView::aud(held_minor),
            status: hold.state().as_str(),
            placed_at: hold.placed_at.to_string(),
            released_at: ended.map(|ended| ended.at.to_string()),
            release_reason: ended.map(|ended| ended.reason.clone()),
            released: ended.map(|ended| ended.back.into()),
            version: hold.version,
        }
    }
}
