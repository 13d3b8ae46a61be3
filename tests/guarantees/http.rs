//! Guarantees over HTTP.

use domain::access::Role;
use harness::server::Service;
use serde_json::{Value, json};

use crate::paid;

const RUNS: &str = "/v1/guarantee-runs";

fn outcomes(guarantees: &Value) -> Vec<(&str, &str)> {
    let all = guarantees.as_array().expect("a list");
    all.iter().map(|g| (g["guarantee"].as_str().expect("a name"), g["outcome"].as_str().expect("an outcome"))).collect()
}

#[test]
fn a_run_is_made_kept_and_shown() {
    let service = Service::over(paid());
    let operator = service.operator();
    let before = service.get("/v1/guarantees", &operator).expect(200);
    assert!(outcomes(&before["data"]).iter().all(|(_, outcome)| *outcome == "unchecked"));
    assert!(before.get("last_run").is_none());
    let made = service.post(RUNS, &operator, &json!({}));
    let location = made.header("location").expect("a location").to_owned();
    let run = made.expect(201);
    assert_eq!(run["outcome"], "holds", "{run}");
    let five = ["attribution", "determinism", "integrity", "exactly_once", "payout"].map(|name| (name, "holds"));
    assert_eq!(outcomes(&run["guarantees"]), five);
    assert_eq!(service.get(&location, &operator).expect(200), run);
    let now = service.get("/v1/guarantees", &operator).expect(200);
    assert_eq!(outcomes(&now["data"]), five);
    assert_eq!(now["last_run"]["id"], run["id"]);
    // What is broken is said, and the run is made all the same.
    service.platform.tamper("update ledger_balance set balance_minor = balance_minor + 1");
    let broken = service.post(RUNS, &operator, &json!({})).expect(201);
    assert_eq!(broken["outcome"], "broken");
    let integrity = &broken["guarantees"][2];
    assert_eq!(integrity["outcome"], "broken");
    assert_eq!(integrity["counterexamples"][0]["code"], "balance_differs");
    let listed = service.get(&format!("{RUNS}?limit=1"), &operator).expect(200);
    assert_eq!(listed["data"][0]["id"], broken["id"]);
    let next = listed["next_cursor"].as_str().expect("another page");
    let second = service.get(&format!("{RUNS}?limit=1&cursor={next}"), &operator).expect(200);
    assert_eq!(second["data"][0]["id"], run["id"]);
    assert!(second.get("next_cursor").is_none());
}

#[test]
fn a_retry_makes_no_second_run() {
    let service = Service::over(paid());
    let operator = service.operator();
    let first = service.post_as(RUNS, &operator, "once", &json!({}));
    let again = service.post_as(RUNS, &operator, "once", &json!({}));
    assert_eq!((first.status, &first.body), (201, &again.body));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(service.platform.number("select count(*) from guarantee_run"), 1);
    assert_eq!(service.platform.number("select count(*) from chain_pending where kind = 'guarantee_run'"), 1);
}

#[test]
fn who_may_not_is_told_so() {
    let service = Service::over(paid());
    let investor = service.token(&[Role::Investor], None, None);
    let _ = service.post(RUNS, &investor, &json!({})).problem(403, "insufficient_scope");
    assert_eq!(service.get(RUNS, &investor).expect(200)["data"], json!([]));
    let _ = service.send("GET", RUNS, &[], None).problem(401, "unauthenticated");
    let operator = service.operator();
    let _ = service.post(RUNS, &operator, &json!({"x": 1})).problem(400, "unknown_field");
    for path in
        ["/v1/guarantee-runs/grun_01k0w4q7v8e2rtf3k2m9x5c6dz", "/v1/guarantee-runs/deal_01k0w4q7v8e2rtf3k2m9x5c6dz"]
    {
        let _ = service.get(path, &operator).problem(404, "not_found");
    }
    let _ = service.get(&format!("{RUNS}?cursor=AAAA"), &operator).problem(400, "invalid_cursor");
    let _ = service.get(&format!("{RUNS}?limit=0"), &operator).problem(400, "limit_out_of_range");
}
