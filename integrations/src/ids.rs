//! New ids: UUIDv7 (RFC 9562), which sort by the time at which they were made.

use domain::kernel::id::IdSource;
use uuid::Uuid;

/// Draws from the system's clock and randomness; within a process ids only grow.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemIds;

impl IdSource for SystemIds {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter of the IdSource port")]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}
