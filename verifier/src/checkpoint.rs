//! Checkpoints: what a log commits to at one size.
//!
//! Source: C2SP `tlog-checkpoint`: `origin\nsize\nbase64(root)\n`, as a signed note under the origin's
//! name. Extension lines are refused: nobody here writes any; a witness of other logs takes them
//! ([`Checkpoint::parse_extended`]). The text holds no clock, and Ed25519 is
//! deterministic, so signing again after a crash gives identical bytes.

use serde::{Deserialize, Serialize};

use super::encoding::{b64, digest_b64, digest_from_b64};
use super::note::{Note, NoteError, VerifierKey};
use super::signer::Signer;
use crate::digest::Digest;

/// A size and the root of the tree of that size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TreeHead {
    /// Base64 in JSON.
    #[serde(with = "digest_b64")]
    pub root: Digest,
    /// The number of leaves.
    pub size: u64,
}

/// What a log commits to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// Size and root.
    pub head: TreeHead,
}

/// Why a checkpoint is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not exactly three lines of the right form.
    #[error("not a checkpoint: {0}")]
    Malformed(&'static str),
    /// The note around it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Of another log.
    #[error("the checkpoint is of log {found}, not {expected}")]
    OtherLog {
        /// The trusted origin.
        expected: String,
        /// The origin in the checkpoint.
        found: String,
    },
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.head.size, b64(self.head.root.bytes()))
    }

    /// Reads the text.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`], with the reason.
    pub fn parse(body: &str) -> Result<Self, CheckpointError> {
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root), Some(""), None) =
            (lines.next(), lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Malformed("expected exactly three lines"));
        };
        let size = size.parse().map_err(|_| CheckpointError::Malformed("the size is not a number"))?;
        let root = digest_from_b64(root).ok_or(CheckpointError::Malformed("the root is not the base64 of 32 bytes"))?;
        let checkpoint = Self { origin: origin.to_owned(), head: TreeHead { size, root } };
        // Kills leading zeros and signs.
        if origin.is_empty() || checkpoint.body() != body {
            return Err(CheckpointError::Malformed("not in canonical form"));
        }
        Ok(checkpoint)
    }

    /// Reads the text of any log's checkpoint: extension lines may follow the three, and are part of what is signed.
    ///
    /// # Errors
    /// [`CheckpointError::Malformed`], with the reason.
    pub fn parse_extended(body: &str) -> Result<Self, CheckpointError> {
        let third = body.match_indices('\n').nth(2).map(|(at, _)| at + 1);
        let (own, extensions) = body.split_at(third.unwrap_or(body.len()));
        if !extensions.is_empty()
            && !extensions.strip_suffix('\n').is_some_and(|e| e.split('\n').all(|l| !l.is_empty()))
        {
            return Err(CheckpointError::Malformed("an extension line is empty or has no end"));
        }
        Self::parse(own)
    }

    /// Signs it under the origin's name.
    ///
    /// # Errors
    /// When the origin cannot name a key, or the signer fails.
    pub fn sign(&self, signer: &dyn Signer) -> Result<Note, NoteError> {
        Note::sign(&self.body(), &self.origin, signer)
    }

    /// Reads a signed checkpoint and checks the signature and the origin, which is the key's name.
    ///
    /// # Errors
    /// See [`CheckpointError`].
    pub fn open(note: &str, verifier: &VerifierKey) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        note.verify(verifier)?;
        let checkpoint = Self::parse(note.text())?;
        if checkpoint.origin == verifier.name() {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::OtherLog { expected: verifier.name().to_owned(), found: checkpoint.origin })
        }
    }
}
