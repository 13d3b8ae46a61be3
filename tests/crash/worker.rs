//! A worker of its own process, which can be killed: works on jobs until none is left.
//!
//! `import-worker URL SECONDS [die|tell TRANSACTION MICROSECONDS]`: its clock is so many seconds ahead,
//! as if it had been started later. In its so-manieth transaction, so many microseconds after it
//! began, it either kills itself (SIGKILL) or tells whoever reads its output, and goes on.
//! Ends with 0 when nothing is left, with 3 when the store fails; prints its peak memory in KiB.

use std::process::{Command, ExitCode, id};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::access::{Actor, Viewer};
use domain::chain::checkpoint::TreeHead;
use domain::chain::merkle::empty_root;
use domain::deals::import::work::ImportHandler;
use domain::env::{Env, Surroundings};
use domain::jobs::repository::JobFilter;
use domain::jobs::{self, JobState};
use domain::kernel::time::Clock;
use domain::kernel::{Instant, PageRequest};
use domain::store::{Queries, Store, StoreError, UnitOfWork, Verdict};
use harness::platform::{MemorySigner, ORIGIN};
use integrations::clock::SystemClock;
use integrations::ids::SystemIds;
use integrations::randomness::SystemRandomness;
use persistence::{PgStore, PoolSizes};

struct World {
    ahead: jiff::SignedDuration,
    signer: MemorySigner,
}

impl Surroundings for World {
    fn env<'a>(&'a self, actor: &'a Actor) -> Env<'a> {
        Env {
            now: Instant::new(SystemClock.now().timestamp() + self.ahead),
            actor,
            ids: &SystemIds,
            randomness: &SystemRandomness,
            origin: ORIGIN,
            platform: &self.signer,
            seen: TreeHead { size: 0, root: empty_root() },
            environment: domain::access::Environment::Live,
        }
    }
}

#[derive(Clone, Copy)]
struct Mishap {
    dies: bool,
    transaction: u32,
    after: Duration,
}

impl Mishap {
    fn happen(self) {
        std::thread::sleep(self.after);
        if self.dies {
            let _ = Command::new("kill").args(["-KILL", &id().to_string()]).status();
        }
        println!("now");
    }
}

/// A store in whose so-manieth transaction something happens.
struct Fateful {
    store: PgStore,
    begun: AtomicU32,
    mishap: Option<Mishap>,
}

impl Store for Fateful {
    fn attempt(&self, work: &mut dyn FnMut(&mut dyn UnitOfWork) -> Verdict) -> Result<(), StoreError> {
        let n = self.begun.fetch_add(1, Ordering::Relaxed);
        if let Some(mishap) = self.mishap.filter(|mishap| mishap.transaction == n) {
            std::thread::spawn(move || mishap.happen());
        }
        self.store.attempt(work)
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

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| given.get(at).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    let mishap = given.get(2).map(|what| Mishap {
        dies: what == "die",
        transaction: number(3),
        after: Duration::from_micros(u64::from(number(4))),
    });
    let url = given.first().map_or("", String::as_str);
    let store = PgStore::new(url, PoolSizes { writers: 1, readers: 1 });
    let store = Fateful { store, begun: AtomicU32::new(0), mishap };
    let world = World { ahead: jiff::SignedDuration::from_secs(i64::from(number(1))), signer: MemorySigner::new(7) };
    loop {
        match jobs::work_one(&store, &world, &[&ImportHandler]) {
            Ok(Some(_)) => {}
            // The server may still be rolling back what a worker did that was killed.
            Ok(None) if is_left(&store) => std::thread::sleep(Duration::from_millis(10)),
            Ok(None) => {
                println!("{}", peak_kib());
                return ExitCode::SUCCESS;
            }
            Err(_) => return ExitCode::from(3),
        }
    }
}

fn is_left(store: &dyn Store) -> bool {
    let open = |state| JobFilter { state: Some(state), kind: None };
    let page = PageRequest::first();
    [JobState::Queued, JobState::Running].into_iter().any(|state| {
        let found = store.read(&Viewer::Everything, |q| q.jobs().list(&open(state), &page));
        found.is_ok_and(|jobs| !jobs.data.is_empty())
    })
}

/// The most memory that this process ever had, as Linux tells it; 0 elsewhere.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0)
}
