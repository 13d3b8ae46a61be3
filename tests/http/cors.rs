//! Which web pages may ask.

use api::config::EdgeArgs;
use api::http::cors::origin;
use harness::server::{Reply, Service};

const PORTAL: &str = "https://portal.example.com";

fn open_to(origins: &[&str]) -> Service {
    let cors_origins = origins.iter().map(|text| (*text).to_owned()).collect();
    Service::edged(EdgeArgs { cors_origins, rate_limit_per_minute: 100, ..EdgeArgs::default() })
}

fn preflight(service: &Service, origin: &str, method: &str, headers: &str) -> Reply {
    let asked =
        [("origin", origin), ("access-control-request-method", method), ("access-control-request-headers", headers)];
    service.send("OPTIONS", "/v1/organisations", &asked, None)
}

fn words(reply: &Reply, name: &str) -> Vec<String> {
    let mut words: Vec<_> =
        reply.header(name).unwrap_or_default().split(',').map(|word| word.trim().to_ascii_lowercase()).collect();
    words.sort();
    words
}

#[test]
fn a_preflight_of_a_named_origin_is_told_what_it_may_send() {
    let service = open_to(&[PORTAL, "http://localhost:3000"]);
    for page in [PORTAL, "http://localhost:3000"] {
        let reply = preflight(&service, page, "PATCH", "authorization, content-type, if-match, idempotency-key");
        assert!((200..300).contains(&reply.status), "{}", reply.status);
        assert_eq!(reply.header("access-control-allow-origin"), Some(page));
        assert_eq!(reply.header("access-control-allow-credentials"), None);
        assert!(words(&reply, "access-control-allow-methods").contains(&"patch".to_owned()));
        assert!(words(&reply, "access-control-allow-headers").contains(&"if-match".to_owned()));
        assert!(words(&reply, "vary").contains(&"origin".to_owned()));
        assert_eq!(reply.header("ratelimit"), None);
    }
}

#[test]
fn another_origin_and_another_header_are_refused() {
    let service = open_to(&[PORTAL]);
    for (page, method, header) in [
        ("https://elsewhere.example.com", "GET", "authorization"),
        ("null", "GET", "authorization"),
        (PORTAL, "TRACE", "authorization"),
        (PORTAL, "GET", "x-anything"),
    ] {
        let reply = preflight(&service, page, method, header);
        let _ = reply.problem(400, "bad_request");
        assert_eq!(reply.header("access-control-allow-origin"), None, "{page} {method} {header}");
    }
    let authorization = format!("Bearer {}", service.operator());
    let headers = [("authorization", authorization.as_str()), ("origin", "https://elsewhere.example.com")];
    let reply = service.send("GET", "/v1/me", &headers, None);
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (200, None));
}

#[test]
fn a_page_may_read_the_headers_that_the_api_speaks_with_on_refusals_too() {
    let service = open_to(&[PORTAL]);
    let expected = [
        "deprecation",
        "etag",
        "idempotency-replayed",
        "link",
        "location",
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
        "sunset",
        "traceparent",
        "x-request-id",
    ];
    let authorization = format!("Bearer {}", service.operator());
    let read = service.send("GET", "/v1/me", &[("authorization", &authorization), ("origin", PORTAL)], None);
    let refused = service.send("GET", "/v1/me", &[("origin", PORTAL)], None);
    let _ = refused.problem(401, "unauthenticated");
    for reply in [&read, &refused] {
        assert_eq!(reply.header("access-control-allow-origin"), Some(PORTAL));
        assert_eq!(words(reply, "access-control-expose-headers"), expected);
        assert!(words(reply, "vary").contains(&"origin".to_owned()));
        assert!(reply.header("ratelimit").is_some() && reply.header("x-request-id").is_some());
    }
}

#[test]
fn without_a_named_origin_no_page_may_read_anything() {
    let service = Service::start();
    let reply = preflight(&service, PORTAL, "GET", "authorization");
    assert_eq!((reply.status, reply.header("access-control-allow-origin")), (204, None));
    let live = service.send("GET", "/health/live", &[("origin", PORTAL)], None);
    assert_eq!((live.status, live.header("access-control-allow-origin")), (200, None));
}

#[test]
fn an_origin_is_written_as_browsers_write_it() {
    for (text, read) in
        [(PORTAL, PORTAL), ("HTTPS://Portal.Example.com", PORTAL), ("http://[::1]:3000", "http://[::1]:3000")]
    {
        assert_eq!(origin(text).as_deref(), Ok(read));
    }
    for text in [
        "*",
        "null",
        "",
        "portal.example.com",
        "https://portal.example.com/",
        "https://portal.example.com/app",
        "https://portal.example.com:443",
        "https://*.example.com",
        "https://user@portal.example.com",
        "file:///tmp",
    ] {
        assert!(origin(text).is_err(), "{text}");
    }
}
