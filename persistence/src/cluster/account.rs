//! The account that PostgreSQL runs as.
//!
//! PostgreSQL refuses root. Started as root we hand the server, and only it, to `postgres`, else `nobody`; started as
//! anybody else the server runs as ourselves.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::error::{ClusterError, io_at};

/// Who runs the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// True when the server runs as somebody else than we do.
    pub(super) lesser: bool,
}

impl Account {
    /// Ourselves, or the lesser account when we are root.
    pub(super) fn choose() -> Result<Self, ClusterError> {
        let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        if uid != 0 {
            return Ok(Self { uid, gid, lesser: false });
        }
        ["postgres", "nobody"].into_iter().find_map(lookup).ok_or(ClusterError::NoLesserAccount)
    }

    /// Makes a command run as this account, with a clean environment and in a directory that it may enter.
    pub(super) fn apply(&self, command: &mut Command) {
        command.env_clear().env("LC_ALL", "C").current_dir("/");
        for kept in ["PATH", "LD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        if self.lesser {
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// Whether this account may pass through `directory`, by its mode bits.
    pub(super) fn may_enter(&self, directory: &Path) -> io::Result<bool> {
        let metadata = fs::metadata(directory)?;
        let needed = if metadata.uid() == self.uid {
            0o100
        } else if metadata.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        Ok(metadata.mode() & needed != 0)
    }

    /// Gives `path` and all below it to this account; does nothing when it has it already.
    pub(super) fn take_over(&self, path: &Path) -> Result<(), ClusterError> {
        let owner = fs::symlink_metadata(path).map_err(io_at("reading", path))?.uid();
        if owner == self.uid {
            return Ok(());
        }
        if !self.lesser {
            return Err(ClusterError::NotOurs { path: path.to_owned(), owner });
        }
        self.take_over_tree(path)
    }

    fn take_over_tree(&self, path: &Path) -> Result<(), ClusterError> {
        // Children first: the top changes hands last, so an interrupted walk is done again.
        if fs::symlink_metadata(path).map_err(io_at("reading", path))?.is_dir() {
            for entry in fs::read_dir(path).map_err(io_at("reading", path))? {
                self.take_over_tree(&entry.map_err(io_at("reading", path))?.path())?;
            }
        }
        lchown(path, Some(self.uid), Some(self.gid)).map_err(io_at("changing the owner of", path))
    }
}

fn lookup(name: &str) -> Option<Account> {
    let id = |flag: &str| -> Option<u32> {
        // `id` asks the same sources as login does, unlike a look into /etc/passwd.
        let output = Command::new("id").args([flag, name]).output().ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    let (uid, gid) = (id("-u")?, id("-g")?);
    (uid != 0).then_some(Account { uid, gid, lesser: true })
}
