//! Reasons of deals, imports and jobs.

use actix_web::http::StatusCode;
use domain::deals::advance::AdvanceDealError;
use domain::deals::import::receive::ReceiveError;
use domain::deals::step::StepError;
use domain::deals::trail_run::begin::TrailRunError;
use domain::jobs::CancelJobError;
use domain::kernel::Faults;

use super::Problem;

/// 422 at one field, parameter or header.
fn at(pointer: &str, code: &'static str, detail: String) -> Problem {
    let mut faults = Faults::default();
    faults.push(pointer, code, detail);
    faults.into()
}

impl From<AdvanceDealError> for Problem {
    fn from(error: AdvanceDealError) -> Self {
        let detail = error.to_string();
        match error {
            AdvanceDealError::MissingScope(missing) => missing.into(),
            AdvanceDealError::NotFound => Self::not_found(),
            AdvanceDealError::ProviderOnly => Self::new(StatusCode::FORBIDDEN, "provider_only", detail),
            AdvanceDealError::NotSealed => Self::conflict("not_sealed", detail),
            AdvanceDealError::NoAgreement => Self::refused("no_agreement", detail),
            AdvanceDealError::OutOfRange => at("/amount", "amount_out_of_range", detail),
            AdvanceDealError::ReplayTooLong => Self::conflict("replay_too_long", detail),
            AdvanceDealError::Step(step) => step.into(),
        }
    }
}

impl From<StepError> for Problem {
    fn from(error: StepError) -> Self {
        let detail = error.to_string();
        match error {
            StepError::Closed(_) => Self::conflict("deal_closed", detail),
            StepError::NotAllowed { .. } => Self::conflict("transition_not_allowed", detail),
            StepError::KnownOtherwise(_) => Self::conflict("fact_known", detail),
            StepError::NotSettled => Self::conflict("not_settled", detail),
            StepError::Faults(faults) => faults.into(),
        }
    }
}

impl From<ReceiveError> for Problem {
    fn from(error: ReceiveError) -> Self {
        let detail = error.to_string();
        match error {
            ReceiveError::MissingScope(missing) => missing.into(),
            ReceiveError::UnknownOrganisation => at("#organisation_id", "unknown_organisation", detail),
            ReceiveError::UnknownProvider => at("#provider_id", "unknown_provider", detail),
            ReceiveError::Suspended => Self::conflict("organisation_suspended", detail),
            ReceiveError::NotUploading => Self::conflict("not_uploading", detail),
            ReceiveError::Declare(error) => error.into(),
            ReceiveError::Store(error) => error.into(),
        }
    }
}

impl From<TrailRunError> for Problem {
    fn from(error: TrailRunError) -> Self {
        let detail = error.to_string();
        match error {
            TrailRunError::MissingScope(missing) => missing.into(),
            TrailRunError::UnknownAgreement => at("/agreement_id", "not_found", detail),
            TrailRunError::NotEnded => at("/month", "in_future", detail),
            TrailRunError::Store(error) => error.into(),
        }
    }
}

impl From<CancelJobError> for Problem {
    fn from(error: CancelJobError) -> Self {
        let detail = error.to_string();
        match error {
            CancelJobError::NotFound => Self::not_found(),
            CancelJobError::MissingScope(missing) => missing.into(),
            CancelJobError::Ended => Self::conflict("job_ended", detail),
            CancelJobError::Store(error) => error.into(),
        }
    }
}
