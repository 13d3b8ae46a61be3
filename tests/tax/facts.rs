//! What payees are to the tax office, over HTTP: told, read, never changed, and whose it is.

use domain::access::Role;
use harness::server::Service;
use serde_json::{Value, json};

use crate::runs::{payee_of, with_deals};

struct World {
    service: Service,
    admin: String,
    payee: String,
    contact: String,
}

fn world() -> World {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let payee = payee_of(&platform, "M016").to_string();
    let contact = platform.ids_of("select contact_id as id from member where member_ref = 'M016'")[0];
    let contact = domain::kernel::ids::ContactId::new(contact).to_string();
    let introducer = platform.introducer;
    let service = Service::over(platform);
    let admin = service.token(&[Role::PartnerAdmin], Some(introducer), None);
    World { service, admin, payee, contact }
}

fn told(problem: &[(String, String)]) -> Vec<(&str, &str)> {
    problem.iter().map(|(pointer, code)| (pointer.as_str(), code.as_str())).collect()
}

#[test]
fn registration_for_gst_is_a_timeline() {
    let world = world();
    let at = format!("/v1/payees/{}/gst-status", world.payee);
    let tell = |registered: bool, from: &str| {
        world.service.post(&at, &world.admin, &json!({"registered": registered, "from_on": from})).expect(201)
    };
    let first = tell(true, "2026-07-01");
    assert_eq!((first["registered"].clone(), first["from_on"].clone()), (json!(true), json!("2026-07-01")));
    let payee = format!("/v1/payees/{}", world.payee);
    let shown = world.service.get(&payee, &world.admin).expect(200);
    assert_eq!(shown["gst_registered_from"], "2026-07-01");
    let _ = tell(false, "2026-11-01");
    let shown = world.service.get(&payee, &world.admin).expect(200);
    assert_eq!(shown["gst_registered_from"], Value::Null);
    let facts = world.service.get(&at, &world.admin).expect(200);
    let facts: Vec<(bool, &str)> = facts["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|f| (f["registered"].as_bool().expect("a bool"), f["from_on"].as_str().expect("a date")))
        .collect();
    assert_eq!(facts, [(true, "2026-07-01"), (false, "2026-11-01")], "each told once, also by the payee itself");
    // What is told with the payee is a fact too.
    let etag = world.service.get(&payee, &world.admin).header("etag").expect("an ETag").to_owned();
    let body = json!({"gst_registered_from": "2026-11-15"});
    let _ = world.service.patch(&payee, &world.admin, &etag, &body).expect(200);
    let facts = world.service.get(&at, &world.admin).expect(200);
    assert_eq!(facts["data"].as_array().expect("a list").len(), 3, "{facts}");
    assert_eq!(facts["data"][2]["from_on"], "2026-11-15");
    let problem = world.service.post(&at, &world.admin, &json!({"from_on": "soon"})).problem(422, "validation_failed");
    assert_eq!(told(&problem), [("/registered", "required"), ("/from_on", "invalid_date")]);
}

#[test]
fn who_has_no_abn_is_not_registered() {
    use diesel::connection::SimpleConnection as _;
    let world = world();
    world.service.platform.owner().batch_execute("update payee set abn = null").expect("it runs");
    let at = format!("/v1/payees/{}/gst-status", world.payee);
    let body = json!({"registered": true, "from_on": "2026-07-01"});
    let problem = world.service.post(&at, &world.admin, &body).problem(422, "validation_failed");
    assert_eq!(told(&problem), [("/registered", "abn_missing")]);
}

#[test]
fn an_agreement_is_accepted_by_one_of_the_payees_people_and_ends_once() {
    let world = world();
    let at = format!("/v1/payees/{}/rcti-agreements", world.payee);
    let mut body =
        json!({"wording_version": "2026-1", "accepted_by_contact_id": world.contact, "accepted_on": "2026-07-01"});
    let made = world.service.post(&at, &world.admin, &body).expect(201);
    let id = made["id"].as_str().expect("an id");
    assert!(id.starts_with("rcti_"));
    body["accepted_by_contact_id"] = json!("contact_01k0w4q7v8e2rtf3k2m9x5c6dz");
    body["accepted_on"] = json!("2031-01-01");
    let problem = world.service.post(&at, &world.admin, &body).problem(422, "validation_failed");
    assert_eq!(told(&problem), [("/accepted_by_contact_id", "not_found"), ("/accepted_on", "in_future")]);
    let end = |on: &str| {
        world.service.post(&format!("{at}/end"), &world.admin, &json!({"rcti_agreement_id": id, "ended_on": on}))
    };
    let problem = end("2026-06-30").problem(422, "validation_failed");
    assert_eq!(told(&problem), [("/ended_on", "date_out_of_order")]);
    assert_eq!(end("2026-11-30").expect(200)["ended_on"], "2026-11-30");
    let problem = end("2026-12-31").problem(422, "validation_failed");
    assert_eq!(told(&problem), [("/rcti_agreement_id", "ended")]);
    let list = world.service.get(&at, &world.admin).expect(200);
    assert_eq!((list["data"][0]["id"].clone(), list["data"][0]["ended_on"].clone()), (json!(id), json!("2026-11-30")));
}

#[test]
fn a_statement_is_on_file_with_its_reason_and_another_partner_finds_nothing() {
    let world = world();
    let at = format!("/v1/payees/{}/withholding", world.payee);
    let body = json!({"reason": "private_or_hobby", "from_on": "2026-07-01", "to_on": "2027-06-30"});
    let made = world.service.post(&at, &world.admin, &body).expect(201);
    assert_eq!((made["reason"].clone(), made["to_on"].clone()), (json!("private_or_hobby"), json!("2027-06-30")));
    let list = world.service.get(&at, &world.admin).expect(200);
    assert_eq!(list["data"].as_array().expect("a list").len(), 1);
    let stranger = world.service.stranger();
    for path in ["withholding", "gst-status", "rcti-agreements"] {
        let _ = world.service.get(&format!("/v1/payees/{}/{path}", world.payee), &stranger).expect(404);
    }
}
