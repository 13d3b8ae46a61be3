//! Why a use case of payouts did nothing.

use super::aba::AbaError;
use super::bank_file::BankFileError;
use super::content::Skip;
use super::run::TransitionError;
use crate::access::MissingScope;
use crate::chain::statement::StatementError;
use crate::kernel::Faults;
use crate::kernel::ids::PayoutId;
use crate::kernel::jcs::JcsError;
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
    /// There is none such, as far as the actor may know.
    #[error("there is no such file of returned payments")]
    ReturnNotFound,
    /// There is none such, as far as the actor may know.
    #[error("there is no such line of a bank statement")]
    LineNotFound,
    /// The line, or what it is said to be, is matched.
    #[error("this line, or what it is to be matched to, is matched already")]
    LineMatched,
    /// There is none such, as far as the actor may know.
    #[error("there is no such payout")]
    PayoutNotFound,
    /// It is sent again by another payout.
    #[error("this payout was sent again already")]
    Retried,
    /// Not by this rail.
    #[error("a payout by this rail is not sent again by bank file")]
    OtherRail,
    /// It is no transfer that could be reversed.
    #[error("only a payout by Stripe that arrived is taken back by reversing its transfer")]
    NotReversible,
    /// No clawback of what it paid is open.
    #[error("nothing is to be got back of the lines of this payout: what is paid is taken back by a clawback only")]
    NothingToGetBack,
    /// An earlier request about the payee is not done.
    #[error("an earlier reversal of a transfer to this payee is not done; ask again when it is")]
    ReversalOpen,
    /// Nobody could send it.
    #[error("this service is not connected to Stripe")]
    StripeNotConfigured,
    /// The payee may not be paid now.
    #[error("the payee may not be paid now: {}", .0.code())]
    NotPayable(Skip),
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
    /// A payout names bank details that are not there: a defect, since it was checked.
    #[error("the bank details of {0} are missing")]
    NoDetails(PayoutId),
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
        error.or_words().map_or_else(Self::Ledger, Self::Store)
    }
}

impl From<BankFileError> for PayoutError {
    fn from(error: BankFileError) -> Self {
        match error {
            BankFileError::Aba(error) => Self::File(error),
            BankFileError::NoDetails(payout) => Self::NoDetails(payout),
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
            | Self::ReturnNotFound
            | Self::PayoutNotFound
            | Self::Retried
            | Self::OtherRail
            | Self::NotReversible
            | Self::NothingToGetBack
            | Self::ReversalOpen
            | Self::StripeNotConfigured
            | Self::NotPayable(_)
            | Self::LineNotFound
            | Self::LineMatched
            | Self::Faults(_)
            | Self::Stale(_)
            | Self::Transition(_)
            | Self::File(_)
            | Self::NoDetails(_)
            | Self::Line(_)
            | Self::Ledger(_)
            | Self::Statement(_)
            | Self::Content(_) => None,
        }
    }
}
