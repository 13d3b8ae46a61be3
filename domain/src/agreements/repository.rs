//! The ports of agreements, their versions and calculations.

use jiff::civil::Date;

use super::in_force::Published;
use super::life::{AgreementVersion, VersionState};
use super::version::GoverningVersion;
use crate::catalogue::VerticalCode;
use crate::kernel::ids::{AgreementId, CalculationId, DealId, OrganisationId, VerticalId};
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
    /// The first day of the month of a trail that it is of; none = the deal itself.
    pub period: Option<Date>,
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
    /// Keeps a shipped agreement, its active version and the tables that it names; what exists already stays as it is.
    ///
    /// # Errors
    /// The failure of the store.
    fn ship(&mut self, name: &str, version: &GoverningVersion, at: Instant) -> Result<(), StoreError>;

    /// The vertical that an agreement is for; none when there is no such agreement.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_vertical(&mut self, agreement: AgreementId) -> Result<Option<VerticalCode>, StoreError>;

    /// The versions of a vertical that were approved once, with the content that was approved and its tables.
    ///
    /// # Errors
    /// The failure of the store; content whose hash is another one than approved.
    fn list_published(&mut self, vertical: VerticalCode) -> Result<Vec<Published>, StoreError>;

    /// The same of the verticals of some deals.
    ///
    /// # Errors
    /// As [`Self::list_published`].
    fn list_published_of(&mut self, deals: &[DealId]) -> Result<Vec<(VerticalCode, Vec<Published>)>, StoreError>;

    /// The digest of the output of the last calculation of each period of the trails of deals.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_trail_outputs(&mut self, deals: &[DealId]) -> Result<Vec<(DealId, Date, Digest)>, StoreError>;

    /// Keeps calculations.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_calculations(&mut self, calculations: &[StoredCalculation]) -> Result<(), StoreError>;

    /// Keeps a new agreement.
    ///
    /// # Errors
    /// `agreement_vertical_id_fkey` when there is no such vertical.
    fn insert_agreement(&mut self, agreement: &FoundAgreement) -> Result<(), StoreError>;

    /// Locks an agreement: whoever changes its versions waits.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_agreement(&mut self, id: AgreementId) -> Result<Option<FoundAgreement>, StoreError>;

    /// The greatest number of a version of an agreement that is locked, 0 when it has none.
    ///
    /// # Errors
    /// The failure of the store.
    fn last_number(&mut self, id: AgreementId) -> Result<u32, StoreError>;

    /// Keeps a new version.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_version(&mut self, version: &AgreementVersion) -> Result<(), StoreError>;

    /// Locks a version of an agreement that is locked; with the tables that it names.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_version(&mut self, id: AgreementId, number: u32) -> Result<Option<AgreementVersion>, StoreError>;

    /// Writes a version: its content while it is a draft, and what became of it.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_version(&mut self, version: &AgreementVersion) -> Result<(), StoreError>;

    /// Keeps that an approved version names its tables, and that its agreement may be seen by those whom it is for.
    ///
    /// # Errors
    /// The failure of the store.
    fn publish(&mut self, version: &AgreementVersion) -> Result<(), StoreError>;

    /// Numbers, first and last days of the versions of an agreement that were proposed or approved and are not
    /// retired, without this one.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_ranges(&mut self, id: AgreementId, but: u32) -> Result<Vec<(u32, Date, Option<Date>)>, StoreError>;

    /// Makes active what was approved and has begun by this moment's day in Sydney, and superseded what a later version
    /// has ended; of one agreement or of all. Gives what moved, agreement by agreement.
    ///
    /// # Errors
    /// The failure of the store.
    fn come_into_force(&mut self, now: Instant, agreement: Option<AgreementId>) -> Result<Vec<Moved>, StoreError>;
}

/// A version that came to another state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The agreement.
    pub agreement: AgreementId,
    /// The number of the version.
    pub number: u32,
    /// The provider that the agreement is made for.
    pub provider: Option<OrganisationId>,
    /// Where it is now.
    pub state: VersionState,
    /// The hash of what it says.
    pub content_sha256: Digest,
    /// Its first day.
    pub effective_from: Date,
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
    /// The provider that it is made for; none = for everybody.
    pub provider: Option<OrganisationId>,
    /// When it was made.
    pub created_at: Instant,
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
    fn list_versions(&mut self, id: AgreementId, page: &PageRequest) -> Result<Page<AgreementVersion>, StoreError>;

    /// One version.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_version(&mut self, id: AgreementId, number: u32) -> Result<Option<AgreementVersion>, StoreError>;

    /// What [`AgreementRepository::list_ranges`] gives, as far as the viewer sees it.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_ranges(&mut self, id: AgreementId, but: u32) -> Result<Vec<(u32, Date, Option<Date>)>, StoreError>;

    /// A calculation of a deal that the viewer sees.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_calculation(&mut self, id: CalculationId) -> Result<Option<StoredCalculation>, StoreError>;
}
