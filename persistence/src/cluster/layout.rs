//! Where the parts of a cluster lie.
//!
//! ```text
//! <data-dir>/cluster.lock    ours: who owns the cluster
//! <data-dir>/postgres.log    ours: what the server says
//! <data-dir>/cluster/        the server account's, 0700: data/, data.init/ while it is made, socket/
//! ```
//!
//! As root, `cluster` has to be reachable by the lesser account. A data directory of our own is opened to that
//! account's group for passing through (0710). Where a directory above it is closed (`/root`), `cluster` becomes a link
//! to a fresh directory under the fallback root, `/var/lib/flip360`, rather than loosening directories that are not ours.
//! A socket path has fewer than 107 bytes, so under a long data directory the socket moves to a short private directory.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use super::account::Account;
use super::error::{ClusterError, io_at};

/// `sun_path` has 108 bytes on Linux, 104 on macOS, with the closing NUL; the lock file beside the socket is longer still.
const SOCKET_PATH_MAX_BYTES: usize = 103;
const SOCKET_FILE: &str = ".s.PGSQL.5432";

/// The paths of one cluster.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) lock: PathBuf,
    pub(super) log: PathBuf,
    cluster: PathBuf,
}

impl Layout {
    /// The paths below an existing data directory; touches nothing.
    pub(super) fn of(data_directory: &Path) -> Result<Self, ClusterError> {
        let root = data_directory.canonicalize().map_err(io_at("resolving", data_directory))?;
        if root.to_str().is_none_or(|text| text.contains('\n')) {
            return Err(ClusterError::PathUnusable(root));
        }
        let cluster = root.join("cluster");
        // Follows the link to the fallback, if it is one.
        let cluster = cluster.canonicalize().unwrap_or(cluster);
        Ok(Self { lock: root.join("cluster.lock"), log: root.join("postgres.log"), cluster })
    }

    /// Makes the data directory, so that `of` can resolve it.
    pub(super) fn create_data_directory(path: &Path) -> Result<(), ClusterError> {
        if path.is_dir() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(io_at("creating", parent))?;
        }
        create_private(path).map_err(io_at("creating", path))
    }

    /// Makes the cluster's directory, owned by `account` and reachable by it. The owner's lock must be held.
    pub(super) fn prepare(&mut self, account: &Account, fallback_root: &Path) -> Result<(), ClusterError> {
        if !self.cluster.exists() {
            self.create_cluster_directory(account, fallback_root)?;
        }
        account.take_over(&self.cluster)?;
        let private = fs::Permissions::from_mode(0o700);
        fs::set_permissions(&self.cluster, private).map_err(io_at("closing", &self.cluster))
    }

    fn create_cluster_directory(&mut self, account: &Account, fallback_root: &Path) -> Result<(), ClusterError> {
        let link = self.cluster.clone();
        if account.lesser && !make_reachable(&link, account)? {
            let target = fallback_root.join(format!("cluster-{:016x}", fresh_number()?));
            fs::create_dir_all(fallback_root).map_err(io_at("creating", fallback_root))?;
            create_private(&target).map_err(io_at("creating", &target))?;
            // A link that leads nowhere is one whose cluster was removed by hand.
            if fs::symlink_metadata(&link).is_ok() {
                fs::remove_file(&link).map_err(io_at("removing", &link))?;
            }
            symlink(&target, &link).map_err(io_at("linking", &link))?;
            tracing::warn!(data = %target.display(), link = %link.display(),
                "the account of the database server cannot enter the data directory; its data is kept elsewhere");
            self.cluster = target;
            return Ok(());
        }
        create_private(&link).map_err(io_at("creating", &link))
    }

    /// PGDATA.
    pub(super) fn data(&self) -> PathBuf {
        self.cluster.join("data")
    }

    /// PGDATA while it is being made.
    pub(super) fn data_in_making(&self) -> PathBuf {
        self.cluster.join("data.init")
    }

    /// Makes the private directory of the socket.
    pub(super) fn prepare_socket_directory(&self, account: &Account) -> Result<PathBuf, ClusterError> {
        let beside = self.cluster.join("socket");
        let directory = if fits(&beside) { beside } else { self.short_socket_directory() };
        match create_private(&directory) {
            Ok(()) => {
                if account.lesser {
                    chown(&directory, Some(account.uid), Some(account.gid))
                        .map_err(io_at("changing the owner of", &directory))?;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check_private(&directory, account)?,
            Err(error) => return Err(io_at("creating", &directory)(error)),
        }
        Ok(directory)
    }

    /// Removes a short socket directory after the server is gone; the one beside the data stays.
    pub(super) fn discard_socket_directory(&self, directory: &Path) {
        if !directory.starts_with(&self.cluster) {
            // Left behind it is only an empty private directory.
            let _ = fs::remove_dir(directory);
        }
    }

    fn short_socket_directory(&self) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        self.cluster.hash(&mut hasher);
        // Those that attach read the place from postmaster.pid, so it may differ between builds.
        PathBuf::from(format!("/tmp/flip360-{:016x}", hasher.finish()))
    }
}

fn fits(directory: &Path) -> bool {
    directory.as_os_str().len() + 1 + SOCKET_FILE.len() <= SOCKET_PATH_MAX_BYTES
}

fn create_private(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)
}

/// /tmp is shared: what stands there already must be a directory, the server account's, and closed to others.
fn check_private(directory: &Path, account: &Account) -> Result<(), ClusterError> {
    let metadata = fs::symlink_metadata(directory).map_err(io_at("reading", directory))?;
    let ours = metadata.is_dir() && metadata.uid() == account.uid && metadata.mode() & 0o077 == 0;
    if ours { Ok(()) } else { Err(ClusterError::SocketDirectoryTaken(directory.to_owned())) }
}

/// Whether the account can get to `path`, after opening the directory right above it if that is what is in the way.
fn make_reachable(path: &Path, account: &Account) -> Result<bool, ClusterError> {
    for (steps, directory) in path.ancestors().skip(1).enumerate() {
        if account.may_enter(directory).map_err(io_at("reading", directory))? {
            continue;
        }
        let metadata = fs::metadata(directory).map_err(io_at("reading", directory))?;
        if steps > 0 || metadata.uid() != 0 {
            return Ok(false);
        }
        chown(directory, None, Some(account.gid)).map_err(io_at("changing the group of", directory))?;
        let mode = fs::Permissions::from_mode((metadata.mode() & 0o700) | 0o010);
        fs::set_permissions(directory, mode).map_err(io_at("opening", directory))?;
    }
    Ok(true)
}

/// Not an identity of the domain: only keeps two fallback directories apart.
fn fresh_number() -> Result<u64, ClusterError> {
    getrandom::u64().map_err(|error| ClusterError::Io {
        what: "naming a directory for",
        path: PathBuf::from("the cluster"),
        source: io::Error::other(error.to_string()),
    })
}
