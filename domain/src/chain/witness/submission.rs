//! What a log sends to a witness: the size that the witness knows, the proof from there, and the new checkpoint.
//!
//! Source: C2SP `tlog-witness`, the body of `add-checkpoint`: `old N`, the hashes of the proof in base64, an empty line,
//! the signed note. Each line ends in a newline. Bounds: [`MAX_PROOF`] hashes, [`MAX_BYTES`].

use super::super::encoding::{b64, digest_from_b64};
use super::super::note::{Note, NoteError};
use crate::kernel::Digest;

/// Hashes of a proof, at most.
pub const MAX_PROOF: usize = 63;
/// The longest body, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// Why a body is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmissionError {
    /// Not of the form.
    #[error("not a submission: {0}")]
    Malformed(&'static str),
    /// The checkpoint is no signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// A submitted checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The size that the witness cosigned last, as far as the log knows.
    pub old: u64,
    /// That the checkpoint extends the tree of that size.
    pub proof: Vec<Digest>,
    /// The signed checkpoint.
    pub note: Note,
}

impl Submission {
    /// Reads a body.
    ///
    /// # Errors
    /// See [`SubmissionError`].
    pub fn parse(body: &[u8]) -> Result<Self, SubmissionError> {
        if body.len() > MAX_BYTES {
            return Err(SubmissionError::Malformed("longer than 64 KiB"));
        }
        let body = std::str::from_utf8(body).map_err(|_| SubmissionError::Malformed("not UTF-8"))?;
        let (head, note) =
            body.split_once("\n\n").ok_or(SubmissionError::Malformed("no empty line after the proof"))?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(decimal);
        let old = old.ok_or(SubmissionError::Malformed("expected `old` and a size"))?;
        let proof = lines.map(digest_from_b64).collect::<Option<Vec<_>>>();
        let proof = proof.ok_or(SubmissionError::Malformed("a hash of the proof is not the base64 of 32 bytes"))?;
        if proof.len() > MAX_PROOF {
            return Err(SubmissionError::Malformed("more than 63 hashes"));
        }
        Ok(Self { old, proof, note: Note::parse(note)? })
    }
}

impl std::fmt::Display for Submission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", b64(hash.bytes())))?;
        write!(f, "\n{}", self.note)
    }
}

/// A number in its one decimal spelling: no sign, no leading zero.
pub(super) fn decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}
