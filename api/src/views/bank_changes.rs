//! Changes of payees' bank accounts as they come in and go out. No account number goes out in full.

use domain::directory::bank_change::{ApproveBankChangeInput, BankChange};
use domain::directory::payee::BankAccountInput;
use domain::kernel::Instant;
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use super::directory::BankAccountView;
use super::directory_requests::BankAccountRequest;
use crate::extract::ListQuery;

/// A change of a payee's bank account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankChange)]
pub struct BankChangeView {
    /// Its id.
    #[schema(example = "bankchange_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Whose account.
    #[schema(example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    payee_id: String,
    /// The new account.
    bank_account: BankAccountView,
    /// `proposed`, `approved` or `replaced` (by a newer proposal).
    #[schema(example = "proposed")]
    status: &'static str,
    /// When it was proposed.
    #[schema(example = "2026-11-23T12:00:00Z")]
    proposed_at: String,
    /// When a second person approved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-23T13:00:00Z")]
    approved_at: Option<String>,
    /// From when on the payee is paid again, to this account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-25T13:00:00Z")]
    usable_from_at: Option<String>,
}

impl From<BankChange> for BankChangeView {
    fn from(change: BankChange) -> Self {
        Self {
            id: change.id.to_string(),
            payee_id: change.payee.to_string(),
            bank_account: BankAccountView::from(change.details),
            status: change.state.as_str(),
            proposed_at: change.proposed_at.to_string(),
            approved_at: change.approved_at.as_ref().map(Instant::to_string),
            usable_from_at: change.usable_from.as_ref().map(Instant::to_string),
        }
    }
}

/// A request to propose another bank account.
#[derive(Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(as = ProposeBankChange, example = json!({"bsb": "062-000", "account_number": "12345678", "account_name": "Zoë O’Brien"}))]
pub struct ProposeBankChangeRequest(BankAccountRequest);

impl From<ProposeBankChangeRequest> for BankAccountInput {
    fn from(raw: ProposeBankChangeRequest) -> Self {
        raw.0.into()
    }
}

/// A request to approve another bank account: BSB and account number again, as the payee told them by another way.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApproveBankChange, example = json!({"bank_change_id": "bankchange_01k0w4q7v8e2rtf3k2m9x5c6dz", "bsb": "062-000", "account_number": "12345678"}))]
pub struct ApproveBankChangeRequest {
    /// Which change.
    #[schema(required = true, nullable = false)]
    bank_change_id: Option<String>,
    /// The branch.
    #[schema(required = true, nullable = false)]
    bsb: Option<String>,
    /// The account.
    #[schema(required = true, nullable = false)]
    account_number: Option<String>,
}

impl From<ApproveBankChangeRequest> for ApproveBankChangeInput {
    fn from(raw: ApproveBankChangeRequest) -> Self {
        let ApproveBankChangeRequest { bank_change_id, bsb, account_number } = raw;
        Self { bank_change_id, bsb, account_number }
    }
}

/// Changes have no filters of their own.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankChangeQuery {}

impl ListQuery for BankChangeQuery {
    const SORT: &'static str = "proposed_at";
    const DATED: bool = false;
}

impl IntoParams for BankChangeQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Vec::new()
    }
}
