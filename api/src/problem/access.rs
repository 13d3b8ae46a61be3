//! Reasons of access.

use domain::access::{AccessError, MissingScope};
use domain::kernel::Faults;

use super::Problem;
use crate::extract::body::stale;

impl From<MissingScope> for Problem {
    fn from(missing: MissingScope) -> Self {
        let challenge = format!("Bearer realm=\"flip360\", error=\"insufficient_scope\", scope=\"{}\"", missing.0);
        Self::forbidden(missing.to_string()).with_header("WWW-Authenticate", challenge)
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        let detail = error.to_string();
        match error {
            AccessError::MissingScope(missing) => missing.into(),
            AccessError::Invalid(faults) => faults.into(),
            AccessError::EmailTaken => Self::conflict("email_taken", detail),
            AccessError::NotFound => Self::not_found(),
            AccessError::Stale => stale(),
            AccessError::LastAdministrator => Self::conflict("last_administrator", detail),
            AccessError::WrongPassword => {
                let mut faults = Faults::default();
                faults.push("/current_password", "wrong_password", detail);
                faults.into()
            }
            AccessError::KeyTaken => Self::conflict("key_taken", detail),
            AccessError::TooManyKeys => Self::conflict("too_many_keys", detail),
            AccessError::SecondFactorActive => Self::conflict("second_factor_active", detail),
            AccessError::OwnSecondFactor => Self::refused("same_person", detail),
            AccessError::NoSecondFactor => Self::conflict("no_second_factor", detail),
            AccessError::IssuerTaken => Self::conflict("issuer_taken", detail),
            AccessError::TooManyIssuers => Self::conflict("too_many_issuers", detail),
            AccessError::SubjectTaken => Self::conflict("subject_taken", detail),
            AccessError::Revoked => Self::conflict("client_revoked", detail),
            AccessError::Port(error) => Self::internal(&error),
            AccessError::Store(error) => error.into(),
        }
    }
}
