//! The payout run: previewed → proposed → approved → executed, or rejected, or cancelled.
//!
//! Invariants: what is approved is the digest of the content; the approver is neither the proposer nor the
//! one who made the preview; an executed run never changes. A run whose content no longer fits what is
//! available goes back to previewed with a new content: its approval is void.

use jiff::civil::Date;
use uuid::Uuid;

use super::bank_file::RunFile;
use super::content::FrozenContent;
use crate::access::Persons;
use crate::kernel::ids::{BankAccountId, PayoutRunId};
use crate::kernel::{Digest, Instant};

/// Who did something, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act {
    /// The user or API client.
    pub by: Uuid,
    /// When.
    pub at: Instant,
}

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunState {
    /// Worked out; may be proposed.
    Previewed {
        /// Why it came back, if an approval became void.
        voided: Option<String>,
    },
    /// Waits for somebody else's approval.
    Proposed {
        /// Who proposed.
        proposed: Act,
    },
    /// May be executed.
    Approved {
        /// Who proposed.
        proposed: Act,
        /// Who approved.
        approved: Act,
    },
    /// The money is on its way.
    Executed {
        /// Who proposed.
        proposed: Act,
        /// Who approved.
        approved: Act,
        /// Who executed.
        executed: Act,
        /// Its bank files, by their places; none if nothing of it goes by bank file.
        files: Vec<RunFile>,
    },
    /// The approver said no.
    Rejected {
        /// Who had proposed.
        proposed: Act,
    },
    /// Given up.
    Cancelled,
}

impl RunState {
    /// As it is stored and shown.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Previewed { .. } => "previewed",
            Self::Proposed { .. } => "proposed",
            Self::Approved { .. } => "approved",
            Self::Executed { .. } => "executed",
            Self::Rejected { .. } => "rejected",
            Self::Cancelled => "cancelled",
        }
    }

    /// Who proposed, as far as it is known still.
    #[must_use]
    pub const fn proposed(&self) -> Option<Act> {
        match self {
            Self::Proposed { proposed }
            | Self::Approved { proposed, .. }
            | Self::Executed { proposed, .. }
            | Self::Rejected { proposed } => Some(*proposed),
            Self::Previewed { .. } | Self::Cancelled => None,
        }
    }

    /// Who approved, while that holds.
    #[must_use]
    pub const fn approved(&self) -> Option<Act> {
        match self {
            Self::Approved { approved, .. } | Self::Executed { approved, .. } => Some(*approved),
            Self::Previewed { .. } | Self::Proposed { .. } | Self::Rejected { .. } | Self::Cancelled => None,
        }
    }
}

/// Why a run does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    /// Not from the state in which it is.
    #[error("a run that is {from} cannot be {to}")]
    WrongState {
        /// The state.
        from: &'static str,
        /// What was asked.
        to: &'static str,
    },
    /// There is nobody to pay.
    #[error("the run pays nobody; there is nothing to propose")]
    NothingToPay,
    /// The approver made or proposed it.
    #[error("a run is approved by somebody who neither made nor proposed it")]
    SamePerson,
    /// What the approver saw is not what the run would do.
    #[error("the content is not the one that you named; look at it again")]
    OtherContent,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutRun {
    /// Its id.
    pub id: PayoutRunId,
    /// From which account.
    pub bank_account: BankAccountId,
    /// What may be paid on or before this date.
    pub cut_off_on: Date,
    /// What it does.
    pub content: FrozenContent,
    /// Who made the preview.
    pub created: Act,
    /// Where it stands.
    pub state: RunState,
    /// Counts changes, from 1.
    pub version: u32,
}

/// A run as it is shown: its content by digest and counts only, since that of a large run fills megabytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummary {
    /// Its id.
    pub id: PayoutRunId,
    /// From which account.
    pub bank_account: BankAccountId,
    /// What may be paid on or before this date.
    pub cut_off_on: Date,
    /// The digest of what it does.
    pub content_sha256: Digest,
    /// What it pays in all, in cents.
    pub total_minor: i64,
    /// How many payees it pays.
    pub payouts: usize,
    /// How many payees with something available it leaves out.
    pub skipped: usize,
    /// Who made the preview.
    pub created: Act,
    /// Where it stands.
    pub state: RunState,
    /// Counts changes, from 1.
    pub version: u32,
}

impl RunSummary {
    /// The run with its content.
    #[must_use]
    pub fn with_content(self, content: FrozenContent) -> PayoutRun {
        let Self { id, bank_account, cut_off_on, created, state, version, .. } = self;
        PayoutRun { id, bank_account, cut_off_on, content, created, state, version }
    }
}

impl From<&PayoutRun> for RunSummary {
    fn from(run: &PayoutRun) -> Self {
        let content = run.content.content();
        Self {
            id: run.id,
            bank_account: run.bank_account,
            cut_off_on: run.cut_off_on,
            content_sha256: run.content.sha256(),
            total_minor: content.total.0,
            payouts: content.payouts.len(),
            skipped: content.skipped.len(),
            created: run.created,
            state: run.state.clone(),
            version: run.version,
        }
    }
}

impl PayoutRun {
    fn next(self, state: RunState) -> Self {
        Self { state, version: self.version + 1, ..self }
    }

    const fn wrong(&self, to: &'static str) -> TransitionError {
        TransitionError::WrongState { from: self.state.code(), to }
    }

    /// Asks for approval.
    ///
    /// # Errors
    /// Only from previewed, and only if it pays somebody.
    pub fn propose(self, proposed: Act) -> Result<Self, TransitionError> {
        match self.state {
            RunState::Previewed { .. } if self.content.content().payouts.is_empty() => {
                Err(TransitionError::NothingToPay)
            }
            RunState::Previewed { .. } => Ok(self.next(RunState::Proposed { proposed })),
            _ => Err(self.wrong("proposed")),
        }
    }

    /// Approves the content with this digest.
    ///
    /// # Errors
    /// Only from proposed, by another person, and for the content as it stands.
    pub fn approve(self, approved: Act, sha256: Digest, persons: &Persons) -> Result<Self, TransitionError> {
        let RunState::Proposed { proposed } = self.state else { return Err(self.wrong("approved")) };
        if [proposed.by, self.created.by].into_iter().any(|by| persons.are_one(by, approved.by)) {
            return Err(TransitionError::SamePerson);
        }
        if sha256 != self.content.sha256() {
            return Err(TransitionError::OtherContent);
        }
        Ok(self.next(RunState::Approved { proposed, approved }))
    }

    /// Says no to a proposal.
    ///
    /// # Errors
    /// Only from proposed.
    pub fn reject(self) -> Result<Self, TransitionError> {
        let RunState::Proposed { proposed } = self.state else { return Err(self.wrong("rejected")) };
        Ok(self.next(RunState::Rejected { proposed }))
    }

    /// Gives it up.
    ///
    /// # Errors
    /// Not once it is executed, rejected or cancelled.
    pub fn cancel(self) -> Result<Self, TransitionError> {
        match self.state {
            RunState::Previewed { .. } | RunState::Proposed { .. } | RunState::Approved { .. } => {
                Ok(self.next(RunState::Cancelled))
            }
            RunState::Executed { .. } | RunState::Rejected { .. } | RunState::Cancelled => Err(self.wrong("cancelled")),
        }
    }

    /// The money goes, as far as it goes by bank file by these.
    ///
    /// # Errors
    /// Only from approved.
    pub fn execute(self, executed: Act, files: Vec<RunFile>) -> Result<Self, TransitionError> {
        let RunState::Approved { proposed, approved } = self.state else { return Err(self.wrong("executed")) };
        Ok(self.next(RunState::Executed { proposed, approved, executed, files }))
    }

    /// Its bank files, once it is executed.
    #[must_use]
    pub fn files(&self) -> &[RunFile] {
        match &self.state {
            RunState::Executed { files, .. } => files,
            RunState::Previewed { .. }
            | RunState::Proposed { .. }
            | RunState::Approved { .. }
            | RunState::Rejected { .. }
            | RunState::Cancelled => &[],
        }
    }

    /// Goes back with a new content; its approval is void.
    ///
    /// # Errors
    /// Only from approved.
    pub fn void(self, reason: String, content: FrozenContent) -> Result<Self, TransitionError> {
        let RunState::Approved { .. } = self.state else { return Err(self.wrong("voided")) };
        let run = Self { content, ..self };
        Ok(run.next(RunState::Previewed { voided: Some(reason) }))
    }
}
