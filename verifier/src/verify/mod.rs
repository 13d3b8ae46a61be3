//! Judges a receipt: what it proves, as of which checkpoint, by which keys, and what it does not prove.
//!
//! Pure and offline: nothing is looked up, the root of trust is given. Every check is strict; one fault
//! and nothing is proved. What was found is said in words, for people, and in codes, for machines.
//! Validity of keys goes by leaf index, never by a clock.

mod approval;
mod chain;
mod entry;
mod guarantee;
mod handshake;
mod keys;
mod leaf_proof;
mod paper;
mod verdict;
mod witnesses;

use super::checkpoint::{Checkpoint, TreeHead};
use super::jws::Jws;
use super::leaf::{self, Leaf, LeafKind};
use super::merkle::leaf_hash;
use super::proof;
use super::receipt::{Logged, Receipt, ReceiptKind};
use super::statement::Assurance;
use super::trust::Trust;
use crate::digest::Digest;
use crate::fault::Faults;
use crate::ids::DealId;
use crate::parts::{AgreementRef, Declared, Participant, PartyId};

pub use chain::join;
pub use keys::{KeyHistory, NotGood};
pub use leaf_proof::{LeafFindings, verify_leaf};
pub use verdict::{leaf_verdict, verdict};
pub use witnesses::{Seen, judge as judge_cosignatures};

/// What a seal says was agreed: a hand-over keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// The terms.
    pub agreement: AgreementRef,
    /// Who takes part.
    pub participants: Vec<Participant>,
    /// That the referred person consented.
    pub consent: Declared,
    /// That the commission was disclosed.
    pub disclosure: Declared,
}

/// What a receipt says was sealed, for a hand-over to name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// SHA-256 of the seal's envelope.
    pub seal: Digest,
    /// The lane.
    pub lane: Digest,
    /// The deal.
    pub deal: DealId,
    /// The index of the seal.
    pub index: u64,
    /// Who accepted, and may hand over.
    pub holder: PartyId,
    /// What was agreed.
    pub agreed: Agreed,
}

/// What a receipt says was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandedOver {
    /// SHA-256 of the envelope of the seal before.
    pub previous: Digest,
    /// The lane.
    pub lane: Digest,
    /// The deal.
    pub deal: DealId,
    /// The index of the offer.
    pub index: u64,
    /// Who hands over.
    pub by: PartyId,
    /// What the seal of the hand-over says was agreed.
    pub agreed: Agreed,
}

/// Where the one item of a receipt stands.
const ITEM: &str = "/items/0";
/// Where its envelope stands.
const ENVELOPE: &str = "/items/0/envelope";

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
    /// Of a handshake that holds: what its seal sealed.
    pub sealed: Option<Sealed>,
    /// Of a hand-over that holds: what it hands over.
    pub handed_over: Option<HandedOver>,
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

/// What the log never proves: its times.
const NO_CLOCK: &str =
    "When anything happened by the clock: times are claims of the platform; the order of leaves is proved.";

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
        sealed: None,
        handed_over: None,
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
            let seen = witnesses::judge(trust.policy(), &receipt.checkpoint);
            findings.proved.extend(seen.proved);
            findings.faults.0.extend(seen.faults.0);
            findings.witnesses = seen.names;
        }
        Err(error) => findings.fault("/checkpoint", "checkpoint_not_trusted", error.to_string()),
    }
    match receipt.kind {
        ReceiptKind::Handshake => handshake::verify(trust, receipt, &mut findings),
        ReceiptKind::LedgerEntry => entry::verify(receipt, &mut findings),
        ReceiptKind::AgreementApproval => {
            approval::verify(trust, receipt, &mut findings, LeafKind::AgreementApproval);
        }
        ReceiptKind::PayoutApproval => approval::verify(trust, receipt, &mut findings, LeafKind::PayoutApproval),
        ReceiptKind::GuaranteeRun => guarantee::verify(trust, receipt, &mut findings),
        ReceiptKind::TaxDocument => paper::verify(receipt, &mut findings),
    }
    findings.not_proved.extend([NO_CLOCK, witnesses::left_open(&findings.witnesses)].map(str::to_owned));
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

/// The one item of a receipt that has just one and nothing beside it.
fn only_item<'r>(findings: &mut Findings, receipt: &'r Receipt, of: &str) -> Option<&'r Logged> {
    if receipt.declaration.is_some() || !receipt.keys.is_empty() {
        findings.fault("", "unexpected_members", format!("the receipt of {of} has no declaration and no keys"));
    }
    if let [item] = receipt.items.as_slice() {
        return Some(item);
    }
    findings.fault("/items", "wrong_number_of_items", format!("the receipt of {of} has exactly one item"));
    None
}

/// Checks that a trusted key of the platform signed the one item.
fn signed_by_platform(trust: &Trust, findings: &mut Findings, jws: &Jws, typ: &str) {
    let Some(key) = trust.platform_key(jws.kid()) else {
        let detail = format!("key {} is not a trusted key of the platform", jws.kid());
        findings.fault(ENVELOPE, "unknown_key", detail);
        return;
    };
    match jws.verify(key, typ) {
        Ok(()) => findings.add_key(jws.kid()),
        Err(error) => findings.fault(ENVELOPE, "signature_invalid", error.to_string()),
    }
}

/// Checks what a signed item says of the log: that it is this one, and that no checkpoint was seen that holds its leaf.
fn of_this_log(trust: &Trust, findings: &mut Findings, item: &Logged, log: &str, seen: Option<&TreeHead>) {
    if log != trust.origin() {
        findings.fault(ENVELOPE, "other_log", format!("it was signed for log {log}"));
    }
    if seen.is_some_and(|seen| seen.size > item.index) {
        let detail = "the signer claims to have seen a checkpoint that holds this leaf";
        findings.fault(ENVELOPE, "seen_from_the_future", detail);
    }
}
