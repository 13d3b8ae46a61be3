//! Posting through the batch endpoint and reading what it left, beside bare SQL on the same cluster in the same minute.
//!
//! `ledger-bench [ENTRIES] [ROUNDS]`: on a durable cluster of its own (fsync on), ROUNDS times in turn: the yardstick
//! (`pgbench`, a hundred entries of four postings a transaction, two clients), 10,000 entries of four postings over two
//! thousand providers' accounts through propose and approve, the same against one provider's account, and two such batches
//! approved at once. Then entries are posted
//! until there are ENTRIES; the rate is told around each power of ten. Last the latency of balances and statements of
//! payees at that size. The load of the machine stands beside the figures. It ends by itself.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection as _;
use domain::access::Role;
use domain::kernel::ids::OrganisationId;
use harness::platform::Platform;
use harness::server::Service;
use persistence::cluster::{Cluster, ClusterConfig};
use serde_json::{Value, json};
use uuid::Uuid;

#[path = "client.rs"]
#[expect(dead_code, reason = "a bench takes what it needs")]
mod client;
#[path = "yardstick.rs"]
#[expect(dead_code, reason = "a bench takes the yardstick that it needs")]
mod yardstick;

use client::percentile_ms;
use yardstick::Yardstick;

const MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");
const HEADER: &str = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on";
const PROVIDERS: u128 = 2_000;
const BATCH: usize = 10_000;
const READS: usize = 2_000;

/// Who proposes and who approves, and how many entries there are.
struct Bench {
    service: Service,
    finance: String,
    approver: String,
    entries: usize,
}

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn main() {
    let argument = |n| std::env::args().nth(n).and_then(|text| text.parse::<usize>().ok());
    let (most, rounds) = (argument(1).unwrap_or(1_000_000), argument(2).unwrap_or(3));
    let directory = std::env::temp_dir().join(format!("flip360-ledger-{}", std::process::id()));
    let cluster = Cluster::start(&ClusterConfig::new(&directory)).expect("the cluster starts");
    let yardstick = Yardstick::prepare(&cluster);
    let mut bench = Bench::over(Platform::of(cluster.connection(), "ledger"));
    println!("load of the machine at the start: {}", load());

    println!(
        "round | yardstick/s | one batch/s | two at once/s | ratio of these | hot/s | hot : one | proposing 10,000 ms"
    );
    let (mut ratios, mut hots) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let raw = yardstick.by_the_hundred();
        let (proposing, cold) = bench.post(false);
        let (_, hot) = bench.post(true);
        let both = bench.post_two();
        println!(
            "{round} | {raw:.0} | {cold:.0} | {both:.0} | {:.2} | {hot:.0} | {:.2} | {}",
            both / raw,
            hot / cold,
            proposing.as_millis()
        );
        ratios.push(both / raw);
        hots.push(hot / cold);
    }
    println!("median ratio {:.2}, median hot : one {:.2}", median(&mut ratios), median(&mut hots));
    grow(&mut bench, most);
    reads(&bench);
    println!("load of the machine at the end: {}", load());
    drop(bench);
    drop(cluster);
    let _ = std::fs::remove_dir_all(&directory);
}

/// Posts until there are so many entries; the rate of the batches around each size.
fn grow(bench: &mut Bench, most: usize) {
    println!("entries | posted/s, median of three batches");
    let mut sizes: Vec<usize> =
        [10_000, 100_000, 1_000_000, 5_000_000].into_iter().filter(|size| *size <= most).collect();
    sizes.retain(|size| *size > bench.entries);
    for size in sizes {
        let mut last = Vec::new();
        while bench.entries < size {
            let (_, rate) = bench.post(false);
            last.push(rate);
        }
        let from = last.len().saturating_sub(3);
        println!("{size} | {:.0}", median(&mut last[from..]));
    }
}

/// The latency of a balance and of a statement, one after another.
fn reads(bench: &Bench) {
    let payees =
        bench.service.platform.ids_of("select distinct party_id as id from ledger_account where kind like 'payee_%'");
    let accounts = bench.service.platform.ids_of("select id from ledger_account order by id limit 2000");
    let balance =
        |n: usize| format!("/v1/ledger/accounts/account_{}", domain::kernel::id::encode(accounts[n % accounts.len()]));
    let statement = |n: usize| {
        let payee = domain::kernel::id::encode(payees[n % payees.len()]);
        format!("/v1/payees/payee_{payee}/statements?from=2026-02-01&to=2026-11-30")
    };
    println!("read at {} entries | p50 ms | p99 ms", bench.entries);
    for (what, path) in [("balance", &balance as &dyn Fn(usize) -> String), ("statement", &statement)] {
        let mut latencies: Vec<Duration> = (0..READS)
            .map(|n| {
                let path = path(n);
                let sent = Instant::now();
                let _ = bench.service.get(&path, &bench.finance).expect(200);
                sent.elapsed()
            })
            .collect();
        latencies.sort_unstable();
        println!("{what} | {:.1} | {:.1}", percentile_ms(&latencies, 50), percentile_ms(&latencies, 99));
    }
}

impl Bench {
    /// A platform with two thousand providers, and deals of members whose statements are read.
    #[expect(clippy::expect_used, reason = "a bench fails loudly")]
    fn over(platform: Platform) -> Self {
        platform.onboard(MEMBERS);
        let rows: String = (0..400)
            .map(|n| {
                format!(
                    "B-{n},M{:03},Ann,FIXED-3Y,2026-01-01,2026-01-10,2026-02-01,200000.00,0.00,\n",
                    [1, 4, 16][n % 3]
                )
            })
            .collect();
        let report = platform.import(format!("{HEADER}\n{rows}").as_bytes());
        assert!(report.refused.is_empty(), "{:?}", report.refused);
        let providers = format!(
            "insert into organisation (id, kind, name, created_at)
             select ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'provider', 'Provider ' || n, now() from generate_series(1, {PROVIDERS}) n"
        );
        platform.owner().batch_execute(&providers).expect("providers");
        let entries = usize::try_from(platform.number("select count(*) from ledger_entry")).expect("a count");
        let service = Service::over(platform);
        let finance = service.token_of(Uuid::from_u128(21), &[Role::Finance], None, None);
        let approver = service.token_of(Uuid::from_u128(22), &[Role::Approver], None, None);
        Self { service, finance, approver, entries }
    }

    /// Proposes and approves a batch; how long the proposal took, and entries a second of the approval, which posts.
    fn post(&mut self, hot: bool) -> (Duration, f64) {
        let begun = Instant::now();
        let proposal = self.proposed(hot);
        let proposing = begun.elapsed();
        let begun = Instant::now();
        self.approve(&proposal);
        (proposing, BATCH as f64 / begun.elapsed().as_secs_f64())
    }

    /// Two batches whose approvals come at once, as the yardstick has two clients; entries a second of both.
    fn post_two(&mut self) -> f64 {
        let proposals = [self.proposed(false), self.proposed(false)];
        let begun = Instant::now();
        let bench = &*self;
        std::thread::scope(|scope| {
            for proposal in &proposals {
                let _ = scope.spawn(move || bench.approve(proposal));
            }
        });
        2.0 * BATCH as f64 / begun.elapsed().as_secs_f64()
    }

    fn proposed(&mut self, hot: bool) -> Value {
        let rows: Vec<Value> = (0..BATCH).map(|n| entry(self.entries + n, hot)).collect();
        let body = json!({"mode": "atomic", "reason": "Load", "entries": rows});
        self.entries += BATCH;
        self.service.post("/v1/ledger/entries/batch", &self.finance, &body).expect(201)["proposal"].clone()
    }

    fn approve(&self, proposal: &Value) {
        let path = format!("/v1/ledger/entries/{}/approve", proposal["id"].as_str().unwrap_or_default());
        let seen = json!({"content_sha256": proposal["content_sha256"]});
        let _ = self.service.post(&path, &self.approver, &seen).expect(200);
    }
}

/// Four postings: three providers' accounts and one that all entries share, or all against one provider.
fn entry(n: usize, hot: bool) -> Value {
    let side = |place: u128, cents: i64| {
        let place = if hot { 1 } else { 1 + (n as u128 * 7_919 + place * 104_729) % PROVIDERS };
        let party = OrganisationId::new(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0000 | place)).to_string();
        json!({"account": {"kind": "provider_receivable", "party_id": party}, "amount": {"amount": cents, "currency": "AUD"}})
    };
    let last = json!({"account": {"kind": "opening_balance"}, "amount": {"amount": -1_000, "currency": "AUD"}});
    json!({"kind": "adjustment", "effective_on": "2026-11-20", "postings": [side(0, 500), side(1, 300), side(2, 200), last]})
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or(0.0)
}

fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}
