//! What a check counts while it runs.

use std::collections::BTreeMap;

use super::MAX_COUNTEREXAMPLES;
use super::report::{Counterexample, Guarantee, GuaranteeResult};
use super::repository::{Check, GuaranteeQueries};
use crate::kernel::Instant;
use crate::kernel::id::encode;
use crate::store::StoreError;

#[derive(Default)]
pub(super) struct Tally {
    count: u64,
    counterexamples: Vec<Counterexample>,
    coverage: BTreeMap<String, u64>,
    figures: BTreeMap<String, String>,
}

impl Tally {
    pub(super) fn broken(&mut self, id: impl Into<String>, code: &str, detail: impl Into<String>) {
        self.count += 1;
        if self.counterexamples.len() < MAX_COUNTEREXAMPLES {
            let (id, code, detail) = (id.into(), code.to_owned(), detail.into());
            self.counterexamples.push(Counterexample { code, detail, id });
        }
    }

    /// Counts what was looked at, also when it is nothing.
    pub(super) fn cover(&mut self, what: &str, more: u64) {
        *self.coverage.entry(what.to_owned()).or_default() += more;
    }

    pub(super) fn figure(&mut self, what: &str, minor: i64) {
        self.figures.insert(what.to_owned(), minor.to_string());
    }

    /// Runs a check that the store answers as a whole.
    pub(super) fn check(
        &mut self,
        queries: &mut dyn GuaranteeQueries,
        check: Check,
        at: Instant,
    ) -> Result<(), StoreError> {
        let found = queries.violations(check, at, MAX_COUNTEREXAMPLES as u32)?;
        let kept = found.examples.len() as u64;
        for violation in found.examples {
            let id = format!("{}_{}", check.subject(), encode(violation.subject));
            self.broken(id, check.code(), violation.detail);
        }
        self.count += found.count.saturating_sub(kept);
        Ok(())
    }

    pub(super) fn result(self, guarantee: Guarantee) -> GuaranteeResult {
        GuaranteeResult {
            counterexample_count: self.count,
            counterexamples: self.counterexamples,
            coverage: self.coverage,
            figures: self.figures,
            guarantee,
            holds: self.count == 0,
        }
    }
}
