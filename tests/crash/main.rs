//! kill -9 during an import, of the worker and of PostgreSQL itself, on a durable cluster: started again,
//! and imported again, it comes to the same totals. And a file of 200 MB leaves memory flat. The sequencer is killed at
//! every statement ([`sequencing`]), the execution of a payout run likewise ([`paying`]).

mod paying;
mod sequencing;

#[expect(dead_code, reason = "the world of the payout tests, of which these need a part")]
#[path = "../payouts/world.rs"]
mod world;

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use domain::deals::import::COLUMNS;
use domain::deals::import::ImportFormat;
use domain::deals::import::receive::{self, BeginImport, Upload};
use domain::kernel::Digest;
use harness::platform::Platform;
use persistence::cluster::{Cluster, ClusterConfig};
use serde_json::Value;

const ALL: &[u8] = include_bytes!("../../data/v01/v01-deals.csv");
const ALL_MEMBERS: &str = include_str!("../../data/v01/v01-members.csv");
const ALL_EXPECTED: &str = include_str!("../../data/v01/v01-deals-expected.json");
/// Transactions of the whole import, a little fewer: something happens in one of them.
const TRANSACTIONS: u64 = 14;

/// A durable cluster on disk that goes with the test.
struct Server {
    directory: PathBuf,
    cluster: Option<Cluster>,
}

impl Server {
    fn start(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("flip360-crash-{}-{name}", std::process::id()));
        let mut server = Self { directory, cluster: None };
        server.restart();
        server
    }

    fn restart(&mut self) {
        self.cluster = None;
        self.cluster = Some(Cluster::start(&ClusterConfig::new(&self.directory)).expect("the cluster starts"));
    }

    fn cluster(&self) -> &Cluster {
        self.cluster.as_ref().expect("a cluster")
    }

    fn kill(&self) {
        let pid = self.cluster().postmaster_pid().expect("a running server");
        let killed = Command::new("kill").args(["-KILL", &pid.to_string()]).status().expect("kill runs");
        assert!(killed.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.cluster = None;
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Small numbers that look random and are the same in each run.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

fn worker(platform: &Platform, seconds: u64, mishap: &[String]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_import-worker"))
        .args([platform.database.url("flip360_owner"), seconds.to_string()])
        .args(mishap)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the worker starts")
}

fn mishap(what: &str, draws: &mut Draws) -> Vec<String> {
    vec![what.to_owned(), draws.below(TRANSACTIONS).to_string(), draws.below(60_000).to_string()]
}

/// The totals of the ledger, as the expectation has them.
fn assert_totals(platform: &Platform) {
    let expected: Value = serde_json::from_str(ALL_EXPECTED).expect("JSON");
    let figure = |sql: &str| platform.number(sql);
    assert_eq!(
        figure("select sum(earned_minor) from commission_line"),
        expected["upfront_total"].as_i64().expect("a figure")
    );
    assert_eq!(
        figure("select sum(earned_minor - clawed_back_minor) from commission_line where role = 'platform'"),
        expected["platform_net"].as_i64().expect("a figure")
    );
    for (name, member) in expected["members"].as_object().expect("members") {
        let of = |column: &str| {
            figure(&format!(
                "select coalesce(sum({column}), 0) from commission_line l join member m on m.id = l.member_id where member_ref = '{name}'"
            ))
        };
        assert_eq!(of("earned_minor"), member["earned"].as_i64().expect("a figure"), "{name}");
        assert_eq!(of("clawed_back_minor"), member["clawed_back"].as_i64().expect("a figure"), "{name}");
    }
}

#[test]
fn killed_at_any_moment_an_import_goes_on_and_comes_to_the_same_totals() {
    let mut server = Server::start("import");
    let mut draws = Draws(0x0f11_9360_2026_1125);
    let mut kills = 0;
    for round in 0..5 {
        let platform = Platform::of(server.cluster().connection(), &format!("round_{round}"));
        platform.onboard(ALL_MEMBERS);
        let (import, _) = platform.upload(ALL);
        let mut started = 0;
        let mut later = || {
            started += 60;
            started
        };
        for _ in 0..2 {
            let mut worker = worker(&platform, later(), &mishap("die", &mut draws));
            let ended = worker.wait().expect("it ends");
            kills += u32::from(ended.signal() == Some(9));
        }
        if round % 2 == 0 {
            let mut worker = worker(&platform, later(), &mishap("tell", &mut draws));
            let mut told = String::new();
            let output = worker.stdout.take().expect("its output");
            BufReader::new(output).read_line(&mut told).expect("it tells");
            server.kill();
            let ended = worker.wait().expect("it ends");
            assert!(ended.code().is_some(), "a worker outlives its server: {ended}");
            server.restart();
        }
        // The pool of the platform still holds connections to the server that was killed.
        let platform = reopened(platform);
        let ended = worker(&platform, later(), &[]).wait().expect("it ends");
        assert!(ended.success(), "round {round}: {ended}");
        let report = platform.report(import.id);
        assert_eq!((report.rows, report.created, report.refused.len()), (1286, 1200, 12), "round {round}");
        assert_totals(&platform);
        let (again, _) = platform.upload(ALL);
        assert!(worker(&platform, later(), &[]).wait().expect("it ends").success());
        let report = platform.report(again.id);
        assert_eq!((report.created, report.corrected, report.unchanged), (0, 0, 1200), "round {round}");
        assert_totals(&platform);
    }
    assert!(kills >= 7, "only {kills} of 10 workers died in time");
}

fn reopened(mut platform: Platform) -> Platform {
    use persistence::{PgStore, PoolSizes};
    platform.store = PgStore::new(&platform.database.url("flip360_owner"), PoolSizes { writers: 2, readers: 1 });
    platform
}

#[test]
fn a_file_of_200_megabytes_leaves_memory_flat() {
    const ROW_BYTES: usize = 50_000;
    const ROWS: usize = 4_100;
    let server = Server::start("large");
    let platform = Platform::of(server.cluster().connection(), "large");
    platform.onboard(ALL_MEMBERS);
    let command =
        BeginImport { organisation: platform.introducer, provider: platform.provider, format: ImportFormat::Csv };
    let import = platform.store().transaction(|uow| receive::begin(uow, &platform.env(), &command)).expect("an import");
    let keep = |chunk: &receive::Chunk| {
        platform.store().transaction(|uow| receive::append(uow, import.id, chunk)).expect("a piece is kept");
    };
    let mut upload = Upload::default();
    upload.feed(format!("{}\n", COLUMNS.join(",")).as_bytes()).iter().for_each(keep);
    let long = "x".repeat(ROW_BYTES);
    for n in 0..ROWS {
        let name = if n % 100 == 0 { "Ann" } else { &long };
        upload.feed(format!("L-{n},M001,{name},FIXED-3Y,2026-01-01,,,,,\n").as_bytes()).iter().for_each(keep);
    }
    let (last, received) = upload.finish();
    last.iter().for_each(keep);
    assert!(received.bytes > 200_000_000);
    platform
        .store()
        .transaction(|uow| receive::received(uow, &platform.env(), import.id, received, Digest::of(b"declared")))
        .expect("the file is received");
    let peak = |platform: &Platform| -> u64 {
        let output = worker(platform, 60, &[]).wait_with_output().expect("it ends");
        assert!(output.status.success());
        String::from_utf8(output.stdout).expect("text").trim().parse().expect("its memory")
    };
    let large = peak(&platform);
    let report = platform.report(import.id);
    assert_eq!((report.rows, report.created, report.refused.len()), (4_100, 41, 4_059));
    assert!(report.refused.iter().all(|row| row.faults == [("client_name".to_owned(), "too_long".to_owned())]));
    let _ = platform.upload(ALL);
    let usual = peak(&platform);
    assert!(large < usual + 16 * 1024, "{large} KiB for 200 MB, {usual} KiB for the usual export");
    assert_eq!(platform.number("select count(*) from deal_import_chunk"), 0);
}
