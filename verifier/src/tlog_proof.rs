//! Proofs of one leaf in the form that other tools read.
//!
//! Source: C2SP `tlog-proof` v1: a line with the name of the format, `extra` and base64 where there is anything to
//! add, `index` and a number, the hashes of the inclusion proof in base64 from the leaf upwards, an empty line, the
//! signed checkpoint as it is. Here `extra` brings the bytes of the leaf, which the hash is taken of: nothing is taken
//! from it on trust. One spelling only: what would be written otherwise is refused. Bounds: 1 MB, 63 hashes.

use super::checkpoint::{Checkpoint, CheckpointError};
use super::encoding::{b64, digest_from_b64, from_b64};
use super::note::Note;
use super::receipt::{Logged, Receipt};
use crate::digest::Digest;

/// The first line of every proof.
pub const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// The longest proof, in bytes.
pub const MAX_BYTES: usize = 1_000_000;
/// The hashes of a proof in the largest tree, and one to spare.
const MAX_HASHES: usize = 63;

/// Why a text is no proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    /// Longer than [`MAX_BYTES`], or not UTF-8.
    #[error("a proof is a text of at most {MAX_BYTES} bytes")]
    NotText,
    /// A line is not what it must be.
    #[error("not a tlog proof: {0}")]
    Malformed(&'static str),
    /// The checkpoint at its end.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// That a leaf is in a log, and under which checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// The bytes of the leaf, where the proof brings them.
    pub extra: Option<Vec<u8>>,
    /// The index of the leaf.
    pub index: u64,
    /// From the leaf upwards.
    pub hashes: Vec<Digest>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

impl TlogProof {
    /// Of something that a receipt proves.
    #[must_use]
    pub fn of_item(item: &Logged, checkpoint: &str) -> Self {
        Self {
            extra: Some(item.leaf.clone().into_bytes()),
            index: item.index,
            hashes: item.proof.clone(),
            checkpoint: checkpoint.to_owned(),
        }
    }

    /// Of the main item of a receipt: its last one, so of a handshake the seal, which commits to the others.
    #[must_use]
    pub fn of(receipt: &Receipt) -> Option<Self> {
        receipt.items.last().map(|item| Self::of_item(item, &receipt.checkpoint))
    }

    /// Whether some bytes are meant to be a proof, not a receipt.
    #[must_use]
    pub fn is_meant(bytes: &[u8]) -> bool {
        bytes.starts_with(FIRST_LINE.as_bytes())
    }

    /// Reads a proof. Judges its form only: see [`super::verify::verify_leaf`].
    ///
    /// # Errors
    /// See [`TlogProofError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        let malformed = TlogProofError::Malformed;
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= MAX_BYTES);
        let text = text.ok_or(TlogProofError::NotText)?;
        let (head, checkpoint) = text.split_once("\n\n").ok_or(malformed("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(FIRST_LINE) {
            return Err(malformed("the first line does not name the format"));
        }
        let extra = match lines.next_if(|line| line.starts_with("extra ")).and_then(|line| line.strip_prefix("extra "))
        {
            Some(encoded) => Some(from_b64(encoded).ok_or(malformed("`extra` is not base64"))?),
            None => None,
        };
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index.and_then(|digits| digits.parse().ok()).ok_or(malformed("no `index` with a number"))?;
        let hashes = lines.map(digest_from_b64).collect::<Option<Vec<_>>>();
        let hashes = hashes.ok_or(malformed("a line is not the base64 of a hash"))?;
        if hashes.len() > MAX_HASHES {
            return Err(malformed("no tree is so high"));
        }
        let note = Note::parse(checkpoint).map_err(CheckpointError::from)?;
        let _ = Checkpoint::parse(note.text())?;
        let proof = Self { extra, index, hashes, checkpoint: checkpoint.to_owned() };
        // Kills leading zeros, signs, and an `extra` of nothing.
        if proof.extra.as_ref().is_some_and(Vec::is_empty) || proof.to_string() != text {
            return Err(malformed("not in canonical form"));
        }
        Ok(proof)
    }
}

impl std::fmt::Display for TlogProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", b64(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", b64(hash.bytes()))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}
