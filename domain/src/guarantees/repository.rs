//! The ports of the guarantees: evidence in pages, whole-table checks, and the runs that were kept.

use jiff::civil::Date;
use uuid::Uuid;

use crate::agreements::repository::StoredCalculation;
use crate::agreements::version::GoverningVersion;
use crate::kernel::ids::{
    AccountId, DealId, EntryId, ErasureId, GuaranteeRunId, HandshakeId, LineId, MemberId, PayeeId,
};
use crate::kernel::page::{Page, PageRequest};
use crate::kernel::{Digest, Instant};
use crate::ledger::repository::{AccountBalance, LedgerHead};
use crate::store::StoreError;

pub use super::check::Check;

/// One violation of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What it is about.
    pub subject: Uuid,
    /// In words.
    pub detail: String,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violations {
    /// All of them.
    pub count: u64,
    /// The first, by subject.
    pub examples: Vec<Violation>,
}

/// An entry with the leaf that commits to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryEvidence {
    /// Its sequence number.
    pub seq: i64,
    /// Its id.
    pub id: EntryId,
    /// Its kind.
    pub kind: String,
    /// The deal.
    pub deal: Option<DealId>,
    /// The payee.
    pub payee: Option<PayeeId>,
    /// What caused it.
    pub source: Uuid,
    /// The business date.
    pub effective_on: Date,
    /// When it was written.
    pub recorded_at: Instant,
    /// The exact bytes.
    pub canonical: Vec<u8>,
    /// Their hash.
    pub sha256: Digest,
    /// The hash of the entry before.
    pub previous_sha256: Digest,
    /// The bytes of its leaves, with or without an index: one.
    pub leaves: Vec<Vec<u8>>,
}

/// A posting as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostingEvidence {
    /// The entry.
    pub entry_seq: i64,
    /// The account.
    pub account: AccountId,
    /// Debit positive.
    pub amount_minor: i64,
    /// Its place in the account.
    pub account_seq: i64,
    /// The account's balance after it.
    pub balance_after_minor: i64,
    /// The commission line.
    pub line: Option<LineId>,
}

/// A handshake and whose money rests on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandshakeEvidence {
    /// Its id.
    pub id: HandshakeId,
    /// The deal.
    pub deal: DealId,
    /// Whether it has its seal.
    pub sealed: bool,
    /// Who referred, as the deal says.
    pub member: MemberId,
    /// Who earns on the deal.
    pub earners: Vec<MemberId>,
}

/// An erasure, its statement, and the leaves that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureEvidence {
    /// Its id.
    pub id: ErasureId,
    /// The signed statement.
    pub envelope: Option<Vec<u8>>,
    /// The bytes of its leaves, with or without an index: one.
    pub own_leaves: Vec<Vec<u8>>,
    /// The bytes of the leaves that lost what they commit to.
    pub leaves: Vec<Vec<u8>>,
    /// Secrets that it names and that are there all the same.
    pub still_kept: u64,
}

/// A checkpoint as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointEvidence {
    /// Leaves.
    pub size: u64,
    /// The root.
    pub root: Digest,
    /// The text.
    pub body: Vec<u8>,
    /// The signed note.
    pub note: Option<Vec<u8>>,
}

/// An executed run and its bank file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankFileEvidence {
    /// Its id.
    pub id: Uuid,
    /// The run.
    pub run: Uuid,
    /// What the run pays by it.
    pub total_minor: i64,
    /// In how many payouts.
    pub payouts: u64,
    /// The file.
    pub file: Vec<u8>,
}

/// How much there is, and amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Deals.
    pub deals: u64,
    /// Facts of deals.
    pub facts: u64,
    /// Commission lines.
    pub lines: u64,
    /// Payouts.
    pub payouts: u64,
    /// Runs that were executed.
    pub runs_executed: u64,
    /// Leaves that wait for their index.
    pub pending_leaves: u64,
    /// Earned over all lines.
    pub earned_minor: i64,
    /// Clawed back over all lines.
    pub clawed_back_minor: i64,
    /// Paid out.
    pub paid_minor: i64,
    /// Lines of providers' statements that were posted.
    pub receipts: u64,
    /// What they settled, without GST.
    pub received_minor: i64,
    /// What of them is unapplied.
    pub unapplied_minor: i64,
}

/// Everything that the checks look at.
pub trait GuaranteeQueries {
    /// How much there is.
    ///
    /// # Errors
    /// The failure of the store.
    fn totals(&mut self) -> Result<Totals, StoreError>;

    /// Runs a check as of a moment; examples at most so many.
    ///
    /// # Errors
    /// The failure of the store.
    fn violations(&mut self, check: Check, at: Instant, limit: u32) -> Result<Violations, StoreError>;

    /// The entries after a sequence number, in order.
    ///
    /// # Errors
    /// The failure of the store.
    fn entries(&mut self, after_seq: i64, limit: u32) -> Result<Vec<EntryEvidence>, StoreError>;

    /// The postings of a range of entries, ends included, in order.
    ///
    /// # Errors
    /// The failure of the store.
    fn postings(&mut self, from_seq: i64, to_seq: i64) -> Result<Vec<PostingEvidence>, StoreError>;

    /// Where the ledger stands.
    ///
    /// # Errors
    /// The failure of the store.
    fn ledger_head(&mut self) -> Result<LedgerHead, StoreError>;

    /// Every balance.
    ///
    /// # Errors
    /// The failure of the store.
    fn balances(&mut self) -> Result<Vec<AccountBalance>, StoreError>;

    /// The checkpoints after a size, in order; `None` begins with the empty log's.
    ///
    /// # Errors
    /// The failure of the store.
    fn checkpoints(&mut self, after_size: Option<u64>, limit: u32) -> Result<Vec<CheckpointEvidence>, StoreError>;

    /// The handshakes after an id, by id.
    ///
    /// # Errors
    /// The failure of the store.
    fn handshakes(&mut self, after: Uuid, limit: u32) -> Result<Vec<HandshakeEvidence>, StoreError>;

    /// The erasures after an id, by id.
    ///
    /// # Errors
    /// The failure of the store.
    fn erasures(&mut self, after: Uuid, limit: u32) -> Result<Vec<ErasureEvidence>, StoreError>;

    /// Every version that ever governed.
    ///
    /// # Errors
    /// The failure of the store.
    fn versions(&mut self) -> Result<Vec<GoverningVersion>, StoreError>;

    /// The calculations after an id, by id.
    ///
    /// # Errors
    /// The failure of the store.
    fn calculations(&mut self, after: Uuid, limit: u32) -> Result<Vec<StoredCalculation>, StoreError>;

    /// The executed runs after an id, by id.
    ///
    /// # Errors
    /// The failure of the store.
    fn bank_files(&mut self, after: Uuid, limit: u32) -> Result<Vec<BankFileEvidence>, StoreError>;

    /// The runs that were kept, newest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_runs(&mut self, page: &PageRequest) -> Result<Page<KeptRun>, StoreError>;

    /// One run.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_run(&mut self, id: GuaranteeRunId) -> Result<Option<KeptRun>, StoreError>;
}

/// A run as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRun {
    /// Its id.
    pub id: GuaranteeRunId,
    /// Whether all promises held.
    pub holds: bool,
    /// The signed report: a compact JWS.
    pub envelope: Vec<u8>,
    /// The leaves of the checkpoint that it was taken at.
    pub checkpoint_size: u64,
    /// Who asked for it.
    pub created_by: Uuid,
    /// When.
    pub created_at: Instant,
}

/// The runs, inside a transaction.
pub trait GuaranteeRepository {
    /// Keeps a run.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_run(&mut self, run: &KeptRun) -> Result<(), StoreError>;
}
