//! What a test could not do because a program of somebody else is not here: said aloud, past the capture of
//! the test runner, and counted by `make test`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The workspace's directory.
#[must_use]
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests stand in a workspace")
}

/// Where programs of other people are installed, by `scripts/setup.sh --test`.
#[must_use]
pub fn installed(path: &str) -> PathBuf {
    workspace().join("target/contract").join(path)
}

/// Says what is not tested, and how to have it tested.
pub fn skip(what: &str) {
    let line = format!("SKIPPED: {what} (scripts/setup.sh --test)\n");
    // Neither a closed output nor a full disk is what this test is about.
    let _ = std::io::stderr().write_all(line.as_bytes());
    let file = std::fs::OpenOptions::new().create(true).append(true).open(workspace().join("target/skipped.txt"));
    let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
}
