//! A version as a calculation names it, and a version of a lookup table.
//!
//! Invariants: a hash is always that of the content beside it, and a plan is compiled once. How a version lives is
//! in `life`, which of several governs a deal in `in_force`.

use std::sync::OnceLock;

use super::evaluate::v2::Plan;
use super::finding::Finding;
use super::model::{LookupTable, LookupUse, VersionContent};
use crate::kernel::Digest;
use crate::kernel::ids::{AgreementId, LookupTableId};
use crate::kernel::jcs::JcsError;

/// One version of a lookup table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableVersion {
    /// The table.
    pub id: LookupTableId,
    /// 1, 2, 3 …
    pub number: u32,
    /// SHA-256 of its canonical JSON.
    pub content_hash: Digest,
    /// What it says.
    pub table: LookupTable,
}

impl TableVersion {
    /// Works out the hash of the content.
    ///
    /// # Errors
    /// When the content has no canonical form.
    pub fn try_new(id: LookupTableId, number: u32, table: LookupTable) -> Result<Self, JcsError> {
        Ok(Self { id, number, content_hash: table.content_hash()?, table })
    }

    /// Whether it is the one that a component names.
    #[must_use]
    pub fn is(&self, named: &LookupUse) -> bool {
        self.id == named.id && self.number == named.number && self.content_hash == named.content_sha256
    }
}

/// A version as a calculation names it: the content always matches the hash, and the tables are those that it
/// names. It is compiled once, the first time that it is worked with.
#[derive(Debug, Clone)]
pub struct GoverningVersion {
    agreement: AgreementId,
    number: u32,
    content_hash: Digest,
    content: VersionContent,
    tables: Vec<TableVersion>,
    plan: OnceLock<Result<Plan, Vec<Finding>>>,
}

impl PartialEq for GoverningVersion {
    fn eq(&self, other: &Self) -> bool {
        (self.agreement, self.number, self.content_hash) == (other.agreement, other.number, other.content_hash)
    }
}

impl Eq for GoverningVersion {}

impl GoverningVersion {
    /// Works out the hash of content that names no table.
    ///
    /// # Errors
    /// When the content has no canonical form.
    pub fn try_new(agreement: AgreementId, number: u32, content: VersionContent) -> Result<Self, JcsError> {
        Self::with_tables(agreement, number, content, Vec::new())
    }

    /// Works out the hash; the tables are those that the content names.
    ///
    /// # Errors
    /// When the content has no canonical form.
    pub fn with_tables(
        agreement: AgreementId,
        number: u32,
        content: VersionContent,
        tables: Vec<TableVersion>,
    ) -> Result<Self, JcsError> {
        let content_hash = content.content_hash()?;
        Ok(Self { agreement, number, content_hash, content, tables, plan: OnceLock::new() })
    }

    /// The content, compiled; the faults of content that does not make sense.
    ///
    /// # Errors
    /// Every fault.
    pub fn plan(&self) -> Result<&Plan, &[Finding]> {
        let compiled = self.plan.get_or_init(|| Plan::compile(&self.content, &self.tables));
        compiled.as_ref().map_err(Vec::as_slice)
    }

    /// The agreement.
    #[must_use]
    pub const fn agreement(&self) -> AgreementId {
        self.agreement
    }

    /// 1, 2, 3 …
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// SHA-256 of the canonical content.
    #[must_use]
    pub const fn content_hash(&self) -> Digest {
        self.content_hash
    }

    /// What it says.
    #[must_use]
    pub const fn content(&self) -> &VersionContent {
        &self.content
    }

    /// The tables that it names.
    #[must_use]
    pub fn tables(&self) -> &[TableVersion] {
        &self.tables
    }
}
