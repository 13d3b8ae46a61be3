//! Members, their uplines, and those below.

use domain::kernel::Instant;
use domain::kernel::time::Clock as _;
use harness::server::Service;
use serde_json::{Value, json};

use crate::{all_ids, contact, id, member, told};

fn etag(service: &Service, path: &str) -> String {
    service.get(path, &service.partner()).header("etag").expect("an etag").to_owned()
}

/// Dated facts of one member are told apart by the moment they were recorded.
fn tick(service: &Service) {
    let now = service.clock.now().timestamp() + jiff::SignedDuration::from_millis(1);
    service.clock.set(Instant::new(now));
}

/// Changes a member, a moment after whatever was before.
fn change(service: &Service, member: &str, body: &Value) -> harness::server::Reply {
    tick(service);
    let path = format!("/v1/members/{member}");
    let etag = etag(service, &path);
    service.patch(&path, &service.partner(), &etag, body)
}

#[test]
fn a_tree_is_built_and_read_level_by_level() {
    let service = Service::start();
    let top = member(&service, "M001", None);
    let (a, b) = (member(&service, "M002", Some("M001")), member(&service, "M003", Some("M001")));
    let below_a = member(&service, "M004", Some("M002"));
    let deepest = member(&service, "M005", Some("M004"));
    let partner = service.partner();
    let read = service.get(&format!("/v1/members/{below_a}"), &partner).expect(200);
    assert_eq!((&read["upline_id"], &read["member_ref"]), (&json!(a), &json!("M004")));
    let all = service.get(&format!("/v1/members/{top}/downline"), &partner).expect(200);
    let levels: Vec<(String, i64)> =
        all["data"].as_array().expect("rows").iter().map(|m| (id(m), m["level"].as_i64().expect("a level"))).collect();
    assert_eq!(levels, [(a.clone(), 1), (b.clone(), 1), (below_a, 2), (deepest, 3)]);
    assert_eq!(all_ids(&service, &format!("/v1/members/{top}/downline?levels=1&limit=1"), &partner, || ()), [a, b]);
    let _ = service.get(&format!("/v1/members/{top}/downline?levels=0"), &partner).problem(400, "levels_out_of_range");
    let _ = service.get(&format!("/v1/members/{top}/downline"), &service.stranger()).problem(404, "not_found");
    let filtered = service.get(&format!("/v1/members?member_ref=M003&upline_id={top}"), &partner).expect(200);
    assert_eq!(filtered["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(service.get("/v1/members?cohort=none", &partner).expect(200)["data"], json!([]));
}

#[test]
fn no_circle_is_ever_closed() {
    let service = Service::start();
    let top = member(&service, "M001", None);
    let middle = member(&service, "M002", Some("M001"));
    let low = member(&service, "M003", Some("M002"));
    for upline in [
        json!({"upline_id": top}),
        json!({"upline_id": middle}),
        json!({"upline_id": low}),
        json!({"upline_ref": "M003"}),
    ] {
        let refused = change(&service, &top, &upline).problem(422, "validation_failed");
        assert!(told(&refused)[0].ends_with(" upline_cycle"), "{upline}");
    }
    let cohort =
        json!({"organisation_id": service.platform.introducer.to_string(), "code": "2026", "name": "Those of 2026"});
    let _ = service.post("/v1/cohorts", &service.partner(), &cohort).expect(201);
    let moved = change(&service, &low, &json!({"upline_ref": "M001", "cohort": "2026"})).expect(200);
    assert_eq!((&moved["upline_id"], &moved["cohort"]), (&json!(top), &json!("2026")));
    let _ = change(&service, &middle, &json!({"upline_id": low})).expect(200);
    let freed = change(&service, &low, &json!({"upline_id": null})).expect(200);
    assert_eq!(freed.get("upline_id"), None);
    // The dated facts: three first ones, then each move.
    assert_eq!(service.platform.number("select count(*) from member_upline"), 6);
}

#[test]
fn two_moves_at_once_close_no_circle_either() {
    let service = Service::start();
    let (a, b) = (member(&service, "A", None), member(&service, "B", None));
    tick(&service);
    let partner = service.partner();
    let under = |below: &str, above: &str| {
        service.patch(&format!("/v1/members/{below}"), &partner, "\"1\"", &json!({"upline_id": above})).status
    };
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let (one, two) = (scope.spawn(|| under(&a, &b)), scope.spawn(|| under(&b, &a)));
        vec![one.join().expect("no panic"), two.join().expect("no panic")]
    });
    let mut sorted = statuses;
    sorted.sort_unstable();
    assert_eq!(sorted, [200, 422]);
    assert_eq!(service.platform.number("select count(*) from member where upline_id is not null"), 1);
}

#[test]
fn what_a_member_names_must_be_of_its_organisation() {
    let service = Service::start();
    let operator = service.operator();
    let other = service.platform.provider.to_string();
    let foreign_contact = id(&service
        .post("/v1/contacts", &operator, &json!({"organisation_id": other, "kind": "person", "name": "Eve"}))
        .expect(201));
    let foreign = id(&service
        .post(
            "/v1/members",
            &operator,
            &json!({"organisation_id": other, "contact_id": foreign_contact, "member_ref": "X"}),
        )
        .expect(201));
    let own = service.platform.introducer.to_string();
    let body =
        json!({"organisation_id": own, "contact_id": foreign_contact, "member_ref": "M001", "upline_id": foreign});
    let refused = service.post("/v1/members", &service.partner(), &body).problem(422, "validation_failed");
    assert_eq!(told(&refused), ["/contact_id not_found", "/upline_id not_found"]);
    let both = json!({"organisation_id": own, "contact_id": foreign_contact, "member_ref": "a b", "upline_id": foreign, "upline_ref": "X"});
    let refused = service.post("/v1/members", &service.partner(), &both).problem(422, "validation_failed");
    assert_eq!(told(&refused), ["/member_ref invalid_reference", "/upline_ref not_allowed"]);
    let ann = contact(&service, "Ann");
    let body = json!({"organisation_id": own, "contact_id": ann, "member_ref": "M001", "upline_ref": "X"});
    let refused = service.post("/v1/members", &service.partner(), &body).problem(422, "validation_failed");
    assert_eq!(told(&refused), ["/upline_ref not_found"]);
    let body = json!({"organisation_id": own, "contact_id": ann, "member_ref": "M001"});
    let first = service.post("/v1/members", &service.partner(), &body).expect(201);
    let _ = service.post("/v1/members", &service.partner(), &body).problem(409, "member_ref_taken");
    let stranger =
        service.patch(&format!("/v1/members/{}", id(&first)), &service.stranger(), "\"1\"", &json!({"cohort": "x"}));
    let _ = stranger.problem(404, "not_found");
    let _ = service.get(&format!("/v1/members/{foreign}"), &service.partner()).problem(404, "not_found");
    assert_eq!(service.platform.number("select count(*) from member"), 2);
}

#[test]
fn a_chain_of_uplines_has_an_end() {
    let service = Service::start();
    let first = member(&service, "M0", None);
    let chain = "insert into member (id, organisation_id, contact_id, member_ref, upline_id, created_at)
         select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, organisation_id, contact_id, 'C' || n,
           case n when 1 then id else ('00000000-0000-7000-8000-' || lpad((n - 1)::text, 12, '0'))::uuid end, created_at
         from member, generate_series(1, 1000) n where member_ref = 'M0'";
    let facts = "insert into member_upline (member_id, effective_on, upline_id, recorded_at)
         select id, '2026-11-23', upline_id, created_at from member where member_ref like 'C%'";
    for statement in [chain, facts] {
        diesel::connection::SimpleConnection::batch_execute(&mut service.platform.owner(), statement).expect("a chain");
    }
    let _ = member(&service, "fits", Some("C999"));
    let ann = contact(&service, "Ann");
    let body = json!({"organisation_id": service.platform.introducer.to_string(), "contact_id": ann, "member_ref": "deep", "upline_ref": "C1000"});
    let refused = service.post("/v1/members", &service.partner(), &body).problem(422, "validation_failed");
    assert_eq!(told(&refused), ["/upline_ref upline_too_deep"]);
    // A circle is a circle however long it is.
    let closed = change(&service, &first, &json!({"upline_ref": "C1000"})).problem(422, "validation_failed");
    assert!(told(&closed)[0].starts_with("/upline_ref upline_"));
}
