//! What is legal but unwise, or against the law: the lint of a version before somebody approves it.
//!
//! First [`check`](super::check): content with an error there is not looked at further. Then what the content does
//! to deals: branches that overlap or can never win, tiers that no deal reaches, earnings that fall as the deal
//! grows, clawback that rises with age, dates, and the guardrails of the vertical. A finding of a deal carries made-up
//! deals ([`MadeUpDeal`]) and what they earn; the engine itself worked them out.
//!
//! Errors are sure: they rest on sets that are empty ([`space`]) or on a deal that shows the fault. Warnings may be
//! incomplete, as they come from a search. Every code stands in [`CODES`] and in `docs/agreements-lint.md`.
//! Guardrails whose numbers are only known with the deal are asked again by [`guardrail_breaches`].

mod branches;
mod clawback;
mod cliffs;
mod codes;
mod dates;
mod deal;
mod guardrails;
mod limits;
mod shown;
mod space;
mod tiers;

use jiff::civil::Date;

pub use self::codes::{CODES, Code};
pub use self::deal::MadeUpDeal;
use self::deal::Trial;
pub use self::guardrails::guardrail_breaches;
use self::space::Space;
use super::check::check;
use super::finding::{Finding, Severity};
use super::model::VersionContent;
use super::version::{GoverningVersion, TableVersion};
use crate::catalogue::guardrail::Guardrail;
use crate::kernel::ids::AgreementId;

/// What a version stands beside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintContext {
    /// What holds in its vertical.
    pub guardrails: Vec<Guardrail>,
    /// Its number.
    pub number: u32,
    /// The other versions of the agreement that may govern: number, first day, last day.
    pub others: Vec<(u32, Date, Option<Date>)>,
}

/// Everything that is wrong with a version or worth knowing before it is approved, by pointer.
#[must_use]
pub fn lint(content: &VersionContent, tables: &[TableVersion], context: &LintContext) -> Vec<Finding> {
    let mut findings = check(content, tables);
    if findings.iter().all(|finding| finding.severity != Severity::Error) {
        let agreement = AgreementId::new(uuid::Uuid::nil());
        let version = GoverningVersion::with_tables(agreement, context.number, content.clone(), tables.to_vec());
        match version {
            Ok(version) => deeper(&version, context, &mut findings),
            Err(error) => findings.push(Finding::error("no_canonical_form", String::new(), error.to_string())),
        }
    }
    findings
        .sort_by(|a, b| by_pointer(&a.pointer, &b.pointer).then(a.severity.cmp(&b.severity)).then(a.code.cmp(b.code)));
    findings.dedup();
    findings
}

fn deeper(version: &GoverningVersion, context: &LintContext, findings: &mut Vec<Finding>) {
    dates::lint(version.content(), context, findings);
    let Some(trial) = Trial::of(version) else { return };
    let space = Space::of(version.content());
    branches::lint(&trial, &space, findings);
    tiers::lint(&trial, &space, findings);
    limits::lint(&trial, &space, findings);
    clawback::lint(&trial, &space, findings);
    cliffs::lint(&trial, &space, findings);
    guardrails::lint(&trial, &space, &context.guardrails, findings);
}

/// The order of two pointers: numbers by their size.
fn by_pointer(a: &str, b: &str) -> std::cmp::Ordering {
    let parts = |pointer: &str| pointer.split('/').map(|part| (part.parse::<u32>().ok(), part.to_owned())).collect();
    let (a, b): (Vec<(Option<u32>, String)>, Vec<(Option<u32>, String)>) = (parts(a), parts(b));
    a.cmp(&b)
}

impl Finding {
    /// The same with made-up deals that show it.
    fn showing(self, example: Option<serde_json::Value>) -> Self {
        Self { example, ..self }
    }
}
