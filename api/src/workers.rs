//! Work beside requests, each on a thread of its own: the sequencer of the log, the numbering of events,
//! revocations, releases after the hold, tax invoices that are due, versions of agreements that are due, partitions, jobs, webhooks. They stop
//! when [`Workers`] is told to, after what they are doing. Several processes may work on one database: jobs and
//! webhooks are claimed, releases and numbering are transactions, and of those that share a data directory one signs
//! the log.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actix_web::web::Data;
use domain::access::Actor;
use domain::agreements::decide;
use domain::deals::import::receive;
use domain::deals::import::work::ImportHandler;
use domain::deals::trail_run::work::TrailRunHandler;
use domain::env::{Env, Surroundings};
use domain::jobs::{Handler, work_one};
use domain::ledger::posting::PostError;
use domain::ledger::release;
use domain::payouts::bank::settle;
use domain::provider_statements::funding;
use domain::provider_statements::work::ProviderStatementHandler;
use domain::simulation::work::SimulationHandler;
use domain::store::StoreError;
use domain::tax::due;
use jiff::civil::Date;

use crate::app::{App, Bell};
use crate::auth::revocations::EVERY;

mod signing;

pub use signing::catch_up;
use signing::{Signs, sequence, witness};

/// Events of other processes wait at most so long.
const TELLING_IDLE: Duration = Duration::from_secs(1);
/// Events that are numbered in one commit gather for so long after the first.
const TELLING_GATHER: Duration = Duration::from_millis(10);
/// How often the clock is looked at for what is due.
const CHORES_EVERY: Duration = Duration::from_secs(1);
/// How often holds, and versions of agreements that are due, are looked at.
const RELEASE_EVERY_MILLIS: i64 = 60_000;
/// In the data directory: held by the process that signs the log.
pub const SEQUENCER_LOCK: &str = "sequencer.lock";
/// How long the worker sleeps when nobody rings: jobs of other processes, and those whose worker died,
/// wait at most so long.
const WORK_IDLE: Duration = Duration::from_secs(2);
/// Threads that send webhooks.
const DISPATCH_THREADS: usize = 2;
/// How often a thread that is to end is looked at.
const STOP_POLL: Duration = Duration::from_millis(5);
/// Every kind of job.
const HANDLERS: [&dyn Handler; 4] =
    [&ImportHandler, &TrailRunHandler, &SimulationHandler { threads: 2 }, &ProviderStatementHandler];

/// What a process does beside answering requests.
#[derive(Debug, Clone)]
pub struct Shifts {
    /// It answers requests: it learns of revocations.
    serves: bool,
    /// It works: jobs, webhooks, releases, partitions.
    works: bool,
    /// Whether it signs the log.
    signs: Signs,
}

impl Shifts {
    /// Everything, in one process of a data directory.
    #[must_use]
    pub fn all(data_dir: &Path) -> Self {
        Self { serves: true, ..Self::background(data_dir) }
    }

    /// Everything, where no other process has this one's mark of what was signed.
    #[must_use]
    pub const fn alone() -> Self {
        Self { serves: true, works: true, signs: Signs::Always }
    }

    /// What answering requests needs; others do the work.
    #[must_use]
    pub const fn service() -> Self {
        Self { serves: true, works: false, signs: Signs::Never }
    }

    /// The work; others answer requests.
    #[must_use]
    pub fn background(data_dir: &Path) -> Self {
        Self { serves: false, works: true, signs: Signs::InTurn(data_dir.join(SEQUENCER_LOCK)) }
    }
}

/// The threads.
pub struct Workers {
    stopping: Arc<AtomicBool>,
    chores: Arc<Bell>,
    app: Data<App>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts those of these shifts.
    ///
    /// # Errors
    /// When a thread cannot be had.
    pub fn start(app: &Data<App>, shifts: &Shifts) -> std::io::Result<Self> {
        let stopping = Arc::new(AtomicBool::new(false));
        let chores = Arc::new(Bell::default());
        let mut workers = Self { stopping, chores: Arc::clone(&chores), app: app.clone(), threads: Vec::new() };
        workers.spawn("events", tell)?;
        let signs = shifts.signs.clone();
        if !app.witnessing.policy().is_empty() && !matches!(signs, Signs::Never) {
            workers.spawn("witnesses", witness)?;
        }
        workers.spawn("sequencer", move |app, stopping| sequence(app, stopping, signs))?;
        if shifts.serves {
            workers.spawn("revocations", revocations)?;
        }
        if shifts.works {
            // Two, so that a large import does not keep everybody else's waiting.
            workers.spawn("jobs-1", jobs)?;
            workers.spawn("jobs-2", jobs)?;
            workers.spawn("webhooks", dispatch)?;
            workers.spawn("stripe", crate::stripe_desk::work)?;
            workers.spawn("chores", move |app, stopping| do_chores(app, stopping, &chores))?;
        }
        Ok(workers)
    }

    fn spawn(
        &mut self,
        name: &str,
        work: impl FnOnce(&Data<App>, &AtomicBool) + Send + 'static,
    ) -> std::io::Result<()> {
        let (app, stopping) = (self.app.clone(), Arc::clone(&self.stopping));
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || work(&app, &stopping))?;
        self.threads.push(thread);
        Ok(())
    }

    /// Ends them and waits until they have.
    pub fn stop(self) {
        self.stopping.store(true, Ordering::Release);
        for thread in self.threads {
            // A bell wakes one who waits; two may wait for work.
            while !thread.is_finished() {
                self.app.wrote();
                self.app.work.ring();
                self.app.revoking.ring();
                self.chores.ring();
                self.app.dispatching.notify_one();
                self.app.stripe.iter().for_each(|desk| desk.bell.ring());
                self.app.witnessing.wake();
                thread::sleep(STOP_POLL);
            }
            if thread.join().is_err() {
                tracing::error!("a worker panicked");
            }
        }
    }
}

fn tell(app: &Data<App>, stopping: &AtomicBool) {
    if let Err(error) = app.feed.begin(app.store.as_ref()) {
        tracing::error!(%error, "the end of the event log could not be found; that is tried again");
    }
    while !stopping.load(Ordering::Acquire) {
        if let Err(error) = app.feed.advance(app.store.as_ref()) {
            tracing::error!(%error, "events were not numbered; that is tried again");
        }
        app.telling.wait(TELLING_IDLE);
        thread::sleep(TELLING_GATHER);
    }
}

fn dispatch(app: &Data<App>, stopping: &AtomicBool) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(DISPATCH_THREADS)
        .thread_name("webhooks")
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            runtime.block_on(crate::dispatch::run(app, stopping));
            // Requests that are left count as never made: their claims run out.
            runtime.shutdown_background();
        }
        Err(error) => tracing::error!(%error, "webhooks are not sent: their threads cannot be had"),
    }
}

/// Learns of revocations, and of other keys of access tokens, until it is told to stop.
pub fn revocations(app: &Data<App>, stopping: &AtomicBool) {
    while !stopping.load(Ordering::Acquire) {
        if let Err(error) = app.tokens.learn_keys() {
            tracing::error!(%error, "the keys of access tokens were not read; that is tried again");
        }
        if let Err(error) = app.learn_revocations() {
            tracing::error!(%error, "revocations were not read; that is tried again");
        }
        app.revoking.wait(EVERY);
    }
}

fn jobs(app: &Data<App>, stopping: &AtomicBool) {
    while !stopping.load(Ordering::Acquire) {
        match work(app, &Shift { app, stopping }) {
            Ok(true) => {}
            Ok(false) => app.work.wait(WORK_IDLE),
            Err(error) => {
                tracing::error!(%error, "a job was interrupted; another attempt goes on with it");
                app.work.wait(WORK_IDLE);
            }
        }
    }
}

/// Does the job that has waited longest; `false` when none waits.
///
/// # Errors
/// The failure of the store.
pub fn work_off(app: &App) -> Result<bool, StoreError> {
    work(app, app)
}

fn work(app: &App, around: &dyn Surroundings) -> Result<bool, StoreError> {
    let worked = work_one(app.store.as_ref(), around, &HANDLERS)?.is_some();
    if worked {
        app.wrote();
    }
    Ok(worked)
}

/// The application as a worker sees it: a job stops after its present batch when the process is told to.
struct Shift<'a> {
    app: &'a App,
    stopping: &'a AtomicBool,
}

impl Surroundings for Shift<'_> {
    fn env<'a>(&'a self, actor: &'a Actor) -> Env<'a> {
        self.app.env(actor)
    }

    fn is_ending(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }
}

/// What is due from time to time: versions of agreements, releases, abandoned uploads, partitions.
fn do_chores(app: &Data<App>, stopping: &AtomicBool, bell: &Bell) {
    let (mut kept, mut released) = (None, None);
    while !stopping.load(Ordering::Acquire) {
        if let Err(error) = keep_partitions(app, &mut kept) {
            tracing::error!(%error, "the partitions of the coming days were not made; that is tried again");
        }
        let now = app.clock.now().millis();
        if released.is_none_or(|before: i64| now.saturating_sub(before) >= RELEASE_EVERY_MILLIS || now < before) {
            if let Err(error) = come_into_force(app) {
                tracing::error!(%error, "versions of agreements did not come into force; that is tried again");
            }
            release(app, stopping);
            settle(app, stopping);
            if let Err(error) = invoice_due(app) {
                tracing::error!(%error, "invoices that are due were not written; that is tried again");
            }
            released = Some(now);
        }
        bell.wait(CHORES_EVERY);
    }
}

/// Makes the partitions of the coming days, once a day of the clock.
///
/// # Errors
/// The failure of the store; the day then counts as not done.
pub fn keep_partitions(app: &App, kept: &mut Option<Date>) -> Result<(), StoreError> {
    let today = app.clock.now().sydney_date();
    if *kept != Some(today) {
        app.store.transaction(|uow| uow.operations().keep_partitions(today))?;
        *kept = Some(today);
    }
    Ok(())
}

/// Makes active the versions of agreements whose first day has come, and superseded those that they end. Which version
/// governs a deal does not wait for it. Returns how many moved.
///
/// # Errors
/// The failure of the store; the next round does it then.
pub fn come_into_force(app: &App) -> Result<usize, StoreError> {
    let actor = Actor::service();
    let moved = app.store.transaction(|uow| decide::come_into_force(uow, &app.env(&actor)))?;
    if moved > 0 {
        app.wrote();
    }
    Ok(moved)
}

/// Bank files that the passing of banking days settles.
fn settle(app: &Data<App>, stopping: &AtomicBool) {
    let actor = Actor::service();
    while !stopping.load(Ordering::Acquire) {
        match app.store.transaction(|uow| settle::due(uow, &app.env(&actor))) {
            Ok(0) => break,
            Ok(_) => app.wrote(),
            Err(error) => {
                tracing::error!(%error, "bank files were not settled; that is tried again");
                break;
            }
        }
    }
}

/// Writes the invoices that are due without a payment. Returns how many batches were looked at.
///
/// # Errors
/// Why one of them was not written; those before it stay.
pub fn invoice_due(app: &App) -> Result<usize, PostError> {
    let actor = Actor::service();
    let (mut after, mut batches) = (Some(uuid::Uuid::nil()), 0);
    while let Some(last) = after {
        after = app.store.transaction(|uow| due::invoice(uow, &app.env(&actor), last))?;
        batches += usize::from(after.is_some());
    }
    if batches > 0 {
        app.wrote();
    }
    Ok(batches)
}

fn release(app: &Data<App>, stopping: &AtomicBool) {
    let actor = Actor::service();
    let env = app.env(&actor);
    while !stopping.load(Ordering::Acquire) {
        let due = app.store.transaction(|uow| release::due(uow, &env));
        let funded = app.store.transaction(|uow| funding::release_due(uow, &env));
        match due.and_then(|due| Ok(due.max(funded?))) {
            Ok(released) if released >= release::BATCH as usize => continue,
            Ok(0) => {}
            Ok(_) => app.wrote(),
            Err(error) => tracing::error!(%error, "releases failed; they are tried again"),
        }
        break;
    }
    if let Err(error) = app.store.transaction(|uow| receive::sweep(uow, &env)) {
        tracing::error!(%error, "abandoned uploads were not put away; that is tried again");
    }
}
