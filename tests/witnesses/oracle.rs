//! A witness and a verifier in Go, on Go's own signed notes and trees: they agree with ours.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use domain::chain::cosignature::WitnessKey;
use harness::skip::{skip, workspace};

use crate::support::{Witness, anybody, filled, log_key, scratch, service, settle};

const PACKAGES: &str = "/usr/share/gocode";

/// The program, built; none where there is no Go.
fn program() -> Option<PathBuf> {
    if !Command::new("go").arg("version").output().is_ok_and(|output| output.status.success()) {
        skip("`go` is not on the path");
        return None;
    }
    if !Path::new(PACKAGES).join("src/golang.org/x/mod/sumdb/tlog").is_dir() {
        skip("golang-golang-x-mod-dev is not installed");
        return None;
    }
    let directory = scratch("go");
    std::fs::create_dir_all(&directory).expect("a directory");
    let (program, source) = (directory.join("witness"), workspace().join("tests/oracles/witness.go"));
    let built = Command::new("go")
        .args(["build", "-o"])
        .args([&program, &source])
        .envs([("GO111MODULE", "off"), ("GOPATH", PACKAGES), ("GOFLAGS", "")])
        .output()
        .expect("go runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    Some(program)
}

/// The witness in Go, until it is dropped.
struct GoWitness {
    child: Child,
    key: WitnessKey,
    url: String,
}

impl GoWitness {
    fn start(program: &Path) -> Self {
        let mut command = Command::new(program);
        command.args(["serve", "go.test/witness", &log_key().to_string()]).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut line = || lines.next().expect("a line").expect("a text");
        let (key, url) = (WitnessKey::parse(&line()).expect("a key of ours too"), line());
        Self { child, key, url }
    }
}

impl Drop for GoWitness {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_witness_in_go_cosigns_our_log_and_verifies_our_witnesses() {
    let Some(program) = program() else { return };
    let (ours, theirs) = (Witness::start("go", 51), GoWitness::start(&program));
    let known = [(ours.key.clone(), ours.url.clone()), (theirs.key.clone(), theirs.url.clone())];
    let service = service(&known, 2);
    service.sequence();
    settle(&service);
    // From nothing, then with a proof.
    filled(&service);
    settle(&service);
    let note = anybody(&service, "/checkpoint").body;
    let size = service.platform.number("select count(*) from chain_leaf");
    let file = scratch("go-note");
    let verified = |note: &[u8]| {
        std::fs::write(&file, note).expect("written");
        let mut command = Command::new(&program);
        command.arg("verify").arg(&file).arg(log_key().to_string());
        let output = command.args([ours.key.to_string(), theirs.key.to_string()]).output().expect("it runs");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(verified(&note), (true, format!("ok: {size} leaves, 3 signatures\n")));
    // And it does refuse what is wrong: a flipped bit in our line, and a line that is missing.
    let text = String::from_utf8(note).expect("a text");
    let line = text.lines().find(|line| line.contains("witness.test/w51")).expect("our line");
    let mut bytes = line.to_owned().into_bytes();
    let place = bytes.len() - 20;
    bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
    let flipped = text.replace(line, std::str::from_utf8(&bytes).expect("a text"));
    assert!(!verified(flipped.as_bytes()).0);
    assert!(!verified(text.replace(&format!("{line}\n"), "").as_bytes()).0);
}
