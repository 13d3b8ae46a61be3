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

/// The id after which a page starts; none when it is the first page.
pub fn maybe_after_id(page: &PageRequest) -> Result<Option<Uuid>, StoreError> {
    let read = |key: &Vec<u8>| Uuid::from_slice(key).map_err(|_| StoreError::Violates(INVALID_CURSOR.to_owned()));
    page.after.as_ref().map(read).transpose()
}

/// The id after which a page starts; the smallest one when it is the first page.
pub fn after_id(page: &PageRequest) -> Result<Uuid, StoreError> {
    Ok(maybe_after_id(page)?.unwrap_or(Uuid::nil()))
}

/// The key of the page that starts after an id.
pub fn id_key(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}

/// The number after which a page starts.
pub fn after_number(request: &PageRequest) -> Result<Option<i64>, StoreError> {
    let read = |bytes: &Vec<u8>| {
        let bytes = bytes.as_slice().try_into().map_err(|_| StoreError::Violates(INVALID_CURSOR.to_owned()))?;
        Ok(i64::from_be_bytes(bytes))
    };
    request.after.as_ref().map(read).transpose()
}

/// How many rows to fetch: one more than the page holds tells whether there is another page.
pub fn fetched(request: &PageRequest) -> i64 {
    i64::from(request.limit) + 1
}

/// The id before which a page of a list starts that runs from the newest; the largest one when it is
/// the first page.
pub fn before_id(page: &PageRequest) -> Result<Uuid, StoreError> {
    if page.after.is_none() { Ok(Uuid::max()) } else { after_id(page) }
}
