//! Whose turn it is, among the processes of one data directory: a lock on a file.
//!
//! The rollback guard's memory is kept by one process (see [`crate::high_water`]), so one of those that share it signs
//! the log. The operating system gives the lock back when its holder dies, however that happens.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Something that one process at a time does.
#[derive(Debug)]
pub struct Turn {
    path: PathBuf,
    held: Option<File>,
}

impl Turn {
    /// The turn that the file at `path` stands for; nothing is taken yet.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path, held: None }
    }

    /// Takes the turn, if nobody else has it; `true` when it is ours, also from before. It is given back when this
    /// is dropped.
    ///
    /// # Errors
    /// When the file cannot be made or locked.
    pub fn take(&mut self) -> io::Result<bool> {
        if self.held.is_some() {
            return Ok(true);
        }
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.path)?;
        match file.try_lock() {
            Ok(()) => {
                self.held = Some(file);
                Ok(true)
            }
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// Whether some process has the turn that the file at `path` stands for; nothing is made or kept.
///
/// # Errors
/// When the file cannot be opened or looked at.
pub fn is_taken(path: &Path) -> io::Result<bool> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
        // Given back at once.
        Ok(file) => match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_until_it_is_gone() {
        let path = std::env::temp_dir().join(format!("flip360-turn-{}", std::process::id()));
        let (mut one, mut other) = (Turn::new(path.clone()), Turn::new(path.clone()));
        assert!(one.take().unwrap() && one.take().unwrap());
        assert!(!other.take().unwrap());
        assert!(is_taken(&path).unwrap());
        drop(one);
        assert!(!is_taken(&path).unwrap());
        assert!(other.take().unwrap());
        std::fs::remove_file(path).unwrap();
        assert!(!is_taken(std::path::Path::new("/nowhere/at/all")).unwrap());
        assert!(Turn::new("/nowhere/at/all".into()).take().is_err());
    }
}
