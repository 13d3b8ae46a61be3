//! The receipt of an approval: the platform states who proposed what and who approved it, by its digest.
//!
//! The people sign nothing themselves: the platform's key signs for them, under two ids that must differ. What is
//! approved is a digest; the content is not part of the receipt.

use super::{ENVELOPE, Findings, ITEM, included, of_this_log, only_item, signed_by_platform};
use crate::digest::Digest;
use crate::leaf::LeafKind;
use crate::parts::VersionName;
use crate::receipt::Receipt;
use crate::statement::{AgreementApproval, PayoutApproval, Statement};
use crate::trust::Trust;

/// What both kinds of approval say.
struct Said {
    id: String,
    what: String,
    content: Digest,
    proposed_by: Option<uuid::Uuid>,
    approved_by: uuid::Uuid,
    acknowledged: Vec<String>,
    /// What may have come later.
    later: &'static str,
}

impl Said {
    fn of_version(approval: &AgreementApproval) -> Self {
        let name = VersionName { agreement: approval.agreement, number: approval.number };
        Self {
            id: name.to_string(),
            what: format!("Version {} of {}", approval.number, approval.agreement),
            content: approval.content_sha256,
            proposed_by: approval.proposed_by,
            approved_by: approval.approved_by,
            acknowledged: approval.acknowledged.clone(),
            later: "That the version came into force, or still is: it may have been superseded or retired.",
        }
    }

    fn of_run(approval: &PayoutApproval) -> Self {
        let (payouts, total) = (approval.payouts, &approval.total);
        let paid = format!("{payouts} payouts, {} minor units of {} in all", total.amount, total.currency.code());
        Self {
            id: approval.run.to_string(),
            what: format!("Payout run {} ({paid})", approval.run),
            content: approval.content_sha256,
            proposed_by: approval.proposed_by,
            approved_by: approval.approved_by,
            acknowledged: Vec::new(),
            later: "That the money was sent, or that the approval did not become void: see the ledger's entries.",
        }
    }
}

pub(super) fn verify(trust: &Trust, receipt: &Receipt, findings: &mut Findings, kind: LeafKind) {
    let Some(item) = only_item(findings, receipt, "an approval") else { return };
    let leaf = included(findings, ITEM, item, &[kind]);
    let (jws, statement) = match Statement::parse(&item.envelope) {
        Ok(read) => read,
        Err(error) => {
            findings.fault(ENVELOPE, "statement_malformed", error.to_string());
            return;
        }
    };
    let said = match (&statement, kind) {
        (Statement::AgreementApproval(approval), LeafKind::AgreementApproval) => Said::of_version(approval),
        (Statement::PayoutApproval(approval), LeafKind::PayoutApproval) => Said::of_run(approval),
        (other, expected) => {
            findings.fault(ENVELOPE, "other_statement", format!("expected {expected}, found {}", other.kind()));
            return;
        }
    };
    of_this_log(trust, findings, item, statement.log(), statement.seen());
    signed_by_platform(trust, findings, &jws, statement.typ());
    if said.id != receipt.id {
        findings.fault("/id", "other_subject", format!("the approval is of {}", said.id));
    }
    if said.proposed_by == Some(said.approved_by) {
        findings.fault(ENVELOPE, "same_person", "whoever proposed it approved it");
    }
    if leaf.is_some() && findings.holds() {
        tell(findings, &said, item.index);
    }
}

fn tell(findings: &mut Findings, said: &Said, index: u64) {
    let proposed = said.proposed_by.map_or_else(String::new, |by| format!(" was proposed by {by} and"));
    findings.proved.push(format!(
        "{}{proposed} was approved by {}: the platform signed so, and its statement is leaf {index}.",
        said.what, said.approved_by
    ));
    findings.proved.push(format!("What was approved is the content whose SHA-256 is {}, and no other.", said.content));
    if !said.acknowledged.is_empty() {
        findings.proved.push(format!("The approver took note of these warnings: {}.", said.acknowledged.join(", ")));
    }
    findings.not_proved.push(
        "That these ids are the people whom you think of, or two different people: they signed nothing themselves, the platform signs for them.".to_owned(),
    );
    if said.proposed_by.is_none() {
        findings.not_proved.push("Who proposed it: the statement names nobody.".to_owned());
    }
    findings.not_proved.push("What the content says: only its digest is here; compare it with the content.".to_owned());
    findings.not_proved.push(said.later.to_owned());
}
