//! Why a use case of the directory is refused.

use crate::access::MissingScope;
use crate::chain::statement::StatementError;
use crate::kernel::Faults;
use crate::store::{StoreError, UseCaseError};

/// Why organisations, contacts, members and payees are not created or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// The actor lacks a scope.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// The input does not hold together, or names what is not there or not the actor's.
    #[error("the request is not valid")]
    Invalid(Faults),
    /// There is no such thing, or it is not the actor's.
    #[error("there is no such thing here")]
    NotFound,
    /// It changed since it was read.
    #[error("it was changed in the meantime")]
    Stale,
    /// The organisation has a member of this name.
    #[error("the organisation has another member with this `member_ref`")]
    MemberRefTaken,
    /// Another organisation is called so.
    #[error("another organisation has this `external_ref`")]
    ExternalRefTaken,
    /// There is one operator.
    #[error("there is an operator already")]
    OperatorExists,
    /// What identified the contact was erased.
    #[error("what identified this contact was erased")]
    Erased,
    /// The payee was erased.
    #[error("this payee was erased: nothing new is kept of it")]
    PayeeErased,
    /// Another payee begins for the member on that day.
    #[error("another payee begins for this member on the same day; choose another `from_on`")]
    PayeeOnThatDay,
    /// The organisation has a cohort of this code.
    #[error("the organisation has another cohort with this `code`")]
    CohortCodeTaken,
    /// The licence is known as it is.
    #[error("this licence is known already, with the same end")]
    LicenceKnown,
    /// The change of the account was approved, or replaced.
    #[error("this change waits for nobody: it was approved, or a newer one took its place")]
    BankChangeDecided,
    /// Who proposed it approves it.
    #[error("somebody else than who proposed the account approves it")]
    SamePerson,
    /// What the second person typed is not what was proposed.
    #[error("this is not the account that was proposed")]
    BankDetailsDiffer,
    /// The platform's key is out of reach.
    #[error(transparent)]
    Sign(#[from] StatementError),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for DirectoryError {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Violates(rule) => match rule.as_str() {
                "member_ref_taken" => Self::MemberRefTaken,
                "cohort_code_taken" => Self::CohortCodeTaken,
                "organisation_external_ref_taken" => Self::ExternalRefTaken,
                "organisation_one_operator" => Self::OperatorExists,
                "payee_erased" => Self::PayeeErased,
                "member_erased" => Self::Erased,
                "member_payee_one_a_day" | "member_payee_pkey" => Self::PayeeOnThatDay,
                _ => Self::Store(error),
            },
            StoreError::Contention | StoreError::Unavailable | StoreError::Failed(_) => Self::Store(error),
        }
    }
}

impl UseCaseError for DirectoryError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
