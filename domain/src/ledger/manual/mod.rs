//! What people write into the ledger by hand: one entry, many at once, or the reversal of one that they wrote.
//!
//! One person proposes, another approves the digest of what was proposed, and only then it is posted (`proposed →
//! posted | rejected`). Invariants: what is posted is what was approved, entry by entry and by id; a proposal is decided
//! once; accounts that are the projection of commission lines are never written by hand, since the use cases of the
//! lines keep both in step; an entry is undone once, by its mirror, and only if it was written by hand.
//! Bounds: [`MAX_ENTRIES`] entries, [`MAX_POSTINGS`] postings each; statements do not grow with their number.

use uuid::Uuid;

use super::entry::EntryKind;
use crate::directory::text::Grounds;
use crate::kernel::ids::{EntryId, ManualEntryId};
use crate::kernel::page::INVALID_CURSOR;
use crate::kernel::{Digest, Fault, Instant, Order, Page, PageRequest};
use crate::store::StoreError;

pub mod command;
pub mod content;
pub mod decide;
pub mod error;
pub mod floor;
pub mod propose;
pub mod reverse;

pub use command::{EntryInput, PostingInput, Propose, ProposeInput};
pub use content::FrozenEntries;
pub use error::ManualError;

/// Entries in one proposal, at most.
pub const MAX_ENTRIES: usize = 10_000;
/// Postings of one entry, at most.
pub const MAX_POSTINGS: usize = 100;

/// The kinds that a person may write: those that no use case owns.
pub const KINDS: [EntryKind; 4] = [EntryKind::Adjustment, EntryKind::Fee, EntryKind::FundsTransfer, EntryKind::Opening];

/// What a proposal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalKind {
    /// One entry.
    Entry,
    /// Many at once.
    Batch,
    /// The mirror of an entry.
    Reversal,
}

impl ProposalKind {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Batch => "batch",
            Self::Reversal => "reversal",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Entry, Self::Batch, Self::Reversal].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What happens to the others when one entry cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// None is taken.
    Atomic,
    /// They are taken.
    PerItem,
}

impl Mode {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Atomic => "atomic",
            Self::PerItem => "per_item",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Atomic, Self::PerItem].into_iter().find(|mode| mode.as_str() == text)
    }
}

/// Who did something, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act {
    /// The user or API client.
    pub by: Uuid,
    /// When.
    pub at: Instant,
}

/// Where a proposal stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ManualState {
    /// It waits for somebody else.
    Proposed,
    /// Somebody else approved it; what could be posted was.
    Posted(Act),
    /// Somebody said no.
    Rejected(Act, Option<Grounds>),
}

impl ManualState {
    /// As it is stored and shown.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Posted(_) => "posted",
            Self::Rejected(..) => "rejected",
        }
    }
}

/// Why an entry of a proposal can be refused.
const REFUSALS: [&str; 15] = [
    "account_floor",
    "account_of_lines",
    "amount_out_of_range",
    "balance_out_of_range",
    "in_future",
    "invalid_count",
    "invalid_id",
    "invalid_vertical_code",
    "not_balanced",
    "not_found",
    "not_wanted",
    "period_closed",
    "required",
    "unknown_value",
    "unsupported_currency",
];

/// Reads the code of a refusal that was stored.
#[must_use]
pub fn refusal_code(text: &str) -> Option<&'static str> {
    REFUSALS.into_iter().find(|code| *code == text)
}

/// An entry of a proposal that is not taken, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Its place among what was asked for, from 0.
    pub n: u32,
    /// What is wrong with it first.
    pub fault: Fault,
}

/// A proposal without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Its id.
    pub id: ManualEntryId,
    /// What it is.
    pub kind: ProposalKind,
    /// What happens to the others when one cannot be taken.
    pub mode: Mode,
    /// What is approved.
    pub content_sha256: Digest,
    /// Entries that it would post.
    pub entries: u32,
    /// Entries that were not taken.
    pub refused: u32,
    /// The sum of all debits.
    pub debit_minor: i64,
    /// Why.
    pub reason: String,
    /// Who proposed it.
    pub proposed: Act,
    /// Where it stands.
    pub state: ManualState,
    /// Counts changes, from 1.
    pub version: u32,
}

/// What became of one entry of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// It waits, was posted or was rejected with the proposal.
    Taken {
        /// Its place, from 0.
        n: u32,
        /// The entry, under the id that it has once it is posted.
        entry: content::EntryContent,
    },
    /// It is not taken.
    Refused(Refusal),
}

impl Item {
    /// Its place among what was asked for.
    #[must_use]
    pub const fn n(&self) -> u32 {
        match self {
            Self::Taken { n, .. } => *n,
            Self::Refused(refusal) => refusal.n,
        }
    }
}

/// A page of the entries of a proposal, in the order in which they were asked for; the key is the place.
///
/// # Errors
/// [`INVALID_CURSOR`] when the key is no place.
pub fn page_of(content: &FrozenEntries, refused: Vec<Refusal>, page: &PageRequest) -> Result<Page<Item>, StoreError> {
    let left_out: std::collections::BTreeSet<u32> = refused.iter().map(|refusal| refusal.n).collect();
    let taken = content.content().entries.iter().filter(|entry| !left_out.contains(&entry.n));
    let mut items: Vec<Item> = taken.map(|entry| Item::Taken { n: entry.n, entry: entry.clone() }).collect();
    items.extend(refused.into_iter().map(Item::Refused));
    items.sort_unstable_by_key(Item::n);
    let descending = page.order == Some(Order::Descending);
    if descending {
        items.reverse();
    }
    if let Some(key) = &page.after {
        let bytes: [u8; 4] = key.as_slice().try_into().map_err(|_| StoreError::Violates(INVALID_CURSOR.to_owned()))?;
        let after = u32::from_be_bytes(bytes);
        items.retain(|item| if descending { item.n() < after } else { item.n() > after });
    }
    items.truncate(usize::from(page.limit) + 1);
    Ok(Page::cut(items, page.limit, |item| item.n().to_be_bytes().to_vec()))
}

/// A posted entry, as far as its reversal needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undoable {
    /// The entry.
    pub id: EntryId,
    /// Its kind.
    pub kind: EntryKind,
    /// Its sides, in their order.
    pub postings: Vec<super::entry::Posting>,
    /// Whether a person wrote it.
    pub by_hand: bool,
    /// What has undone it.
    pub reversed_by: Option<EntryId>,
}

/// Parties and verticals that a proposal names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Organisations.
    pub organisations: Vec<Uuid>,
    /// Own bank accounts.
    pub bank_accounts: Vec<Uuid>,
    /// Verticals.
    pub verticals: Vec<Uuid>,
}

/// Proposals, inside a transaction.
pub trait ManualRepository {
    /// Which of these exist.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_named(&mut self, named: &Named) -> Result<Vec<Uuid>, StoreError>;

    /// Keeps a proposal and what of it was refused.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_proposal(
        &mut self,
        proposal: &Proposal,
        content: &FrozenEntries,
        refusals: &[Refusal],
    ) -> Result<(), StoreError>;

    /// Locks a proposal, with what it says.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_proposal(&mut self, id: ManualEntryId) -> Result<Option<(Proposal, FrozenEntries)>, StoreError>;

    /// Writes a decision and what of the proposal was refused then.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_proposal(&mut self, proposal: &Proposal, refusals: &[Refusal]) -> Result<(), StoreError>;

    /// A posted entry, to be undone.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_undoable(&mut self, id: EntryId) -> Result<Option<Undoable>, StoreError>;

    /// Writes which entry undoes which.
    ///
    /// # Errors
    /// `ledger_entry_reversed_once`: it is undone already.
    fn append_reversals(&mut self, pairs: &[(EntryId, EntryId)]) -> Result<(), StoreError>;

    /// Gives an own account a floor. Returns whether there is such an account and its balance is not below.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_floor(&mut self, account: crate::kernel::ids::AccountId, floor_minor: i64) -> Result<bool, StoreError>;
}

/// Proposals, to look up.
pub trait ManualQueries {
    /// Proposals, newest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_proposals(&mut self, state: Option<&str>, page: &PageRequest) -> Result<Page<Proposal>, StoreError>;

    /// One proposal.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_proposal(&mut self, id: ManualEntryId) -> Result<Option<Proposal>, StoreError>;

    /// What a proposal says, and what of it was refused.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_items(&mut self, id: ManualEntryId) -> Result<Option<(FrozenEntries, Vec<Refusal>)>, StoreError>;
}
