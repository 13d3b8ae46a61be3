//! Made-up deals worked out over HTTP, and stored calculations told in words.

use domain::agreements::model::LookupTable;
use harness::platform::Platform;
use harness::server::Service;
use serde_json::{Value, json};

use super::{calculations, with_deals};

fn aud(amount: i64) -> Value {
    json!({"amount": amount, "currency": "AUD"})
}

/// A quarterly accelerator: 1 % of the fee, 2 % of all of it from $1,000,000.00 settled in the quarter; $100 once a
/// milestone is reached; and 0.12 % of the balance a year as trail.
fn content() -> Value {
    let component = |key: &str, trigger: Value, rate: Value| {
        json!({
            "key": key, "name": format!("The {key}"), "trigger": trigger, "predicate": {"op": "all", "of": []}, "rate": rate,
            "split": [
                {"role": "member", "share": "0.5"},
                {"role": "upline_1", "share": "0.2", "absent_to": "platform"},
                {"role": "upline_2", "share": "0.1", "absent_to": "platform"},
                {"role": "platform", "share": "0.2"}
            ],
            "hold": {"days": 5, "funding_rule": "on_receipt"}, "combine": {"group": key, "mode": "sum"}
        })
    };
    let tiers = json!([
        {"from": {"type": "money", "value": aud(0)}, "pays": {"kind": "percent", "rate": "0.01"}},
        {"from": {"type": "money", "value": aud(100_000_000)}, "pays": {"kind": "percent", "rate": "0.02"}}
    ]);
    let tiered = json!({"kind": "tiered", "of": "fee", "mode": "whole", "by": {"kind": "accumulator", "key": "volume"}, "tiers": tiers});
    json!({
        "vertical": "V02", "governing_date": "settled", "effective_from": "2020-01-01",
        "accumulators": [{"key": "volume", "measure": "settled_amount", "scope": "member", "window": "quarter"}],
        "components": [
            component("accelerator", json!({"kind": "deal_event", "event": "settled"}), tiered),
            component("bonus", json!({"kind": "milestone", "name": "audited"}), json!({"kind": "flat", "amount": aud(10_000)})),
            component("trail", json!({"kind": "trail"}), json!({"kind": "trail", "annual_rate": "0.0012", "periods_per_year": 12})),
        ]
    })
}

/// A deal that settled for $900,000.00 with a fee of $10,000.00.
fn made_up(extra: Value) -> Value {
    let mut body = json!({
        "content": content(), "product": "COMMERCIAL-PROPERTY", "referred_on": "2026-04-01",
        "settlement": {"on": "2026-05-10", "amount": aud(90_000_000), "measures": {"fee": aud(1_000_000)}},
        "roles": ["upline_1", "upline_2"]
    });
    for (name, value) in extra.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

/// What each line of an answer earns, by component and role.
fn earned(answer: &Value) -> Vec<(String, i64)> {
    let lines = answer["lines"].as_array().expect("lines");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    lines
        .iter()
        .map(|l| {
            (format!("{} {}", text(&l["component"]), text(&l["role"])), l["earned"]["amount"].as_i64().expect("cents"))
        })
        .collect()
}

fn pairs(wanted: &[(&str, i64)]) -> Vec<(String, i64)> {
    wanted.iter().map(|(name, cents)| ((*name).to_owned(), *cents)).collect()
}

#[test]
fn content_that_need_not_exist_is_worked_out_with_its_counters_and_nothing_is_stored() {
    let service = Service::start();
    let partner = service.partner();
    let first = service.post("/v1/calculations", &partner, &made_up(json!({}))).expect(200);
    // 1 % of $10,000.00: the quarter stands at $900,000.00.
    let wanted = [
        ("accelerator member", 5_000),
        ("accelerator upline_1", 2_000),
        ("accelerator upline_2", 1_000),
        ("accelerator platform", 2_000),
    ];
    assert_eq!(earned(&first), pairs(&wanted));
    let none = json!([{"component": "bonus", "reason": "trigger_not_met", "detail": "its trigger has not happened"}]);
    assert_eq!(first["non_awards"], none);
    assert_eq!(first["counters"][0]["window_from_on"], "2026-04-01");
    assert_eq!(first["counters"][0]["total_after"], 90_000_000);
    assert_eq!(first["lines"][0]["funding_rule"], "on_receipt");
    // $100,000.00 more came before it: the whole of it is paid at 2 %; and it was audited.
    let more = json!({
        "counters": {"accumulator.volume": {"total": 10_000_000, "awards": 1}}, "milestones": {"audited": "2026-06-01"},
        "own_uplines": [2]
    });
    let more = service.post("/v1/calculations", &partner, &made_up(more)).expect(200);
    let wanted = [
        ("accelerator member", 10_000),
        ("accelerator upline_1", 4_000),
        ("accelerator platform", 6_000),
        ("bonus member", 5_000),
        ("bonus upline_1", 2_000),
        ("bonus platform", 3_000),
    ];
    assert_eq!(earned(&more), pairs(&wanted));
    assert_eq!(
        (&more["counters"][0]["total_after"], &more["counters"][0]["awards_after"]),
        (&json!(100_000_000), &json!(2))
    );
    let text = more["text"].as_str().expect("a text");
    assert!(text.contains("The bonus (bonus): earns 100.00 AUD."), "{text}");
    assert!(text.contains("upline_2 is the referrer (self_override)"), "{text}");
    assert!(text.contains("It pays 100.00 AUD once the milestone `audited` is reached."), "{text}");
    // A month of the trail is another calculation.
    let trail = json!({"period": {"month": "2026-07", "balance": aud(60_000_000)}, "roles": []});
    let trail = service.post("/v1/calculations", &partner, &made_up(trail)).expect(200);
    assert_eq!(earned(&trail), pairs(&[("trail member", 3_000), ("trail platform", 3_000)]));
    assert_eq!((&trail["lines"][0]["period"], &trail["counters"]), (&json!("2026-07"), &json!([])));
    let ended = json!({"period": {"month": "2026-07", "balance": aud(60_000_000)}, "discharged_on": "2026-07-31"});
    let ended = service.post("/v1/calculations", &partner, &made_up(ended)).expect(200);
    assert_eq!(ended["non_awards"][0]["reason"], "discharged");
    for table in ["calculation", "deal", "commission_line", "deal_fact"] {
        assert_eq!(service.platform.number(&format!("select count(*) from {table}")), 0, "{table}");
    }
    // The same request gives the same bytes.
    assert_eq!(service.post("/v1/calculations", &partner, &made_up(json!({}))).expect(200), first);
}

#[test]
fn a_trail_earns_nothing_before_the_deal_settles() {
    let service = Service::start();
    let of = |settled: &str, month: &str| {
        let body = json!({
            "settlement": {"on": settled, "amount": aud(90_000_000)},
            "period": {"month": month, "balance": aud(60_000_000)}
        });
        let answer = service.post("/v1/calculations", &service.partner(), &made_up(body)).expect(200);
        (answer["lines"].as_array().expect("lines").len(), answer["non_awards"][0]["reason"].clone())
    };
    assert_eq!(of("2026-06-30", "2026-06"), (4, Value::Null));
    assert_eq!(of("2026-07-01", "2026-06"), (0, json!("trigger_not_met")));
}

#[test]
fn a_version_that_exists_comes_to_what_its_deals_came_to() {
    let service = with_deals();
    let (partner, operator) = (service.partner(), service.operator());
    let calculation = calculations(&service).remove(0);
    let stored = service.get(&format!("/v1/calculations/{calculation}"), &operator).expect(200);
    let facts = &stored["input"]["facts"];
    let upline = stored["input"]["uplines"].as_array().expect("uplines").iter().map(|_| json!("upline_1")).take(1);
    let body = json!({
        "agreement_id": stored["agreement_id"], "version": stored["version"], "product": stored["input"]["product"],
        "referred_on": facts["referred_on"], "contracted_on": facts["contracted_on"],
        "settlement": facts["settlement"], "discharged_on": facts["discharged_on"], "roles": upline.collect::<Vec<_>>()
    });
    let answer = service.post("/v1/calculations", &partner, &body).expect(200);
    assert_eq!(earned(&answer), earned(&stored));
    assert_eq!(answer["content_sha256"], stored["input"]["version"]["content_sha256"]);
}

#[test]
fn a_table_comes_with_the_content_that_names_it() {
    let service = Service::start();
    let table = json!({
        "keys": [{"attribute": "product.code", "match": "exact"}],
        "rows": [{"keys": [{"type": "text", "value": "COMMERCIAL-PROPERTY"}], "pays": {"kind": "percent", "rate": "0.03"}}]
    });
    let sha256 = LookupTable::parse(table.to_string().as_bytes()).expect("a table").content_hash().expect("canonical");
    let id = "table_01k0w4q7v8e2rtf3k2m9x5c6dz";
    let mut content = content();
    let named = json!({"id": id, "number": 3, "content_sha256": sha256.to_string()});
    content["components"][0]["rate"] = json!({"kind": "lookup", "of": "fee", "table": named});
    content["accumulators"] = json!([]);
    let tables = json!([{"id": id, "number": 3, "content": table}]);
    let body = made_up(json!({"content": content, "tables": tables, "roles": []}));
    let answer = service.post("/v1/calculations", &service.partner(), &body).expect(200);
    assert_eq!(earned(&answer), pairs(&[("accelerator member", 15_000), ("accelerator platform", 15_000)]));
    let without = made_up(json!({"content": content, "roles": []}));
    let faults = service.post("/v1/calculations", &service.partner(), &without).problem(422, "validation_failed");
    assert_eq!(faults[0].0, "/content/components/0/rate/table");
}

#[test]
fn every_fault_of_a_made_up_deal_is_told_at_once() {
    let service = Service::start();
    let partner = service.partner();
    let told = |body: &Value| {
        let faults = service.post("/v1/calculations", &partner, body).problem(422, "validation_failed");
        faults.into_iter().map(|(at, code)| format!("{at} {code}")).collect::<Vec<_>>()
    };
    let nothing = ["/agreement_id one_required", "/product required", "/referred_on required"];
    assert_eq!(told(&json!({})), nothing);
    let half = json!({"agreement_id": "agreement_00000000000000000000000001"});
    assert_eq!(told(&half)[0], "/version required");
    let wrong = made_up(json!({
        "version": 1, "referred_on": "2026-02-30", "milestones": {"Slab!": "x"}, "roles": ["upline_2", "boss"], "own_uplines": [3],
        "settlement": {"on": "2026-05-10", "amount": aud(1), "offset": aud(2), "measures": {"units": -1}},
        "period": {"balance": aud(-1)}
    }));
    let wanted = [
        "/version unexpected",
        "/settlement/measures/units negative_count",
        "/settlement/offset offset_exceeds_amount",
        "/period/month required",
        "/period/balance negative_amount",
        "/referred_on invalid_date",
        "/milestones/Slab! invalid_component_key",
        "/milestones/Slab! invalid_date",
        "/roles/1 invalid_role",
        "/roles role_missing",
        "/own_uplines/0 unknown_value",
    ];
    assert_eq!(told(&wrong), wanted);
    assert_eq!(told(&made_up(json!({"content": {"vertical": "V02"}}))), ["/content invalid_agreement_content"]);
    let mut senseless = content();
    senseless["components"][1]["split"] = json!([{"role": "member", "share": "0.5"}]);
    let found = told(&made_up(json!({"content": senseless})));
    assert!(found.iter().all(|fault| fault.starts_with("/content/components/1/split ")), "{found:?}");
    let counters = json!({"counters": {"accumulator.other": {"total": 1}}});
    assert_eq!(told(&made_up(counters)), ["/counters unknown_value"]);
    let unknown = json!({"agreement_id": "agreement_00000000000000000000000001", "version": 1, "product": "FIXED-3Y", "referred_on": "2026-01-01"});
    assert_eq!(told(&unknown), ["/agreement_id not_found"]);
    let huge = json!({"settlement": {"on": "2026-05-10", "amount": aud(9_007_199_254_740_991)}, "counters": {"accumulator.volume": {"total": i64::MAX}}});
    let _ = service.post("/v1/calculations", &partner, &made_up(huge)).problem(422, "amount_out_of_range");
    let investor = service.token(&[domain::access::Role::Investor], None, None);
    let _ = service.post("/v1/calculations", &investor, &made_up(json!({}))).problem(403, "insufficient_scope");
}

#[test]
fn a_stored_calculation_is_told_as_a_person_reads_it() {
    const FILE: &str = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on
X-1,A1,Ann,FIXED-3Y,2026-01-05,,2026-02-01,100000.00,0.00,2026-10-15
";
    let platform = Platform::new();
    platform.onboard("member_ref,upline_ref\nA1,\n");
    let _ = platform.import(FILE.as_bytes());
    let service = Service::over(platform);
    let operator = service.operator();
    let path = format!("/v1/calculations/{}/explain", calculations(&service).remove(0));
    // Who sees the member's line alone reads of that alone.
    let shown = service.get(&path, &service.partner()).expect(200);
    assert_eq!(shown["components"][0]["outcome"], "earned 390.00 AUD, of which 390.00 AUD is taken back.");
    let explained = service.get(&path, &operator).expect(200);
    let part = &explained["components"][0];
    assert_eq!((&part["component"], &part["name"]), (&json!("upfront"), &json!("Upfront commission")));
    assert_eq!(part["outcome"], "earned 650.00 AUD, of which 650.00 AUD is taken back.");
    let authorization = format!("Bearer {operator}");
    let accept = |media| [("authorization", authorization.as_str()), ("accept", media)];
    let text = service.send("GET", &path, &accept("text/plain"), None);
    assert_eq!((text.status, text.header("content-type")), (200, Some("text/plain; charset=utf-8")));
    let said = String::from_utf8(text.body.clone()).expect("a text");
    assert_eq!(json!(said), explained["text"]);
    assert!(said.contains("12 months not reached"), "{said}");
    assert!(said.contains("(8 months since settlement), so 100 % is taken back"), "{said}");
    assert!(said.contains("It pays 0.65 % of net_balance once the deal settles."), "{said}");
    for (media, wanted) in [
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/plain;q=0.5, */*;q=0.9", "application/json"),
    ] {
        let reply = service.send("GET", &path, &accept(media), None);
        assert_eq!(reply.header("content-type"), Some(wanted), "{media}");
    }
    let _ = service.send("GET", &path, &accept("text/html"), None).problem(406, "not_acceptable");
}
