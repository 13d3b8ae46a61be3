//! The ports of agreements, their versions and calculations.

use jiff::civil::Date;

use super::model::GoverningDate;
use super::version::GoverningVersion;
use crate::catalogue::VerticalCode;
use crate::kernel::ids::{AgreementId, CalculationId, DealId, VerticalId};
use crate::kernel::{Digest, Instant, Page, PageRequest};
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

    /// The same of the verticals of some deals.
    ///
    /// # Errors
    /// As [`Self::list_active`].
    fn list_active_of(&mut self, deals: &[DealId]) -> Result<Vec<(VerticalCode, Vec<GoverningVersion>)>, StoreError>;

    /// Keeps calculations.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_calculations(&mut self, calculations: &[StoredCalculation]) -> Result<(), StoreError>;
}

/// An agreement as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundAgreement {
    /// Its id.
    pub id: AgreementId,
    /// The vertical that it is for.
    pub vertical: VerticalCode,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created_at: Instant,
}

/// A version as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundVersion {
    /// The agreement.
    pub agreement: AgreementId,
    /// 1, 2, 3 …
    pub number: u32,
    /// `draft`, `proposed`, `approved`, `active`, `superseded`, `retired`.
    pub state: String,
    /// Which date of a deal decides whether it governs.
    pub governing_date: GoverningDate,
    /// Its first day.
    pub effective_from: Date,
    /// Its last day.
    pub effective_until: Option<Date>,
    /// The exact bytes that were hashed and approved.
    pub content: Vec<u8>,
    /// Their hash.
    pub content_sha256: Digest,
    /// When it was made.
    pub created_at: Instant,
    /// When it was approved.
    pub approved_at: Option<Instant>,
}

/// Agreements, to look up.
pub trait AgreementQueries {
    /// Agreements, of one vertical or of all, by id.
    ///
    /// # Errors
    /// The failure of the store.
    fn list(&mut self, vertical: Option<VerticalId>, page: &PageRequest) -> Result<Page<FoundAgreement>, StoreError>;

    /// One agreement.
    ///
    /// # Errors
    /// The failure of the store.
    fn find(&mut self, id: AgreementId) -> Result<Option<FoundAgreement>, StoreError>;

    /// The versions of an agreement, the first one first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_versions(&mut self, id: AgreementId, page: &PageRequest) -> Result<Page<FoundVersion>, StoreError>;

    /// One version.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_version(&mut self, id: AgreementId, number: u32) -> Result<Option<FoundVersion>, StoreError>;

    /// A calculation of a deal that the viewer sees.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_calculation(&mut self, id: CalculationId) -> Result<Option<StoredCalculation>, StoreError>;
}

impl FoundVersion {
    /// The version that deals can be governed by.
    ///
    /// # Errors
    /// When its content does not read, or is not what was hashed.
    pub fn governing(&self) -> Result<GoverningVersion, StoreError> {
        let failed =
            |what: &str| StoreError::Failed(format!("agreement {} version {}: {what}", self.agreement, self.number));
        let content = super::VersionContent::parse(&self.content).map_err(|_| failed("unreadable"))?;
        let version = GoverningVersion::try_new(self.agreement, self.number, content);
        let version = version.map_err(|_| failed("no canonical form"))?;
        if version.content_hash() == self.content_sha256 { Ok(version) } else { Err(failed("not what was hashed")) }
    }
}
