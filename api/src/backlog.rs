//! Backpressure: what would add to the log waits while the log cannot keep up.
//!
//! A request that adds a leaf is answered 429 with `Retry-After` while the leaf that has waited longest is older than the
//! limit; everything else goes on. The database is asked at most once in [`EVERY`], by whichever such request comes then:
//! the age grows by itself in between. Without a limit (tests, demonstrations) nobody is told to wait.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant as Tick};

use actix_web::http::StatusCode;
use actix_web::web::Data;
use domain::access::Viewer;
use domain::kernel::Instant;

use crate::app::{App, blocking};
use crate::problem::Problem;

/// How long an answer of the database is believed.
const EVERY: Duration = Duration::from_millis(250);
/// Operations that add leaves to the log, at once or by the job that they begin.
pub const LOGGING: [&str; 27] = [
    "approve_agreement_version",
    "approve_ledger_entry",
    "approve_payout_run",
    "approve_write_off",
    "book_stripe_movement",
    "approve_tax_remittance",
    "countersign_handshake",
    "create_bank_return",
    "create_bank_statement",
    "create_deal_fact",
    "create_deal_import",
    "create_deal_transition",
    "create_guarantee_run",
    "create_hold",
    "create_provider_statement",
    "create_referral",
    "create_signing_key",
    "create_trail_run",
    "erase_contact",
    "execute_payout_run",
    "hand_over_handshake",
    "match_bank_statement_line",
    "match_provider_statement",
    "release_hold",
    "resolve_exception",
    "reverse_payout",
    "rotate_signing_key",
];

/// How far the log may be behind.
#[derive(Debug, Default)]
pub struct Backlog {
    limit: Option<Duration>,
    every: Duration,
    looked: Mutex<Option<(Tick, Option<Instant>)>>,
}

impl Backlog {
    /// Leaves may wait for so long; for ever when it is zero.
    #[must_use]
    pub fn limited(limit: Duration) -> Self {
        Self { limit: (!limit.is_zero()).then_some(limit), every: EVERY, looked: Mutex::default() }
    }

    /// The same, asking the database each time.
    #[must_use]
    pub fn watched(limit: Duration) -> Self {
        Self { every: Duration::ZERO, ..Self::limited(limit) }
    }

    /// Since when the oldest leaf waits, unless that is to be looked at anew.
    fn known(&self) -> Option<Option<Instant>> {
        let looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        (*looked).filter(|(at, _)| at.elapsed() < self.every).map(|(_, oldest)| oldest)
    }

    fn learn(&self, oldest: Option<Instant>) {
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some((Tick::now(), oldest));
    }
}

/// Refuses new business while the log may not be signed, or cannot keep up.
///
/// # Errors
/// 503 while the rollback guard refuses, 429 while leaves wait for too long.
pub async fn takes_more(app: &Data<App>, operation: &str) -> Result<(), Problem> {
    app.log_is_signed()?;
    let Some(limit) = app.backlog.limit.filter(|_| LOGGING.contains(&operation)) else { return Ok(()) };
    let oldest = match app.backlog.known() {
        Some(oldest) => oldest,
        None => {
            let asked = app.clone();
            let look = move || asked.store.read(&Viewer::Everything, |q| q.operations().find_oldest_pending());
            let oldest = blocking(look).await??;
            app.backlog.learn(oldest);
            oldest
        }
    };
    let waited = oldest.map_or(0, |since| app.clock.now().millis().saturating_sub(since.millis()));
    if u128::try_from(waited).unwrap_or(0) <= limit.as_millis() {
        return Ok(());
    }
    let detail = "the log is behind: what was taken before is to be signed first; try again with the same key";
    Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "log_behind", detail).with_header("Retry-After", "1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_adds_to_the_log_is_an_operation() {
        let policy = crate::policy::Policy::of(&crate::openapi::document());
        for id in LOGGING {
            assert!(policy.operations().iter().any(|operation| operation.id == id), "{id}");
        }
    }
}
