//! The thread that starts the server, keeps it and stops it.
//!
//! The kernel ties the parent-death signal to the *thread* that spawned the child, so the server is spawned by a thread
//! that lives as long as it does, and dies only with the process. A server that dies by itself is started again.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, kill_process};

use super::account::Account;
use super::error::{ClusterError, io_at};
use super::postmaster::{POLL, PidFile, STOP_STEPS};

/// How often the keeper looks whether its server is still there.
const WATCH: Duration = Duration::from_millis(200);
/// Backends of a killed postmaster need a moment to notice; the next one refuses to start until they are gone.
const LEFTOVER_PATIENCE: Duration = Duration::from_secs(10);
/// Beyond this size the log of the last run is set aside at the next start.
const LOG_MAX_BYTES: u64 = 10 * 1024 * 1024;

/// Everything it takes to start the server once.
#[derive(Debug, Clone)]
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) data: PathBuf,
    pub(super) log: PathBuf,
    pub(super) settings: Vec<String>,
    pub(super) account: Account,
    pub(super) patience: Duration,
}

/// A running server.
#[derive(Debug)]
pub(super) struct Keeper {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<Result<(), ClusterError>>>,
    pid: Arc<AtomicU32>,
}

impl Keeper {
    /// Starts the server and waits until it is ready.
    pub(super) fn start(launch: Launch) -> Result<Self, ClusterError> {
        let (stop, stopped) = mpsc::channel();
        let (report, ready) = mpsc::channel();
        let pid = Arc::new(AtomicU32::new(0));
        let log = launch.log.clone();
        let shared = Arc::clone(&pid);
        let thread = thread::Builder::new()
            .name("postgres-keeper".to_owned())
            .spawn(move || keep(&launch, &shared, &report, &stopped))
            .map_err(io_at("starting the keeper of", &log))?;
        ready.recv().unwrap_or(Err(ClusterError::KeeperLost))?;
        Ok(Self { stop: Some(stop), thread: Some(thread), pid })
    }

    /// The server's process id; 0 while it is being started again.
    pub(super) fn pid(&self) -> u32 {
        self.pid.load(Ordering::Acquire)
    }

    /// Stops the server and waits for its end; does nothing the second time.
    pub(super) fn stop(&mut self) -> Result<(), ClusterError> {
        drop(self.stop.take());
        match self.thread.take() {
            Some(thread) => thread.join().unwrap_or(Err(ClusterError::KeeperLost)),
            None => Ok(()),
        }
    }
}

type Report = Sender<Result<(), ClusterError>>;

fn keep(launch: &Launch, pid: &AtomicU32, report: &Report, stopped: &Receiver<()>) -> Result<(), ClusterError> {
    let mut child = match launch.until_ready() {
        Ok(child) => child,
        Err(error) => {
            // The receiver is waiting in `start`.
            let _ = report.send(Err(error));
            return Ok(());
        }
    };
    pid.store(child.id(), Ordering::Release);
    let _ = report.send(Ok(()));
    while stopped.recv_timeout(WATCH) == Err(RecvTimeoutError::Timeout) {
        if let Ok(Some(status)) = child.try_wait() {
            pid.store(0, Ordering::Release);
            tracing::error!(%status, log = %launch.log.display(), "the database server died; starting it again");
            match launch.until_ready() {
                Ok(next) => {
                    pid.store(next.id(), Ordering::Release);
                    child = next;
                }
                Err(error) => tracing::error!(%error, "the database server did not come back; trying again"),
            }
        }
    }
    pid.store(0, Ordering::Release);
    end(&mut child)
}

impl Launch {
    /// Starts the server until it is ready, again and again while leftovers of a killed one are still ending.
    fn until_ready(&self) -> Result<Child, ClusterError> {
        let since = Instant::now();
        loop {
            let said_before = fs::metadata(&self.log).map_or(0, |metadata| metadata.len());
            let mut child = self.spawn()?;
            let failure = match self.wait(&mut child) {
                Ok(()) => return Ok(child),
                Err(failure) => failure,
            };
            end(&mut child)?;
            // A postmaster that was killed may not be reaped yet: to the next one its lock files look alive.
            let said = said_since(&self.log, said_before);
            let leftovers = matches!(&failure, ClusterError::StartFailed { .. })
                && (said.contains("pre-existing shared memory block") || said.contains("already exists"));
            if !leftovers || since.elapsed() > LEFTOVER_PATIENCE {
                return Err(failure);
            }
            thread::sleep(POLL * 5);
        }
    }

    #[cfg_attr(
        any(target_os = "linux", target_os = "android"),
        expect(unsafe_code, reason = "only a hook between fork and exec can set the parent-death signal")
    )]
    fn spawn(&self) -> Result<Child, ClusterError> {
        let log = self.open_log()?;
        let mut command = Command::new(&self.program);
        command.arg("-D").arg(&self.data);
        for setting in &self.settings {
            command.arg("-c").arg(setting);
        }
        self.account.apply(&mut command);
        // Its own process group: Ctrl-C at the terminal is for us, and we then stop the server in order.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            use rustix::process::{Signal, getppid, set_parent_process_death_signal};
            let parent = Pid::from_raw(i32::try_from(std::process::id()).unwrap_or(0));
            let hook = move || {
                // Runs after the change of user, which would clear the signal. A fast shutdown, as on SIGTERM of ours.
                set_parent_process_death_signal(Some(Signal::INT))?;
                if getppid() == parent { Ok(()) } else { Err(rustix::io::Errno::SRCH.into()) }
            };
            // SAFETY: the hook makes two system calls and touches neither memory nor locks of the parent.
            unsafe { command.pre_exec(hook) };
        }
        command.spawn().map_err(io_at("starting", &self.program))
    }

    fn wait(&self, child: &mut Child) -> Result<(), ClusterError> {
        let since = Instant::now();
        while since.elapsed() < self.patience {
            let file = PidFile::read(&self.data)?;
            if file.is_some_and(|file| file.ready && file.pid == child.id()) {
                return Ok(());
            }
            if child.try_wait().map_err(io_at("waiting for", &self.program))?.is_some() {
                return Err(ClusterError::StartFailed { log: self.log.clone(), tail: last_lines(&self.log) });
            }
            thread::sleep(POLL);
        }
        Err(ClusterError::NotReady { seconds: self.patience.as_secs(), log: self.log.clone() })
    }

    fn open_log(&self) -> Result<File, ClusterError> {
        if fs::metadata(&self.log).is_ok_and(|metadata| metadata.len() > LOG_MAX_BYTES) {
            fs::rename(&self.log, self.log.with_extension("log.1")).map_err(io_at("setting aside", &self.log))?;
        }
        OpenOptions::new().create(true).append(true).mode(0o600).open(&self.log).map_err(io_at("opening", &self.log))
    }
}

/// Stops a child of ours: fast, then immediate, then by force; reaps it.
fn end(child: &mut Child) -> Result<(), ClusterError> {
    let pid = child.id();
    let Some(process) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return Err(ClusterError::NotStopped { pid });
    };
    for (signal, patience) in STOP_STEPS {
        if matches!(child.try_wait(), Ok(Some(_))) {
            return Ok(());
        }
        // Not reaped yet, so the id is still its own; ESRCH shows in the next look.
        let _ = kill_process(process, signal);
        let since = Instant::now();
        while since.elapsed() < patience {
            if matches!(child.try_wait(), Ok(Some(_))) {
                return Ok(());
            }
            thread::sleep(POLL);
        }
    }
    Err(ClusterError::NotStopped { pid })
}

fn said_since(log: &std::path::Path, offset: u64) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    let from = usize::try_from(offset).unwrap_or(0).min(bytes.len());
    String::from_utf8_lossy(&bytes[from..]).into_owned()
}

fn last_lines(log: &std::path::Path) -> String {
    let text = said_since(log, 0);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
