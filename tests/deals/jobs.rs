//! Jobs that lose their worker anywhere, are cancelled, or are taken over.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::access::Viewer;
use domain::deals::import::work::ImportHandler;
use domain::env::{Env, Surroundings};
use domain::jobs::{self, CancelJobError, Handler, Job, JobFault, JobKind, JobState, Work, WorkError};
use domain::kernel::Instant;
use domain::store::{Queries, Store, StoreError, UnitOfWork, Verdict};
use harness::platform::Platform;

use super::{EXAMPLE, EXAMPLE_MEMBERS, file, partner};

fn platform() -> Platform {
    let platform = Platform::new();
    platform.onboard(EXAMPLE_MEMBERS);
    platform
}

/// A store that goes away after so many transactions: the next one is either not begun, or committed
/// without anybody hearing of it.
struct Vanishing<'s> {
    store: &'s dyn Store,
    left: AtomicU32,
    commits_last: bool,
}

impl Store for Vanishing<'_> {
    fn attempt(&self, work: &mut dyn FnMut(&mut dyn UnitOfWork) -> Verdict) -> Result<(), StoreError> {
        let before = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(1)));
        match before.unwrap_or(0) {
            0 => Err(StoreError::Unavailable),
            1 if self.commits_last => self.store.attempt(work).and(Err(StoreError::Unavailable)),
            _ => self.store.attempt(work),
        }
    }

    fn look(
        &self,
        viewer: &Viewer,
        work: &mut dyn FnMut(&mut dyn Queries) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.store.look(viewer, work)
    }

    fn look_at_snapshot(
        &self,
        viewer: &Viewer,
        work: &mut dyn FnMut(&mut dyn Queries) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.store.look_at_snapshot(viewer, work)
    }
}

fn later(platform: &mut Platform, seconds: i64) {
    let now = platform.now.timestamp() + jiff::SignedDuration::from_secs(seconds);
    platform.now = Instant::new(now);
}

#[test]
fn a_worker_that_vanishes_after_any_transaction_costs_nothing() {
    let mut whole = None;
    for commits_last in [false, true] {
        for transactions in 1..40 {
            let mut platform = platform();
            let (import, job) = platform.upload(EXAMPLE);
            let vanishing = Vanishing { store: platform.store(), left: AtomicU32::new(transactions), commits_last };
            let ended = jobs::work_one(&vanishing, &platform, &[&ImportHandler]).is_ok();
            if !ended {
                // Nobody takes over while the lease may still be held.
                let (state, _) = platform.job(&job);
                assert!(platform.work_one().expect("the store answers").is_none() || state == JobState::Queued);
                later(&mut platform, jobs::LEASE_SECONDS + 1);
                platform.work();
            }
            let report = platform.report(import.id);
            assert_eq!(platform.job(&job).0, JobState::Succeeded, "after {transactions}");
            assert_eq!((report.rows, report.created, report.refused.len()), (18, 14, 3), "after {transactions}");
            let figures =
                platform.number("select sum(earned_minor) * 1000 + sum(clawed_back_minor) from commission_line");
            assert_eq!(*whole.get_or_insert(figures), figures, "after {transactions}");
            if ended {
                break;
            }
            assert!(transactions < 39, "the import never ends");
        }
    }
}

/// Does something to the store before the import begins, as if in between.
struct Disturbed<F>(Mutex<F>);

impl<F: FnMut(&Work<'_>) + Send> Handler for Disturbed<F> {
    fn kind(&self) -> JobKind {
        JobKind::DealImport
    }

    fn run(&self, work: &Work<'_>) -> Result<(), WorkError> {
        (self.0.lock().expect("no panic"))(work);
        ImportHandler.run(work)
    }

    fn failed(&self, uow: &mut dyn UnitOfWork, env: &Env<'_>, job: &Job, fault: &JobFault) -> Result<(), StoreError> {
        ImportHandler.failed(uow, env, job, fault)
    }
}

fn cancel(platform: &Platform, env: &Env<'_>, job: &Job) -> Result<JobState, CancelJobError> {
    platform.store().transaction(|uow| jobs::cancel(uow, env, job.id)).map(|job| job.after.state)
}

#[test]
fn a_cancelled_job_writes_nothing_more() {
    let platform = platform();
    let (import, waiting) = platform.upload(EXAMPLE);
    assert_eq!(cancel(&platform, &platform.env(), &waiting), Ok(JobState::Cancelled));
    assert_eq!(cancel(&platform, &platform.env(), &waiting), Err(CancelJobError::Ended));
    platform.work();
    assert_eq!(platform.report(import.id).fault.as_deref(), Some("cancelled"));
    let (import, running) = platform.upload(EXAMPLE);
    let disturbed = Disturbed(Mutex::new(|_: &Work<'_>| {
        assert_eq!(cancel(&platform, &platform.env(), &running), Ok(JobState::Cancelled));
    }));
    jobs::work_one(platform.store(), &platform, &[&disturbed]).expect("the store answers");
    assert_eq!(platform.job(&running), (JobState::Cancelled, None));
    assert_eq!(platform.report(import.id).fault.as_deref(), Some("cancelled"));
    assert_eq!(platform.number("select count(*) from deal"), 0);
    assert_eq!(platform.number("select count(*) from deal_import_chunk"), 0);
    // Rows that it never came to are no report.
    assert_eq!(
        platform.number("select count(*) from deal_import_row where outcome = 'pending' or payload is not null"),
        0
    );
    assert_eq!(platform.number("select coalesce(sum(pending_count), 0) from deal_import"), 0);
}

#[test]
fn only_who_acts_for_the_organisation_cancels() {
    let platform = platform();
    let (_, job) = platform.upload(EXAMPLE);
    let foreign = partner(platform.provider);
    let refused = cancel(&platform, &Surroundings::env(&platform, &foreign), &job);
    assert_eq!(refused, Err(CancelJobError::NotFound));
    let mut own = partner(platform.introducer);
    own.scopes.clear();
    let refused = cancel(&platform, &Surroundings::env(&platform, &own), &job);
    assert!(matches!(refused, Err(CancelJobError::MissingScope(_))));
    let own = partner(platform.introducer);
    assert_eq!(cancel(&platform, &Surroundings::env(&platform, &own), &job), Ok(JobState::Cancelled));
}

#[test]
fn a_worker_that_comes_back_late_writes_nothing_beside_the_one_that_took_over() {
    let platform = platform();
    let (import, job) = platform.upload(EXAMPLE);
    let disturbed = Disturbed(Mutex::new(|_: &Work<'_>| {
        let expire = "update job set leased_until_at = '2000-01-01'";
        diesel::connection::SimpleConnection::batch_execute(&mut platform.owner(), expire).expect("it expires");
        assert!(platform.work_one().expect("the store answers").is_some());
    }));
    jobs::work_one(platform.store(), &platform, &[&disturbed]).expect("the store answers");
    assert_eq!(platform.job(&job), (JobState::Succeeded, None));
    assert_eq!(platform.report(import.id).created, 14);
    assert_eq!(platform.number("select count(*) from deal"), 14);
}

#[test]
fn a_job_whose_workers_vanish_without_getting_on_is_given_up() {
    let mut platform = platform();
    let (import, job) = platform.upload(EXAMPLE);
    for _ in 0..=jobs::MAX_STALLED {
        assert_eq!(platform.job(&job).1, None);
        // The claim, and then no more.
        let vanishing = Vanishing { store: platform.store(), left: AtomicU32::new(1), commits_last: false };
        assert!(jobs::work_one(&vanishing, &platform, &[&ImportHandler]).is_err());
        later(&mut platform, jobs::LEASE_SECONDS + 1);
    }
    platform.work();
    assert_eq!(platform.job(&job), (JobState::Failed, Some("given_up".to_owned())));
    assert_eq!(platform.report(import.id).fault.as_deref(), Some("given_up"));
    // The next job is not held up by it.
    let report = platform.import(&file(&["A,M016,Ann,FIXED-3Y,2026-01-01,,,,,"]));
    assert_eq!(report.created, 1);
}

#[test]
fn many_workers_do_each_job_once() {
    let platform = platform();
    let sent: Vec<_> = (0..12)
        .map(|n| platform.upload(&file(&[&format!("Q-{n},M016,Ann,FIXED-3Y,2026-01-01,,2026-02-01,1000.00,,")])))
        .collect();
    let done = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while platform.work_one().expect("the store answers").is_some() {
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(done.load(Ordering::Relaxed), 12);
    for (import, job) in sent {
        assert_eq!(platform.job(&job).0, JobState::Succeeded);
        assert_eq!(platform.report(import.id).created, 1);
    }
    assert_eq!(platform.number("select max(attempts) from job"), 1);
}

/// A process that is told to end after so many looks.
struct Ending<'p> {
    platform: &'p Platform,
    looks: AtomicU32,
}

impl Surroundings for Ending<'_> {
    fn env<'a>(&'a self, actor: &'a domain::access::Actor) -> Env<'a> {
        Surroundings::env(self.platform, actor)
    }

    fn is_ending(&self) -> bool {
        let before = self.looks.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(1)));
        before == Ok(0)
    }
}

#[test]
fn a_process_that_ends_gives_its_job_back_at_once() {
    for looks in 0..6 {
        let platform = platform();
        let (import, job) = platform.upload(EXAMPLE);
        let ending = Ending { platform: &platform, looks: AtomicU32::new(looks) };
        jobs::work_one(platform.store(), &ending, &[&ImportHandler]).expect("the store answers");
        let (state, _) = platform.job(&job);
        assert!(matches!(state, JobState::Queued | JobState::Succeeded), "after {looks}: {state:?}");
        assert_eq!(state == JobState::Queued, looks < 4, "after {looks}");
        // The next process need not wait for a lease.
        platform.work();
        assert_eq!(platform.job(&job), (JobState::Succeeded, None));
        assert_eq!(platform.report(import.id).created, 14, "after {looks}");
    }
}
