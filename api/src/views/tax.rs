//! Tax as it comes in and goes out: papers, reports, payments to the tax office.

use domain::kernel::Money;
use domain::tax::remit::TaxRemittance;
use domain::tax::report::{QuarterTotals, WithheldFrom};
use domain::tax::repository::DocumentRecord;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MoneyView;

fn cents(minor: i64) -> MoneyView {
    MoneyView::from(Money::aud(minor))
}

/// A tax paper.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TaxDocument)]
pub struct TaxDocumentView {
    /// Its id, made of the digest of its bytes.
    #[schema(example = "taxdoc_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// `rcti`, `adjustment_note`, `remittance_statement` or `payment_summary`.
    #[schema(example = "rcti")]
    kind: &'static str,
    /// Its number, without gaps by kind and financial year.
    #[schema(example = "RCTI-FY27-000001")]
    number: String,
    /// The financial year, by the year in which it ends.
    #[schema(example = 2027)]
    financial_year: i32,
    /// Its place among all papers.
    #[schema(example = 1)]
    sequence: i64,
    /// The payee.
    #[schema(example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    payee_id: String,
    /// The payout that it goes with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "payout_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    payout_id: Option<String>,
    /// The day on which it was issued.
    #[schema(example = "2026-11-25")]
    issued_on: String,
    /// When it was written.
    #[schema(example = "2026-11-25T02:00:00Z")]
    created_at: String,
    /// Without GST; negative on an adjustment note.
    net: MoneyView,
    /// GST; negative on an adjustment note.
    gst: MoneyView,
    /// What was withheld.
    withheld: MoneyView,
    /// SHA-256 of its exact bytes.
    #[schema(example = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae")]
    sha256: String,
}

impl From<DocumentRecord> for TaxDocumentView {
    fn from(record: DocumentRecord) -> Self {
        Self {
            id: record.id.to_string(),
            kind: record.kind.code(),
            number: record.number,
            financial_year: record.financial_year,
            sequence: record.seq,
            payee_id: record.payee.to_string(),
            payout_id: record.payout.map(|id| id.to_string()),
            issued_on: record.issued_on.to_string(),
            created_at: record.issued_at.to_string(),
            net: cents(record.net_minor),
            gst: cents(record.gst_minor),
            withheld: cents(record.withheld_minor),
            sha256: record.sha256.to_string(),
        }
    }
}

/// A tax paper with what it says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TaxDocumentDetail)]
pub struct TaxDocumentDetailView {
    /// What every list shows of it.
    #[serde(flatten)]
    document: TaxDocumentView,
    /// Its exact text, canonical JSON (RFC 8785) in UTF-8: the bytes of which `sha256` is the digest. Amounts are
    /// strings of cents.
    #[schema(example = "{\"currency\":\"AUD\",\"kind\":\"rcti\"}")]
    text: String,
}

impl TaxDocumentDetailView {
    /// A paper with its bytes.
    #[must_use]
    pub fn new(record: DocumentRecord, content: &[u8]) -> Self {
        Self { document: TaxDocumentView::from(record), text: String::from_utf8_lossy(content).into_owned() }
    }
}

/// What the books say of GST and withholding in one quarter.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BasPeriod)]
pub struct BasPeriodView {
    /// The first day of the quarter.
    #[schema(example = "2026-10-01")]
    from: String,
    /// Its last day.
    #[schema(example = "2026-12-31")]
    to: String,
    /// GST on what providers owe us.
    gst_collected: MoneyView,
    /// GST on what payees invoiced.
    gst_paid: MoneyView,
    /// Withheld from payees.
    withheld: MoneyView,
    /// What is to be paid to the tax office; negative: what it refunds.
    payable: MoneyView,
}

impl From<QuarterTotals> for BasPeriodView {
    fn from(totals: QuarterTotals) -> Self {
        Self {
            from: totals.quarter.from.to_string(),
            to: totals.quarter.to.to_string(),
            gst_collected: cents(totals.gst_collected_minor),
            gst_paid: cents(totals.gst_paid_minor),
            withheld: cents(totals.withheld_minor),
            payable: cents(totals.payable_minor()),
        }
    }
}

/// A payee from whom tax was withheld.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WithheldFrom)]
pub struct WithheldFromView {
    /// The payee.
    #[schema(example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub payee_id: String,
    /// Its name, until it is erased.
    #[schema(example = "Jane Citizen")]
    pub name: Option<String>,
    /// How many payment summaries it was given.
    #[schema(example = 3)]
    pub summaries: i64,
    /// What was paid, tax included.
    pub gross: MoneyView,
    /// What was withheld.
    pub withheld: MoneyView,
}

impl From<WithheldFrom> for WithheldFromView {
    fn from(from: WithheldFrom) -> Self {
        Self {
            payee_id: from.payee.to_string(),
            name: from.name,
            summaries: from.summaries,
            gross: cents(from.gross_minor),
            withheld: cents(from.withheld_minor),
        }
    }
}

/// The annual report of what was withheld where no ABN was quoted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WithholdingReport)]
pub struct WithholdingReportView {
    /// The financial year, by the year in which it ends.
    #[schema(example = 2027)]
    pub financial_year: i32,
    /// The day on which the tax office wants it.
    #[schema(example = "2027-10-31")]
    pub due_on: String,
    /// By payee.
    pub data: Vec<WithheldFromView>,
    /// What was paid in all, tax included.
    pub gross: MoneyView,
    /// What was withheld in all.
    pub withheld: MoneyView,
}

impl WithholdingReportView {
    /// The report of a year.
    #[must_use]
    pub fn new(financial_year: i32, found: Vec<WithheldFrom>) -> Self {
        let sum = |pick: fn(&WithheldFrom) -> i64| cents(found.iter().map(pick).sum());
        Self {
            financial_year,
            due_on: format!("{financial_year}-10-31"),
            gross: sum(|from| from.gross_minor),
            withheld: sum(|from| from.withheld_minor),
            data: found.into_iter().map(WithheldFromView::from).collect(),
        }
    }
}

/// A payment to the tax office.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TaxRemittance)]
pub struct TaxRemittanceView {
    /// Its id.
    #[schema(example = "remittance_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// What it settles.
    period: BasPeriodView,
    /// The account that it goes out of.
    #[schema(example = "bank_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    bank_account_id: String,
    /// The day on which it is paid.
    #[schema(example = "2027-02-28")]
    paid_on: String,
    /// `proposed` or `approved`.
    #[schema(example = "proposed")]
    state: &'static str,
    /// When it was proposed.
    #[schema(example = "2027-02-20T02:00:00Z")]
    created_at: String,
    /// When somebody else approved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2027-02-21T02:00:00Z")]
    approved_at: Option<String>,
}

impl From<TaxRemittance> for TaxRemittanceView {
    fn from(remittance: TaxRemittance) -> Self {
        Self {
            id: remittance.id.to_string(),
            period: BasPeriodView::from(remittance.totals),
            bank_account_id: remittance.bank_account.to_string(),
            paid_on: remittance.paid_on.to_string(),
            state: remittance.state(),
            created_at: remittance.proposed_at.to_string(),
            approved_at: remittance.approved.map(|(_, at)| at.to_string()),
        }
    }
}

/// A request to settle a quarter with the tax office.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateTaxRemittance, example = json!({"quarter_from": "2026-07-01", "bank_account_id": "bank_01k0w4q7v8e2rtf3k2m9x5c6dz", "paid_on": "2026-10-28"}))]
pub struct CreateTaxRemittanceRequest {
    /// The first day of the quarter.
    #[schema(required = true, nullable = false)]
    pub quarter_from: Option<String>,
    /// Out of which of our accounts.
    #[schema(required = true, nullable = false)]
    pub bank_account_id: Option<String>,
    /// The day on which it is paid.
    #[schema(required = true, nullable = false)]
    pub paid_on: Option<String>,
}
