//! The days on which a version governs, beside the other versions of its agreement. Of several that are in force on
//! a day the one with the greatest number governs.

use jiff::ToSpan;
use jiff::civil::Date;

use super::LintContext;
use crate::agreements::finding::Finding;
use crate::agreements::model::VersionContent;

pub(super) fn lint(content: &VersionContent, context: &LintContext, findings: &mut Vec<Finding>) {
    let (from, until) = (content.effective_from, content.effective_until);
    let last = |until: Option<Date>| until.unwrap_or(Date::MAX);
    let overlaps = |(_, begins, ends): &&(u32, Date, Option<Date>)| *begins <= last(until) && from <= last(*ends);
    for (number, begins, ends) in context.others.iter().filter(overlaps) {
        if *number > context.number {
            if *begins <= from && last(until) <= last(*ends) {
                findings.push(Finding::error(
                    "dates_hidden",
                    "/effective_from".to_owned(),
                    format!(
                        "version {number} is in force from {begins} {} and has the greater number: this one would never govern",
                        told(*ends)
                    ),
                ));
            }
        } else if from < *begins {
            findings.push(Finding::warning(
                "dates_overlap_backwards",
                "/effective_from".to_owned(),
                format!(
                    "version {number} begins on {begins}; this one has the greater number and begins before it, so \
                     it would take every deal from it that both are in force for"
                ),
            ));
        } else if let Some(ends) = ends {
            findings.push(Finding::warning(
                "dates_overlap",
                "/effective_from".to_owned(),
                format!("version {number} says that it is in force until {ends}; from {from} on this one governs"),
            ));
        }
    }
    let before = context.others.iter().filter(|(_, begins, _)| *begins < from).map(|(_, _, ends)| last(*ends)).max();
    if let Some(ended) = before.filter(|ended| *ended < from)
        && let Ok(next) = ended.checked_add(1.day())
        && next < from
    {
        findings.push(Finding::warning(
            "dates_gap",
            "/effective_from".to_owned(),
            format!("no version governs from {next} to the day before {from}"),
        ));
    }
    let after = context.others.iter().filter(|(_, begins, _)| *begins > from).map(|(_, begins, _)| *begins).min();
    if let (Some(until), Some(begins)) = (until, after)
        && until.checked_add(1.day()).is_ok_and(|next| next < begins)
    {
        findings.push(Finding::warning(
            "dates_gap",
            "/effective_until".to_owned(),
            format!("no version governs between {until} and {begins}"),
        ));
    }
}

fn told(ends: Option<Date>) -> String {
    ends.map_or_else(|| "on".to_owned(), |ends| format!("until {ends}"))
}
