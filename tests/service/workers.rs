//! Workers in processes of their own: beside a service that has none, and beside each other.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Stdio};

use diesel::{Connection as _, PgConnection, RunQueryDsl as _};
use persistence::cluster::{Cluster, ClusterConfig, DATABASE, OWNER_ROLE};
use serde_json::json;

use crate::process::{Place, Service, flip360, run, signal};

/// A worker that has begun.
struct Worker {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Worker {
    fn start(place: &Place, settings: &[(&str, &str)]) -> Self {
        let mut command = flip360();
        command.args(["worker", "--data-dir"]).arg(&place.0).envs(settings.iter().copied());
        let mut child = command.process_group(0).stdout(Stdio::piped()).stdin(Stdio::null()).spawn().expect("it runs");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut said = String::new();
        while !said.contains("works in the background") {
            assert!(out.read_line(&mut said).expect("text") > 0, "it ended: {said}");
        }
        Self { child, out }
    }

    /// SIGKILL: it has no say in it.
    fn kill(mut self) {
        self.child.kill().expect("killed");
        let _ = self.child.wait().expect("reaped");
    }

    fn end(mut self) {
        signal("-TERM", &format!("-{}", self.child.id()));
        let mut rest = String::new();
        let _ = self.out.read_to_string(&mut rest).expect("text");
        assert_eq!((self.child.wait().expect("reaped").code(), rest.as_str()), (Some(0), "Stopped.\n"));
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The number that a query gives.
fn number(url: &str, sql: &str) -> i64 {
    asked(&mut PgConnection::establish(url).expect("a connection"), sql)
}

fn asked(pg: &mut PgConnection, sql: &str) -> i64 {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        n: i64,
    }
    diesel::sql_query(format!("select ({sql})::bigint as n")).get_result::<Row>(pg).expect("a number").n
}

/// Waits until a query gives a number.
fn until(url: &str, sql: &str, expected: i64) {
    let mut pg = PgConnection::establish(url).expect("a connection");
    while asked(&mut pg, sql) != expected {
        std::thread::yield_now();
    }
}

#[test]
fn a_service_without_workers_leaves_the_work_to_a_worker() {
    let (place, server) = (Place::new("apart"), Place::new("apart-server"));
    let cluster = Cluster::start(&ClusterConfig::scratch(&server.0)).expect("a server");
    let url = cluster.url(OWNER_ROLE, DATABASE);
    let service = Service::start(&place, &[("DATABASE_URL", &url), ("FLIP360_NO_WORKERS", "true")]);
    let token = service.administrator(&place.0);
    let check = |key: &str| {
        let made = ureq::post(format!("{}/v1/guarantee-runs", service.url))
            .header("authorization", format!("Bearer {token}"))
            .header("idempotency-key", key)
            .send_json(json!({}));
        assert_eq!(made.expect("a run").status(), 201);
    };
    // A run of the guarantees becomes a leaf of the log.
    check("first");
    // The service numbers events for those who follow it, and signs nothing.
    until(&url, "select count(*) from outbox", 0);
    assert_eq!(number(&url, "select count(*) from chain_pending"), 1);
    assert_eq!(number(&url, "select count(*) from chain_checkpoint_note"), 0);

    let settings = [("DATABASE_URL", url.as_str())];
    let worker = Worker::start(&place, &settings);
    until(&url, "select count(*) from chain_leaf", 1);
    // The service shows what the worker has signed.
    let checkpoint_of = |size: &str| loop {
        let answer = ureq::get(format!("{}/checkpoint", service.url)).call();
        let body = answer.ok().and_then(|mut answer| answer.body_mut().read_to_string().ok());
        if let Some(body) = body.filter(|body| body.lines().nth(1) == Some(size)) {
            break body;
        }
        std::thread::yield_now();
    };
    assert!(checkpoint_of("1").starts_with("flip360.local/log\n1\n"));
    let doctor = run(flip360().arg("doctor").arg("--data-dir").arg(&place.0).envs(settings));
    assert!(doctor.out.contains("a process works here and signs the log"), "{}", doctor.out);
    // Another one waits for its turn, and signs when the first one is killed.
    let next = Worker::start(&place, &settings);
    worker.kill();
    check("second");
    until(&url, "select count(*) from chain_leaf", 2);
    let _ = checkpoint_of("2");
    next.end();
    assert_eq!(service.end("-TERM").0.code(), Some(0));
}

#[test]
fn two_workers_share_one_queue_and_do_each_job_once() {
    let (place, server) = (Place::new("shared"), Place::new("shared-server"));
    let cluster = Cluster::start(&ClusterConfig::scratch(&server.0)).expect("a server");
    let url = cluster.url(OWNER_ROLE, DATABASE);
    let migrated = run(flip360().arg("migrate").arg("--data-dir").arg(&place.0).env("DATABASE_URL", &url));
    assert_eq!(migrated.status.code(), Some(0), "{}", migrated.err);
    let mut pg = PgConnection::establish(&url).expect("a connection");
    // Exports without rows: each attempt of a job counts, and each end is told once.
    let header = domain::deals::import::COLUMNS.join(",");
    for statement in [
        "insert into organisation (id, kind, name, created_at) values
           ('00000000-0000-7000-8000-0000000000a1', 'introducer', 'I', now()), ('00000000-0000-7000-8000-0000000000a2', 'provider', 'P', now())".to_owned(),
        "insert into deal_import (id, organisation_id, provider_id, state, file_bytes, file_sha256, declaration_sha256, created_by, created_at)
           select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, '00000000-0000-7000-8000-0000000000a1', '00000000-0000-7000-8000-0000000000a2',
             'received', 1, sha256('x'), sha256('y'), '00000000-0000-7000-8000-0000000000a1', now() from generate_series(1, 60) n".to_owned(),
        format!("insert into deal_import_chunk (import_id, n, bytes) select id, 0, convert_to('{header}' || chr(10), 'UTF8') from deal_import"),
    ] {
        diesel::sql_query(statement).execute(&mut pg).expect("made");
    }
    let settings = [("DATABASE_URL", url.as_str())];
    let (one, other) = (Worker::start(&place, &settings), Worker::start(&place, &settings));
    let jobs = "insert into job (id, kind, subject_id, organisation_id, state, created_by, visible_to, created_at)
       select id, 'deal_import', id, organisation_id, 'queued', created_by, '{}', now() from deal_import";
    diesel::sql_query(jobs).execute(&mut pg).expect("queued");
    until(&url, "select count(*) from job where state in ('queued', 'running')", 0);
    assert_eq!(number(&url, "select count(*) from job where state = 'succeeded' and attempts = 1"), 60);
    assert_eq!(number(&url, "select count(*) from audit_record where action = 'end_job'"), 60);
    until(&url, "select count(*) from outbox", 0);
    assert_eq!(number(&url, "select count(*) from event where type = 'job.ended'"), 60);
    assert_eq!(number(&url, "select count(distinct subject_id) from event where type = 'job.ended'"), 60);
    // One of them signs the empty log, once.
    until(&url, "select count(*) from chain_checkpoint_note", 1);
    one.end();
    other.end();
}

/// The rollback guard holds where the workers are somewhere else, too.
#[test]
fn a_service_without_workers_takes_nothing_new_over_a_log_that_was_rolled_back() {
    let (place, server) = (Place::new("rolled"), Place::new("rolled-server"));
    let cluster = Cluster::start(&ClusterConfig::scratch(&server.0)).expect("a server");
    let url = cluster.url(OWNER_ROLE, DATABASE);
    let settings = [("DATABASE_URL", url.as_str())];
    let service = Service::start(&place, &[("DATABASE_URL", &url), ("FLIP360_NO_WORKERS", "true")]);
    let ready = || ureq::get(format!("{}/health/ready", service.url)).call().map(|answer| answer.status().as_u16());
    let worker = Worker::start(&place, &settings);
    until(&url, "select count(*) from chain_checkpoint_note", 1);
    worker.end();
    assert_eq!(ready().ok(), Some(200));
    // The mark says that more was signed than the database holds: it is an older one.
    let mark = place.0.join("log.high-water");
    let kept = std::fs::read(&mark).expect("the mark");
    let root = "A".repeat(43);
    std::fs::write(&mark, format!("{{\"root\":\"{root}=\",\"size\":7}}")).expect("a mark");
    while ready().is_ok() {
        std::thread::yield_now();
    }
    std::fs::write(&mark, kept).expect("the mark");
    while ready().is_err() {
        std::thread::yield_now();
    }
    assert_eq!(service.end("-TERM").0.code(), Some(0));
}
