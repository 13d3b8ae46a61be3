//! Judges a receipt: what it proves, as of which checkpoint, by which keys, and what it does not prove.
//!
//! Pure and offline: nothing is looked up, the root of trust is given. Every check is strict; one fault
//! and nothing is proved. What was found is said in words, for people, and in codes, for machines.
//! Validity of keys goes by leaf index, never by a clock.

mod entry;
mod handshake;
mod witnesses;

use super::checkpoint::{Checkpoint, TreeHead};
use super::leaf::{self, Leaf, LeafKind};
use super::merkle::leaf_hash;
use super::proof;
use super::receipt::{Logged, Receipt, ReceiptKind};
use super::statement::Assurance;
use super::trust::Trust;
use crate::fault::Faults;

/// What was found. Nothing of `proved` counts unless [`Findings::holds`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// What the receipt is of.
    pub kind: ReceiptKind,
    /// The id in the receipt.
    pub id: String,
    /// The checkpoint that everything is proved under; none when it could not be trusted.
    pub checkpoint: Option<TreeHead>,
    /// Thumbprints of the keys whose signatures verified.
    pub keys: Vec<String>,
    /// Names of the trusted witnesses that cosigned the checkpoint.
    pub witnesses: Vec<String>,
    /// How the parties of a handshake stand behind it: the weakest of them.
    pub assurance: Option<Assurance>,
    /// What holds, in words.
    pub proved: Vec<String>,
    /// What nobody should take from this receipt, in words.
    pub not_proved: Vec<String>,
    /// What is wrong, with pointers into the receipt.
    pub faults: Faults,
}

impl Findings {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.faults.0.is_empty()
    }

    fn fault(&mut self, pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) {
        self.faults.push(pointer, code, detail);
    }

    fn add_key(&mut self, kid: &str) {
        if !self.keys.iter().any(|known| known == kid) {
            self.keys.push(kid.to_owned());
        }
    }
}

/// Judges a receipt under a root of trust.
#[must_use]
pub fn verify(trust: &Trust, receipt: &Receipt) -> Findings {
    let mut findings = Findings {
        kind: receipt.kind,
        id: receipt.id.clone(),
        checkpoint: None,
        keys: Vec::new(),
        witnesses: Vec::new(),
        assurance: None,
        proved: Vec::new(),
        not_proved: Vec::new(),
        faults: Faults::default(),
    };
    if receipt.log != trust.origin() {
        let detail = format!("the receipt is of log {}, trusted is {}", receipt.log, trust.origin());
        findings.fault("/log", "other_log", detail);
    }
    match Checkpoint::open(&receipt.checkpoint, trust.log()) {
        Ok(checkpoint) => {
            let size = checkpoint.head.size;
            findings.checkpoint = Some(checkpoint.head);
            findings.proved.push(format!("The log {} had {size} leaves and signed for them.", trust.origin()));
            witnesses::verify(trust.policy(), &receipt.checkpoint, &mut findings);
        }
        Err(error) => findings.fault("/checkpoint", "checkpoint_not_trusted", error.to_string()),
    }
    match receipt.kind {
        ReceiptKind::Handshake => handshake::verify(trust, receipt, &mut findings),
        ReceiptKind::LedgerEntry => entry::verify(receipt, &mut findings),
    }
    findings.not_proved.push(
        "When anything happened by the clock: times are claims of the platform; the order of leaves is proved."
            .to_owned(),
    );
    witnesses::tell(&mut findings);
    if !findings.holds() {
        findings.proved.clear();
    }
    findings
}

/// Checks that a logged item is what its leaf commits to and that the leaf is in the log. `None` when it
/// is not: the faults tell why.
fn included(findings: &mut Findings, pointer: &str, logged: &Logged, kinds: &[LeafKind]) -> Option<Leaf> {
    let before = findings.faults.0.len();
    let Ok(leaf) = Leaf::parse(logged.leaf.as_bytes()) else {
        findings.fault(format!("{pointer}/leaf"), "leaf_malformed", "not a leaf in canonical form");
        return None;
    };
    if !kinds.contains(&leaf.kind) {
        findings.fault(format!("{pointer}/leaf"), "leaf_of_other_kind", format!("a leaf of kind {}", leaf.kind));
    }
    if leaf.commitment != leaf::commitment(logged.envelope.as_bytes()) {
        findings.fault(format!("{pointer}/envelope"), "commitment_mismatch", "the leaf commits to other bytes");
    }
    let head = findings.checkpoint?;
    if logged.index >= head.size {
        let detail = format!("leaf {} is younger than the checkpoint of {} leaves", logged.index, head.size);
        findings.fault(format!("{pointer}/index"), "leaf_after_checkpoint", detail);
        return None;
    }
    let hash = leaf_hash(logged.leaf.as_bytes());
    if let Err(error) = proof::check_inclusion(&hash, logged.index, head.size, &logged.proof, &head.root) {
        findings.fault(format!("{pointer}/proof"), "not_included", error.to_string());
    }
    (findings.faults.0.len() == before).then_some(leaf)
}
