//! How much one caller may ask.

use std::net::{IpAddr, Ipv4Addr};

use api::config::EdgeArgs;
use api::http::limits::{CALLERS, Caller, Limits, SHARED};
use domain::access::Role;
use harness::server::Service;
use uuid::Uuid;

fn limited(requests: u32) -> Service {
    Service::edged(EdgeArgs { rate_limit_per_minute: requests, ..EdgeArgs::default() })
}

#[test]
fn who_asks_too_much_is_told_when_to_come_back_and_nobody_else_is() {
    let service = limited(2);
    let (greedy, other) = (service.operator(), service.partner());
    let first = service.get("/v1/me", &greedy);
    assert_eq!(first.status, 200);
    assert_eq!(first.header("ratelimit"), Some("\"default\";r=1;t=30"));
    assert_eq!(first.header("ratelimit-policy"), Some("\"default\";q=2;w=60"));
    assert_eq!(service.get("/v1/me", &greedy).header("ratelimit"), Some("\"default\";r=0;t=60"));
    let refused = service.get("/v1/me", &greedy);
    let _ = refused.problem(429, "rate_limited");
    assert_eq!(refused.header("ratelimit"), Some("\"default\";r=0;t=60"));
    assert_eq!(refused.header("ratelimit-policy"), Some("\"default\";q=2;w=60"));
    let wait: u64 = refused.header("retry-after").expect("a time").parse().expect("seconds");
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(service.get("/v1/me", &other).status, 200);
}

#[test]
fn without_a_token_the_address_is_counted_and_health_is_not() {
    let service = limited(2);
    for _ in 0..2 {
        let _ = service.send("GET", "/v1/me", &[], None).problem(401, "unauthenticated");
    }
    let _ = service.send("GET", "/v1/me", &[], None).problem(429, "rate_limited");
    let _ = service.send("GET", "/v1/me", &[("authorization", "Basic YTpi")], None).problem(429, "rate_limited");
    for _ in 0..4 {
        let live = service.send("GET", "/health/live", &[], None);
        assert_eq!((live.status, live.header("ratelimit")), (200, None));
    }
    assert_eq!(service.get("/v1/me", &service.operator()).status, 200);
}

#[test]
fn who_guesses_tokens_is_counted_by_address_and_who_has_a_good_one_is_not() {
    let service = limited(3);
    let good = service.operator();
    for n in 0..3 {
        let _ = service.get("/v1/me", &format!("guess.{n}.x")).problem(401, "unauthenticated");
    }
    for n in 3..6 {
        let refused = service.get("/v1/me", &format!("guess.{n}.x"));
        let _ = refused.problem(429, "rate_limited");
        assert!(refused.header("retry-after").is_some());
        assert_eq!(refused.header("ratelimit").map(|left| left.starts_with("\"default\";r=0;")), Some(true));
    }
    // Nor is anybody else at that address taken for a guesser who has a good one.
    assert_eq!(service.get("/v1/me", &good).status, 200);
    let _ = service.send("GET", "/v1/me", &[], None).problem(429, "rate_limited");
}

#[test]
fn an_unchanged_answer_tells_the_quota_too() {
    let service = limited(9);
    let authorization = format!("Bearer {}", service.operator());
    let path = format!("/v1/organisations/{}", service.platform.introducer);
    let read = service.send("GET", &path, &[("authorization", authorization.as_str())], None);
    let etag = read.header("etag").expect("an ETag").to_owned();
    let headers = [("authorization", authorization.as_str()), ("if-none-match", etag.as_str())];
    let again = service.send("GET", &path, &headers, None);
    assert_eq!((again.status, again.header("etag")), (304, Some(etag.as_str())));
    assert_eq!((again.body.len(), again.header("content-type")), (0, None));
    assert!(again.header("ratelimit").is_some_and(|left| left.starts_with("\"default\";r=7;")));
    for (known, status) in
        [(format!("W/{etag}"), 304), (format!("\"other\", {etag}"), 304), ("*".into(), 304), ("\"other\"".into(), 200)]
    {
        let headers = [("authorization", authorization.as_str()), ("if-none-match", known.as_str())];
        assert_eq!(service.send("GET", &path, &headers, None).status, status, "{known}");
    }
}

#[test]
fn another_token_is_no_other_caller() {
    let service = limited(2);
    let token = || service.token_of(Uuid::from_u128(7), &[Role::Auditor], None, None);
    assert_eq!(service.get("/v1/me", &token()).status, 200);
    assert_eq!(service.get("/v1/me", &token()).status, 200);
    let _ = service.get("/v1/me", &token()).problem(429, "rate_limited");
}

#[test]
fn nobody_is_limited_where_the_limit_is_off() {
    let service = Service::start();
    let token = service.token(&[Role::Auditor], None, None);
    for _ in 0..20 {
        let reply = service.get("/v1/me", &token);
        assert_eq!((reply.status, reply.header("ratelimit")), (200, None));
    }
}

#[test]
fn memory_is_bounded_however_many_callers_there_are() {
    let limits = Limits::per_minute(1);
    for n in 0..u32::try_from(CALLERS).expect("a small number") + 20_000 {
        let address = Some(IpAddr::V4(Ipv4Addr::from(n)));
        let _ = limits.take(Caller::known(Uuid::from_u128(n.into()), None), address);
    }
    assert!(limits.held() > CALLERS / 2, "{}", limits.held());
    assert!(limits.held() <= CALLERS + usize::from(SHARED), "{}", limits.held());
    let quick = Limits::per_minute(u32::MAX);
    for n in 0..20_000_u32 {
        let _ = quick.take(Caller::known(Uuid::from_u128(n.into()), None), None);
    }
    assert!(quick.held() < 10_000, "{}", quick.held());
}
