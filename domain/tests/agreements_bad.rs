//! Bad input: every content, table and deal that makes no sense is a clear error, and nothing panics.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails loudly")]

mod made;

use std::collections::BTreeSet;

use domain::agreements::GoverningVersion;
use domain::agreements::VersionContent;
use domain::agreements::check::{check, check_table};
use domain::agreements::evaluate::v2::{Plan, Scratch};
use domain::agreements::evaluate::{EvaluateError, Silent, evaluate, trace};
use domain::agreements::facts::{CalculationInput, Counter, DealFacts, Milestones, Period, Settlement, Standing};
use domain::agreements::lint::CODES;
use domain::agreements::model::{LookupTable, MAX_COMPONENTS, Window};
use domain::agreements::predicate::{MAX_DEPTH, MAX_NODES};
use domain::catalogue::{ProductCode, VerticalCode};
use domain::kernel::Money;
use domain::kernel::ids::{DealId, MemberId};
use domain::kernel::money::MoneyError;
use jiff::civil::{Date, date};
use made::{
    aud, compare, component, content, count, counting, money, parsed, table, text, tier, tiered, total, uses, version,
    with,
};
use serde_json::{Value, json};
use uuid::Uuid;

fn refused(content: &Value) -> String {
    match VersionContent::parse(content.to_string().as_bytes()) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("it reads: {content}"),
    }
}

#[test]
fn what_is_not_of_the_language_does_not_read_and_says_where() {
    let rate =
        |rate: Value| content(vec![with("a", json!({"rate": {"kind": "percent", "of": "net_balance", "rate": rate}}))]);
    let asks = |attribute: &str| content(vec![with("a", json!({"predicate": compare(attribute, "eq", count(1))}))]);
    for (content, expected) in [
        (asks("deal.colour"), "there is no attribute \"deal.colour\""),
        (asks("accumulator."), "there is no attribute \"accumulator.\""),
        (asks("accumulator.UPPER"), "there is no attribute"),
        (asks(&"x".repeat(100_000)), "there is no attribute"),
        (rate("0.0000001".into()), "at most six places"),
        (rate("1000.000001".into()), "between -1000 and 1000"),
        (rate("1e-3".into()), "expected a decimal fraction"),
        (rate(json!(0.0065)), "expected a string"),
        (content(vec![with("a", json!({"trigger": {"kind": "trail", "x": 1}}))]), "unknown field `x`"),
        (
            content(vec![with("a", json!({"trigger": {"kind": "deal_event", "event": "lost"}}))]),
            "unknown variant `lost`",
        ),
        (content(vec![with("a", json!({"trigger": {"kind": "milestone", "name": "Plan Ready"}}))]), "expected a key"),
        (content(vec![with("A", json!({}))]), "expected a key"),
        (
            content(vec![with("a", json!({"split": [{"role": "upline_10", "share": "1"}]}))]),
            "expected member, upline_1",
        ),
        (
            content(vec![with("a", json!({"rate": {"kind": "flat", "amount": {"amount": 1, "currency": "USD"}}}))]),
            "unknown variant `USD`",
        ),
        (
            content(vec![with("a", json!({"rate": {"kind": "flat", "amount": {"amount": 9.5, "currency": "AUD"}}}))]),
            "expected i64",
        ),
        (
            content(vec![with(
                "a",
                json!({"rate": {"kind": "flat", "amount": {"amount": 9_223_372_036_854_775_808_u64, "currency": "AUD"}}}),
            )]),
            "expected i64",
        ),
        (
            counting(
                vec![component("a")],
                vec![json!({"key": "t", "measure": "net_balance", "scope": "member", "window": "fortnight"})],
            ),
            "unknown variant `fortnight`",
        ),
    ] {
        let said = refused(&content);
        assert!(said.contains(expected), "{said}\nhas no {expected}");
    }
    let mut dated = content(vec![component("a")]);
    for day in ["2026-02-29", "2026-13-01", "01/02/2026", "2026-1-1"] {
        dated["effective_from"] = day.into();
        refused(&dated);
    }
}

#[test]
fn deep_json_is_refused_and_does_not_overflow_the_stack() {
    let nested = |levels: usize, open: &str, core: &str, close: &str| {
        let predicate = format!("{}{core}{}", open.repeat(levels), close.repeat(levels));
        content(vec![with("a", json!({"predicate": "HERE"}))]).to_string().replace("\"HERE\"", &predicate)
    };
    let not = |levels| nested(levels, r#"{"op":"not","of":"#, r#"{"op":"all","of":[]}"#, "}");
    let all = |levels| nested(levels, r#"{"op":"all","of":["#, "", "]}");
    for json in [not(10_000), all(10_000), nested(10_000, "[", "", "]"), nested(200_000, r#"{"x":"#, "1", "}")] {
        let error = VersionContent::parse(json.as_bytes()).expect_err("it is too deep").to_string();
        assert!(error.contains("recursion limit") || error.contains("expected"), "{error}");
    }
    // What reads may still be deeper than a condition may be; the check says so.
    for json in [not(MAX_DEPTH), all(MAX_DEPTH + 1), not(50)] {
        let content = VersionContent::parse(json.as_bytes()).expect("it reads");
        let found = check(&content, &[]);
        assert_eq!(found.iter().map(|f| f.code).collect::<Vec<_>>(), ["predicate_too_large"]);
    }
    let content = VersionContent::parse(not(MAX_DEPTH - 1).as_bytes()).expect("it reads");
    assert_eq!(check(&content, &[]), []);
}

#[test]
fn every_size_has_a_bound() {
    let codes = |content: &Value| -> Vec<&str> { check(&parsed(content), &[]).into_iter().map(|f| f.code).collect() };
    let many = |n: usize| content((0..n).map(|n| component(&format!("c{n}"))).collect());
    assert_eq!(codes(&many(MAX_COMPONENTS)), [""; 0]);
    assert_eq!(codes(&many(MAX_COMPONENTS + 1)), ["component_count"]);
    assert_eq!(codes(&many(0)), ["component_count"]);
    let wide = |n: usize| {
        let leaf = compare("deal.units", "eq", count(1));
        content(vec![with("a", json!({"predicate": {"op": "any", "of": vec![leaf; n]}}))])
    };
    assert_eq!(codes(&wide(MAX_NODES - 1)), [""; 0]);
    assert_eq!(codes(&wide(MAX_NODES)), ["predicate_too_large"]);
    let values = content(vec![with(
        "a",
        json!({"predicate": {"op": "in", "attribute": "deal.units", "values": vec![count(1); MAX_NODES]}}),
    )]);
    assert_eq!(codes(&values), ["predicate_too_large"]);
    let tiers = |n: i64| {
        content(vec![with("a", json!({"rate": tiered("marginal", (0..n).map(|n| tier(n, "0.01")).collect())}))])
    };
    assert_eq!(codes(&tiers(64)), [""; 0]);
    assert_eq!(codes(&tiers(65)), ["tier_count"]);
    let long = content(vec![with("a", json!({"name": "n".repeat(121)}))]);
    assert_eq!(codes(&long), ["invalid_name"]);
    let totals = counting(vec![component("a")], (0..17).map(|n| total(&format!("t{n}"), "deals")).collect());
    assert_eq!(codes(&totals), ["accumulator_count"]);
}

/// One content for each code of the check, with the pointer that it must have.
#[expect(clippy::too_many_lines, reason = "a table")]
fn faults() -> Vec<(&'static str, &'static str, Value)> {
    let one = |fields: Value| content(vec![with("a", fields)]);
    let predicate = |predicate: Value| one(json!({ "predicate": predicate }));
    let rate = |rate: Value| one(json!({ "rate": rate }));
    let split = |split: Value| one(json!({ "split": split }));
    let limits = |limits: Value| {
        one(json!({
            "limits": limits,
            "split": [{"role": "member", "share": "0.5", "excess_to": "platform"}, {"role": "platform", "share": "0.5"}]
        }))
    };
    let clawback = |clawback: Value| one(json!({ "clawback": clawback }));
    let trail = |mut fields: Value| {
        fields["trigger"] = json!({"kind": "trail"});
        if fields["rate"].is_null() {
            fields["rate"] = json!({"kind": "trail", "annual_rate": "0.002", "periods_per_year": 12});
        }
        fields
    };
    let by_volume = |tiers: Vec<Value>, mode: &str| {
        counting(
            vec![with(
                "a",
                json!({"rate": {
                    "kind": "tiered", "of": "settled_amount", "mode": mode, "tiers": tiers,
                    "by": {"kind": "accumulator", "key": "volume"}
                }}),
            )],
            vec![total("volume", "settled_amount")],
        )
    };
    let mut backwards = content(vec![component("a")]);
    backwards["effective_until"] = "2025-12-31".into();
    let asks = |key: &str, of: &str| {
        with(key, json!({"rate": {"kind": "percent_of_component", "component": of, "rate": "0.1"}}))
    };
    let mut other_mode = component("b");
    other_mode["combine"] = json!({"group": "a", "mode": "first"});
    let in_group = |key: &str, fields: Value| {
        let mut component = with(key, fields);
        component["combine"] = json!({"group": "g", "mode": "sum"});
        component
    };
    vec![
        ("effective_range", "/effective_until", backwards),
        ("component_count", "/components", content(vec![])),
        ("duplicate_key", "/components/1/key", content(vec![component("a"), component("a")])),
        (
            "duplicate_key",
            "/accumulators/1/key",
            counting(vec![component("a")], vec![total("t", "deals"), total("t", "fee")]),
        ),
        (
            "unit_mismatch",
            "/accumulators/0/measure",
            counting(vec![component("a")], vec![total("t", "period_balance")]),
        ),
        (
            "accumulator_count",
            "/accumulators",
            counting(vec![component("a")], (0..17).map(|n| total(&format!("t{n}"), "deals")).collect()),
        ),
        ("invalid_name", "/components/0/name", one(json!({"name": "a\u{7}"}))),
        ("invalid_name", "/components/0/combine/group", one(json!({"combine": {"group": "", "mode": "sum"}}))),
        (
            "predicate_too_large",
            "/components/0/predicate",
            predicate(json!({"op": "any", "of": vec![json!({"op": "all", "of": []}); 300]})),
        ),
        (
            "unit_mismatch",
            "/components/0/predicate/of/0/value",
            predicate(json!({"op": "all", "of": [compare("deal.settled_amount", "gt", count(5))]})),
        ),
        (
            "unit_mismatch",
            "/components/0/predicate/of/value",
            predicate(json!({"op": "not", "of": compare("deal.referred_on", "lt", text("2026"))})),
        ),
        (
            "unit_mismatch",
            "/components/0/predicate/values/1",
            predicate(json!({"op": "in", "attribute": "deal.units", "values": [count(1), money(1)]})),
        ),
        (
            "empty_list",
            "/components/0/predicate/values",
            predicate(json!({"op": "in", "attribute": "deal.units", "values": []})),
        ),
        (
            "empty_range",
            "/components/0/predicate/to",
            predicate(json!({"op": "between", "attribute": "deal.units", "from": count(2), "to": count(1)})),
        ),
        (
            "unknown_accumulator",
            "/components/0/predicate/attribute",
            predicate(compare("accumulator.volume", "gt", money(1))),
        ),
        (
            "unknown_accumulator",
            "/components/0/rate/accumulator",
            rate(
                json!({"kind": "milestone_bonus", "accumulator": "t", "milestones": [{"at": count(1), "amount": aud(1)}]}),
            ),
        ),
        ("negative_rate", "/components/0/rate/amount", rate(json!({"kind": "flat", "amount": aud(-1)}))),
        ("negative_rate", "/components/0/rate/rate", rate(json!({"kind": "percent", "of": "fee", "rate": "-0.1"}))),
        ("unit_mismatch", "/components/0/rate/of", rate(json!({"kind": "percent", "of": "units", "rate": "0.1"}))),
        (
            "unit_mismatch",
            "/components/0/rate/of",
            rate(json!({"kind": "flat_per_unit", "of": "fee", "amount": aud(1)})),
        ),
        (
            "unit_mismatch",
            "/components/0/rate/tiers/0/from",
            rate(tiered("marginal", vec![json!({"from": count(1), "pays": {"kind": "percent", "rate": "0.1"}})])),
        ),
        (
            "unit_mismatch",
            "/components/0/rate/tiers/0/pays/kind",
            rate(tiered("whole", vec![json!({"from": money(1), "pays": {"kind": "per_unit", "amount": aud(1)}})])),
        ),
        (
            "tiers_out_of_order",
            "/components/0/rate/tiers/1/from",
            rate(tiered("marginal", vec![tier(5, "0.1"), tier(5, "0.2")])),
        ),
        (
            "tiers_out_of_order",
            "/components/0/rate/tiers/2/from",
            rate(tiered("marginal", vec![tier(5, "0.1"), tier(7, "0.2"), tier(6, "0.3")])),
        ),
        ("negative_threshold", "/components/0/rate/tiers/0/from", rate(tiered("marginal", vec![tier(-1, "0.1")]))),
        ("tier_count", "/components/0/rate/tiers", rate(tiered("marginal", vec![]))),
        (
            "flat_tier",
            "/components/0/rate/tiers/0/pays/kind",
            rate(tiered("marginal", vec![json!({"from": money(1), "pays": {"kind": "flat", "amount": aud(1)}})])),
        ),
        (
            "true_up_needs_accumulator",
            "/components/0/rate/by",
            rate(tiered("whole_with_true_up", vec![tier(0, "0.1")])),
        ),
        (
            "true_up_falls",
            "/components/0/rate/tiers/1/pays",
            by_volume(vec![tier(0, "0.2"), tier(5, "0.1")], "whole_with_true_up"),
        ),
        (
            "periods_per_year",
            "/components/0/rate/periods_per_year",
            one(trail(json!({"rate": {"kind": "trail", "annual_rate": "0.1", "periods_per_year": 3}}))),
        ),
        (
            "trail_without_period",
            "/components/0/trigger",
            rate(json!({"kind": "trail", "annual_rate": "0.1", "periods_per_year": 12})),
        ),
        (
            "trail_without_period",
            "/components/0/rate/of",
            rate(json!({"kind": "percent", "of": "period_balance", "rate": "0.1"})),
        ),
        (
            "running_total_on_trail",
            "/components/0/limits/0/per",
            one(trail(json!({"limits": [{"per": "month", "cap": aud(1)}]}))),
        ),
        (
            "running_total_on_trail",
            "/components/0/rate",
            counting(
                vec![with("a", trail(json!({"predicate": compare("accumulator.t", "gt", count(1))})))],
                vec![total("t", "deals")],
            ),
        ),
        (
            "clawback_on_trail",
            "/components/0/clawback",
            one(trail(json!({"clawback": {"kind": "straight_line", "months": 12}}))),
        ),
        (
            "unknown_table",
            "/components/0/rate/table",
            rate(json!({"kind": "lookup", "of": "fee", "table": uses(&table(1, &rows()))})),
        ),
        ("share_count", "/components/0/split", split(json!([]))),
        ("split_not_whole", "/components/0/split", split(json!([{"role": "platform", "share": "0.999999"}]))),
        (
            "split_not_whole",
            "/components/0/split",
            split(json!([{"role": "platform", "share": "1.1"}, {"role": "member", "share": "remainder"}])),
        ),
        (
            "role_twice",
            "/components/0/split/1/role",
            split(json!([{"role": "platform", "share": "0.5"}, {"role": "platform", "share": "0.5"}])),
        ),
        (
            "passes_to_nobody",
            "/components/0/split/0/absent_to",
            split(json!([{"role": "platform", "share": "1", "absent_to": "member"}])),
        ),
        (
            "absent_to_missing",
            "/components/0/split/0",
            split(json!([{"role": "upline_1", "share": "0.5"}, {"role": "platform", "share": "0.5"}])),
        ),
        (
            "absent_to_missing",
            "/components/0/split/0",
            split(json!([
                {"role": "upline_1", "share": "0.5", "absent_to": "upline_2"}, {"role": "upline_2", "share": "0.5", "absent_to": "upline_1"}
            ])),
        ),
        ("empty_limit", "/components/0/limits/0", limits(json!([{"per": "month"}]))),
        (
            "cap_below_floor",
            "/components/0/limits/0/cap",
            limits(json!([{"per": "deal", "cap": aud(1), "floor": aud(2)}])),
        ),
        ("negative_rate", "/components/0/limits/0/cap", limits(json!([{"per": "deal", "cap": aud(-1)}]))),
        (
            "limit_twice",
            "/components/0/limits/1",
            limits(json!([{"per": "deal", "cap": aud(1)}, {"per": "deal", "floor": aud(1)}])),
        ),
        (
            "proration_needs_window",
            "/components/0/limits/0/proration",
            limits(json!([{"per": "lifetime", "cap": aud(1), "proration": "days_in_force"}])),
        ),
        ("count_needs_window", "/components/0/limits/0/max_count", limits(json!([{"per": "deal", "max_count": 1}]))),
        (
            "count_of_role",
            "/components/0/limits/0/max_count",
            limits(json!([{"role": "member", "per": "month", "max_count": 1}])),
        ),
        (
            "limit_role_not_in_split",
            "/components/0/limits/0/role",
            limits(json!([{"role": "upline_1", "per": "deal", "cap": aud(1)}])),
        ),
        (
            "excess_to_missing",
            "/components/0/limits/0/role",
            limits(json!([{"role": "platform", "per": "deal", "cap": aud(1)}])),
        ),
        (
            "excess_returns",
            "/components/0/limits/0/role",
            one(json!({
                "limits": [{"role": "member", "per": "deal", "cap": aud(1)}],
                "split": [
                    {"role": "member", "share": "0.5", "excess_to": "upline_1"},
                    {"role": "upline_1", "share": "0.5", "absent_to": "member"}
                ]
            })),
        ),
        ("empty_schedule", "/components/0/clawback/steps", clawback(json!({"kind": "step", "steps": []}))),
        (
            "fraction_out_of_range",
            "/components/0/clawback/steps/0/fraction",
            clawback(json!({"kind": "step", "steps": [{"before_months": 1, "fraction": "1.000001"}]})),
        ),
        (
            "fraction_out_of_range",
            "/components/0/clawback/fractions/1",
            clawback(json!({"kind": "custom", "fractions": ["1", "-0.5"]})),
        ),
        (
            "months_out_of_range",
            "/components/0/clawback/steps/0/before_months",
            clawback(json!({"kind": "step", "steps": [{"before_months": 0, "fraction": "1"}]})),
        ),
        (
            "months_out_of_range",
            "/components/0/clawback/months",
            clawback(json!({"kind": "straight_line", "months": 121})),
        ),
        (
            "months_out_of_range",
            "/components/0/clawback/fractions",
            clawback(json!({"kind": "custom", "fractions": []})),
        ),
        (
            "steps_out_of_order",
            "/components/0/clawback/steps/1/before_months",
            clawback(json!({"kind": "step", "steps": [
                {"before_months": 12, "fraction": "1"}, {"before_months": 12, "fraction": "0.5"}
            ]})),
        ),
        ("group_mode", "/components/1/combine/mode", content(vec![component("a"), other_mode])),
        (
            "group_mixes_trail",
            "/components/1/combine/group",
            content(vec![in_group("a", json!({})), in_group("b", trail(json!({})))]),
        ),
        ("unknown_component", "/components/0/rate/component", content(vec![asks("a", "nobody")])),
        (
            "unknown_component",
            "/components/0/trigger/key",
            one(json!({"trigger": {"kind": "component", "key": "nobody"}})),
        ),
        ("mixes_trail", "/components/1/rate/component", content(vec![with("b", trail(json!({}))), asks("a", "b")])),
        ("component_cycle", "/components/0/rate/component", content(vec![asks("a", "a")])),
        ("component_cycle", "/components/1/rate/component", content(vec![asks("a", "b"), asks("b", "a")])),
        (
            "component_cycle",
            "/components/2/trigger/key",
            content(vec![
                asks("a", "b"),
                asks("b", "c"),
                with("c", json!({"trigger": {"kind": "component", "key": "a"}})),
            ]),
        ),
    ]
}

fn rows() -> Value {
    json!({"keys": [{"attribute": "product.code", "match": "exact"}], "rows": [{"keys": [text("A")], "pays": {"kind": "percent", "rate": "0.1"}}]})
}

#[test]
fn every_fault_of_content_is_found_at_its_pointer_and_keeps_it_from_compiling() {
    let mut found_codes = BTreeSet::new();
    for (code, pointer, content) in faults() {
        let parsed = parsed(&content);
        let found = check(&parsed, &[]);
        let said: Vec<(&str, &str)> = found.iter().map(|f| (f.code, f.pointer.as_str())).collect();
        assert!(said.contains(&(code, pointer)), "{code} {pointer}: {said:?}");
        assert!(Plan::compile(&parsed, &[]).is_err(), "{code}");
        found_codes.insert(code);
        found_codes.extend(found.iter().map(|f| f.code));
    }
    for (code, pointer, content) in table_faults() {
        let table = LookupTable::parse(content.to_string().as_bytes()).expect("a table");
        let said: Vec<(&str, String)> = check_table(&table).into_iter().map(|f| (f.code, f.pointer)).collect();
        assert!(said.contains(&(code, pointer.to_owned())), "{code} {pointer}: {said:?}");
        found_codes.insert(code);
    }
    let sources = [
        include_str!("../src/agreements/check/mod.rs"),
        include_str!("../src/agreements/check/rates.rs"),
        include_str!("../src/agreements/check/split.rs"),
        include_str!("../src/agreements/check/graph.rs"),
        include_str!("../src/agreements/check/table.rs"),
    ]
    .concat();
    let of_check = CODES.iter().map(|c| c.code).filter(|code| sources.contains(&format!("\"{code}\"")));
    let without_a_case: Vec<&str> = of_check.filter(|code| !found_codes.contains(code)).collect();
    assert_eq!(without_a_case, [""; 0]);
}

#[test]
fn a_row_that_does_not_fit_what_is_looked_up_for_is_told_at_the_measure() {
    let percent = json!({"keys": [{"attribute": "product.code", "match": "exact"}],
        "rows": [{"keys": [text("A")], "pays": {"kind": "percent", "rate": "0.1"}}, {"keys": [text("B")], "pays": {"kind": "percent", "rate": "0.2"}}]});
    let percent = table(1, &percent);
    let of = |measure: &str| {
        let rate = json!({"kind": "lookup", "of": measure, "table": uses(&percent)});
        check(&parsed(&content(vec![with("a", json!({"rate": rate}))])), std::slice::from_ref(&percent))
    };
    assert_eq!(of("fee"), []);
    let found: Vec<(&str, String)> = of("units").into_iter().map(|f| (f.code, f.pointer)).collect();
    assert_eq!(found, [("unit_mismatch", "/components/0/rate/of".to_owned())]);
}

fn table_faults() -> Vec<(&'static str, &'static str, Value)> {
    let key = |attribute: &str, matching: &str| json!({"attribute": attribute, "match": matching});
    let row = |keys: Value| json!({"keys": keys, "pays": {"kind": "percent", "rate": "0.1"}});
    let of = |keys: Value, rows: Value| json!({"keys": keys, "rows": rows});
    let product = || json!([key("product.code", "exact")]);
    vec![
        ("key_count", "/keys", of(json!([]), json!([row(json!([]))]))),
        ("row_count", "/rows", of(product(), json!([]))),
        ("row_count", "/rows", of(product(), (0..5_001).map(|n| row(json!([text(&n.to_string())]))).collect())),
        (
            "band_not_last",
            "/keys/0/match",
            of(
                json!([key("deal.units", "band"), key("product.code", "exact")]),
                json!([row(json!([count(1), text("A")]))]),
            ),
        ),
        ("unit_mismatch", "/keys/0/match", of(json!([key("product.code", "band")]), json!([row(json!([text("A")]))]))),
        (
            "accumulator_as_key",
            "/keys/0/attribute",
            of(json!([key("accumulator.t", "exact")]), json!([row(json!([count(1)]))])),
        ),
        ("key_count", "/rows/0/keys", of(product(), json!([row(json!([]))]))),
        ("unit_mismatch", "/rows/0/keys/0", of(product(), json!([row(json!([count(1)]))]))),
        ("row_twice", "/rows/1/keys", of(product(), json!([row(json!([text("A")])), row(json!([text("A")]))]))),
    ]
}

/// The largest amount that content can carry.
const LARGEST: i64 = (1 << 53) - 1;

struct Case {
    version: GoverningVersion,
    product: ProductCode,
    facts: DealFacts,
    milestones: Milestones,
}

impl Case {
    fn of(content: &Value, on: Date, amount: i64) -> Self {
        let facts = DealFacts {
            referred_on: on,
            contracted_on: Some(on),
            settlement: Some(Settlement::of(on, Money::aud(amount), Money::ZERO)),
            discharged_on: None,
        };
        let product = ProductCode::parse("ANY").expect("a code");
        Self { version: version(content, &[]), product, facts, milestones: Milestones::new() }
    }

    fn input(&self) -> CalculationInput<'_> {
        let id = DealId::new(Uuid::from_u128(1));
        let vertical = VerticalCode::parse("V02").expect("a vertical");
        CalculationInput {
            milestones: &self.milestones,
            ..CalculationInput::new(
                id,
                (vertical, &self.product),
                self.facts,
                MemberId::new(Uuid::from_u128(1)),
                &[],
                &self.version,
            )
        }
    }
}

fn earned(case: &Case) -> Result<i64, EvaluateError> {
    evaluate(&case.input()).map(|output| output.lines.iter().map(|line| line.earned.minor()).sum())
}

#[test]
fn the_largest_deal_at_the_largest_rate_is_an_error_and_not_a_panic() {
    let out_of_range = Err(EvaluateError::Money(MoneyError::OutOfRange));
    let on = date(2026, 3, 1);
    let rate = |rate: Value| content(vec![with("a", json!({ "rate": rate }))]);
    let per_unit = |mode: &str| {
        json!({
            "kind": "tiered", "of": "units", "mode": mode, "by": {"kind": "deal"},
            "tiers": [{"from": count(0), "pays": {"kind": "per_unit", "amount": aud(LARGEST)}}]
        })
    };
    for rate in [
        rate(json!({"kind": "percent", "of": "settled_amount", "rate": "1000"})),
        rate(json!({"kind": "flat_per_unit", "of": "units", "amount": aud(LARGEST)})),
        rate(tiered("marginal", vec![tier(0, "1000")])),
        rate(tiered("whole", vec![tier(0, "1000")])),
        rate(per_unit("marginal")),
        rate(per_unit("whole")),
    ] {
        let mut case = Case::of(&rate, on, i64::MAX);
        if let Some(settlement) = &mut case.facts.settlement {
            settlement.measures.units = Some(i64::MAX);
        }
        assert_eq!(earned(&case), out_of_range, "{rate}");
        assert!(trace(&case.input()).is_err());
    }
    // Each by itself fits, and both together do not.
    let both = content(vec![
        with("a", json!({"rate": {"kind": "percent", "of": "settled_amount", "rate": "1"}})),
        with("b", json!({"rate": {"kind": "flat", "amount": aud(1)}})),
    ]);
    assert_eq!(earned(&Case::of(&both, on, i64::MAX)), out_of_range);
    assert_eq!(earned(&Case::of(&both, on, i64::MAX - 1)), Ok(i64::MAX));
    let whole = content(vec![with("a", json!({"rate": {"kind": "percent", "of": "settled_amount", "rate": "1"}}))]);
    assert_eq!(earned(&Case::of(&whole, on, i64::MAX)), Ok(i64::MAX));
    assert_eq!(earned(&Case::of(&whole, on, i64::MIN)), Ok(0));
    // The net balance itself does not fit: it is not known.
    let net = Case::of(&content(vec![component("a")]), on, i64::MAX);
    let mut far = net.facts;
    far.settlement = Some(Settlement::of(on, Money::aud(i64::MAX), Money::aud(-1)));
    let output = evaluate(&CalculationInput { facts: far, ..net.input() }).expect("a result");
    assert_eq!(output.non_awards[0].reason, "amount_not_known");
}

#[test]
fn running_totals_at_the_end_of_64_bits_are_an_error_and_not_a_panic() {
    let per_unit = |mode: &str| {
        json!({
            "kind": "tiered", "of": "units", "mode": mode, "by": {"kind": "accumulator", "key": "t"},
            "tiers": [{"from": count(0), "pays": {"kind": "per_unit", "amount": aud(LARGEST)}}]
        })
    };
    let limited = json!({"limits": [{"per": "month", "cap": aud(LARGEST), "floor": aud(LARGEST)}]});
    let total = || vec![json!({"key": "t", "measure": "units", "scope": "member", "window": "lifetime"})];
    for content in [
        counting(vec![with("a", json!({"rate": per_unit("marginal")}))], total()),
        counting(vec![with("a", json!({"rate": per_unit("whole_with_true_up")}))], total()),
        content(vec![with("a", limited)]),
    ] {
        let mut case = Case::of(&content, date(2026, 3, 1), 100_000_000);
        if let Some(settlement) = &mut case.facts.settlement {
            settlement.measures.units = Some(2);
        }
        let plan = case.version.plan().expect("a plan");
        for extreme in [i64::MIN, -1, 0, 1, i64::MAX - 1, i64::MAX] {
            for standing in [
                Standing { total: extreme, ..Standing::default() },
                Standing { paid: extreme, ..Standing::default() },
                Standing { awards: extreme, ..Standing::default() },
                Standing { total: extreme, paid: extreme, awards: extreme },
            ] {
                let keys = plan.counter_keys(&case.input());
                let counters: Vec<Counter> = keys.into_iter().map(|key| Counter { key, before: standing }).collect();
                let input = CalculationInput { counters: &counters, ..case.input() };
                let mut scratch = Scratch::default();
                let untraced = plan.evaluate(&input, &mut scratch, &mut Silent);
                assert_eq!(untraced.is_ok(), trace(&input).is_ok());
                if standing.total == i64::MAX || standing.awards == i64::MAX {
                    assert_eq!(untraced, Err(EvaluateError::Money(MoneyError::OutOfRange)), "{standing:?} {content}");
                }
            }
        }
    }
    // Counters of another version are refused, not guessed.
    let case = Case::of(&counting(vec![component("a")], total()), date(2026, 3, 1), 1);
    let plan = case.version.plan().expect("a plan");
    let mut keys = plan.counter_keys(&case.input());
    keys[0].counter = "accumulator.u".to_owned();
    let counters: Vec<Counter> = keys.into_iter().map(|key| Counter { key, before: Standing::default() }).collect();
    assert_eq!(evaluate(&CalculationInput { counters: &counters, ..case.input() }), Err(EvaluateError::Counters));
}

#[test]
fn windows_go_by_the_calendar_across_daylight_saving_and_leap_days() {
    let by = |window: &str| json!({"key": "t", "measure": "deals", "scope": "member", "window": window});
    for (window, on, first, last, days) in [
        // Sydney's clocks go back on 5 April and forward on 4 October 2026: both Sundays belong to their week.
        ("week", date(2026, 4, 5), date(2026, 3, 30), date(2026, 4, 5), 7),
        ("week", date(2026, 10, 4), date(2026, 9, 28), date(2026, 10, 4), 7),
        ("day", date(2026, 10, 4), date(2026, 10, 4), date(2026, 10, 4), 1),
        ("month", date(2026, 10, 31), date(2026, 10, 1), date(2026, 10, 31), 31),
        ("month", date(2028, 2, 29), date(2028, 2, 1), date(2028, 2, 29), 29),
        ("quarter", date(2028, 2, 29), date(2028, 1, 1), date(2028, 3, 31), 91),
        ("financial_year", date(2028, 2, 29), date(2027, 7, 1), date(2028, 6, 30), 366),
        // The ISO week of the turn of the year.
        ("week", date(2026, 1, 1), date(2025, 12, 29), date(2026, 1, 4), 7),
    ] {
        let case = Case::of(&counting(vec![component("a")], vec![by(window)]), on, 1);
        let keys = case.version.plan().expect("a plan").counter_keys(&case.input());
        assert_eq!(keys[0].window_from, first, "{window} of {on}");
        let window: Window = serde_json::from_value(window.into()).expect("a window");
        assert_eq!((window.last_day(on), window.days(on)), (Some(last), Some(days)), "{window:?} of {on}");
    }
}

#[test]
fn a_cap_is_prorated_by_the_days_of_a_leap_year() {
    let mut content = content(vec![with(
        "a",
        json!({
            "rate": {"kind": "percent", "of": "settled_amount", "rate": "1"},
            "limits": [{"per": "financial_year", "cap": aud(366_000), "proration": "days_in_force"}]
        }),
    )]);
    // In force from the leap day on: 29 February to 30 June 2028 are 123 of 366 days.
    content["effective_from"] = "2028-02-29".into();
    let case = Case::of(&content, date(2028, 3, 1), 10_000_000);
    let keys = case.version.plan().expect("a plan").counter_keys(&case.input());
    let counters: Vec<Counter> = keys.into_iter().map(|key| Counter { key, before: Standing::default() }).collect();
    let output = evaluate(&CalculationInput { counters: &counters, ..case.input() }).expect("a result");
    assert_eq!(output.lines[0].earned, Money::aud(123_000));
}

#[test]
fn a_month_after_the_31st_of_january_is_the_last_day_of_february() {
    let clawback = json!({"kind": "step", "steps": [{"before_months": 1, "fraction": "1"}]});
    let line = json!({"kind": "straight_line", "months": 2});
    for (settled, discharged, steps, straight) in [
        (date(2026, 1, 31), date(2026, 2, 27), 100, 100),
        (date(2026, 1, 31), date(2026, 2, 28), 0, 50),
        (date(2028, 1, 31), date(2028, 2, 28), 100, 100),
        (date(2028, 1, 31), date(2028, 2, 29), 0, 50),
        (date(2028, 2, 29), date(2028, 3, 28), 100, 100),
        (date(2028, 2, 29), date(2028, 3, 29), 0, 50),
        // Unwound before it settled: no month has passed.
        (date(2026, 1, 31), date(2025, 12, 1), 100, 100),
    ] {
        for (schedule, expected) in [(&clawback, steps), (&line, straight)] {
            let rate = json!({"kind": "flat", "amount": aud(100)});
            let mut case = Case::of(&content(vec![with("a", json!({"rate": rate, "clawback": schedule}))]), settled, 1);
            case.facts.discharged_on = Some(discharged);
            let output = evaluate(&case.input()).expect("a result");
            assert_eq!(output.lines[0].clawed_back.minor(), expected, "{settled} to {discharged}: {schedule}");
        }
    }
}

#[test]
fn dates_at_the_ends_of_the_calendar_are_an_error_or_a_result_and_not_a_panic() {
    let schedules = [
        json!({"kind": "straight_line", "months": 120}),
        json!({"kind": "step", "steps": [{"before_months": 120, "fraction": "1"}]}),
        json!({"kind": "custom", "fractions": ["1"]}),
    ];
    let ends = [Date::MIN, date(2026, 3, 1), Date::MAX];
    for schedule in schedules {
        for window in ["day", "week", "month", "quarter", "financial_year", "lifetime"] {
            let fields = json!({
                "rate": {"kind": "flat", "amount": aud(100)}, "clawback": schedule, "hold": {"days": 1, "funding_rule": "on_expiry"},
                "limits": [{"per": window, "cap": aud(1_000)}]
            });
            for settled in ends {
                for discharged in ends {
                    let mut case = Case::of(&content(vec![with("a", fields.clone())]), settled, 1);
                    case.facts.discharged_on = Some(discharged);
                    let keys = case.version.plan().expect("a plan").counter_keys(&case.input());
                    let counters: Vec<Counter> =
                        keys.into_iter().map(|key| Counter { key, before: Standing::default() }).collect();
                    let input = CalculationInput { counters: &counters, ..case.input() };
                    match evaluate(&input) {
                        Ok(output) => assert_eq!(output.lines[0].earned.minor(), 100),
                        Err(error) => assert_eq!(error, EvaluateError::Date),
                    }
                    if settled == Date::MAX {
                        assert_eq!(evaluate(&input), Err(EvaluateError::Date), "a hold beyond the calendar");
                    }
                }
            }
        }
    }
    let period = Period { month: Date::MAX, balance: Money::ZERO };
    assert_eq!((period.ends_on(), period.month_after(1)), (Date::MAX, None));
    for months in [i64::MIN, -1_000_000, 1_000_000, i64::MAX] {
        assert_eq!(period.month_after(months), None);
    }
}

#[test]
fn what_does_not_compile_is_not_evaluated() {
    for (code, _, content) in faults() {
        let case = Case::of(&content, date(2026, 3, 1), 100);
        assert!(matches!(evaluate(&case.input()), Err(EvaluateError::Content(_))), "{code}");
    }
}

#[test]
fn a_number_that_canonical_json_cannot_carry_exactly_has_no_hash() {
    let content =
        parsed(&content(vec![with("a", json!({"rate": {"kind": "flat", "amount": aud(9_007_199_254_740_993)}}))]));
    assert!(content.content_hash().is_err());
}
