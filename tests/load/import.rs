//! How long an import takes: `import-bench [RUNS]` imports the V01 export, to posted entries, on a durable
//! cluster of its own, each run into a database of its own; prints rows, milliseconds, rows a second.

use std::time::Instant;

use harness::platform::Platform;
use persistence::cluster::{Cluster, ClusterConfig};

const ALL: &[u8] = include_bytes!("../../data/v01/v01-deals.csv");
const ALL_MEMBERS: &str = include_str!("../../data/v01/v01-members.csv");

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn main() {
    let runs: u32 = std::env::args().nth(1).and_then(|runs| runs.parse().ok()).unwrap_or(3);
    let directory = std::env::temp_dir().join(format!("flip360-bench-{}", std::process::id()));
    let cluster = Cluster::start(&ClusterConfig::new(&directory)).expect("the cluster starts");
    for run in 0..runs {
        let platform = Platform::of(cluster.connection(), &format!("run_{run}"));
        platform.onboard(ALL_MEMBERS);
        for what in ["import", "the same again"] {
            let begun = Instant::now();
            let (import, _) = platform.upload(ALL);
            let uploaded = begun.elapsed();
            platform.work();
            let took = begun.elapsed();
            let report = platform.report(import.id);
            println!(
                "{what}: {} rows, {} deals, upload {} ms, in all {} ms",
                report.rows,
                report.created,
                uploaded.as_millis(),
                took.as_millis()
            );
        }
    }
    drop(cluster);
    let _ = std::fs::remove_dir_all(&directory);
}
