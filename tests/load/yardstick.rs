//! The yardstick of writes: what a settlement must write at the least, as bare SQL under `pgbench`, on the same cluster
//! and in the same minute as what is held against it (`tests/load/yardstick`).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use persistence::cluster::{Cluster, OWNER_ROLE};

const SECONDS: &str = "8";
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/load/yardstick");

/// A database with the tables of the bare SQL.
pub struct Yardstick {
    pgbench: PathBuf,
    url: String,
}

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
impl Yardstick {
    /// Makes it on a cluster.
    pub fn prepare(cluster: &Cluster) -> Self {
        let pgbench = find("pgbench").expect("pgbench: install PostgreSQL's client programs");
        let psql = find("psql").expect("psql: install PostgreSQL's client programs");
        let url = cluster.url(OWNER_ROLE, "yardstick");
        let run = |url: &str, arguments: &[&str]| {
            let done = Command::new(&psql).args(["-q", "-v", "ON_ERROR_STOP=1", url]).args(arguments).status();
            assert!(done.expect("psql runs").success());
        };
        run(&cluster.url(OWNER_ROLE, "postgres"), &["-c", "create database yardstick"]);
        run(&url, &["-f", &format!("{FOLDER}/raw_schema.sql")]);
        Self { pgbench, url }
    }

    /// Settlements a second, each a transaction, 16 at once.
    pub fn one_by_one(&self) -> f64 {
        self.rate("raw_one.sql", "16")
    }

    /// Settlements a second, a hundred a transaction, two at once.
    #[allow(dead_code, reason = "a bench takes the yardstick that it needs")]
    pub fn by_the_hundred(&self) -> f64 {
        100.0 * self.rate("raw_batch100.sql", "2")
    }

    fn rate(&self, script: &str, clients: &str) -> f64 {
        let output = Command::new(&self.pgbench)
            .args(["-n", "-M", "prepared", "-c", clients, "-j", "2", "-T", SECONDS, "-f"])
            .args([&format!("{FOLDER}/{script}"), &self.url])
            .stderr(Stdio::null())
            .output()
            .expect("pgbench runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        rate.unwrap_or_else(|| panic!("pgbench said: {text}"))
    }
}

/// A client program of PostgreSQL: beside the server's programs, or on the path.
fn find(program: &str) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("FLIP360_PG_BIN").into_iter().map(PathBuf::from).collect();
    let mut installed: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    installed.sort();
    folders.extend(installed.into_iter().rev());
    folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths).collect::<Vec<_>>());
    folders.into_iter().map(|folder| folder.join(program)).find(|path: &PathBuf| Path::is_file(path))
}
