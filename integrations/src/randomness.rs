//! The system's randomness.

use domain::kernel::time::Randomness;

/// Asks the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&self, buffer: &mut [u8]) {
        if getrandom::fill(buffer).is_err() {
            // A predictable salt or key would be worse than no service, and nobody could tell.
            std::process::abort();
        }
    }
}
