//! One private PostgreSQL per test process, one database per test.
//!
//! The cluster (fsync off, in memory where there is room) ends with the process: its keeper is bound to
//! it. Its directory carries the process's number; the next run removes those of processes that are
//! gone. The migrations run once, into a template; a database is a copy of it (some 50 ms) and is
//! dropped with its handle.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use persistence::cluster::{Cluster, ClusterConfig, ConnectionInfo};

const PREFIX: &str = "flip360-test-";
const TEMPLATE: &str = "flip360_template";

struct Shared {
    cluster: Cluster,
    databases: AtomicU32,
    /// The digest of the migrations that the template holds.
    template: Mutex<Option<String>>,
}

fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let root = roomy();
        sweep(&root);
        let data_dir = free_name(&root);
        let cluster = Cluster::start(&ClusterConfig::scratch(data_dir)).expect("the test cluster starts");
        Shared { cluster, databases: AtomicU32::new(0), template: Mutex::new(None) }
    })
}

/// A name that nothing has: another account's run may have left one with this process's number, which
/// only that account can remove.
fn free_name(root: &Path) -> PathBuf {
    let name = |n: u32| root.join(format!("{PREFIX}{}.{n}", std::process::id()));
    (0..).map(name).find(|path| std::fs::symlink_metadata(path).is_err()).expect("there are many names")
}

/// Memory if the system offers it, else the temporary directory.
fn roomy() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

/// Removes what processes left that are gone.
fn sweep(root: &Path) {
    let Ok(entries) = std::fs::read_dir(root) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|n| n.strip_prefix(PREFIX));
        let pid = pid.and_then(|rest| rest.split('.').next()).and_then(|pid| pid.parse::<u32>().ok());
        if pid.is_some_and(|pid| Path::new("/proc").is_dir() && !Path::new("/proc").join(pid.to_string()).exists()) {
            // Another test process may be sweeping too; what is left is swept next time.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// A database of one test.
pub struct TestDatabase {
    name: String,
    /// The server that a test runs itself; none = the shared one.
    own: Option<ConnectionInfo>,
}

impl TestDatabase {
    /// A fresh database with the schema that `migrate` brings about; `digest` names that schema.
    pub fn create(digest: &str, migrate: impl FnOnce(&str)) -> Self {
        let shared = shared();
        let mut template = shared.template.lock().expect("no panic while the template was made");
        if template.as_deref() != Some(digest) {
            administer(&format!("drop database if exists {TEMPLATE}"));
            administer(&format!("create database {TEMPLATE}"));
            migrate(&shared.cluster.url("flip360_owner", TEMPLATE));
            *template = Some(digest.to_owned());
        }
        let name = format!("test_{}", shared.databases.fetch_add(1, Ordering::Relaxed));
        administer(&format!("create database {name} template {TEMPLATE}"));
        Self { name, own: None }
    }

    /// An empty database of a server that the test runs itself, and that goes with it.
    #[must_use]
    pub fn on(server: &ConnectionInfo, name: &str) -> Self {
        execute(&server.url("flip360_owner", "postgres"), &format!("create database {name}"));
        Self { name: name.to_owned(), own: Some(server.clone()) }
    }

    /// An empty database.
    #[must_use]
    pub fn empty() -> Self {
        let name = format!("test_{}", shared().databases.fetch_add(1, Ordering::Relaxed));
        administer(&format!("create database {name}"));
        Self { name, own: None }
    }

    /// Where a role finds it.
    #[must_use]
    pub fn url(&self, role: &str) -> String {
        match &self.own {
            Some(server) => server.url(role, &self.name),
            None => shared().cluster.url(role, &self.name),
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.own.is_none() {
            administer(&format!("drop database if exists {} with (force)", self.name));
        }
    }
}

/// What the database server of this test process has logged.
#[must_use]
pub fn server_log() -> String {
    let bytes = std::fs::read(shared().cluster.log()).expect("a log");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Runs a statement that belongs to no test's database. The names in it are made here, never given.
fn administer(sql: &str) {
    execute(&shared().cluster.url("flip360_owner", "postgres"), sql);
}

fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::establish(url).expect("the test cluster answers");
    connection.batch_execute(sql).expect("the statement runs");
}
