//! What every answer carries.

use api::policy::Policy;
use harness::server::{Reply, Service};
use harness::site;
use utoipa::openapi::Deprecated;

fn answers(service: &Service) -> Vec<(String, Reply)> {
    let (token, member) = (service.operator(), service.stranger());
    let mut answers = Vec::new();
    for path in [
        "/v1/me",
        "/v1/deals",
        "/v1/nothing",
        "/health/live",
        "/openapi.json",
        "/checkpoint",
        "/.well-known/jwks.json",
        "/docs/",
        "/nothing",
    ] {
        for bearer in [&token, &member, &"x.y.z".to_owned()] {
            answers.push((path.to_owned(), service.get(path, bearer)));
        }
    }
    let unreadable = service.post("/v1/organisations", &token, &serde_json::json!(["x"]));
    answers.push(("/v1/organisations".to_owned(), unreadable));
    answers.push(("/v1/deals".to_owned(), service.send("OPTIONS", "/v1/deals", &[], None)));
    answers
}

#[test]
fn browsers_may_do_nothing_with_an_answer_and_caches_keep_none() {
    let service = site::populated();
    for (path, reply) in answers(&service) {
        let header = |name: &str| reply.header(name).unwrap_or_else(|| panic!("{path} {}: no {name}", reply.status));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(header("x-frame-options"), "DENY");
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert_eq!(policy.contains("script-src"), path == "/docs/", "{path}");
        assert!(!policy.contains("unsafe-eval") && !policy.contains('*'), "{path}: {policy}");
        // The tests' public address has TLS.
        assert!(header("strict-transport-security").starts_with("max-age="));
        let cache = header("cache-control");
        let private = path.starts_with("/v1") || reply.status >= 400;
        assert!(!private || cache == "no-store", "{path} {}: {cache}", reply.status);
    }
    for secret in ["/oauth/token", "/oauth/revoke"] {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        assert_eq!(service.send("POST", secret, &form, Some(b"a=b")).header("cache-control"), Some("no-store"));
    }
}

#[test]
fn the_reference_page_runs_nothing_that_its_policy_forbids() {
    let service = Service::start();
    let page = service.send("GET", "/docs/", &[], None);
    let text = String::from_utf8(page.body).expect("a page");
    // Scripts come from files alone: one that stands in the page would not run.
    for script in text.split("<script").skip(1) {
        let (tag, rest) = script.split_once('>').expect("a tag");
        assert!(tag.contains("src=\"./") || tag.contains("src=\""), "{tag}");
        assert!(rest.trim_start().starts_with("</script>"), "{rest}");
    }
    assert!(!text.contains("onload=") && !text.contains("javascript:"), "{text}");
}

#[test]
fn a_trace_goes_on_in_the_answer_and_what_is_none_is_not_repeated() {
    let service = Service::start();
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    for (path, status) in [("/health/live", 200), ("/v1/me", 401), ("/v1/nothing", 404)] {
        let given = format!("00-{trace}-{parent}-01");
        let reply = service.send("GET", path, &[("traceparent", &given)], None);
        let own = reply.header("traceparent").expect("a trace").to_owned();
        let parts: Vec<&str> = own.split('-').collect();
        assert_eq!((reply.status, parts[0], parts[1], parts[3], parts.len()), (status, "00", trace, "01", 4), "{own}");
        assert!(parts[2].len() == 16 && parts[2] != parent && parts[2] != "0".repeat(16), "{own}");
    }
    for given in [
        "",
        "00-x-y-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ] {
        let reply = service.send("GET", "/health/live", &[("traceparent", given)], None);
        assert_eq!((reply.status, reply.header("traceparent")), (200, None), "{given}");
    }
    let given = format!("00-{trace}-{parent}-00");
    let twice = service.send("GET", "/health/live", &[("traceparent", &given), ("traceparent", &given)], None);
    assert_eq!(twice.header("traceparent"), None);
    assert_eq!(service.send("GET", "/health/live", &[], None).header("traceparent"), None);
}

#[test]
fn an_operation_on_its_way_out_says_so_with_every_answer() {
    let mut document = api::openapi::document();
    let item = document.paths.paths.get_mut("/v1/verticals").expect("a path");
    let operation = item.get.as_mut().expect("an operation");
    operation.deprecated = Some(Deprecated::True);
    let extensions = operation.extensions.get_or_insert_default();
    extensions.insert("x-deprecated-on".to_owned(), "2026-11-25".into());
    extensions.insert("x-sunset-on".to_owned(), "2027-06-30".into());
    let service = Service::altered(|app| app.policy = Policy::of(&document));
    for reply in [service.get("/v1/verticals", &service.operator()), service.get("/v1/verticals", "x.y.z")] {
        // RFC 9745, 2.1: a date of RFC 9651 in seconds since 1970. RFC 8594, 3: a date of RFC 9110.
        assert_eq!(reply.header("deprecation"), Some("@1795564800"), "{}", reply.status);
        assert_eq!(reply.header("sunset"), Some("Wed, 30 Jun 2027 00:00:00 GMT"), "{}", reply.status);
    }
    let other = service.get("/v1/products", &service.operator());
    assert_eq!((other.status, other.header("deprecation"), other.header("sunset")), (200, None, None));
}
