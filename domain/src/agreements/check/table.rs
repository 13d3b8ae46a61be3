//! Lookup tables: every row has a value of the right kind for each key, and no two rows have the same.

use super::Findings;
use crate::agreements::finding::Finding;
use crate::agreements::model::{LookupTable, MAX_KEYS, MAX_ROWS, Matching};
use crate::agreements::predicate::{Attribute, ValueKind};

/// Every fault of a table's content.
#[must_use]
pub fn check_table(table: &LookupTable) -> Vec<Finding> {
    let mut findings = Findings::default();
    let (keys, rows) = (table.keys.len(), table.rows.len());
    if keys == 0 || keys > MAX_KEYS {
        findings.error("key_count", "/keys", format!("expected 1 to {MAX_KEYS} keys"));
    }
    if rows == 0 || rows > MAX_ROWS {
        findings.error("row_count", "/rows", format!("expected 1 to {MAX_ROWS} rows"));
    }
    for (place, key) in table.keys.iter().enumerate() {
        let at = format!("/keys/{place}");
        if key.matching == Matching::Band && place + 1 < keys {
            findings.error("band_not_last", format!("{at}/match"), "only the last key may be a band");
        }
        if key.matching == Matching::Band && key.attribute.kind() == Some(ValueKind::Text) {
            findings.error("unit_mismatch", format!("{at}/match"), "text has no bands");
        }
        if matches!(key.attribute, Attribute::Accumulator(_)) {
            findings.error(
                "accumulator_as_key",
                format!("{at}/attribute"),
                "a table is for every agreement; a running total belongs to one",
            );
        }
    }
    for (place, row) in table.rows.iter().enumerate().take(MAX_ROWS) {
        let at = format!("/rows/{place}/keys");
        if row.keys.len() != keys {
            findings.error("key_count", at, format!("expected {keys} values, found {}", row.keys.len()));
            continue;
        }
        for (n, (key, value)) in table.keys.iter().zip(&row.keys).enumerate() {
            if key.attribute.kind().is_some_and(|kind| kind != value.kind()) {
                findings.error(
                    "unit_mismatch",
                    format!("{at}/{n}"),
                    format!("`{}` is not {}", key.attribute, value.kind().name()),
                );
            }
        }
    }
    if findings.0.is_empty() {
        duplicates(&mut findings, table);
    }
    findings.0
}

fn duplicates(findings: &mut Findings, table: &LookupTable) {
    let mut places: Vec<usize> = (0..table.rows.len()).collect();
    places.sort_by(|a, b| table.rows[*a].order(&table.rows[*b].keys));
    for pair in places.windows(2) {
        if table.rows[pair[0]].order(&table.rows[pair[1]].keys).is_eq() {
            findings.error("row_twice", format!("/rows/{}/keys", pair[1]), format!("the same keys as row {}", pair[0]));
        }
    }
}
