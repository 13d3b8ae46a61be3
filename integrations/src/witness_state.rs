//! What a witness remembers: of each log the checkpoint that it cosigned last, in a file.
//!
//! Invariants: what is agreed to is on disk before the caller hears of it (temporary file, fsync, rename, fsync of the
//! directory); looking at what is known, judging and keeping are one step, whoever else asks meanwhile; one process has the
//! directory. A file that is there and does not read stops the start: it is never taken for an empty one.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use domain::chain::checkpoint::TreeHead;
use domain::kernel::{Digest, jcs};
use serde::{Deserialize, Serialize};

use crate::durable;
use crate::turn::Turn;

/// Held by the process that has the directory.
const LOCK: &str = "witness.lock";

/// Why there is no state.
#[derive(Debug, thiserror::Error)]
pub enum WitnessStateError {
    /// A file or the directory.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file does not read.
    #[error("{}: this is not what a witness keeps; put it back from your backup, or begin with another key and another directory", .0.display())]
    Damaged(PathBuf),
    /// Another process has it.
    #[error("{}: another witness works here", .0.display())]
    Taken(PathBuf),
}

/// Why nothing new is remembered.
#[derive(Debug)]
pub enum Undecided<E> {
    /// The judgement.
    Judged(E),
    /// It could not be made durable: nothing may be cosigned.
    Kept(io::Error),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remembered {
    origin: String,
    root: Digest,
    size: u64,
}

/// The memory of one witness.
#[derive(Debug)]
pub struct WitnessState {
    directory: PathBuf,
    latest: Mutex<HashMap<String, TreeHead>>,
    _turn: Turn,
}

fn file_name(origin: &str) -> String {
    format!("{}.json", Digest::of(origin.as_bytes()))
}

impl WitnessState {
    /// Reads what is remembered; the directory is made when there is none.
    ///
    /// # Errors
    /// See [`WitnessStateError`].
    pub fn open(directory: &Path) -> Result<Self, WitnessStateError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |error| WitnessStateError::File { path, error }
        };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed(directory))?;
        let lock = directory.join(LOCK);
        let mut turn = Turn::new(lock.clone());
        if !turn.take().map_err(failed(&lock))? {
            return Err(WitnessStateError::Taken(directory.to_owned()));
        }
        let mut latest = HashMap::new();
        for entry in std::fs::read_dir(directory).map_err(failed(directory))? {
            let path = entry.map_err(failed(directory))?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let bytes = std::fs::read(&path).map_err(failed(&path))?;
            // What a process that was killed had renamed and not made durable yet is what is answered by from here on.
            std::fs::File::open(&path).and_then(|file| file.sync_all()).map_err(failed(&path))?;
            let read = serde_json::from_slice::<Remembered>(&bytes).ok();
            let read = read.filter(|read| path.file_name().is_some_and(|name| *name == *file_name(&read.origin)));
            let Remembered { origin, root, size } = read.ok_or_else(|| WitnessStateError::Damaged(path.clone()))?;
            latest.insert(origin, TreeHead { root, size });
        }
        std::fs::File::open(directory).and_then(|folder| folder.sync_all()).map_err(failed(directory))?;
        Ok(Self { directory: directory.to_owned(), latest: Mutex::new(latest), _turn: turn })
    }

    /// Judges a checkpoint of a log by what was cosigned last, and remembers it when that agrees.
    ///
    /// # Errors
    /// The judgement's; or that it could not be kept, and then nothing has changed that anybody heard of.
    pub fn decide<T, E>(
        &self,
        origin: &str,
        judge: impl FnOnce(Option<&TreeHead>) -> Result<(TreeHead, T), E>,
    ) -> Result<T, Undecided<E>> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let known = latest.get(origin);
        let (head, agreed) = judge(known).map_err(Undecided::Judged)?;
        if known != Some(&head) {
            let remembered = Remembered { origin: origin.to_owned(), root: head.root, size: head.size };
            let bytes = jcs::to_bytes(&remembered).map_err(|error| Undecided::Kept(io::Error::other(error)))?;
            durable::replace(&self.directory.join(file_name(origin)), &bytes, 0o600).map_err(Undecided::Kept)?;
            latest.insert(origin.to_owned(), head);
        }
        Ok(agreed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::scratch;

    fn head(size: u64) -> TreeHead {
        TreeHead { size, root: Digest::of(&size.to_be_bytes()) }
    }

    fn known(state: &WitnessState, origin: &str) -> Option<TreeHead> {
        match state.decide(origin, |latest| Err::<(TreeHead, ()), _>(latest.copied())) {
            Err(Undecided::Judged(latest)) => latest,
            _ => panic!("nothing was agreed to"),
        }
    }

    #[test]
    fn what_was_agreed_to_is_remembered_and_what_was_not_is_not() {
        let directory = scratch("witness-state");
        let state = WitnessState::open(&directory).unwrap();
        assert_eq!(known(&state, "a/log"), None);
        state.decide("a/log", |_| Ok::<_, ()>((head(3), ()))).unwrap();
        state.decide("b/log", |_| Ok::<_, ()>((head(9), ()))).unwrap();
        assert!(matches!(state.decide("a/log", |_| Err::<(TreeHead, ()), _>("no")), Err(Undecided::Judged("no"))));
        assert!(matches!(WitnessState::open(&directory), Err(WitnessStateError::Taken(_))));
        drop(state);
        let state = WitnessState::open(&directory).unwrap();
        assert_eq!((known(&state, "a/log"), known(&state, "b/log")), (Some(head(3)), Some(head(9))));
    }

    #[test]
    fn what_cannot_be_kept_is_not_agreed_to() {
        let directory = scratch("witness-lost");
        let state = WitnessState::open(&directory).unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(matches!(state.decide("a/log", |_| Ok::<_, ()>((head(3), ()))), Err(Undecided::Kept(_))));
        assert_eq!(known(&state, "a/log"), None);
    }

    #[test]
    fn a_damaged_file_stops_the_start() {
        let directory = scratch("witness-damaged");
        let state = WitnessState::open(&directory).unwrap();
        state.decide("a/log", |_| Ok::<_, ()>((head(3), ()))).unwrap();
        drop(state);
        let path = directory.join(file_name("a/log"));
        let good = std::fs::read_to_string(&path).unwrap();
        for bad in [String::new(), "{}".to_owned(), good.replace("a/log", "b/log"), good[..good.len() - 1].to_owned()] {
            std::fs::write(&path, bad).unwrap();
            assert!(matches!(WitnessState::open(&directory), Err(WitnessStateError::Damaged(_))));
        }
        std::fs::write(&path, good).unwrap();
        assert_eq!(known(&WitnessState::open(&directory).unwrap(), "a/log"), Some(head(3)));
    }
}
