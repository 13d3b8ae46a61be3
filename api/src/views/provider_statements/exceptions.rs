//! Exceptions, write-offs, funding.

use domain::kernel::Instant;
use domain::kernel::ids::{DealId, ExceptionId, UserId, WriteOffId};
use domain::provider_statements::exception::Resolution;
use domain::provider_statements::funding::FundingRow;
use domain::provider_statements::write_off::ProposeWriteOffInput;
use domain::provider_statements::{ProviderException, WriteOff};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::extract::ListQuery;
use crate::views::deals::month;
use crate::views::{MoneyRequest, MoneyView};

/// Which exceptions.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ExceptionQuery {
    /// `open`, `waiting`, `resolved`.
    #[param(example = "open")]
    pub status: Option<String>,
    /// Those that this user looks after.
    #[param(example = "user_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub owner: Option<String>,
    /// Of this provider.
    #[param(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub provider_id: Option<String>,
}

impl ListQuery for ExceptionQuery {}

/// Which exceptions of a statement.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StatementExceptionQuery {
    /// `open`, `waiting`, `resolved`.
    #[param(example = "open")]
    pub status: Option<String>,
}

impl ListQuery for StatementExceptionQuery {}

/// Who is to look after it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AssignException, example = json!({"owner_id": "user_01k0w4q7v8e2rtf3k2m9x5c6dz"}))]
pub struct AssignExceptionRequest {
    /// A user of the operator.
    #[schema(required = true, nullable = false)]
    pub owner_id: Option<String>,
}

/// How it ends, or what it waits for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ResolveException, example = json!({"how": "wait", "until": "2026-12-15", "note": "The bank pays the rest with the next run"}))]
pub struct ResolveExceptionRequest {
    /// `accept_difference` (a write-off over the difference is proposed), `wait`, `corrected_fact` (what is unapplied is
    /// moved on; refused while the difference is there), `ours_is_wrong`.
    #[schema(required = true, nullable = false)]
    pub how: Option<String>,
    /// Until when it waits, for `wait`.
    pub until: Option<String>,
    /// Why.
    #[schema(required = true, nullable = false)]
    pub note: Option<String>,
}

/// Something that does not match.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ProviderException)]
pub struct ExceptionView {
    /// Its id.
    #[schema(example = "exception_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Whose statement.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    provider_id: String,
    /// The statement that first showed it.
    #[schema(example = "pstatement_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    statement_id: String,
    /// `short_paid`, `over_paid`, `missing`, `unexpected`, `silently_stopped_trail`.
    #[schema(example = "short_paid")]
    kind: &'static str,
    /// The line, if it is about one.
    #[schema(example = "pline_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    line_id: Option<String>,
    /// The deal, if it is about one.
    #[schema(example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    deal_id: Option<String>,
    /// The month of a trail.
    month: Option<String>,
    /// `earned`, `clawed_back`.
    #[schema(example = "earned")]
    side: Option<&'static str>,
    /// What the ledger expected, without GST.
    expected: MoneyView,
    /// What came.
    received: MoneyView,
    /// Received less expected.
    difference: MoneyView,
    /// `open`, `waiting`, `resolved`.
    #[schema(example = "open")]
    status: &'static str,
    /// Who looks after it.
    #[schema(example = "user_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    owner_id: Option<String>,
    /// How many days it has been there.
    #[schema(example = 12)]
    age_days: i64,
    /// `accept_difference`, `wait`, `corrected_fact`, `ours_is_wrong`, `received` (the rest came by itself).
    #[schema(example = "wait")]
    resolution: Option<&'static str>,
    /// Until when it waits.
    #[schema(example = "2026-12-15", format = Date)]
    wait_until: Option<String>,
    /// Why, in somebody's words.
    #[schema(example = "The bank pays the rest with the next run")]
    note: Option<String>,
    /// The write-off that is to end it.
    #[schema(example = "writeoff_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    write_off_id: Option<String>,
    /// When it was first seen.
    #[schema(example = "2026-09-04T02:00:05Z")]
    opened_at: String,
    /// When it ended.
    #[schema(example = "2026-10-04T02:00:05Z")]
    resolved_at: Option<String>,
    /// Its version, from 1.
    #[schema(example = 1)]
    version: u32,
}

impl ExceptionView {
    /// An exception as of a moment.
    #[must_use]
    pub fn new(found: &ProviderException, now: Instant) -> Self {
        let item = found.about.item();
        Self {
            id: found.id.to_string(),
            provider_id: found.provider.to_string(),
            statement_id: found.statement.to_string(),
            kind: found.kind.as_str(),
            line_id: found.about.line().map(|line| line.to_string()),
            deal_id: item.map(|item| DealId::to_string(&item.deal)),
            month: item.and_then(|item| item.period).map(month),
            side: item.map(|item| item.side.as_str()),
            expected: MoneyView::aud(found.expected_minor),
            received: MoneyView::aud(found.received_minor),
            difference: MoneyView::aud(found.difference_minor()),
            status: found.status.as_str(),
            owner_id: found.owner.as_ref().map(UserId::to_string),
            age_days: found.age_days(now.sydney_date()),
            resolution: found.resolution.map(Resolution::as_str),
            wait_until: found.wait_until.map(|on| on.to_string()),
            note: found.note.clone(),
            write_off_id: found.write_off.as_ref().map(WriteOffId::to_string),
            opened_at: found.opened_at.to_string(),
            resolved_at: found.resolved_at.map(|at| at.to_string()),
            version: found.version,
        }
    }
}

/// Which write-offs.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct WriteOffQuery {
    /// `proposed`, `approved`, `rejected`.
    #[param(example = "proposed")]
    pub status: Option<String>,
}

impl ListQuery for WriteOffQuery {}

/// What is to be written off.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateWriteOff, example = json!({"deal_id": "deal_01k0w4q7v8e2rtf3k2m9x5c6dz", "amount": {"amount": 150, "currency": "AUD"}, "reason": "Not worth a letter"}))]
pub struct CreateWriteOffRequest {
    /// The deal.
    #[schema(required = true, nullable = false)]
    deal_id: Option<String>,
    /// The month of a trail, YYYY-MM; absent for the deal itself.
    month: Option<String>,
    /// How much, without GST; at most what is open.
    #[schema(required = true, nullable = false)]
    amount: Option<MoneyRequest>,
    /// Why.
    #[schema(required = true, nullable = false)]
    reason: Option<String>,
}

impl From<CreateWriteOffRequest> for ProposeWriteOffInput {
    fn from(raw: CreateWriteOffRequest) -> Self {
        let CreateWriteOffRequest { deal_id, month, amount, reason } = raw;
        Self { deal_id, month, amount: amount.map(|money| (money.amount, money.currency)), reason }
    }
}

/// A shortfall that is accepted, once a second person says so.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = WriteOff)]
pub struct WriteOffView {
    /// Its id.
    #[schema(example = "writeoff_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Who does not pay it.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    provider_id: String,
    /// The deal.
    #[schema(example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    deal_id: String,
    /// The month of a trail.
    month: Option<String>,
    /// How much, without GST.
    amount: MoneyView,
    /// Why.
    #[schema(example = "Not worth a letter")]
    reason: String,
    /// The exception that it ends.
    #[schema(example = "exception_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    exception_id: Option<String>,
    /// `proposed`, `approved`, `rejected`.
    #[schema(example = "proposed")]
    status: &'static str,
    /// When it was proposed.
    #[schema(example = "2026-10-04T02:00:05Z")]
    proposed_at: String,
    /// When it was decided.
    #[schema(example = "2026-10-05T02:00:05Z")]
    decided_at: Option<String>,
    /// Its version, from 1.
    #[schema(example = 1)]
    version: u32,
}

impl From<WriteOff> for WriteOffView {
    fn from(write_off: WriteOff) -> Self {
        Self {
            id: write_off.id.to_string(),
            provider_id: write_off.provider.to_string(),
            deal_id: write_off.item.deal.to_string(),
            month: write_off.item.period.map(month),
            amount: MoneyView::aud(write_off.amount_minor),
            reason: write_off.reason,
            exception_id: write_off.exception.as_ref().map(ExceptionId::to_string),
            status: write_off.state.as_str(),
            proposed_at: write_off.proposed_at.to_string(),
            decided_at: write_off.decided_at.map(|at| at.to_string()),
            version: write_off.version,
        }
    }
}

/// What payees may be paid against what a provider paid for it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Funding)]
pub struct FundingView {
    /// Who pays commission in.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    provider_id: String,
    /// What it owes in all, without GST.
    expected: MoneyView,
    /// What came of that.
    received: MoneyView,
    /// What was given up.
    written_off: MoneyView,
    /// What payees may be paid.
    available: MoneyView,
    /// Of that, what the provider has not paid for yet.
    unfunded: MoneyView,
    /// On hold until the provider pays.
    awaiting_receipt: MoneyView,
}

impl From<FundingRow> for FundingView {
    fn from(row: FundingRow) -> Self {
        Self {
            provider_id: row.provider.to_string(),
            expected: MoneyView::aud(row.expected_minor),
            received: MoneyView::aud(row.received_minor),
            written_off: MoneyView::aud(row.written_off_minor),
            available: MoneyView::aud(row.available_minor),
            unfunded: MoneyView::aud(row.unfunded_minor),
            awaiting_receipt: MoneyView::aud(row.awaiting_receipt_minor),
        }
    }
}

/// The funding of what is available, one row per provider.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FundingReport)]
pub struct FundingReportView {
    /// By provider.
    data: Vec<FundingView>,
}

impl From<Vec<FundingRow>> for FundingReportView {
    fn from(rows: Vec<FundingRow>) -> Self {
        Self { data: rows.into_iter().map(FundingView::from).collect() }
    }
}
