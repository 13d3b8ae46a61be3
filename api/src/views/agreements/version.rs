//! Versions of agreements, what the lint finds in them, and what two of them differ in.

use domain::agreements::AgreementVersion;
use domain::agreements::diff::Change;
use domain::agreements::finding::{Finding, Severity};
use domain::agreements::life::{Act, Ended};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::problem::Problem;

/// Who did something to a version, and when.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgreementVersionAct)]
pub struct ActView {
    /// The UUID of the user or API client.
    #[schema(example = "0199c0de-0000-7000-8000-000000000001")]
    by: String,
    /// When.
    #[schema(example = "2026-11-25T02:00:00Z")]
    at: String,
    /// Why, in their words; of a refusal and of a retirement.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "The rate is last year's.")]
    reason: Option<String>,
}

impl From<Act> for ActView {
    fn from(act: Act) -> Self {
        Self { by: act.by.to_string(), at: act.at.to_string(), reason: None }
    }
}

impl From<&Ended> for ActView {
    fn from(ended: &Ended) -> Self {
        Self { reason: Some(ended.reason.clone()), ..Self::from(ended.act) }
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
    state: &'static str,
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
    #[schema(value_type = domain::agreements::VersionContent)]
    content: Value,
    /// When it was made.
    #[schema(example = "2026-11-23T12:00:00Z")]
    created_at: String,
    /// The UUIDs of the users and API clients who wrote any of it, the first one first; nobody for what ships.
    #[schema(example = json!(["0199c0de-0000-7000-8000-000000000001"]))]
    written_by: Vec<String>,
    /// Who proposed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    proposed: Option<ActView>,
    /// Who sent it back, while nobody has proposed it again.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejected: Option<ActView>,
    /// Who approved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved: Option<ActView>,
    /// When it was approved.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_at: Option<String>,
    /// The codes of the warnings that the approver took note of.
    #[schema(example = json!(["cliff"]))]
    acknowledged: Vec<String>,
    /// Since when it is, or was, active.
    #[serde(skip_serializing_if = "Option::is_none")]
    activated_at: Option<String>,
    /// The number of the later version that took its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded_by: Option<u32>,
    /// When that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded_at: Option<String>,
    /// Who took it out of force.
    #[serde(skip_serializing_if = "Option::is_none")]
    retired: Option<ActView>,
}

impl TryFrom<&AgreementVersion> for VersionView {
    type Error = Problem;

    fn try_from(version: &AgreementVersion) -> Result<Self, Problem> {
        let approved = version.approved.as_ref();
        Ok(Self {
            agreement_id: version.agreement.to_string(),
            number: version.number,
            state: version.state.as_str(),
            governing_date: version.governing_date,
            effective_from: version.effective_from.to_string(),
            effective_until: version.effective_until.map(|until| until.to_string()),
            content_sha256: version.content_sha256.to_string(),
            content: serde_json::from_slice(&version.content).map_err(|error| Problem::internal(&error))?,
            created_at: version.created_at.to_string(),
            written_by: version.writers.iter().map(ToString::to_string).collect(),
            proposed: version.proposed.map(ActView::from),
            rejected: version.rejected.as_ref().map(ActView::from),
            approved: approved.map(|approval| ActView::from(approval.act)),
            approved_at: approved.map(|approval| approval.act.at.to_string()),
            acknowledged: approved.map(|approval| approval.acknowledged.clone()).unwrap_or_default(),
            activated_at: version.activated_at.map(|at| at.to_string()),
            superseded_by: version.superseded.map(|(number, _)| number),
            superseded_at: version.superseded.map(|(_, at)| at.to_string()),
            retired: version.retired.as_ref().map(ActView::from),
        })
    }
}

/// What the audit log holds of a version: its content by its hash.
#[derive(Debug, Serialize)]
pub struct VersionSummaryView {
    number: u32,
    state: &'static str,
    governing_date: domain::agreements::model::GoverningDate,
    effective_from: String,
    effective_until: Option<String>,
    content_sha256: String,
    acknowledged: Vec<String>,
}

impl From<&AgreementVersion> for VersionSummaryView {
    fn from(version: &AgreementVersion) -> Self {
        Self {
            number: version.number,
            state: version.state.as_str(),
            governing_date: version.governing_date,
            effective_from: version.effective_from.to_string(),
            effective_until: version.effective_until.map(|until| until.to_string()),
            content_sha256: version.content_sha256.to_string(),
            acknowledged: version.approved.as_ref().map(|a| a.acknowledged.clone()).unwrap_or_default(),
        }
    }
}

/// One thing that is wrong with a version, or worth knowing.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgreementFinding)]
pub struct FindingView {
    /// `error`: it cannot be proposed; `warning`: the approver must acknowledge it.
    #[schema(example = "warning")]
    severity: &'static str,
    /// Stable and machine-readable.
    #[schema(example = "cliff")]
    code: &'static str,
    /// Where in the content (RFC 6901).
    #[schema(example = "/components/0/rate/tiers/1")]
    pointer: String,
    /// Why, for a person.
    #[schema(example = "A deal of 500,000.00 AUD earns less than one of 499,999.99 AUD.")]
    message: String,
    /// A made-up deal that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    example: Option<Value>,
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> Self {
        let Finding { severity, code, pointer, message, example } = finding;
        Self { severity: severity.as_str(), code, pointer, message, example }
    }
}

/// What the lint finds in a version.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgreementFindings)]
pub struct FindingsView {
    /// The hash of what was looked at.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    content_sha256: String,
    /// Whether it can be proposed: there is no error.
    #[schema(example = true)]
    proposable: bool,
    /// Every finding.
    findings: Vec<FindingView>,
}

impl FindingsView {
    /// The findings of a version.
    #[must_use]
    pub fn new(version: &AgreementVersion, findings: Vec<Finding>) -> Self {
        Self {
            content_sha256: version.content_sha256.to_string(),
            proposable: !findings.iter().any(|finding| finding.severity == Severity::Error),
            findings: findings.into_iter().map(FindingView::from).collect(),
        }
    }
}

/// One change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgreementChange)]
pub struct ChangeView {
    /// As in JSON Patch (RFC 6902): `add`, `remove`, `replace`, `move`.
    #[schema(example = "replace")]
    op: &'static str,
    /// Where in this version's content; of what is gone, where it was (RFC 6901).
    #[schema(example = "/components/0/rate/rate")]
    path: String,
    /// Where it was, of what moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// What was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>, example = "0.0065")]
    before: Option<Value>,
    /// What is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>, example = "0.006")]
    value: Option<Value>,
    /// For a person.
    #[schema(example = "Component `upfront`: `rate.rate` is 0.006 instead of 0.0065.")]
    text: String,
}

impl From<Change> for ChangeView {
    fn from(change: Change) -> Self {
        let Change { kind, pointer, from, before, after, text } = change;
        Self { op: kind.as_str(), path: pointer, from, before, value: after, text }
    }
}

/// What two versions of an agreement differ in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgreementDiff)]
pub struct VersionDiffView {
    /// The agreement.
    #[schema(example = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    agreement_id: String,
    /// This version.
    #[schema(example = 2)]
    number: u32,
    /// The version that it is compared with.
    #[schema(example = 1)]
    against: u32,
    /// The hash of what this version says.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    content_sha256: String,
    /// The hash of what the other one says.
    #[schema(example = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752")]
    against_sha256: String,
    /// What leads from the other one to this one; none when both say the same.
    changes: Vec<ChangeView>,
}

impl VersionDiffView {
    /// What leads from one version to the other.
    #[must_use]
    pub fn new(before: &AgreementVersion, after: &AgreementVersion, changes: Vec<Change>) -> Self {
        Self {
            agreement_id: after.agreement.to_string(),
            number: after.number,
            against: before.number,
            content_sha256: after.content_sha256.to_string(),
            against_sha256: before.content_sha256.to_string(),
            changes: changes.into_iter().map(ChangeView::from).collect(),
        }
    }
}
