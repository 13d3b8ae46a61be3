//! The conventions of the API over real HTTP: who is let in, what a bad request gets, what the framework
//! would have said by itself.

mod answers;
mod architecture;
mod attacks;
mod cors;
mod headers;
mod idempotency;
mod limits;
mod lists;
mod strictness;

use domain::access::Role;
use harness::server::Service;

#[test]
fn without_a_good_token_nothing_is_told() {
    let service = Service::start();
    let none = service.send("GET", "/v1/me", &[], None);
    let _ = none.problem(401, "unauthenticated");
    assert!(none.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer")));
    for header in ["Bearer", "Basic YTpi", "Bearer x.y.z", "Bearer x y"] {
        let _ = service.send("GET", "/v1/me", &[("authorization", header)], None).problem(401, "unauthenticated");
    }
    let token = service.token(&[Role::Investor], None, None);
    let _ = service.get("/v1/users", &token).problem(403, "insufficient_scope");
    let _ = service.get("/v1/users", &service.operator()).expect(200);
    service.clock.set(domain::kernel::Instant::new("2026-11-23T12:16:00Z".parse().expect("a time")));
    let _ = service.get("/v1/users", &token).problem(401, "unauthenticated");
}

#[test]
fn methods_and_paths_answer_what_they_are() {
    let service = Service::start();
    let _ = service.send("GET", "/v1/nothing", &[], None).problem(404, "not_found");
    let wrong = service.send("POST", "/health/live", &[], None);
    let _ = wrong.problem(405, "method_not_allowed");
    assert_eq!(wrong.header("allow"), Some("GET, HEAD, OPTIONS"));
    let options = service.send("OPTIONS", "/health/live", &[], None);
    assert_eq!((options.status, options.header("allow")), (204, Some("GET, HEAD, OPTIONS")));
    let head = service.send("HEAD", "/health/live", &[], None);
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(service.send("GET", "/health/ready", &[], None).expect(200)["status"], "ok");
}

#[test]
fn a_request_id_goes_in_and_out_unless_it_is_not_sane() {
    let service = Service::start();
    let given = service.send("GET", "/health/live", &[("x-request-id", "mine-1")], None);
    assert_eq!(given.header("x-request-id"), Some("mine-1"));
    let made = service.send("GET", "/health/live", &[("x-request-id", "not sane;")], None);
    assert!(made.header("x-request-id").is_some_and(|id| id.starts_with("req_")));
}

#[test]
fn the_reference_page_is_served_and_loads_nothing_from_outside() {
    let service = Service::start();
    let page = service.send("GET", "/docs/", &[], None);
    let text = String::from_utf8(page.body.clone()).expect("a page");
    assert_eq!(page.status, 200);
    assert!(text.contains("swagger-ui"));
    assert!(!text.contains("src=\"http") && !text.contains("href=\"http"), "{text}");
    let document = service.send("GET", "/openapi.json", &[], None).expect(200);
    assert_eq!(document["openapi"], "3.1.0");
}
