//! Milestones: reached, said again, corrected, taken back.

use domain::agreements::model::ComponentKey;
use domain::deals::advance::AdvanceDealError;
use domain::deals::step::{Reached, Step, StepError};
use harness::platform::Platform;
use harness::server::Service;
use serde_json::{Value, json};

use super::{day, deal, file, govern, lines_of, settlement, step};

/// 2 % of the fee when a contract is exchanged, $500 when the slab is poured.
fn build() -> Value {
    let component = |key: &str, trigger: Value, amount: i64| {
        json!({
            "key": key, "name": key, "trigger": trigger, "predicate": {"op": "all", "of": []},
            "rate": {"kind": "flat", "amount": {"amount": amount, "currency": "AUD"}},
            "split": [{"role": "member", "share": "0.8"}, {"role": "platform", "share": "0.2"}],
            "hold": {"days": 5, "funding_rule": "on_expiry"}, "combine": {"group": key, "mode": "sum"}
        })
    };
    json!({
        "vertical": "V08", "governing_date": "referred", "effective_from": "2020-01-01",
        "components": [
            component("exchange", json!({"kind": "milestone", "name": "exchanged"}), 100_000),
            component("slab", json!({"kind": "milestone", "name": "slab_poured"}), 50_000),
            component("settled", json!({"kind": "deal_event", "event": "settled"}), 10_000),
        ]
    })
}

fn platform() -> Platform {
    let platform = Platform::new();
    platform.onboard("member_ref,upline_ref\nA1,\n");
    govern(&platform, &build());
    let report = platform.import(&file(&["S-1,A1,Ann,RESIDENTIAL-SALE,2026-03-01,,,,,"]));
    assert_eq!(report.created, 1, "{report:?}");
    platform
}

fn reached(name: &str, on: Option<&str>, correction: bool) -> Step {
    let name = ComponentKey::parse(name).expect("a name");
    Step::Milestone(Reached { name, on: on.map(day), correction })
}

#[test]
fn a_milestone_earns_on_its_day_and_is_corrected_or_taken_back() {
    let platform = platform();
    let id = deal(&platform, "S-1");
    step(&platform, id, reached("exchanged", Some("2026-04-10"), false)).expect("exchanged");
    assert_eq!(lines_of(&platform, id), ["exchange member 80000", "exchange platform 20000"]);
    let payable = "select (payable_on = '2026-04-15')::int from commission_line where role = 'member'";
    assert_eq!(platform.number(payable), 1);
    let again = step(&platform, id, reached("exchanged", Some("2026-04-10"), false)).expect("known");
    assert_eq!((again.fact, again.calculation), (None, None));
    let other = step(&platform, id, reached("exchanged", Some("2026-04-11"), false));
    assert_eq!(other, Err(AdvanceDealError::Step(StepError::KnownOtherwise("milestone"))));
    step(&platform, id, reached("slab_poured", Some("2026-06-01"), false)).expect("poured");
    assert_eq!(lines_of(&platform, id).len(), 4);
    // It was exchanged a day later, and the slab was never poured.
    step(&platform, id, reached("exchanged", Some("2026-04-11"), true)).expect("corrected");
    step(&platform, id, reached("slab_poured", None, true)).expect("taken back");
    let wanted = ["exchange member 80000", "exchange platform 20000", "slab member 0", "slab platform 0"];
    assert_eq!(lines_of(&platform, id), wanted);
    // Nothing of what was said is gone, and a settlement stands beside milestones.
    assert_eq!(platform.number("select count(*) from deal_fact where kind = 'milestone'"), 4);
    step(&platform, id, Step::Settlement(settlement("2026-08-01", 100))).expect("settled");
    assert_eq!(lines_of(&platform, id)[2], "settled member 8000");
    assert_eq!(lines_of(&platform, id)[0], "exchange member 80000");
}

#[test]
fn a_milestone_is_not_in_the_future_nor_before_the_referral() {
    let platform = platform();
    let id = deal(&platform, "S-1");
    let fault = |on: &str| match step(&platform, id, reached("exchanged", Some(on), false)) {
        Err(AdvanceDealError::Step(StepError::Faults(faults))) => (faults.0[0].pointer.clone(), faults.0[0].code),
        other => panic!("{other:?}"),
    };
    assert_eq!(fault("2026-11-24"), ("/on".to_owned(), "in_future"));
    assert_eq!(fault("2026-02-28"), ("/on".to_owned(), "date_out_of_order"));
    assert_eq!(lines_of(&platform, id), Vec::<String>::new());
}

#[test]
fn milestones_over_http() {
    let service = Service::over(platform());
    let partner = service.partner();
    let path = format!("/v1/deals/{}", deal(&service.platform, "S-1"));
    let facts = format!("{path}/facts");
    let made = service
        .post(&facts, &partner, &json!({"kind": "milestone", "name": "exchanged", "on": "2026-04-10"}))
        .expect(201);
    assert_eq!(made["status"], "referred");
    assert!(made["calculation_id"].is_string());
    assert_eq!(service.get(&path, &partner).expect(200)["milestones"], json!({"exchanged": "2026-04-10"}));
    let _ = service
        .post(&facts, &partner, &json!({"kind": "milestone", "name": "exchanged", "on": "2026-04-10"}))
        .expect(200);
    let other = json!({"kind": "milestone", "name": "exchanged", "on": "2026-04-12"});
    let _ = service.post(&facts, &partner, &other).problem(409, "fact_known");
    let undone = json!({"kind": "milestone", "name": "exchanged", "correction": true});
    let _ = service.post(&facts, &partner, &undone).expect(201);
    assert_eq!(service.get(&path, &partner).expect(200)["milestones"], json!({}));
    let timeline = service.get(&format!("{path}/timeline"), &partner).expect(200);
    let said: Vec<&Value> =
        timeline["data"].as_array().expect("rows").iter().filter(|e| e["kind"] == "milestone").collect();
    assert_eq!(said[0]["body"], json!({"name": "exchanged", "on": "2026-04-10"}));
    assert_eq!(said[1]["body"], json!({"correction": true, "name": "exchanged", "on": null}));
    let told = |body: Value| {
        let faults = service.post(&facts, &partner, &body).problem(422, "validation_failed");
        faults.into_iter().map(|(at, code)| format!("{at} {code}")).collect::<Vec<_>>()
    };
    assert_eq!(told(json!({"kind": "milestone"})), ["/name required", "/on required"]);
    let wrong = json!({"kind": "milestone", "name": "Slab!", "on": "2026-4-1", "month": "2026-04", "amount": {"amount": 1, "currency": "AUD"}});
    assert_eq!(
        told(wrong),
        ["/amount unexpected", "/month unexpected", "/name invalid_component_key", "/on invalid_date"]
    );
    let contract = json!({"kind": "contract", "on": "2026-04-01", "name": "exchanged", "correction": true});
    assert_eq!(told(contract), ["/name unexpected", "/correction unexpected"]);
}
