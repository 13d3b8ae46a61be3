//! A private PostgreSQL cluster in the data directory, over the server binaries installed on the machine.
//!
//! Invariants: one owner per data directory (flock); the server listens on a unix socket in a 0700 directory and on
//! nothing else; it never runs as root; it never outlives its owner for longer than a fast shutdown takes, and where the
//! system has no parent-death signal the next owner stops it before anything else; data exists only when it is complete
//! (`initdb` beside, then rename). Every wait is bounded.
//!
//! The calls block; call them from a thread that may.

mod account;
mod binaries;
mod connection;
mod error;
mod init;
mod keeper;
mod layout;
mod lock;
mod postmaster;
pub mod survey;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

pub use connection::{ConnectionInfo, DATABASE, OWNER_ROLE, SERVICE_ROLE};
pub use error::ClusterError;

use account::Account;
use binaries::Binaries;
use keeper::{Keeper, Launch};
use layout::Layout;
use lock::OwnerLock;
use postmaster::PidFile;

/// What the cluster is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Everything that is committed survives a crash.
    #[default]
    Durable,
    /// For tests: nothing survives a crash of the machine, and more connections are allowed.
    Scratch,
}

/// What to start and where.
#[derive(Debug, Clone)]
pub struct ClusterConfig {
    /// The service's data directory; the cluster lives in `cluster` below it.
    pub data_dir: PathBuf,
    /// Durability and size.
    pub profile: Profile,
    /// The directory of `postgres` and `initdb`; otherwise `FLIP360_PG_BIN`, otherwise they are looked for.
    pub binaries: Option<PathBuf>,
    /// As root, where the cluster goes when the lesser account cannot enter the data directory.
    pub fallback_root: PathBuf,
    /// How long to wait for the server to be ready; recovery after a crash counts.
    pub start_timeout: Duration,
}

impl ClusterConfig {
    /// A durable cluster in `data_dir`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            profile: Profile::Durable,
            binaries: None,
            fallback_root: PathBuf::from("/var/lib/flip360"),
            start_timeout: Duration::from_secs(120),
        }
    }

    /// A cluster for tests in `data_dir`.
    pub fn scratch(data_dir: impl Into<PathBuf>) -> Self {
        Self { profile: Profile::Scratch, ..Self::new(data_dir) }
    }
}

/// A cluster that this process owns; dropping it stops it.
#[derive(Debug)]
pub struct Cluster {
    // Dropped in this order: the lock is given back only after the server is gone.
    keeper: Keeper,
    connection: ConnectionInfo,
    layout: Layout,
    _lock: OwnerLock,
}

impl Cluster {
    /// Starts the cluster of `config.data_dir` as its owner, making it when there is none.
    pub fn start(config: &ClusterConfig) -> Result<Self, ClusterError> {
        let binaries = Binaries::find(config.binaries.as_deref())?;
        let account = Account::choose()?;
        Layout::create_data_directory(&config.data_dir)?;
        let mut layout = Layout::of(&config.data_dir)?;
        let lock = OwnerLock::take(&layout.lock)?;
        layout.prepare(&account, &config.fallback_root)?;
        postmaster::stop_orphan(&layout.data())?;
        init::ensure_data(&layout, &binaries, &account, config.profile)?;
        let socket = layout.prepare_socket_directory(&account)?;
        let keeper = Keeper::start(Launch {
            program: binaries.postgres(),
            data: layout.data(),
            log: layout.log.clone(),
            settings: settings(config.profile, &socket),
            account,
            patience: config.start_timeout,
        })?;
        let cluster = Self { keeper, connection: ConnectionInfo::new(socket), layout, _lock: lock };
        init::ensure_database(&cluster.connection)?;
        tracing::info!(pid = cluster.keeper.pid(), data = %cluster.layout.data().display(), "database server is ready");
        Ok(cluster)
    }

    /// The log of its server.
    pub fn log(&self) -> &Path {
        &self.layout.log
    }

    /// The running cluster of another process; `None` when nobody owns one. Waits while the owner is starting it.
    pub fn attach(data_dir: &Path) -> Result<Option<ConnectionInfo>, ClusterError> {
        const PATIENCE: Duration = Duration::from_secs(60);
        if !data_dir.is_dir() {
            return Ok(None);
        }
        let since = Instant::now();
        loop {
            let layout = Layout::of(data_dir)?;
            if lock::live_owner(&layout.lock)?.is_none() {
                return Ok(None);
            }
            if let Some(file) = PidFile::read(&layout.data())?
                && file.ready
                && postmaster::is_postmaster_of(file.pid, &layout.data())
            {
                return Ok(Some(ConnectionInfo::new(file.socket_directory)));
            }
            if since.elapsed() > PATIENCE {
                return Err(ClusterError::NotReady { seconds: PATIENCE.as_secs(), log: layout.log });
            }
            thread::sleep(postmaster::POLL);
        }
    }

    /// Attaches to the cluster when it is running, otherwise starts it.
    pub fn open(config: &ClusterConfig) -> Result<OpenCluster, ClusterError> {
        loop {
            if let Some(connection) = Self::attach(&config.data_dir)? {
                return Ok(OpenCluster::Attached(connection));
            }
            match Self::start(config) {
                // Somebody was quicker; the next round attaches to theirs.
                Err(ClusterError::AlreadyServed { .. }) => {}
                started => return started.map(OpenCluster::Owned),
            }
        }
    }

    /// How to reach it.
    pub fn connection(&self) -> &ConnectionInfo {
        &self.connection
    }

    /// A libpq connection URI for `role` on `database`.
    pub fn url(&self, role: &str, database: &str) -> String {
        self.connection.url(role, database)
    }

    /// The server's process id; `None` while it is being started again after it died.
    pub fn postmaster_pid(&self) -> Option<u32> {
        Some(self.keeper.pid()).filter(|pid| *pid != 0)
    }

    /// Stops the server in order and says whether that worked; dropping does the same, silently.
    pub fn stop(mut self) -> Result<(), ClusterError> {
        self.keeper.stop()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        match self.keeper.stop() {
            Ok(()) => self.layout.discard_socket_directory(self.connection.socket_directory()),
            Err(error) => tracing::error!(%error, "stopping the database server"),
        }
    }
}

/// A cluster that is ours to stop, or somebody else's.
#[derive(Debug)]
pub enum OpenCluster {
    /// Started by us; dropping it stops it.
    Owned(Cluster),
    /// Owned by another live process.
    Attached(ConnectionInfo),
}

impl OpenCluster {
    /// How to reach it.
    pub fn connection(&self) -> &ConnectionInfo {
        match self {
            Self::Owned(cluster) => cluster.connection(),
            Self::Attached(connection) => connection,
        }
    }

    /// A libpq connection URI for `role` on `database`.
    pub fn url(&self, role: &str, database: &str) -> String {
        self.connection().url(role, database)
    }
}

/// Given on the command line, so that they follow the binary and not the age of the data.
fn settings(profile: Profile, socket: &Path) -> Vec<String> {
    let quoted = socket.to_string_lossy().replace('"', "\"\"");
    let mut settings = vec![format!("unix_socket_directories=\"{quoted}\""), format!("port={}", connection::PORT)];
    let common = [
        "listen_addresses=",
        "unix_socket_permissions=0700",
        "jit=off",
        "TimeZone=UTC",
        "log_timezone=UTC",
        "logging_collector=off",
        "log_destination=stderr",
        // Details name the values of rows, and so people and accounts.
        "log_error_verbosity=terse",
        "log_parameter_max_length_on_error=0",
        "max_wal_size=2GB",
        "min_wal_size=160MB",
    ];
    let own: &[&str] = match profile {
        Profile::Durable => &[
            "fsync=on",
            "synchronous_commit=on",
            "full_page_writes=on",
            "shared_buffers=256MB",
            "max_connections=60",
            "checkpoint_timeout=15min",
        ],
        Profile::Scratch => &[
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "shared_buffers=128MB",
            "max_connections=300",
            "autovacuum_naptime=60",
        ],
    };
    settings.extend(common.iter().chain(own).map(|setting| (*setting).to_owned()));
    settings
}
