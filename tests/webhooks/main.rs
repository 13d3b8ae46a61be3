//! Webhooks over real PostgreSQL and real HTTP: endpoints, signatures, order, retries, crashes, walls.

mod deliveries;
mod endpoints;
mod flow;
mod isolation;
mod owners;
mod receiver;
mod signatures;
mod visibility;
mod wall;

use domain::kernel::Instant;
use harness::server::Service;
use jiff::SignedDuration;
use serde_json::{Value, json};

/// An endpoint that was made over HTTP.
struct Made {
    id: String,
    secret: String,
    view: Value,
}

fn create(service: &Service, token: &str, url: &str, event_types: &Value) -> Made {
    create_as(service, token, &json!({"url": url, "event_types": event_types}))
}

fn create_as(service: &Service, token: &str, body: &Value) -> Made {
    let view = service.post("/v1/webhook-endpoints", token, body).expect(201);
    let text = |key: &str| view[key].as_str().unwrap_or_default().to_owned();
    Made { id: text("id"), secret: text("secret"), view }
}

/// Something happens: the introducer's organisation gets a contact.
fn happens(service: &Service) -> Value {
    let body = json!({"organisation_id": service.platform.introducer.to_string(), "kind": "company", "name": "Harbour Pty Ltd"});
    service.post("/v1/contacts", &service.operator(), &body).expect(201)
}

/// Something happens again to the same: the introducer's organisation is changed.
fn changes(service: &Service, name: &str) {
    let path = format!("/v1/organisations/{}", service.platform.introducer);
    let etag = service.get(&path, &service.operator()).header("etag").expect("an ETag").to_owned();
    let _ = service.patch(&path, &service.operator(), &etag, &json!({"name": name})).expect(200);
}

fn deliveries(service: &Service, token: &str, endpoint: &Made, query: &str) -> Vec<Value> {
    let path = format!("/v1/webhook-endpoints/{}/deliveries?{query}", endpoint.id);
    service.get(&path, token).expect(200)["data"].as_array().expect("a list").clone()
}

/// Time passes.
fn later(service: &Service, wait: SignedDuration) -> Instant {
    use domain::kernel::time::Clock as _;
    let now = Instant::new(service.clock.now().timestamp().checked_add(wait).expect("a time"));
    service.clock.set(now);
    now
}
