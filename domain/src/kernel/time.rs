//! Instants, and where the time and chance come from.

pub use verifier::instant::Instant;

/// Tells the time; the adapter asks the system, tests set it.
pub trait Clock: Send + Sync {
    /// This moment.
    fn now(&self) -> Instant;
}

/// Unpredictable bytes; the adapter asks the operating system, tests count.
pub trait Randomness: Send + Sync {
    /// Fills the whole buffer.
    fn fill(&self, buffer: &mut [u8]);
}
