//! How the service does, as it goes out.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::figures::Answered;

/// How far to look back.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ErrorRateQuery {
    /// Minutes, 1 to 60; 5 when it is not said.
    #[param(example = 5)]
    pub window_minutes: Option<u16>,
}

/// How many requests failed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ErrorRate)]
pub struct ErrorRateView {
    /// How far it looks back, in minutes.
    #[schema(example = 5)]
    window_minutes: u16,
    /// Requests answered.
    #[schema(example = 1200)]
    requests: u64,
    /// Those that were the caller's fault (4xx).
    #[schema(example = 17)]
    client_errors: u64,
    /// Those that were the service's fault (5xx).
    #[schema(example = 0)]
    server_errors: u64,
    /// The share of the service's faults among all: a decimal fraction with six places, rounded down; zero
    /// when nothing was asked.
    #[schema(example = "0.000000")]
    error_rate: String,
}

impl ErrorRateView {
    /// The figures of a window.
    #[must_use]
    pub fn new(window_minutes: u16, answered: Answered) -> Self {
        let Answered { requests, client_errors, server_errors } = answered;
        let millionths = server_errors.saturating_mul(1_000_000).checked_div(requests).unwrap_or(0);
        let error_rate = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
        Self { window_minutes, requests, client_errors, server_errors, error_rate }
    }
}
