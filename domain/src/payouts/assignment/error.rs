//! Why nothing was assigned.

use super::MAX_LINES;
use crate::access::MissingScope;
use crate::kernel::Faults;
use crate::kernel::jcs::JcsError;
use crate::ledger::posting::PostError;
use crate::store::{StoreError, UseCaseError};

/// A refusal, or a failure of the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssignmentError {
    /// The actor may not do this.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// There is none such, as far as the actor may know.
    #[error("there is no such assignment")]
    NotFound,
    /// Fields that are wrong.
    #[error("the request has fields that are wrong")]
    Faults(Faults),
    /// Nothing of the payee is wholly unpaid.
    #[error("nothing can be assigned: {left_out} lines have something unpaid, and something else besides")]
    Nothing {
        /// Lines that have something unpaid and stay.
        left_out: u32,
    },
    /// More lines than one assignment takes.
    #[error("there are more than {} lines: name a member", MAX_LINES)]
    TooMany,
    /// It is not at the version that was named.
    #[error("it changed since you read it; it is at version {0} now")]
    Stale(u32),
    /// It was decided already.
    #[error("it is {0}, and decided once")]
    Decided(&'static str),
    /// Who proposes does not approve.
    #[error("somebody else than who proposed it must approve")]
    SamePerson,
    /// The approver names another content.
    #[error("the content is not the one that you named; look at it again")]
    OtherContent,
    /// Lines do not stand as they were frozen: nothing moved.
    #[error("{0} of its lines are not as they were when it was proposed; nothing moved: reject it and propose anew")]
    LinesChanged(usize),
    /// The new payee was erased since.
    #[error("the payee whose they would become is erased")]
    PayeeErased,
    /// The content has no canonical form.
    #[error(transparent)]
    Content(#[from] JcsError),
    /// The ledger cannot take it.
    #[error(transparent)]
    Ledger(PostError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PostError> for AssignmentError {
    fn from(error: PostError) -> Self {
        error.or_refusal().map_or_else(Self::Ledger, Self::Store)
    }
}

impl UseCaseError for AssignmentError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::MissingScope(_)
            | Self::NotFound
            | Self::Faults(_)
            | Self::Nothing { .. }
            | Self::TooMany
            | Self::Stale(_)
            | Self::Decided(_)
            | Self::SamePerson
            | Self::OtherContent
            | Self::LinesChanged(_)
            | Self::PayeeErased
            | Self::Content(_)
            | Self::Ledger(_) => None,
        }
    }
}
