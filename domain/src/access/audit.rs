//! The audit log: who did what to which object, in which request. Append-only.
//!
//! Records hold ids and the names of changed fields, never values.

use uuid::Uuid;

use crate::kernel::Instant;
use crate::store::StoreError;

/// One act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// When.
    pub at: Instant,
    /// Who.
    pub actor: Uuid,
    /// Which operation, by its id in the API document.
    pub action: &'static str,
    /// What it was done to.
    pub object: Uuid,
    /// The names of the fields that were given.
    pub changed: Vec<String>,
    /// In which request.
    pub request_id: String,
}

/// The audit log, inside a transaction.
pub trait AuditRepository {
    /// Keeps acts.
    ///
    /// # Errors
    /// The failure of the store.
    fn append(&mut self, records: &[AuditRecord]) -> Result<(), StoreError>;
}
