//! Engine 2: every construct of an agreement.
//!
//! A version is compiled once into a [`Plan`]; a deal is then worked out without a trip to the heap, except for
//! its lines. Order of work: groups in the order in which they need each other; per component trigger →
//! predicate → count → rate (rounded once) → the limits of the whole, from the shortest span to the longest (in a
//! group of mode `best` after the best is found: it is found before limits); per group the combine mode; then, in the order of the version, split by largest remainder →
//! absent shares pass on → limits of roles → hold → clawback per line (rounded once).
//!
//! Running totals and limits over a window come in as [`Counter`](crate::agreements::facts::Counter)s, where they
//! stood before the deal, and go out as they stand after it: the calculation of one deal stays a pure function.
//! All windows go by the date that governs the deal.

mod clawback;
mod counters;
mod limits;
mod plan;
mod rates;
mod run;
mod split;

pub(super) use counters::participant;
pub use plan::Plan;
pub use run::Scratch;

use super::{CalculationOutput, EvaluateError, Silent, Steps, TraceStep, Tracer};
use crate::agreements::facts::CalculationInput;

/// The number of this engine.
pub const ENGINE: u16 = 2;

/// Works out every component.
///
/// # Errors
/// See [`EvaluateError`].
pub fn run(input: &CalculationInput<'_>) -> Result<CalculationOutput, EvaluateError> {
    worked_out(input, &mut Silent)
}

/// Works out every component and tells every step.
///
/// # Errors
/// See [`EvaluateError`].
pub fn traced(input: &CalculationInput<'_>) -> Result<(CalculationOutput, Vec<TraceStep>), EvaluateError> {
    let mut steps = Steps::of(input);
    let output = worked_out(input, &mut steps)?;
    Ok((output, steps.into_vec()))
}

fn worked_out(input: &CalculationInput<'_>, tracer: &mut impl Tracer) -> Result<CalculationOutput, EvaluateError> {
    let plan = input.version.plan().map_err(|findings| EvaluateError::Content(findings.len()))?;
    let mut scratch = Scratch::default();
    plan.evaluate(input, &mut scratch, tracer)?;
    Ok(scratch.output(plan, input))
}
