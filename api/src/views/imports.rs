//! Imports and their rows, as they go out.

use domain::deals::import::file::{DealImport, ImportCounts, StagedRow};
use domain::kernel::ids::DealId;
use domain::kernel::{Digest, Instant};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::jobs::FailureView;
use crate::extract::ListQuery;

/// Whose deals, and who sells.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct CreateImportQuery {
    /// Who sells and pays commission in.
    #[param(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub provider_id: Option<String>,
    /// Whose members referred; the caller's own organisation when it has one.
    #[param(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub organisation_id: Option<String>,
}

/// Which imports.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ImportQuery {
    /// `uploading`, `received`, `staged`, `done`, `failed`.
    #[param(example = "done")]
    pub status: Option<String>,
    /// Of this organisation's members.
    pub organisation_id: Option<String>,
    /// Of this provider's deals.
    pub provider_id: Option<String>,
}

impl ListQuery for ImportQuery {}

/// Which rows of an import.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ImportRowQuery {
    /// `pending`, `created`, `corrected`, `unchanged`, `superseded`, `refused`.
    #[param(example = "refused")]
    pub outcome: Option<String>,
}

impl ListQuery for ImportRowQuery {
    const SORT: &'static str = "line";
    const DATED: bool = false;
}

/// What became of the rows of a file.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportCounts)]
pub struct CountsView {
    /// All rows; the header is none.
    #[schema(example = 1286)]
    rows: u64,
    /// Not recorded yet.
    #[schema(example = 0)]
    pending: u64,
    /// New deals.
    #[schema(example = 1200)]
    created: u64,
    /// Known deals of which something was different: the difference was posted.
    #[schema(example = 0)]
    corrected: u64,
    /// Known deals of which nothing was different.
    #[schema(example = 0)]
    unchanged: u64,
    /// Valid rows that a later one of the same reference replaced.
    #[schema(example = 74)]
    superseded: u64,
    /// Rows that were not taken.
    #[schema(example = 12)]
    refused: u64,
}

impl From<ImportCounts> for CountsView {
    fn from(counts: ImportCounts) -> Self {
        let ImportCounts { pending, created, corrected, unchanged, superseded, refused } = counts;
        Self { rows: counts.rows(), pending, created, corrected, unchanged, superseded, refused }
    }
}

/// An export that a partner sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DealImport)]
pub struct ImportView {
    /// Its id.
    #[schema(example = "import_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Whose members referred.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    organisation_id: String,
    /// Who sells.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6e0")]
    provider_id: String,
    /// `csv` or `ndjson`.
    #[schema(example = "csv")]
    format: &'static str,
    /// `uploading`, `received`, `staged` (every row is read), `done`, `failed`.
    #[schema(example = "done")]
    status: &'static str,
    /// SHA-256 of the file.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    file_sha256: Option<String>,
    /// Its size.
    #[schema(example = 131_072)]
    file_bytes: u64,
    /// SHA-256 of the declaration that answers for the file.
    #[schema(example = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752")]
    declaration_sha256: Option<String>,
    /// What became of the rows, once they are read; final when the import is done.
    counts: Option<CountsView>,
    /// Why the file was not taken, or not to its end. Deals recorded before stay.
    failure: Option<FailureView>,
    /// When it began.
    #[schema(example = "2026-11-25T02:00:00Z")]
    created_at: String,
    /// When it ended.
    #[schema(example = "2026-11-25T02:00:02Z")]
    finished_at: Option<String>,
}

impl From<DealImport> for ImportView {
    fn from(import: DealImport) -> Self {
        Self {
            id: import.id.to_string(),
            organisation_id: import.organisation.to_string(),
            provider_id: import.provider.to_string(),
            format: import.format.as_str(),
            status: import.state.as_str(),
            file_sha256: import.file_sha256.as_ref().map(Digest::to_string),
            file_bytes: import.file_bytes,
            declaration_sha256: import.declaration.as_ref().map(Digest::to_string),
            counts: import.counts.map(CountsView::from),
            failure: import.fault.map(|fault| FailureView { code: fault.code, detail: fault.detail }),
            created_at: import.created_at.to_string(),
            finished_at: import.finished_at.as_ref().map(Instant::to_string),
        }
    }
}

/// What is wrong with a row.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportRowFault)]
pub struct RowFaultView {
    /// The column; empty for the row as a whole.
    #[schema(example = "settled_amount")]
    column: String,
    /// Stable and machine-readable.
    #[schema(example = "negative_amount")]
    code: String,
    /// For a person.
    #[schema(example = "must not be negative")]
    detail: String,
}

/// A row of an import, without what it says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportRow)]
pub struct RowView {
    /// The line of the file on which it starts, from 1.
    #[schema(example = 17)]
    line: u64,
    /// What the source calls the deal, as far as it could be read.
    #[schema(example = "LN-69-000844")]
    external_ref: Option<String>,
    /// `pending`, `created`, `corrected`, `unchanged`, `superseded`, `refused`.
    #[schema(example = "refused")]
    outcome: &'static str,
    /// Everything that is wrong with it.
    faults: Vec<RowFaultView>,
    /// The deal that it is about.
    #[schema(example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    deal_id: Option<String>,
}

impl From<StagedRow> for RowView {
    fn from(row: StagedRow) -> Self {
        let faults = row.faults.and_then(|faults| serde_json::from_slice(&faults).ok());
        Self {
            line: row.line,
            external_ref: row.external_ref,
            outcome: row.outcome.as_str(),
            faults: faults.unwrap_or_default(),
            deal_id: row.deal.as_ref().map(DealId::to_string),
        }
    }
}
