//! Determinism: every calculation, run again from its stored input, comes to the same digest.

use uuid::Uuid;

use super::PAGE;
use super::tally::Tally;
use crate::agreements::reproduce::reproduce;
use crate::store::{Queries, StoreError};

pub(super) fn check(queries: &mut dyn Queries) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    let queries = queries.guarantees();
    let versions = queries.versions()?;
    tally.cover("versions", versions.len() as u64);
    tally.cover("calculations", 0);
    let mut after = Uuid::nil();
    loop {
        let page = queries.calculations(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(tally) };
        after = last.id.uuid();
        tally.cover("calculations", page.len() as u64);
        for calculation in &page {
            if let Err(error) = reproduce(calculation, &versions) {
                tally.broken(calculation.id.to_string(), "not_reproduced", error.to_string());
            }
        }
    }
}
