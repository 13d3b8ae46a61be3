//! Ports: the key that signs, and the high-water mark that keeps a rolled-back log from being signed.
//!
//! Private keys live behind [`Signer`] (a file now, a key management service later), never in the
//! database and never in a log line. [`guard`] is the rollback guard: it must agree before each
//! checkpoint signature, at start too.

use super::checkpoint::TreeHead;
use super::merkle::{HashReader, MerkleError};
use super::proof;

pub use verifier::signer::{PortError, Signer};

/// Remembers, outside of the database and through a crash, the largest tree that was ever signed.
pub trait HighWater: Send + Sync {
    /// The largest signed tree; `None` before the first.
    ///
    /// # Errors
    /// When it exists and cannot be read: then nothing may be signed.
    fn read(&self) -> Result<Option<TreeHead>, PortError>;

    /// Replaces the mark and makes it durable before it returns.
    ///
    /// # Errors
    /// When the new mark is smaller, or of the same size with another root, or cannot be made durable.
    fn advance(&self, head: &TreeHead) -> Result<(), PortError>;
}

/// Why a tree must not be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// The tree is smaller than one that was signed: a restore or failover lost leaves.
    #[error("the log was rolled back: it has {found} leaves, but {signed} were signed")]
    RolledBack {
        /// Leaves signed before.
        signed: u64,
        /// Leaves now.
        found: u64,
    },
    /// The tree does not contain the one that was signed: history was rewritten.
    #[error("history was rewritten: the first {signed} leaves do not have the root that was signed")]
    Rewritten {
        /// Leaves signed before.
        signed: u64,
    },
    /// The tree does not contain one that a witness cosigned: it was rolled back, or history was rewritten.
    #[error(
        "the log does not extend the {cosigned} leaves that {witness} cosigned: it has {found} leaves, and lost or changed some of those"
    )]
    Cosigned {
        /// The name of the witness.
        witness: String,
        /// Leaves that it cosigned.
        cosigned: u64,
        /// Leaves now.
        found: u64,
    },
    /// The hashes for the proof cannot be read.
    #[error(transparent)]
    Unreadable(#[from] MerkleError),
}

/// Agrees only when `head` extends what was signed before, proved from the stored hashes.
///
/// # Errors
/// See [`GuardError`].
pub fn guard(reader: &impl HashReader, signed: Option<&TreeHead>, head: &TreeHead) -> Result<(), GuardError> {
    let nothing = TreeHead { size: 0, root: super::merkle::empty_root() };
    let signed = signed.unwrap_or(&nothing);
    if head.size < signed.size {
        return Err(GuardError::RolledBack { signed: signed.size, found: head.size });
    }
    let path = proof::prove_consistency(reader, signed.size, head.size)?;
    proof::check_consistency((signed.size, &signed.root), (head.size, &head.root), &path)
        .map_err(|_| GuardError::Rewritten { signed: signed.size })
}
