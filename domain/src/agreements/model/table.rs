//! Lookup tables: several keys, one rate. Versions of a table never change; an agreement names one by
//! its number and its hash.
//!
//! Bounds: 6 keys, 5,000 rows. A row is found by its keys exactly, but the last key may be a band: then
//! the row with the greatest key that is not above the value.

use serde::{Deserialize, Serialize};

use super::rate::Pay;
#[cfg(feature = "schema")]
use crate::agreements::predicate::TypedValue;
use crate::agreements::predicate::{Attribute, Value};
use crate::kernel::Digest;
use crate::kernel::fault::Reason;
use crate::kernel::ids::LookupTableId;
use crate::kernel::jcs::{self, JcsError};

/// The most keys of a table.
pub const MAX_KEYS: usize = 6;
/// The most rows of a table.
pub const MAX_ROWS: usize = 5_000;

/// One version of a table, as a component names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LookupUse {
    /// The table.
    #[cfg_attr(feature = "schema", schema(value_type = String, example = "table_01k0w4q7v8e2rtf3k2m9x5c6dz"))]
    pub id: LookupTableId,
    /// Its version.
    pub number: u32,
    /// SHA-256 of the canonical JSON of that version.
    #[cfg_attr(feature = "schema", schema(value_type = String, example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"))]
    pub content_sha256: Digest,
}

/// What a version of a table says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LookupTable {
    /// What the rows are found by, in order.
    pub keys: Vec<LookupKey>,
    /// The rows, in any order; no two with the same keys.
    pub rows: Vec<LookupRow>,
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LookupKey {
    /// The fact that is looked up.
    pub attribute: Attribute,
    /// How it is matched.
    #[serde(rename = "match")]
    pub matching: Matching,
}

/// How a key is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// The same value.
    Exact,
    /// The greatest that is not above the value; only the last key.
    Band,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LookupRow {
    /// A value for each key.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<TypedValue>))]
    pub keys: Vec<Value>,
    /// What it pays.
    pub pays: Pay,
}

impl LookupRow {
    /// The order of the row's keys beside others of the same kinds.
    #[must_use]
    pub fn order(&self, others: &[Value]) -> std::cmp::Ordering {
        let pairs = self.keys.iter().zip(others);
        pairs
            .map(|(a, b)| a.seen().order(&b.seen()).unwrap_or(std::cmp::Ordering::Equal))
            .find(|order| order.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    }
}

impl LookupTable {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// [`ParseTableError`] naming the first thing that does not fit, with line and column.
    pub fn parse(json: &[u8]) -> Result<Self, ParseTableError> {
        serde_json::from_slice(json).map_err(|e| ParseTableError(e.to_string()))
    }

    /// RFC 8785 canonical bytes.
    ///
    /// # Errors
    /// When a number is beyond what JSON carries.
    pub fn canonical_bytes(&self) -> Result<Vec<u8>, JcsError> {
        jcs::to_bytes(self)
    }

    /// SHA-256 of the canonical bytes.
    ///
    /// # Errors
    /// As [`Self::canonical_bytes`].
    pub fn content_hash(&self) -> Result<Digest, JcsError> {
        self.canonical_bytes().map(|bytes| Digest::of(&bytes))
    }
}

/// The JSON is not the content of a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the content of a lookup table: {0}")]
pub struct ParseTableError(String);

impl Reason for ParseTableError {
    fn code(&self) -> &'static str {
        "invalid_table_content"
    }
}
