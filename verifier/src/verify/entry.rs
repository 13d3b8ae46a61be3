//! The receipt of a ledger entry: its exact bytes balance and are in the log.
//!
//! An entry carries no signature of its own: the log's key signs for it.

use super::{ENVELOPE, Findings, ITEM, included, only_item};
use crate::entry::LoggedEntry;
use crate::leaf::LeafKind;
use crate::receipt::Receipt;

pub(super) fn verify(receipt: &Receipt, findings: &mut Findings) {
    let Some(item) = only_item(findings, receipt, "an entry") else { return };
    let leaf = included(findings, ITEM, item, &[LeafKind::LedgerEntry]);
    let entry = match LoggedEntry::parse(item.envelope.as_bytes()) {
        Ok(entry) => entry,
        Err(error) => {
            findings.fault(ENVELOPE, "entry_malformed", error.to_string());
            return;
        }
    };
    if entry.id.to_string() != receipt.id {
        findings.fault("/id", "other_entry", format!("the entry is {}", entry.id));
    }
    if entry.log != receipt.log {
        findings.fault(ENVELOPE, "other_log", format!("the entry is for log {}", entry.log));
    }
    if !entry.balances() {
        findings.fault(ENVELOPE, "entry_unbalanced", "the postings do not sum to zero");
    }
    if leaf.is_none() {
        return;
    }
    let debit_minor: i128 =
        entry.postings.iter().filter_map(|p| p.amount_minor()).filter(|minor| *minor > 0).map(i128::from).sum();
    findings.proved.push(format!(
        "Ledger entry {} ({}, number {}, {} postings, {debit_minor} minor units on each side) is leaf {}, byte for byte.",
        entry.id,
        entry.kind,
        entry.seq,
        entry.postings.len(),
        item.index
    ));
    findings.proved.push(format!("It names the entry before it by its hash {}.", entry.previous_sha256));
    findings.not_proved.push(
        "That the entry is right: see the receipt of the deal's handshake and the trace of its calculation.".to_owned(),
    );
    findings.not_proved.push("That no later entry reverses it.".to_owned());
}
