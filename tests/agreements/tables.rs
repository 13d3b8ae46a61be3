//! Lookup tables: added to version by version, never changed, named by agreements with their hash.

use domain::kernel::Digest;
use harness::platform::Platform;
use harness::server::Service;
use serde_json::{Value, json};

use crate::drafts::{agreement, approve, approver, content, draft, text, told};

/// A rate by product, and for one product by amount.
fn table(rate: &str) -> Value {
    let row = |product: &str, from: i64, rate: &str| {
        json!({"keys": [{"type": "text", "value": product}, {"type": "money", "value": {"amount": from, "currency": "AUD"}}],
            "pays": {"kind": "percent", "rate": rate}})
    };
    json!({
        "keys": [{"attribute": "product.code", "match": "exact"}, {"attribute": "deal.settled_amount", "match": "band"}],
        "rows": [row("FIXED-3Y", 0, rate), row("FIXED-3Y", 50_000_000, "0.002"), row("VARIABLE-OO", 0, "0.001")]
    })
}

fn made(service: &Service) -> String {
    let made = service.post("/v1/lookup-tables", &service.operator(), &json!({"name": "Rates by product"})).expect(201);
    format!("/v1/lookup-tables/{}/versions", text(&made, "id"))
}

/// V01's content with its rate out of a table.
fn looking_up(version: &Value) -> Value {
    let mut content = content("2026-01-01");
    let named =
        json!({"id": version["table_id"], "number": version["number"], "content_sha256": version["content_sha256"]});
    content["components"][0]["rate"] = json!({"kind": "lookup", "table": named, "of": "settled_amount"});
    content["components"][0]["limits"] = json!([]);
    content
}

#[test]
fn a_table_is_added_to_and_never_changed() {
    let service = Service::start();
    let operator = service.operator();
    let versions = made(&service);
    assert_eq!(service.get(&versions, &operator).expect(200)["data"], json!([]));
    let reply = service.post(&versions, &operator, &json!({"content": table("0.006")}));
    let first = reply.expect(201);
    assert_eq!(reply.header("location"), Some(format!("{versions}/1").as_str()));
    let canonical = domain::kernel::jcs::to_bytes(&first["content"]).expect("canonical");
    assert_eq!(first["content_sha256"], Digest::of(&canonical).to_string());
    let second = service.post(&versions, &operator, &json!({"content": table("0.007")})).expect(201);
    assert_eq!((&first["number"], &second["number"]), (&json!(1), &json!(2)));
    assert_eq!(service.get(&versions, &operator).expect(200)["data"], json!([first, second]));
    let read = service.get(&format!("{versions}/1"), &operator);
    assert_eq!(
        (read.expect(200), read.header("etag")),
        (first.clone(), Some(format!("\"{}\"", text(&first, "content_sha256")).as_str()))
    );
    let tables = service.get("/v1/lookup-tables", &operator).expect(200);
    let names: Vec<String> = tables["data"].as_array().expect("rows").iter().map(|t| text(t, "name")).collect();
    assert_eq!(names, ["Recruitment, default agreement", "Rates by product"]);
    for missing in ["3", "0", "x", "99999999999", "4294967295"] {
        let _ = service.get(&format!("{versions}/{missing}"), &operator).problem(404, "not_found");
    }
    for attack in ["update lookup_table_version set content = 'x'", "delete from lookup_table_version"] {
        assert!(service.platform.refusal_of(attack).is_some(), "{attack}");
    }
    let unknown = "/v1/lookup-tables/table_00000000000000000000000001/versions";
    let _ = service.post(unknown, &operator, &json!({"content": table("0.006")})).problem(404, "not_found");
    let _ = service.get(unknown, &operator).problem(404, "not_found");
    let acts = service.get("/v1/audit-log?action=create_lookup_table", &operator).expect(200);
    assert_eq!(acts["data"][0]["after"]["name"], "Rates by product", "{acts}");
}

#[test]
fn every_fault_of_a_table_is_named() {
    let service = Service::start();
    let (operator, versions) = (service.operator(), made(&service));
    let mut bad = table("0.006");
    bad["keys"][0]["match"] = json!("band");
    bad["rows"][1]["keys"][1] = json!({"type": "integer", "value": 1});
    let _ = bad["rows"][2]["keys"].as_array_mut().expect("keys").pop();
    let refused = told(service.post(&versions, &operator, &json!({"content": bad})).problem(422, "content_has_errors"));
    for fault in [
        "/content/keys/0/match band_not_last",
        "/content/rows/1/keys/1 unit_mismatch",
        "/content/rows/2/keys key_count",
    ] {
        assert!(refused.iter().any(|one| one == fault), "{fault} is not among {refused:?}");
    }
    let mut twice = table("0.006");
    twice["rows"][1]["keys"] = twice["rows"][0]["keys"].clone();
    let refused = service.post(&versions, &operator, &json!({"content": twice})).problem(422, "content_has_errors");
    assert_eq!(told(refused), ["/content/rows/1/keys row_twice"]);
    let mut unread = table("0.006");
    unread["keys"][0]["attribute"] = json!("client.name");
    let refused = service.post(&versions, &operator, &json!({"content": unread})).problem(400, "invalid_value");
    assert_eq!(told(refused), ["/content/keys/0/attribute invalid_value"]);
    assert_eq!(service.get(&versions, &operator).expect(200)["data"], json!([]));
}

#[test]
fn deals_are_worked_out_and_reproduced_by_the_table_that_was_approved() {
    let platform = Platform::new();
    platform.onboard("member_ref,upline_ref\nM1,\n");
    let service = Service::over(platform);
    let (operator, other) = (service.operator(), approver(&service));
    let tables = made(&service);
    let first = service.post(&tables, &operator, &json!({"content": table("0.006")})).expect(201);
    let versions = agreement(&service, Some(&service.platform.provider.to_string()));
    // Of a table that is not there, or whose hash is another one.
    let mut missing = first.clone();
    missing["number"] = json!(7);
    let mut altered = first.clone();
    altered["content_sha256"] = json!("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
    for wrong in [missing, altered] {
        let (path, _) = draft(&service, &versions, &operator, &looking_up(&wrong));
        let refused =
            service.post(&format!("{path}/propose"), &operator, &json!({})).problem(422, "content_has_errors");
        assert_eq!(told(refused), ["/components/0/rate/table unknown_table"]);
    }
    let (path, _) = draft(&service, &versions, &operator, &looking_up(&first));
    let shown = service.post(&format!("{path}/propose"), &operator, &json!({})).expect(200);
    let partner = service.partner();
    let _ = service.get(&format!("{tables}/1"), &partner).problem(404, "not_found");
    let _ = approve(&service, &path, &other, &shown).expect(200);
    // A later version of the table changes nothing of what was approved.
    let _ = service.post(&tables, &operator, &json!({"content": table("0.009")})).expect(201);
    let file = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on\n\
        SMALL,M1,Jane Citizen,FIXED-3Y,2026-02-01,2026-03-01,2026-04-01,100000.00,0.00,\n\
        LARGE,M1,Jane Citizen,FIXED-3Y,2026-02-01,2026-03-01,2026-04-01,500000.00,0.00,\n\
        OTHER,M1,Jane Citizen,VARIABLE-OO,2026-02-01,2026-03-01,2026-04-01,100000.00,0.00,\n";
    assert_eq!(service.platform.import(file.as_bytes()).created, 3);
    let earned = |external_ref: &str| {
        service.platform.number(&format!("select sum(earned_minor) from commission_line l join deal d on d.id = l.deal_id where d.external_ref = '{external_ref}'"))
    };
    // 0.6 % of 100,000; 0.2 % of 500,000; 0.1 % of 100,000.
    assert_eq!((earned("SMALL"), earned("LARGE"), earned("OTHER")), (60_000, 100_000, 10_000));
    let run = service.post("/v1/guarantee-runs", &operator, &json!({})).expect(201);
    assert_eq!(run["outcome"], "holds", "{run}");
    for id in service.platform.ids_of("select id from calculation") {
        let path = format!("/v1/calculations/calc_{}/reproduce", domain::kernel::id::encode(id));
        assert_eq!(service.post(&path, &partner, &json!({})).expect(200)["reproduced"], true);
    }
    // Whoever sees the version sees the table that it names, and no other version of it.
    assert_eq!(service.get(&format!("{tables}/1"), &partner).expect(200), first);
    let _ = service.get(&format!("{tables}/2"), &partner).problem(404, "not_found");
    let _ = service.get(&format!("{tables}/1"), &service.stranger()).problem(404, "not_found");
    assert_eq!(service.get(&tables, &partner).expect(200)["data"], json!([first]));
}
