//! The ports of agreements, their versions and calculations.

use super::version::GoverningVersion;
use crate::catalogue::VerticalCode;
use crate::kernel::ids::{CalculationId, DealId};
use crate::kernel::{Digest, Instant};
use crate::store::StoreError;

/// A calculation as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCalculation {
    /// Its id.
    pub id: CalculationId,
    /// The deal.
    pub deal: DealId,
    /// Which agreement and version governed.
    pub version: (crate::kernel::ids::AgreementId, u32),
    /// The engine.
    pub engine: u16,
    /// The exact input.
    pub input: Vec<u8>,
    /// The digest of the output.
    pub output_sha256: Digest,
    /// The moment up to which facts were known.
    pub known_at: Instant,
}

/// Agreements, inside a transaction.
pub trait AgreementRepository {
    /// Keeps a shipped agreement and its active version; one that exists already stays as it is.
    ///
    /// # Errors
    /// The failure of the store.
    fn ship(&mut self, name: &str, version: &GoverningVersion, at: Instant) -> Result<(), StoreError>;

    /// The versions of a vertical that deals can be governed by, with the content that was approved.
    ///
    /// # Errors
    /// The failure of the store; content whose hash is another one than approved.
    fn list_active(&mut self, vertical: VerticalCode) -> Result<Vec<GoverningVersion>, StoreError>;

    /// Keeps calculations.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_calculations(&mut self, calculations: &[StoredCalculation]) -> Result<(), StoreError>;
}
