//! While the log is behind, what would add to it is told to come back; everything else goes on.

use std::time::Duration;

use api::backlog::Backlog;
use domain::kernel::Instant;
use harness::server::Service;
use serde_json::json;

fn later(service: &Service, millis: i64) {
    let now = service.platform.now.timestamp().as_millisecond() + millis;
    service.clock.set(Instant::new(domain_timestamp(now)));
}

fn domain_timestamp(millis: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(millis).expect("a time")
}

#[test]
fn a_stopped_sequencer_is_429_for_what_adds_leaves_until_it_works_again() {
    let service = Service::altered(|app| app.backlog = Backlog::watched(Duration::from_secs(2)));
    let operator = service.operator_of(1);
    let check = |key: &str| service.post_as("/v1/guarantee-runs", &operator, key, &json!({}));
    let _ = check("first").expect(201);
    // Nobody sequences: its leaf waits.
    later(&service, 2_000);
    let _ = check("second").expect(201);
    later(&service, 2_001);
    let behind = check("third");
    let _ = behind.problem(429, "log_behind");
    assert_eq!(behind.header("retry-after"), Some("1"));
    let made = json!({"kind": "introducer", "name": "Goes on", "abn": "51824753556", "external_ref": "on"});
    let _ = service.post_as("/v1/organisations", &operator, "organisation", &made).expect(201);
    let _ = service.get("/v1/guarantee-runs", &operator).expect(200);
    service.sequence();
    let _ = check("third").expect(201);
    assert_eq!(service.platform.number("select count(*) from guarantee_run"), 3);
}

#[test]
fn without_a_limit_nobody_is_told_to_wait() {
    let service = Service::start();
    let operator = service.operator_of(1);
    let _ = service.post_as("/v1/guarantee-runs", &operator, "first", &json!({})).expect(201);
    later(&service, 60_000);
    let _ = service.post_as("/v1/guarantee-runs", &operator, "second", &json!({})).expect(201);
}
