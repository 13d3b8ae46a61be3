//! The ports of returned payments.

use jiff::civil::Date;
use uuid::Uuid;

use super::file::ReturnCode;
use super::matching::{Candidate, Unmatched};
use crate::kernel::ids::{BankReturnId, PayoutId};
use crate::kernel::{Digest, Instant, Page, PageRequest};
use crate::store::StoreError;

/// A file of returned payments as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BankReturn {
    /// Its id.
    pub id: BankReturnId,
    /// Its identity.
    pub sha256: Digest,
    /// How many payments it says came back.
    pub items: u32,
    /// How many of them are payouts.
    pub matched: u32,
    /// What all of them come to, in cents.
    pub total_minor: i64,
    /// What the payouts among them come to, in cents.
    pub matched_minor: i64,
    /// Who sent it in.
    pub created_by: Uuid,
    /// When.
    pub created_at: Instant,
}

/// One returned payment as it is kept: no account and no name; the file's bytes have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptItem {
    /// Its place in the file, from 1.
    pub n: u32,
    /// Why it came back.
    pub code: ReturnCode,
    /// How much, in cents.
    pub amount_minor: i64,
    /// The reference.
    pub reference: String,
    /// The date of the bank.
    pub returned_on: Date,
    /// The payout, or why it is none.
    pub payout: Result<PayoutId, Unmatched>,
}

/// A returned payment that is no payout's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnException {
    /// The file.
    pub file: BankReturnId,
    /// The item.
    pub item: KeptItem,
    /// Since when it waits.
    pub created_at: Instant,
}

/// Returned payments, inside a transaction.
pub trait ReturnRepository {
    /// Keeps a file, unless one with the same bytes is kept: then `false`.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_return(&mut self, kept: &BankReturn, bytes: &[u8]) -> Result<bool, StoreError>;

    /// Keeps the items of a file.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_items(&mut self, file: BankReturnId, items: &[KeptItem]) -> Result<(), StoreError>;

    /// The file with these bytes.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_return(&mut self, sha256: Digest) -> Result<Option<BankReturn>, StoreError>;

    /// Locks the payouts that have these references and before them their payees, in the order of their ids: who is
    /// being paid again waits until it is known where to.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_by_reference(&mut self, references: &[String]) -> Result<Vec<Candidate>, StoreError>;

    /// Bank details may not be paid to any more; a second time changes nothing.
    ///
    /// # Errors
    /// The failure of the store.
    fn block_details(&mut self, details: &[(Uuid, ReturnCode)], source: Uuid, at: Instant) -> Result<(), StoreError>;
}

/// Returned payments, to look up.
pub trait ReturnQueries {
    /// Files, newest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_returns(&mut self, page: &PageRequest) -> Result<Page<BankReturn>, StoreError>;

    /// A file with its items.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_return(&mut self, id: BankReturnId) -> Result<Option<(BankReturn, Vec<KeptItem>)>, StoreError>;

    /// The items that are no payout's, oldest first, at most so many.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_exceptions(&mut self, limit: u32) -> Result<Vec<ReturnException>, StoreError>;
}
