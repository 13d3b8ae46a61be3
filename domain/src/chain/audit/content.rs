//! What the leaves commit to, out of an export, in step with the leaves.
//!
//! `export_malformed`, `export_of_other_log`: the file is no export of this log, or was cut off.
//! `export_differs`: it shows another leaf than the log has. `envelope_missing`, `entry_missing`: a leaf whose row is
//! gone and not erased. `commitment_mismatch`, `entry_differs`: a row that is not what its leaf commits to.
//! `entry_without_leaf`: a row that was never logged. `statement_malformed`, `other_statement`, `other_log`: not what the
//! leaf says it is. `entry_malformed`, `entry_unbalanced`, `entry_gap`, `entry_chain_broken`: the ledger does not hold
//! together. `erasure_differs`, `erasure_not_valid`: an erasure that is not signed for exactly these leaves. What the
//! statements of one handshake say of each other is judged by [`Handshakes`], what papers say by [`Papers`].

use std::collections::BTreeMap;

use super::handshakes::{Handshakes, Place};
use super::heads::Seen;
use super::papers::Papers;
use super::signed::Signatures;
use super::{AuditReport, TreeHead};
use crate::chain::checkpoint::Checkpoint;
use crate::chain::export::{ExportLines, Line, TYPE, VERSION};
use crate::chain::jws::Jws;
use crate::chain::leaf::{self, Leaf, LeafKind};
use crate::chain::signer::PortError;
use crate::chain::statement::{Erasure, Statement};
use crate::chain::trust::Trust;
use crate::guarantees::{Report, run::TYP as GUARANTEES};
use crate::kernel::Digest;
use crate::ledger::logged::LoggedEntry;
use crate::ledger::posting::GENESIS;

/// The export, as far as it was read.
pub(super) struct Content<'c> {
    trust: &'c Trust,
    lines: &'c mut dyn ExportLines,
    size: u64,
    /// Whether the lines still go with the leaves.
    in_step: bool,
    signatures: Signatures<'c>,
    handshakes: Handshakes,
    papers: Papers,
    /// Leaves whose envelope is said to be erased, until a signed statement says so.
    unexplained: BTreeMap<u64, Digest>,
    seen: Seen,
    /// The last entry's number and hash; no hash when that entry could not be read.
    ledger: (i64, Option<Digest>),
}

impl<'c> Content<'c> {
    /// Reads the head of an export. Its checkpoint counts as one that was kept.
    pub(super) fn begin(
        trust: &'c Trust,
        lines: &'c mut dyn ExportLines,
        log: TreeHead,
        report: &mut AuditReport,
        kept: &mut Vec<Checkpoint>,
    ) -> Result<Option<Self>, PortError> {
        let line = lines.next_line()?;
        let head = line.as_deref().map_or(Err("it is empty".to_owned()), Line::parse);
        let size = match head {
            Ok(Line::Head { checkpoint, log, size, r#type, v }) if r#type == TYPE && v == VERSION => {
                if log != trust.origin() {
                    report.differ(None, "export_of_other_log", format!("it is of log {log}"));
                    return Ok(None);
                }
                match Checkpoint::open(&checkpoint, trust.log()) {
                    Ok(checkpoint) if checkpoint.head.size == size => kept.push(checkpoint),
                    Ok(_) => report.differ(None, "export_malformed", "its checkpoint is of another size".to_owned()),
                    Err(error) => report.differ(None, "export_malformed", error.to_string()),
                }
                size
            }
            Ok(_) => {
                report.differ(None, "export_malformed", "it does not begin with its head".to_owned());
                return Ok(None);
            }
            Err(why) => {
                report.differ(None, "export_malformed", why);
                return Ok(None);
            }
        };
        // What is younger than the export is told, not held against it: the log has grown since.
        report.unexported = log.size.saturating_sub(size);
        let signatures = Signatures::new(trust);
        let ledger = (0, Some(Digest::of(GENESIS)));
        Ok(Some(Self {
            trust,
            lines,
            size,
            in_step: true,
            signatures,
            handshakes: Handshakes::default(),
            papers: Papers::default(),
            unexplained: BTreeMap::new(),
            seen: Seen::new(),
            ledger,
        }))
    }

    /// Takes the line of a leaf.
    pub(super) fn leaf(
        &mut self,
        report: &mut AuditReport,
        index: u64,
        bytes: &[u8],
        leaf: Option<&Leaf>,
    ) -> Result<(), PortError> {
        if !self.in_step || index >= self.size {
            return Ok(());
        }
        let line = self.lines.next_line()?;
        let read = line.as_deref().map_or(Err("it was cut off".to_owned()), Line::parse);
        let (envelope, erased, erases, told) = match read {
            Ok(Line::Leaf { envelope, erased, erases, index: at, leaf }) if at == index => {
                (envelope, erased, erases, leaf)
            }
            Ok(_) => {
                self.lose(report, index, "the line is not that of the leaf".to_owned());
                return Ok(());
            }
            Err(why) => {
                self.lose(report, index, why);
                return Ok(());
            }
        };
        if told.as_bytes() != bytes {
            report.differ(Some(index), "export_differs", "the export shows another leaf than the log has".to_owned());
        }
        let Some(leaf) = leaf else { return Ok(()) };
        let is_entry = leaf.kind == LeafKind::LedgerEntry;
        let Some(envelope) = envelope else {
            self.handshakes.gap(leaf.lane);
            // An erasure takes what was signed of a deal, nothing else: least of all a key's revocation.
            let erasable = matches!(leaf.kind, LeafKind::Offer | LeafKind::Accept | LeafKind::Seal);
            if erased && erasable {
                let _ = self.unexplained.insert(index, leaf.commitment);
            } else {
                let code = if is_entry { "entry_missing" } else { "envelope_missing" };
                report.differ(Some(index), code, format!("what the leaf of kind {} commits to is gone", leaf.kind));
                self.skip(leaf.kind);
            }
            return Ok(());
        };
        report.envelopes += 1;
        if leaf::commitment(envelope.as_bytes()) != leaf.commitment {
            let code = if is_entry { "entry_differs" } else { "commitment_mismatch" };
            report.differ(Some(index), code, "the leaf commits to other bytes".to_owned());
            self.handshakes.gap(leaf.lane);
            self.skip(leaf.kind);
            return Ok(());
        }
        match leaf.kind {
            LeafKind::LedgerEntry => self.entry(report, index, envelope.as_bytes()),
            LeafKind::GuaranteeRun => self.report_of(report, index, &envelope),
            LeafKind::TaxDocument => self.papers.take(report, self.trust.origin(), index, envelope.as_bytes()),
            kind => {
                let statement = self.statement(report, index, kind, &envelope);
                let place = Place { index, lane: leaf.lane, envelope: Digest::of(envelope.as_bytes()) };
                match &statement {
                    None => self.handshakes.gap(leaf.lane),
                    Some(statement) => self.handshakes.take(report, place, statement),
                }
                if let Some(Statement::Erasure(erasure)) = statement {
                    self.explain(report, index, &erasure, &erases.unwrap_or_default());
                }
            }
        }
        Ok(())
    }

    /// Of leaves of which some are missing: the first that is not the one that the export shows.
    pub(super) fn first_gap(&mut self, first: u64, leaves: &[&[u8]]) -> Result<u64, PortError> {
        for (index, bytes) in (first..).zip(leaves) {
            let line = self.lines.next_line()?;
            match line.as_deref().map(Line::parse) {
                Some(Ok(Line::Leaf { index: at, leaf, .. })) if at == index && leaf.as_bytes() == *bytes => {}
                _ => return Ok(index),
            }
        }
        Ok(first + leaves.len() as u64)
    }

    /// The lines do not go with the leaves any more: nothing after this can be compared.
    fn lose(&mut self, report: &mut AuditReport, index: u64, why: String) {
        self.in_step = false;
        report.differ(Some(index), "export_malformed", why);
    }

    /// Goes on after an entry or a paper that cannot be read, so that it is one difference.
    fn skip(&mut self, kind: LeafKind) {
        match kind {
            LeafKind::LedgerEntry => self.ledger = (self.ledger.0 + 1, None),
            LeafKind::TaxDocument => self.papers.skip(),
            _ => {}
        }
    }

    fn statement(&mut self, report: &mut AuditReport, at: u64, kind: LeafKind, envelope: &str) -> Option<Statement> {
        let (jws, statement) = match Statement::parse(envelope) {
            Ok(read) => read,
            Err(error) => {
                report.differ(Some(at), "statement_malformed", error.to_string());
                return None;
            }
        };
        if statement.kind() != kind {
            report.differ(Some(at), "other_statement", format!("expected {kind}, found {}", statement.kind()));
            return None;
        }
        if statement.log() != self.trust.origin() {
            report.differ(Some(at), "other_log", format!("the statement is for log {}", statement.log()));
            return None;
        }
        if let Some(seen) = statement.seen() {
            if seen.size > at {
                let detail = format!("its signer says to have seen {} leaves", seen.size);
                report.differ(Some(at), "seen_from_the_future", detail);
            } else {
                let _ = self.seen.entry((seen.size, seen.root)).or_insert(at);
            }
        }
        self.signatures.take(report, at, jws, &statement);
        Some(statement)
    }

    fn report_of(&mut self, report: &mut AuditReport, index: u64, envelope: &str) {
        let mut differ = |code, detail| report.differ(Some(index), code, detail);
        let read = Jws::parse(envelope).map_err(|error| error.to_string());
        let read = read.and_then(|jws| Report::parse(jws.payload()).map(|said| (jws, said)).map_err(|e| e.to_string()));
        let (jws, said) = match read {
            Ok(read) => read,
            Err(detail) => return differ("statement_malformed", detail),
        };
        if jws.typ() != GUARANTEES || said.kid != jws.kid() {
            return differ("other_statement", format!("an envelope of type {}, of key {}", jws.typ(), said.kid));
        }
        if said.log != self.trust.origin() {
            return differ("other_log", format!("the report is for log {}", said.log));
        }
        if said.checkpoint.is_some_and(|seen| seen.size > index) {
            return differ("seen_from_the_future", "the report names a checkpoint that holds it".to_owned());
        }
        self.signatures.take_platforms(report, index, jws);
    }

    fn entry(&mut self, report: &mut AuditReport, index: u64, bytes: &[u8]) {
        report.entries += 1;
        let entry = match LoggedEntry::parse(bytes) {
            Ok(entry) => entry,
            Err(error) => {
                report.differ(Some(index), "entry_malformed", error.to_string());
                return self.skip(LeafKind::LedgerEntry);
            }
        };
        let mut differ = |code, detail| report.differ(Some(index), code, detail);
        if entry.log != self.trust.origin() {
            differ("other_log", format!("the entry is for log {}", entry.log));
        }
        if !entry.balances() {
            differ("entry_unbalanced", format!("the postings of entry {} do not sum to zero", entry.seq));
        }
        let (last, hash) = self.ledger;
        if entry.seq != last + 1 {
            differ("entry_gap", format!("entry {} follows entry {last}", entry.seq));
        } else if hash.is_some_and(|hash| hash != entry.previous_sha256) {
            differ("entry_chain_broken", format!("entry {} does not name the hash of the one before", entry.seq));
        }
        self.ledger = (entry.seq, Some(Digest::of(bytes)));
    }

    /// An erasure explains the leaves that it names, if it was signed for exactly them.
    fn explain(&mut self, report: &mut AuditReport, at: u64, erasure: &Erasure, named: &[u64]) {
        let commitments: Vec<Digest> = named.iter().filter_map(|index| self.unexplained.get(index).copied()).collect();
        if !erasure.is_of(&commitments) {
            let detail =
                format!("signed for {} leaves, of which {} are those named", erasure.leaves, commitments.len());
            report.differ(Some(at), "erasure_differs", detail);
            return;
        }
        report.erased += commitments.len() as u64;
        for index in named {
            let _ = self.unexplained.remove(index);
        }
    }

    /// An erasure that is younger than the checkpoint is not in the log yet: its signature alone counts, and what it was
    /// signed for. So it is counted apart, until the log has it. What was exported before it came is no difference.
    fn younger(&mut self, report: &mut AuditReport, envelope: &str, commitments: &[Digest], named: &[u64]) {
        let judged = Statement::parse(envelope).map_err(|e| e.to_string()).and_then(|(jws, statement)| {
            let typ = statement.typ();
            let Statement::Erasure(erasure) = statement else { return Err("not an erasure".to_owned()) };
            if erasure.log != self.trust.origin() {
                return Err(format!("for log {}", erasure.log));
            }
            let key = self.trust.platform_key(jws.kid()).ok_or("not signed by the platform")?;
            jws.verify(key, typ).map_err(|e| e.to_string())?;
            if erasure.is_of(commitments) { Ok(()) } else { Err("signed for other leaves".to_owned()) }
        });
        if let Err(why) = judged {
            report.differ(None, "erasure_not_valid", why);
            return;
        }
        for index in named {
            if self.unexplained.get(index).is_some_and(|commitment| commitments.contains(commitment)) {
                let _ = self.unexplained.remove(index);
                report.erased_unlogged += 1;
            }
        }
    }

    /// The last lines. What is still unexplained was lost, not erased.
    pub(super) fn finish(mut self, report: &mut AuditReport) -> Result<Seen, PortError> {
        self.signatures.verify(report);
        while self.in_step {
            let line = self.lines.next_line()?;
            match line.as_deref().map_or(Err("it was cut off".to_owned()), Line::parse) {
                // The export is younger than the log that is audited.
                Ok(Line::Leaf { .. }) => {}
                Ok(Line::Unlogged { entry }) => {
                    let seq = LoggedEntry::parse(entry.as_bytes()).map_or(0, |entry| entry.seq);
                    report.differ(None, "entry_without_leaf", format!("entry {seq} was never logged"));
                }
                Ok(Line::Erasure { commitments, envelope, erases }) => {
                    self.younger(report, &envelope, &commitments, &erases);
                }
                Ok(Line::End { leaves }) if leaves == self.size => break,
                Ok(Line::End { .. } | Line::Head { .. }) => {
                    report.differ(None, "export_malformed", "it ends otherwise than it began".to_owned());
                    break;
                }
                Err(why) => {
                    report.differ(None, "export_malformed", why);
                    break;
                }
            }
        }
        for index in self.unexplained.into_keys() {
            report.differ(
                Some(index),
                "envelope_missing",
                "it is said to be erased, and nobody signed for that".into(),
            );
        }
        Ok(self.seen)
    }
}
