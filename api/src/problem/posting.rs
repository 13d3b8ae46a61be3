//! Why nothing was posted. An unbalanced entry is a defect of ours, never of a caller.

use domain::ledger::posting::PostError;

use super::Problem;

impl From<PostError> for Problem {
    fn from(error: PostError) -> Self {
        match error {
            PostError::Entry(error) => Self::internal(&error),
            // Every other use case takes from lines what they hold.
            PostError::OutOfBounds(_) => Self::internal(&error),
            PostError::BalanceOutOfRange => Self::refused("balance_out_of_range", error.to_string()),
            PostError::Store(error) => error.into(),
        }
    }
}
