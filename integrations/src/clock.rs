//! The system's clock.

use domain::kernel::Instant;
use domain::kernel::time::Clock;

/// Asks the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the adapter of the Clock port")]
    fn now(&self) -> Instant {
        Instant::new(jiff::Timestamp::now())
    }
}
