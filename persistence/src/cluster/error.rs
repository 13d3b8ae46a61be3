//! Why a private cluster could not be started, attached to or stopped.
//!
//! Every message says what to do next, for it is read by whoever typed the command.

use std::io;
use std::path::{Path, PathBuf};

use domain::kernel::fault::Reason;

/// What went wrong with the embedded cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No PostgreSQL server binaries on this machine.
    #[error("no PostgreSQL server found (looked in {looked_in}). {install}, or set FLIP360_PG_BIN, or DATABASE_URL")]
    BinariesMissing {
        /// The places that were tried.
        looked_in: String,
        /// The command that installs them on this kind of machine.
        install: &'static str,
    },
    /// `FLIP360_PG_BIN` names a directory without `postgres` and `initdb`.
    #[error("FLIP360_PG_BIN is {0}, but there is no `postgres` and `initdb` in it")]
    BinariesNotThere(PathBuf),
    /// Another live process runs the cluster of this data directory.
    #[error("the data directory is already served by process {pid}; stop it first, or choose another --data-dir")]
    AlreadyServed {
        /// Process id of the owner; 0 when it has not written it yet.
        pid: u32,
    },
    /// Started as root, but there is no lesser account to run PostgreSQL as.
    #[error(
        "PostgreSQL refuses to run as root and there is neither an account `postgres` nor `nobody`; start as an ordinary user"
    )]
    NoLesserAccount,
    /// The cluster's files belong to an account that we cannot act for.
    #[error("{path} belongs to user id {owner}; run as that user or as root, or choose another --data-dir")]
    NotOurs {
        /// What is not ours.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// A path that cannot be given to PostgreSQL.
    #[error("{0:?} is not UTF-8 or holds a line break; choose another --data-dir")]
    PathUnusable(PathBuf),
    /// Someone else prepared the directory in which the socket was to be.
    #[error("{0} exists and is not a private directory of ours; remove it")]
    SocketDirectoryTaken(PathBuf),
    /// `initdb` failed.
    #[error("initdb failed: {0}")]
    InitFailed(String),
    /// The data in the directory was written by another major version of PostgreSQL.
    #[error(
        "the data in {path} was written by PostgreSQL {found}, but the server at hand is {server}; set FLIP360_PG_BIN to the binaries of version {found}"
    )]
    OtherVersion {
        /// The data directory of the cluster.
        path: PathBuf,
        /// The version that wrote it.
        found: String,
        /// What `postgres --version` says.
        server: String,
    },
    /// The server stopped before it was ready.
    #[error("PostgreSQL stopped while starting; the end of {log}:\n{tail}")]
    StartFailed {
        /// The log file.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// The server was not ready in time.
    #[error("PostgreSQL was not ready after {seconds} s; see {log}")]
    NotReady {
        /// How long was waited, in seconds.
        seconds: u64,
        /// The log file.
        log: PathBuf,
    },
    /// The server outlived every signal.
    #[error("PostgreSQL (process {pid}) could not be stopped")]
    NotStopped {
        /// Its process id.
        pid: u32,
    },
    /// The thread that keeps the server ended by itself.
    #[error("the keeper of PostgreSQL ended early")]
    KeeperLost,
    /// The database of the service could not be made.
    #[error("the database could not be created: {0}")]
    Database(String),
    /// A file operation or the start of a process failed.
    #[error("{what} {path}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// To which path.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl Reason for ClusterError {
    fn code(&self) -> &'static str {
        match self {
            Self::BinariesMissing { .. } | Self::BinariesNotThere(_) => "postgres_not_installed",
            Self::AlreadyServed { .. } => "data_directory_already_served",
            Self::NoLesserAccount => "no_lesser_account",
            Self::NotOurs { .. } => "data_directory_not_ours",
            Self::PathUnusable(_) => "data_directory_unusable",
            Self::SocketDirectoryTaken(_) => "socket_directory_taken",
            Self::InitFailed(_) => "cluster_init_failed",
            Self::OtherVersion { .. } => "cluster_of_other_version",
            Self::StartFailed { .. } => "cluster_start_failed",
            Self::NotReady { .. } => "cluster_not_ready",
            Self::NotStopped { .. } => "cluster_not_stopped",
            Self::KeeperLost => "cluster_keeper_lost",
            Self::Database(_) => "cluster_database_failed",
            Self::Io { .. } => "cluster_io_failed",
        }
    }
}

/// Names the operation and the path of a failed file operation.
pub(super) fn io_at<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> ClusterError + 'a {
    move |source| ClusterError::Io { what, path: path.to_owned(), source }
}
