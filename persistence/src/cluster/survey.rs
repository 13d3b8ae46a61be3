//! Looks at what is installed and what lies in a data directory, and changes nothing there.
//!
//! For `flip360 doctor`: the same places and rules as starting a cluster, without starting one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{Access, access, statvfs};

use super::account::Account;
use super::binaries::Binaries;
use super::error::{ClusterError, io_at};
use super::layout::Layout;
use super::lock;

/// The PostgreSQL server that a cluster would run on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The directory of `postgres`.
    pub directory: PathBuf,
    /// Its version as it says it, `15.14` for one.
    pub version: String,
}

impl Server {
    /// The major version; `None` when the version does not begin with a number.
    #[must_use]
    pub fn major(&self) -> Option<u32> {
        let digits: String = self.version.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    }
}

/// Finds the installed server.
///
/// # Errors
/// When there is none, or it does not run.
pub fn server() -> Result<Server, ClusterError> {
    let binaries = Binaries::find(None)?;
    let program = binaries.postgres();
    let output = Command::new(&program).arg("--version").output().map_err(io_at("starting", &program))?;
    let directory = program.parent().unwrap_or(Path::new("/")).to_owned();
    Ok(Server { directory, version: version_of(&String::from_utf8_lossy(&output.stdout)) })
}

/// "postgres (PostgreSQL) 15.14 (Debian …)" → "15.14".
fn version_of(said: &str) -> String {
    said.split_whitespace().nth(2).unwrap_or_default().to_owned()
}

/// Checks that there is an account which the server may run as.
///
/// # Errors
/// As root without a lesser account.
pub fn account() -> Result<(), ClusterError> {
    Account::choose().map(drop)
}

/// The major version that wrote the data of a data directory; `None` when there is no data yet.
///
/// # Errors
/// When the directory cannot be read.
pub fn written_by(data_dir: &Path) -> Result<Option<String>, ClusterError> {
    let path = Layout::of(data_dir)?.data().join("PG_VERSION");
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(fs::read_to_string(&path).map_err(io_at("reading", &path))?.trim().to_owned()))
}

/// The process that runs the cluster of a data directory; `None` when nobody does.
///
/// # Errors
/// When the lock cannot be read.
pub fn owner(data_dir: &Path) -> Result<Option<u32>, ClusterError> {
    lock::live_owner(&Layout::of(data_dir)?.lock)
}

/// Whether this account may make files in a directory.
#[must_use]
pub fn may_write(directory: &Path) -> bool {
    access(directory, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// Bytes that are free for us on the file system of a path.
///
/// # Errors
/// When the path cannot be reached.
pub fn free_bytes(path: &Path) -> Result<u64, ClusterError> {
    let found = statvfs(path).map_err(|errno| io_at("measuring", path)(errno.into()))?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_what_the_server_says() {
        let server = |said: &str| Server { directory: PathBuf::from("/x"), version: version_of(said) };
        let debian = server("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n");
        assert_eq!((debian.version.as_str(), debian.major()), ("15.14", Some(15)));
        assert_eq!(server("postgres (PostgreSQL) 18beta1\n").major(), Some(18));
        assert_eq!(server("").major(), None);
    }

    #[test]
    fn the_temporary_directory_has_room_and_may_be_written() {
        let place = std::env::temp_dir();
        assert!(may_write(&place));
        assert!(free_bytes(&place).unwrap() > 0);
        assert!(free_bytes(Path::new("/no/such/place")).is_err());
    }
}
