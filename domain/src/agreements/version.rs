//! The life of a version: `draft → proposed → approved → active → superseded | retired`.
//!
//! Invariants: content never changes after the draft; the approver is another person than the author; an approval
//! names the content hash, and only that content becomes active.

use std::sync::OnceLock;

use uuid::Uuid;

use super::evaluate::v2::Plan;
use super::finding::Finding;
use super::model::{LookupTable, LookupUse, VersionContent};
use crate::access::Persons;
use crate::kernel::fault::Reason;
use crate::kernel::ids::{AgreementId, ApiClientId, LookupTableId, UserId};
use crate::kernel::jcs::JcsError;
use crate::kernel::{Digest, Instant};

/// Who wrote or approved a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signatory {
    /// A person.
    User(UserId),
    /// A machine acting for its owner.
    Client(ApiClientId),
    /// It ships with the platform; never an approver.
    Reference,
}

impl Signatory {
    /// The bare id; none for what ships with the platform.
    #[must_use]
    pub const fn uuid(self) -> Option<Uuid> {
        match self {
            Self::User(id) => Some(id.uuid()),
            Self::Client(id) => Some(id.uuid()),
            Self::Reference => None,
        }
    }
}

/// An approval: who, when, and of exactly which content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Somebody else than the author.
    pub by: Signatory,
    /// When.
    pub at: Instant,
    /// What was approved.
    pub content_hash: Digest,
}

/// Where a version is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionState {
    /// May still be replaced by another draft.
    Draft,
    /// Waiting for the approver.
    Proposed {
        /// When it was proposed.
        at: Instant,
    },
    /// Approved, not yet governing.
    Approved(Approval),
    /// Governs deals in its effective range.
    Active {
        /// By whom it was approved.
        approval: Approval,
        /// Since when.
        at: Instant,
    },
    /// A later version took its place.
    Superseded {
        /// By whom it was approved.
        approval: Approval,
        /// The number of the later one.
        by_number: u32,
        /// When.
        at: Instant,
    },
    /// Taken out of force.
    Retired {
        /// By whom it was approved.
        approval: Approval,
        /// When.
        at: Instant,
    },
}

impl VersionState {
    /// The name of the state in `snake_case`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Proposed { .. } => "proposed",
            Self::Approved(_) => "approved",
            Self::Active { .. } => "active",
            Self::Superseded { .. } => "superseded",
            Self::Retired { .. } => "retired",
        }
    }
}

/// Why a version cannot move on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// The state does not allow it.
    #[error("a version that is {from} cannot be {to}")]
    WrongState {
        /// Where it is.
        from: &'static str,
        /// Where it should go.
        to: &'static str,
    },
    /// Author and approver are one.
    #[error("the approver must be somebody else than the author")]
    SelfApproval,
    /// The platform itself cannot approve.
    #[error("an approver must be a user or an API client")]
    NotAnApprover,
    /// The approver saw other content.
    #[error("the approval names content {named}, the version has {actual}")]
    OtherContent {
        /// What the approval names.
        named: Digest,
        /// What the version says.
        actual: Digest,
    },
    /// A version is only superseded by a later one.
    #[error("version {by_number} is not later")]
    NotLater {
        /// The number given.
        by_number: u32,
    },
    /// The content has no canonical form.
    #[error(transparent)]
    Canonical(#[from] JcsError),
}

impl Reason for VersionError {
    fn code(&self) -> &'static str {
        match self {
            Self::WrongState { .. } => "wrong_version_state",
            Self::SelfApproval => "self_approval",
            Self::NotAnApprover => "not_an_approver",
            Self::OtherContent { .. } => "content_hash_mismatch",
            Self::NotLater { .. } => "not_a_later_version",
            Self::Canonical(_) => "invalid_agreement_content",
        }
    }
}

/// One version of an agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementVersion {
    governing: GoverningVersion,
    author: Signatory,
    state: VersionState,
}

impl AgreementVersion {
    /// A new draft.
    ///
    /// # Errors
    /// When the content has no canonical form.
    pub fn draft(
        agreement: AgreementId,
        number: u32,
        content: VersionContent,
        author: Signatory,
    ) -> Result<Self, VersionError> {
        let governing = GoverningVersion::try_new(agreement, number, content)?;
        Ok(Self { governing, author, state: VersionState::Draft })
    }

    /// From storage.
    #[must_use]
    pub const fn restore(governing: GoverningVersion, author: Signatory, state: VersionState) -> Self {
        Self { governing, author, state }
    }

    /// Draft → proposed.
    ///
    /// # Errors
    /// From any other state.
    pub fn propose(self, at: Instant) -> Result<Self, VersionError> {
        match self.state {
            VersionState::Draft => Ok(Self { state: VersionState::Proposed { at }, ..self }),
            other => Err(VersionError::WrongState { from: other.name(), to: "proposed" }),
        }
    }

    /// Proposed → approved. The approver names the hash of what was read.
    ///
    /// # Errors
    /// From any other state, by the author, or for other content.
    pub fn approve(
        self,
        by: Signatory,
        content_hash: Digest,
        at: Instant,
        persons: &Persons,
    ) -> Result<Self, VersionError> {
        if !matches!(self.state, VersionState::Proposed { .. }) {
            return Err(VersionError::WrongState { from: self.state.name(), to: "approved" });
        }
        let Some(approver) = by.uuid() else { return Err(VersionError::NotAnApprover) };
        if self.author.uuid().is_some_and(|author| persons.are_one(author, approver)) {
            return Err(VersionError::SelfApproval);
        }
        let actual = self.governing.content_hash();
        if actual != content_hash {
            return Err(VersionError::OtherContent { named: content_hash, actual });
        }
        Ok(Self { state: VersionState::Approved(Approval { by, at, content_hash }), ..self })
    }

    /// Proposed → draft: the approver sends it back.
    ///
    /// # Errors
    /// From any other state.
    pub fn reject(self) -> Result<Self, VersionError> {
        match self.state {
            VersionState::Proposed { .. } => Ok(Self { state: VersionState::Draft, ..self }),
            other => Err(VersionError::WrongState { from: other.name(), to: "draft" }),
        }
    }

    /// Approved → active.
    ///
    /// # Errors
    /// From any other state.
    pub fn activate(self, at: Instant) -> Result<Self, VersionError> {
        match self.state {
            VersionState::Approved(approval) => Ok(Self { state: VersionState::Active { approval, at }, ..self }),
            other => Err(VersionError::WrongState { from: other.name(), to: "active" }),
        }
    }

    /// Active → superseded by a later version.
    ///
    /// # Errors
    /// From any other state, or when the other number is not later.
    pub fn supersede(self, by_number: u32, at: Instant) -> Result<Self, VersionError> {
        if by_number <= self.governing.number() {
            return Err(VersionError::NotLater { by_number });
        }
        match self.state {
            VersionState::Active { approval, .. } => {
                Ok(Self { state: VersionState::Superseded { approval, by_number, at }, ..self })
            }
            other => Err(VersionError::WrongState { from: other.name(), to: "superseded" }),
        }
    }

    /// Active → retired.
    ///
    /// # Errors
    /// From any other state.
    pub fn retire(self, at: Instant) -> Result<Self, VersionError> {
        match self.state {
            VersionState::Active { approval, .. } => Ok(Self { state: VersionState::Retired { approval, at }, ..self }),
            other => Err(VersionError::WrongState { from: other.name(), to: "retired" }),
        }
    }

    /// What an engine needs of it.
    #[must_use]
    pub const fn governing(&self) -> &GoverningVersion {
        &self.governing
    }

    /// Who wrote it.
    #[must_use]
    pub const fn author(&self) -> Signatory {
        self.author
    }

    /// Where it is in its life.
    #[must_use]
    pub const fn state(&self) -> &VersionState {
        &self.state
    }
}

/// One version of a lookup table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableVersion {
    /// The table.
    pub id: LookupTableId,
    /// 1, 2, 3 …
    pub number: u32,
    /// SHA-256 of its canonical JSON.
    pub content_hash: Digest,
    /// What it says.
    pub table: LookupTable,
}

impl TableVersion {
    /// Works out the hash of the content.
    ///
    /// # Errors
    /// When the content has no canonical form.
    pub fn try_new(id: LookupTableId, number: u32, table: LookupTable) -> Result<Self, JcsError> {
        Ok(Self { id, number, content_hash: table.content_hash()?, table })
    }

    /// Whether it is the one that a component names.
    #[must_use]
    pub fn is(&self, named: &LookupUse) -> bool {
        self.id == named.id && self.number == named.number && self.content_hash == named.content_sha256
    }
}

/// A version as a calculation names it: the content always matches the hash, and the tables are those that it
/// names. It is compiled once, the first time that it is worked with.
#[derive(Debug, Clone)]
pub struct GoverningVersion {
    agreement: AgreementId,
    number: u32,
    content_hash: Digest,
    content: VersionContent,
    tables: Vec<TableVersion>,
    plan: OnceLock<Result<Plan, Vec<Finding>>>,
}

impl PartialEq for GoverningVersion {
    fn eq(&self, other: &Self) -> bool {
        (self.agreement, self.number, self.content_hash) == (other.agreement, other.number, other.content_hash)
    }
}

impl Eq for GoverningVersion {}

impl GoverningVersion {
    /// Works out the hash of content that names no table.
    ///
    /// # Errors
    /// When the content has no canonical form.
    pub fn try_new(agreement: AgreementId, number: u32, content: VersionContent) -> Result<Self, JcsError> {
        Self::with_tables(agreement, number, content, Vec::new())
    }

    /// Works out the hash; the tables are those that the content names.
    ///
    /// # Errors
    /// When the content has no canonical form.
    pub fn with_tables(
        agreement: AgreementId,
        number: u32,
        content: VersionContent,
        tables: Vec<TableVersion>,
    ) -> Result<Self, JcsError> {
        let content_hash = content.content_hash()?;
        Ok(Self { agreement, number, content_hash, content, tables, plan: OnceLock::new() })
    }

    /// The content, compiled; the faults of content that does not make sense.
    ///
    /// # Errors
    /// Every fault.
    pub fn plan(&self) -> Result<&Plan, &[Finding]> {
        let compiled = self.plan.get_or_init(|| Plan::compile(&self.content, &self.tables));
        compiled.as_ref().map_err(Vec::as_slice)
    }

    /// The agreement.
    #[must_use]
    pub const fn agreement(&self) -> AgreementId {
        self.agreement
    }

    /// 1, 2, 3 …
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.number
    }

    /// SHA-256 of the canonical content.
    #[must_use]
    pub const fn content_hash(&self) -> Digest {
        self.content_hash
    }

    /// What it says.
    #[must_use]
    pub const fn content(&self) -> &VersionContent {
        &self.content
    }

    /// The tables that it names.
    #[must_use]
    pub fn tables(&self) -> &[TableVersion] {
        &self.tables
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreements::reference;

    fn user(n: u128) -> Signatory {
        Signatory::User(UserId::new(uuid::Uuid::from_u128(n)))
    }

    fn at(second: i64) -> Instant {
        Instant::new(jiff::Timestamp::from_second(second).expect("a timestamp"))
    }

    fn draft() -> AgreementVersion {
        let content = reference::v01().expect("the reference").content().clone();
        AgreementVersion::draft(reference::V01_AGREEMENT, 2, content, user(1)).expect("a draft")
    }

    #[test]
    fn a_version_lives_from_draft_to_its_successor() {
        let version = draft().propose(at(1)).expect("proposed");
        let hash = version.governing().content_hash();
        let version =
            version.approve(user(2), hash, at(2), &Persons::default()).and_then(|v| v.activate(at(3))).expect("active");
        assert_eq!(version.state().name(), "active");
        assert_eq!(version.clone().supersede(2, at(4)), Err(VersionError::NotLater { by_number: 2 }));
        assert_eq!(version.clone().retire(at(4)).expect("retired").state().name(), "retired");
        let version = version.supersede(3, at(4)).expect("superseded");
        assert_eq!(version.retire(at(5)), Err(VersionError::WrongState { from: "superseded", to: "retired" }));
    }

    #[test]
    fn nobody_approves_their_own_or_what_they_have_not_read() {
        let proposed = draft().propose(at(1)).expect("proposed");
        let hash = proposed.governing().content_hash();
        assert_eq!(
            proposed.clone().approve(user(1), hash, at(2), &Persons::default()),
            Err(VersionError::SelfApproval)
        );
        assert_eq!(
            proposed.clone().approve(Signatory::Reference, hash, at(2), &Persons::default()),
            Err(VersionError::NotAnApprover)
        );
        let id = |n| uuid::Uuid::from_u128(n);
        let program = Signatory::Client(ApiClientId::new(id(9)));
        let of_author = Persons::restore([(id(9), id(1))]);
        assert_eq!(proposed.clone().approve(program, hash, at(2), &of_author), Err(VersionError::SelfApproval));
        let of_another = Persons::restore([(id(9), id(2))]);
        assert!(proposed.clone().approve(program, hash, at(2), &of_another).is_ok());
        let other = Digest::of(b"something else");
        let refused = proposed.clone().approve(user(2), other, at(2), &Persons::default());
        assert_eq!(refused, Err(VersionError::OtherContent { named: other, actual: hash }));
        assert_eq!(proposed.reject().expect("a draft").state().name(), "draft");
        let refused = draft().approve(user(2), hash, at(2), &Persons::default());
        assert_eq!(refused, Err(VersionError::WrongState { from: "draft", to: "approved" }));
    }
}
