//! Accounting periods, as they come in and go out.

use domain::ledger::period::{FrozenRow, Period};
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use super::MoneyView;
use crate::extract::ListQuery;

/// Months have no filters of their own.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodQuery {}

impl ListQuery for PeriodQuery {
    const SORT: &'static str = "month";
    const DATED: bool = false;
}

impl IntoParams for PeriodQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Vec::new()
    }
}

/// Asks for a month to be closed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClosePeriod, example = json!({"reason": "October is complete"}))]
pub struct ClosePeriodRequest {
    /// Why.
    #[schema(required = true, nullable = false, example = "October is complete")]
    pub reason: Option<String>,
}

/// One kind of account at the end of a month.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FrozenBalanceRow)]
pub struct FrozenRowView {
    /// The kind.
    #[schema(example = "commission_revenue")]
    kind: String,
    /// Accounts that do not stand at zero.
    #[schema(example = 1)]
    accounts: u32,
    /// SHA-256 over `account-id balance` lines, in the order of the accounts' ids.
    accounts_sha256: String,
    /// The sum of those in debit.
    debit: MoneyView,
    /// The sum of those in credit, positive.
    credit: MoneyView,
}

impl From<&FrozenRow> for FrozenRowView {
    fn from(row: &FrozenRow) -> Self {
        Self {
            kind: row.kind.clone(),
            accounts: row.accounts,
            accounts_sha256: row.accounts_sha256.to_string(),
            debit: MoneyView::aud(row.debit.0),
            credit: MoneyView::aud(row.credit.0),
        }
    }
}

/// A month of the books.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountingPeriod)]
pub struct PeriodView {
    /// Its id, which follows from its month.
    #[schema(example = "period_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// The month, in Sydney.
    #[schema(example = "2026-10")]
    month: String,
    /// `open`, `closing`, `closed`, `reopening`.
    #[schema(example = "closed")]
    status: &'static str,
    /// The digest of its trial balance: what is approved, and frozen.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_sha256: Option<String>,
    /// Why, in the words of whoever asked last.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Who asked for it to be closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    proposed_by_id: Option<String>,
    /// Who approved that.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by_id: Option<String>,
    /// When it was closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-02T02:00:00Z")]
    closed_at: Option<String>,
    /// Who asked for it to be reopened.
    #[serde(skip_serializing_if = "Option::is_none")]
    reopening_by_id: Option<String>,
}

impl From<&Period> for PeriodView {
    fn from(period: &Period) -> Self {
        Self {
            id: period.month.id().to_string(),
            month: period.month.to_string(),
            status: period.state.code(),
            content_sha256: period.state.content().map(|content| content.sha256().to_string()),
            reason: period.reason.clone(),
            proposed_by_id: period.state.proposed().map(|act| act.by.to_string()),
            approved_by_id: period.state.approved().map(|act| act.by.to_string()),
            closed_at: period.state.approved().map(|act| act.at.to_string()),
            reopening_by_id: period.state.asked().map(|act| act.by.to_string()),
        }
    }
}

/// A month of the books, with its trial balance as it was frozen.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountingPeriodDetail)]
pub struct PeriodDetailView {
    /// The month.
    #[serde(flatten)]
    period: PeriodView,
    /// By kind of account; empty while the month is open.
    trial_balance: Vec<FrozenRowView>,
}

impl From<&Period> for PeriodDetailView {
    fn from(period: &Period) -> Self {
        let rows = period.state.content().map(|frozen| frozen.content().rows.as_slice()).unwrap_or_default();
        Self { period: PeriodView::from(period), trial_balance: rows.iter().map(Into::into).collect() }
    }
}
