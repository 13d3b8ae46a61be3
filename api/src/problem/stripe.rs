//! Reasons of the Stripe rail.

use domain::kernel::Faults;
use domain::payouts::stripe::account::OnboardingError;
use domain::payouts::stripe::book::BookingError;
use domain::payouts::stripe::rail::RailError;

use super::Problem;

/// This service has no key of Stripe's.
#[must_use]
pub fn not_configured() -> Problem {
    Problem::conflict("stripe_not_configured", "this service is not connected to Stripe")
}

impl From<OnboardingError> for Problem {
    fn from(error: OnboardingError) -> Self {
        let detail = error.to_string();
        match error {
            OnboardingError::MissingScope(missing) => missing.into(),
            OnboardingError::NotFound => Self::not_found(),
            OnboardingError::OtherRail => Self::conflict("other_rail", detail),
            OnboardingError::Erased => Self::conflict("payee_erased", detail),
            OnboardingError::Store(error) => error.into(),
        }
    }
}

impl From<RailError> for Problem {
    fn from(error: RailError) -> Self {
        match error {
            RailError::Refused { .. } => Self::refused("stripe_refused", error.to_string()),
            RailError::InsufficientFunds(_) | RailError::Again(_) | RailError::Unknown(_) => {
                tracing::warn!(%error, "Stripe did not answer as it should");
                Self::unavailable()
            }
        }
    }
}

impl From<BookingError> for Problem {
    fn from(error: BookingError) -> Self {
        let detail = error.to_string();
        let mut faults = Faults::default();
        match error {
            BookingError::MissingScope(missing) => missing.into(),
            BookingError::NotFound => {
                faults.push("/transaction_id", "not_found", detail);
                faults.into()
            }
            BookingError::BankAccountNotFound => {
                faults.push("/bank_account_id", "not_found", detail);
                faults.into()
            }
            BookingError::Booked => Self::conflict("already_booked", detail),
            BookingError::Ledger(_) => Self::internal(&detail),
            BookingError::Store(error) => error.into(),
        }
    }
}
