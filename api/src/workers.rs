//! Work beside requests, each on a thread of its own: the sequencer of the log, the numbering of events,
//! revocations, releases after the hold, jobs, webhooks. They stop when [`Workers`] is told to, after what they
//! are doing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use actix_web::web::Data;
use domain::access::Actor;
use domain::chain::checkpoint::TreeHead;
use domain::chain::sequence::{SequenceError, Sequencer};
use domain::deals::import::receive;
use domain::deals::import::work::ImportHandler;
use domain::env::{Env, Surroundings};
use domain::jobs::{Handler, work_one};
use domain::ledger::release;
use domain::store::StoreError;

use crate::app::{App, Bell};
use crate::auth::revocations::EVERY;

/// How long the sequencer sleeps when nobody rings: leaves of other processes wait at most so long.
const SEQUENCER_IDLE: Duration = Duration::from_secs(1);
/// Leaves of one batch gather for so long after the first.
const SEQUENCER_GATHER: Duration = Duration::from_millis(50);
/// Events of other processes wait at most so long.
const TELLING_IDLE: Duration = Duration::from_secs(1);
/// Events that are numbered in one commit gather for so long after the first.
const TELLING_GATHER: Duration = Duration::from_millis(10);
/// How often holds are looked at.
const RELEASE_EVERY: Duration = Duration::from_secs(60);
/// How long the worker sleeps when nobody rings: jobs of other processes, and those whose worker died,
/// wait at most so long.
const WORK_IDLE: Duration = Duration::from_secs(2);
/// Threads that send webhooks.
const DISPATCH_THREADS: usize = 2;
/// How often a thread that is to end is looked at.
const STOP_POLL: Duration = Duration::from_millis(5);
/// Every kind of job.
const HANDLERS: [&dyn Handler; 1] = [&ImportHandler];

/// The threads.
pub struct Workers {
    stopping: Arc<AtomicBool>,
    releases: Arc<Bell>,
    app: Data<App>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts them.
    ///
    /// # Errors
    /// When a thread cannot be had.
    pub fn start(app: &Data<App>) -> std::io::Result<Self> {
        let stopping = Arc::new(AtomicBool::new(false));
        let releases = Arc::new(Bell::default());
        let mut workers = Self { stopping, releases: Arc::clone(&releases), app: app.clone(), threads: Vec::new() };
        workers.spawn("sequencer", sequence)?;
        workers.spawn("events", tell)?;
        workers.spawn("revocations", revocations)?;
        // Two, so that a large import does not keep everybody else's waiting.
        workers.spawn("jobs-1", jobs)?;
        workers.spawn("jobs-2", jobs)?;
        workers.spawn("webhooks", dispatch)?;
        workers.spawn("releases", move |app, stopping| release(app, stopping, &releases))?;
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
                self.releases.ring();
                self.app.dispatching.notify_one();
                thread::sleep(STOP_POLL);
            }
            if thread.join().is_err() {
                tracing::error!("a worker panicked");
            }
        }
    }
}

fn sequence(app: &Data<App>, stopping: &AtomicBool) {
    let mut sequencer = Sequencer::new(&app.origin, app.log.as_ref(), app.high_water.as_ref());
    loop {
        let last = stopping.load(Ordering::Acquire);
        match sequencer.catch_up(app.store.as_ref(), app.clock.now()) {
            Ok(head) => app.publish(head),
            Err(error) => {
                tracing::error!(%error, "the log is not signed; that is tried again");
                if matches!(error, SequenceError::Guard(_)) {
                    app.log_failed(error.to_string());
                }
            }
        }
        // The round after the signal takes in what requests wrote last.
        if last {
            return;
        }
        app.sequencing.wait(SEQUENCER_IDLE);
        if !stopping.load(Ordering::Acquire) {
            thread::sleep(SEQUENCER_GATHER);
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

/// Integrates everything that is pending, signs the head and publishes it: one round of the sequencer.
///
/// # Errors
/// See [`SequenceError`].
pub fn catch_up(app: &App) -> Result<TreeHead, SequenceError> {
    let mut sequencer = Sequencer::new(&app.origin, app.log.as_ref(), app.high_water.as_ref());
    sequencer.catch_up(app.store.as_ref(), app.clock.now()).inspect(|head| app.publish(*head))
}

fn release(app: &Data<App>, stopping: &AtomicBool, bell: &Bell) {
    let actor = Actor::service();
    while !stopping.load(Ordering::Acquire) {
        let env = app.env(&actor);
        match app.store.transaction(|uow| release::due(uow, &env)) {
            Ok(released) if released >= release::BATCH as usize => continue,
            Ok(0) => {}
            Ok(_) => app.wrote(),
            Err(error) => tracing::error!(%error, "releases failed; they are tried again"),
        }
        if let Err(error) = app.store.transaction(|uow| receive::sweep(uow, &env)) {
            tracing::error!(%error, "abandoned uploads were not put away; that is tried again");
        }
        bell.wait(RELEASE_EVERY);
    }
}
