//! The rollback guard's memory: a file outside of the database.
//!
//! Holds the size and root of the largest tree that was ever signed, as canonical JSON. A file that is
//! there and does not read stops all signing: it is never taken for an empty one. One process keeps
//! it; within the process a lock orders the writers.

use std::io;
use std::path::PathBuf;
use std::sync::Mutex;

use domain::chain::checkpoint::TreeHead;
use domain::chain::signer::{HighWater, PortError};

use crate::durable;

/// The mark in a file.
#[derive(Debug)]
pub struct HighWaterFile {
    path: PathBuf,
    writing: Mutex<()>,
}

impl HighWaterFile {
    /// The mark kept at `path`; nothing is read yet.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path, writing: Mutex::new(()) }
    }

    fn failed(&self, what: impl std::fmt::Display) -> PortError {
        PortError(format!("high-water mark {}: {what}", self.path.display()))
    }
}

impl HighWater for HighWaterFile {
    fn read(&self) -> Result<Option<TreeHead>, PortError> {
        match std::fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| self.failed(error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    fn advance(&self, head: &TreeHead) -> Result<(), PortError> {
        let _one_at_a_time = self.writing.lock().map_err(|_| self.failed("a writer panicked"))?;
        if let Some(signed) = self.read()? {
            if signed == *head {
                return Ok(());
            }
            if head.size <= signed.size {
                return Err(self.failed(format!("refuses to go from {} leaves to {}", signed.size, head.size)));
            }
        }
        let bytes = domain::kernel::jcs::to_bytes(head).map_err(|error| self.failed(error))?;
        durable::replace(&self.path, &bytes, 0o600).map_err(|error| self.failed(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::scratch;
    use domain::kernel::Digest;

    fn head(size: u64, root: &[u8]) -> TreeHead {
        TreeHead { size, root: Digest::of(root) }
    }

    #[test]
    fn it_only_rises() {
        let path = scratch("mark").join("high-water.json");
        let mark = HighWaterFile::new(path.clone());
        assert_eq!(mark.read(), Ok(None));
        assert_eq!(mark.advance(&head(3, b"a")), Ok(()));
        assert_eq!(mark.advance(&head(3, b"a")), Ok(()));
        for lower in [head(3, b"b"), head(2, b"a"), head(0, b"")] {
            assert!(mark.advance(&lower).is_err());
        }
        assert_eq!(mark.advance(&head(4, b"c")), Ok(()));
        assert_eq!(HighWaterFile::new(path).read(), Ok(Some(head(4, b"c"))));
    }

    #[test]
    fn a_damaged_mark_stops_signing() {
        let path = scratch("damaged").join("high-water.json");
        for damaged in ["", "{}", "{\"root\":\"AA==\",\"size\":3}", "3"] {
            std::fs::write(&path, damaged).expect("written");
            let mark = HighWaterFile::new(path.clone());
            assert!(mark.read().is_err(), "{damaged}");
            assert!(mark.advance(&head(9, b"z")).is_err(), "{damaged}");
            assert_eq!(std::fs::read_to_string(&path).expect("the file"), damaged);
        }
    }
}
