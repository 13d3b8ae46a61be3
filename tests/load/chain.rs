//! The log under load, through the real system: `chain-bench [LEAVES] [DECADE] [ROUNDS]`.
//!
//! On a durable cluster of its own (fsync on): single-leaf commits a second and leaves integrated a second, each beside
//! the yardstick of the same minute; how long a leaf waits for its signed checkpoint at 1,000 a second; then a log of
//! LEAVES (a million): proofs over HTTP, export, audit of the mirror, receipts; last, in memory, what appending and
//! proving cost up to 10^DECADE leaves (7). Prints the tables of `docs/chain-figures.md`. It ends by itself.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::web::Data;
use api::app::App;
use api::batch::{LARGEST, RUNNERS};
use api::workers::{Shifts, Workers};
use diesel::RunQueryDsl;
use domain::chain::sequence::Sequencer;
use harness::leaves;
use harness::platform::Platform;
use persistence::cluster::{Cluster, ClusterConfig};
use persistence::{PgStore, PoolSizes};

#[path = "client.rs"]
mod client;
#[path = "chain_gathered.rs"]
mod gathered;
#[path = "chain_growth.rs"]
mod growth;
#[path = "chain_reads.rs"]
mod reads;
#[path = "yardstick.rs"]
mod yardstick;

use client::percentile_ms;
use yardstick::Yardstick;

const EXPORT: &[u8] = include_bytes!("../../data/v01/v01-example-deals.csv");
const MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");
/// Connections that commit at once, as the yardstick has.
const WRITERS: u64 = 16;
/// Single commits in one round.
const COMMITS: u64 = 8_000;
/// Leaves integrated in one round.
const INTEGRATED: u64 = 20_000;
/// Leaves a second, and how many of them, while the wait for a checkpoint is measured.
const PACE: u64 = 1_000;
const PACED: u64 = 15_000;
/// Leaves in one transaction while the log is filled.
const FILL: u64 = 4_000;
/// Lanes that the leaves go into.
const LANES: u64 = 10_000;

/// A platform, the application as `flip360 serve` has it (keys and mark in files), and how many leaves were logged.
struct Bench {
    platform: Platform,
    app: Data<App>,
    writers: PgStore,
    logged: u64,
}

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn main() {
    let argument = |n| std::env::args().nth(n).and_then(|text| text.parse::<u64>().ok());
    let (leaves, decade, rounds) =
        (argument(1).unwrap_or(1_000_000), argument(2).unwrap_or(7), argument(3).unwrap_or(3));
    let directory = std::env::temp_dir().join(format!("flip360-chain-{}", std::process::id()));
    let cluster = Cluster::start(&ClusterConfig::new(directory.join("cluster"))).expect("the cluster starts");
    let yardstick = Yardstick::prepare(&cluster);
    let platform = Platform::of(cluster.connection(), "chain");
    platform.onboard(MEMBERS);
    let _ = platform.import(EXPORT);
    let writers = PgStore::new(&platform.database.url("flip360_owner"), PoolSizes { writers: 16, readers: 1 });
    let app = Data::new(reads::application(&platform, &directory));
    let mut bench = Bench { platform, app, writers, logged: 0 };
    bench.machine();
    bench.commits(&yardstick, rounds);
    bench.gathered(&yardstick, rounds);
    bench.integration(&yardstick, rounds);
    bench.waits();
    bench.fill(leaves);
    reads::proofs(&bench.app);
    reads::receipts(&bench);
    reads::mirror(&mut bench, &directory);
    drop(bench);
    drop(cluster);
    let _ = std::fs::remove_dir_all(&directory);
    growth::table(u32::try_from(decade).expect("a decade"));
}

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
impl Bench {
    fn text(&self, sql: &str) -> String {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Text)]
            t: String,
        }
        let row = diesel::sql_query(format!("select ({sql})::text as t")).get_result::<Row>(&mut self.platform.owner());
        row.expect("a text").t
    }

    fn machine(&self) {
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        println!(
            "{cores} cores, PostgreSQL {}, fsync {}, synchronous_commit {}\n",
            self.text("current_setting('server_version')"),
            self.text("current_setting('fsync')"),
            self.text("current_setting('synchronous_commit')"),
        );
    }

    /// Logs so many more leaves, so many a transaction.
    fn log(&mut self, more: u64, batch: u64, keep: bool) {
        let to = self.logged + more;
        while self.logged < to {
            let end = (self.logged + batch).min(to);
            let items = leaves::items(self.logged, end, LANES, keep);
            leaves::append_to(&self.platform, &self.writers, &items).expect("logged");
            self.logged = end;
        }
    }

    /// One leaf a transaction, from 16 connections; the sequencer works beside them.
    fn commits(&mut self, yardstick: &Yardstick, rounds: u64) {
        println!(
            "| round | yardstick/s, one a transaction | single-leaf commits/s, lane known | ratio | new lane each | ratio |\n|---|---|---|---|---|---|"
        );
        self.log(WRITERS * 100, 800, true);
        let workers = Workers::start(&self.app, &Shifts::alone()).expect("workers");
        for round in 1..=rounds {
            let raw = yardstick.one_by_one();
            let known = self.single(WRITERS * 100);
            let new = self.single(u64::MAX);
            println!("| {round} | {raw:.0} | {known:.0} | {:.2} | {new:.0} | {:.2} |", known / raw, new / raw);
        }
        workers.stop();
    }

    /// Commits a second; each writer has lanes of its own.
    fn single(&mut self, lanes: u64) -> f64 {
        let next = AtomicU64::new(self.logged);
        let to = self.logged + COMMITS;
        let (platform, store, app) = (&self.platform, &self.writers, &self.app);
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= to {
                            return;
                        }
                        leaves::append_to(platform, store, &leaves::items(n, n + 1, lanes, true)).expect("logged");
                        app.wrote();
                    }
                });
            }
        });
        self.logged = to;
        COMMITS as f64 / begun.elapsed().as_secs_f64()
    }

    fn integration(&mut self, yardstick: &Yardstick, rounds: u64) {
        println!("\n| round | yardstick/s, a hundred a transaction | leaves integrated/s | ratio |\n|---|---|---|---|");
        for round in 1..=rounds {
            let raw = yardstick.by_the_hundred();
            self.log(INTEGRATED, FILL, true);
            let begun = Instant::now();
            self.catch_up();
            let rate = INTEGRATED as f64 / begun.elapsed().as_secs_f64();
            println!("| {round} | {raw:.0} | {rate:.0} | {:.2} |", rate / raw);
        }
    }

    /// How long after its commit a leaf is under a checkpoint that is signed and stored.
    fn waits(&mut self) {
        let workers = Workers::start(&self.app, &Shifts::alone()).expect("workers");
        let (from, to) = (self.logged, self.logged + PACED);
        let (platform, store, app) = (&self.platform, &self.writers, &self.app);
        let (writing, next) = (AtomicBool::new(true), AtomicU64::new(from));
        let begun = Instant::now();
        let (committed, published) = std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let mut published: Vec<(u64, Instant)> = Vec::new();
                loop {
                    let last = !writing.load(Ordering::Acquire);
                    let size = app.seen().size;
                    if published.last().is_none_or(|(before, _)| *before < size) {
                        published.push((size, Instant::now()));
                    }
                    // Everything has an index, and the head that gives it the last one is signed.
                    let head =
                        "select case when exists (select from chain_pending) then -1 else size end from chain_head";
                    if last && u64::try_from(self.platform.number(head)) == Ok(size) {
                        return published;
                    }
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
            // As the application commits: what has come meanwhile shares a transaction.
            let writers: Vec<_> = (0..RUNNERS)
                .map(|_| {
                    scope.spawn(|| {
                        let mut committed = Vec::new();
                        loop {
                            let due = from + (begun.elapsed().as_secs_f64() * PACE as f64) as u64;
                            let take = |n: u64| Some((n + LARGEST as u64).min(due).min(to)).filter(|end| *end > n);
                            match next.fetch_update(Ordering::AcqRel, Ordering::Acquire, take) {
                                Ok(n) => {
                                    let end = (n + LARGEST as u64).min(due).min(to);
                                    let items = leaves::items(n, end, u64::MAX, true);
                                    leaves::append_to(platform, store, &items).expect("logged");
                                    let at = Instant::now();
                                    committed.extend((n..end).map(|n| (n, at)));
                                    app.wrote();
                                }
                                Err(n) if n >= to => return committed,
                                Err(_) => std::thread::sleep(Duration::from_millis(1)),
                            }
                        }
                    })
                })
                .collect();
            let committed: Vec<(u64, Instant)> =
                writers.into_iter().flat_map(|w| w.join().expect("a writer")).collect();
            writing.store(false, Ordering::Release);
            (committed, watcher.join().expect("the watcher"))
        });
        let rate = PACED as f64
            / committed.iter().map(|(_, at)| *at).max().expect("leaves").duration_since(begun).as_secs_f64();
        workers.stop();
        self.logged = to;
        let mut waited = self.waited(&committed, &published);
        waited.sort_unstable();
        let at = |percent| percentile_ms(&waited, percent);
        println!("\n| leaves/s | p50 ms from commit to signed checkpoint | p99 ms | most ms |\n|---|---|---|---|");
        println!("| {rate:.0} | {:.0} | {:.0} | {:.0} |", at(50), at(99), at(100));
    }

    fn waited(&self, committed: &[(u64, Instant)], published: &[(u64, Instant)]) -> Vec<Duration> {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Uuid)]
            source_id: uuid::Uuid,
            #[diesel(sql_type = diesel::sql_types::BigInt)]
            index: i64,
        }
        let rows: Vec<Row> = diesel::sql_query("select source_id, index from chain_leaf")
            .load(&mut self.platform.owner())
            .expect("leaves");
        let indexes: std::collections::HashMap<_, _> =
            rows.into_iter().map(|row| (row.source_id, row.index as u64)).collect();
        let wait = |(n, at): &(u64, Instant)| {
            let source = leaves::items(*n, n + 1, 1, false)[0].source;
            let first = published.partition_point(|(size, _)| *size <= indexes[&source]);
            published[first].1.saturating_duration_since(*at)
        };
        committed.iter().map(wait).collect()
    }

    /// One sequencer from here to the end of what is pending.
    fn catch_up(&self) {
        let _ = api::workers::catch_up(&self.app).expect("the log is whole");
    }

    /// Fills the log up to so many leaves, in steps that one sequencer integrates as they come.
    fn fill(&mut self, leaves: u64) {
        println!(
            "\n| leaves in the log | ms for a batch of {FILL} to be integrated and signed | leaves/s since the row before |\n|---|---|---|"
        );
        let app = self.app.clone();
        let mut sequencer = Sequencer::new(&app.origin, app.log.as_ref(), app.high_water.as_ref());
        let mut caught_up = || {
            let begun = Instant::now();
            app.publish(sequencer.catch_up(app.store.as_ref(), app.clock.now()).expect("the log is whole"));
            begun.elapsed()
        };
        let (mut since, mut took) = (self.size(), Duration::ZERO);
        let first = since;
        let mut marks = (4..).map(|decade| 10_u64.pow(decade)).skip_while(|mark| *mark < first).peekable();
        while self.size() < leaves {
            self.log((leaves - self.size()).min(FILL * 10), FILL, false);
            took += caught_up();
            if marks.next_if(|mark| self.size() >= *mark).is_some() || self.size() >= leaves {
                let rate = (self.size() - since) as f64 / took.as_secs_f64();
                self.log(FILL, FILL, false);
                println!("| {} | {:.0} | {rate:.0} |", self.size(), ms(caught_up()));
                (since, took) = (self.size(), Duration::ZERO);
            }
        }
        diesel::sql_query("analyze").execute(&mut self.platform.owner()).expect("statistics");
    }

    fn size(&self) -> u64 {
        self.app.seen().size
    }
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1_000.0
}
