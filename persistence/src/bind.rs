//! Values of the domain as PostgreSQL takes and gives them.

use domain::kernel::{Digest, Instant, PageRequest};
use domain::store::StoreError;
use jiff::civil::Date;
use uuid::Uuid;

use crate::error::unreadable;

pub fn date(on: Date) -> jiff_diesel::Date {
    on.into()
}

pub fn maybe_date(on: Option<Date>) -> Option<jiff_diesel::Date> {
    on.map(Into::into)
}

pub fn instant(at: Instant) -> jiff_diesel::Timestamp {
    at.timestamp().into()
}

/// An array of ids as PostgreSQL writes it: one text per row, since rows hold arrays of any length.
pub fn array_literal(ids: &[Uuid]) -> String {
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    format!("{{{}}}", ids.join(","))
}

pub fn digest(bytes: &[u8]) -> Result<Digest, StoreError> {
    Digest::from_slice(bytes).ok_or_else(|| unreadable("a digest"))
}

pub fn to_i64(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| unreadable("a number out of range"))
}

pub fn to_u64(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| unreadable("a negative number"))
}

/// The id after which a page starts; `None` for the first page. A key that is no id starts after every
/// row of a list that runs from the newest: its page is empty.
pub fn after_id(page: &PageRequest) -> Option<Uuid> {
    page.after.as_ref().map(|key| Uuid::from_slice(key).unwrap_or_default())
}

/// The key of a row whose id tells its place.
pub fn id_key(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}

/// Rows to fetch for a page: one more than it holds tells whether there is another.
pub fn page_rows(page: &PageRequest) -> i64 {
    i64::from(page.limit) + 1
}
