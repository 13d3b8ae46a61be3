//! From what happened to who hears of it.

use serde_json::json;

use crate::receiver::Receiver;
use crate::{create, deliveries, happens};
use harness::server::Service;

#[test]
fn what_happens_is_sent_as_it_is_replayed() {
    let service = Service::start();
    let (receiver, partner) = (Receiver::start(), service.partner());
    let before = happens(&service);
    let _ = service.tell();
    let endpoint = create(&service, &partner, &format!("{}/hooks?a=b", receiver.url), &json!(["contact.created"]));
    let made = happens(&service);
    assert_eq!(service.dispatch(), 1);
    let heard = receiver.heard();
    assert_eq!(heard.len(), 1, "what was before the endpoint is not sent: {before}");
    let event = heard[0].json();
    assert_eq!((&event["type"], &event["subject_id"]), (&json!("contact.created"), &made["id"]));
    assert_eq!(heard[0].path, "/hooks?a=b");
    assert_eq!(heard[0].header("content-type"), "application/json");
    assert_eq!(heard[0].id(), event["id"]);
    let replayed = service.get(&format!("/v1/events/{}", heard[0].id()), &partner);
    assert_eq!(replayed.body, heard[0].body, "the same bytes");
    let logged = deliveries(&service, &partner, &endpoint, "");
    assert_eq!((logged.len(), &logged[0]["status"]), (1, &json!("delivered")));
    assert_eq!(logged[0]["attempts"][0]["status"], 204);
    assert_eq!(service.dispatch(), 0, "and never again");
}
