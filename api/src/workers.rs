//! Work beside requests, each on a thread of its own: the sequencer of the log, releases after the hold,
//! jobs. They stop when [`Workers`] is told to, after what they are doing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use actix_web::web::Data;
use domain::access::Actor;
use domain::chain::sequence::Sequencer;
use domain::deals::import::receive;
use domain::deals::import::work::ImportHandler;
use domain::env::{Env, Surroundings};
use domain::jobs::{self, Handler};
use domain::ledger::release;

use crate::app::{App, Bell};

/// How long the sequencer sleeps when nobody rings: leaves of other processes wait at most so long.
const SEQUENCER_IDLE: Duration = Duration::from_secs(1);
/// Leaves of one batch gather for so long after the first.
const SEQUENCER_GATHER: Duration = Duration::from_millis(50);
/// How long the worker sleeps when nobody rings: jobs of other processes, and those whose worker crashed,
/// wait at most so long.
const WORK_IDLE: Duration = Duration::from_secs(2);
/// How long the worker waits after the database failed.
const WORK_PAUSE: Duration = Duration::from_millis(500);
/// How often the worker puts away what uploads left behind.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// How often holds are looked at.
const RELEASE_EVERY: Duration = Duration::from_secs(60);

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
        workers.spawn("releases", move |app, stopping| release(app, stopping, &releases))?;
        workers.spawn("jobs", work)?;
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
        self.app.sequencing.ring();
        self.app.work.ring();
        self.releases.ring();
        for thread in self.threads {
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
            Err(error) => tracing::error!(%error, "the sequencer stopped; it tries again"),
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

fn release(app: &Data<App>, stopping: &AtomicBool, bell: &Bell) {
    let actor = Actor::service();
    while !stopping.load(Ordering::Acquire) {
        let env = app.env(&actor);
        match app.store.transaction(|uow| release::due(uow, &env)) {
            Ok(released) if released >= release::BATCH as usize => continue,
            Ok(0) => {}
            Ok(_) => app.sequencing.ring(),
            Err(error) => tracing::error!(%error, "releases failed; they are tried again"),
        }
        bell.wait(RELEASE_EVERY);
    }
}

/// Everything that can be done in the background.
const HANDLERS: [&dyn Handler; 1] = [&ImportHandler];

/// The application, as a worker sees it that may have to stop.
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

fn work(app: &Data<App>, stopping: &AtomicBool) {
    let shift = Shift { app, stopping };
    let actor = Actor::service();
    let mut swept = None;
    while !stopping.load(Ordering::Acquire) {
        if swept.is_none_or(|at: Instant| at.elapsed() > SWEEP_EVERY) {
            if let Err(error) = app.store.transaction(|uow| receive::sweep(uow, &app.env(&actor))) {
                tracing::error!(%error, "what uploads left behind was not put away; it is tried again");
            }
            swept = Some(Instant::now());
        }
        match jobs::work_one(app.store.as_ref(), &shift, &HANDLERS) {
            Ok(Some(job)) => {
                tracing::info!(job = %job.id, kind = job.kind.as_str(), attempt = job.attempts, "a job was worked on");
                app.sequencing.ring();
            }
            Ok(None) => app.work.wait(WORK_IDLE),
            Err(error) => {
                tracing::error!(%error, "a job stopped; it goes on where its last batch ended");
                app.work.wait(WORK_PAUSE);
            }
        }
    }
}
