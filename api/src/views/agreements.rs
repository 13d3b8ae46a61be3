//! Agreements and calculations as they go out; versions and what is asked of them are in the folder.

mod requests;
mod tables;
mod version;

pub use requests::{
    ApproveVersionRequest, CreateAgreementRequest, CreateTableRequest, CreateTableVersionRequest, DecideVersionRequest,
    DiffQuery, WriteVersionRequest, written_as_objects,
};
pub use tables::{TableVersionView, TableView};
pub use version::{FindingsView, VersionDiffView, VersionSummaryView, VersionView};

use domain::agreements::evaluate::{Line, NonAward, TraceStep};
use domain::agreements::explain::{self, Section};
use domain::agreements::model::FundingRule;
use domain::agreements::repository::{FoundAgreement, StoredCalculation};
use domain::agreements::reproduce::Rerun;
use domain::agreements::version::GoverningVersion;
use domain::catalogue::reference;
use domain::kernel::Digest;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::MoneyView;
use super::deals::month;
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
    /// The provider that it is made for; absent when it is for everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    provider_id: Option<String>,
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
            provider_id: agreement.provider.map(|provider| provider.to_string()),
            created_at: agreement.created_at.to_string(),
        }
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
    /// The month of a trail that it is of; absent for the deal itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-07")]
    period: Option<String>,
    /// `on_expiry`: it may be paid when its hold has passed; `on_receipt`: not before the provider has paid for it.
    #[schema(value_type = String, example = "on_expiry")]
    funding_rule: FundingRule,
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
            period: line.period.map(month),
            funding_rule: line.funding_rule,
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
    #[schema(example = "predicate_false")]
    pub reason: &'static str,
    /// The same for a person.
    #[schema(example = "its condition does not hold")]
    pub detail: &'static str,
}

impl From<&NonAward> for NonAwardView {
    fn from(none: &NonAward) -> Self {
        Self { component: none.component.to_string(), reason: none.reason, detail: explain::words(none.reason) }
    }
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
    /// The lines that the caller sees.
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
            non_awards: rerun.output.non_awards.iter().map(NonAwardView::from).collect(),
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
    /// `trigger`, `predicate`, `count`, `accumulator`, `tier`, `lookup`, `base`, `rate`, `milestone`, `combine`, `split`, `absent`,
    /// `cap`, `floor`, `excess`, `hold` or `clawback`.
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

/// What one component came to, for a person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedComponent)]
pub struct SectionView {
    /// The component.
    #[schema(example = "upfront")]
    component: String,
    /// What people call it.
    #[schema(example = "Upfront commission")]
    name: String,
    /// What it is.
    #[schema(example = "It pays 0.65 % of net_balance once the deal settles.")]
    about: String,
    /// What it came to.
    #[schema(example = "earned 650.00 AUD, of which 650.00 AUD is taken back.")]
    outcome: String,
    /// Why it pays nothing; absent when it pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "predicate_false")]
    reason: Option<&'static str>,
    /// How, step by step.
    why: Vec<String>,
    /// Who gets what.
    shares: Vec<String>,
}

impl From<&Section> for SectionView {
    fn from(section: &Section) -> Self {
        Self {
            component: section.component.to_string(),
            name: section.name.clone(),
            about: section.about.clone(),
            outcome: section.outcome.clone(),
            reason: section.reason,
            why: section.why.clone(),
            shares: section.shares.clone(),
        }
    }
}

/// A calculation in words.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Explanation)]
pub struct ExplanationView {
    /// The calculation.
    calculation_id: String,
    /// Every step that tells nobody's amount, or amounts that the caller sees.
    steps: Vec<TraceStepView>,
    /// What each component is, what it came to and why.
    components: Vec<SectionView>,
    /// The same as a text.
    text: String,
    /// Whether the digest of the output is the stored one.
    #[schema(example = true)]
    reproduced: bool,
}

impl ExplanationView {
    /// The steps of a calculation.
    #[must_use]
    pub fn new(stored: &StoredCalculation, rerun: &Rerun, version: &GoverningVersion) -> Self {
        let sections = explain::sections(version.content(), &rerun.output, &rerun.steps);
        Self {
            calculation_id: stored.id.to_string(),
            steps: rerun.steps.iter().map(TraceStepView::from).collect(),
            components: sections.iter().map(SectionView::from).collect(),
            text: explain::text(&sections),
            reproduced: rerun.output_sha256 == stored.output_sha256,
        }
    }
}

impl ExplanationView {
    /// The text alone.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
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
