//! Beginning a run, and putting one away that was stopped.

use jiff::civil::Date;

use super::{Tally, TrailRun, TrailRunState};
use crate::access::{MissingScope, Scope};
use crate::catalogue::VerticalCode;
use crate::deals::step_input;
use crate::env::Env;
use crate::jobs::{self, Job, JobFault, JobKind};
use crate::kernel::Faults;
use crate::kernel::fault::Reason as _;
use crate::kernel::ids::{AgreementId, JobId, TrailRunId};
use crate::store::{StoreError, UnitOfWork, UseCaseError};

/// Why a cancelled run failed.
pub const CANCELLED: (&str, &str) = ("cancelled", "the run was cancelled; what it worked out before stays");

/// Of which deals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Of a vertical.
    Vertical(VerticalCode),
    /// Of an agreement.
    Agreement(AgreementId),
}

/// A request to run over a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BeginTrailRun {
    /// Of which deals.
    pub of: Of,
    /// The first day of the month.
    pub month: Date,
}

/// A request, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BeginTrailRunInput {
    /// `/vertical`
    pub vertical: Option<String>,
    /// `/agreement_id`
    pub agreement_id: Option<String>,
    /// `/month`
    pub month: Option<String>,
}

impl BeginTrailRun {
    /// Reads a request.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn parse(raw: &BeginTrailRunInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let of = match (raw.vertical.as_deref(), raw.agreement_id.as_deref()) {
            (Some(code), None) => match VerticalCode::parse(code) {
                Ok(code) => Some(Of::Vertical(code)),
                Err(error) => {
                    faults.push("/vertical", error.code(), error.to_string());
                    None
                }
            },
            (None, Some(id)) => {
                let parsed = AgreementId::parse(id).ok().map(Of::Agreement);
                if parsed.is_none() {
                    faults.push("/agreement_id", "invalid_id", "expected the id of an agreement");
                }
                parsed
            }
            (Some(_), Some(_)) => {
                faults.push("/agreement_id", "unexpected", "name a vertical or an agreement, not both");
                None
            }
            (None, None) => {
                faults.push("/vertical", "one_required", "name a vertical or an agreement");
                None
            }
        };
        let month = match raw.month.as_deref() {
            Some(text) => step_input::month(&mut faults, "/month", text),
            None => {
                faults.push("/month", "required", "this field is required");
                None
            }
        };
        of.zip(month).map(|(of, month)| Self { of, month }).ok_or(faults)
    }
}

/// Why a run was not begun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrailRunError {
    /// The actor may not.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// There is no such agreement.
    #[error("there is no such agreement")]
    UnknownAgreement,
    /// The balances of a month are known when it has ended.
    #[error("the month has not ended")]
    NotEnded,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UseCaseError for TrailRunError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::MissingScope(_) | Self::UnknownAgreement | Self::NotEnded => None,
        }
    }
}

/// Begins a run: its job waits in the same transaction.
///
/// # Errors
/// See [`TrailRunError`].
pub fn begin(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: &BeginTrailRun,
) -> Result<(TrailRun, Job), TrailRunError> {
    env.actor.require(Scope::PayoutsWrite)?;
    if command.month.last_of_month() > env.now.sydney_date() {
        return Err(TrailRunError::NotEnded);
    }
    let (vertical, agreement) = match command.of {
        Of::Vertical(vertical) => (vertical, None),
        Of::Agreement(agreement) => {
            let vertical = uow.agreements().find_vertical(agreement)?.ok_or(TrailRunError::UnknownAgreement)?;
            (vertical, Some(agreement))
        }
    };
    let run = TrailRun {
        id: TrailRunId::new(env.ids.next()),
        month: command.month,
        vertical,
        agreement,
        state: TrailRunState::Open,
        tally: Tally::default(),
        last_deal: None,
        fault: None,
        created_by: env.actor.id,
        created_at: env.now,
        finished_at: None,
    };
    uow.trail_runs().insert(&run)?;
    let job = Job::new(JobId::new(env.ids.next()), JobKind::TrailRun, run.id.uuid(), env.actor.id, env.now);
    jobs::enqueue(uow, &job)?;
    Ok((run, job))
}

/// Puts a run away that did not come to its end.
///
/// # Errors
/// The failure of the store.
pub fn stopped(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    run: TrailRunId,
    (code, detail): (&str, &str),
) -> Result<(), StoreError> {
    let Some(mut run) = uow.trail_runs().lock(run)?.filter(|run| run.state == TrailRunState::Open) else {
        return Ok(());
    };
    run.state = TrailRunState::Failed;
    run.fault = Some(JobFault { code: code.to_owned(), detail: detail.to_owned() });
    run.finished_at = Some(env.now);
    uow.trail_runs().update(&run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_request_is_told_at_once() {
        let told = |vertical: Option<&str>, agreement: Option<&str>, month: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let raw =
                BeginTrailRunInput { vertical: owned(vertical), agreement_id: owned(agreement), month: owned(month) };
            let faults = BeginTrailRun::parse(&raw).expect_err("faults").0;
            faults.into_iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect::<Vec<_>>()
        };
        assert_eq!(told(None, None, None), ["/vertical one_required", "/month required"]);
        assert_eq!(
            told(Some("V00"), None, Some("2026-13")),
            ["/vertical invalid_vertical_code", "/month invalid_month"]
        );
        assert_eq!(told(Some("V01"), Some("x"), Some("2026-07")), ["/agreement_id unexpected"]);
        assert_eq!(
            told(None, Some("deal_x"), Some("2026-07-01")),
            ["/agreement_id invalid_id", "/month invalid_month"]
        );
    }
}
