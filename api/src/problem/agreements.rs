//! Reasons of agreements.

use domain::agreements::AgreementError;
use domain::agreements::finding::Finding;
use domain::agreements::life::LifeError;
use domain::kernel::Fault;

use super::Problem;
use crate::extract::body::stale;

impl From<AgreementError> for Problem {
    fn from(error: AgreementError) -> Self {
        let detail = error.to_string();
        match error {
            AgreementError::MissingScope(missing) => missing.into(),
            AgreementError::Invalid(faults) => faults.into(),
            AgreementError::NotFound => Self::not_found(),
            AgreementError::Stale => stale(),
            AgreementError::Errors(findings) => found("content_has_errors", detail, findings),
            AgreementError::Life(reason) => match reason {
                LifeError::WrongState { .. } => Self::conflict("wrong_state", detail),
                LifeError::OtherContent => Self::conflict("content_changed", detail),
                LifeError::SamePerson => Self::refused("same_person", detail),
                LifeError::NotAcknowledged(findings) => found("warnings_not_acknowledged", detail, findings),
                LifeError::Canonical(reason) => AgreementError::from(reason).into(),
            },
            AgreementError::Statement(_) => Self::internal(&detail),
            AgreementError::Store(error) => error.into(),
        }
    }
}

/// 422 with every finding where it is in the content.
fn found(code: &'static str, detail: String, findings: Vec<Finding>) -> Problem {
    let fault = |finding: Finding| Fault { pointer: finding.pointer, code: finding.code, detail: finding.message };
    Problem { errors: findings.into_iter().map(fault).collect(), ..Problem::refused(code, detail) }
}
