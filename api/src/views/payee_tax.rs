//! What payees are to the tax office, as it comes in and goes out.

use domain::tax::facts::{GstFact, RctiAgreement, SupplierStatement};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A fact of a payee's registration for GST.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GstStatus)]
pub struct GstStatusView {
    /// Registered, or not.
    #[schema(example = true)]
    registered: bool,
    /// From this day on, until the next fact.
    #[schema(example = "2026-07-01")]
    from_on: String,
    /// When we learned of it; of two facts from one day the later one counts.
    #[schema(example = "2026-11-23T12:00:00Z")]
    known_at: String,
}

impl From<GstFact> for GstStatusView {
    fn from(fact: GstFact) -> Self {
        Self { registered: fact.registered, from_on: fact.from_on.to_string(), known_at: fact.known_at.to_string() }
    }
}

/// A request to tell of a payee's registration for GST.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RecordGstStatus, example = json!({"registered": true, "from_on": "2026-07-01"}))]
pub struct RecordGstStatusRequest {
    /// Registered, or not.
    #[schema(required = true, nullable = false)]
    pub registered: Option<bool>,
    /// From this day on.
    #[schema(required = true, nullable = false)]
    pub from_on: Option<String>,
}

/// An agreement that we write a payee's tax invoices.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RctiAgreement)]
pub struct RctiAgreementView {
    /// Its id.
    #[schema(example = "rcti_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Whose invoices.
    #[schema(example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    payee_id: String,
    /// Which wording.
    #[schema(example = "2026-1")]
    wording_version: String,
    /// Who accepted it.
    #[schema(example = "contact_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    accepted_by_contact_id: String,
    /// From this day on it holds.
    #[schema(example = "2026-07-01")]
    accepted_on: String,
    /// From this day on it no longer holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2027-07-01")]
    ended_on: Option<String>,
    /// When it was recorded.
    #[schema(example = "2026-11-23T12:00:00Z")]
    recorded_at: String,
}

impl From<RctiAgreement> for RctiAgreementView {
    fn from(agreement: RctiAgreement) -> Self {
        Self {
            id: agreement.id.to_string(),
            payee_id: agreement.payee.to_string(),
            wording_version: agreement.wording_version,
            accepted_by_contact_id: domain::kernel::ids::ContactId::new(agreement.accepted_by).to_string(),
            accepted_on: agreement.accepted_on.to_string(),
            ended_on: agreement.ended_on.map(|on| on.to_string()),
            recorded_at: agreement.recorded_at.to_string(),
        }
    }
}

/// A request to record that a payee agreed that we write its invoices.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateRctiAgreement, example = json!({"wording_version": "2026-1", "accepted_by_contact_id": "contact_01k0w4q7v8e2rtf3k2m9x5c6dz", "accepted_on": "2026-07-01"}))]
pub struct CreateRctiAgreementRequest {
    /// Which wording.
    #[schema(required = true, nullable = false)]
    pub wording_version: Option<String>,
    /// Who accepted it, a contact of the payee's organisation.
    #[schema(required = true, nullable = false)]
    pub accepted_by_contact_id: Option<String>,
    /// When.
    #[schema(required = true, nullable = false)]
    pub accepted_on: Option<String>,
}

/// A request to end such an agreement.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EndRctiAgreement, example = json!({"rcti_agreement_id": "rcti_01k0w4q7v8e2rtf3k2m9x5c6dz", "ended_on": "2027-07-01"}))]
pub struct EndRctiAgreementRequest {
    /// Which one.
    #[schema(required = true, nullable = false)]
    pub rcti_agreement_id: Option<String>,
    /// From this day on it no longer holds.
    #[schema(required = true, nullable = false)]
    pub ended_on: Option<String>,
}

/// A supplier's statement why no ABN is quoted.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SupplierStatement)]
pub struct SupplierStatementView {
    /// Why.
    #[schema(example = "private_or_hobby")]
    reason: &'static str,
    /// The first day.
    #[schema(example = "2026-07-01")]
    from_on: String,
    /// The last day; absent: until further notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2027-06-30")]
    to_on: Option<String>,
    /// When it was recorded.
    #[schema(example = "2026-11-23T12:00:00Z")]
    recorded_at: String,
}

impl From<SupplierStatement> for SupplierStatementView {
    fn from(statement: SupplierStatement) -> Self {
        Self {
            reason: statement.reason.as_str(),
            from_on: statement.from_on.to_string(),
            to_on: statement.to_on.map(|on| on.to_string()),
            recorded_at: statement.recorded_at.to_string(),
        }
    }
}

/// A request to put a supplier's statement on file.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateSupplierStatement, example = json!({"reason": "private_or_hobby", "from_on": "2026-07-01"}))]
pub struct CreateSupplierStatementRequest {
    /// Why: `private_or_hobby`, `no_profit_expected`, `not_carried_on_in_australia`, `input_taxed`, `exempt_income` or
    /// `under_eighteen`.
    #[schema(required = true, nullable = false)]
    pub reason: Option<String>,
    /// The first day.
    #[schema(required = true, nullable = false)]
    pub from_on: Option<String>,
    /// The last day.
    pub to_on: Option<String>,
}
