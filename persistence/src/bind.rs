//! Values of the domain as PostgreSQL takes and gives them.

use domain::kernel::{Digest, Instant};
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

/// The key of the page that starts after an id.
pub fn id_key(id: Uuid) -> Vec<u8> {
    id.as_bytes().to_vec()
}
