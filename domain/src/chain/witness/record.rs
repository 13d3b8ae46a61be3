//! What is kept of witnesses: cosignatures, evidence, and how far the log is published.
//!
//! Cosignatures and evidence are append-only. The published size only rises: a checkpoint is published when the quorum has
//! cosigned it, or as soon as it is signed where no quorum is asked for. A cosignature of the same witness for the same
//! size, and evidence of the same refusal, are kept once. Whoever was once found [`EvidenceKind::Behind`] is not counted
//! again: another key is another witness.

use super::super::checkpoint::TreeHead;
use super::super::cosignature::WitnessKey;
use super::super::note::NoteSignature;
use super::super::policy::Policy;
use super::super::published::PublishedNote;
use crate::kernel::ids::EvidenceId;
use crate::kernel::{Instant, Page, PageRequest};
use crate::store::{StoreError, UnitOfWork};

/// The newest checkpoint that a witness is known to have cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignedHead {
    /// Its verifier key.
    pub witness: String,
    /// Size and root.
    pub head: TreeHead,
}

impl CosignedHead {
    /// The name in the verifier key.
    #[must_use]
    pub fn name(&self) -> &str {
        self.witness.split('+').next().unwrap_or_default()
    }
}

/// A witness cosigned a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// Its verifier key.
    pub witness: String,
    /// What it cosigned.
    pub head: TreeHead,
    /// The signature line, without its newline.
    pub line: String,
    /// When by its own account, in seconds since 1970.
    pub time: u64,
    /// When it came here.
    pub received_at: Instant,
}

/// Why a witness did not cosign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EvidenceKind {
    /// It saw another tree of this log: the log was forked, rolled back and gone on, or rewritten.
    Fork,
    /// It saw a larger tree than this log has: leaves were lost.
    Ahead,
    /// It refused what extends, provably, the very checkpoint that it cosigned: the witness is at fault.
    Refused,
    /// It says to have cosigned fewer leaves than its own cosignature, which is kept here, is of: it has forgotten, and
    /// may cosign another history. The witness is at fault, and its cosignatures count no more.
    Behind,
}

impl EvidenceKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Fork, Self::Ahead, Self::Refused, Self::Behind];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Ahead => "ahead",
            Self::Refused => "refused",
            Self::Behind => "behind",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A refusal, with what was shown and what was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Its id.
    pub id: EvidenceId,
    /// Why.
    pub kind: EvidenceKind,
    /// The verifier key of the witness.
    pub witness: String,
    /// The size that the witness was said to know.
    pub old_size: u64,
    /// The size of the checkpoint that it was shown.
    pub size: u64,
    /// That checkpoint, signed.
    pub note: String,
    /// The status of its answer.
    pub status: u16,
    /// Its answer, as far as it was read.
    pub response: Vec<u8>,
    /// When.
    pub at: Instant,
}

/// Cosignatures and evidence, inside a transaction.
pub trait WitnessRepository {
    /// The newest checkpoint of each witness that ever cosigned.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_cosigned_heads(&mut self) -> Result<Vec<CosignedHead>, StoreError>;

    /// Keeps a cosignature; another one of the same witness for the same size changes nothing.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_cosignature(&mut self, cosignature: &Cosignature) -> Result<(), StoreError>;

    /// The verifier keys of those who cosigned the checkpoint of a size and count: who went back never does.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_cosigners(&mut self, size: u64) -> Result<Vec<String>, StoreError>;

    /// Publishes the checkpoint of a size, unless a larger one is published.
    ///
    /// # Errors
    /// The failure of the store.
    fn publish(&mut self, size: u64) -> Result<(), StoreError>;

    /// Keeps evidence; of the same refusal once. `true` when it is new.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_evidence(&mut self, evidence: &Evidence) -> Result<bool, StoreError>;
}

/// The same, to look up.
pub trait WitnessQueries {
    /// The newest checkpoint that was signed, published or not.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_signed_note(&mut self) -> Result<Option<PublishedNote>, StoreError>;

    /// The newest checkpoint, not above a size, that a witness cosigned.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_cosigned_head(&mut self, witness: &str, up_to: u64) -> Result<Option<TreeHead>, StoreError>;

    /// A page of the evidence, the newest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_evidence(&mut self, page: &PageRequest) -> Result<Page<Evidence>, StoreError>;

    /// How much evidence there is.
    ///
    /// # Errors
    /// The failure of the store.
    fn count_evidence(&mut self) -> Result<u64, StoreError>;
}

/// What a kept cosignature brought about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Whether it counts: its witness has not gone back.
    pub counts: bool,
    /// Whether the quorum has cosigned the checkpoint.
    pub met: bool,
}

/// Keeps a cosignature, and publishes the checkpoint when the quorum has cosigned it.
///
/// # Errors
/// The failure of the store.
pub fn keep(
    uow: &mut dyn UnitOfWork,
    policy: &Policy,
    witness: &WitnessKey,
    head: &TreeHead,
    (line, time): (&NoteSignature, u64),
    now: Instant,
) -> Result<Kept, StoreError> {
    let cosignature =
        Cosignature { witness: witness.to_string(), head: *head, line: line.to_string(), time, received_at: now };
    uow.witnesses().append_cosignature(&cosignature)?;
    let cosigners = uow.witnesses().find_cosigners(head.size)?;
    let counted = policy.witnesses().iter().filter(|one| cosigners.contains(&one.to_string())).count();
    let met = counted >= policy.quorum();
    if met {
        uow.witnesses().publish(head.size)?;
    }
    Ok(Kept { counts: cosigners.contains(&cosignature.witness), met })
}
