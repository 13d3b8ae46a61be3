//! How the service does, as it goes out.

use domain::payouts::sla::{RailSla, WINDOW_DAYS, target_days};
use jiff::civil::Date;
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

/// How payouts keep to their time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutSla)]
pub struct PayoutSlaView {
    /// The day on which it was looked (Sydney).
    #[schema(example = "2026-11-25")]
    as_of: String,
    /// For how many days back ended payouts are counted; those on their way are counted whenever they were sent.
    #[schema(example = 90)]
    window_days: u16,
    /// By rail.
    rails: Vec<RailSlaView>,
}

/// How one rail keeps to its time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RailSla)]
pub struct RailSlaView {
    /// `aba` or `stripe`.
    #[schema(example = "aba")]
    rail: &'static str,
    /// Banking days within which a payout is to arrive.
    #[schema(example = 2)]
    target_banking_days: u16,
    /// Arrived in time.
    #[schema(example = 412)]
    on_time: u64,
    /// Arrived late.
    #[schema(example = 3)]
    late: u64,
    /// On their way, not late yet.
    #[schema(example = 37)]
    open: u64,
    /// On their way, and late.
    #[schema(example = 0)]
    open_late: u64,
    /// Came back.
    #[schema(example = 1)]
    returned: u64,
    /// The share of those in time among all that arrived or are late: a decimal fraction with six places, rounded down.
    #[schema(example = "0.992771")]
    attained: String,
    /// The oldest that is on its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_open: Option<OldestPayoutView>,
}

/// The oldest payout that is on its way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OldestPayout)]
pub struct OldestPayoutView {
    /// The payout.
    #[schema(example = "payout_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    payout_id: String,
    /// When it was sent.
    #[schema(example = "2026-11-24")]
    sent_on: String,
    /// Banking days since.
    #[schema(example = 1)]
    banking_days: u32,
}

impl PayoutSlaView {
    /// The figures of a day.
    #[must_use]
    pub fn new(rails: [RailSla; 2], today: Date) -> Self {
        let rails = rails.into_iter().map(|sla| {
            let attained = sla.attained_ppm();
            RailSlaView {
                rail: sla.rail.code(),
                target_banking_days: target_days(sla.rail),
                on_time: sla.on_time,
                late: sla.late,
                open: sla.open,
                open_late: sla.open_late,
                returned: sla.returned,
                attained: format!("{}.{:06}", attained / 1_000_000, attained % 1_000_000),
                oldest_open: sla.oldest.map(|oldest| OldestPayoutView {
                    payout_id: oldest.payout.to_string(),
                    sent_on: oldest.sent_on.to_string(),
                    banking_days: oldest.banking_days,
                }),
            }
        });
        Self { as_of: today.to_string(), window_days: WINDOW_DAYS, rails: rails.collect() }
    }
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
