//! The binary as a process of its own, in a directory of its own.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use serde_json::{Value, json};

/// What a command said and how it ended.
pub struct Said {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

/// The binary, with no setting of the caller's environment.
pub fn flip360() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flip360"));
    for name in [
        "DATABASE_URL",
        "FLIP360_MIGRATE_URL",
        "FLIP360_DATA_DIR",
        "FLIP360_LISTEN",
        "FLIP360_PUBLIC_URL",
        "FLIP360_LOG",
        "FLIP360_ENVIRONMENT",
        "FLIP360_NO_WORKERS",
        "FLIP360_WITNESSES",
        "FLIP360_BACKLOG_SECONDS",
    ] {
        command.env_remove(name);
    }
    command
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Said {
    let output = command.stdin(Stdio::null()).output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { status: output.status, out: text(output.stdout), err: text(output.stderr) }
}

/// A data directory that goes with the test.
pub struct Place(pub PathBuf);

impl Place {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("flip360-service-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }

    /// The database server that runs on this directory, if its file says so and it is alive.
    pub fn database_server(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.0.join("cluster/data/postmaster.pid")).ok()?;
        let pid: u32 = text.lines().next()?.trim().parse().ok()?;
        alive(pid).then_some(pid)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether a process exists; a zombie has no command line.
pub fn alive(pid: u32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

/// Sends a signal to a process, or with `-` before the number to its group.
pub fn signal(name: &str, to: &str) {
    assert!(Command::new("kill").args([name, "--", to]).status().expect("kill runs").success());
}

/// A running `flip360 serve` that has said that it is ready.
pub struct Service {
    child: Child,
    out: BufReader<ChildStdout>,
    pub url: String,
    pub greeting: String,
}

impl Service {
    /// Starts it on a free port, in its own process group as a shell would.
    pub fn start(place: &Place, settings: &[(&str, &str)]) -> Self {
        let mut command = flip360();
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&place.0);
        command.envs(settings.iter().copied()).process_group(0);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut greeting = String::new();
        let url = loop {
            let mut line = String::new();
            assert_ne!(out.read_line(&mut line).expect("text"), 0, "it ended after saying: {greeting}");
            greeting.push_str(&line);
            if let Some((_, rest)) = line.split_once("ready at ") {
                break rest.split_whitespace().next().expect("an address").to_owned();
            }
        };
        Self { child, out, url, greeting }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: it has no say in it.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        let _ = self.child.wait().expect("reaped");
    }

    /// Sends a signal to its whole group, as a terminal does; gives its status and last words.
    pub fn end(mut self, name: &str) -> (ExitStatus, String) {
        signal(name, &format!("-{}", self.child.id()));
        let mut rest = String::new();
        let _ = self.out.read_to_string(&mut rest).expect("text");
        (self.child.wait().expect("reaped"), rest)
    }

    /// A token of the administrator whose secret lies in the data directory.
    pub fn administrator(&self, data_dir: &Path) -> String {
        let file = std::fs::read(data_dir.join("admin.json")).expect("the administrator's file");
        let file: Value = serde_json::from_slice(&file).expect("JSON");
        let text = |key: &str| file[key].as_str().expect("a text").to_owned();
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            text("client_id"),
            text("client_secret")
        );
        let mut answer = ureq::post(format!("{}/oauth/token", self.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .send(form)
            .expect("a token");
        let token: Value = answer.body_mut().read_json().expect("JSON");
        token["access_token"].as_str().expect("a token").to_owned()
    }

    /// Makes an organisation; gives its id.
    pub fn make(&self, token: &str, name: &str) -> String {
        let mut answer = ureq::post(format!("{}/v1/organisations", self.url))
            .header("authorization", format!("Bearer {token}"))
            .header("idempotency-key", name)
            .send_json(json!({"kind": "introducer", "name": name, "abn": "51824753556", "external_ref": name}))
            .expect("made");
        let made: Value = answer.body_mut().read_json().expect("JSON");
        made["id"].as_str().expect("an id").to_owned()
    }

    /// The name of an organisation.
    pub fn name_of(&self, token: &str, id: &str) -> String {
        let mut answer = ureq::get(format!("{}/v1/organisations/{id}", self.url))
            .header("authorization", format!("Bearer {token}"))
            .call()
            .expect("found");
        let found: Value = answer.body_mut().read_json().expect("JSON");
        found["name"].as_str().expect("a name").to_owned()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // A test that failed leaves nothing running; PostgreSQL ends with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
