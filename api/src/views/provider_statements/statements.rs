//! Statements and their lines.

use domain::kernel::ids::DealId;
use domain::provider_statements::ProviderStatement;
use domain::provider_statements::import::ImportStatementInput;
use domain::provider_statements::statement::{LineRecord, StatementFigures};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::extract::ListQuery;
use crate::views::MoneyView;
use crate::views::deals::month;
use crate::views::jobs::FailureView;

/// What is said of a statement beside its file.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CreateStatementQuery {
    /// Who says that it paid.
    #[param(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz", required = true, nullable = false)]
    provider_id: Option<String>,
    /// The own bank account that the money came into.
    #[param(example = "bank_01k0w4q7v8e2rtf3k2m9x5c6dz", required = true, nullable = false)]
    bank_account_id: Option<String>,
    /// The first day that it is about.
    #[param(example = "2026-08-01", required = true, nullable = false)]
    period_from: Option<String>,
    /// The last day; at most 366 days after the first.
    #[param(example = "2026-08-31", required = true, nullable = false)]
    period_to: Option<String>,
    /// The date of the payment.
    #[param(example = "2026-09-04", required = true, nullable = false)]
    paid_on: Option<String>,
    /// What the bank statement shows of the payment.
    #[param(example = "BANK COMM 202608", required = true, nullable = false)]
    payment_reference: Option<String>,
    /// What was paid in all, GST included, in cents: the lines must come to it.
    #[param(example = 715_000, required = true, nullable = false)]
    total_minor: Option<i64>,
}

impl From<CreateStatementQuery> for ImportStatementInput {
    fn from(raw: CreateStatementQuery) -> Self {
        Self {
            provider_id: raw.provider_id,
            bank_account_id: raw.bank_account_id,
            period_from: raw.period_from,
            period_to: raw.period_to,
            paid_on: raw.paid_on,
            payment_reference: raw.payment_reference,
            total_minor: raw.total_minor,
        }
    }
}

/// Which statements.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StatementQuery {
    /// Of this provider.
    #[param(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub provider_id: Option<String>,
    /// `received`, `posted`, `failed`.
    #[param(example = "posted")]
    pub status: Option<String>,
}

impl ListQuery for StatementQuery {}

/// Which lines.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct StatementLineQuery {
    /// `matched`, `short_paid`, `over_paid`, `unexpected`, `nothing`.
    #[param(example = "unexpected")]
    pub result: Option<String>,
}

impl ListQuery for StatementLineQuery {
    const SORT: &'static str = "line";
    const DATED: bool = false;
}

/// A statement of a provider.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderStatement)]
pub struct ProviderStatementView {
    /// Its id.
    #[schema(example = "pstatement_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Who says that it paid.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    provider_id: String,
    /// Where the money came in.
    #[schema(example = "bank_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    bank_account_id: String,
    /// `received` (its lines are being posted), `posted`, `failed`.
    #[schema(example = "posted")]
    status: &'static str,
    /// The version of the mapping that it was read by.
    #[schema(example = 1)]
    mapping_version: u32,
    /// The first day that it is about.
    #[schema(example = "2026-08-01", format = Date)]
    period_from: String,
    /// The last day.
    #[schema(example = "2026-08-31", format = Date)]
    period_to: String,
    /// The date of the payment.
    #[schema(example = "2026-09-04")]
    paid_on: String,
    /// What the bank statement shows of the payment.
    #[schema(example = "BANK COMM 202608")]
    payment_reference: String,
    /// What was paid in all, GST included.
    total: MoneyView,
    /// How many lines it has.
    #[schema(example = 1200)]
    lines: u64,
    /// SHA-256 of the file.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    file_sha256: String,
    /// Its size.
    #[schema(example = 131_072)]
    file_bytes: u64,
    /// Why it was stopped; what was posted before stays.
    failure: Option<FailureView>,
    /// When it came.
    #[schema(example = "2026-09-04T02:00:00Z")]
    created_at: String,
    /// When all of it was posted.
    #[schema(example = "2026-09-04T02:00:05Z")]
    posted_at: Option<String>,
}

impl From<ProviderStatement> for ProviderStatementView {
    fn from(statement: ProviderStatement) -> Self {
        Self {
            id: statement.id.to_string(),
            provider_id: statement.provider.to_string(),
            bank_account_id: statement.bank_account.to_string(),
            status: statement.state.as_str(),
            mapping_version: statement.mapping_version,
            period_from: statement.period_from.to_string(),
            period_to: statement.period_to.to_string(),
            paid_on: statement.paid_on.to_string(),
            payment_reference: statement.payment_reference,
            total: MoneyView::aud(statement.total_minor),
            lines: statement.lines,
            file_sha256: statement.file_sha256.to_string(),
            file_bytes: statement.file_bytes,
            failure: statement.fault.map(|fault| FailureView { code: fault.code, detail: fault.detail }),
            created_at: statement.created_at.to_string(),
            posted_at: statement.posted_at.map(|at| at.to_string()),
        }
    }
}

/// How many lines became what.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatementLineCounts)]
pub struct LineCountsView {
    /// Not posted yet.
    #[schema(example = 0)]
    waiting: u64,
    /// They settle what they are for.
    #[schema(example = 1180)]
    matched: u64,
    /// They leave some of it open.
    #[schema(example = 12)]
    short_paid: u64,
    /// They bring more than was open.
    #[schema(example = 3)]
    over_paid: u64,
    /// Nothing was open that they could be for.
    #[schema(example = 5)]
    unexpected: u64,
    /// They are over nothing.
    #[schema(example = 0)]
    nothing: u64,
}

/// A statement and what it came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderStatementDetail)]
pub struct ProviderStatementDetailView {
    /// The statement.
    #[serde(flatten)]
    statement: ProviderStatementView,
    /// How many lines became what.
    counts: LineCountsView,
    /// What its lines settled, without GST. Applied, GST, rounding and unapplied together are the total, once it is posted.
    applied: MoneyView,
    /// The GST of that.
    gst: MoneyView,
    /// Odd cents between the provider's document and our figures.
    rounding: MoneyView,
    /// What waits for something that it is for.
    unapplied: MoneyView,
    /// Its exceptions that are not resolved.
    #[schema(example = 20)]
    open_exceptions: u64,
}

impl ProviderStatementDetailView {
    /// A statement with its figures.
    #[must_use]
    pub fn new(statement: ProviderStatement, figures: StatementFigures) -> Self {
        let counts = figures.counts;
        Self {
            statement: statement.into(),
            counts: LineCountsView {
                waiting: counts.waiting,
                matched: counts.matched,
                short_paid: counts.short_paid,
                over_paid: counts.over_paid,
                unexpected: counts.unexpected,
                nothing: counts.nothing,
            },
            applied: MoneyView::aud(figures.applied_minor),
            gst: MoneyView::aud(figures.gst_minor),
            rounding: MoneyView::aud(figures.rounding_minor),
            unapplied: MoneyView::aud(figures.unapplied_minor),
            open_exceptions: figures.open_exceptions,
        }
    }
}

/// A line of a statement and what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProviderStatementLine)]
pub struct StatementLineView {
    /// Its id.
    #[schema(example = "pline_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// The line of the file, from 1.
    #[schema(example = 2)]
    line: u64,
    /// What the provider calls the deal.
    #[schema(example = "LN-81-000002")]
    reference: String,
    /// `upfront`, `trail`, `clawback`.
    #[schema(example = "upfront")]
    kind: &'static str,
    /// Its date.
    #[schema(example = "2026-08-05")]
    on: String,
    /// The month, if it is a trail's.
    #[schema(example = "2026-08")]
    month: String,
    /// Without GST; taken back is negative.
    amount: MoneyView,
    /// GST.
    gst: MoneyView,
    /// What the provider calls the product.
    product: Option<String>,
    /// `matched`, `short_paid`, `over_paid`, `unexpected`, `nothing`; null while it waits.
    #[schema(example = "matched")]
    result: Option<&'static str>,
    /// The deal that it is for.
    #[schema(example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    deal_id: Option<String>,
    /// The month of the trail that it is for.
    matched_month: Option<String>,
    /// What of it waits for something that it is for, GST included.
    unapplied: Option<MoneyView>,
}

impl From<LineRecord> for StatementLineView {
    fn from(record: LineRecord) -> Self {
        let LineRecord { line, outcome } = record;
        let item = outcome.and_then(|outcome| outcome.item);
        Self {
            id: line.id.to_string(),
            line: line.line,
            reference: line.reference,
            kind: line.kind.code(),
            on: line.on.to_string(),
            month: month(line.month),
            amount: MoneyView::aud(line.amount_minor),
            gst: MoneyView::aud(line.gst_minor),
            product: line.product,
            result: outcome.map(|outcome| outcome.result.as_str()),
            deal_id: item.map(|item| DealId::to_string(&item.deal)),
            matched_month: item.and_then(|item| item.period).map(month),
            unapplied: outcome.map(|outcome| MoneyView::aud(outcome.unapplied_minor)),
        }
    }
}
