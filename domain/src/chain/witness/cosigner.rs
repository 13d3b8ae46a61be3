//! What a witness decides about a submitted checkpoint.
//!
//! Source: C2SP `tlog-witness`, in the order that it asks for: is the log known (404), is the checkpoint signed by one of
//! its keys (403), is the old size not above the new one (400), is the old size the one that was cosigned last (409), do
//! trees of one size have one root (409), does the proof lead from one to the other (422). What is agreed to must be kept
//! before it is cosigned, and nobody else may decide about that log meanwhile: both are up to the caller.

use super::super::checkpoint::{Checkpoint, TreeHead};
use super::super::note::VerifierKey;
use super::super::{merkle, proof};
use super::submission::Submission;

/// Why a checkpoint is not cosigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request cannot be read, or names a larger tree than it shows.
    #[error("{0}")]
    Malformed(String),
    /// Not a log of this witness.
    #[error("this witness does not know the log {0}")]
    UnknownLog(String),
    /// No signature of a trusted key of the log.
    #[error("the checkpoint is not signed by a key that this witness knows for the log {0}")]
    NotSigned(String),
    /// The witness cosigned another size last, or another tree of this one.
    #[error("this witness cosigned {0} leaves last")]
    Conflict(u64),
    /// The proof does not lead from what was cosigned to what is shown.
    #[error("the proof does not lead from the {0} leaves that were cosigned to this checkpoint")]
    Inconsistent(u64),
}

/// A checkpoint that may be cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreed {
    /// The name of the log.
    pub origin: String,
    /// What is to be remembered of it.
    pub head: TreeHead,
    /// The whole text that is cosigned, extension lines included.
    pub text: String,
}

/// The log that a request is about, and the request.
///
/// # Errors
/// [`Refusal::Malformed`].
pub fn read(body: &[u8]) -> Result<(String, Submission), Refusal> {
    let malformed = |error: &dyn std::fmt::Display| Refusal::Malformed(error.to_string());
    let submission = Submission::parse(body).map_err(|e| malformed(&e))?;
    let checkpoint = Checkpoint::parse_extended(submission.note.text()).map_err(|e| malformed(&e))?;
    Ok((checkpoint.origin, submission))
}

/// Decides, given the keys of the logs and what was cosigned last of this one.
///
/// # Errors
/// See [`Refusal`].
pub fn judge(logs: &[VerifierKey], latest: Option<&TreeHead>, submission: &Submission) -> Result<Agreed, Refusal> {
    let note = &submission.note;
    let checkpoint = Checkpoint::parse_extended(note.text()).map_err(|e| Refusal::Malformed(e.to_string()))?;
    let Checkpoint { origin, head } = checkpoint;
    let mut keys = logs.iter().filter(|key| key.name() == origin).peekable();
    if keys.peek().is_none() {
        return Err(Refusal::UnknownLog(origin));
    }
    if !keys.any(|key| note.verify(key).is_ok()) {
        return Err(Refusal::NotSigned(origin));
    }
    if submission.old > head.size {
        return Err(Refusal::Malformed("the old size is larger than the checkpoint".to_owned()));
    }
    let nothing = TreeHead { size: 0, root: merkle::empty_root() };
    let latest = latest.unwrap_or(&nothing);
    if submission.old != latest.size || (head.size == latest.size && head.root != latest.root) {
        return Err(Refusal::Conflict(latest.size));
    }
    proof::check_consistency((latest.size, &latest.root), (head.size, &head.root), &submission.proof)
        .map_err(|_| Refusal::Inconsistent(latest.size))?;
    Ok(Agreed { origin, head, text: note.text().to_owned() })
}
