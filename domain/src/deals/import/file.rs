//! The import: a file that was sent, and what became of it.

use uuid::Uuid;

use crate::kernel::ids::{DealId, DealImportId, OrganisationId};
use crate::kernel::{Digest, Instant};

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImportState {
    /// The file is streaming in.
    Uploading,
    /// The file is here, whole.
    Received,
    /// Every row is read; those that count are known.
    Staged,
    /// Everything is recorded.
    Done,
    /// It was stopped, or the file is no export. Deals recorded before stay.
    Failed,
}

impl ImportState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Uploading, Self::Received, Self::Staged, Self::Done, Self::Failed];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uploading => "uploading",
            Self::Received => "received",
            Self::Staged => "staged",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether nothing will happen to it any more.
    #[must_use]
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ImportFormat {
    /// Comma-separated values with a header (RFC 4180).
    #[default]
    Csv,
    /// One JSON object a line.
    Ndjson,
}

impl ImportFormat {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Csv, Self::Ndjson].into_iter().find(|format| format.as_str() == text)
    }
}

/// Why a file as a whole was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct FileFault {
    /// Stable.
    pub code: String,
    /// For a person.
    pub detail: String,
}

impl FileFault {
    /// A fault.
    #[must_use]
    pub fn new(code: &str, detail: impl Into<String>) -> Self {
        Self { code: code.to_owned(), detail: detail.into() }
    }
}

/// What became of the rows; the header is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportCounts {
    /// Not recorded yet.
    pub pending: u64,
    /// New deals.
    pub created: u64,
    /// Known deals of which something was different.
    pub corrected: u64,
    /// Known deals of which nothing was different.
    pub unchanged: u64,
    /// Valid rows that a later one of the same reference replaced.
    pub superseded: u64,
    /// Rows that were not taken.
    pub refused: u64,
}

impl ImportCounts {
    /// All rows.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.pending + self.created + self.corrected + self.unchanged + self.superseded + self.refused
    }

    /// The place of an outcome.
    pub const fn of(&mut self, outcome: RowOutcome) -> &mut u64 {
        match outcome {
            RowOutcome::Pending => &mut self.pending,
            RowOutcome::Created => &mut self.created,
            RowOutcome::Corrected => &mut self.corrected,
            RowOutcome::Unchanged => &mut self.unchanged,
            RowOutcome::Superseded => &mut self.superseded,
            RowOutcome::Refused => &mut self.refused,
        }
    }
}

/// One import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DealImport {
    /// Its id.
    pub id: DealImportId,
    /// Whose members referred, and who sent the file.
    pub organisation: OrganisationId,
    /// Who sells.
    pub provider: OrganisationId,
    /// How its file is written.
    pub format: ImportFormat,
    /// Where it stands.
    pub state: ImportState,
    /// The digest of the file, once it is here.
    pub file_sha256: Option<Digest>,
    /// Its size in bytes.
    pub file_bytes: u64,
    /// The digest of the declaration that the organisation signed.
    pub declaration: Option<Digest>,
    /// Why it failed.
    pub fault: Option<FileFault>,
    /// What became of the rows, once they are read; final when the import is done.
    pub counts: Option<ImportCounts>,
    /// Who sent it.
    pub created_by: Uuid,
    /// When it began.
    pub created_at: Instant,
    /// When it ended.
    pub finished_at: Option<Instant>,
}

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowOutcome {
    /// Valid, not recorded yet.
    Pending,
    /// Valid, and a later valid row of the same reference counts.
    Superseded,
    /// Not taken.
    Refused,
    /// Recorded; nothing was different.
    Unchanged,
    /// Recorded; a new deal.
    Created,
    /// Recorded; something was different.
    Corrected,
}

impl RowOutcome {
    /// Every outcome.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Superseded, Self::Refused, Self::Unchanged, Self::Created, Self::Corrected];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Superseded => "superseded",
            Self::Refused => "refused",
            Self::Unchanged => "unchanged",
            Self::Created => "created",
            Self::Corrected => "corrected",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// A row as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct StagedRow {
    /// The line of the file on which it starts, from 1.
    pub line: u64,
    /// What the source calls the deal, as far as it could be read.
    pub external_ref: Option<String>,
    /// What became of it.
    pub outcome: RowOutcome,
    /// What is wrong with it: JSON.
    pub faults: Option<Vec<u8>>,
    /// What it says, until it is recorded (it names a person): JSON.
    pub payload: Option<Vec<u8>>,
    /// The deal that it is about.
    pub deal: Option<DealId>,
}
