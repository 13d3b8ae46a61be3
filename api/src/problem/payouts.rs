//! Reasons of payouts, of plans by which clawbacks are got back, of assignments, and of the ledger as a book.

use domain::kernel::Faults;
use domain::kernel::fault::Reason as _;
use domain::ledger::book::BookError;
use domain::payouts::PayoutError;
use domain::payouts::assignment::AssignmentError;
use domain::payouts::recovery::RecoveryError;
use domain::payouts::run::TransitionError;

use super::Problem;
use super::stripe::not_configured;
use crate::extract::body::stale;

impl From<PayoutError> for Problem {
    fn from(error: PayoutError) -> Self {
        let detail = error.to_string();
        match error {
            PayoutError::MissingScope(missing) => missing.into(),
            PayoutError::RunNotFound
            | PayoutError::PayoutNotFound
            | PayoutError::ReturnNotFound
            | PayoutError::LineNotFound => Self::not_found(),
            PayoutError::Retried => Self::conflict("already_retried", detail),
            PayoutError::OtherRail => Self::conflict("other_rail", detail),
            PayoutError::NotReversible => Self::conflict("not_reversible", detail),
            PayoutError::StripeNotConfigured => not_configured(),
            PayoutError::NothingToGetBack => Self::conflict("nothing_to_get_back", detail),
            PayoutError::ReversalOpen => Self::conflict("reversal_open", detail),
            PayoutError::NotPayable(_) => Self::refused("not_payable", detail),
            PayoutError::LineMatched => Self::conflict("line_matched", detail),
            PayoutError::BankAccountNotFound => {
                let mut faults = Faults::default();
                faults.push("/bank_account_id", "not_found", detail);
                faults.into()
            }
            PayoutError::BankAccountTaken => Self::conflict("bank_account_taken", detail),
            PayoutError::Faults(faults) => faults.into(),
            PayoutError::Stale(_) => stale(),
            PayoutError::Transition(reason) => match reason {
                TransitionError::WrongState { .. } => Self::conflict("wrong_state", detail),
                TransitionError::OtherContent => Self::conflict("content_changed", detail),
                TransitionError::NothingToPay => Self::refused("nothing_to_pay", detail),
                TransitionError::SamePerson => Self::refused("same_person", detail),
            },
            PayoutError::File(reason) => Self::refused(reason.code(), detail),
            PayoutError::Ledger(_)
            | PayoutError::NoDetails(_)
            | PayoutError::Line(_)
            | PayoutError::Statement(_)
            | PayoutError::Content(_) => Self::internal(&detail),
            PayoutError::Store(error) => error.into(),
        }
    }
}

impl From<RecoveryError> for Problem {
    fn from(error: RecoveryError) -> Self {
        let detail = error.to_string();
        match error {
            RecoveryError::MissingScope(missing) => missing.into(),
            RecoveryError::NotFound => Self::not_found(),
            RecoveryError::Faults(faults) => faults.into(),
            RecoveryError::Stale(_) => stale(),
            RecoveryError::WrongState(_) => Self::conflict("wrong_state", detail),
            RecoveryError::SamePerson => Self::refused("same_person", detail),
            RecoveryError::Store(error) => error.into(),
        }
    }
}

impl From<AssignmentError> for Problem {
    fn from(error: AssignmentError) -> Self {
        let detail = error.to_string();
        match error {
            AssignmentError::MissingScope(missing) => missing.into(),
            AssignmentError::NotFound => Self::not_found(),
            AssignmentError::Faults(faults) => faults.into(),
            AssignmentError::Nothing { .. } => Self::conflict("nothing_to_assign", detail),
            AssignmentError::TooMany => Self::conflict("too_many_lines", detail),
            AssignmentError::Stale(_) => stale(),
            AssignmentError::Decided(_) => Self::conflict("wrong_state", detail),
            AssignmentError::SamePerson => Self::refused("same_person", detail),
            AssignmentError::OtherContent => Self::conflict("content_changed", detail),
            AssignmentError::LinesChanged(_) => Self::conflict("lines_changed", detail),
            AssignmentError::PayeeErased => Self::conflict("payee_erased", detail),
            AssignmentError::Content(_) => Self::internal(&detail),
            AssignmentError::Ledger(error) => error.into(),
            AssignmentError::Store(error) => error.into(),
        }
    }
}

impl From<BookError> for Problem {
    fn from(error: BookError) -> Self {
        match error {
            BookError::MissingScope(missing) => missing.into(),
            BookError::Hidden => Self::not_found(),
        }
    }
}
