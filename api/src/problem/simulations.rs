//! Reasons of simulations.

use domain::simulation::service::SimulateError;

use super::Problem;

impl From<SimulateError> for Problem {
    fn from(error: SimulateError) -> Self {
        let detail = error.to_string();
        match error {
            SimulateError::MissingScope(missing) => missing.into(),
            SimulateError::Invalid(faults) => faults.into(),
            SimulateError::NotFound => Self::not_found(),
            SimulateError::Ended => Self::conflict("simulation_ended", detail),
            SimulateError::NoReport => Self::conflict("no_report", detail),
            SimulateError::Canonical(error) => Self::internal(&error),
            SimulateError::Store(error) => error.into(),
        }
    }
}
