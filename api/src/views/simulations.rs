//! Simulations, as they come in and go out.

use std::collections::BTreeMap;

use domain::simulation::Explained;
use domain::simulation::asked::{AskedSimulation, CandidateInput, PopulationInput, ShocksInput, SimulationInput};
use domain::simulation::repository::{FoundSimulation, RankedChange};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::agreements::{CalculatedLineView, NonAwardView, TraceStepView};
use super::jobs::{FailureView, ProgressView};
use crate::extract::ListQuery;
use crate::problem::Problem;

/// A version that might govern: one that is kept, in whatever state, or content of its own.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = SimulationCandidate)]
#[serde(deny_unknown_fields)]
pub struct CandidateRequest {
    /// What the report calls it: 1 to 60 characters. Default: `candidate 1`, and so on.
    #[schema(example = "higher-rate")]
    name: Option<String>,
    /// The agreement of a version that is kept.
    #[schema(example = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    agreement_id: Option<String>,
    /// Its number.
    #[schema(example = 2)]
    version: Option<u32>,
    /// What it says, in place of a version that is kept.
    #[schema(value_type = Option<Object>)]
    content: Option<Value>,
}

/// Which deals.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = AskedPopulation)]
#[serde(deny_unknown_fields)]
pub struct PopulationRequest {
    /// `history` (those that were) or `synthetic` (made-up ones after what those were like). Default: `history`.
    #[schema(example = "history")]
    kind: Option<String>,
    /// Only of this vertical.
    #[schema(example = "V01")]
    vertical: Option<String>,
    /// Only of this product.
    #[schema(example = "FIXED-3Y")]
    product: Option<String>,
    /// Only of this introducer's members.
    introducer_id: Option<String>,
    /// Referred on this day or later.
    #[schema(example = "2025-07-01")]
    referred_from: Option<String>,
    /// Referred on this day or earlier.
    #[schema(example = "2026-06-30")]
    referred_until: Option<String>,
    /// Months of a synthetic flow: 1 to 120. Default: 12.
    months: Option<u16>,
    /// Runs of a synthetic flow, each with deals of its own: 1 to 1,000. Default: 1.
    runs: Option<u32>,
}

/// What happens to the deals. Factors are decimal texts from 0 to 100, shares from 0 to 1.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = AskedShocks)]
#[serde(deny_unknown_fields)]
pub struct ShocksRequest {
    /// So many times as many deals.
    #[schema(example = "1.2")]
    volume: Option<String>,
    /// So many times as large.
    #[schema(example = "0.9")]
    size: Option<String>,
    /// So many times as many of a product or vertical, by its code.
    #[serde(default)]
    mix: BTreeMap<String, String>,
    /// Of the deals that settle, this share falls through before.
    #[schema(example = "0.05")]
    lost: Option<String>,
    /// Of those that settle and do not unwind, this share does.
    #[schema(example = "0.1")]
    unwound: Option<String>,
    /// Settlements come so many days later.
    #[schema(example = 30)]
    settle_days: Option<i32>,
}

/// What is to be simulated.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = CreateSimulation)]
#[serde(deny_unknown_fields)]
pub struct CreateSimulationRequest {
    /// What might govern: at most 4. Without any, only the active agreements are worked out.
    #[serde(default)]
    candidates: Vec<CandidateRequest>,
    /// Which deals. Default: all that were.
    #[serde(default)]
    population: PopulationRequest,
    /// What happens to them. Default: nothing.
    #[serde(default)]
    shocks: ShocksRequest,
    /// What chance is drawn from: the same seed, the same answer. Default: 1.
    #[serde(default, deserialize_with = "super::safe_integer")]
    #[schema(example = 42)]
    seed: Option<u64>,
}

impl From<CreateSimulationRequest> for SimulationInput {
    fn from(request: CreateSimulationRequest) -> Self {
        let candidate = |CandidateRequest { name, agreement_id, version, content }| CandidateInput {
            name,
            agreement_id,
            version,
            content,
        };
        let PopulationRequest { kind, vertical, product, introducer_id, referred_from, referred_until, months, runs } =
            request.population;
        let ShocksRequest { volume, size, mix, lost, unwound, settle_days } = request.shocks;
        Self {
            candidates: request.candidates.into_iter().map(candidate).collect(),
            population: PopulationInput {
                kind,
                vertical,
                product,
                introducer_id,
                referred_from,
                referred_until,
                months,
                runs,
            },
            shocks: ShocksInput { volume, size, mix, lost, unwound, settle_days },
            seed: request.seed,
        }
    }
}

/// A simulation: what was asked, and how far it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Simulation)]
pub struct SimulationView {
    /// Its id.
    #[schema(example = "simulation_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// `queued`, `running`, `succeeded`, `failed` or `cancelled`.
    #[schema(example = "running")]
    status: &'static str,
    /// How far it is: deals, or runs of a synthetic flow.
    progress: ProgressView,
    /// The job that does it.
    #[schema(example = "job_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    job_id: String,
    /// The names of its candidates.
    #[schema(example = json!(["higher-rate"]))]
    candidates: Vec<String>,
    /// Which deals.
    #[schema(value_type = Object)]
    population: Value,
    /// What happens to them.
    #[schema(value_type = Object)]
    shocks: Value,
    /// What chance is drawn from.
    #[schema(example = 42)]
    seed: u64,
    /// Why it failed.
    failure: Option<FailureView>,
    /// When it was asked for.
    #[schema(example = "2026-11-29T02:00:00Z")]
    created_at: String,
    /// When it ended.
    #[schema(example = "2026-11-29T02:00:05Z")]
    finished_at: Option<String>,
}

impl TryFrom<FoundSimulation> for SimulationView {
    type Error = Problem;

    fn try_from(found: FoundSimulation) -> Result<Self, Problem> {
        let unreadable = |error: serde_json::Error| Problem::internal(&error);
        let asked: AskedSimulation = serde_json::from_slice(&found.simulation.asked).map_err(unreadable)?;
        Ok(Self {
            id: found.simulation.id.to_string(),
            status: found.state.as_str(),
            progress: found.progress.into(),
            job_id: found.simulation.job.to_string(),
            candidates: asked.candidates.into_iter().map(|candidate| candidate.name).collect(),
            population: serde_json::to_value(&asked.population).map_err(unreadable)?,
            shocks: serde_json::to_value(&asked.shocks).map_err(unreadable)?,
            seed: asked.seed,
            failure: found.fault.map(|fault| FailureView { code: fault.code, detail: fault.detail }),
            created_at: found.simulation.created_at.to_string(),
            finished_at: found.finished_at.map(|at| at.to_string()),
        })
    }
}

/// Which changes, and how much of them.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ChangeQuery {
    /// `true`: with the lines of each scenario and how they come about, worked out again.
    #[param(example = "true")]
    pub traces: Option<String>,
}

impl ListQuery for ChangeQuery {
    const SORT: &'static str = "rank";
    const DATED: bool = false;
}

/// A deal in one scenario, worked out again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SimulatedOutcome)]
pub struct OutcomeView {
    /// `active`, or the candidate's name.
    #[schema(example = "higher-rate")]
    scenario: String,
    /// What is earned, by whom.
    lines: Vec<CalculatedLineView>,
    /// What pays nothing, and why.
    non_awards: Vec<NonAwardView>,
    /// How that comes about.
    trace: Vec<TraceStepView>,
    /// Whether it comes to what the simulation found; not when facts or versions have changed since.
    #[schema(example = true)]
    reproduced: bool,
}

/// A deal of which a candidate changes a line.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SimulationChange)]
pub struct ChangeView {
    /// From 1, the one that changes most.
    #[schema(example = 1)]
    rank: u32,
    /// The deal.
    #[schema(example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    deal_id: String,
    /// Which of its occurrences, from 0: a shock of volume has a deal occur several times.
    #[schema(example = 0)]
    occurrence: u32,
    /// What stays of it for participants, in minor units of AUD: as things are, then by each candidate.
    #[schema(example = json!([1_084_672, 1_168_108]))]
    net_minor: Vec<i64>,
    /// Lines that are others, by candidate.
    #[schema(example = json!([3]))]
    changed_lines: Vec<u64>,
    /// Each scenario in full, when it is asked for and the deal is still governed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outcomes: Vec<OutcomeView>,
}

impl ChangeView {
    /// A change, with what it comes to again where that is asked for.
    #[must_use]
    pub fn new(ranked: &RankedChange, names: &[String], explained: Option<&[Explained]>) -> Self {
        let change = &ranked.change;
        let outcome = |((one, name), net): ((&Explained, &String), &i64)| OutcomeView {
            scenario: name.clone(),
            lines: one.lines.iter().map(CalculatedLineView::from).collect(),
            non_awards: one.non_awards.iter().map(NonAwardView::from).collect(),
            trace: one.steps.iter().map(TraceStepView::from).collect(),
            reproduced: one.net_minor == *net,
        };
        Self {
            rank: ranked.rank,
            deal_id: change.deal.to_string(),
            occurrence: change.occurrence,
            net_minor: change.net_minor.clone(),
            changed_lines: change.changed_lines.clone(),
            outcomes: explained.unwrap_or_default().iter().zip(names).zip(&change.net_minor).map(outcome).collect(),
        }
    }
}
