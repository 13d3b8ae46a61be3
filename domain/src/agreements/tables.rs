//! Lookup tables: made, and added to version by version. A version never changes; agreements name one by its number
//! and its hash, so what an approver sees of a table is what is approved with the agreement.
//!
//! Bounds: those of [`super::model::LookupTable`].

use uuid::Uuid;

use super::check::check_table;
use super::command::{CreateLookupTable, CreateTableVersion};
use super::decide::require;
use super::error::AgreementError;
use super::version::TableVersion;
use crate::access::Scope;
use crate::env::Env;
use crate::events::{EventKind, record_changed};
use crate::kernel::ids::LookupTableId;
use crate::kernel::{Instant, Page, PageRequest};
use crate::store::{StoreError, UnitOfWork};

/// A lookup table as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTable {
    /// Its id.
    pub id: LookupTableId,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created_at: Instant,
}

/// A version of a lookup table as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundTableVersion {
    /// What it says.
    pub version: TableVersion,
    /// Who added it; nobody for what ships.
    pub author: Option<Uuid>,
    /// When it was added.
    pub created_at: Instant,
}

/// Lookup tables, inside a transaction.
pub trait LookupTableRepository {
    /// Keeps a new table.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_table(&mut self, table: &FoundTable) -> Result<(), StoreError>;

    /// Locks a table; gives the number of its last version, 0 when it has none.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_table(&mut self, id: LookupTableId) -> Result<Option<u32>, StoreError>;

    /// Keeps a new version of a table that is locked.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_table_version(&mut self, version: &FoundTableVersion) -> Result<(), StoreError>;
}

/// Lookup tables, to look up: a partner sees those that a version names which it sees.
pub trait LookupTableQueries {
    /// Tables, by id.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_tables(&mut self, page: &PageRequest) -> Result<Page<FoundTable>, StoreError>;

    /// Whether there is such a table.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_table(&mut self, id: LookupTableId) -> Result<Option<FoundTable>, StoreError>;

    /// The versions of a table, the first one first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_table_versions(
        &mut self,
        id: LookupTableId,
        page: &PageRequest,
    ) -> Result<Page<FoundTableVersion>, StoreError>;

    /// One version.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_table_version(&mut self, id: LookupTableId, number: u32) -> Result<Option<FoundTableVersion>, StoreError>;
}

/// Makes a table; it says nothing yet.
///
/// # Errors
/// See [`AgreementError`].
pub fn create(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: &CreateLookupTable,
) -> Result<FoundTable, AgreementError> {
    require(env, Scope::AgreementsWrite)?;
    let id = LookupTableId::new(env.ids.next());
    let table = FoundTable { id, name: command.name.to_string(), created_at: env.now };
    uow.lookup_tables().insert_table(&table)?;
    record_changed(uow, env, EventKind::LookupTableCreated, (&id, id.uuid()), None, &[])?;
    Ok(table)
}

/// Adds a version; its number is the next one.
///
/// # Errors
/// See [`AgreementError`]; every fault of the content, as `/content/…`.
pub fn create_version(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: LookupTableId,
    command: &CreateTableVersion,
) -> Result<FoundTableVersion, AgreementError> {
    require(env, Scope::AgreementsWrite)?;
    let last = uow.lookup_tables().lock_table(id)?.ok_or(AgreementError::NotFound)?;
    let mut found = check_table(&command.content);
    if !found.is_empty() {
        found.iter_mut().for_each(|finding| finding.pointer.insert_str(0, "/content"));
        return Err(AgreementError::Errors(found));
    }
    let version = TableVersion::try_new(id, last + 1, command.content.clone())?;
    let made = FoundTableVersion { version, author: Some(env.actor.id), created_at: env.now };
    uow.lookup_tables().append_table_version(&made)?;
    let number = i32::try_from(made.version.number).ok();
    record_changed(uow, env, EventKind::LookupTableVersionCreated, (&id, id.uuid()), number, &[])?;
    Ok(made)
}
