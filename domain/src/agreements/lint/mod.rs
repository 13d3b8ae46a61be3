//! What is wrong with a version, and what is worth knowing before somebody approves it.

use jiff::civil::Date;

use super::VersionContent;
use super::check;
use super::finding::Finding;
use super::version::TableVersion;
use crate::catalogue::guardrail::Guardrail;

/// What a version is held against, besides itself.
#[derive(Debug, Clone, Default)]
pub struct LintContext {
    /// Law and policy of the vertical.
    pub guardrails: Vec<Guardrail>,
    /// The number of the version.
    pub number: u32,
    /// The other versions of the agreement that were proposed or approved: number, first day, last day.
    pub others: Vec<(u32, Date, Option<Date>)>,
}

/// Every finding, errors and warnings; the tables are those that the content names.
#[must_use]
pub fn lint(content: &VersionContent, tables: &[TableVersion], _: &LintContext) -> Vec<Finding> {
    check::check(content, tables)
}
