//! Reasons of receipts, exports of the log, and guarantees.

use actix_web::http::StatusCode;
use domain::chain::export::ExportRefusal;
use domain::chain::receipts::{FindReceiptsError, Withheld};
use domain::guarantees::run::GuaranteeError;

use super::Problem;

impl From<Withheld> for Problem {
    fn from(withheld: Withheld) -> Self {
        let detail = withheld.to_string();
        match withheld {
            Withheld::NotFound => Self::not_found(),
            Withheld::Pending => Self::conflict("receipt_pending", detail).with_header("Retry-After", "1"),
            Withheld::PendingWitness => {
                Self::conflict("receipt_pending_witness", detail).with_header("Retry-After", "5")
            }
            Withheld::Unsealed => Self::conflict("handshake_not_sealed", detail),
            Withheld::Unapproved => Self::conflict("not_approved", detail),
            Withheld::Unlogged => Self::conflict("not_logged", detail),
            Withheld::Erased => Self::new(StatusCode::GONE, "erased", detail),
            Withheld::Damaged => Self::internal(&withheld),
        }
    }
}

impl From<FindReceiptsError> for Problem {
    fn from(error: FindReceiptsError) -> Self {
        match error {
            FindReceiptsError::Scope(missing) => missing.into(),
            FindReceiptsError::Store(error) => error.into(),
        }
    }
}

impl From<ExportRefusal> for Problem {
    fn from(refusal: ExportRefusal) -> Self {
        match refusal {
            ExportRefusal::Scope(missing) => missing.into(),
            ExportRefusal::Hidden => Self::not_found(),
        }
    }
}

impl From<GuaranteeError> for Problem {
    fn from(error: GuaranteeError) -> Self {
        match error {
            GuaranteeError::Scope(missing) => missing.into(),
            GuaranteeError::NotFound => Self::not_found(),
            GuaranteeError::Sign(error) => Self::internal(&error),
            GuaranteeError::Store(error) => error.into(),
        }
    }
}
