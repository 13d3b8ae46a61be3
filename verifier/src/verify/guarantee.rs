//! The receipt of a run of the guarantees: the report is the platform's, byte for byte, and is in the log.

use super::{ENVELOPE, Findings, ITEM, included, of_this_log, only_item, signed_by_platform};
use crate::jws::Jws;
use crate::leaf::LeafKind;
use crate::receipt::Receipt;
use crate::report::{GuaranteeResult, Report, TYP};
use crate::trust::Trust;

pub(super) fn verify(trust: &Trust, receipt: &Receipt, findings: &mut Findings) {
    let Some(item) = only_item(findings, receipt, "a run of the guarantees") else { return };
    let leaf = included(findings, ITEM, item, &[LeafKind::GuaranteeRun]);
    let read = Jws::parse(&item.envelope).map_err(|error| error.to_string());
    let read = read.and_then(|jws| Report::parse(jws.payload()).map(|report| (jws, report)).map_err(|e| e.to_string()));
    let (jws, report) = match read {
        Ok(read) => read,
        Err(why) => {
            findings.fault(ENVELOPE, "report_malformed", why);
            return;
        }
    };
    of_this_log(trust, findings, item, &report.log, report.checkpoint.as_ref());
    signed_by_platform(trust, findings, &jws, TYP);
    if report.kid != jws.kid() {
        findings.fault(ENVELOPE, "other_key", format!("the report names key {}", report.kid));
    }
    if report.id.to_string() != receipt.id {
        findings.fault("/id", "other_subject", format!("the report is of {}", report.id));
    }
    if leaf.is_some() && findings.holds() {
        tell(findings, &report, item.index);
    }
}

fn tell(findings: &mut Findings, report: &Report, index: u64) {
    let seen = report.checkpoint.map_or_else(
        || "before any checkpoint was signed".to_owned(),
        |head| format!("at the checkpoint of {} leaves", head.size),
    );
    findings.proved.push(format!(
        "The report of run {} of the guarantees, taken {seen} and over ledger entries up to {}, was signed by the platform and is leaf {index}.",
        report.id, report.ledger_seq
    ));
    findings.proved.extend(report.guarantees.iter().map(found));
    findings.not_proved.push(
        "That what was found is so: the platform looked at its own data; the audit of the log and of the ledger recomputes it without the platform.".to_owned(),
    );
    findings.not_proved.push(format!("Anything that came about after leaf {index}."));
}

/// What the run found of one promise.
fn found(result: &GuaranteeResult) -> String {
    let covered: Vec<String> = result.coverage.iter().map(|(what, count)| format!("{count} {what}")).collect();
    let over = if covered.is_empty() { "nothing".to_owned() } else { covered.join(", ") };
    let name = result.guarantee.as_str();
    match result.counterexamples.first() {
        _ if result.holds => format!("It found that {name} holds, over {over}."),
        Some(first) => format!(
            "It found that {name} is broken: {} counterexamples over {over}, the first {} at {}.",
            result.counterexample_count, first.code, first.id
        ),
        None => format!("It found that {name} is broken: {} counterexamples over {over}.", result.counterexample_count),
    }
}
