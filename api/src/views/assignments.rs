//! What is unpaid of a payee and becomes another's, as it comes in and goes out.

use domain::payouts::assignment::{AssignedLine, Assignment, ProposeAssignmentInput, Sum};
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use super::MoneyView;
use crate::extract::ListQuery;

/// The lines of an assignment have no filters of their own.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssignmentLineQuery {}

impl ListQuery for AssignmentLineQuery {
    const SORT: &'static str = "line_id";
    const DATED: bool = false;
}

impl IntoParams for AssignmentLineQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Vec::new()
    }
}

/// Whose the lines become, and by which deed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateAssignment, example = json!({"to_payee_id": "payee_01k0w4q7v8e2rtf3k2m9x5c6dz", "deed_reference": "Deed of assignment 2026-11-20, folio 12", "reason": "The sole trader became a company"}))]
pub struct CreateAssignmentRequest {
    /// The new payee, of the same organisation.
    #[schema(required = true, nullable = false)]
    to_payee_id: Option<String>,
    /// Only what this member earned.
    member_id: Option<String>,
    /// Where the deed is recorded: 1-200 characters.
    #[schema(required = true, nullable = false)]
    deed_reference: Option<String>,
    /// Why.
    #[schema(required = true, nullable = false)]
    reason: Option<String>,
}

impl From<CreateAssignmentRequest> for ProposeAssignmentInput {
    fn from(raw: CreateAssignmentRequest) -> Self {
        let CreateAssignmentRequest { to_payee_id, member_id, deed_reference, reason } = raw;
        Self { to_payee_id, member_id, deed_reference, reason }
    }
}

/// Why an assignment is refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RejectAssignment, example = json!({"reason": "The deed is not signed"}))]
pub struct RejectAssignmentRequest {
    /// Why.
    #[schema(required = true, nullable = false)]
    pub reason: Option<String>,
}

/// Commission lines, counted and summed.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AssignmentSum)]
pub struct AssignmentSumView {
    /// How many.
    #[schema(example = 12)]
    lines: u32,
    /// What is unpaid of them.
    total: MoneyView,
}

impl From<Sum> for AssignmentSumView {
    fn from(sum: Sum) -> Self {
        Self { lines: sum.lines, total: MoneyView::aud(sum.total_minor) }
    }
}

/// What is unpaid of a payee and becomes another's.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Assignment)]
pub struct AssignmentView {
    /// Its id.
    #[schema(example = "assignment_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Whose lines.
    #[schema(example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    from_payee_id: String,
    /// Whose they become.
    #[schema(example = "payee_01k0w4q7v8e2rtf3k2m9x5c6e0")]
    to_payee_id: String,
    /// Only what this member earned.
    #[schema(example = "member_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    member_id: Option<String>,
    /// Where the deed is recorded.
    #[schema(example = "Deed of assignment 2026-11-20, folio 12")]
    deed_reference: String,
    /// Why.
    #[schema(example = "The sole trader became a company")]
    reason: String,
    /// `proposed`, `approved`, `rejected`.
    #[schema(example = "proposed")]
    status: &'static str,
    /// The SHA-256 of what is approved: the lines and what is unpaid of each, as canonical JSON.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    content_sha256: String,
    /// What moves; line by line in a list of its own.
    moves: AssignmentSumView,
    /// What had something unpaid when it was proposed and stays: something of it was paid, sent, withheld, set off, is to be got back or is held, or a tax paper names it.
    left_out: AssignmentSumView,
    /// When it was proposed.
    #[schema(example = "2026-11-23T12:00:00Z")]
    proposed_at: String,
    /// When somebody decided.
    #[schema(example = "2026-11-23T13:00:00Z")]
    decided_at: Option<String>,
    /// Why it was refused.
    #[schema(example = "The deed is not signed")]
    rejected_because: Option<String>,
    /// Its version, from 1.
    #[schema(example = 1)]
    version: u32,
}

impl From<Assignment> for AssignmentView {
    fn from(assignment: Assignment) -> Self {
        Self {
            id: assignment.id.to_string(),
            from_payee_id: assignment.from.to_string(),
            to_payee_id: assignment.to.to_string(),
            member_id: assignment.member.map(|member| member.to_string()),
            deed_reference: assignment.deed_reference.as_str().to_owned(),
            reason: assignment.reason.as_str().to_owned(),
            status: assignment.state.as_str(),
            content_sha256: assignment.content_sha256.to_string(),
            moves: assignment.moves.into(),
            left_out: assignment.left_out.into(),
            proposed_at: assignment.proposed.at.to_string(),
            decided_at: assignment.state.decided().map(|act| act.at.to_string()),
            rejected_because: assignment.state.because().map(|because| because.as_str().to_owned()),
            version: assignment.version,
        }
    }
}

/// One commission line of an assignment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AssignmentLine)]
pub struct AssignmentLineView {
    /// The line.
    #[schema(example = "line_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    line_id: String,
    /// What was unpaid of it when it was proposed; it goes only if that is so when it is approved.
    amount: MoneyView,
}

impl From<AssignedLine> for AssignmentLineView {
    fn from(line: AssignedLine) -> Self {
        Self { line_id: line.line.to_string(), amount: MoneyView::aud(line.amount.0) }
    }
}
