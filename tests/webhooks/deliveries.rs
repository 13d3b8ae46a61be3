//! Retries, order, the ends of endpoints, crashes, redelivery.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use domain::access::Actor;
use domain::kernel::Instant;
use domain::webhooks::repository::Room;
use domain::webhooks::{retry, work};
use harness::server::Service;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::receiver::{Heard, Receiver, status};
use crate::{changes, create, deliveries, happens, later};

const CHANGED: &str = "organisation.updated";

fn ids(heard: &[Heard]) -> Vec<String> {
    heard.iter().map(|heard| heard.id().to_owned()).collect()
}

fn sequences(heard: &[Heard]) -> Vec<u64> {
    heard.iter().map(|heard| heard.json()["sequence"].as_u64().expect("a number")).collect()
}

fn time(value: &Value) -> Instant {
    Instant::new(value.as_str().expect("a time").parse().expect("a time"))
}

/// A receiver whose answers a test turns from one status to another.
fn turning(first: u16) -> (Receiver, Arc<AtomicU16>) {
    let now = Arc::new(AtomicU16::new(first));
    let own = Arc::clone(&now);
    (Receiver::answering(move |_| status(own.load(Ordering::SeqCst))), now)
}

#[test]
fn a_failure_is_tried_again_with_the_same_id_and_a_new_timestamp() {
    let service = Service::start();
    let (receiver, partner) =
        (Receiver::answering(|_| (503, "content-type: text/plain\r\n".into(), vec![b'x'; 5_000])), service.partner());
    let endpoint = create(&service, &partner, &receiver.url, &json!(["contact.created"]));
    let _ = happens(&service);
    assert_eq!((service.dispatch(), service.dispatch()), (1, 0), "not before its time");
    let logged = deliveries(&service, &partner, &endpoint, "status=pending");
    let attempt = &logged[0]["attempts"][0];
    assert_eq!((&attempt["status"], attempt["response_body"].as_str().map(str::len)), (&json!(503), Some(4_096)));
    let next = time(&logged[0]["next_attempt_at"]).timestamp();
    let wait = next.duration_since(time(&attempt["at"]).timestamp());
    assert!(wait >= SignedDuration::from_secs(5) && wait <= SignedDuration::from_millis(5_500), "{wait}");
    receiver.answer(|_| status(200));
    let _ = later(&service, SignedDuration::from_secs(6));
    assert_eq!(service.dispatch(), 1);
    let heard = receiver.heard();
    assert_eq!(heard[0].id(), heard[1].id());
    assert_eq!(heard[0].body, heard[1].body);
    let at = |n: usize| heard[n].header("webhook-timestamp").parse::<i64>().expect("seconds");
    assert_eq!(at(1) - at(0), 6);
    let logged = deliveries(&service, &partner, &endpoint, "status=delivered");
    assert_eq!((logged.len(), &logged[0]["attempt_count"]), (1, &json!(2)));
    let view = service.get(&format!("/v1/webhook-endpoints/{}", endpoint.id), &partner).expect(200);
    assert_eq!(view.get("failing_since"), None);
}

#[test]
fn redirects_and_silence_are_failures_and_retry_after_is_honoured() {
    let service = Service::start();
    let partner = service.partner();
    let elsewhere = Receiver::start();
    let location = format!("location: {}\r\n", elsewhere.url);
    let redirecting = Receiver::answering(move |_| (307, location.clone(), Vec::new()));
    let busy = Receiver::answering(|_| (429, "retry-after: 3600\r\n".into(), Vec::new()));
    let redirected = create(&service, &partner, &redirecting.url, &json!(["contact.created"]));
    let throttled = create(&service, &partner, &busy.url, &json!(["contact.created"]));
    let closed = create(&service, &partner, "http://127.0.0.1:1/", &json!(["contact.created"]));
    let _ = happens(&service);
    let _ = service.dispatch();
    assert!(elsewhere.heard().is_empty(), "nobody follows");
    let first = |endpoint| deliveries(&service, &partner, endpoint, "").remove(0);
    assert_eq!(
        (&first(&redirected)["status"], &first(&redirected)["attempts"][0]["status"]),
        (&json!("pending"), &json!(307))
    );
    assert_eq!(first(&closed)["attempts"][0]["error"], "connection_failed");
    let throttled = first(&throttled);
    let wait = time(&throttled["next_attempt_at"])
        .timestamp()
        .duration_since(time(&throttled["attempts"][0]["at"]).timestamp());
    assert_eq!(wait, SignedDuration::from_hours(1));
}

#[test]
fn gone_is_gone_at_once() {
    let service = Service::start();
    let partner = service.partner();
    let (receiver, _) = turning(410);
    let listener = Receiver::start();
    let endpoint = create(&service, &partner, &receiver.url, &json!(["contact.created"]));
    let _ = create(&service, &partner, &listener.url, &json!(["webhook_endpoint.disabled"]));
    for _ in 0..3 {
        let _ = happens(&service);
    }
    let _ = service.dispatch();
    let view = service.get(&format!("/v1/webhook-endpoints/{}", endpoint.id), &partner).expect(200);
    assert_eq!((&view["status"], &view["disabled_reason"]), (&json!("disabled"), &json!("gone")));
    assert_eq!(deliveries(&service, &partner, &endpoint, "status=given_up").len(), 3, "nothing waits any more");
    let before = receiver.heard().len();
    let _ = happens(&service);
    let _ = service.dispatch();
    assert_eq!(receiver.heard().len(), before, "and nothing is sent any more");
    let told = listener.heard();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].json()["data"], json!({"endpoint_id": endpoint.id, "reason": "gone"}));
    let given_up = &deliveries(&service, &partner, &endpoint, "limit=1")[0];
    let path = format!("/v1/webhook-endpoints/deliveries/{}/redeliver", given_up["id"].as_str().expect("an id"));
    let _ = service.post(&path, &partner, &json!({})).problem(409, "endpoint_disabled");
}

#[test]
fn three_days_of_failures_disable_with_an_event() {
    let service = Service::start();
    let partner = service.partner();
    let (receiver, _) = turning(500);
    let endpoint = create(&service, &partner, &receiver.url, &json!(["contact.created"]));
    let _ = happens(&service);
    assert_eq!(service.dispatch(), 1);
    for wait in retry::SCHEDULE {
        let view = service.get(&format!("/v1/webhook-endpoints/{}", endpoint.id), &service.partner()).expect(200);
        assert_eq!(view["status"], "enabled");
        let _ = later(&service, wait + wait / 10);
        assert_eq!(service.dispatch(), 1, "once after {wait}");
    }
    let partner = service.partner();
    let view = service.get(&format!("/v1/webhook-endpoints/{}", endpoint.id), &partner).expect(200);
    assert_eq!((&view["status"], &view["disabled_reason"]), (&json!("disabled"), &json!("failing")));
    assert_eq!(receiver.heard().len(), 10);
    let logged = deliveries(&service, &partner, &endpoint, "");
    assert_eq!((&logged[0]["status"], logged[0]["attempts"].as_array().map(Vec::len)), (&json!("given_up"), Some(10)));
    let _ = service.tell();
    let events = service.get("/v1/events?type=webhook_endpoint.disabled", &partner).expect(200);
    assert_eq!(events["data"][0]["data"], json!({"endpoint_id": endpoint.id, "reason": "failing"}));
    // Enabled again it gets what happens from then on.
    let etag = format!("\"{}\"", view["version"]);
    let _ = service
        .patch(&format!("/v1/webhook-endpoints/{}", endpoint.id), &partner, &etag, &json!({"status": "enabled"}))
        .expect(200);
    assert_eq!(service.dispatch(), 0);
}

#[test]
fn of_one_subject_the_earlier_comes_first_and_others_do_not_wait() {
    let service = Service::start();
    let partner = service.partner();
    let (receiver, answer) = turning(500);
    let _ = create(&service, &partner, &receiver.url, &json!([CHANGED, "contact.created"]));
    for n in 0..3 {
        changes(&service, &format!("Harbour {n} Pty Ltd"));
    }
    let _ = service.dispatch();
    assert_eq!(receiver.heard().len(), 1, "the later two wait for the first");
    answer.store(204, Ordering::SeqCst);
    let _ = happens(&service);
    changes(&service, "Harbour 3 Pty Ltd");
    let _ = service.dispatch();
    let heard = receiver.heard();
    assert_eq!(
        (heard.len(), &heard[1].json()["type"]),
        (2, &json!("contact.created")),
        "another subject does not wait"
    );
    let _ = later(&service, SignedDuration::from_secs(6));
    assert_eq!(service.dispatch(), 4);
    let changed: Vec<Heard> = receiver.heard().into_iter().filter(|heard| heard.json()["type"] == CHANGED).collect();
    let numbers = sequences(&changed);
    assert_eq!(numbers.len(), 5);
    assert!(numbers.is_sorted() && numbers[0] == numbers[1], "{numbers:?}");
}

#[test]
fn what_is_given_up_lets_the_next_through() {
    let service = Service::start();
    let partner = service.partner();
    let (receiver, answer) = turning(500);
    let endpoint = create(&service, &partner, &receiver.url, &json!([CHANGED]));
    changes(&service, "Harbour 1 Pty Ltd");
    let _ = service.dispatch();
    // Somebody else succeeds now and then, so the endpoint lives on; the first one never does.
    let probe = format!("/v1/webhook-endpoints/{}/test", endpoint.id);
    for wait in retry::SCHEDULE {
        answer.store(200, Ordering::SeqCst);
        let _ = service.post(&probe, &service.partner(), &json!({})).expect(202);
        let _ = service.dispatch();
        answer.store(500, Ordering::SeqCst);
        let _ = later(&service, wait + wait / 10);
        let _ = service.dispatch();
    }
    let given_up = deliveries(&service, &service.partner(), &endpoint, "status=given_up");
    assert_eq!(given_up.len(), 1);
    answer.store(200, Ordering::SeqCst);
    changes(&service, "Harbour 2 Pty Ltd");
    assert_eq!(service.dispatch(), 1);
    // By hand, with the same id; it neither waits nor keeps others waiting.
    let id = given_up[0]["id"].as_str().expect("an id");
    let again =
        service.post(&format!("/v1/webhook-endpoints/deliveries/{id}/redeliver"), &service.partner(), &json!({}));
    assert_eq!(again.expect(202)["status"], "pending");
    assert_eq!(service.dispatch(), 1);
    let heard = receiver.heard();
    assert_eq!(heard.last().expect("a request").id(), given_up[0]["event_id"].as_str().expect("an id"));
    let delivered = deliveries(&service, &service.partner(), &endpoint, "status=delivered");
    assert!(delivered.iter().any(|d| d["id"] == json!(id) && d["attempt_count"] == 11));
}

#[test]
fn a_crash_between_sending_and_recording_sends_again() {
    let service = Service::start();
    let partner = service.partner();
    let receiver = Receiver::start();
    let endpoint = create(&service, &partner, &receiver.url, &json!([CHANGED]));
    for n in 0..2 {
        changes(&service, &format!("Harbour {n} Pty Ltd"));
    }
    let _ = service.tell();
    let actor = Actor::service();
    let store = service.app.store.as_ref();
    let _ = store.transaction(|uow| work::fan_out(uow, &service.app.env(&actor))).expect("deliveries");
    let room = Room { total: 10, per_endpoint: 10, per_failing: 2, busy: Vec::new() };
    let mut claimed = store.transaction(|uow| work::claim(uow, &service.app.env(&actor), &room)).expect("claims");
    assert_eq!(claimed.len(), 1, "the second waits its turn");
    let again = store.transaction(|uow| work::claim(uow, &service.app.env(&actor), &room)).expect("claims");
    assert!(again.is_empty(), "what is claimed is nobody else's");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let sent = runtime.block_on(api::dispatch::send(&service.app, claimed.remove(0)));
    // The process dies here. Another one waits until the lease is over.
    assert_eq!(service.dispatch(), 0);
    let _ = later(&service, work::LEASE);
    assert_eq!(service.dispatch(), 2);
    let heard = ids(&receiver.heard());
    assert_eq!((heard.len(), heard[0] == heard[1], heard[1] == heard[2]), (3, true, false));
    // What the dead one would have said comes too late and changes nothing.
    store
        .transaction(|uow| work::record(uow, &service.app.env(&actor), std::slice::from_ref(&sent)))
        .expect("recorded");
    let logged = deliveries(&service, &service.partner(), &endpoint, "");
    assert!(logged.iter().all(|delivery| delivery["status"] == "delivered"));
}

#[test]
fn who_lost_its_claim_decides_nothing() {
    let service = Service::start();
    let receiver = Receiver::start();
    let endpoint = create(&service, &service.partner(), &receiver.url, &json!([CHANGED]));
    changes(&service, "Harbour 1 Pty Ltd");
    let _ = service.tell();
    let actor = Actor::service();
    let store = service.app.store.as_ref();
    let _ = store.transaction(|uow| work::fan_out(uow, &service.app.env(&actor))).expect("deliveries");
    let room = Room { total: 10, per_endpoint: 10, per_failing: 2, busy: Vec::new() };
    let claim =
        || store.transaction(|uow| work::claim(uow, &service.app.env(&actor), &room)).expect("claims").remove(0);
    let lost = claim();
    let _ = later(&service, work::LEASE);
    let held = claim();
    let said = |claimed: &domain::webhooks::Claimed, status: u16| domain::webhooks::Sent {
        delivery: claimed.delivery.clone(),
        claim: claimed.claim,
        at: service.app.env(&actor).now,
        duration_ms: 1,
        outcome: domain::webhooks::Outcome::Answered(status),
        retry_after: None,
        body: Vec::new(),
    };
    let record = |sent: &domain::webhooks::Sent| {
        let sent = std::slice::from_ref(sent);
        store.transaction(|uow| work::record(uow, &service.app.env(&actor), sent)).expect("recorded");
    };
    record(&said(&lost, 500));
    assert_eq!(service.platform.number("select failures from webhook_delivery"), 0);
    assert_eq!(service.dispatch(), 0, "it is still claimed");
    record(&said(&held, 204));
    assert_eq!(deliveries(&service, &service.partner(), &endpoint, "status=delivered").len(), 1);
}

#[test]
fn events_become_deliveries_once_however_often_it_is_tried() {
    let service = Service::start();
    let receiver = Receiver::start();
    let _ = create(&service, &service.partner(), &receiver.url, &json!(["contact.created"]));
    for _ in 0..7 {
        let _ = happens(&service);
    }
    let _ = service.tell();
    let actor = Actor::service();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let store = service.app.store.as_ref();
                let _ = store.transaction(|uow| work::fan_out(uow, &service.app.env(&actor))).expect("deliveries");
            });
        }
    });
    assert_eq!(service.platform.number("select count(*) from webhook_delivery"), 7);
    assert_eq!(service.dispatch(), 7);
    assert_eq!(sequences(&receiver.heard()).len(), 7);
}

#[test]
fn an_endpoint_that_fails_gets_fewer_places_until_it_takes_something() {
    let service = Service::start();
    let (receiver, answer) = turning(500);
    let _ = create(&service, &service.partner(), &receiver.url, &json!(["contact.created"]));
    for _ in 0..5 {
        let _ = happens(&service);
    }
    assert_eq!(service.dispatch(), 5);
    let _ = later(&service, SignedDuration::from_secs(6));
    answer.store(204, Ordering::SeqCst);
    let actor = Actor::service();
    let room = Room { total: 10, per_endpoint: 10, per_failing: 2, busy: Vec::new() };
    let store = service.app.store.as_ref();
    let probes = store.transaction(|uow| work::claim(uow, &service.app.env(&actor), &room)).expect("claims");
    assert_eq!(probes.len(), 2);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let sent: Vec<_> =
        probes.into_iter().map(|claimed| runtime.block_on(api::dispatch::send(&service.app, claimed))).collect();
    let next = store.transaction(|uow| work::turn(uow, &service.app.env(&actor), &sent, Some(&room))).expect("claims");
    assert_eq!(next.len(), 3, "it is back");
}
