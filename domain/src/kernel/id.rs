//! Typed ids and where new ones come from.

use uuid::Uuid;

pub use verifier::id::{ParseIdError, decode, encode};

/// Makes new ids; the adapter draws UUIDv7s, tests count.
pub trait IdSource: Send + Sync {
    /// A UUIDv7 never handed out before.
    fn next(&self) -> Uuid;
}
