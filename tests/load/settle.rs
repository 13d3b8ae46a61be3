//! Settlements a second through the real system, as a ratio to a yardstick taken in the same run.
//!
//! `settle-bench [ROUNDS] [DEALS]`: on a durable cluster of its own (fsync on), ROUNDS times in turn:
//! the yardstick (`pgbench`, one settlement a transaction, 16 clients: `tests/load/yardstick`), then
//! DEALS settlements over HTTP at 32 connections, each its own request with its own idempotency key,
//! the sequencer running beside them. Prints both rates, the latency of requests and the ratio; the
//! harness then checks its promises over everything that was written. It ends by itself.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use api::workers::{Shifts, Workers};
use diesel::RunQueryDsl;
use harness::platform::Platform;
use harness::server::Service;
use persistence::cluster::{Cluster, ClusterConfig};

#[path = "client.rs"]
mod client;
#[path = "yardstick.rs"]
mod yardstick;

use client::{Connection, percentile_ms};
use yardstick::Yardstick;

const MEMBERS: &str = include_str!("../../data/v01/v01-members.csv");
const HEADER: &str = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on";
const CONNECTIONS: usize = 32;

#[derive(diesel::QueryableByName)]
struct DealRow {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    id: uuid::Uuid,
}

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn main() {
    let argument = |n| std::env::args().nth(n).and_then(|text| text.parse::<usize>().ok());
    let (rounds, deals) = (argument(1).unwrap_or(3), argument(2).unwrap_or(6_000));
    let directory = std::env::temp_dir().join(format!("flip360-settle-{}", std::process::id()));
    let cluster = Cluster::start(&ClusterConfig::new(&directory)).expect("the cluster starts");
    let yardstick = Yardstick::prepare(&cluster);

    let platform = Platform::of(cluster.connection(), "settle");
    platform.onboard(MEMBERS);
    eprintln!("importing {} contracted deals", rounds * deals);
    let _ = platform.upload(contracted(rounds * deals).as_bytes());
    platform.work();
    let service = Service::over(platform);
    let workers = Workers::start(&service.app, &Shifts::alone()).expect("workers");
    let ids: Vec<String> = diesel::sql_query("select id from deal order by id")
        .load::<DealRow>(&mut service.platform.owner())
        .expect("the deals")
        .into_iter()
        .map(|row| domain::kernel::ids::DealId::new(row.id).to_string())
        .collect();
    let token = service.partner();

    println!("round | yardstick/s | settlements/s | ratio | p50 ms | p99 ms");
    let mut ratios = Vec::new();
    for (round, batch) in ids.chunks(deals).enumerate() {
        let raw = yardstick.one_by_one();
        let (rate, mut latencies) = settle(&service.url, &token, batch);
        latencies.sort_unstable();
        let at = |percent: usize| percentile_ms(&latencies, percent);
        ratios.push(rate / raw);
        println!("{round} | {raw:.0} | {rate:.0} | {:.2} | {:.1} | {:.1}", rate / raw, at(50), at(99));
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2}", ratios[ratios.len() / 2]);
    workers.stop();
    drop(service);
    drop(cluster);
    let _ = std::fs::remove_dir_all(&directory);
}

fn contracted(deals: usize) -> String {
    let rows = (0..deals).map(|n| {
        let member = n % 40 + 1;
        format!("B-{n},M{member:03},Client {n},FIXED-3Y,2026-10-01,2026-10-10,,,,\n")
    });
    std::iter::once(format!("{HEADER}\n")).chain(rows).collect()
}

/// Settles every deal once; settlements a second and how long each request took.
#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn settle(url: &str, token: &str, deals: &[String]) -> (f64, Vec<Duration>) {
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    let latencies = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                scope.spawn(|| {
                    let mut connection = Connection::open(url);
                    let mut latencies = Vec::new();
                    while let Some(deal) = deals.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let sent = Instant::now();
                        let _ = connection.ask(&settlement(token, deal), "201");
                        latencies.push(sent.elapsed());
                    }
                    latencies
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().expect("a client")).collect::<Vec<Duration>>()
    });
    (deals.len() as f64 / begun.elapsed().as_secs_f64(), latencies)
}

fn settlement(token: &str, deal: &str) -> Vec<u8> {
    let body = r#"{"kind":"settlement","on":"2026-11-20","amount":{"amount":50000000,"currency":"AUD"},"offset":{"amount":0,"currency":"AUD"}}"#;
    let request = format!(
        "POST /v1/deals/{deal}/facts HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\nidempotency-key: {deal}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    request.into_bytes()
}
