//! One owner per data directory: an flock on `cluster.lock`, which also holds the owner's process id.
//!
//! The kernel drops the lock when the owner dies, however it dies; the file is never removed.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use super::error::{ClusterError, io_at};

/// How long a contender waits: those that only look hold the lock for microseconds.
const PATIENCE: Duration = Duration::from_millis(150);

/// Held for as long as this process owns the cluster.
#[derive(Debug)]
pub(super) struct OwnerLock {
    _file: File,
}

impl OwnerLock {
    /// Takes the lock or says who holds it.
    pub(super) fn take(path: &Path) -> Result<Self, ClusterError> {
        let mut file = open(path)?;
        let since = Instant::now();
        while !try_lock(&file, FlockOperation::NonBlockingLockExclusive).map_err(io_at("locking", path))? {
            if since.elapsed() > PATIENCE {
                return Err(ClusterError::AlreadyServed { pid: holder(&mut file) });
            }
            thread::sleep(Duration::from_millis(5));
        }
        let written =
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(io_at("writing", path))?;
        Ok(Self { _file: file })
    }
}

/// The process id of a live owner, if there is one.
pub(super) fn live_owner(path: &Path) -> Result<Option<u32>, ClusterError> {
    if !path.exists() {
        return Ok(None);
    }
    let mut file = open(path)?;
    let free = try_lock(&file, FlockOperation::NonBlockingLockShared).map_err(io_at("locking", path))?;
    Ok(if free { None } else { Some(holder(&mut file)) })
}

fn open(path: &Path) -> Result<File, ClusterError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(io_at("opening", path))
}

fn try_lock(file: &File, operation: FlockOperation) -> io::Result<bool> {
    match flock(file, operation) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(errno) => Err(errno.into()),
    }
}

fn holder(file: &mut File) -> u32 {
    let mut text = String::new();
    match file.rewind().and_then(|()| file.read_to_string(&mut text)) {
        Ok(_) => text.trim().parse().unwrap_or(0),
        Err(_) => 0,
    }
}
