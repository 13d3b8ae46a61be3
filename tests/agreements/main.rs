//! Verticals, products, agreements and calculations over real HTTP.

mod diff;
mod drafts;
mod dry_run;
mod in_force;
mod life;
mod oracle;
mod tables;

use std::collections::BTreeSet;

use domain::access::Role;
use domain::agreements::reference::{self, Shipped};
use domain::kernel::Digest;
use domain::kernel::ids::CalculationId;
use harness::platform::Platform;
use harness::server::Service;
use serde_json::{Value, json};
use uuid::Uuid;

const DEALS: &[u8] = include_bytes!("../../data/v01/v01-example-deals.csv");
const MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    id: Uuid,
}

/// A service with the example imported, and the calculation that a query names.
fn with_deals() -> Service {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let _ = platform.import(DEALS);
    Service::over(platform)
}

fn calculations(service: &Service) -> Vec<String> {
    let rows: Vec<Row> = diesel::RunQueryDsl::load(
        diesel::sql_query("select id from calculation order by id"),
        &mut service.platform.owner(),
    )
    .expect("the calculations");
    rows.into_iter().map(|row| CalculationId::new(row.id).to_string()).collect()
}

#[test]
fn the_eighteen_verticals_and_their_products_are_there_for_everybody() {
    let service = Service::start();
    let member = service.token(&[Role::Investor], None, None);
    let page = service.get("/v1/verticals?limit=200", &member).expect(200);
    let codes: Vec<&str> =
        page["data"].as_array().expect("rows").iter().map(|v| v["code"].as_str().expect("a code")).collect();
    let expected: Vec<String> = (1..=18).map(|n| format!("V{n:02}")).collect();
    assert_eq!(codes, expected);
    let v01 = &page["data"][0];
    let path = format!("/v1/verticals/{}", v01["id"].as_str().expect("an id"));
    assert_eq!(&service.get(&path, &member).expect(200), v01);
    let by_code = service.get("/v1/products?vertical=V01", &member).expect(200);
    let by_id =
        service.get(&format!("/v1/products?vertical={}", v01["id"].as_str().expect("an id")), &member).expect(200);
    assert_eq!(by_code, by_id);
    let products: Vec<&str> =
        by_code["data"].as_array().expect("rows").iter().map(|p| p["code"].as_str().expect("a code")).collect();
    assert_eq!(products, ["VARIABLE-OO", "FIXED-3Y"]);
    let product = &by_code["data"][1];
    assert_eq!(product["vertical_id"], v01["id"]);
    assert_eq!(
        &service.get(&format!("/v1/products/{}", product["id"].as_str().expect("an id")), &member).expect(200),
        product
    );
    for path in ["verticals/V01", "verticals/product_00000000000000000000000001", "products/x", "products/%00"] {
        let _ = service.get(&format!("/v1/{path}"), &member).problem(404, "not_found");
    }
    for query in ["products?vertical=V00", "products?vertical=x", "verticals?vertical=V01"] {
        assert_eq!(service.get(&format!("/v1/{query}"), &member).status, 400, "{query}");
    }
    let _ = service.get("/v1/agreements", &member).problem(403, "insufficient_scope");
}

#[test]
fn the_content_of_a_version_is_what_its_hash_is_of() {
    let service = Service::start();
    let partner = service.partner();
    let agreements = service.get("/v1/agreements?vertical=V01", &partner).expect(200);
    assert_eq!(agreements["data"].as_array().map(Vec::len), Some(1));
    let path = format!("/v1/agreements/{}", agreements["data"][0]["id"].as_str().expect("an id"));
    assert_eq!(service.get(&path, &partner).expect(200), agreements["data"][0]);
    let versions = service.get(&format!("{path}/versions"), &partner).expect(200);
    let reply = service.get(&format!("{path}/versions/1"), &partner);
    let version = reply.expect(200);
    // What is approved and has not begun is the operator's until its day.
    let later = service.get(&format!("{path}/versions/2"), &service.operator()).expect(200);
    let _ = service.get(&format!("{path}/versions/2"), &partner).problem(404, "not_found");
    assert_eq!(versions["data"], json!([version]));
    assert_eq!((&later["state"], &later["effective_from"]), (&json!("approved"), &json!("2027-01-01")));
    assert_eq!(version["state"], "active");
    // The content stands in the answer in the very bytes that were hashed.
    let text = String::from_utf8(reply.body.clone()).expect("a text");
    let start = text.find("\"content\":").expect("the content") + "\"content\":".len();
    let mut reader = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
    let _ = reader.next().expect("a value").expect("JSON");
    let bytes = &text.as_bytes()[start..start + reader.byte_offset()];
    assert_eq!(version["content_sha256"], Digest::of(bytes).to_string());
    // Its state moves while its content stays: the tag is that of its changes.
    assert_eq!(reply.header("etag"), Some("\"1\""));
    for missing in [
        "versions/3",
        "versions/0",
        "versions/-1",
        "versions/x",
        "versions/99999999999999999999",
        "versions/4294967295",
    ] {
        let _ = service.get(&format!("{path}/{missing}"), &partner).problem(404, "not_found");
    }
    let _ = service.get(&format!("{path}/versions?cursor=AAAAAAA"), &partner).problem(400, "invalid_cursor");
    let unknown = "/v1/agreements/agreement_00000000000000000000000001";
    for path in [unknown.to_owned(), format!("{unknown}/versions"), format!("{unknown}/versions/1")] {
        let _ = service.get(&path, &partner).problem(404, "not_found");
    }
}

#[test]
fn every_default_agreement_ships_with_its_hash_and_is_active_from_its_first_day() {
    let service = Service::start();
    let auditor = service.token(&[Role::Auditor], None, None);
    for Shipped { name, version } in reference::all().expect("the reference") {
        let path = format!("/v1/agreements/{}", version.agreement());
        let agreement = service.get(&path, &auditor).expect(200);
        assert_eq!(agreement["name"], name);
        let kept = service.get(&format!("{path}/versions/{}", version.number()), &auditor).expect(200);
        assert_eq!(kept["content_sha256"], version.content_hash().to_string(), "{name}");
        let begun = version.number() == 1;
        assert_eq!(kept["state"], if begun { "active" } else { "approved" }, "{name}");
    }
}

#[test]
fn a_calculation_is_shown_explained_and_reproduced() {
    let service = with_deals();
    let (operator, partner) = (service.operator(), service.partner());
    let ids = calculations(&service);
    assert!(!ids.is_empty());
    let mut earned = 0;
    for id in &ids {
        let path = format!("/v1/calculations/{id}");
        let shown = service.get(&path, &operator).expect(200);
        let input = serde_json::to_vec(&shown["input"]).expect("JSON");
        assert_eq!(shown["input_sha256"], Digest::of(&input).to_string());
        assert_eq!(shown["input"]["deal"], shown["deal_id"]);
        for line in shown["lines"].as_array().expect("lines") {
            earned += line["earned"]["amount"].as_i64().expect("an amount");
        }
        let explained = service.get(&format!("{path}/explain"), &operator).expect(200);
        assert_eq!(explained["reproduced"], true);
        let steps = explained["steps"].as_array().expect("steps");
        let text = explained["text"].as_str().expect("a text");
        assert!(steps.iter().all(|step| text.contains(step["detail"].as_str().expect("a detail"))), "{text}");
        let reproduced = service.post(&format!("{path}/reproduce"), &partner, &json!({})).expect(200);
        assert_eq!((&reproduced["reproduced"], &reproduced["output_sha256"]), (&json!(true), &shown["output_sha256"]));
    }
    // Each deal of the example was calculated once, so what the calculations come to is what the lines were given.
    assert_eq!(earned, service.platform.number("select coalesce(sum(earned_minor), 0) from commission_line"));
    let foreign = format!("/v1/calculations/{}", ids[0]);
    let stranger = service.stranger();
    for reply in [
        service.get(&foreign, &stranger),
        service.get(&format!("{foreign}/explain"), &stranger),
        service.post(&format!("{foreign}/reproduce"), &stranger, &json!({})),
        service.get("/v1/calculations/calc_00000000000000000000000001", &partner),
        service.get("/v1/calculations/deal_00000000000000000000000001", &partner),
    ] {
        let _ = reply.problem(404, "not_found");
    }
}

/// What both views of a line show alike: component, member, both amounts.
fn lines(answer: &Value) -> BTreeSet<String> {
    let said =
        |line: &Value| ["component", "member_id", "earned", "clawed_back"].map(|key| line[key].to_string()).join(" ");
    answer["lines"].as_array().expect("lines").iter().map(said).collect()
}

#[test]
fn a_calculation_shows_a_partner_the_lines_that_its_deal_shows_and_no_more() {
    let service = with_deals();
    let operator = service.operator();
    let provider = service.stranger_of(service.platform.provider);
    let introducer = service.partner();
    let (mut withheld, mut seen) = (0, 0);
    for id in calculations(&service) {
        let path = format!("/v1/calculations/{id}");
        let whole = service.get(&path, &operator).expect(200);
        let deal = format!("/v1/deals/{}/commission", whole["deal_id"].as_str().expect("an id"));
        let amounts: BTreeSet<String> = whole["lines"]
            .as_array()
            .expect("lines")
            .iter()
            .filter(|line| line.get("member_id").is_none())
            .map(|line| {
                let cents = line["earned"]["amount"].as_i64().expect("an amount");
                format!("{}.{:02}", cents / 100, cents % 100)
            })
            .collect();
        for (partner, is_provider) in [(&introducer, false), (&provider, true)] {
            let shown = service.get(&path, partner).expect(200);
            assert_eq!(lines(&shown), lines(&service.get(&deal, partner).expect(200)));
            assert_eq!(shown["output_sha256"], whole["output_sha256"]);
            let explained = service.get(&format!("{path}/explain"), partner).expect(200);
            assert_eq!(explained["reproduced"], true);
            let text = explained["text"].as_str().expect("a text");
            assert!(amounts.iter().all(|amount| !text.contains(&format!(" {amount}"))), "{amounts:?} in {text}");
            assert!(!text.contains("platform"), "{text}");
            assert_eq!(text.contains("- Shared: "), !is_provider && !lines(&shown).is_empty(), "{text}");
            (withheld, seen) = (withheld + lines(&whole).len() - lines(&shown).len(), seen + lines(&shown).len());
        }
        let all = service.get(&format!("{path}/explain"), &operator).expect(200);
        let told = |step: &str| all["text"].as_str().is_some_and(|text| text.contains(step));
        assert!(lines(&whole).is_empty() || told("- How much: ") && told("platform"), "{all}");
    }
    assert!(withheld > 0 && seen > 0, "the example has lines of members and of the platform");
}

#[test]
fn an_operator_adds_a_product_and_names_it_anew_by_version() {
    let service = Service::start();
    let operator = service.operator();
    let body = json!({"vertical": "V01", "code": "FIXED-5Y", "name": "Fixed-rate home loan, five years"});
    let made = service.post("/v1/products", &operator, &body);
    let view = made.expect(201);
    let path = made.header("location").expect("a location").to_owned();
    let read = service.get(&path, &operator);
    assert_eq!((read.expect(200), read.header("etag")), (view.clone(), Some("\"1\"")));
    assert_eq!((&view["code"], &view["name"]), (&body["code"], &body["name"]));
    let _ = service.post("/v1/products", &operator, &body).problem(409, "product_code_taken");
    let changed = service.patch(&path, &operator, "\"1\"", &json!({"name": "Five years, fixed"}));
    assert_eq!(
        (changed.expect(200)["name"].clone(), changed.header("etag")),
        (json!("Five years, fixed"), Some("\"2\""))
    );
    let _ = service.patch(&path, &operator, "\"1\"", &json!({"name": "X"})).problem(412, "stale");
    let _ = service.patch(&path, &operator, "\"2\"", &json!({"code": "X"})).problem(400, "unknown_field");
    let told =
        |faults: Vec<(String, String)>| faults.into_iter().map(|(at, code)| format!("{at} {code}")).collect::<Vec<_>>();
    let empty = service.patch(&path, &operator, "\"2\"", &json!({"name": null})).problem(422, "validation_failed");
    assert_eq!(told(empty), ["/name required"]);
    let bad = json!({"vertical": "V100", "code": "fixed", "name": ""});
    let bad = service.post("/v1/products", &operator, &bad).problem(422, "validation_failed");
    assert_eq!(told(bad), ["/vertical invalid_vertical_code", "/code invalid_product_code", "/name empty"]);
    let nothing = service.post("/v1/products", &operator, &json!({})).problem(422, "validation_failed");
    assert_eq!(told(nothing), ["/vertical required", "/code required", "/name required"]);
    let _ = service.post("/v1/products", &service.partner(), &body).problem(403, "insufficient_scope");
    // What ships is kept as it was named, also by the next start.
    let shipped = service.get("/v1/products?vertical=V02&limit=1", &operator).expect(200)["data"][0]["id"].clone();
    let shipped = format!("/v1/products/{}", shipped.as_str().expect("an id"));
    let _ = service.patch(&shipped, &operator, "\"1\"", &json!({"name": "Ours"})).expect(200);
    let (verticals, products) = (domain::catalogue::reference::verticals(), domain::catalogue::reference::products());
    let again = service.platform.store().transaction(|uow| uow.catalogue().ship(&verticals, &products));
    assert_eq!(again, Ok(()));
    assert_eq!(service.get(&shipped, &operator).expect(200)["name"], "Ours");
    let acts = service.get("/v1/audit-log?action=update_product&limit=1", &operator).expect(200);
    assert_eq!(
        (&acts["data"][0]["before"], &acts["data"][0]["after"]),
        (&json!({"name": "Commercial property loan"}), &json!({"name": "Ours"}))
    );
}
