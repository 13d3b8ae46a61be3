//! What `postmaster.pid` says, and how to end a postmaster that we did not start.
//!
//! Lines of the file: 1 process id, 2 data directory, 3 start, 4 port, 5 socket directory, 6 address, 7 shared memory,
//! 8 status (`starting`, `ready`, `stopping`). Source: PostgreSQL's `src/include/utils/pidfile.h`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::error::{ClusterError, io_at};

/// How long each signal is given: smart enough to write a checkpoint, then at once, then by force.
pub(super) const STOP_STEPS: [(Signal, Duration); 3] = [
    (Signal::INT, Duration::from_secs(30)),
    (Signal::QUIT, Duration::from_secs(5)),
    (Signal::KILL, Duration::from_secs(5)),
];
/// How often a bounded wait looks again.
pub(super) const POLL: Duration = Duration::from_millis(4);

/// The parts of `postmaster.pid` that we use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PidFile {
    pub(super) pid: u32,
    pub(super) socket_directory: PathBuf,
    pub(super) ready: bool,
}

impl PidFile {
    /// Reads it; `None` when there is none, or not enough of it yet.
    pub(super) fn read(data: &Path) -> Result<Option<Self>, ClusterError> {
        let path = data.join("postmaster.pid");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_at("reading", &path)(error)),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().collect();
        let pid = lines.first()?.trim().parse().ok()?;
        Some(Self {
            pid,
            socket_directory: PathBuf::from(lines.get(4).copied().unwrap_or_default()),
            ready: lines.get(7).is_some_and(|status| status.trim() == "ready"),
        })
    }
}

/// Stops the postmaster that an owner left behind when it died, and clears away a pid file that names a stranger.
pub(super) fn stop_orphan(data: &Path) -> Result<(), ClusterError> {
    let Some(PidFile { pid, .. }) = PidFile::read(data)? else { return Ok(()) };
    let Some(process) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Ok(()) };
    if !is_alive(process) {
        // The server itself clears the file of a dead process.
        return Ok(());
    }
    if !is_postmaster_of(pid, data) {
        // The id was given to somebody else; the server would take that one for a postmaster and refuse to start.
        let path = data.join("postmaster.pid");
        return fs::remove_file(&path).map_err(io_at("removing", &path));
    }
    tracing::warn!(pid, "stopping the database server that an earlier process left behind");
    for (signal, patience) in STOP_STEPS {
        match kill_process(process, signal) {
            Ok(()) => {}
            Err(rustix::io::Errno::SRCH) => return Ok(()),
            Err(errno) => return Err(io_at("stopping the server of", data)(errno.into())),
        }
        let since = Instant::now();
        while since.elapsed() < patience {
            if !is_postmaster_of(pid, data) {
                return Ok(());
            }
            thread::sleep(POLL);
        }
    }
    Err(ClusterError::NotStopped { pid })
}

/// Whether the process exists, whoever owns it.
fn is_alive(process: Pid) -> bool {
    !matches!(test_kill_process(process), Err(rustix::io::Errno::SRCH))
}

/// Whether `pid` is a live `postgres -D data` and not a stranger with a reused id. A zombie has no command line.
pub(super) fn is_postmaster_of(pid: u32, data: &Path) -> bool {
    let Some(data) = data.to_str() else { return false };
    let arguments: Vec<String> = match fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(line) => line.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned()).collect(),
        Err(_) if Path::new("/proc/self/cmdline").exists() => return false,
        // No /proc (macOS): what `ps` shows, in which the arguments are no longer apart.
        Err(_) => {
            let shown = Command::new("ps").args(["-o", "args=", "-p", &pid.to_string()]).output();
            let line = shown.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
            return line.contains("postgres") && line.contains(&format!("-D {data} "));
        }
    };
    let program = arguments.first().and_then(|first| Path::new(first).file_name());
    program.is_some_and(|name| name == "postgres")
        && arguments.windows(2).any(|pair| pair[0] == "-D" && pair[1] == data)
}

#[cfg(test)]
mod tests {
    use super::*;

    const READY: &str = "4711\n/d/cluster/data\n1700000000\n5432\n/d/cluster/socket\n\n  5432001   3\nready   \n";

    #[test]
    fn reads_what_the_server_writes() {
        let expected = PidFile { pid: 4711, socket_directory: PathBuf::from("/d/cluster/socket"), ready: true };
        assert_eq!(PidFile::parse(READY), Some(expected));
    }

    #[test]
    fn is_not_ready_before_the_eighth_line_says_so() {
        for text in ["4711\n/d\n1\n5432\n/s\n\n", &READY.replace("ready", "starting")] {
            assert!(!PidFile::parse(text).unwrap().ready, "{text}");
        }
        assert_eq!(PidFile::parse(""), None);
        assert_eq!(PidFile::parse("-x"), None);
    }

    #[test]
    fn this_process_is_no_postmaster() {
        assert!(!is_postmaster_of(std::process::id(), Path::new("/")));
    }
}
