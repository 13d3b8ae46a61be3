//! The receipt of a tax paper: the statement of its number and digest is in the log.
//!
//! It carries no signature of its own: the log's key signs for it. The text of the paper is not part of the receipt;
//! whoever has it compares its SHA-256 with the one that is named here.

use super::{ENVELOPE, Findings, ITEM, included, only_item};
use crate::leaf::LeafKind;
use crate::paper::LoggedPaper;
use crate::receipt::Receipt;

pub(super) fn verify(receipt: &Receipt, findings: &mut Findings) {
    let Some(item) = only_item(findings, receipt, "a tax paper") else { return };
    let leaf = included(findings, ITEM, item, &[LeafKind::TaxDocument]);
    let paper = match LoggedPaper::parse(item.envelope.as_bytes()) {
        Ok(paper) => paper,
        Err(error) => {
            findings.fault(ENVELOPE, "paper_malformed", error.to_string());
            return;
        }
    };
    if paper.id.to_string() != receipt.id {
        findings.fault("/id", "other_subject", format!("the paper is {}", paper.id));
    }
    if paper.log != receipt.log {
        findings.fault(ENVELOPE, "other_log", format!("the paper is for log {}", paper.log));
    }
    if leaf.is_some() && findings.holds() {
        tell(findings, &paper, item.index);
    }
}

fn tell(findings: &mut Findings, paper: &LoggedPaper, index: u64) {
    let with = paper.payout.map_or_else(String::new, |payout| format!(" with {payout}"));
    findings.proved.push(format!(
        "Tax paper {} ({}, {}, number {} of all papers) was issued for {}{with}, dated {}, and its statement is leaf {index}, byte for byte.",
        paper.number, paper.kind, paper.id, paper.seq, paper.payee, paper.issued_on
    ));
    findings.proved.push(format!("Its text is the one whose SHA-256 is {}, and no other.", paper.content_sha256));
    findings.proved.push(format!("It names the paper before it by its hash {}.", paper.previous_sha256));
    findings.not_proved.push(
        "What the paper says: only its digest is here; compare it with the SHA-256 of the text that you were given."
            .to_owned(),
    );
    findings
        .not_proved
        .push("That the paper is right, or that anything was paid: see the ledger's entries.".to_owned());
    findings.not_proved.push("That no later adjustment note takes it back.".to_owned());
}
