//! Agreements, versions and calculations as they go out.

use domain::agreements::evaluate::{Line, TraceStep};
use domain::agreements::repository::{FoundAgreement, FoundVersion, StoredCalculation};
use domain::agreements::reproduce::Rerun;
use domain::catalogue::reference;
use domain::kernel::Digest;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::MoneyView;
use crate::problem::Problem;

/// An agreement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Agreement)]
pub struct AgreementView {
    /// Its id.
    #[schema(example = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// The vertical that it is for.
    vertical_id: String,
    /// Its code.
    #[schema(example = "V01")]
    vertical: String,
    /// What people call it.
    #[schema(example = "Residential mortgages, default")]
    name: String,
    /// When it was made.
    #[schema(example = "2026-11-23T12:00:00Z")]
    created_at: String,
}

impl From<FoundAgreement> for AgreementView {
    fn from(agreement: FoundAgreement) -> Self {
        Self {
            id: agreement.id.to_string(),
            vertical_id: reference::vertical_id(agreement.vertical).to_string(),
            vertical: agreement.vertical.to_string(),
            name: agreement.name,
            created_at: agreement.created_at.to_string(),
        }
    }
}

/// A version of an agreement. Its content never changes once it was proposed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgreementVersion)]
pub struct VersionView {
    /// The agreement.
    #[schema(example = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    agreement_id: String,
    /// 1, 2, 3 …
    #[schema(example = 1)]
    number: u32,
    /// `draft`, `proposed`, `approved`, `active`, `superseded` or `retired`.
    #[schema(example = "active")]
    state: String,
    /// Which date of a deal decides whether it governs: `referred`, `contracted` or `settled`.
    #[schema(value_type = String, example = "referred")]
    governing_date: domain::agreements::model::GoverningDate,
    /// Its first day.
    #[schema(example = "2024-01-01")]
    effective_from: String,
    /// Its last day; absent while it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_until: Option<String>,
    /// SHA-256 of the canonical JSON (RFC 8785) of `content`: what was approved.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    content_sha256: String,
    /// What it says.
    #[schema(value_type = Object)]
    content: Value,
    /// When it was made.
    #[schema(example = "2026-11-23T12:00:00Z")]
    created_at: String,
    /// When it was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_at: Option<String>,
}

impl TryFrom<FoundVersion> for VersionView {
    type Error = Problem;

    fn try_from(version: FoundVersion) -> Result<Self, Problem> {
        Ok(Self {
            agreement_id: version.agreement.to_string(),
            number: version.number,
            state: version.state,
            governing_date: version.governing_date,
            effective_from: version.effective_from.to_string(),
            effective_until: version.effective_until.map(|until| until.to_string()),
            content_sha256: version.content_sha256.to_string(),
            content: serde_json::from_slice(&version.content).map_err(|error| Problem::internal(&error))?,
            created_at: version.created_at.to_string(),
            approved_at: version.approved_at.map(|at| at.to_string()),
        })
    }
}

/// What one participant earns by one component.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalculatedLine)]
pub struct CalculatedLineView {
    /// The component.
    #[schema(example = "upfront")]
    component: String,
    /// In which role.
    #[schema(value_type = String, example = "referrer")]
    role: domain::agreements::model::Role,
    /// Who; absent for the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    member_id: Option<String>,
    /// What is earned, ex-GST.
    earned: MoneyView,
    /// What is taken back of it.
    clawed_back: MoneyView,
    /// The first day on which it may be paid.
    #[schema(example = "2026-07-01")]
    payable_on: String,
}

impl From<&Line> for CalculatedLineView {
    fn from(line: &Line) -> Self {
        Self {
            component: line.component.to_string(),
            role: line.role,
            member_id: line.participant.map(|member| member.to_string()),
            earned: line.earned.into(),
            clawed_back: line.clawed_back.into(),
            payable_on: line.payable_on.to_string(),
        }
    }
}

/// A component that pays nothing, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NonAward)]
pub struct NonAwardView {
    /// The component.
    pub component: String,
    /// Why.
    pub reason: &'static str,
}

/// A stored calculation: its input as it was hashed, its lines derived from it again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Calculation)]
pub struct CalculationView {
    /// Its id.
    #[schema(example = "calc_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// The deal.
    #[schema(example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    deal_id: String,
    /// The agreement that governed.
    agreement_id: String,
    /// Its version.
    #[schema(example = 1)]
    version: u32,
    /// The engine.
    #[schema(example = 1)]
    engine: u16,
    /// The moment up to which facts were known.
    #[schema(example = "2026-11-23T12:00:00Z")]
    known_at: String,
    /// What it was worked out from.
    #[schema(value_type = Object)]
    input: Value,
    /// SHA-256 of the canonical JSON of `input`.
    input_sha256: String,
    /// SHA-256 of the canonical output, as it was stored.
    output_sha256: String,
    /// The lines.
    lines: Vec<CalculatedLineView>,
    /// Components that pay nothing.
    non_awards: Vec<NonAwardView>,
    /// Whether anything is taken back.
    #[schema(example = false)]
    reversed: bool,
}

impl CalculationView {
    /// A calculation and its lines.
    ///
    /// # Errors
    /// When the stored input is no JSON.
    pub fn new(stored: &StoredCalculation, rerun: &Rerun) -> Result<Self, Problem> {
        let non_award = |none: &domain::agreements::evaluate::NonAward| NonAwardView {
            component: none.component.to_string(),
            reason: none.reason,
        };
        Ok(Self {
            id: stored.id.to_string(),
            deal_id: stored.deal.to_string(),
            agreement_id: stored.version.0.to_string(),
            version: stored.version.1,
            engine: stored.engine,
            known_at: stored.known_at.to_string(),
            input: serde_json::from_slice(&stored.input).map_err(|error| Problem::internal(&error))?,
            input_sha256: Digest::of(&stored.input).to_string(),
            output_sha256: stored.output_sha256.to_string(),
            lines: rerun.output.lines.iter().map(CalculatedLineView::from).collect(),
            non_awards: rerun.output.non_awards.iter().map(non_award).collect(),
            reversed: rerun.output.reversed,
        })
    }
}

/// One step of a calculation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TraceStep)]
pub struct TraceStepView {
    /// The component that it belongs to.
    #[schema(example = "upfront")]
    component: String,
    /// `trigger`, `predicate`, `base`, `rate`, `split`, `absent`, `cap`, `hold` or `clawback`.
    #[schema(example = "rate")]
    step: &'static str,
    /// With the values seen.
    detail: String,
}

impl From<&TraceStep> for TraceStepView {
    fn from(step: &TraceStep) -> Self {
        Self { component: step.component.to_string(), step: step.step, detail: step.detail.clone() }
    }
}

/// A calculation in words.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Explanation)]
pub struct ExplanationView {
    /// The calculation.
    calculation_id: String,
    /// Every step.
    steps: Vec<TraceStepView>,
    /// The same as a text, a line for each step.
    text: String,
    /// Whether the digest of the output is the stored one.
    #[schema(example = true)]
    reproduced: bool,
}

impl ExplanationView {
    /// The steps of a calculation.
    #[must_use]
    pub fn new(stored: &StoredCalculation, rerun: &Rerun) -> Self {
        let line = |step: &TraceStep| format!("{} · {}: {}\n", step.component, step.step, step.detail);
        Self {
            calculation_id: stored.id.to_string(),
            steps: rerun.steps.iter().map(TraceStepView::from).collect(),
            text: rerun.steps.iter().map(line).collect(),
            reproduced: rerun.output_sha256 == stored.output_sha256,
        }
    }
}

/// Whether a calculation comes to the same again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reproduction)]
pub struct ReproductionView {
    /// The calculation.
    calculation_id: String,
    /// Whether it does.
    #[schema(example = true)]
    reproduced: bool,
    /// SHA-256 of the canonical output, as it was stored.
    stored_sha256: String,
    /// The same, worked out now; absent when it could not be worked out.
    #[serde(skip_serializing_if = "Option::is_none")]
    output_sha256: Option<String>,
    /// Why it could not be worked out.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl ReproductionView {
    /// The outcome of running a calculation again.
    #[must_use]
    pub fn new<E: std::fmt::Display>(stored: &StoredCalculation, rerun: &Result<Rerun, E>) -> Self {
        let now = rerun.as_ref().ok().map(|rerun| rerun.output_sha256);
        Self {
            calculation_id: stored.id.to_string(),
            reproduced: now == Some(stored.output_sha256),
            stored_sha256: stored.output_sha256.to_string(),
            output_sha256: now.map(|digest| digest.to_string()),
            reason: rerun.as_ref().err().map(ToString::to_string),
        }
    }
}
