//! The generated clients, and places in which programs use them.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;

use harness::skip::{installed, skip, workspace};

use crate::tool;

/// Where a program stands that uses a client.
pub struct Place {
    /// Its directory.
    pub directory: PathBuf,
}

/// Makes the client of a language, once for all tests.
fn generate(language: &str) {
    static MADE: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut made = MADE.lock().expect("no panic");
    if made.insert(language.to_owned()) {
        let _ = tool::run(Command::new("bash").current_dir(workspace()).args(["scripts/sdks.sh", language]));
    }
}

impl Place {
    /// A directory of this name with the client of a language; `None` when its tools are not here.
    fn open(language: &str, name: &str, needs: &[PathBuf]) -> Option<Self> {
        if let Some(missing) = needs.iter().find(|needed| !needed.exists()) {
            skip(&format!("{name}: {} is not installed", missing.display()));
            return None;
        }
        generate(language);
        let directory = workspace().join("target/sdks/stories").join(name);
        std::fs::create_dir_all(&directory).expect("a directory");
        Some(Self { directory })
    }

    /// For TypeScript.
    pub fn typescript(name: &str) -> Option<Self> {
        let place = Self::open("typescript", name, &[installed("node/node_modules/.bin/tsc")])?;
        place.copy("tsconfig.json", "tsconfig.json");
        place.write("package.json", r#"{"type": "module", "private": true}"#);
        place.link("node_modules/@flip360/client", workspace().join("target/sdks/typescript"));
        for package in ["standardwebhooks", "oauth4webapi"] {
            place.link(&format!("node_modules/{package}"), installed("node/node_modules").join(package));
        }
        Some(place)
    }

    /// For Python.
    pub fn python(name: &str) -> Option<Self> {
        Self::open("python", name, &[installed("python/bin/python3")])
    }

    /// For Rust, whose generator needs Java.
    pub fn rust(name: &str) -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let java = std::env::split_paths(&path).map(|at| at.join("java")).find(|at| at.exists());
        let java = java.unwrap_or_else(|| PathBuf::from("java"));
        Self::open("rust", name, &[installed("python/bin/openapi-generator-cli"), java])
    }

    fn link(&self, name: &str, to: PathBuf) {
        let from = self.directory.join(name);
        std::fs::create_dir_all(from.parent().expect("a directory")).expect("a directory");
        if !from.exists() {
            std::os::unix::fs::symlink(to, from).expect("a link");
        }
    }

    /// Writes a file into it.
    pub fn write(&self, name: &str, text: &str) {
        let to = self.directory.join(name);
        std::fs::create_dir_all(to.parent().expect("a directory")).expect("a directory");
        std::fs::write(to, text).expect("a file");
    }

    /// Copies a file of the stories into it.
    pub fn copy(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(workspace().join("tests/contract/stories").join(from));
        self.write(to, &text.expect("a story"));
    }

    /// Compiles `story.ts` strictly; the program that it became.
    pub fn compiled(&self) -> Command {
        let _ = tool::run(Command::new(installed("node/node_modules/.bin/tsc")).arg("-p").arg(&self.directory));
        let mut program = Command::new("node");
        program.current_dir(&self.directory).arg("story.js");
        program
    }

    /// Python, with the client at hand.
    pub fn interpreted(&self) -> Command {
        let client = workspace().join("target/sdks/python");
        let mut python = Command::new(installed("python/bin/python3"));
        python.current_dir(&self.directory).env("PYTHONPATH", &client).env("MYPYPATH", client);
        python
    }
}
