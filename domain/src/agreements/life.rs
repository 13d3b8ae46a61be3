//! The life of a version: `draft → proposed → approved → active → superseded | retired`.
//!
//! Invariants: content changes only while it is a draft; what is approved is the hash of the content; nobody who
//! wrote any of it or proposed it approves it. An approved version becomes active on its first day, and the earlier
//! one superseded: that is set by date and state for all agreements at once
//! ([`super::repository::AgreementRepository::come_into_force`]), so no transition of one version stands for it here.

use jiff::civil::Date;
use uuid::Uuid;

use super::VersionContent;
use super::finding::Finding;
use super::model::GoverningDate;
use super::version::{GoverningVersion, TableVersion};
use crate::access::Persons;
use crate::kernel::ids::AgreementId;
use crate::kernel::jcs::JcsError;
use crate::kernel::{Digest, Instant};
use crate::store::StoreError;

/// Where a version is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VersionState {
    /// May still be written anew.
    Draft,
    /// Waits for the approver.
    Proposed,
    /// Approved; its first day is still to come.
    Approved,
    /// Governs deals in its effective range.
    Active,
    /// A later version took its place; deals that are sealed under it stay.
    Superseded,
    /// Taken out of force; deals that are sealed under it stay.
    Retired,
}

impl VersionState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Draft, Self::Proposed, Self::Approved, Self::Active, Self::Superseded, Self::Retired];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Active => "active",
            Self::Superseded => "superseded",
            Self::Retired => "retired",
        }
    }

    /// Reads a state.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

impl std::fmt::Display for VersionState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who did something, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act {
    /// The user or API client.
    pub by: Uuid,
    /// When.
    pub at: Instant,
}

/// An approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Who, and when.
    pub act: Act,
    /// What the log knows it by.
    pub id: Uuid,
    /// The codes of the warnings that the approver took note of.
    pub acknowledged: Vec<String>,
}

/// A refusal or a retirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Who, and when.
    pub act: Act,
    /// Why, in their words.
    pub reason: String,
}

/// Why a version does not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LifeError {
    /// Not from the state in which it is.
    #[error("a version that is {from} cannot be {to}")]
    WrongState {
        /// Where it is.
        from: VersionState,
        /// What was asked.
        to: &'static str,
    },
    /// The approver wrote or proposed it.
    #[error("a version is approved by somebody who neither wrote nor proposed it")]
    SamePerson,
    /// The approver saw other content.
    #[error("the content is not the one that you named; look at it again")]
    OtherContent,
    /// There are warnings that the approver did not name.
    #[error("every warning must be acknowledged: name its code in `acknowledged`")]
    NotAcknowledged(Vec<Finding>),
    /// The content has no canonical form: a number in it is beyond what JSON carries.
    #[error(transparent)]
    Canonical(#[from] JcsError),
}

/// One version of an agreement, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementVersion {
    /// The agreement.
    pub agreement: AgreementId,
    /// 1, 2, 3 …
    pub number: u32,
    /// Where it is in its life.
    pub state: VersionState,
    /// Which date of a deal decides whether it governs.
    pub governing_date: GoverningDate,
    /// Its first day.
    pub effective_from: Date,
    /// Its last day.
    pub effective_until: Option<Date>,
    /// The exact bytes that are hashed and approved.
    pub content: Vec<u8>,
    /// Their hash.
    pub content_sha256: Digest,
    /// The lookup tables that the content names.
    pub tables: Vec<TableVersion>,
    /// When it was made.
    pub created_at: Instant,
    /// Everybody who wrote any of it, the first one first; nobody for what ships.
    pub writers: Vec<Uuid>,
    /// Who proposed it last.
    pub proposed: Option<Act>,
    /// Who sent it back last, while nobody has proposed it again.
    pub rejected: Option<Ended>,
    /// Who approved it.
    pub approved: Option<Approval>,
    /// Since when it was active.
    pub activated_at: Option<Instant>,
    /// By which later version it was superseded, and when.
    pub superseded: Option<(u32, Instant)>,
    /// Who took it out of force.
    pub retired: Option<Ended>,
    /// Rises with each change: its `ETag`.
    pub version: i32,
}

impl AgreementVersion {
    /// A new draft.
    ///
    /// # Errors
    /// When the content has no canonical form.
    pub fn draft(
        (agreement, number): (AgreementId, u32),
        content: &VersionContent,
        written: Act,
    ) -> Result<Self, JcsError> {
        let bytes = content.canonical_bytes()?;
        Ok(Self {
            agreement,
            number,
            state: VersionState::Draft,
            governing_date: content.governing_date,
            effective_from: content.effective_from,
            effective_until: content.effective_until,
            content_sha256: Digest::of(&bytes),
            content: bytes,
            tables: Vec::new(),
            created_at: written.at,
            writers: vec![written.by],
            proposed: None,
            rejected: None,
            approved: None,
            activated_at: None,
            superseded: None,
            retired: None,
            version: 1,
        })
    }

    fn next(self, state: VersionState) -> Self {
        Self { state, version: self.version + 1, ..self }
    }

    const fn wrong(&self, to: &'static str) -> LifeError {
        LifeError::WrongState { from: self.state, to }
    }

    /// Writes a draft anew.
    ///
    /// # Errors
    /// From any other state; when the content has no canonical form.
    pub fn replace(self, content: &VersionContent, written: Act) -> Result<Self, LifeError> {
        if self.state != VersionState::Draft {
            return Err(self.wrong("written anew"));
        }
        let draft = Self::draft((self.agreement, self.number), content, written)?;
        let mut writers = self.writers;
        if !writers.contains(&written.by) {
            writers.push(written.by);
        }
        let (created_at, rejected, version) = (self.created_at, self.rejected, self.version + 1);
        Ok(Self { writers, created_at, rejected, version, ..draft })
    }

    /// Everybody who wrote any of it, and who proposed it.
    pub fn authors(&self) -> impl Iterator<Item = Uuid> {
        self.writers.iter().copied().chain(self.proposed.map(|act| act.by))
    }

    /// Draft → proposed: the content stays from now on.
    ///
    /// # Errors
    /// From any other state.
    pub fn propose(self, act: Act) -> Result<Self, LifeError> {
        if self.state != VersionState::Draft {
            return Err(self.wrong("proposed"));
        }
        let proposed = Self { proposed: Some(act), rejected: None, ..self };
        Ok(proposed.next(VersionState::Proposed))
    }

    /// Proposed → approved, for the content with this digest.
    ///
    /// # Errors
    /// From any other state, by somebody who wrote or proposed it, for other content, or with a warning left out.
    pub fn approve(
        self,
        approval: Approval,
        content_sha256: Digest,
        findings: &[Finding],
        persons: &Persons,
    ) -> Result<Self, LifeError> {
        if self.state != VersionState::Proposed {
            return Err(self.wrong("approved"));
        }
        if self.authors().any(|author| persons.are_one(author, approval.act.by)) {
            return Err(LifeError::SamePerson);
        }
        if content_sha256 != self.content_sha256 {
            return Err(LifeError::OtherContent);
        }
        let missing = findings.iter().filter(|finding| !approval.acknowledged.iter().any(|code| code == finding.code));
        let missing: Vec<Finding> = missing.cloned().collect();
        if !missing.is_empty() {
            return Err(LifeError::NotAcknowledged(missing));
        }
        let approved = Self { approved: Some(approval), ..self };
        Ok(approved.next(VersionState::Approved))
    }

    /// Proposed → draft: the approver sends it back.
    ///
    /// # Errors
    /// From any other state.
    pub fn reject(self, rejected: Ended) -> Result<Self, LifeError> {
        if self.state != VersionState::Proposed {
            return Err(self.wrong("rejected"));
        }
        let rejected = Self { rejected: Some(rejected), ..self };
        Ok(rejected.next(VersionState::Draft))
    }

    /// Approved or active → retired: it takes no new deals.
    ///
    /// # Errors
    /// From any other state.
    pub fn retire(self, retired: Ended) -> Result<Self, LifeError> {
        if !matches!(self.state, VersionState::Approved | VersionState::Active) {
            return Err(self.wrong("retired"));
        }
        let retired = Self { retired: Some(retired), ..self };
        Ok(retired.next(VersionState::Retired))
    }

    /// What it says.
    ///
    /// # Errors
    /// When its content does not read: corrupt data, never a user's fault.
    pub fn read(&self) -> Result<VersionContent, StoreError> {
        VersionContent::parse(&self.content).map_err(|_| self.failed("unreadable"))
    }

    /// The version that deals can be governed by.
    ///
    /// # Errors
    /// When its content does not read, or is not what was hashed.
    pub fn governing(&self) -> Result<GoverningVersion, StoreError> {
        let content = self.read()?;
        let version = GoverningVersion::with_tables(self.agreement, self.number, content, self.tables.clone());
        let version = version.map_err(|_| self.failed("no canonical form"))?;
        if version.content_hash() == self.content_sha256 {
            Ok(version)
        } else {
            Err(self.failed("not what was hashed"))
        }
    }

    fn failed(&self, what: &str) -> StoreError {
        StoreError::Failed(format!("agreement {} version {}: {what}", self.agreement, self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreements::reference;

    fn act(who: u128) -> Act {
        let at = Instant::new(jiff::Timestamp::from_second(1).expect("a timestamp"));
        Act { by: Uuid::from_u128(who), at }
    }

    fn approval(who: u128, acknowledged: &[&str]) -> Approval {
        let acknowledged = acknowledged.iter().map(|code| (*code).to_owned()).collect();
        Approval { act: act(who), id: Uuid::from_u128(99), acknowledged }
    }

    fn ended(who: u128) -> Ended {
        Ended { act: act(who), reason: "The wrong rate".to_owned() }
    }

    fn content() -> VersionContent {
        reference::v01().expect("the reference").content().clone()
    }

    fn draft() -> AgreementVersion {
        AgreementVersion::draft((reference::V01_AGREEMENT, 2), &content(), act(1)).expect("a draft")
    }

    #[test]
    fn a_draft_is_written_anew_until_it_is_proposed() {
        let mut other = content();
        other.effective_from = jiff::civil::date(2030, 1, 1);
        let draft = draft().replace(&other, act(2)).expect("a draft");
        assert_eq!((draft.version, draft.writers.len(), draft.effective_from), (2, 2, other.effective_from));
        let again = draft.replace(&content(), act(1)).expect("a draft");
        assert_eq!((again.version, again.writers.len()), (3, 2));
        let proposed = again.propose(act(1)).expect("proposed");
        let refused = proposed.clone().replace(&content(), act(1));
        assert_eq!(refused, Err(LifeError::WrongState { from: VersionState::Proposed, to: "written anew" }));
        let back = proposed.reject(ended(3)).expect("a draft");
        assert_eq!(
            (back.state, back.rejected.as_ref().map(|r| r.reason.as_str())),
            (VersionState::Draft, Some("The wrong rate"))
        );
        assert_eq!(back.propose(act(1)).expect("proposed").rejected, None);
    }

    #[test]
    fn nobody_approves_what_they_wrote_proposed_or_have_not_read() {
        let draft = draft().replace(&content(), act(2)).expect("a draft");
        let sha256 = draft.content_sha256;
        let unproposed = draft.clone().approve(approval(9, &[]), sha256, &[], &Persons::default());
        assert_eq!(unproposed, Err(LifeError::WrongState { from: VersionState::Draft, to: "approved" }));
        let proposed = draft.propose(act(3)).expect("proposed");
        for author in [1, 2, 3] {
            let refused = proposed.clone().approve(approval(author, &[]), sha256, &[], &Persons::default());
            assert_eq!(refused, Err(LifeError::SamePerson), "{author}");
        }
        // 9 is a program that 1 holds.
        let held = Persons::restore([(Uuid::from_u128(9), Uuid::from_u128(1))]);
        assert_eq!(proposed.clone().approve(approval(9, &[]), sha256, &[], &held), Err(LifeError::SamePerson));
        let other = Digest::of(b"something else");
        assert_eq!(
            proposed.clone().approve(approval(9, &[]), other, &[], &Persons::default()),
            Err(LifeError::OtherContent)
        );
        let cliff = [Finding::warning("cliff", "/components/0".to_owned(), "it falls".to_owned())];
        let refused = proposed.clone().approve(approval(9, &["gap"]), sha256, &cliff, &Persons::default());
        assert_eq!(refused, Err(LifeError::NotAcknowledged(cliff.to_vec())));
        let approved =
            proposed.approve(approval(9, &["cliff"]), sha256, &cliff, &Persons::default()).expect("approved");
        assert_eq!(approved.state, VersionState::Approved);
        let twice = approved.clone().approve(approval(8, &["cliff"]), sha256, &cliff, &Persons::default());
        assert_eq!(twice, Err(LifeError::WrongState { from: VersionState::Approved, to: "approved" }));
        let retired = approved.retire(ended(9)).expect("retired");
        assert_eq!(retired.retire(ended(9)), Err(LifeError::WrongState { from: VersionState::Retired, to: "retired" }));
    }
}
