//! Reasons of signing keys, referrals and handshakes. A fault of a statement points at the field that
//! carries its envelope.

use actix_web::http::StatusCode;
use domain::chain::declaration::DeclareError;
use domain::chain::presented::StatementRefusal;
use domain::chain::registration::RegisterKeyError;
use domain::chain::revocation::RevokeKeyError;
use domain::chain::rotation::RotateKeyError;
use domain::deals::countersign::{CountersignError, CountersignRefusal};
use domain::deals::draft::PrepareError;
use domain::deals::hand_over::HandOverError;
use domain::deals::refer::{ReferError, ReferRefusal};
use domain::kernel::Faults;
use domain::kernel::fault::Reason;

use super::Problem;

/// 422 at one field.
fn at(pointer: &str, reason: &impl Reason) -> Problem {
    let mut faults = Faults::default();
    faults.push(pointer, reason.code(), reason.to_string());
    faults.into()
}

fn not_counterparty(detail: String) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "not_counterparty", detail)
}

impl From<RegisterKeyError> for Problem {
    fn from(error: RegisterKeyError) -> Self {
        let detail = error.to_string();
        match error {
            RegisterKeyError::Scope(missing) => missing.into(),
            RegisterKeyError::Statement(refusal) => at("/registration", &refusal),
            RegisterKeyError::UnknownParty => Self::not_found(),
            RegisterKeyError::KeyTaken => Self::conflict("key_taken", detail),
            RegisterKeyError::Store(error) => error.into(),
        }
    }
}

impl From<RotateKeyError> for Problem {
    fn from(error: RotateKeyError) -> Self {
        let detail = error.to_string();
        match error {
            RotateKeyError::Scope(missing) => missing.into(),
            RotateKeyError::Statement(refusal) => at("/rotation", &refusal),
            RotateKeyError::UnknownKey => Self::not_found(),
            RotateKeyError::Ended(_) => Self::conflict("key_ended", detail),
            RotateKeyError::KeyTaken => Self::conflict("key_taken", detail),
            RotateKeyError::TooManyRotations => Self::conflict("too_many_rotations", detail),
            RotateKeyError::Store(error) => error.into(),
        }
    }
}

impl From<RevokeKeyError> for Problem {
    fn from(error: RevokeKeyError) -> Self {
        let detail = error.to_string();
        match error {
            RevokeKeyError::Scope(missing) => missing.into(),
            RevokeKeyError::Statement(refusal) => at("/revocation", &refusal),
            RevokeKeyError::UnknownKey => Self::not_found(),
            RevokeKeyError::NotAdministrator => Self::new(StatusCode::FORBIDDEN, "administrators_only", detail),
            RevokeKeyError::Ended(_) => Self::conflict("key_ended", detail),
            RevokeKeyError::Sign(error) => Self::internal(&error),
            RevokeKeyError::Store(error) => error.into(),
        }
    }
}

impl From<HandOverError> for Problem {
    fn from(error: HandOverError) -> Self {
        let (code, detail) = (error.code(), error.to_string());
        match error {
            HandOverError::Scope(missing) => missing.into(),
            HandOverError::UnknownHandshake => Self::not_found(),
            HandOverError::NotHolder => Self::new(StatusCode::FORBIDDEN, code, detail),
            HandOverError::Offer(_) | HandOverError::OtherSeal(_) | HandOverError::UnknownPartner => {
                at("/offer", &error)
            }
            HandOverError::Erased => Self::new(StatusCode::GONE, code, detail),
            HandOverError::NotSealed
            | HandOverError::HandedOver
            | HandOverError::NotOpen(_)
            | HandOverError::IdTaken => Self::conflict(code, detail),
            HandOverError::Store(error) => error.into(),
        }
    }
}

impl From<DeclareError> for Problem {
    /// The declaration travels in the header `Flip360-Declaration`.
    fn from(error: DeclareError) -> Self {
        const HEADER: &str = "#Flip360-Declaration";
        let detail = error.to_string();
        let refused = |code: &'static str, detail: String| {
            let mut faults = Faults::default();
            faults.push(HEADER, code, detail);
            Self::invalid(faults)
        };
        match error {
            DeclareError::Scope(missing) => missing.into(),
            DeclareError::Statement(refusal) => at(HEADER, &refusal),
            DeclareError::NotDeclared => refused("not_declared", detail),
            DeclareError::OtherFile { .. } => refused("file_mismatch", detail),
            DeclareError::UnknownDeclaration => refused("unknown_declaration", detail),
            DeclareError::Store(error) => error.into(),
        }
    }
}

impl From<ReferRefusal> for Problem {
    fn from(refusal: ReferRefusal) -> Self {
        let (code, detail) = (refusal.code(), refusal.to_string());
        match refusal {
            ReferRefusal::Scope(missing) => missing.into(),
            ReferRefusal::UnknownMember => Self::not_found(),
            ReferRefusal::UnknownProvider => at("/provider_id", &refusal),
            ReferRefusal::UnknownProduct => at("/product", &refusal),
            ReferRefusal::ReferredInTheFuture => at("/referred_on", &refusal),
            ReferRefusal::MemberHasKey => at("/assurance", &refusal),
            ReferRefusal::Offer(_) | ReferRefusal::OtherTerms(_) => at("/offer", &refusal),
            ReferRefusal::NoAgreement => Self::refused(code, detail),
            ReferRefusal::MemberSuspended
            | ReferRefusal::ProviderSuspended
            | ReferRefusal::ExternalRefTaken
            | ReferRefusal::IdTaken => Self::conflict(code, detail),
        }
    }
}

impl From<ReferError> for Problem {
    fn from(error: ReferError) -> Self {
        match error {
            ReferError::Store(error) => error.into(),
            ReferError::Sign(error) => Self::internal(&error),
            ReferError::Canonical(error) => Self::internal(&error),
        }
    }
}

impl From<CountersignRefusal> for Problem {
    fn from(refusal: CountersignRefusal) -> Self {
        let (code, detail) = (refusal.code(), refusal.to_string());
        match refusal {
            CountersignRefusal::Scope(missing) => missing.into(),
            CountersignRefusal::UnknownHandshake => Self::not_found(),
            CountersignRefusal::NotCounterparty => not_counterparty(detail),
            CountersignRefusal::Accept(_)
            | CountersignRefusal::OtherHandshake(_)
            | CountersignRefusal::OtherOffer(_) => at("/accept", &refusal),
            CountersignRefusal::Erased => Self::new(StatusCode::GONE, code, detail),
            CountersignRefusal::NoAgreement => Self::refused(code, detail),
            CountersignRefusal::AlreadyCountersigned
            | CountersignRefusal::HandedOver
            | CountersignRefusal::NotOpen(_) => Self::conflict(code, detail),
        }
    }
}

impl From<CountersignError> for Problem {
    fn from(error: CountersignError) -> Self {
        match error {
            CountersignError::Store(error) => error.into(),
            CountersignError::Sign(error) => Self::internal(&error),
            CountersignError::Canonical(error) => Self::internal(&error),
        }
    }
}

impl From<PrepareError> for Problem {
    fn from(error: PrepareError) -> Self {
        let detail = error.to_string();
        match error {
            PrepareError::Scope(missing) => missing.into(),
            PrepareError::UnknownMember | PrepareError::UnknownHandshake => Self::not_found(),
            PrepareError::NotCounterparty => not_counterparty(detail),
            PrepareError::NotHolder => Self::new(StatusCode::FORBIDDEN, "not_holder", detail),
            PrepareError::NotSealed => Self::conflict("handshake_not_sealed", detail),
            PrepareError::UnknownKey => at("/kid", &StatementRefusal::UnknownKey),
            PrepareError::KeyEnded(status) => at("/kid", &StatementRefusal::KeyEnded(status)),
            PrepareError::Statement(error) => Self::internal(&error),
            PrepareError::Canonical(error) => Self::internal(&error),
            PrepareError::Store(error) => error.into(),
        }
    }
}
