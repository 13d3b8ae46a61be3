//! Imports and their rows, read back into the domain's.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bytea, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::deals::import::file::{
    DealImport, FileFault, ImportCounts, ImportFormat, ImportState, RowOutcome, StagedRow,
};
use domain::kernel::Instant;
use domain::kernel::ids::{DealId, DealImportId, OrganisationId};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{digest, to_u64};
use crate::error::unreadable;

/// An import as it is kept.
#[derive(Queryable)]
pub struct ImportRecord {
    id: Uuid,
    organisation_id: Uuid,
    provider_id: Uuid,
    format: String,
    state: String,
    file_sha256: Option<Vec<u8>>,
    file_bytes: i64,
    declaration_sha256: Option<Vec<u8>>,
    fault_code: Option<String>,
    fault_detail: Option<String>,
    pending: Option<i64>,
    created: Option<i64>,
    corrected: Option<i64>,
    unchanged: Option<i64>,
    superseded: Option<i64>,
    refused: Option<i64>,
    created_by: Uuid,
    created_at: jiff_diesel::Timestamp,
    finished_at: Option<jiff_diesel::Timestamp>,
}

/// The SQL types of the columns.
pub type ImportColumns = (
    SqlUuid,
    SqlUuid,
    SqlUuid,
    Text,
    Text,
    Nullable<Bytea>,
    BigInt,
    Nullable<Bytea>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    SqlUuid,
    Timestamptz,
    Nullable<Timestamptz>,
);

/// The columns of [`ImportRecord`], in its order.
macro_rules! import_columns {
    () => {
        "id, organisation_id, provider_id, format, state, file_sha256, file_bytes, declaration_sha256, fault_code, fault_detail,
         pending_count, created_count, corrected_count, unchanged_count, superseded_count, refused_count,
         created_by, created_at, finished_at"
    };
}

pub(super) use import_columns;

impl ImportRecord {
    /// As the domain knows it.
    pub fn restore(self) -> Result<DealImport, StoreError> {
        let fault = self.fault_code.map(|code| FileFault::new(&code, self.fault_detail.unwrap_or_default()));
        let counted = [self.pending, self.created, self.corrected, self.unchanged, self.superseded, self.refused];
        let counts = match counted {
            [Some(pending), Some(created), Some(corrected), Some(unchanged), Some(superseded), Some(refused)] => {
                Some(ImportCounts {
                    pending: to_u64(pending)?,
                    created: to_u64(created)?,
                    corrected: to_u64(corrected)?,
                    unchanged: to_u64(unchanged)?,
                    superseded: to_u64(superseded)?,
                    refused: to_u64(refused)?,
                })
            }
            _ => None,
        };
        Ok(DealImport {
            id: DealImportId::new(self.id),
            organisation: OrganisationId::new(self.organisation_id),
            provider: OrganisationId::new(self.provider_id),
            format: ImportFormat::parse(&self.format).ok_or_else(|| unreadable("the format of an import"))?,
            state: ImportState::parse(&self.state).ok_or_else(|| unreadable("the state of an import"))?,
            file_sha256: self.file_sha256.map(|bytes| digest(&bytes)).transpose()?,
            file_bytes: to_u64(self.file_bytes)?,
            declaration: self.declaration_sha256.map(|bytes| digest(&bytes)).transpose()?,
            fault,
            counts,
            created_by: self.created_by,
            created_at: Instant::new(self.created_at.into()),
            finished_at: self.finished_at.map(|at| Instant::new(at.into())),
        })
    }
}

/// The SQL types of a row.
pub type RowColumns = (BigInt, Nullable<Text>, Text, Nullable<Bytea>, Nullable<SqlUuid>);

/// A row without what it says.
pub fn restored_row(
    (line, external_ref, outcome, faults, deal): (i64, Option<String>, String, Option<Vec<u8>>, Option<Uuid>),
) -> Result<StagedRow, StoreError> {
    Ok(StagedRow {
        line: to_u64(line)?,
        external_ref,
        outcome: RowOutcome::parse(&outcome).ok_or_else(|| unreadable("the outcome of a row"))?,
        faults,
        payload: None,
        deal: deal.map(DealId::new),
    })
}

/// The place of a piece.
pub fn place(n: u32) -> Result<i32, StoreError> {
    i32::try_from(n).map_err(|_| unreadable("the place of a piece"))
}
