//! Recomputes a whole log from its leaves, and with an export everything that the leaves commit to.
//!
//! One pass over the files of a mirror or of the store ([`LogFiles`]), 256 leaves at a time. Each leaf must be canonical and
//! the next one of its lane; each hash and tile must be what the leaves give; the root must be the one that was signed;
//! checkpoints that somebody kept, and those that signers say to have seen, must be of this very log. With an export
//! ([`super::export`]) each envelope must be what its leaf commits to and signed by a key that is known at that index; each
//! entry of the ledger must balance, follow the one before and be there byte for byte; the statements of one handshake must
//! name each other ([`handshakes`]), tax papers the one before ([`papers`]); what is missing must be erased,
//! and a signed statement must say so. Every leaf is looked at: a sampled audit misses what was flipped.
//! Bounds: memory grows with the number of lanes (some 150 bytes each), of handshakes (some 200), of keys, of erased leaves and of distinct
//! checkpoints that were seen; at most [`MAX_DIFFERENCES`] differences are kept, all are counted.

mod content;
mod handshakes;
mod heads;
mod papers;
mod signed;
mod tree;

use super::checkpoint::{Checkpoint, TreeHead};
use super::export::ExportLines;
use super::mirror::{CHECKPOINT, LogFiles};
use super::note::VerifierKey;
use super::policy::Policy;
use super::signer::PortError;
use super::tile;
use super::trust::Trust;
use super::verify::judge_cosignatures;
use content::Content;
use tree::Walk;

/// Differences that a report keeps.
pub const MAX_DIFFERENCES: usize = 100;

/// Something that is not as the leaves say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The first leaf that it concerns; none when it concerns the log as a whole.
    pub index: Option<u64>,
    /// Of the log: `checkpoint_missing`, `checkpoint_not_trusted`, `cosignature_invalid`, `quorum_not_met`, `bundle_missing`, `bundle_malformed`, `leaf_malformed`,
    /// `lane_broken`, `hash_differs`, `tile_missing`, `tile_differs`, `root_differs`. Of checkpoints that were kept or seen:
    /// `truncated`, `rewritten`, `seen_differs`, `seen_from_the_future`. Of the export: see [`content`], [`signed`], [`handshakes`], [`papers`].
    pub code: &'static str,
    /// In words.
    pub detail: String,
}

/// What an audit found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditReport {
    /// What was signed; none when no checkpoint could be trusted.
    pub head: Option<TreeHead>,
    /// Leaves that were recomputed.
    pub leaves: u64,
    /// Lanes that were followed.
    pub lanes: u64,
    /// Hash tiles that were compared.
    pub tiles: u64,
    /// Checkpoints from elsewhere that the log was compared with.
    pub checkpoints: u64,
    /// Envelopes that were compared with their leaves.
    pub envelopes: u64,
    /// Of them, entries of the ledger.
    pub entries: u64,
    /// Signatures that were verified.
    pub signatures: u64,
    /// Leaves whose envelopes are erased, as a signed statement in this log says.
    pub erased: u64,
    /// Leaves whose envelopes are said to be erased by a signed statement that this log does not have yet: nothing proves
    /// that it ever will. They are to be erased, by a later audit, or the operator hid them.
    pub erased_unlogged: u64,
    /// Leaves that are younger than the export: of them only the leaves themselves were looked at.
    pub unexported: u64,
    /// The first differences, in the order in which they were met.
    pub differences: Vec<Difference>,
    /// All differences.
    pub difference_count: u64,
}

impl AuditReport {
    /// Whether the whole log is what was signed.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.difference_count == 0
    }

    /// The lowest leaf that anything is wrong with; where only a tile is wrong, the first of its leaves.
    #[must_use]
    pub fn first_bad_index(&self) -> Option<u64> {
        let of_tiles = |d: &&Difference| matches!(d.code, "tile_differs" | "tile_missing");
        let lowest =
            |tiles: bool| self.differences.iter().filter(|d| of_tiles(d) == tiles).filter_map(|d| d.index).min();
        lowest(false).or_else(|| lowest(true))
    }

    fn differ(&mut self, index: Option<u64>, code: &'static str, detail: String) {
        self.difference_count += 1;
        if self.differences.len() < MAX_DIFFERENCES {
            self.differences.push(Difference { index, code, detail });
        }
    }
}

/// What else a log is compared with.
#[derive(Default)]
pub struct Against<'a> {
    /// Signed checkpoints of the same log that were kept from before, or come from witnesses.
    pub kept: Vec<Checkpoint>,
    /// Who must have cosigned its checkpoint.
    pub witnesses: Option<&'a Policy>,
    /// What its leaves commit to, and who may have signed it.
    pub export: Option<(&'a Trust, &'a mut dyn ExportLines)>,
}

/// Recomputes a log. `progress` hears of leaves done and leaves in all.
///
/// # Errors
/// When a file may exist and cannot be read; a file that is missing is a difference.
pub fn audit(
    log: &VerifierKey,
    files: &dyn LogFiles,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<AuditReport, PortError> {
    audit_against(log, files, Against::default(), progress)
}

/// Recomputes a log and compares it with what else is there. `progress` hears of leaves done and leaves in all.
///
/// # Errors
/// When a file or the export cannot be read; what is missing in them is a difference.
pub fn audit_against(
    log: &VerifierKey,
    files: &dyn LogFiles,
    against: Against<'_>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<AuditReport, PortError> {
    let mut report = AuditReport::default();
    let Some(head) = signed_head(log, against.witnesses, files, &mut report)? else { return Ok(report) };
    report.head = Some(head);
    let mut kept = against.kept;
    let content = match against.export {
        Some((trust, lines)) => Content::begin(trust, lines, head, &mut report, &mut kept)?,
        None => None,
    };
    let mut walk = Walk::new(files, report, content, kept.iter().map(|kept| kept.head.size));
    for bundle in tile::bundles(head.size) {
        if !walk.bundle(bundle)? {
            heads::truncated(&mut walk.report, &kept, &head);
            return Ok(walk.report);
        }
        progress(walk.size(), head.size);
    }
    let (mut report, seen, roots) = walk.finish(&head)?;
    heads::compare_kept(&mut report, &head, &kept, &roots);
    heads::compare_seen(&mut report, files, &head, &seen);
    Ok(report)
}

fn signed_head(
    log: &VerifierKey,
    witnesses: Option<&Policy>,
    files: &dyn LogFiles,
    report: &mut AuditReport,
) -> Result<Option<TreeHead>, PortError> {
    let Some(note) = files.read(CHECKPOINT)? else {
        report.differ(None, "checkpoint_missing", "there is no checkpoint".to_owned());
        return Ok(None);
    };
    let opened = std::str::from_utf8(&note).map_err(|_| "it is not UTF-8".to_owned());
    match opened.and_then(|text| Checkpoint::open(text, log).map_err(|e| e.to_string())) {
        Ok(checkpoint) => {
            let text = String::from_utf8_lossy(&note);
            let seen = witnesses.map(|policy| judge_cosignatures(policy, &text));
            for fault in seen.into_iter().flat_map(|seen| seen.faults.0) {
                report.differ(None, fault.code, fault.detail);
            }
            Ok(Some(checkpoint.head))
        }
        Err(detail) => {
            report.differ(None, "checkpoint_not_trusted", detail);
            Ok(None)
        }
    }
}
