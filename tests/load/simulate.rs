//! Deals a second through a simulation, from PostgreSQL to the report, and the memory that it takes.
//!
//! `simulate-bench [DEALS]`: on a cluster of its own, DEALS deals (1,000,000 when nothing is said) and a tenth and a
//! hundredth of them, written with one statement; each number of them is simulated by the active version of V01 and one
//! candidate, then by a candidate with running totals, for which the deals must come in order. Prints seconds, deals a
//! second and the most memory that this process ever had (`VmHWM`). It ends by itself.

use std::time::Instant;

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use domain::agreements::VersionContent;
use domain::agreements::reference;
use domain::catalogue::reference as catalogue;
use domain::simulation::population::PopulationFilter;
use domain::simulation::{Population, Proposal, Shocks, Simulation, gather, run};
use domain::store::Store;
use persistence::cluster::{Cluster, ClusterConfig, DATABASE, OWNER_ROLE, SERVICE_ROLE};
use persistence::{PgStore, PoolSizes, migrate};

/// Deals of 2,000 members, 40 of whom are everybody's uplines; 6 in 10 settle, 1 in 20 of these unwinds. Nothing else
/// is there, so that foreign keys are not looked at.
const SEED: &str = "
  insert into deal (id, provider_id, introducer_id, member_id, client_id, product_id, vertical_id, stage, source_organisation_id, external_ref,
    referred_on, contracted_on, settled_on, settled_minor, offset_minor, discharged_on, upline_id, agreement_id, version_number, visible_to, created_at, updated_at)
  select md5('deal' || n)::uuid, md5('provider')::uuid, md5('introducer')::uuid, md5('member' || n % 2000)::uuid, md5('client' || n)::uuid,
    (select id from product where code = case n % 2 when 0 then 'FIXED-3Y' else 'VARIABLE-OO' end), (select id from vertical where code = 'V01'),
    case when n % 10 < 6 then 'settled' else 'contracted' end, md5('introducer')::uuid, 'B-' || n,
    date '2024-07-01' + (n::bigint * 7919 % 800)::int, date '2024-07-15' + (n::bigint * 7919 % 800)::int,
    case when n % 10 < 6 then date '2024-08-10' + (n::bigint * 7919 % 800)::int end,
    case when n % 10 < 6 then 20000000 + n::bigint * 104729 % 200000000 end, case when n % 10 < 6 then n::bigint * 31 % 5000000 end,
    case when n % 200 < 6 then date '2025-02-01' + (n::bigint * 7919 % 800)::int end,
    md5('member' || n % 40)::uuid, case when n % 10 < 6 then (select agreement_id from agreement_version) end,
    case when n % 10 < 6 then 1 end, '{}', now(), now()
  from generate_series";

/// The same with a quarterly volume of the member that raises the rate.
const WITH_TOTALS: &str = r#"{"kind":"tiered","of":"net_balance","mode":"whole","by":{"kind":"accumulator","key":"volume"},"tiers":[
  {"from":{"type":"money","value":{"amount":0,"currency":"AUD"}},"pays":{"kind":"percent","rate":"0.006"}},
  {"from":{"type":"money","value":{"amount":500000000,"currency":"AUD"}},"pays":{"kind":"percent","rate":"0.007"}}]}"#;

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn candidate(totals: bool) -> VersionContent {
    let v01 = reference::v01().expect("the reference");
    let mut content = serde_json::to_value(v01.content()).expect("JSON");
    if totals {
        content["accumulators"] =
            serde_json::json!([{"key": "volume", "measure": "settled_amount", "scope": "member", "window": "quarter"}]);
        content["components"][0]["rate"] = serde_json::from_str(WITH_TOTALS).expect("JSON");
    } else {
        content["components"][0]["rate"]["rate"] = "0.007".into();
    }
    VersionContent::parse(&serde_json::to_vec(&content).expect("JSON")).expect("content")
}

/// The most memory that this process ever had, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap_or(0) / 1024
}

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn simulate(store: &dyn Store, totals: bool) -> (u64, f64) {
    let proposal = Proposal { name: "candidate".into(), content: candidate(totals) };
    let begun = Instant::now();
    let simulation = Simulation {
        scenarios: gather(store, vec![proposal]).expect("versions"),
        population: Population::History(PopulationFilter::default()),
        shocks: Shocks::default(),
        seed: 1,
        changes: 10_000,
        threads: 2,
    };
    let found = run(store, &simulation, &mut |_| Ok(())).expect("a report");
    (found.report.population.deals, begun.elapsed().as_secs_f64())
}

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn main() {
    let most: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let directory = std::env::temp_dir().join(format!("flip360-simulate-{}", std::process::id()));
    let cluster = Cluster::start(&ClusterConfig::new(&directory)).expect("the cluster starts");
    let owner = cluster.url(OWNER_ROLE, DATABASE);
    let today = jiff::civil::date(2026, 11, 29);
    let _ = migrate::run(&owner, today).expect("migrations");
    let store = PgStore::new(&cluster.url(SERVICE_ROLE, DATABASE), PoolSizes { writers: 1, readers: 1 });
    let store: &dyn Store = &store;
    let at = domain::kernel::Instant::new("2026-11-29T00:00:00Z".parse().expect("a moment"));
    store
        .transaction(|uow| {
            uow.catalogue().ship(&catalogue::verticals(), &catalogue::products())?;
            uow.agreements().ship(reference::V01_NAME, &reference::v01().expect("the reference"), at)
        })
        .expect("reference data");
    let mut pg = PgConnection::establish(&owner).expect("a connection");
    pg.batch_execute("set session_replication_role = replica").expect("a superuser");
    println!("deals | running totals | s | deals/s | peak MiB");
    let mut there = 0;
    for count in [most / 100, most / 10, most] {
        pg.batch_execute(&format!("{SEED} ({}, {count}) n; analyze deal", there + 1)).expect("deals");
        there = count;
        for totals in [false, true] {
            let (deals, seconds) = simulate(store, totals);
            let kind = if totals { "yes, in order" } else { "no" };
            println!("{deals} | {kind} | {seconds:.2} | {:.0} | {}", deals as f64 / seconds, peak_mib());
        }
    }
    drop(pg);
    drop(cluster);
    let _ = std::fs::remove_dir_all(&directory);
}
