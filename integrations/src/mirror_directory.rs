//! A mirror of the log in a directory: `checkpoint` and `tile/…`, as any static file server shows them.
//!
//! Each file is there whole or not at all. Tiles are forced to disk together, before the checkpoint that promises them.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use domain::chain::mirror::{CHECKPOINT, LogFiles, Mirror};
use domain::chain::signer::PortError;
use domain::chain::tile::Tile;

use crate::durable;

const MODE: u32 = 0o644;

/// A directory with the files of a log.
#[derive(Debug)]
pub struct MirrorDirectory {
    root: PathBuf,
    /// Written, and not forced to disk yet.
    unsettled: Mutex<BTreeSet<PathBuf>>,
}

impl MirrorDirectory {
    /// The mirror in `root`.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), unsettled: Mutex::default() }
    }

    /// Where a file of the log lies; only paths of the log lead into the directory.
    fn place(&self, path: &str) -> Option<PathBuf> {
        (path == CHECKPOINT || Tile::parse(path).is_ok()).then(|| self.root.join(path))
    }

    fn write_tile(&self, place: &Path, bytes: &[u8]) -> io::Result<()> {
        durable::place(place, bytes, MODE)?;
        self.unsettled.lock().unwrap_or_else(PoisonError::into_inner).insert(place.to_owned());
        Ok(())
    }
}

impl Mirror for MirrorDirectory {
    fn holds(&self, path: &str) -> Result<bool, PortError> {
        let Some(place) = self.place(path) else { return Ok(false) };
        place.try_exists().map_err(|error| failed(&place, &error))
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), PortError> {
        let place = self.place(path).ok_or_else(|| PortError(format!("{path} is not a file of a log")))?;
        let made = place.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written = made.and_then(|()| match path {
            CHECKPOINT => durable::replace(&place, bytes, MODE),
            _ => self.write_tile(&place, bytes),
        });
        written.map_err(|error| failed(&place, &error))
    }

    fn settle(&self) -> Result<(), PortError> {
        let files = std::mem::take(&mut *self.unsettled.lock().unwrap_or_else(PoisonError::into_inner));
        // Every directory from the file up to the mirror's own: each may be new, and is named by the one above it.
        let above = |file: &'_ PathBuf| {
            file.ancestors()
                .skip(1)
                .take_while(|path| path.starts_with(&self.root))
                .map(Path::to_owned)
                .collect::<Vec<_>>()
        };
        let directories: BTreeSet<PathBuf> = files.iter().flat_map(above).collect();
        durable::settle(files.iter().map(PathBuf::as_path), directories.iter().map(PathBuf::as_path))
            .map_err(|error| failed(&self.root, &error))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::scratch;

    #[test]
    fn only_files_of_a_log_are_written_whole_and_nothing_is_left_beside_them() {
        let root = scratch("mirror").join("log");
        let mirror = MirrorDirectory::new(&root);
        for path in ["tile/0/000", "tile/0/x001/234", "tile/entries/000.p/7", "checkpoint", "checkpoint"] {
            mirror.write(path, path.as_bytes()).expect("written");
            assert_eq!(mirror.holds(path), Ok(true));
            assert_eq!(mirror.read(path), Ok(Some(path.as_bytes().to_vec())));
        }
        mirror.settle().expect("durable");
        mirror.settle().expect("once more");
        assert_eq!(std::fs::read_dir(root.join("tile/0")).expect("a directory").count(), 2);
        for path in ["../x", "tile/0/0", "note", "tile/0/001.tmp", ""] {
            assert!(mirror.write(path, b"x").is_err(), "{path}");
            assert_eq!((mirror.holds(path), mirror.read(path)), (Ok(false), Ok(None)));
        }
    }
}
