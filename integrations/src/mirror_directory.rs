//! A mirror of the log in a directory: `checkpoint` and `tile/…`, as any static file server shows them.

use std::io;
use std::path::{Path, PathBuf};

use domain::chain::mirror::{CHECKPOINT, LogFiles};
use domain::chain::signer::PortError;
use domain::chain::tile::Tile;

use crate::durable;

/// A directory with the files of a log.
#[derive(Debug, Clone)]
pub struct MirrorDirectory {
    root: PathBuf,
}

impl MirrorDirectory {
    /// The mirror in `root`.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where a file of the log lies; only paths of the log lead into the directory.
    fn place(&self, path: &str) -> Option<PathBuf> {
        (path == CHECKPOINT || Tile::parse(path).is_ok()).then(|| self.root.join(path))
    }

    /// Writes a file of the log, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<(), PortError> {
        let place = self.place(path).ok_or_else(|| PortError(format!("{path} is not a file of a log")))?;
        let written = place.parent().map_or(Ok(()), std::fs::create_dir_all);
        written.and_then(|()| store(&place, path == CHECKPOINT, bytes)).map_err(|error| failed(&place, &error))
    }
}

/// Only the checkpoint is forced to disk: a tile that a crash took is written again by the next export.
fn store(place: &Path, durable: bool, bytes: &[u8]) -> io::Result<()> {
    if durable {
        return durable::replace(place, bytes, 0o644);
    }
    match std::fs::read(place) {
        Ok(held) if held == bytes => Ok(()),
        Ok(_) | Err(_) => std::fs::write(place, bytes),
    }
}

fn failed(place: &Path, error: &io::Error) -> PortError {
    PortError(format!("{}: {error}", place.display()))
}

impl LogFiles for MirrorDirectory {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, PortError> {
        let Some(place) = self.place(path) else { return Ok(None) };
        match std::fs::read(&place) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&place, &error)),
        }
    }
}
