//! Why a use case of payouts did nothing.

use super::aba::AbaError;
use super::run::TransitionError;
use crate::access::MissingScope;
use crate::chain::statement::StatementError;
use crate::kernel::Faults;
use crate::kernel::jcs::JcsError;
use crate::ledger::entry::EntryError;
use crate::ledger::line::LineError;
use crate::ledger::posting::PostError;
use crate::store::{StoreError, UseCaseError};

/// A refusal, or a failure of the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayoutError {
    /// The actor may not do this.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// There is none such, as far as the actor may know.
    #[error("there is no such payout run")]
    RunNotFound,
    /// There is none such, as far as the actor may know.
    #[error("there is no such bank account")]
    BankAccountNotFound,
    /// The account is kept already.
    #[error("this bank account is kept already")]
    BankAccountTaken,
    /// Fields that are wrong.
    #[error("the request has fields that are wrong")]
    Faults(Faults),
    /// The run is not at the version that was named.
    #[error("the run changed since you read it; it is at version {0} now")]
    Stale(u32),
    /// The run does not go there from here.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// No bank file can be made.
    #[error(transparent)]
    File(#[from] AbaError),
    /// A line cannot give what it should: a defect, since it was checked.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The ledger cannot take it.
    #[error("the ledger refused: {0}")]
    Ledger(String),
    /// The platform could not sign.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The content has no canonical form.
    #[error(transparent)]
    Content(#[from] JcsError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PostError> for PayoutError {
    fn from(error: PostError) -> Self {
        match error {
            PostError::Store(error) => Self::Store(error),
            PostError::Entry(EntryError::OutOfRange | EntryError::Empty | EntryError::Unbalanced)
            | PostError::BalanceOutOfRange
            | PostError::OutOfBounds(_) => Self::Ledger(error.to_string()),
        }
    }
}

impl UseCaseError for PayoutError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::MissingScope(_)
            | Self::RunNotFound
            | Self::BankAccountNotFound
            | Self::BankAccountTaken
            | Self::Faults(_)
            | Self::Stale(_)
            | Self::Transition(_)
            | Self::File(_)
            | Self::Line(_)
            | Self::Ledger(_)
            | Self::Statement(_)
            | Self::Content(_) => None,
        }
    }
}
