//! Why nothing was written by hand.

use crate::access::MissingScope;
use crate::kernel::Faults;
use crate::kernel::ids::EntryId;
use crate::kernel::jcs::JcsError;
use crate::ledger::entry::EntryKind;
use crate::ledger::posting::PostError;
use crate::store::{StoreError, UseCaseError};

/// A refusal, or a failure of the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManualError {
    /// The actor may not do this.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// There is none such, as far as the actor may know.
    #[error("there is no such thing here")]
    NotFound,
    /// What was asked for is wrong.
    #[error("the request has fields that are wrong")]
    Faults(Faults),
    /// It is not at the version that was named.
    #[error("it changed since you read it; it is at version {0} now")]
    Stale(u32),
    /// It was decided already.
    #[error("it is {0}, and decided once")]
    Decided(&'static str),
    /// The approver proposed it.
    #[error("what one person proposed another approves")]
    SamePerson,
    /// What the approver saw is not what would be posted.
    #[error("the content is not the one that you named; look at it again")]
    OtherContent,
    /// What was approved can no longer be posted: nothing was.
    #[error("nothing was posted: {detail}")]
    NotPostable {
        /// Why.
        code: &'static str,
        /// Of which entry, for a person.
        detail: String,
    },
    /// The entry belongs to a use case that keeps more than the ledger in step.
    #[error("an entry of kind `{kind}` is not undone by hand: {remedy}")]
    OfUseCase {
        /// Its kind.
        kind: &'static str,
        /// Which use case puts it right.
        remedy: &'static str,
    },
    /// It is undone already.
    #[error("{0} has undone it already")]
    AlreadyReversed(EntryId),
    /// The floor is above the balance, or the account has none.
    #[error("only own accounts have a floor, and not above their balance")]
    NoSuchFloor,
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

/// Which use case puts an entry right.
#[must_use]
pub const fn remedy(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Accrual | EntryKind::Clawback | EntryKind::Adjustment => {
            "record the corrected fact of its deal, and the difference is posted"
        }
        EntryKind::Release | EntryKind::Hold | EntryKind::Unhold => {
            "its money is put aside and let go by holds of its line"
        }
        EntryKind::PayoutInitiated | EntryKind::PayoutSettled | EntryKind::PayoutReturned => {
            "record what became of the payout"
        }
        EntryKind::ClawbackRecovery | EntryKind::Withholding => "record that its payout came back",
        EntryKind::Gst => "issue an adjustment note to its document",
        EntryKind::ProviderReceipt => "match the line of the provider's statement anew",
        EntryKind::WriteOff => "record the receipt that came after all",
        EntryKind::TaxRemittance => "record the corrected remittance",
        EntryKind::Reversal => "propose the entry again",
        EntryKind::Assignment => "assign what is unpaid back",
        EntryKind::Fee | EntryKind::FundsTransfer | EntryKind::Opening => "its source puts it right",
    }
}

impl From<PostError> for ManualError {
    fn from(error: PostError) -> Self {
        error.or_refusal().map_or_else(Self::Ledger, Self::Store)
    }
}

impl UseCaseError for ManualError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::MissingScope(_)
            | Self::NotFound
            | Self::Faults(_)
            | Self::Stale(_)
            | Self::Decided(_)
            | Self::SamePerson
            | Self::OtherContent
            | Self::NotPostable { .. }
            | Self::OfUseCase { .. }
            | Self::AlreadyReversed(_)
            | Self::NoSuchFloor
            | Self::Content(_)
            | Self::Ledger(_) => None,
        }
    }
}
