//! Schemathesis with every check, as an administrator and as a partner, against a service on which everything
//! exists. `FLIP360_CONTRACT_EXAMPLES` says how many requests an operation gets; `make contract` asks for 200.

use harness::server::Service;
use harness::skip::{installed, workspace};

use crate::tool;

/// What a fuzzer cannot judge, and which tests do.
const ELSEWHERE: [&str; 4] = [
    // Streams have no end that it could wait for: tests/events.
    "stream_events",
    "stream_ledger",
    "stream_job",
    // Whatever Stripe did not sign is refused, and without Stripe's secrets all of it is: tests/stripe.
    "receive_stripe_event",
];

fn fuzz(service: &Service, who: &str, token: &str) {
    let Some(mut schemathesis) = tool::python("schemathesis") else { return };
    let examples = std::env::var("FLIP360_CONTRACT_EXAMPLES").unwrap_or_else(|_| "5".to_owned());
    let contract = workspace().join("tests/contract");
    let report = installed(&format!("{who}.json"));
    let ids = serde_json::to_string(&harness::site::ids(service)).expect("JSON");
    schemathesis
        .current_dir(installed(""))
        .env("FLIP360_CONTRACT_IDS", ids)
        .env("PYTHONPATH", &contract)
        .arg("--config-file")
        .arg(contract.join("schemathesis.toml"))
        .arg("run")
        // The content of an agreement has many rules: most of what chance writes is thrown away before it is sent.
        .arg("--suppress-health-check=filter_too_much")
        .arg(workspace().join("openapi/flip360.v1.json"))
        .args(["--url", &service.url, "--checks", "all", "--max-examples", &examples, "--seed", "360"])
        .args(["--continue-on-failure", "--report", "json", "--report-json-path"])
        .arg(report)
        .args(["--header", &format!("Authorization: Bearer {token}")]);
    for operation in ELSEWHERE {
        schemathesis.args(["--exclude-operation-id", operation]);
    }
    let _ = tool::run(&mut schemathesis);
}

#[test]
fn an_administrator_finds_no_fault() {
    let service = harness::site::populated();
    fuzz(&service, "administrator", &service.operator());
}

#[test]
fn a_partner_finds_no_fault() {
    let service = harness::site::populated();
    fuzz(&service, "partner", &service.partner());
}
