//! Judges a proof in C2SP's `tlog-proof` form: that one leaf is in the log, and what it commits to.
//!
//! The proof names no bytes of its own that count: the leaf comes with it as `extra`, or another way, and is hashed
//! here. Without the envelope nothing of what was signed is known but its commitment.

use super::{NO_CLOCK, witnesses};
use crate::checkpoint::{Checkpoint, TreeHead};
use crate::fault::Faults;
use crate::leaf::{self, Leaf};
use crate::merkle::leaf_hash;
use crate::proof;
use crate::tlog_proof::TlogProof;
use crate::trust::Trust;

/// What was found of one leaf. Nothing of `proved` counts unless [`LeafFindings::holds`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeafFindings {
    /// The index in the proof.
    pub index: u64,
    /// The leaf; none when the bytes are not one.
    pub leaf: Option<Leaf>,
    /// The checkpoint that it is proved under; none when it could not be trusted.
    pub checkpoint: Option<TreeHead>,
    /// Names of the trusted witnesses that cosigned the checkpoint.
    pub witnesses: Vec<String>,
    /// What holds, in words.
    pub proved: Vec<String>,
    /// What nobody should take from this proof, in words.
    pub not_proved: Vec<String>,
    /// What is wrong: at `/checkpoint`, `/index`, `/leaf`, `/proof` or `/envelope`.
    pub faults: Faults,
}

impl LeafFindings {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.faults.0.is_empty()
    }
}

/// Judges a proof under a root of trust. `leaf` may be left out when the proof brings its bytes; when both are there
/// they must be the same. With `envelope`, that the leaf commits to it.
#[must_use]
pub fn verify_leaf(trust: &Trust, proof: &TlogProof, leaf: Option<&[u8]>, envelope: Option<&[u8]>) -> LeafFindings {
    let mut found = LeafFindings {
        index: proof.index,
        leaf: None,
        checkpoint: None,
        witnesses: Vec::new(),
        proved: Vec::new(),
        not_proved: Vec::new(),
        faults: Faults::default(),
    };
    match Checkpoint::open(&proof.checkpoint, trust.log()) {
        Ok(checkpoint) => {
            found.checkpoint = Some(checkpoint.head);
            let seen = witnesses::judge(trust.policy(), &proof.checkpoint);
            found.proved.extend(seen.proved);
            found.faults.0.extend(seen.faults.0);
            found.witnesses = seen.names;
        }
        Err(error) => found.faults.push("/checkpoint", "checkpoint_not_trusted", error.to_string()),
    }
    let brought = proof.extra.as_deref();
    match leaf.or(brought) {
        None => found.faults.push("/leaf", "leaf_missing", "the proof does not bring the bytes of its leaf: give them"),
        Some(bytes) => {
            if brought.is_some_and(|brought| brought != bytes) {
                found.faults.push("/leaf", "other_leaf", "the proof brings other bytes");
            }
            included(&mut found, proof, bytes);
        }
    }
    if let (Some(leaf), Some(envelope)) = (&found.leaf, envelope)
        && leaf.commitment != leaf::commitment(envelope)
    {
        found.faults.push("/envelope", "commitment_mismatch", "the leaf commits to other bytes");
    }
    if found.holds() {
        tell(&mut found, trust, envelope.is_some());
    } else {
        found.proved.clear();
    }
    found
}

fn included(found: &mut LeafFindings, proof: &TlogProof, bytes: &[u8]) {
    match Leaf::parse(bytes) {
        Ok(leaf) => found.leaf = Some(leaf),
        Err(error) => found.faults.push("/leaf", "leaf_malformed", error.to_string()),
    }
    let Some(head) = found.checkpoint else { return };
    if proof.index >= head.size {
        let detail = format!("leaf {} is younger than the checkpoint of {} leaves", proof.index, head.size);
        found.faults.push("/index", "leaf_after_checkpoint", detail);
        return;
    }
    let checked = proof::check_inclusion(&leaf_hash(bytes), proof.index, head.size, &proof.hashes, &head.root);
    if let Err(error) = checked {
        found.faults.push("/proof", "not_included", error.to_string());
    }
}

fn tell(found: &mut LeafFindings, trust: &Trust, enveloped: bool) {
    let (Some(head), Some(leaf)) = (found.checkpoint, &found.leaf) else { return };
    let cosigned = std::mem::take(&mut found.proved);
    found.proved.push(format!("The log {} had {} leaves and signed for them.", trust.origin(), head.size));
    found.proved.extend(cosigned);
    found.proved.push(format!(
        "Leaf {} is a {}, number {} on lane {}, and commits to {}.",
        found.index, leaf.kind, leaf.lane_seq, leaf.lane, leaf.commitment
    ));
    if enveloped {
        found.proved.push("It commits to the envelope, byte for byte.".to_owned());
    } else {
        found.not_proved.push("What was signed or written: the leaf holds its commitment only.".to_owned());
    }
    found.not_proved.push("Whose signature it holds, and that it is valid: see the receipt.".to_owned());
    found.not_proved.extend([NO_CLOCK, witnesses::left_open(&found.witnesses)].map(str::to_owned));
}
