//! The generated clients take a referral to money in the bank file: in TypeScript, Python and Rust, each
//! compiled as strictly as its language can, against a service that runs.

use std::path::PathBuf;
use std::process::Command;

use harness::skip::{installed, skip, workspace};
use serde_json::{Value, json};

use crate::live::Live;
use crate::tool;

/// A story that is ready to be told.
struct Story {
    directory: PathBuf,
}

/// Makes the client of a language and a directory for its story; `None` when its tools are not here.
fn prepare(language: &str, needs: &[PathBuf]) -> Option<Story> {
    if let Some(missing) = needs.iter().find(|needed| !needed.exists()) {
        skip(&format!("the story in {language}: {} is not installed", missing.display()));
        return None;
    }
    let _ = tool::run(Command::new("bash").current_dir(workspace()).args(["scripts/sdks.sh", language]));
    let directory = workspace().join("target/sdks/stories").join(language);
    std::fs::create_dir_all(&directory).expect("a directory");
    Some(Story { directory })
}

impl Story {
    fn copy(&self, from: &str, to: &str) {
        let to = self.directory.join(to);
        std::fs::create_dir_all(to.parent().expect("a directory")).expect("a directory");
        let _ = std::fs::copy(workspace().join("tests/contract/stories").join(from), to).expect("a copy");
    }

    /// Runs the story; what it says must be so, by the service's own tables.
    fn told(&self, live: &Live, command: &mut Command) {
        live.tell(command.current_dir(&self.directory));
        let told = tool::run(command);
        let told: Value = serde_json::from_str(told.lines().last().unwrap_or_default()).expect("a line of JSON");
        let platform = &live.service.platform;
        assert_eq!(told["paid_minor"], platform.number("select sum(amount_minor) from payout"), "{told}");
        assert_eq!(
            told["lines"][0],
            platform.number("select earned_minor from commission_line where role = 'member'"),
            "{told}"
        );
        assert_eq!(told["events"].as_array().expect("events").first(), Some(&json!("deal.referred")), "{told}");
        assert!(told["events"].as_array().expect("events").contains(&json!("deal.settled")), "{told}");
        assert_eq!(told["receipt"], true);
        // A header, the payment, the balancing debit, a trailer.
        assert_eq!(told["file_lines"], 4);
    }
}

#[test]
fn typescript_takes_a_referral_to_its_payout() {
    let node = installed("node/node_modules/.bin/tsc");
    let Some(story) = prepare("typescript", &[node.clone()]) else { return };
    story.copy("story.ts", "story.ts");
    story.copy("tsconfig.json", "tsconfig.json");
    std::fs::write(story.directory.join("package.json"), r#"{"type": "module", "private": true}"#).expect("a file");
    let package = story.directory.join("node_modules/@flip360/client");
    std::fs::create_dir_all(package.parent().expect("a directory")).expect("a directory");
    if !package.exists() {
        std::os::unix::fs::symlink(workspace().join("target/sdks/typescript"), package).expect("a link");
    }
    let _ = tool::run(Command::new(node).arg("-p").arg(&story.directory));
    let live = Live::start();
    story.told(&live, Command::new("node").arg("story.js"));
}

#[test]
fn python_takes_a_referral_to_its_payout() {
    let python = installed("python/bin/python3");
    let Some(story) = prepare("python", &[python.clone()]) else { return };
    story.copy("story.py", "story.py");
    let client = workspace().join("target/sdks/python");
    let mut mypy = Command::new(&python);
    mypy.current_dir(&story.directory).env("MYPYPATH", &client).args(["-m", "mypy", "--strict", "story.py"]);
    let _ = tool::run(&mut mypy);
    let live = Live::start();
    story.told(&live, Command::new(python).env("PYTHONPATH", client).arg("story.py"));
}

#[test]
fn rust_takes_a_referral_to_its_payout() {
    let java = std::env::var_os("PATH")
        .and_then(|path| std::env::split_paths(&path).map(|at| at.join("java")).find(|at| at.exists()));
    let java = java.unwrap_or_else(|| PathBuf::from("/nowhere/java"));
    let Some(story) = prepare("rust", &[installed("python/bin/openapi-generator-cli"), java]) else { return };
    story.copy("rust/Cargo.toml", "Cargo.toml");
    story.copy("rust/Cargo.lock", "Cargo.lock");
    story.copy("rust/src/main.rs", "src/main.rs");
    let mut build = Command::new(env!("CARGO"));
    build.current_dir(&story.directory).env("CARGO_TARGET_DIR", workspace().join("target/sdks/build"));
    let _ = tool::run(build.args(["build", "--quiet", "--locked"]));
    let live = Live::start();
    story.told(&live, &mut Command::new(workspace().join("target/sdks/build/debug/flip360-story")));
}
