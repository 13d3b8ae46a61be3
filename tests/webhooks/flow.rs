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

#[test]
fn old_deliveries_go_and_a_month_that_was_missed_stops_nothing() {
    use diesel::connection::SimpleConnection as _;
    let service = Service::start();
    let row = |at: &str| {
        format!(
            "insert into webhook_delivery (id, endpoint_id, sequence, event_id, type, subject_id, occurred_at, status, due_at, in_order,
               failures, attempts, claims, created_at)
             values (gen_random_uuid(), gen_random_uuid(), 1, gen_random_uuid(), 'contact.created', gen_random_uuid(), '{at}', 'given_up', '{at}', true, 0, 0, 0, '{at}');"
        )
    };
    let rows = ["2026-07-31T23:00:00Z", "2026-08-10T00:00:00Z", "2026-11-10T00:00:00Z"].map(row).concat();
    service.platform.tamper(&rows);
    let mut owner = service.platform.owner();
    for day in ["2026-08-05", "2026-11-23", "2026-11-23"] {
        owner
            .batch_execute(&format!("set role flip360_writer; select keep_webhook_partitions('{day}')"))
            .expect("kept");
    }
    assert_eq!(service.platform.number("select count(*) from webhook_delivery"), 2);
    assert!(service.platform.refusal_of("select keep_webhook_partitions(current_date + 400)").is_some());
    assert!(service.platform.refusal_of("update webhook_attempt set body = ''").is_some());
    assert!(service.platform.refusal_of("delete from webhook_delivery").is_some());
}
