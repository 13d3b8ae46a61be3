//! The job of a run: batch by batch through the deals, from wherever the last attempt came to.

use super::{TrailRun, TrailRunState, begin, path};
use crate::agreements::evaluate::v2::Plan;
use crate::deals::commission::{Calculated, Changes, Sold, Versions};
use crate::deals::trail::{Month, Trails};
use crate::env::Env;
use crate::jobs::{Handler, Job, JobFault, JobKind, Progress, Work, WorkError};
use crate::kernel::ids::{AgreementId, DealId, TrailRunId};
use crate::ledger::posting::PostError;
use crate::store::{StoreError, UnitOfWork, UseCaseError as _};

/// Deals in one transaction.
pub const BATCH: u32 = 300;

/// Does trail runs.
pub struct TrailRunHandler;

impl Handler for TrailRunHandler {
    fn kind(&self) -> JobKind {
        JobKind::TrailRun
    }

    fn run(&self, work: &Work<'_>) -> Result<(), WorkError> {
        let id = TrailRunId::new(work.job.subject);
        let mut done = work.job.progress.done;
        loop {
            work.go_on()?;
            match work.store.transaction(|uow| batch(uow, work, id, done))? {
                Some(looked_at) => done += looked_at,
                None => return Ok(()),
            }
        }
    }

    fn failed(&self, uow: &mut dyn UnitOfWork, env: &Env<'_>, job: &Job, fault: &JobFault) -> Result<(), StoreError> {
        begin::stopped(uow, env, TrailRunId::new(job.subject), (&fault.code, &fault.detail))
    }
}

/// Looks at the next deals; none when that was the end.
fn batch(uow: &mut dyn UnitOfWork, work: &Work<'_>, id: TrailRunId, done: u64) -> Result<Option<u64>, WorkError> {
    let env = work.env();
    work.lease.renew(uow, env.now, Progress { done, total: None })?;
    let mut run = match uow.trail_runs().lock(id)? {
        Some(run) if run.state == TrailRunState::Open => run,
        // Whoever ended it ended the job in the same transaction.
        Some(_) => return Err(WorkError::LeaseLost),
        None => return Err(WorkError::fault("run_missing", "the job's trail run does not exist")),
    };
    let versions = Versions::gather(uow, [run.vertical])?;
    versions.lock_counters(uow)?;
    let with_trail: Vec<(AgreementId, u32)> = versions
        .all()
        .filter(|version| run.agreement.is_none_or(|agreement| version.agreement() == agreement))
        .filter(|version| version.plan().is_ok_and(Plan::has_trail))
        .map(|version| (version.agreement(), version.number()))
        .collect();
    let last_day = run.month.last_of_month();
    let deals = uow.trail_runs().list_settled(&with_trail, last_day, run.last_deal, BATCH)?;
    if deals.is_empty() {
        run.state = TrailRunState::Done;
        run.finished_at = Some(env.now);
        uow.trail_runs().update(&run)?;
        work.succeed(uow, &env, path(run.id))?;
        return Ok(None);
    }
    look_at(uow, &env, &mut run, &versions, &deals)?;
    run.last_deal = deals.last().copied();
    uow.trail_runs().update(&run)?;
    Ok(Some(deals.len() as u64))
}

/// Counts the deals, and works out what is known and not worked out.
fn look_at(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    run: &mut TrailRun,
    versions: &Versions,
    deals: &[DealId],
) -> Result<(), WorkError> {
    let locked = uow.deals().lock(deals)?;
    let trails = Trails::gather(uow, deals)?;
    let (mut changes, mut missing) = (Changes::default(), Vec::new());
    for one in &locked {
        let deal = &one.deal;
        let Some(version) = versions.of(one.vertical, deal.agreement, deal.provider, &deal.facts) else { continue };
        let sold = Sold { vertical: one.vertical, product: &one.product };
        let stopped = deal.facts.discharged_on.is_some_and(|on| on <= run.month.last_of_month());
        let found = trails.month(env, deal, sold, version, run.month);
        let found = found.map_err(|_| WorkError::fault("amount_out_of_range", deal.id.to_string()))?;
        let tally = &mut run.tally;
        match (stopped, &found) {
            (true, _) => tally.stopped += 1,
            (false, Month::Missing) => {
                tally.due += 1;
                tally.missing += 1;
                missing.push(deal.id);
            }
            (false, Month::Known(_)) => {
                tally.due += 1;
                tally.calculated += 1;
            }
        }
        if let Month::Known(Some(worked)) = found {
            tally.changed += 1;
            changes.calculated.push(Calculated::of(deal, *worked));
        }
    }
    uow.trail_runs().append_missing(run.id, &missing)?;
    changes.write(uow, env).map_err(stopped_by)
}

fn stopped_by(error: PostError) -> WorkError {
    let store = error.store_error().cloned();
    WorkError::Store(store.unwrap_or_else(|| StoreError::Failed(error.to_string())))
}
