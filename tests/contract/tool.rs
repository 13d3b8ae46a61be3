//! Programs of other people.

use std::path::PathBuf;
use std::process::{Command, Output};

use harness::skip::{installed, skip};

/// A program of Python's, when it is installed.
pub fn python(program: &str) -> Option<Command> {
    found(installed("python/bin").join(program))
}

/// A program of Node's, when it is installed.
pub fn node(program: &str) -> Option<Command> {
    found(installed("node/node_modules/.bin").join(program))
}

fn found(program: PathBuf) -> Option<Command> {
    if program.exists() {
        return Some(Command::new(program));
    }
    skip(&format!("{} is not installed", program.file_name().unwrap_or_default().display()));
    None
}

/// What it printed; the test fails with it when the program did.
pub fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("it starts");
    let told = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{:?}: {status}\n{told}", command.get_program());
    told
}
