//! Executes a payout run in a process of its own, which can be killed at any statement.
//!
//! `payout-worker URL RUN ACTOR [MOMENT]`: each statement that goes to PostgreSQL in the transaction of the execution
//! (`BEGIN` and `COMMIT` are such) has a moment before it is sent and one after its answer is read; at the so-manieth,
//! or at the first of a statement that begins so (`before:COMMIT`, `after:COMMIT`), the process kills itself (SIGKILL). Says `executed` or `voided` and how many moments there were. The moments are
//! Diesel's instrumentation: the service has no such points. Ends with 3 when the store or the run refuses.

use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use domain::access::{Actor, Environment, Role};
use domain::chain::checkpoint::TreeHead;
use domain::chain::merkle::empty_root;
use domain::env::Env;
use domain::kernel::Instant;
use domain::kernel::ids::PayoutRunId;
use domain::payouts::OnRun;
use domain::payouts::execute::{self, Execution};
use domain::store::{Store, StoreError};
use harness::platform::{MemorySigner, ORIGIN};
use integrations::ids::SystemIds;
use integrations::randomness::SystemRandomness;
use persistence::{PgStore, PoolSizes};
use uuid::Uuid;

static ARMED: AtomicBool = AtomicBool::new(false);
static MOMENTS: AtomicU64 = AtomicU64::new(0);
static FATAL: OnceLock<Moment> = OnceLock::new();

/// When to die.
enum Moment {
    Nth(u64),
    Before(String),
    After(String),
}

impl Moment {
    fn parse(text: &str) -> Self {
        match text.split_once(':') {
            Some(("after", statement)) => Self::After(statement.to_owned()),
            Some((_, statement)) => Self::Before(statement.to_owned()),
            None => Self::Nth(text.parse().unwrap_or(u64::MAX)),
        }
    }

    fn is(&self, nth: u64, is_over: bool, statement: &str) -> bool {
        match self {
            Self::Nth(fatal) => *fatal == nth,
            Self::Before(begins) => !is_over && statement.starts_with(begins),
            Self::After(begins) => is_over && statement.starts_with(begins),
        }
    }
}

fn moment(is_over: bool, statement: &str) {
    if !ARMED.load(Ordering::Relaxed) {
        return;
    }
    let nth = MOMENTS.fetch_add(1, Ordering::Relaxed) + 1;
    if FATAL.get().is_some_and(|fatal| fatal.is(nth, is_over, statement)) {
        // Nothing after this runs: the signal cannot be caught.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

struct Statements;

impl Instrumentation for Statements {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { query, .. } => moment(false, &query.to_string()),
            InstrumentationEvent::FinishQuery { query, .. } => moment(true, &query.to_string()),
            _ => {}
        }
    }
}

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let text = |at: usize| given.get(at).map_or("", String::as_str);
    if let Some(fatal) = given.get(3) {
        let _ = FATAL.set(Moment::parse(fatal));
    }
    if set_default_instrumentation(|| Some(Box::new(Statements))).is_err() {
        return ExitCode::from(4);
    }
    let store = PgStore::new(text(0), PoolSizes { writers: 1, readers: 1 });
    match run(&store, text(1), text(2)) {
        Ok(what) => {
            println!("{what} {}", MOMENTS.load(Ordering::Relaxed));
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(3)
        }
    }
}

fn run(store: &dyn Store, run: &str, actor: &str) -> Result<&'static str, String> {
    let run = PayoutRunId::parse(run).map_err(|_| "no run")?;
    let id = Uuid::parse_str(actor).map_err(|error| error.to_string())?;
    let scopes = Role::Finance.scopes().iter().copied().collect();
    let actor = Actor { id, roles: [Role::Finance].into_iter().collect(), scopes, organisation: None, member: None };
    let signer = MemorySigner::new(7);
    let env = Env {
        now: Instant::new("2026-11-23T12:00:00Z".parse().map_err(|_| "no time")?),
        actor: &actor,
        ids: &SystemIds,
        randomness: &SystemRandomness,
        origin: ORIGIN,
        platform: &signer,
        seen: TreeHead { size: 0, root: empty_root() },
        environment: Environment::Live,
    };
    // The connection is made and set up before moments count.
    store.transaction(|_| Ok::<_, StoreError>(())).map_err(|error| error.to_string())?;
    ARMED.store(true, Ordering::Relaxed);
    let outcome = store.transaction(|uow| execute::execute(uow, &env, &OnRun { run, version: None }));
    ARMED.store(false, Ordering::Relaxed);
    match outcome.map_err(|error| error.to_string())? {
        Execution::Done(_) => Ok("executed"),
        Execution::Voided(..) => Ok("voided"),
    }
}
