//! A sequencer of its own process, which can be killed at any moment that matters.
//!
//! `sequencer-worker URL MARK once [PHASE NTH MICROSECONDS NAME]` works off what is pending and signs, once;
//! `sequencer-worker URL MARK until SIZE` does so again and again until the log has so many leaves.
//! Each statement that goes to PostgreSQL (`BEGIN` and `COMMIT` are such) has a moment `before` it is sent and one `after`
//! its answer is read, and so has each use of the key and of the high-water mark. At the so-manieth moment of a PHASE
//! whose statement or use begins with NAME, or so many microseconds after it, the process kills itself (SIGKILL). All of
//! this is Diesel's instrumentation and the ports of the domain: the service has no such points.
//! Says what it signs (`signed <text> <signature>`, base64) before it gives it to anybody, that it dies (`dies`), and in
//! the end how many batches it has integrated. Ends with 3 when the log is not signed.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use domain::chain::checkpoint::TreeHead;
use domain::chain::encoding::b64;
use domain::chain::key::PublicKey;
use domain::chain::sequence::Sequencer;
use domain::chain::signer::{HighWater, PortError, Signer};
use domain::kernel::time::Clock;
use domain::store::{Store, StoreError};
use harness::platform::{MemorySigner, ORIGIN};
use integrations::clock::SystemClock;
use integrations::high_water::HighWaterFile;
use persistence::{PgStore, PoolSizes};

/// Bytes of a statement that tell which it is.
const NAME_BYTES: usize = 80;

struct Fate {
    phase: String,
    nth: u64,
    after: Duration,
    name: String,
}

static ARMED: AtomicBool = AtomicBool::new(false);
static MOMENTS: AtomicU64 = AtomicU64::new(0);
static BATCHES: AtomicU64 = AtomicU64::new(0);
static FATE: OnceLock<Fate> = OnceLock::new();

/// A moment; the process may not survive it.
fn moment(phase: &str, name: &dyn std::fmt::Display) {
    if !ARMED.load(Ordering::Relaxed) {
        return;
    }
    let Some(fate) = FATE.get().filter(|fate| fate.phase == phase && beginning(name).starts_with(&fate.name)) else {
        return;
    };
    if MOMENTS.fetch_add(1, Ordering::Relaxed) + 1 != fate.nth {
        return;
    }
    println!("dies");
    if fate.after.is_zero() {
        die();
    }
    let after = fate.after;
    std::thread::spawn(move || {
        std::thread::sleep(after);
        die();
    });
}

fn die() {
    // Nothing after this runs: the signal cannot be caught.
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
}

/// The beginning of a text, of which no more is written.
struct Beginning(String);

impl std::fmt::Write for Beginning {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.push_str(text);
        if self.0.len() < NAME_BYTES { Ok(()) } else { Err(std::fmt::Error) }
    }
}

fn beginning(query: &(impl std::fmt::Display + ?Sized)) -> String {
    let mut name = Beginning(String::new());
    // It fails when it has enough.
    let _ = write!(name, "{query}");
    name.0.replace('\n', " ")
}

struct Statements;

impl Instrumentation for Statements {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartQuery { query, .. } => moment("before", query),
            InstrumentationEvent::FinishQuery { query, .. } => {
                if beginning(query).starts_with("insert into chain_leaf") {
                    BATCHES.fetch_add(1, Ordering::Relaxed);
                }
                moment("after", query);
            }
            _ => {}
        }
    }
}

struct Key(MemorySigner);

impl Signer for Key {
    fn public_key(&self) -> PublicKey {
        self.0.public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], PortError> {
        moment("before", &"sign");
        let signature = self.0.sign(message)?;
        println!("signed {} {}", b64(message), b64(&signature));
        moment("after", &"sign");
        Ok(signature)
    }
}

struct Mark(HighWaterFile);

impl HighWater for Mark {
    fn read(&self) -> Result<Option<TreeHead>, PortError> {
        moment("before", &"mark read");
        let mark = self.0.read();
        moment("after", &"mark read");
        mark
    }

    fn advance(&self, head: &TreeHead) -> Result<(), PortError> {
        moment("before", &"mark advance");
        let advanced = self.0.advance(head);
        moment("after", &"mark advance");
        advanced
    }
}

fn main() -> ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let text = |at: usize| given.get(at).map_or("", String::as_str);
    let number = |at: usize| given.get(at).and_then(|text| text.parse::<u64>().ok());
    if let Some(nth) = number(4).filter(|_| text(2) == "once") {
        let after = Duration::from_micros(number(5).unwrap_or(0));
        let _ = FATE.set(Fate { phase: text(3).to_owned(), nth, after, name: text(6).to_owned() });
    }
    if set_default_instrumentation(|| Some(Box::new(Statements))).is_err() {
        return ExitCode::from(4);
    }
    let until = number(3).filter(|_| text(2) == "until");
    let store = PgStore::new(text(0), PoolSizes { writers: 1, readers: 1 });
    let mark = Mark(HighWaterFile::new(Path::new(text(1)).to_owned()));
    match sequence(&store, &mark, until) {
        Ok(()) => {
            println!("integrated {}", BATCHES.load(Ordering::Relaxed));
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(3)
        }
    }
}

fn sequence(store: &dyn Store, mark: &Mark, until: Option<u64>) -> Result<(), String> {
    let key = Key(MemorySigner::new(8));
    // The connection is made and set up before moments count.
    store.transaction(|_| Ok::<_, StoreError>(())).map_err(|error| error.to_string())?;
    ARMED.store(true, Ordering::Relaxed);
    let mut sequencer = Sequencer::new(ORIGIN, &key, mark);
    loop {
        let head = sequencer.catch_up(store, SystemClock.now()).map_err(|error| error.to_string())?;
        if until.is_none_or(|size| head.size >= size) {
            return Ok(());
        }
    }
}
