//! Views of the guarantees and their runs.

use std::collections::BTreeMap;

use domain::chain::encoding::b64;
use domain::guarantees::repository::KeptRun;
use domain::guarantees::run::report_of;
use domain::guarantees::{Counterexample, Guarantee, GuaranteeResult};
use domain::kernel::Instant;
use domain::store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

/// Something that should not be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Counterexample)]
pub struct CounterexampleView {
    /// What it is about.
    #[schema(example = "payout_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub id: String,
    /// A stable reason.
    #[schema(example = "payout_differs_from_lines")]
    pub code: String,
    /// In words.
    #[schema(example = "it pays 12346, its lines come to 12345")]
    pub detail: String,
}

impl From<Counterexample> for CounterexampleView {
    fn from(found: Counterexample) -> Self {
        Self { id: found.id, code: found.code, detail: found.detail }
    }
}

/// What a run found of one promise.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GuaranteeResult)]
pub struct GuaranteeResultView {
    /// `attribution`, `determinism`, `integrity`, `exactly_once`, `payout`.
    #[schema(example = "integrity")]
    pub guarantee: &'static str,
    /// What it promises.
    #[schema(example = "No fact is accrued twice, no line is paid twice.")]
    pub promise: &'static str,
    /// `holds`, `broken`.
    #[schema(example = "holds")]
    pub outcome: &'static str,
    /// How much was looked at.
    #[schema(example = json!({"entries": 745, "leaves": 4345}))]
    pub coverage: BTreeMap<String, u64>,
    /// Amounts, in minor units.
    #[schema(example = json!({"earned_minor": "123456789"}))]
    pub figures: BTreeMap<String, String>,
    /// All counterexamples.
    #[schema(example = 0)]
    pub counterexample_count: u64,
    /// The first of them.
    pub counterexamples: Vec<CounterexampleView>,
}

const fn outcome(holds: bool) -> &'static str {
    if holds { "holds" } else { "broken" }
}

impl From<GuaranteeResult> for GuaranteeResultView {
    fn from(result: GuaranteeResult) -> Self {
        Self {
            guarantee: result.guarantee.as_str(),
            promise: result.guarantee.promise(),
            outcome: outcome(result.holds),
            coverage: result.coverage,
            figures: result.figures,
            counterexample_count: result.counterexample_count,
            counterexamples: result.counterexamples.into_iter().map(CounterexampleView::from).collect(),
        }
    }
}

/// What a log commits to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TreeHead)]
pub struct TreeHeadView {
    /// The number of leaves.
    #[schema(example = 4345)]
    pub size: u64,
    /// Base64.
    #[schema(example = "3Ebbig1rmJ0xUkZ7RfxJ3K2cCFL1yYq5qmy1mTqPA3w=")]
    pub root: String,
}

/// One run of the guarantees.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GuaranteeRun)]
pub struct GuaranteeRunView {
    /// Its id.
    #[schema(example = "grun_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub id: String,
    /// `holds` when every promise does.
    #[schema(example = "holds")]
    pub outcome: &'static str,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T12:00:00Z")]
    pub created_at: Instant,
    /// The newest signed checkpoint at that moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<TreeHeadView>,
    /// The last ledger entry that it covers.
    #[schema(example = 745)]
    pub ledger_seq: u64,
    /// One for each promise.
    pub guarantees: Vec<GuaranteeResultView>,
    /// The report as the platform signed it (JWS), committed to by a leaf of the log.
    #[schema(example = "eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoi…")]
    pub signed_report: String,
}

impl TryFrom<KeptRun> for GuaranteeRunView {
    type Error = StoreError;

    fn try_from(run: KeptRun) -> Result<Self, StoreError> {
        let report = report_of(&run)?;
        Ok(Self {
            id: run.id.to_string(),
            outcome: outcome(run.holds),
            created_at: run.created_at,
            checkpoint: report.checkpoint.map(|head| TreeHeadView { size: head.size, root: b64(head.root.bytes()) }),
            ledger_seq: report.ledger_seq,
            guarantees: report.guarantees.into_iter().map(GuaranteeResultView::from).collect(),
            signed_report: String::from_utf8_lossy(&run.envelope).into_owned(),
        })
    }
}

/// A run in a list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GuaranteeRunSummary)]
pub struct GuaranteeRunSummaryView {
    /// Its id.
    #[schema(example = "grun_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub id: String,
    /// `holds` when every promise does.
    #[schema(example = "holds")]
    pub outcome: &'static str,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T12:00:00Z")]
    pub created_at: Instant,
    /// The leaves of the checkpoint that it was taken at.
    #[schema(example = 4345)]
    pub checkpoint_size: u64,
}

impl From<KeptRun> for GuaranteeRunSummaryView {
    fn from(run: KeptRun) -> Self {
        Self {
            id: run.id.to_string(),
            outcome: outcome(run.holds),
            created_at: run.created_at,
            checkpoint_size: run.checkpoint_size,
        }
    }
}

/// A promise and how it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Guarantee)]
pub struct GuaranteeView {
    /// Its name.
    #[schema(example = "integrity")]
    pub guarantee: &'static str,
    /// What it promises.
    #[schema(example = "No fact is accrued twice, no line is paid twice.")]
    pub promise: &'static str,
    /// `holds`, `broken`, `unchecked`.
    #[schema(example = "holds")]
    pub outcome: &'static str,
}

/// The promises, and the run that last looked at them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Guarantees)]
pub struct GuaranteesView {
    /// The promises.
    pub data: Vec<GuaranteeView>,
    /// The last run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<GuaranteeRunSummaryView>,
}

impl GuaranteesView {
    /// The promises as the last run found them.
    ///
    /// # Errors
    /// When the kept run does not read.
    pub fn new(last: Option<KeptRun>) -> Result<Self, StoreError> {
        let report = last.as_ref().map(report_of).transpose()?;
        let found = |guarantee: Guarantee| {
            let results = report.iter().flat_map(|report| &report.guarantees);
            results.into_iter().find(|result| result.guarantee == guarantee).map(|result| outcome(result.holds))
        };
        let view = |guarantee: Guarantee| GuaranteeView {
            guarantee: guarantee.as_str(),
            promise: guarantee.promise(),
            outcome: found(guarantee).unwrap_or("unchecked"),
        };
        Ok(Self { data: Guarantee::ALL.into_iter().map(view).collect(), last_run: last.map(Into::into) })
    }
}
