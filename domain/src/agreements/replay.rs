//! Running totals over many deals: each deal is worked out with what came before it.
//!
//! Invariant: the outcome depends on the order of the deals given, and that order on their facts alone
//! ([`DealOrder`]), never on when we heard of them. Memory: one entry for each counter, scope and window.

use std::collections::HashMap;

use jiff::civil::Date;
use uuid::Uuid;

use super::evaluate::v2::{Plan, Scratch};
use super::evaluate::{EvaluateError, Silent};
use super::facts::{CalculationInput, Counter, CounterKey, Standing};

/// The place of a deal among others: by the date that governs, then by who said it and what they call it. Deals
/// that nobody named come by their id, which is drawn when they are referred.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DealOrder {
    /// The date that governs.
    pub governing_on: Date,
    /// Who told us of it.
    pub source: Uuid,
    /// What they call it.
    pub external_ref: Option<String>,
    /// The deal.
    pub deal: Uuid,
}

/// Where every counter stands.
#[derive(Debug, Default)]
pub struct Replay {
    standing: HashMap<CounterKey, Standing>,
    counters: Vec<Counter>,
}

impl Replay {
    /// Begins where the counters stood.
    #[must_use]
    pub fn from(standing: impl IntoIterator<Item = Counter>) -> Self {
        Self { standing: standing.into_iter().map(|c| (c.key, c.before)).collect(), counters: Vec::new() }
    }

    /// The counters that a deal touches, where they stand before it.
    #[must_use]
    pub fn counters(&self, plan: &Plan, input: &CalculationInput<'_>) -> Vec<Counter> {
        let before = |key: CounterKey| Counter { before: self.standing.get(&key).copied().unwrap_or_default(), key };
        plan.counter_keys(input).into_iter().map(before).collect()
    }

    /// Notes where the counters stand after a deal.
    pub fn note(&mut self, counters: &[Counter], after: &[Standing]) {
        for (counter, standing) in counters.iter().zip(after) {
            if !counter.key.scope.is_empty() {
                self.standing.insert(counter.key.clone(), *standing);
            }
        }
    }

    /// Works out the next deal, whose counters are none of its own.
    ///
    /// # Errors
    /// See [`EvaluateError`].
    pub fn next(
        &mut self,
        plan: &Plan,
        input: &CalculationInput<'_>,
        scratch: &mut Scratch,
    ) -> Result<(), EvaluateError> {
        if !plan.has_counters() {
            return plan.evaluate(input, scratch, &mut Silent);
        }
        let mut counters = std::mem::take(&mut self.counters);
        counters.clear();
        counters.extend(self.counters(plan, input));
        plan.evaluate(&CalculationInput { counters: &counters, ..input.clone() }, scratch, &mut Silent)?;
        self.note(&counters, scratch.counters());
        self.counters = counters;
        Ok(())
    }
}
