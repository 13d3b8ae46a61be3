//! Posting: drafts become entries, under the lock of the ledger's head.
//!
//! Order of locks: lanes → balances → head, which is always last. Sequence, previous hash and balances
//! are worked out in memory under them and written set-based. Statements per call, whatever the number
//! of drafts up to [`CHUNK`]: find accounts (+ open), lock balances, lock head, lanes and leaves (5), entries, postings,
//! balances, head, events. More are written chunk by chunk under the same locks, so that neither memory nor the time of a
//! statement grows with them; bounds hold after each chunk.
//!
//! A closed period takes no entry: what would have taken effect in one does so on the first open day, and keeps the
//! day that was meant beside it. An account never leaves its bounds. The database refuses both besides.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::account::AccountKey;
use super::entry::{CanonicalEntry, CanonicalPosting, EntryDraft, EntryError};
use super::repository::{Account, AccountBalance, LedgerHead, PostedEntry, PostedPosting};
use crate::access::ownership;
use crate::chain::encoding::b64url;
use crate::chain::leaf::LeafKind;
use crate::chain::log::{self, LogItem};
use crate::env::Env;
use crate::events::data::EntryPosted;
use crate::events::{EventKind, NewEvent};
use crate::kernel::Digest;
use crate::kernel::ids::AccountId;
use crate::store::{StoreError, UnitOfWork, UseCaseError};

/// What the first entry names as the hash before it is the digest of this; the head begins with it.
pub const GENESIS: &[u8] = b"flip360/ledger/v1";

/// How many entries are written at once: no fewer than a batch by hand may have.
const CHUNK: usize = 10_000;

/// Why nothing was posted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// A draft is not an entry: a defect of the caller, never of a user.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// A balance leaves 64 bits.
    #[error("an account's balance is out of range")]
    BalanceOutOfRange,
    /// An account would be on its wrong side, or an own account below its floor.
    #[error("{0} would be out of its bounds")]
    OutOfBounds(AccountId),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl PostError {
    /// The failure of the store behind it.
    ///
    /// # Errors
    /// The refusal of the ledger, when it is one.
    pub fn or_refusal(self) -> Result<StoreError, Self> {
        match self {
            Self::Store(error) => Ok(error),
            Self::Entry(_) | Self::BalanceOutOfRange | Self::OutOfBounds(_) => Err(self),
        }
    }

    /// The failure of the store behind it, or in words why the ledger refused.
    ///
    /// # Errors
    /// The words.
    pub fn or_words(self) -> Result<StoreError, String> {
        self.or_refusal().map_err(|refusal| refusal.to_string())
    }
}

impl UseCaseError for PostError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Entry(_) | Self::BalanceOutOfRange | Self::OutOfBounds(_) => None,
        }
    }
}

/// Posts all drafts in their order, or none.
///
/// # Errors
/// See [`PostError`].
pub fn post(uow: &mut dyn UnitOfWork, env: &Env<'_>, drafts: Vec<EntryDraft>) -> Result<(), PostError> {
    if drafts.is_empty() {
        return Ok(());
    }
    for draft in &drafts {
        draft.check()?;
    }
    let accounts = opened(uow, env, &drafts)?;
    let mut ids: Vec<AccountId> = accounts.values().copied().collect();
    ids.sort_unstable();
    // Lanes are locked before balances, so leaves of the entries need a place first: an empty append
    // of nothing would not lock; the deal's lane is locked here by taking the lanes of all subjects.
    let mut subjects: Vec<uuid::Uuid> = drafts.iter().map(subject_of).collect();
    subjects.sort_unstable();
    subjects.dedup();
    uow.chain().lock_lanes(&subjects)?;
    let mut balances: BTreeMap<AccountId, AccountBalance> =
        uow.ledger().lock_balances(&ids)?.into_iter().map(|b| (b.account, b)).collect();
    let mut head = uow.ledger().lock_head()?;
    let mut drafts = drafts.into_iter();
    loop {
        let chunk: Vec<EntryDraft> = drafts.by_ref().take(CHUNK).collect();
        if chunk.is_empty() {
            return Ok(());
        }
        write(uow, env, chunk, &accounts, &mut balances, &mut head)?;
    }
}

/// Numbers and writes what fits into one set of statements.
fn write(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    drafts: Vec<EntryDraft>,
    accounts: &BTreeMap<AccountKey, AccountId>,
    balances: &mut BTreeMap<AccountId, AccountBalance>,
    head: &mut LedgerHead,
) -> Result<(), PostError> {
    let mut entries = Vec::with_capacity(drafts.len());
    let mut postings = Vec::new();
    for draft in drafts {
        let entry = numbered(env, draft, accounts, head)?;
        place(&entry, accounts, balances, &mut postings)?;
        entries.push(entry);
    }
    let moved: BTreeSet<AccountId> = postings.iter().map(|posting| posting.account).collect();
    let moved: Vec<AccountBalance> = moved.iter().filter_map(|account| balances.get(account).copied()).collect();
    if let Some(broken) = moved.iter().find(|balance| !balance.bounds.hold(balance.balance_minor)) {
        return Err(PostError::OutOfBounds(broken.account));
    }
    let items: Vec<LogItem> = entries
        .iter()
        .map(|entry| LogItem {
            subject: subject_of(&entry.draft),
            source: entry.draft.id.uuid(),
            kind: LeafKind::LedgerEntry,
            envelope: entry.canonical.clone(),
            keep_envelope: false,
        })
        .collect();
    log::append(uow, env, &items)?;
    uow.ledger().append_entries(&entries, &postings, &moved, head)?;
    uow.events().append(&told(env, &entries)?)?;
    Ok(())
}

fn told(env: &Env<'_>, entries: &[PostedEntry]) -> Result<Vec<NewEvent>, StoreError> {
    let event = |entry: &PostedEntry| {
        let draft = &entry.draft;
        let data = EntryPosted {
            entry_id: draft.id,
            entry_sequence: entry.seq,
            kind: draft.kind.as_str(),
            deal_id: draft.deal,
            payee_id: draft.payee,
            effective_on: draft.effective_on,
        };
        NewEvent::new(env, EventKind::EntryPosted, draft.id.uuid(), &data, &draft.visible_to)
    };
    entries.iter().map(event).collect()
}

/// Whose lane an entry goes into: its deal's, else its payee's, else its source's.
fn subject_of(draft: &EntryDraft) -> uuid::Uuid {
    draft.deal.map_or_else(|| draft.payee.map_or(draft.source, |p| p.uuid()), |d| d.uuid())
}

/// Finds the accounts of the drafts and opens those that do not exist.
fn opened(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    drafts: &[EntryDraft],
) -> Result<BTreeMap<AccountKey, AccountId>, StoreError> {
    let mut wanted: BTreeMap<AccountKey, BTreeSet<uuid::Uuid>> = BTreeMap::new();
    for draft in drafts {
        for posting in &draft.postings {
            wanted.entry(posting.account).or_default().extend(posting.account.party);
        }
    }
    let keys: Vec<AccountKey> = wanted.keys().copied().collect();
    let mut found = index(uow.ledger().find_accounts(&keys)?);
    let missing: Vec<Account> = wanted
        .into_iter()
        .filter(|(key, _)| !found.contains_key(key))
        .map(|(key, parties)| Account {
            id: AccountId::new(env.ids.next()),
            key,
            visible_to: ownership::of_account(parties),
        })
        .collect();
    if !missing.is_empty() {
        uow.ledger().append_accounts(&missing, env.now)?;
        found = index(uow.ledger().find_accounts(&keys)?);
    }
    Ok(found)
}

fn index(accounts: Vec<Account>) -> BTreeMap<AccountKey, AccountId> {
    accounts.into_iter().map(|account| (account.key, account.id)).collect()
}

/// The draft on the first open day, if its own is closed; and then its own.
fn in_the_open(draft: EntryDraft, head: &LedgerHead) -> (EntryDraft, Option<Date>) {
    match head.closed_through {
        Some(closed) if draft.effective_on <= closed => {
            let effective_on = closed.saturating_add(jiff::Span::new().days(1));
            let moved_from = Some(draft.effective_on);
            (EntryDraft { effective_on, ..draft }, moved_from)
        }
        Some(_) | None => (draft, None),
    }
}

fn numbered(
    env: &Env<'_>,
    draft: EntryDraft,
    accounts: &BTreeMap<AccountKey, AccountId>,
    head: &mut LedgerHead,
) -> Result<PostedEntry, StoreError> {
    let seq = head.last_seq + 1;
    let (draft, moved_from) = in_the_open(draft, head);
    let postings = draft
        .postings
        .iter()
        .map(|posting| {
            Ok(CanonicalPosting {
                account: account_of(accounts, &posting.account)?,
                amount: posting.amount_minor.to_string(),
                currency: "AUD",
                line: posting.line,
            })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    let canonical = CanonicalEntry {
        r#type: "ledger_entry",
        v: 1,
        log: env.origin,
        seq,
        id: draft.id,
        kind: draft.kind.as_str(),
        deal: draft.deal,
        payee: draft.payee,
        source: draft.source,
        effective_on: draft.effective_on,
        recorded_at: env.now,
        previous_sha256: head.last_sha256,
        salt: b64url(&env.draw()),
        postings,
    }
    .to_bytes()
    .map_err(|e| StoreError::Failed(e.to_string()))?;
    let sha256 = Digest::of(&canonical);
    let previous_sha256 = std::mem::replace(&mut head.last_sha256, sha256);
    head.last_seq = seq;
    Ok(PostedEntry { seq, draft, moved_from, recorded_at: env.now, canonical, sha256, previous_sha256 })
}

fn account_of(accounts: &BTreeMap<AccountKey, AccountId>, key: &AccountKey) -> Result<AccountId, StoreError> {
    accounts.get(key).copied().ok_or_else(|| StoreError::Failed("an account vanished".into()))
}

/// Moves the balances on and numbers the postings within their accounts.
fn place(
    entry: &PostedEntry,
    accounts: &BTreeMap<AccountKey, AccountId>,
    balances: &mut BTreeMap<AccountId, AccountBalance>,
    postings: &mut Vec<PostedPosting>,
) -> Result<(), PostError> {
    for (n, posting) in entry.draft.postings.iter().enumerate() {
        let account = account_of(accounts, &posting.account)?;
        let balance = balances.get_mut(&account).ok_or_else(|| StoreError::Failed("a balance vanished".into()))?;
        balance.balance_minor =
            balance.balance_minor.checked_add(posting.amount_minor).ok_or(PostError::BalanceOutOfRange)?;
        balance.account_seq += 1;
        postings.push(PostedPosting {
            entry_seq: entry.seq,
            n: i16::try_from(n).map_err(|_| EntryError::OutOfRange)?,
            account,
            amount_minor: posting.amount_minor,
            account_seq: balance.account_seq,
            balance_after_minor: balance.balance_minor,
            line: posting.line.map(crate::kernel::ids::LineId::uuid),
        });
    }
    Ok(())
}
