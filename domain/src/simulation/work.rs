//! The job of a simulation: streams, sums, keeps what it found in one transaction. It begins anew after a crash.

use super::repository::NewSimulation;
use super::{SimulationError, run, service};
use crate::env::Env;
use crate::jobs::{Handler, Job, JobFault, JobKind, Progress, Work, WorkError};
use crate::kernel::ids::SimulationId;
use crate::kernel::jcs;
use crate::store::{StoreError, UnitOfWork};

/// The lease is renewed, and a cancellation noticed, about so often.
const RENEW_EVERY_MILLIS: i64 = 1_000;

/// Does simulations.
pub struct SimulationHandler {
    /// Threads that the runs of a synthetic flow share.
    pub threads: usize,
}

impl Handler for SimulationHandler {
    fn kind(&self) -> JobKind {
        JobKind::Simulation
    }

    fn run(&self, work: &Work<'_>) -> Result<(), WorkError> {
        let id = SimulationId::new(work.job.subject);
        let kept = work.store.transaction(|uow| uow.simulations().find(id))?;
        let kept = kept.ok_or_else(|| WorkError::fault("simulation_missing", "the job's simulation does not exist"))?;
        self.simulate(work, &kept)
    }

    fn failed(&self, uow: &mut dyn UnitOfWork, env: &Env<'_>, job: &Job, _: &JobFault) -> Result<(), StoreError> {
        service::ended(uow, env, SimulationId::new(job.subject))
    }
}

impl SimulationHandler {
    fn simulate(&self, work: &Work<'_>, kept: &NewSimulation) -> Result<(), WorkError> {
        let simulation = service::restored(work.store, &kept.asked, self.threads).map_err(fault)?;
        let mut stopped = None;
        let mut renewed: Option<i64> = None;
        let mut last = Progress::default();
        let outcome = run(work.store, &simulation, &mut |progress| {
            last = progress;
            let now = work.env().now;
            if renewed.is_some_and(|at| now.millis().saturating_sub(at) < RENEW_EVERY_MILLIS) {
                return Ok(());
            }
            renewed = Some(now.millis());
            let renew = || {
                work.go_on()?;
                work.store.transaction(|uow| work.lease.renew(uow, now, progress))
            };
            renew().map_err(|error: WorkError| {
                stopped = Some(error);
                SimulationError::Stopped
            })
        });
        let found = match (outcome, stopped) {
            (_, Some(error)) => return Err(error),
            (Err(error), None) => return Err(fault(error)),
            (Ok(found), None) => found,
        };
        let report = jcs::to_bytes(&found.report).map_err(|_| fault(SimulationError::OutOfRange))?;
        work.store.transaction(|uow| {
            let env = work.env();
            let total = Some(last.total.unwrap_or(last.done));
            work.lease.renew(uow, env.now, Progress { total, ..last })?;
            uow.simulations().append_report(kept.id, &report, &found.changes, env.now)?;
            service::ended(uow, &env, kept.id)?;
            work.succeed(uow, &env, format!("/v1/simulations/{}/report", kept.id))
        })
    }
}

/// A failure of the store is another attempt's; everything else ends the job.
fn fault(error: SimulationError) -> WorkError {
    let detail = error.to_string();
    match error {
        SimulationError::Store(error) => WorkError::Store(error),
        SimulationError::Stopped => WorkError::LeaseLost,
        SimulationError::TooMany => WorkError::fault("too_many_candidates", detail),
        SimulationError::TooLarge => WorkError::fault("too_many_deals", detail),
        SimulationError::Content { .. } => WorkError::fault("invalid_candidate", detail),
        SimulationError::TwoOrders => WorkError::fault("two_orders", detail),
        SimulationError::OutOfRange => WorkError::fault("amount_out_of_range", detail),
        SimulationError::NothingToGoBy => WorkError::fault("nothing_to_go_by", detail),
        SimulationError::Canonical(_) => WorkError::fault("invalid_candidate", detail),
    }
}
