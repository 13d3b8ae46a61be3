//! How the service does: the error rate of the last minutes, the figures for scrapers, jobs followed live.

mod partitions;

use std::collections::BTreeMap;
use std::sync::mpsc;

use domain::access::Role;
use domain::kernel::Instant;
use harness::platform::Platform;
use harness::server::Service;
use serde_json::json;

const EXPORT: &[u8] = include_bytes!("../../data/v01/v01-example-deals.csv");
const MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");

fn at(text: &str) -> Instant {
    Instant::new(text.parse().expect("a time"))
}

#[test]
fn errors_count_for_as_long_as_the_window_and_only_staff_sees_them() {
    let service = Service::start();
    let rate = |minutes: u16| {
        let staff = service.token(&[Role::Support], None, None);
        service.get(&format!("/v1/operations/error-rate?window_minutes={minutes}"), &staff).expect(200)
    };
    let clock = |text: &str| service.clock.set(at(text));
    clock("2026-11-23T12:00:30Z");
    let staff = service.token(&[Role::Support], None, None);
    for _ in 0..3 {
        let _ = service.get("/v1/organisations", &staff).expect(200);
    }
    let _ = service.get("/v1/nowhere", &staff).expect(404);
    let now = rate(1);
    assert_eq!((&now["requests"], &now["client_errors"], &now["server_errors"]), (&json!(4), &json!(1), &json!(0)));
    assert_eq!(now["error_rate"], "0.000000");
    clock("2026-11-23T12:04:59Z");
    // The first reading counts from now on too.
    assert_eq!(rate(5)["requests"], 5);
    assert_eq!(rate(4)["requests"], 1);
    clock("2026-11-23T12:05:00Z");
    assert_eq!(rate(5)["requests"], 2);
    // After an hour the same place is used again.
    clock("2026-11-23T13:00:30Z");
    assert_eq!(rate(60)["requests"], 3);
    let staff = service.token(&[Role::Support], None, None);
    for wrong in [0, 61] {
        let path = format!("/v1/operations/error-rate?window_minutes={wrong}");
        let _ = service.get(&path, &staff).problem(400, "window_out_of_range");
    }
    for token in [service.partner(), service.token(&[Role::Investor], None, None)] {
        let _ = service.get("/v1/operations/error-rate", &token).problem(403, "insufficient_scope");
    }
}

/// The figures, from their own listener.
fn figures(service: &Service) -> String {
    let (app, (started, ready)) = (service.app.clone(), mpsc::channel());
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let address = "127.0.0.1:0".parse().expect("an address");
            let (server, address) = api::server::start_metrics(app, address).expect("it binds");
            started.send((address, server.handle())).expect("the test waits");
            server.await.expect("it serves");
        });
    });
    let (address, handle) = ready.recv().expect("it starts");
    let mut answer = ureq::get(format!("http://{address}/metrics")).call().expect("an answer");
    let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).map(str::to_owned);
    assert_eq!(kind.as_deref(), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = answer.body_mut().read_to_string().expect("a text");
    assert!(ureq::get(format!("http://{address}/v1/me")).call().is_err(), "nothing else is served there");
    actix_web::rt::System::new().block_on(handle.stop(false));
    let _ = thread.join();
    text
}

/// Samples by their name with labels; every name has its help and its type, said once and before.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let (mut types, mut found) = (BTreeMap::new(), BTreeMap::new());
    for line in text.lines() {
        if let Some(said) = line.strip_prefix("# TYPE ") {
            let (name, kind) = said.split_once(' ').expect("a type");
            assert_eq!(types.insert(name.to_owned(), kind.to_owned()), None, "{name} has two types");
        } else if !line.starts_with("# HELP ") {
            let (name, value) = line.rsplit_once(' ').expect("a sample");
            let bare = name.split('{').next().expect("a name");
            let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| bare.strip_suffix(end)).unwrap_or(bare);
            assert!(types.contains_key(family), "{family} has no type");
            assert!(found.insert(name.to_owned(), value.parse().expect("a number")).is_none(), "{name} twice");
        }
    }
    found
}

#[test]
fn figures_count_requests_by_operation_and_say_what_waits() {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let _ = platform.upload(EXPORT);
    let service = Service::over(platform);
    let operator = service.operator();
    let _ = service.post("/v1/organisations", &operator, &json!({"kind": "provider", "name": "X"})).expect(201);
    for _ in 0..5 {
        let _ = service.get("/v1/verticals", &operator).expect(200);
    }
    let _ = service.get("/v1/verticals?limit=0", &operator).expect(400);
    let _ = service.get("/nowhere", &operator).expect(404);
    let found = samples(&figures(&service));
    let of = |name: &str| found.get(name).copied();
    assert_eq!(of("flip360_http_requests_total{operation=\"list_verticals\",status=\"2xx\"}"), Some(5.0));
    assert_eq!(of("flip360_http_requests_total{operation=\"list_verticals\",status=\"4xx\"}"), Some(1.0));
    assert_eq!(of("flip360_http_requests_total{operation=\"none\",status=\"4xx\"}"), Some(1.0));
    let name = "flip360_http_request_duration_seconds";
    assert_eq!(of(&format!("{name}_count{{operation=\"list_verticals\"}}")), Some(6.0));
    assert_eq!(of(&format!("{name}_bucket{{operation=\"list_verticals\",le=\"+Inf\"}}")), Some(6.0));
    let mut buckets: Vec<(f64, f64)> = found
        .iter()
        .filter_map(|(name, count)| {
            let bound =
                name.strip_prefix("flip360_http_request_duration_seconds_bucket{operation=\"list_verticals\",le=\"")?;
            Some((bound.trim_end_matches("\"}").replace("+Inf", "inf").parse().expect("a bound"), *count))
        })
        .collect();
    buckets.sort_by(|a, b| a.0.total_cmp(&b.0));
    assert!(buckets.len() > 5 && buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{buckets:?}");
    assert_eq!(of("flip360_backlog{queue=\"jobs_queued\"}"), Some(1.0));
    let events = service.platform.number("select count(*) from outbox");
    assert!(events > 0);
    assert_eq!(of("flip360_backlog{queue=\"events\"}"), Some(events as f64));
    assert_eq!(of("flip360_batch_waiting{batch=\"referrals\"}"), Some(0.0));
    assert!(of("flip360_database_connections{pool=\"readers\",state=\"open\"}") >= Some(1.0));
    service.work();
    assert_eq!(samples(&figures(&service)).get("flip360_backlog{queue=\"jobs_queued\"}"), Some(&0.0));
    // They are not for everybody who reaches the API.
    let _ = service.get("/metrics", &operator).expect(404);
}

#[test]
fn a_job_is_followed_until_it_has_ended() {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let (_, job) = platform.upload(EXPORT);
    let service = Service::over(platform);
    let path = format!("/v1/jobs/{}/events", job.id);
    let partner = service.partner();
    let mut frames = service.follow(&path, &partner, &[]);
    let (first, event, data) = frames.next().expect("how it stands");
    assert_eq!(
        (event.as_str(), &data["status"], &data["id"]),
        ("job.progress", &json!("queued"), &json!(job.id.to_string()))
    );
    service.work();
    let rest: Vec<_> = frames.collect();
    let (last, event, data) = rest.last().expect("how it ended").clone();
    assert_eq!((event.as_str(), &data["status"]), ("job.ended", &json!("succeeded")));
    assert!(last > first);
    assert_eq!(data, service.get(&format!("/v1/jobs/{}", job.id), &partner).expect(200));
    // Who comes back is told what they have not seen, and nothing twice.
    let marks =
        |seen: &str| service.follow(&path, &partner, &[("last-event-id", seen)]).map(|f| f.0).collect::<Vec<_>>();
    assert_eq!(marks(&first.to_string()), [last]);
    assert_eq!(marks(&last.to_string()), Vec::<u64>::new());
    let _ = service.get(&path, &service.stranger()).problem(404, "not_found");
    let bearer = format!("Bearer {partner}");
    let headers = [("authorization", bearer.as_str()), ("last-event-id", "x")];
    let _ = service.send("GET", &path, &headers, None).problem(400, "invalid_header");
}
