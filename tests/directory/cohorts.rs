//! Cohorts and licences.

use harness::server::Service;
use serde_json::{Value, json};

use crate::{all_ids, contact, id, member, told};

fn cohort(service: &Service, code: &str) -> Value {
    let body = json!({"organisation_id": service.platform.introducer.to_string(), "code": code, "name": code});
    service.post("/v1/cohorts", &service.partner(), &body).expect(201)
}

#[test]
fn a_cohort_is_made_named_anew_by_version_and_seen_by_its_own() {
    let service = Service::start();
    let partner = service.partner();
    let made = cohort(&service, "Year of 2026");
    let path = format!("/v1/cohorts/{}", id(&made));
    let read = service.get(&path, &partner);
    assert_eq!((read.expect(200), read.header("etag")), (made.clone(), Some("\"1\"")));
    let body = json!({"organisation_id": made["organisation_id"], "code": "Year of 2026", "name": "Again"});
    let _ = service.post("/v1/cohorts", &partner, &body).problem(409, "cohort_code_taken");
    let changed = service.patch(&path, &partner, "\"1\"", &json!({"name": "Joined in 2026"}));
    assert_eq!((&changed.expect(200)["name"], changed.header("etag")), (&json!("Joined in 2026"), Some("\"2\"")));
    let _ = service.patch(&path, &partner, "\"1\"", &json!({"name": "X"})).problem(412, "stale");
    let _ = service.patch(&path, &partner, "\"2\"", &json!({"code": "X"})).problem(400, "unknown_field");
    let empty = service.patch(&path, &partner, "\"2\"", &json!({"name": null})).problem(422, "validation_failed");
    assert_eq!(told(&empty), ["/name required"]);
    let faulty = json!({"organisation_id": "org_x", "code": "a\u{0}", "name": ""});
    let faulty = service.post("/v1/cohorts", &partner, &faulty).problem(422, "validation_failed");
    assert_eq!(told(&faulty), ["/organisation_id invalid_id", "/code control_character", "/name required"]);
    // Another partner's eyes and hands.
    let other = service.stranger_of(service.platform.provider);
    let _ = service.get(&path, &other).problem(404, "not_found");
    let _ = service.patch(&path, &other, "\"2\"", &json!({"name": "X"})).problem(404, "not_found");
    assert_eq!(service.get("/v1/cohorts", &other).expect(200)["data"], json!([]));
    let refused = service.post("/v1/cohorts", &other, &body).problem(422, "validation_failed");
    assert_eq!(told(&refused), ["/organisation_id not_found"]);
    // The other one may use the same code for itself.
    let own = json!({"organisation_id": service.platform.provider.to_string(), "code": "Year of 2026", "name": "Ours"});
    let theirs = id(&service.post("/v1/cohorts", &other, &own).expect(201));
    let more: Vec<String> = ["b", "c"].iter().map(|code| id(&cohort(&service, code))).collect();
    let all = all_ids(&service, "/v1/cohorts?limit=1", &partner, || ());
    assert_eq!(all, [id(&made), more[0].clone(), more[1].clone()]);
    let operator = service.operator();
    let filtered = format!("/v1/cohorts?organisation_id={}", service.platform.provider);
    assert_eq!(all_ids(&service, &filtered, &operator, || ()), [theirs]);
    let acts = service.get(&format!("/v1/audit-log?object_id={}", id(&made)), &operator).expect(200);
    assert_eq!(
        (&acts["data"][0]["before"], &acts["data"][0]["after"]),
        (&json!({"name": "Year of 2026"}), &json!({"name": "Joined in 2026"}))
    );
    assert_eq!(service.platform.number("select count(*) from outbox where type like 'cohort.%'"), 5);
}

#[test]
fn a_member_is_in_a_cohort_of_its_own_organisation_or_in_none() {
    let service = Service::start();
    let (partner, own) = (service.partner(), service.platform.introducer.to_string());
    let theirs =
        json!({"organisation_id": service.platform.provider.to_string(), "code": "theirs", "name": "Not ours"});
    let _ = service.post("/v1/cohorts", &service.operator(), &theirs).expect(201);
    let ann = contact(&service, "Ann");
    for foreign in ["theirs", "nowhere"] {
        let body = json!({"organisation_id": own, "contact_id": ann, "member_ref": "M1", "cohort": foreign});
        let refused = service.post("/v1/members", &partner, &body).problem(422, "validation_failed");
        assert_eq!(told(&refused), ["/cohort not_found"]);
    }
    let _ = cohort(&service, "gold");
    let body = json!({"organisation_id": own, "contact_id": ann, "member_ref": "M1", "cohort": " gold "});
    let made = service.post("/v1/members", &partner, &body).expect(201);
    assert_eq!(made["cohort"], "gold");
    let _ = member(&service, "M2", None);
    let found = service.get("/v1/members?cohort=gold", &partner).expect(200);
    assert_eq!(found["data"], json!([made]));
    let path = format!("/v1/members/{}", id(&made));
    let refused = service.patch(&path, &partner, "\"1\"", &json!({"cohort": "theirs"}));
    assert_eq!(told(&refused.problem(422, "validation_failed")), ["/cohort not_found"]);
    let left = service.patch(&path, &partner, "\"1\"", &json!({"cohort": null})).expect(200);
    assert_eq!(left.get("cohort"), None);
}

#[test]
fn a_licence_is_a_fact_that_the_operator_records_and_the_last_one_counts() {
    let service = Service::start();
    let (operator, partner) = (service.operator(), service.partner());
    let path = format!("/v1/organisations/{}/licences", service.platform.introducer);
    let body = json!({"kind": "estate_agent", "number": "20151234", "jurisdiction": "NSW", "valid_from": "2024-07-01"});
    let made = service.post(&path, &operator, &body).expect(201);
    assert_eq!((&made["number"], made.get("valid_to")), (&json!("20151234"), None));
    assert_eq!(service.get(&path, &partner).expect(200)["data"], json!([made]));
    let _ = service.post(&path, &operator, &body).problem(409, "licence_known");
    // It is taken away: what is known of it now counts, what was known stays kept.
    let mut ended = body.clone();
    ended["valid_to"] = json!("2026-03-31");
    let ended = service.post(&path, &operator, &ended).expect(201);
    assert_eq!(service.get(&path, &partner).expect(200)["data"], json!([ended]));
    assert_eq!(service.platform.number("select count(*) from licence"), 2);
    let other = json!({"kind": "credit", "number": "389328", "jurisdiction": "AU", "valid_from": "2026-01-01"});
    let other = service.post(&path, &operator, &other).expect(201);
    let on = |query: &str| service.get(&format!("{path}?{query}"), &partner).expect(200)["data"].clone();
    assert_eq!(on("valid_on=2026-03-31"), json!([ended, other]));
    assert_eq!(on("valid_on=2026-04-01"), json!([other]));
    assert_eq!(on("valid_on=2024-06-30"), json!([]));
    assert_eq!(on("kind=estate_agent&jurisdiction=NSW"), json!([ended]));
    assert_eq!(on("jurisdiction=VIC"), json!([]));
    assert_eq!(all_ids(&service, &format!("{path}?limit=1"), &partner, || ()), [id(&ended), id(&other)]);
    // Whom it is for reads it and does not record it; to others neither is there.
    let _ = service.post(&path, &partner, &body).problem(403, "insufficient_scope");
    let _ = service.get(&path, &service.stranger()).problem(404, "not_found");
    let nobody = "/v1/organisations/org_00000000000000000000000001/licences";
    let _ = service.post(nobody, &operator, &body).problem(404, "not_found");
    for query in ["kind=driving", "jurisdiction=nsw", "valid_on=2026-02-30", "valid_on=x", "colour=red"] {
        assert_eq!(service.get(&format!("{path}?{query}"), &partner).status, 400, "{query}");
    }
    for change in ["update licence set number = '1'", "delete from licence", "truncate licence"] {
        assert!(service.platform.refusal_of(change).is_some(), "{change}");
    }
    assert_eq!(service.platform.number("select count(*) from outbox where type = 'licence.recorded'"), 3);
}
