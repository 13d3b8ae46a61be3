//! The ports of the ledger.

use jiff::civil::Date;

use super::account::{AccountKey, Bounds};
use super::entry::EntryDraft;
use super::line::CommissionLine;
use crate::kernel::ids::{AccountId, DealId, LineId};
use crate::kernel::{Digest, Instant};
use crate::store::StoreError;
use uuid::Uuid;

/// An account with its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Which one it is.
    pub key: AccountKey,
    /// Organisations and members that may see it.
    pub visible_to: Vec<Uuid>,
}

/// Where an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountBalance {
    /// The account.
    pub account: AccountId,
    /// Debit positive.
    pub balance_minor: i64,
    /// The number of postings so far.
    pub account_seq: i64,
    /// Between what the balance stays; the database refuses anything else.
    pub bounds: Bounds,
}

/// Where the ledger stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerHead {
    /// The sequence number of the last entry; 0 before the first.
    pub last_seq: i64,
    /// Its hash.
    pub last_sha256: Digest,
    /// The last day that is shut: no entry takes effect on it or before.
    pub closed_through: Option<Date>,
}

/// A posting with everything that storage keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostedPosting {
    /// The entry.
    pub entry_seq: i64,
    /// Its place in the entry, from 0.
    pub n: i16,
    /// The account.
    pub account: AccountId,
    /// Debit positive.
    pub amount_minor: i64,
    /// Its place in the account, from 1 without gaps.
    pub account_seq: i64,
    /// The account's balance after it.
    pub balance_after_minor: i64,
    /// The commission line.
    pub line: Option<Uuid>,
}

/// An entry with everything that storage keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedEntry {
    /// Its sequence number.
    pub seq: i64,
    /// What it says.
    pub draft: EntryDraft,
    /// When it would have taken effect, had its period not been closed.
    pub moved_from: Option<Date>,
    /// When it was written.
    pub recorded_at: Instant,
    /// The exact bytes.
    pub canonical: Vec<u8>,
    /// Their hash.
    pub sha256: Digest,
    /// The hash of the entry before.
    pub previous_sha256: Digest,
}

/// The ledger, inside a transaction.
pub trait LedgerRepository {
    /// The accounts with these keys that exist.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_accounts(&mut self, keys: &[AccountKey]) -> Result<Vec<Account>, StoreError>;

    /// The accounts with these ids that exist.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_accounts_by_id(&mut self, ids: &[AccountId]) -> Result<Vec<Account>, StoreError>;

    /// Opens accounts with a balance of zero; one that exists already is left as it is.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_accounts(&mut self, accounts: &[Account], at: Instant) -> Result<(), StoreError>;

    /// Locks balances, in the order of their accounts' ids.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_balances(&mut self, accounts: &[AccountId]) -> Result<Vec<AccountBalance>, StoreError>;

    /// Locks the head: the last lock that a writer takes.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_head(&mut self) -> Result<LedgerHead, StoreError>;

    /// Writes entries and postings, the balances and the head after them.
    ///
    /// # Errors
    /// The rules of the database, by name.
    fn append_entries(
        &mut self,
        entries: &[PostedEntry],
        postings: &[PostedPosting],
        balances: &[AccountBalance],
        head: &LedgerHead,
    ) -> Result<(), StoreError>;

    /// Locks the lines of deals.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_lines(&mut self, deals: &[DealId]) -> Result<Vec<CommissionLine>, StoreError>;

    /// Locks lines, in the order of their ids.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_lines_by_id(&mut self, lines: &[LineId]) -> Result<Vec<CommissionLine>, StoreError>;

    /// Locks lines on hold that may be paid on or before a date, at most so many deals.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_due_lines(&mut self, on: Date, deals: u32) -> Result<Vec<CommissionLine>, StoreError>;

    /// Writes lines as they stand now, new or known.
    ///
    /// # Errors
    /// The failure of the store.
    fn save_lines(&mut self, lines: &[CommissionLine]) -> Result<(), StoreError>;
}

/// One row of a trial balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialBalanceRow {
    /// The kind of account.
    pub kind: String,
    /// The sum of its postings, debit positive.
    pub balance_minor: i64,
}

/// What one member earned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberTotal {
    /// What their organisation calls them.
    pub member_ref: String,
    /// Own lines and lines as upline.
    pub earned_minor: i64,
    /// Taken back, positive.
    pub clawed_back_minor: i64,
}

/// The ledger, to look up.
pub trait LedgerQueries {
    /// The sum of all postings by kind of account.
    ///
    /// # Errors
    /// The failure of the store.
    fn trial_balance(&mut self) -> Result<Vec<TrialBalanceRow>, StoreError>;

    /// What each member of an organisation earned.
    ///
    /// # Errors
    /// The failure of the store.
    fn member_totals(
        &mut self,
        organisation: crate::kernel::ids::OrganisationId,
    ) -> Result<Vec<MemberTotal>, StoreError>;
}
