//! Values of the domain as PostgreSQL takes and gives them.

use domain::kernel::page::INVALID_CURSOR;
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

/// A moment as PostgreSQL gave it.
pub fn from_instant(at: jiff_diesel::Timestamp) -> Instant {
    Instant::new(at.to_jiff())
}

/// The id after which a page starts; the smallest one when it is the first page.
pub fn after_id(page: &PageRequest) -> Result<Uuid, StoreError> {
    match &page.after {
        None => Ok(Uuid::nil()),
        Some(key) => Uuid::from_slice(key).map_err(|_| StoreError::Violates(INVALID_CURSOR.to_owned())),
    }
}

/// The id before which a page of a newest-first list starts; the largest one when it is the first page.
pub fn before_id(page: &PageRequest) -> Result<Uuid, StoreError> {
    if page.after.is_none() { Ok(Uuid::max()) } else { after_id(page) }
}

/// The number before which a page of a newest-first list starts; the largest one when it is the first page.
pub fn before_number(page: &PageRequest) -> Result<i64, StoreError> {
    let Some(key) = &page.after else { return Ok(i64::MAX) };
    let bytes = key.as_slice().try_into().map_err(|_| StoreError::Violates(INVALID_CURSOR.to_owned()))?;
    Ok(i64::from_be_bytes(bytes))
}

/// How many rows to fetch: one more than the page holds tells whether there is another page.
pub fn fetched(request: &PageRequest) -> i64 {
    i64::from(request.limit) + 1
}

/// The key of the page that starts after an id.
pub fn id_key(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}
