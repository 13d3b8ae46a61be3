//! Reasons of the directory.

use domain::directory::DirectoryError;

use super::Problem;
use crate::extract::body::stale;

impl From<DirectoryError> for Problem {
    fn from(error: DirectoryError) -> Self {
        let detail = error.to_string();
        match error {
            DirectoryError::MissingScope(missing) => missing.into(),
            DirectoryError::Invalid(faults) => faults.into(),
            DirectoryError::NotFound => Self::not_found(),
            DirectoryError::Stale => stale(),
            DirectoryError::MemberRefTaken => Self::conflict("member_ref_taken", detail),
            DirectoryError::ExternalRefTaken => Self::conflict("external_ref_taken", detail),
            DirectoryError::OperatorExists => Self::conflict("operator_exists", detail),
            DirectoryError::Erased => Self::conflict("contact_erased", detail),
            DirectoryError::PayeeErased => Self::conflict("payee_erased", detail),
            DirectoryError::PayeeOnThatDay => Self::conflict("payee_on_that_day", detail),
            DirectoryError::CohortCodeTaken => Self::conflict("cohort_code_taken", detail),
            DirectoryError::LicenceKnown => Self::conflict("licence_known", detail),
            DirectoryError::BankChangeDecided => Self::conflict("bank_change_decided", detail),
            DirectoryError::SamePerson => Self::refused("same_person", detail),
            DirectoryError::BankDetailsDiffer => Self::conflict("bank_details_differ", detail),
            DirectoryError::Sign(error) => Self::internal(&error),
            DirectoryError::Store(error) => error.into(),
        }
    }
}
