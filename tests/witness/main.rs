//! Witnesses and the service as processes: two of them cosign what the real server signs; a witness remembers through
//! kill -9; a database that was restored from yesterday's copy is not signed, whatever else was restored with it.

#![expect(clippy::expect_used, reason = "helpers of tests fail as tests do")]

#[path = "../service/process.rs"]
#[expect(dead_code, reason = "other tests need the rest of it")]
mod process;

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, ExitStatus, Stdio};

use diesel::{Connection as _, PgConnection, RunQueryDsl as _};
use persistence::cluster::{Cluster, ClusterConfig, DATABASE, OWNER_ROLE};
use process::{Place, Service, flip360, run, signal};
use serde_json::{Value, json};

/// A running `flip360 witness`.
struct Witness {
    child: Child,
    out: BufReader<ChildStdout>,
    key: String,
    url: String,
    directory: PathBuf,
    log_key: String,
}

impl Witness {
    fn start(directory: &Path, log_key: &str, listen: &str) -> Self {
        let name = directory.file_name().and_then(|name| name.to_str()).expect("a name");
        let mut command = flip360();
        command
            .args(["witness", "--log-key", log_key, "--listen", listen, "--name"])
            .arg(format!("witness.test/{name}"));
        command.arg("--key").arg(directory.join("witness.pem")).arg("--state").arg(directory.join("state"));
        std::fs::create_dir_all(directory).expect("a directory");
        let mut child =
            command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut word = |before: &str| {
            let mut line = String::new();
            assert_ne!(out.read_line(&mut line).expect("text"), 0, "it ended");
            let (_, rest) = line.split_once(before).expect("it says so");
            rest.split_whitespace().next().expect("a word").trim_end_matches('.').to_owned()
        };
        let (key, url) = (word("key is "), word("ready at "));
        Self { child, out, key, url, directory: directory.to_owned(), log_key: log_key.to_owned() }
    }

    /// The same witness, after whatever ended it, at the same address.
    fn again(directory: &Path, log_key: &str, url: &str) -> Self {
        Self::start(directory, log_key, url.strip_prefix("http://").expect("an address"))
    }

    /// SIGKILL, and the next start of the same one.
    fn killed_and_started(mut self) -> Self {
        self.child.kill().expect("killed");
        let _ = self.child.wait().expect("reaped");
        let (directory, log_key, url) = (self.directory.clone(), self.log_key.clone(), self.url.clone());
        Self::again(&directory, &log_key, &url)
    }

    fn end(mut self) -> (ExitStatus, String) {
        signal("-TERM", &format!("-{}", self.child.id()));
        let mut rest = String::new();
        let _ = self.out.read_to_string(&mut rest).expect("text");
        (self.child.wait().expect("reaped"), rest)
    }

    /// What it answers to a body.
    fn submit(&self, body: &str) -> (u16, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut answer = agent.post(format!("{}/add-checkpoint", self.url)).send(body).expect("an answer");
        (answer.status().as_u16(), answer.body_mut().read_to_string().expect("a text"))
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A text over HTTP, when the status is 200.
fn get(service: &Service, path: &str) -> Option<String> {
    ureq::get(format!("{}{path}", service.url)).call().ok()?.body_mut().read_to_string().ok()
}

fn value(service: &Service, path: &str) -> Value {
    serde_json::from_str(&get(service, path).expect("an answer")).expect("JSON")
}

/// Adds a leaf: a run of the guarantees.
fn add_leaf(service: &Service, place: &Place, key: &str) {
    let token = service.administrator(&place.0);
    let made = ureq::post(format!("{}/v1/guarantee-runs", service.url))
        .header("authorization", format!("Bearer {token}"))
        .header("idempotency-key", key)
        .send_json(json!({}));
    assert_eq!(made.expect("a run").status(), 201);
}

/// Waits for a checkpoint of so many leaves.
fn checkpoint(service: &Service, leaves: u64) -> String {
    loop {
        let note = get(service, "/checkpoint").filter(|note| note.lines().nth(1) == Some(&leaves.to_string()));
        if let Some(note) = note {
            return note;
        }
        std::thread::yield_now();
    }
}

/// Waits until the service says that it may, or may not, take anything new.
fn until_ready(service: &Service, ready: bool) {
    while get(service, "/health/ready").is_some() != ready {
        std::thread::yield_now();
    }
}

/// A file of these witnesses, all of whom must cosign.
fn file_of(place: &Place, witnesses: &[(&str, &str)]) -> PathBuf {
    let mut text = String::new();
    for (n, (key, url)) in witnesses.iter().enumerate() {
        text += &format!("witness w{n} {key} {url}\n");
    }
    let names: Vec<String> = (0..witnesses.len()).map(|n| format!("w{n}")).collect();
    text += &format!("group all-of-them all {}\nquorum all-of-them\n", names.join(" "));
    let path = place.0.join("witnesses.policy");
    std::fs::write(&path, text).expect("written");
    path
}

fn number(url: &str, sql: &str) -> i64 {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        n: i64,
    }
    let mut pg = PgConnection::establish(url).expect("a connection");
    diesel::sql_query(format!("select ({sql})::bigint as n")).get_result::<Row>(&mut pg).expect("a number").n
}

fn doctor(place: &Place, settings: &[(&str, &str)]) -> process::Said {
    let mut command = flip360();
    run(command.args(["doctor", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&place.0).envs(settings.iter().copied()))
}

#[test]
fn two_witnesses_cosign_what_the_server_signs_and_one_that_is_away_is_told() {
    let (place, other) = (Place::new("two"), Place::new("two-witnesses"));
    let service = Service::start(&place, &[]);
    let log_key = value(&service, "/v1/chain/keys")["log_key"].as_str().expect("a key").to_owned();
    assert_eq!(checkpoint(&service, 0).lines().count(), 5, "without witnesses the log alone signs");
    assert_eq!(service.end("-TERM").0.code(), Some(0));

    let one = Witness::start(&other.0.join("w1"), &log_key, "127.0.0.1:0");
    let two = Witness::start(&other.0.join("w2"), &log_key, "127.0.0.1:0");
    let file = file_of(&place, &[(&one.key, &one.url), (&two.key, &two.url)]);
    let settings = [("FLIP360_WITNESSES", file.to_str().expect("a path"))];
    let service = Service::start(&place, &settings);
    add_leaf(&service, &place, "first");
    let note = checkpoint(&service, 1);
    for name in ["witness.test/w1", "witness.test/w2"] {
        assert!(note.contains(&format!("\u{2014} {name} ")), "{note}");
    }
    let keys = value(&service, "/v1/chain/keys");
    assert_eq!((&keys["witnesses"], &keys["quorum"]), (&json!([one.key, two.key]), &json!(2)));
    let fine = doctor(&place, &settings);
    assert!(fine.out.contains("2 must cosign; each cosigned when it was asked last"), "{}", fine.out);

    // One dies in the middle: nothing is published without it, and it comes back knowing what it cosigned.
    let (directory, url) = (two.directory.clone(), two.url.clone());
    drop(two);
    add_leaf(&service, &place, "second");
    let status = place.0.join("witnesses.json");
    let told = || std::fs::read_to_string(&status).expect("how they stand");
    while !told().contains("connection_failed") {
        std::thread::yield_now();
    }
    let away = doctor(&place, &settings);
    assert!(away.out.contains("witness.test/w2 has not cosigned since"), "{}", away.out);
    assert_eq!(checkpoint(&service, 1), note, "what has the quorum is shown meanwhile");
    let two = Witness::again(&directory, &log_key, &url);
    let note = checkpoint(&service, 2);
    assert!(note.contains("witness.test/w1") && note.contains("witness.test/w2"), "{note}");
    let (status, said) = two.end();
    assert_eq!((status.code(), said.as_str()), (Some(0), "Stopped.\n"), "SIGTERM ends a witness in order");
    assert_eq!(service.end("-TERM").0.code(), Some(0));

    // A file that is not good is refused with its line, and one for another log too.
    let good = std::fs::read_to_string(&file).expect("the file");
    let other_log = log_key.replacen("flip360.local/log", "flip360.other/log", 1);
    for (bad, why) in [(good.replacen('+', "-", 1), "line 1"), (format!("log {other_log}\n{good}"), "line 1")] {
        std::fs::write(&file, bad).expect("written");
        let refused =
            run(flip360().args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&place.0).envs(settings));
        assert_eq!(refused.status.code(), Some(1));
        assert!(refused.err.contains(why), "{}", refused.err);
        assert!(doctor(&place, &settings).out.contains("WRONG witnesses"));
    }
    assert_eq!(one.end().0.code(), Some(0));
}

#[test]
fn a_witness_remembers_through_kill_9_and_keeps_its_directory_to_itself() {
    let (place, other) = (Place::new("remembers"), Place::new("remembers-witness"));
    let service = Service::start(&place, &[]);
    let log_key = value(&service, "/v1/chain/keys")["log_key"].as_str().expect("a key").to_owned();
    add_leaf(&service, &place, "first");
    let note = checkpoint(&service, 1);
    let witness = Witness::start(&other.0.join("w3"), &log_key, "127.0.0.1:0");
    assert_eq!(witness.submit(&format!("old 0\n\n{note}")).0, 200);
    let witness = witness.killed_and_started();
    assert_eq!(witness.submit(&format!("old 0\n\n{note}")), (409, "1\n".to_owned()));
    assert_eq!(witness.submit(&format!("old 1\n\n{note}")).0, 200);
    let mut second = flip360();
    second.args(["witness", "--log-key", &log_key, "--listen", "127.0.0.1:0", "--key"]);
    second.arg(witness.directory.join("witness.pem")).arg("--state").arg(witness.directory.join("state"));
    let refused = run(&mut second);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.err.contains("another witness works here"), "{}", refused.err);
    assert_eq!(service.end("-TERM").0.code(), Some(0));
}

#[test]
fn a_witness_whose_memory_is_lost_is_no_new_one() {
    let (place, other) = (Place::new("forgets"), Place::new("forgets-witness"));
    let service = Service::start(&place, &[]);
    let log_key = value(&service, "/v1/chain/keys")["log_key"].as_str().expect("a key").to_owned();
    add_leaf(&service, &place, "first");
    let note = checkpoint(&service, 1);
    let directory = other.0.join("w5");
    let witness = Witness::start(&directory, &log_key, "127.0.0.1:0");
    assert_eq!(witness.submit(&format!("old 0\n\n{note}")).0, 200);
    assert_eq!(witness.end().0.code(), Some(0));
    let state = directory.join("state");
    let command = |more: &[&str]| {
        let mut command = flip360();
        command.args(["witness", "--log-key", &log_key, "--listen", "127.0.0.1:0", "--name", "witness.test/w5"]);
        command.arg("--key").arg(directory.join("witness.pem")).arg("--state").arg(&state).args(more);
        command
    };
    let refused = |what: &str| {
        let said = run(&mut command(&[]));
        assert_eq!(said.status.code(), Some(1));
        assert!(said.err.contains(what), "{}", said.err);
    };
    // What it cosigned of this log is gone, and the rest is there.
    let files = || std::fs::read_dir(&state).expect("a directory").map(|entry| entry.expect("an entry").path());
    let kept = files().find(|path| path.extension().is_some_and(|end| end == "json")).expect("a file");
    std::fs::remove_file(kept).expect("removed");
    refused("is missing");
    // All of it is, or it is empty: the first refusal makes nothing of it.
    std::fs::remove_dir_all(&state).expect("removed");
    refused("--new-state");
    refused("--new-state");
    // Whoever runs it says that it never cosigned anything: it is believed, once.
    let mut child = command(&["--new-state"]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    while !line.contains("is ready at") {
        line.clear();
        assert_ne!(out.read_line(&mut line).expect("text"), 0, "it ended");
    }
    child.kill().expect("killed");
    let _ = child.wait().expect("reaped");
    let witness = Witness::start(&directory, &log_key, "127.0.0.1:0");
    assert_eq!(witness.end().0.code(), Some(0));
    assert_eq!(service.end("-TERM").0.code(), Some(0));
}

#[test]
fn yesterdays_copy_of_the_database_is_not_signed() {
    let (place, other, server) = (Place::new("dump"), Place::new("dump-witness"), Place::new("dump-server"));
    let cluster = Cluster::start(&ClusterConfig::scratch(&server.0)).expect("a server");
    let administer = |sql: &str| {
        let mut pg = PgConnection::establish(&cluster.url(OWNER_ROLE, "postgres")).expect("a connection");
        diesel::connection::SimpleConnection::batch_execute(&mut pg, sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    };
    let (today, yesterday) = (cluster.url(OWNER_ROLE, DATABASE), cluster.url(OWNER_ROLE, "yesterday"));
    let mark = place.0.join("log.high-water");
    let service = Service::start(&place, &[("DATABASE_URL", &today)]);
    let log_key = value(&service, "/v1/chain/keys")["log_key"].as_str().expect("a key").to_owned();
    assert_eq!(service.end("-TERM").0.code(), Some(0));
    let witness = Witness::start(&other.0.join("w4"), &log_key, "127.0.0.1:0");
    let file = file_of(&place, &[(&witness.key, &witness.url)]);
    let file = file.to_str().expect("a path").to_owned();
    let on = |url: &str| [("DATABASE_URL", url.to_owned()), ("FLIP360_WITNESSES", file.clone())];
    let start = |url: &str| {
        let settings = on(url);
        Service::start(&place, &settings.each_ref().map(|(name, value)| (*name, value.as_str())))
    };
    let service = start(&today);
    add_leaf(&service, &place, "yesterday");
    let old_note = checkpoint(&service, 1);
    assert_eq!(service.end("-TERM").0.code(), Some(0));
    // A copy of every byte, as a dump that is put back is.
    administer(&format!("create database yesterday template {DATABASE}"));
    let old_mark = std::fs::read(&mark).expect("the mark");
    let service = start(&today);
    add_leaf(&service, &place, "today");
    let _ = checkpoint(&service, 2);
    assert_eq!(service.end("-TERM").0.code(), Some(0));
    let new_mark = std::fs::read(&mark).expect("the mark");

    let notes = || number(&yesterday, "select count(*) from chain_checkpoint_note");
    let before = notes();
    // With the high-water file of today: refused, and nothing new is taken.
    let service = Service::start(&place, &[("DATABASE_URL", &yesterday)]);
    until_ready(&service, false);
    assert_eq!(get(&service, "/checkpoint"), Some(old_note), "what was published stays to be seen");
    assert_eq!(service.end("-TERM").0.code(), Some(0));
    assert_eq!(notes(), before);
    // Without it: it is asked for.
    std::fs::remove_file(&mark).expect("removed");
    let settings = on(&yesterday);
    let refused = run(flip360().args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(&place.0).envs(settings));
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.err.contains("log.high-water is missing"), "{}", refused.err);
    // With yesterday's, as whoever restores a whole machine has it: the witness knows better.
    std::fs::write(&mark, &old_mark).expect("put back");
    let service = start(&yesterday);
    until_ready(&service, false);
    let evidence = value(&service, "/v1/chain/evidence");
    assert_eq!((&evidence["data"][0]["kind"], &evidence["data"][0]["response"]), (&json!("ahead"), &json!("2\n")));
    let settings = on(&yesterday);
    let told = doctor(&place, &settings.each_ref().map(|(name, value)| (*name, value.as_str())));
    assert!(told.out.contains("WRONG witnesses") && told.out.contains("put the newest data back"), "{}", told.out);
    assert_eq!(service.end("-TERM").0.code(), Some(0));
    assert_eq!(notes(), before, "nothing was signed");
    assert_eq!(number(&yesterday, "select size from chain_head"), 1);
    // Even a database that never signed anything is none to go on with: the witness has seen the log.
    let administrator = std::fs::read(place.0.join("admin.json")).expect("the administrator's file");
    administer("create database never");
    std::fs::remove_file(&mark).expect("removed");
    let never = cluster.url(OWNER_ROLE, "never");
    let service = start(&never);
    until_ready(&service, false);
    assert_eq!(service.end("-TERM").0.code(), Some(0));
    assert_eq!(number(&never, "select count(*) from chain_checkpoint_note"), 0);
    // The newest data put back: it goes on.
    std::fs::write(place.0.join("admin.json"), administrator).expect("put back");
    std::fs::write(&mark, &new_mark).expect("put back");
    let service = start(&today);
    add_leaf(&service, &place, "tomorrow");
    let _ = checkpoint(&service, 3);
    assert_eq!(service.end("-TERM").0.code(), Some(0));
    assert_eq!(number(&today, "select count(*) from chain_evidence"), 0);
}
