//! What a witness remembers: of each log the checkpoint that it cosigned last, in a file.
//!
//! Invariants: what is agreed to is on disk before the caller hears of it (temporary file, fsync, rename, fsync of the
//! directory); looking at what is known, judging and keeping are one step, whoever else asks meanwhile; one process has the
//! directory. A file that is there and does not read stops the start: it is never taken for an empty one. Nor is a directory
//! that was lost taken for a new one: the manifest in it says of which witness it is and which logs it knows, and without
//! one nothing is begun unless the caller says that this witness never cosigned anything.

use std::collections::{BTreeSet, HashMap};
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
/// Says whose memory it is, and of which logs.
const MANIFEST: &str = "witness.manifest";

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
    /// Nothing is there, and nobody said that nothing ever was.
    #[error("{}: nothing is remembered here, so this witness may have cosigned what it does not know of any more; put the directory back from where it is, or begin with another key and another name; only when this key never cosigned anything, say so with --new-state", .0.display())]
    Lost(PathBuf),
    /// A log that was cosigned is not there any more.
    #[error("{}: what was cosigned of the log {log} is missing; put the directory back from where it is, or begin with another key and another name", path.display())]
    LogLost {
        /// The directory.
        path: PathBuf,
        /// The log.
        log: String,
    },
    /// The memory of another witness.
    #[error("{}: this is the memory of the witness {owner}; each witness has a directory of its own", path.display())]
    Another {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        owner: String,
    },
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

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// The logs of which something was cosigned.
    logs: BTreeSet<String>,
    /// The verifier key of the witness.
    witness: String,
}

/// The memory of one witness.
#[derive(Debug)]
pub struct WitnessState {
    directory: PathBuf,
    witness: String,
    latest: Mutex<HashMap<String, TreeHead>>,
    _turn: Turn,
}

fn file_name(origin: &str) -> String {
    format!("{}.json", Digest::of(origin.as_bytes()))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> WitnessStateError + use<> {
    let path = path.to_owned();
    move |error| WitnessStateError::File { path, error }
}

/// What the files of a directory say of each log.
fn remembered(directory: &Path) -> Result<HashMap<String, TreeHead>, WitnessStateError> {
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
    Ok(latest)
}

impl WitnessState {
    /// Reads what the witness with this verifier key remembers. The directory is made when there is none, and taken for
    /// that of a witness that never cosigned anything only when `new` says so.
    ///
    /// # Errors
    /// See [`WitnessStateError`].
    pub fn open(directory: &Path, witness: &str, new: bool) -> Result<Self, WitnessStateError> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed(directory))?;
        let lock = directory.join(LOCK);
        let mut turn = Turn::new(lock.clone());
        if !turn.take().map_err(failed(&lock))? {
            return Err(WitnessStateError::Taken(directory.to_owned()));
        }
        let latest = remembered(directory)?;
        let state = Self {
            directory: directory.to_owned(),
            witness: witness.to_owned(),
            latest: Mutex::default(),
            _turn: turn,
        };
        let manifest = directory.join(MANIFEST);
        let kept = match std::fs::read(&manifest) {
            Ok(bytes) => {
                let read = serde_json::from_slice::<Manifest>(&bytes).ok();
                Some(read.ok_or_else(|| WitnessStateError::Damaged(manifest.clone()))?)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(&manifest)(error)),
        };
        let path = directory.to_owned();
        match kept {
            Some(kept) if kept.witness != witness => {
                return Err(WitnessStateError::Another { path, owner: kept.witness });
            }
            Some(kept) => {
                if let Some(log) = kept.logs.into_iter().find(|log| !latest.contains_key(log)) {
                    return Err(WitnessStateError::LogLost { path, log });
                }
            }
            // One that was begun before there were manifests has its files.
            None if latest.is_empty() && !new => return Err(WitnessStateError::Lost(path)),
            None => {}
        }
        state.tell_logs(&latest).map_err(failed(&manifest))?;
        std::fs::File::open(directory).and_then(|folder| folder.sync_all()).map_err(failed(directory))?;
        *state.latest.lock().unwrap_or_else(PoisonError::into_inner) = latest;
        Ok(state)
    }

    /// Writes down which logs are known.
    fn tell_logs(&self, latest: &HashMap<String, TreeHead>) -> io::Result<()> {
        let manifest = Manifest { logs: latest.keys().cloned().collect(), witness: self.witness.clone() };
        let bytes = jcs::to_bytes(&manifest).map_err(io::Error::other)?;
        durable::replace(&self.directory.join(MANIFEST), &bytes, 0o600)
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
            let begins = known.is_none();
            durable::replace(&self.directory.join(file_name(origin)), &bytes, 0o600).map_err(Undecided::Kept)?;
            let _ = latest.insert(origin.to_owned(), head);
            if begins && let Err(error) = self.tell_logs(&latest) {
                // What is in the file is known by the next start; until then nobody hears of it.
                let _ = latest.remove(origin);
                return Err(Undecided::Kept(error));
            }
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

    fn begun(directory: &Path) -> WitnessState {
        WitnessState::open(directory, "w", true).unwrap()
    }

    fn again(directory: &Path) -> Result<WitnessState, WitnessStateError> {
        WitnessState::open(directory, "w", false)
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
        let state = begun(&directory);
        assert_eq!(known(&state, "a/log"), None);
        state.decide("a/log", |_| Ok::<_, ()>((head(3), ()))).unwrap();
        state.decide("b/log", |_| Ok::<_, ()>((head(9), ()))).unwrap();
        assert!(matches!(state.decide("a/log", |_| Err::<(TreeHead, ()), _>("no")), Err(Undecided::Judged("no"))));
        assert!(matches!(again(&directory), Err(WitnessStateError::Taken(_))));
        drop(state);
        let state = again(&directory).unwrap();
        assert_eq!((known(&state, "a/log"), known(&state, "b/log")), (Some(head(3)), Some(head(9))));
    }

    #[test]
    fn what_cannot_be_kept_is_not_agreed_to() {
        let directory = scratch("witness-lost");
        let state = begun(&directory);
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(matches!(state.decide("a/log", |_| Ok::<_, ()>((head(3), ()))), Err(Undecided::Kept(_))));
        assert_eq!(known(&state, "a/log"), None);
    }

    #[test]
    fn a_damaged_file_stops_the_start() {
        let directory = scratch("witness-damaged");
        let state = begun(&directory);
        state.decide("a/log", |_| Ok::<_, ()>((head(3), ()))).unwrap();
        drop(state);
        let path = directory.join(file_name("a/log"));
        let good = std::fs::read_to_string(&path).unwrap();
        for bad in [String::new(), "{}".to_owned(), good.replace("a/log", "b/log"), good[..good.len() - 1].to_owned()] {
            std::fs::write(&path, bad).unwrap();
            assert!(matches!(again(&directory), Err(WitnessStateError::Damaged(_))));
        }
        std::fs::write(&path, good).unwrap();
        assert_eq!(known(&again(&directory).unwrap(), "a/log"), Some(head(3)));
    }

    #[test]
    fn what_was_lost_is_never_taken_for_new() {
        let directory = scratch("witness-gone");
        assert!(matches!(again(&directory), Err(WitnessStateError::Lost(_))), "it does not exist");
        assert!(matches!(again(&directory), Err(WitnessStateError::Lost(_))), "the first refusal made nothing of it");
        drop(begun(&directory));
        let state = again(&directory).unwrap();
        state.decide("a/log", |_| Ok::<_, ()>((head(3), ()))).unwrap();
        state.decide("b/log", |_| Ok::<_, ()>((head(9), ()))).unwrap();
        drop(state);
        // Of another witness.
        assert!(matches!(WitnessState::open(&directory, "v", true), Err(WitnessStateError::Another { .. })));
        // One log's file is gone: whatever is said, its past is not forgotten.
        let file = directory.join(file_name("a/log"));
        let bytes = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        for new in [false, true] {
            let lost = WitnessState::open(&directory, "w", new);
            assert!(matches!(lost, Err(WitnessStateError::LogLost { ref log, .. }) if log == "a/log"), "{lost:?}");
        }
        std::fs::write(&file, bytes).unwrap();
        // A directory from before there were manifests is gone on with.
        std::fs::remove_file(directory.join(MANIFEST)).unwrap();
        assert_eq!(known(&again(&directory).unwrap(), "b/log"), Some(head(9)));
        assert!(directory.join(MANIFEST).exists());
        std::fs::write(directory.join(MANIFEST), "{}").unwrap();
        assert!(matches!(again(&directory), Err(WitnessStateError::Damaged(_))));
        // All of it is gone.
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(matches!(again(&directory), Err(WitnessStateError::Lost(_))));
    }
}
