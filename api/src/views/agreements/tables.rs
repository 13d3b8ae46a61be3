//! Lookup tables as they go out.

use domain::agreements::tables::{FoundTable, FoundTableVersion};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::problem::Problem;

/// A lookup table.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LookupTableRecord)]
pub struct TableView {
    /// Its id.
    #[schema(example = "table_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// What people call it.
    #[schema(example = "Placement fees by level")]
    name: String,
    /// When it was made.
    #[schema(example = "2026-11-23T12:00:00Z")]
    created_at: String,
}

impl From<FoundTable> for TableView {
    fn from(table: FoundTable) -> Self {
        Self { id: table.id.to_string(), name: table.name, created_at: table.created_at.to_string() }
    }
}

/// A version of a lookup table. It never changes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LookupTableVersion)]
pub struct TableVersionView {
    /// The table.
    #[schema(example = "table_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    table_id: String,
    /// 1, 2, 3 …
    #[schema(example = 1)]
    number: u32,
    /// SHA-256 of the canonical JSON (RFC 8785) of `content`: agreements name it beside the number.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    content_sha256: String,
    /// What it says.
    #[schema(value_type = domain::agreements::model::LookupTable)]
    content: Value,
    /// When it was added.
    #[schema(example = "2026-11-23T12:00:00Z")]
    created_at: String,
    /// The UUID of the user or API client who added it; absent for what ships.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0199c0de-0000-7000-8000-000000000001")]
    added_by: Option<String>,
}

impl TryFrom<&FoundTableVersion> for TableVersionView {
    type Error = Problem;

    fn try_from(found: &FoundTableVersion) -> Result<Self, Problem> {
        let FoundTableVersion { version, author, created_at } = found;
        let bytes = version.table.canonical_bytes().map_err(|error| Problem::internal(&error))?;
        Ok(Self {
            table_id: version.id.to_string(),
            number: version.number,
            content_sha256: version.content_hash.to_string(),
            // Read from the canonical bytes, so that the answer shows what was hashed.
            content: serde_json::from_slice(&bytes).map_err(|error| Problem::internal(&error))?,
            created_at: created_at.to_string(),
            added_by: author.map(|author| author.to_string()),
        })
    }
}
