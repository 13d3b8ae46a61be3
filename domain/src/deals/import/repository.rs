//! The ports of imports.

use super::file::{DealImport, ImportCounts, ImportState, RowOutcome, StagedRow};
use crate::kernel::ids::{DealImportId, OrganisationId};
use crate::kernel::{Instant, Page, PageRequest};
use crate::store::StoreError;

/// A valid row that waits to be recorded.
#[derive(Clone, PartialEq, Eq)]
pub struct PendingRow {
    /// The line of the file.
    pub line: u64,
    /// What it says: JSON.
    pub payload: Vec<u8>,
}

/// Imports, inside a transaction.
pub trait ImportRepository {
    /// Keeps a new import.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert(&mut self, import: &DealImport) -> Result<(), StoreError>;

    /// Locks an import.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock(&mut self, import: DealImportId) -> Result<Option<DealImport>, StoreError>;

    /// Writes what may change of an import.
    ///
    /// # Errors
    /// The failure of the store.
    fn update(&mut self, import: &DealImport) -> Result<(), StoreError>;

    /// Keeps a piece of the file.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_chunk(&mut self, import: DealImportId, n: u32, bytes: &[u8]) -> Result<(), StoreError>;

    /// A piece of the file; `None` after the last.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_chunk(&mut self, import: DealImportId, n: u32) -> Result<Option<Vec<u8>>, StoreError>;

    /// Deletes an import whose file was not taken, with its pieces.
    ///
    /// # Errors
    /// The failure of the store.
    fn discard(&mut self, import: DealImportId) -> Result<(), StoreError>;

    /// Drops the file, and rows that were not come to.
    ///
    /// # Errors
    /// The failure of the store.
    fn forget(&mut self, import: DealImportId) -> Result<(), StoreError>;

    /// The line of the last row that is kept; 0 before the first.
    ///
    /// # Errors
    /// The failure of the store.
    fn last_line(&mut self, import: DealImportId) -> Result<u64, StoreError>;

    /// Keeps rows.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_rows(&mut self, import: DealImportId, rows: &[StagedRow]) -> Result<(), StoreError>;

    /// Of the rows after one line up to another: those that a later valid row of the same reference replaces.
    ///
    /// # Errors
    /// The failure of the store.
    fn supersede(&mut self, import: DealImportId, after: u64, up_to: u64) -> Result<(), StoreError>;

    /// The first rows that wait to be recorded.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_pending(&mut self, import: DealImportId, limit: u32) -> Result<Vec<PendingRow>, StoreError>;

    /// Writes what became of rows, by line; what they said is dropped.
    ///
    /// # Errors
    /// The failure of the store.
    fn resolve(&mut self, import: DealImportId, rows: &[StagedRow]) -> Result<(), StoreError>;

    /// Lets the latest replaced row of each reference count again: the one that replaced it was refused.
    ///
    /// # Errors
    /// The failure of the store.
    fn reinstate(&mut self, import: DealImportId, refs: &[String]) -> Result<(), StoreError>;

    /// Counts rows by what became of them.
    ///
    /// # Errors
    /// The failure of the store.
    fn count_rows(&mut self, import: DealImportId) -> Result<ImportCounts, StoreError>;

    /// Imports that have been streaming in since before a moment.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_abandoned(&mut self, before: Instant) -> Result<Vec<DealImportId>, StoreError>;
}

/// Which imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportFilter {
    /// Only in this state.
    pub state: Option<ImportState>,
    /// Only of this organisation's members.
    pub organisation: Option<OrganisationId>,
    /// Only of this provider's deals.
    pub provider: Option<OrganisationId>,
}

/// Imports, to look up.
pub trait ImportQueries {
    /// One import.
    ///
    /// # Errors
    /// The failure of the store.
    fn find(&mut self, import: DealImportId) -> Result<Option<DealImport>, StoreError>;

    /// Imports, newest first.
    ///
    /// # Errors
    /// The failure of the store; a page key that is none.
    fn list(&mut self, filter: &ImportFilter, page: &PageRequest) -> Result<Page<DealImport>, StoreError>;

    /// Rows in the order of their lines, without what they say.
    ///
    /// # Errors
    /// The failure of the store; a page key that is none.
    fn list_rows(
        &mut self,
        import: DealImportId,
        outcome: Option<RowOutcome>,
        page: &PageRequest,
    ) -> Result<Page<StagedRow>, StoreError>;
}
