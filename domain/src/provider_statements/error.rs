//! Why a use case of provider statements did nothing.

use crate::access::MissingScope;
use crate::kernel::Faults;
use crate::kernel::ids::ProviderStatementId;
use crate::kernel::money::MoneyError;
use crate::ledger::posting::PostError;
use crate::store::{StoreError, UseCaseError};

/// A refusal, or a failure of the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReconciliationError {
    /// The actor may not do this.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// There is none such, as far as the actor may know.
    #[error("there is no such thing here")]
    NotFound,
    /// Fields, or lines of a file, that are wrong.
    #[error("the request has fields that are wrong")]
    Faults(Faults),
    /// It is not at the version that was named.
    #[error("it changed since you read it; it is at version {0} now")]
    Stale(u32),
    /// The provider's files cannot be read yet.
    #[error("save a mapping for this provider first")]
    NoMapping,
    /// The file was taken before.
    #[error("this file is known: it is {0}")]
    Known(ProviderStatementId),
    /// It has ended, or is being worked on.
    #[error("it does not stand where this can be done: {0}")]
    WrongState(&'static str),
    /// Who proposes does not approve.
    #[error("somebody else than who proposed it must decide")]
    SamePerson,
    /// More is to be written off than is open.
    #[error("{open_minor} cents are open")]
    MoreThanOpen {
        /// What is open.
        open_minor: i64,
    },
    /// The difference is still there.
    #[error("the difference is still there: {0} cents")]
    DifferenceRemains(i64),
    /// The ledger cannot take it.
    #[error("the ledger refused: {0}")]
    Ledger(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<PostError> for ReconciliationError {
    fn from(error: PostError) -> Self {
        error.or_words().map_or_else(Self::Ledger, Self::Store)
    }
}

impl From<MoneyError> for ReconciliationError {
    fn from(error: MoneyError) -> Self {
        Self::Ledger(error.to_string())
    }
}

impl From<Faults> for ReconciliationError {
    fn from(faults: Faults) -> Self {
        Self::Faults(faults)
    }
}

impl UseCaseError for ReconciliationError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::MissingScope(_)
            | Self::NotFound
            | Self::Faults(_)
            | Self::Stale(_)
            | Self::NoMapping
            | Self::Known(_)
            | Self::WrongState(_)
            | Self::SamePerson
            | Self::MoreThanOpen { .. }
            | Self::DifferenceRemains(_)
            | Self::Ledger(_) => None,
        }
    }
}
