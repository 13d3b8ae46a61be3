//! Simulations over real data: what they find is what the ledger has, what SQL works out, and the same each time.

mod document;
mod history;
mod http;
mod jobs;
mod synthetic;

use domain::agreements::VersionContent;
use domain::agreements::reference;
use domain::simulation::population::PopulationFilter;
use domain::simulation::{Found, Population, Proposal, Shocks, Simulation, gather, run};
use harness::platform::Platform;
use serde_json::{Value, json};

const DEALS: &[u8] = include_bytes!("../../data/v01/v01-deals.csv");
const MEMBERS: &str = include_str!("../../data/v01/v01-members.csv");

/// A partner's whole export, recorded.
fn imported() -> Platform {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let report = platform.import(DEALS);
    assert!(report.created > 1_000);
    platform
}

/// V01's version as JSON, changed.
fn changed(change: impl FnOnce(&mut Value)) -> VersionContent {
    let v01 = reference::v01().expect("the reference");
    let mut content = serde_json::to_value(v01.content()).expect("JSON");
    change(&mut content);
    VersionContent::parse(&serde_json::to_vec(&content).expect("JSON")).expect("content")
}

fn higher() -> VersionContent {
    changed(|content| content["components"][0]["rate"]["rate"] = "0.007".into())
}

/// With a trail of 0.24 % a year beside it, paid monthly to the member.
fn with_trail() -> VersionContent {
    changed(|content| {
        let trail = json!({"key": "trail", "name": "Trail", "trigger": {"kind": "trail"}, "predicate": {"op": "all", "of": []},
            "rate": {"kind": "trail", "annual_rate": "0.0024", "periods_per_year": 12},
            "split": [{"role": "member", "share": "1"}], "hold": {"days": 10, "funding_rule": "on_expiry"},
            "combine": {"group": "trail", "mode": "sum"}});
        content["components"].as_array_mut().expect("components").push(trail);
    })
}

fn proposal(content: VersionContent) -> Vec<Proposal> {
    vec![Proposal { name: "candidate".into(), content }]
}

fn simulation(platform: &Platform, proposals: Vec<Proposal>, population: Population) -> Simulation {
    Simulation {
        scenarios: gather(platform.store(), proposals).expect("versions"),
        population,
        shocks: Shocks::default(),
        seed: 1,
        changes: 100,
        threads: 2,
    }
}

fn all() -> Population {
    Population::History(PopulationFilter::default())
}

fn found(platform: &Platform, simulation: &Simulation) -> Found {
    run(platform.store(), simulation, &mut |_| Ok(())).expect("a report")
}

fn bytes(found: &Found) -> Vec<u8> {
    serde_json::to_vec(&found.report).expect("JSON")
}
