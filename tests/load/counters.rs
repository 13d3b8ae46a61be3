//! What it costs that deals depend on each other: `counter-bench [DEALS]` imports so many deals of one member into one
//! quarter, in order, under an agreement with counters and under one without; then one late deal in front of them all.
//! On a durable cluster of its own; prints milliseconds.

use std::fmt::Write as _;
use std::time::Instant;

use domain::deals::import::COLUMNS;
use harness::counted;
use harness::platform::Platform;
use persistence::cluster::{Cluster, ClusterConfig};

fn row(name: &str, product: &str, on: &str) -> String {
    format!("{name},C,Ann,{product},2026-01-01,,{on},150000.00,,\n")
}

/// Deals in the order in which they settled, over the first quarter of 2026.
fn export(product: &str, deals: u32) -> Vec<u8> {
    let mut file = format!("{}\n", COLUMNS.join(","));
    for n in 0..deals {
        let at = u64::from(n) * 84 / u64::from(deals);
        let on = format!("2026-{:02}-{:02}", 1 + at / 28, 1 + at % 28);
        let _ = file.write_str(&row(&format!("D-{n:07}"), product, &on));
    }
    file.into_bytes()
}

fn timed(platform: &Platform, what: &str, file: &[u8]) {
    let calculations = "select count(*) from calculation";
    let before = platform.number(calculations);
    let begun = Instant::now();
    let report = platform.import(file);
    let took = begun.elapsed();
    let made = platform.number(calculations) - before;
    println!("{what}: {} deals, {made} calculations, {} ms", report.created, took.as_millis());
}

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn main() {
    let deals: u32 = std::env::args().nth(1).and_then(|deals| deals.parse().ok()).unwrap_or(10_000);
    let directory = std::env::temp_dir().join(format!("flip360-counters-{}", std::process::id()));
    let cluster = Cluster::start(&ClusterConfig::new(&directory)).expect("the cluster starts");
    let plain = Platform::of(cluster.connection(), "plain");
    counted::ship(&plain);
    timed(&plain, "without counters", &export("FIXED-3Y", deals));
    let platform = Platform::of(cluster.connection(), "counted");
    counted::ship(&platform);
    timed(&platform, "with counters, in order", &export(counted::PRODUCT, deals));
    let header = format!("{}\n", COLUMNS.join(","));
    let one = |name: &str, on: &str| format!("{header}{}", row(name, counted::PRODUCT, on)).into_bytes();
    timed(&platform, "one more, the last", &one("E-LAST", "2026-03-29"));
    timed(&platform, "one more, the first of all", &one("A-LATE", "2026-01-01"));
    let memory = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    println!("{}", memory.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM unknown"));
    drop((plain, platform));
    drop(cluster);
    let _ = std::fs::remove_dir_all(&directory);
}
