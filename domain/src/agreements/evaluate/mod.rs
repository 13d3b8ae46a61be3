//! Working out a commission: a pure function of facts, a governing version and an engine version.
//!
//! Invariants: the same input gives the same bytes on any machine, for ever (a fix is a new engine
//! module, old ones stay); nothing panics and nothing overflows silently; money is rounded once per
//! line, half away from zero. A component that pays nothing leaves a non-award with its reason.

pub mod reason;
mod tracer;
pub mod v1;
pub mod v2;

use jiff::civil::Date;
use serde::Serialize;

pub use self::tracer::{Silent, Steps, Tracer};
use super::facts::{CalculationInput, Standing};
use super::model::{ComponentKey, FundingRule, Role};
use crate::kernel::ids::MemberId;
use crate::kernel::jcs::{self, JcsError};
use crate::kernel::money::MoneyError;
use crate::kernel::{Digest, Money, Rate};

/// The engine that new calculations use.
pub const CURRENT_ENGINE: u16 = v2::ENGINE;

/// What one participant earns by one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The component.
    pub component: ComponentKey,
    /// In which role.
    pub role: Role,
    /// Who; none for the platform.
    pub participant: Option<MemberId>,
    /// What is earned, ex-GST.
    pub earned: Money,
    /// What is taken back of it, as a positive amount.
    pub clawed_back: Money,
    /// The first day on which it may be paid.
    pub payable_on: Date,
    /// The first day of the month of a trail that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Date>,
    /// Whether the provider must have paid first.
    #[serde(skip_serializing_if = "FundingRule::is_on_expiry")]
    pub funding_rule: FundingRule,
}

/// A component that pays nothing, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NonAward {
    /// The component.
    pub component: ComponentKey,
    /// A stable reason.
    pub reason: &'static str,
}

/// What a calculation comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CalculationOutput {
    /// The engine that worked it out.
    pub engine: u16,
    /// In the order of components and shares.
    pub lines: Vec<Line>,
    /// Components that pay nothing.
    pub non_awards: Vec<NonAward>,
    /// Whether anything is taken back, which makes the deal `reversed`.
    pub reversed: bool,
    /// Where the counters of the input stand after the deal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub counters: Vec<Standing>,
}

impl CalculationOutput {
    /// SHA-256 of the canonical bytes.
    ///
    /// # Errors
    /// Never for typed output; the signature keeps the failure visible.
    pub fn digest(&self) -> Result<Digest, JcsError> {
        jcs::to_bytes(self).map(|bytes| Digest::of(&bytes))
    }

    /// What the provider owes: all lines, the platform's too.
    ///
    /// # Errors
    /// On overflow.
    pub fn gross(&self) -> Result<Money, MoneyError> {
        self.lines.iter().try_fold(Money::ZERO, |sum, line| sum.plus(line.earned))
    }
}

/// One step of a trace, for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TraceStep {
    /// The component that the step belongs to.
    pub component: ComponentKey,
    /// What was done: `trigger`, `predicate`, `count`, `accumulator`, `tier`, `lookup`, `base`, `rate`, `milestone`, `combine`,
    /// `split`, `absent`, `cap`, `floor`, `excess`, `hold`, `clawback`.
    pub step: &'static str,
    /// With the values seen.
    pub detail: String,
    /// Whose amounts it tells: members, and `None` for the platform. Empty when it tells nobody's.
    pub of: Vec<Option<MemberId>>,
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// An amount left 64 bits of minor units.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A date left the calendar.
    #[error("a date is out of range")]
    Date,
    /// The content does not make sense.
    #[error("the content of the version has {0} faults")]
    Content(usize),
    /// The counters are not those that the version asks for.
    #[error("the counters are not those that the version asks for")]
    Counters,
    /// The version says something that this engine does not know.
    #[error("engine {engine} cannot work out {what}")]
    Unsupported {
        /// The engine.
        engine: u16,
        /// What it met.
        what: &'static str,
    },
}

/// Works out the lines with the current engine.
///
/// # Errors
/// See [`EvaluateError`].
pub fn evaluate(input: &CalculationInput<'_>) -> Result<CalculationOutput, EvaluateError> {
    v2::run(input)
}

/// Works out the lines again and tells every step.
///
/// # Errors
/// See [`EvaluateError`].
pub fn trace(input: &CalculationInput<'_>) -> Result<(CalculationOutput, Vec<TraceStep>), EvaluateError> {
    v2::traced(input)
}

/// Works out the lines with the engine that a stored calculation names.
///
/// # Errors
/// See [`EvaluateError`].
pub fn by_engine(engine: u16, input: &CalculationInput<'_>) -> Result<CalculationOutput, EvaluateError> {
    match engine {
        v1::ENGINE => v1::run(input, &mut Silent),
        v2::ENGINE => v2::run(input),
        _ => Err(EvaluateError::Unsupported { engine, what: "anything: it is not part of this binary" }),
    }
}

/// The same, with every step.
///
/// # Errors
/// See [`EvaluateError`].
pub fn trace_by_engine(
    engine: u16,
    input: &CalculationInput<'_>,
) -> Result<(CalculationOutput, Vec<TraceStep>), EvaluateError> {
    if engine != v1::ENGINE {
        return by_engine(engine, input).and_then(|_| trace(input));
    }
    let mut steps = Steps::of(input);
    let output = v1::run(input, &mut steps)?;
    Ok((output, steps.into_vec()))
}

/// The fraction that is taken back of each line, for a percentage that a person reads.
pub(crate) fn percent(rate: Rate) -> String {
    let ppm = rate.ppm();
    if ppm % 10_000 == 0 { format!("{} %", ppm / 10_000) } else { format!("{rate} of the whole") }
}
