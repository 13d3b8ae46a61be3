//! Runs a stored calculation again from its stored bytes.
//!
//! The input is read strictly and must write itself back byte for byte; the version must be the one
//! whose hash the input names; the engine must be one that this binary still has. Then the output's
//! digest is what was stored, or the calculation is not reproducible.

use jiff::civil::Date;
use serde::Deserialize;

use super::evaluate::{self, CalculationOutput, EvaluateError, TraceStep, v1, v2};
use super::facts::{CalculationInput, Counter, DealFacts, Milestones, Period};
use super::repository::StoredCalculation;
use super::version::GoverningVersion;
use crate::access::{Viewer, ownership};
use crate::catalogue::{ProductCode, VerticalCode};
use crate::kernel::Digest;
use crate::kernel::ids::{AgreementId, DealId, MemberId, OrganisationId};
use crate::kernel::jcs::{self, JcsError};

/// Why a calculation does not come to what was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReproduceError {
    /// The stored input is not one.
    #[error("the stored input does not read: {0}")]
    Input(String),
    /// The stored row names another deal, version or period than its input.
    #[error("the row names another deal or version than its input")]
    OtherInput,
    /// The version is gone or is not what it was.
    #[error("there is no version with the content that the input names")]
    Version,
    /// The engine is gone.
    #[error("engine {0} is not part of this binary")]
    Engine(u16),
    /// The engine refuses what it once took.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// No canonical form.
    #[error(transparent)]
    Canonical(#[from] JcsError),
    /// Another output.
    #[error("the output is {now}, stored is {stored}")]
    OtherOutput {
        /// What it comes to now.
        now: Digest,
        /// What was stored.
        stored: Digest,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredInput {
    deal: DealId,
    vertical: String,
    product: String,
    facts: DealFacts,
    member: MemberId,
    uplines: Vec<MemberId>,
    #[serde(default)]
    own_uplines: Vec<u8>,
    #[serde(default)]
    participants: Vec<MemberId>,
    cohort: Option<String>,
    joined_on: Option<Date>,
    provider: Option<String>,
    introducer: Option<String>,
    #[serde(default)]
    milestones: Milestones,
    period: Option<Period>,
    #[serde(default)]
    counters: Vec<Counter>,
    version: NamedVersion,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedVersion {
    agreement: AgreementId,
    number: u32,
    content_sha256: Digest,
}

/// A calculation that was run again: what it comes to, and every step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rerun {
    /// The lines.
    pub output: CalculationOutput,
    /// Their digest.
    pub output_sha256: Digest,
    /// How they came about.
    pub steps: Vec<TraceStep>,
}

impl Rerun {
    /// What these eyes see of it, on a deal of this introducer: the lines that they see among those of the deal, and
    /// the steps that tell nobody's amount or only amounts of such lines. The digest is still that of everything.
    #[must_use]
    pub fn seen_by(mut self, viewer: &Viewer, introducer: OrganisationId) -> Self {
        let seen = |earner: &Option<MemberId>| ownership::sees_line(viewer, introducer, *earner);
        self.output.lines.retain(|line| seen(&line.participant));
        self.steps.retain(|step| step.of.iter().all(seen));
        self
    }
}

/// Runs a calculation again and compares.
///
/// # Errors
/// See [`ReproduceError`].
pub fn reproduce(stored: &StoredCalculation, versions: &[GoverningVersion]) -> Result<(), ReproduceError> {
    let now = with_input(stored, versions, |input| Ok(evaluate::by_engine(stored.engine, input)?.digest()?))?;
    if now == stored.output_sha256 {
        Ok(())
    } else {
        Err(ReproduceError::OtherOutput { now, stored: stored.output_sha256 })
    }
}

/// Runs a calculation again, step by step; the caller compares.
///
/// # Errors
/// See [`ReproduceError`].
pub fn rerun(stored: &StoredCalculation, versions: &[GoverningVersion]) -> Result<Rerun, ReproduceError> {
    with_input(stored, versions, |input| {
        let (output, steps) = evaluate::trace_by_engine(stored.engine, input)?;
        Ok(Rerun { output_sha256: output.digest()?, output, steps })
    })
}

fn with_input<R>(
    stored: &StoredCalculation,
    versions: &[GoverningVersion],
    work: impl FnOnce(&CalculationInput<'_>) -> Result<R, ReproduceError>,
) -> Result<R, ReproduceError> {
    let unreadable = |what: &str| ReproduceError::Input(what.to_owned());
    if !matches!(stored.engine, v1::ENGINE | v2::ENGINE) {
        return Err(ReproduceError::Engine(stored.engine));
    }
    let value = jcs::parse(&stored.input)?;
    let said: StoredInput = serde_json::from_value(value).map_err(|e| ReproduceError::Input(e.to_string()))?;
    let month = said.period.map(|period| period.month);
    if said.deal != stored.deal
        || (said.version.agreement, said.version.number) != stored.version
        || month != stored.period
    {
        return Err(ReproduceError::OtherInput);
    }
    let named = |version: &&GoverningVersion| {
        version.agreement() == said.version.agreement
            && version.number() == said.version.number
            && version.content_hash() == said.version.content_sha256
    };
    let version = versions.iter().find(named).ok_or(ReproduceError::Version)?;
    let product = ProductCode::parse(&said.product).map_err(|_| unreadable("the product"))?;
    let input = CalculationInput {
        deal: said.deal,
        vertical: VerticalCode::parse(&said.vertical).map_err(|_| unreadable("the vertical"))?,
        product: &product,
        facts: said.facts,
        member: said.member,
        uplines: &said.uplines,
        own_uplines: &said.own_uplines,
        participants: &said.participants,
        cohort: said.cohort.as_deref(),
        joined_on: said.joined_on,
        provider: said.provider.as_deref(),
        introducer: said.introducer.as_deref(),
        milestones: &said.milestones,
        period: said.period,
        counters: &said.counters,
        version,
    };
    if input.canonical_bytes()? != stored.input {
        return Err(unreadable("it is not written as this engine writes it"));
    }
    work(&input)
}
