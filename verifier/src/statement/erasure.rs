//! The statement that what some leaves commit to was erased.
//!
//! It tells nothing of whom it was about: how many leaves lost their envelopes, and one digest of their commitments,
//! so that whoever is shown which leaves they were (an auditor, by an export) can check that it is those and no others.

use serde::{Deserialize, Serialize};

use super::{Signed, signed, typ};
use crate::checkpoint::TreeHead;
use crate::digest::Digest;
use crate::leaf::LeafKind;
use crate::parts::Salt;

const ERASED: &[u8] = b"flip360/erased/v1\0";

/// The digest of what was erased: of the commitments of the leaves, smallest first.
#[must_use]
pub fn digest_of(commitments: &[Digest]) -> Digest {
    let mut sorted = commitments.to_vec();
    sorted.sort_unstable();
    let parts: Vec<&[u8]> = std::iter::once(ERASED).chain(sorted.iter().map(|c| c.bytes().as_slice())).collect();
    Digest::of_parts(&parts)
}

/// The platform states that it has erased the envelopes of some leaves, their salts with them, and the secrets of
/// their lanes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    /// See [`digest_of`].
    pub commitments_sha256: Digest,
    /// The platform's signing key.
    pub kid: String,
    /// How many leaves lost what they commit to; none when only the directory told of the person.
    pub leaves: u32,
    /// The origin of the log.
    pub log: String,
    /// Random.
    pub salt: Salt,
    /// The last checkpoint that the signer verified.
    pub seen: TreeHead,
    /// [`super::VERSION`].
    pub v: u8,
}

impl Erasure {
    /// Whether these are the commitments of the leaves that it is about, and all of them.
    #[must_use]
    pub fn is_of(&self, commitments: &[Digest]) -> bool {
        usize::try_from(self.leaves).is_ok_and(|leaves| leaves == commitments.len())
            && self.commitments_sha256 == digest_of(commitments)
    }
}

signed!(Erasure, ERASURE, seen);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_of_the_set_and_of_all_of_it() {
        let (a, b, c) = (Digest::of(b"a"), Digest::of(b"b"), Digest::of(b"c"));
        assert_eq!(digest_of(&[a, b, c]), digest_of(&[c, a, b]));
        for other in [&[a, b][..], &[a, b, b], &[a, b, c, c], &[]] {
            assert_ne!(digest_of(&[a, b, c]), digest_of(other));
        }
    }
}
