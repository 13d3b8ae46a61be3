//! Witnesses: others who see every checkpoint of a log and say so, so that nobody is shown another one.
//!
//! Source: C2SP `tlog-witness` and `tlog-cosignature`. The log's side sends each signed checkpoint ([`submission`]), reads
//! what the witness says ([`answer`]) and keeps its cosignature, or the evidence that it refused ([`record`]); a
//! checkpoint is published once the quorum of [`file::Witnesses`] has cosigned it. What a witness once cosigned is
//! remembered, and no tree is signed that does not extend it ([`extends`]). The witness's side, for others to run, is
//! [`cosigner`]. Pure: who sends, listens and keeps is elsewhere.

pub mod answer;
pub mod cosigner;
pub mod file;
pub mod record;
pub mod submission;

use super::checkpoint::TreeHead;
use super::merkle::HashReader;
use super::signer::{GuardError, guard};
use record::CosignedHead;

/// Agrees only when `head` extends what was signed before, and what each witness cosigned last.
///
/// # Errors
/// See [`GuardError`].
pub fn extends(
    reader: &impl HashReader,
    signed: Option<&TreeHead>,
    cosigned: &[CosignedHead],
    head: &TreeHead,
) -> Result<(), GuardError> {
    guard(reader, signed, head)?;
    for (n, one) in cosigned.iter().enumerate() {
        // Most witnesses stand at the same checkpoint: one proof is enough for all of them.
        let known = Some(&one.head) == signed || cosigned.iter().take(n).any(|other| other.head == one.head);
        if !known {
            guard(reader, Some(&one.head), head).map_err(|error| match error {
                GuardError::Unreadable(error) => GuardError::Unreadable(error),
                _ => GuardError::Cosigned { witness: one.name().to_owned(), cosigned: one.head.size, found: head.size },
            })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::merkle::{MemoryRows, leaf_hash};

    fn rows(leaves: u32) -> (MemoryRows, TreeHead) {
        let rows = MemoryRows::of((0..leaves).map(|n| leaf_hash(&n.to_be_bytes())));
        let head = TreeHead { size: rows.size(), root: rows.root() };
        (rows, head)
    }

    fn cosigned(head: TreeHead) -> CosignedHead {
        CosignedHead { witness: "witness.test+00000000+BA==".to_owned(), head }
    }

    #[test]
    fn a_tree_that_does_not_hold_what_a_witness_cosigned_is_not_signed() {
        let (tree, head) = rows(9);
        let (_, older) = rows(5);
        let (_, newer) = rows(12);
        assert_eq!(extends(&tree, Some(&older), &[cosigned(older), cosigned(head)], &head), Ok(()));
        let refused = |cosigned: u64| GuardError::Cosigned { witness: "witness.test".into(), cosigned, found: 9 };
        assert_eq!(extends(&tree, Some(&older), &[cosigned(older), cosigned(newer)], &head), Err(refused(12)));
        let forked = TreeHead { size: 5, root: leaf_hash(b"another") };
        assert_eq!(extends(&tree, None, &[cosigned(forked)], &head), Err(refused(5)));
        assert_eq!(extends(&tree, Some(&newer), &[], &head), Err(GuardError::RolledBack { signed: 12, found: 9 }));
    }
}
