//! What PostgreSQL reports, in the words of the store's port.

use diesel::result::{DatabaseErrorKind, Error};
use domain::store::StoreError;

/// The rule that a value of a caller breaks when PostgreSQL cannot hold it.
const OUT_OF_RANGE: &str = "value_out_of_range";

/// Turns a Diesel error into the port's error: a broken rule by its constraint's name, contention by
/// its kind, everything else as a failure for the log.
pub fn store_error(error: Error) -> StoreError {
    match error {
        Error::DatabaseError(kind, info) => match kind {
            DatabaseErrorKind::SerializationFailure => StoreError::Contention,
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => StoreError::Unavailable,
            DatabaseErrorKind::UniqueViolation
            | DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::CheckViolation
            | DatabaseErrorKind::NotNullViolation => match info.constraint_name() {
                Some(name) => StoreError::Violates(name.to_owned()),
                None => StoreError::Failed(info.message().to_owned()),
            },
            // A date or moment before PostgreSQL's own: only a caller can have named it.
            _ if info.message().ends_with("out of range") => StoreError::Violates(OUT_OF_RANGE.to_owned()),
            // Diesel has no kind of its own for a deadlock; PostgreSQL's message is fixed in English (lc_messages C).
            _ if info.message().starts_with("deadlock detected") => StoreError::Contention,
            // SQLSTATE 53100, which Diesel does not tell either: it passes once somebody has made room.
            _ if info.message().starts_with("could not extend file")
                || info.message().ends_with("No space left on device") =>
            {
                tracing::error!("the database has no room left on its disk");
                StoreError::Unavailable
            }
            _ => StoreError::Failed(info.message().to_owned()),
        },
        other => StoreError::Failed(other.to_string()),
    }
}

/// A stored value that this version cannot read: corrupt data, never a user's fault.
pub fn unreadable(what: &str) -> StoreError {
    StoreError::Failed(format!("stored data cannot be read: {what}"))
}
