//! The generated clients take a referral to money in the bank file: in TypeScript, Python and Rust, each
//! compiled as strictly as its language can, against a service that runs.

use std::process::Command;

use harness::skip::workspace;
use serde_json::{Value, json};

use crate::client::Place;
use crate::live::Live;
use crate::tool;

/// Runs a story; what it says must be so, by the service's own tables.
fn told(story: &mut Command) {
    let live = Live::start();
    live.tell(story);
    let told = tool::run(story);
    let told: Value = serde_json::from_str(told.lines().last().unwrap_or_default()).expect("a line of JSON");
    let platform = &live.service.platform;
    let earned = platform.number("select earned_minor from commission_line where role = 'member'");
    assert_eq!(told["lines"][0], earned, "{told}");
    assert_eq!(told["paid_minor"], platform.number("select sum(amount_minor) from payout"), "{told}");
    let events = told["events"].as_array().expect("events");
    assert_eq!(events.first(), Some(&json!("deal.referred")), "{told}");
    assert!(events.contains(&json!("deal.settled")), "{told}");
    assert_eq!(told["receipt"], true);
    // A header, the payment, the balancing debit, a trailer.
    assert_eq!(told["file_lines"], 4);
}

#[test]
fn typescript_takes_a_referral_to_its_payout() {
    let Some(place) = Place::typescript("typescript") else { return };
    place.copy("story.ts", "story.ts");
    told(&mut place.compiled());
}

#[test]
fn python_takes_a_referral_to_its_payout() {
    let Some(place) = Place::python("python") else { return };
    place.copy("story.py", "story.py");
    let _ = tool::run(place.interpreted().args(["-m", "mypy", "--strict", "story.py"]));
    told(place.interpreted().arg("story.py"));
}

#[test]
fn rust_takes_a_referral_to_its_payout() {
    let Some(place) = Place::rust("rust") else { return };
    for file in ["Cargo.toml", "Cargo.lock", "src/main.rs"] {
        place.copy(&format!("rust/{file}"), file);
    }
    let target = workspace().join("target/sdks/build");
    let mut build = Command::new(env!("CARGO"));
    build.current_dir(&place.directory).env("CARGO_TARGET_DIR", &target);
    let _ = tool::run(build.args(["build", "--quiet", "--locked"]));
    told(&mut Command::new(target.join("debug/flip360-story")));
}
