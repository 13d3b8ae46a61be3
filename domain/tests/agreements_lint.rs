//! The lint: every finding where it belongs, none where it does not, and every example shows what it says.

#![expect(clippy::expect_used, reason = "a test fails loudly")]

mod made;

use std::collections::BTreeSet;

use domain::agreements::VersionContent;
use domain::agreements::finding::{Finding, Severity};
use domain::agreements::lint::{CODES, LintContext, MadeUpDeal, guardrail_breaches, lint};
use domain::agreements::reference;
use domain::catalogue::VerticalCode;
use domain::catalogue::guardrail;
use jiff::civil::{Date, date};
use made::{
    alone, aud, compare, component, content, count, counting, linted, money, parsed, text, tier, tiered, total,
    version, with,
};
use serde_json::{Value, json};

fn any(of: &[Value]) -> Value {
    json!({"op": "any", "of": of})
}

fn all(of: &[Value]) -> Value {
    json!({"op": "all", "of": of})
}

fn not(of: &Value) -> Value {
    json!({"op": "not", "of": of})
}

fn branch(key: &str, mode: &str, predicate: Value, rate: &str) -> Value {
    with(
        key,
        json!({
            "predicate": predicate,
            "rate": {"kind": "percent", "of": "settled_amount", "rate": rate},
            "combine": {"group": "g", "mode": mode}
        }),
    )
}

fn of_vertical(vertical: &str, mut content: Value) -> Value {
    content["vertical"] = vertical.into();
    content
}

/// Contents, each with every finding that it must have: code and pointer, in order.
#[expect(clippy::too_many_lines, reason = "a table")]
fn cases() -> Vec<(&'static str, Value, Vec<(&'static str, &'static str)>)> {
    let small = || compare("deal.settled_amount", "lt", money(50_000_000));
    let large = || compare("deal.settled_amount", "gte", money(50_000_000));
    let product = |code: &str| compare("product.code", "eq", text(code));
    let step = |steps: Value| json!({"kind": "step", "steps": steps});
    let life = |rate: &str, clawback: Value| {
        let mut content = of_vertical(
            "V05",
            content(vec![with("initial", json!({"rate": {"kind": "percent", "of": "premium", "rate": rate}}))]),
        );
        if !clawback.is_null() {
            content["components"][0]["clawback"] = clawback;
        }
        content
    };
    let lawful = || step(json!([{"before_months": 12, "fraction": "1"}, {"before_months": 24, "fraction": "0.6"}]));
    let by_total = |mode: &str| {
        json!({
            "kind": "tiered", "of": "settled_amount", "mode": mode, "by": {"kind": "accumulator", "key": "volume"},
            "tiers": [tier(0, "0.005"), tier(1_000_000_000, "0.006")]
        })
    };
    vec![
        (
            "two branches that meet nowhere",
            content(vec![branch("a", "first", small(), "0.01"), branch("b", "first", large(), "0.01")]),
            vec![],
        ),
        (
            "never true",
            content(vec![with("a", json!({"predicate": all(&[small(), large()])}))]),
            vec![("predicate_never_true", "/components/0/predicate")],
        ),
        (
            "an empty any",
            content(vec![with("a", json!({"predicate": any(&[])}))]),
            vec![("predicate_never_true", "/components/0/predicate")],
        ),
        (
            "not always",
            content(vec![with("a", json!({"predicate": not(&all(&[]))}))]),
            vec![("predicate_never_true", "/components/0/predicate")],
        ),
        (
            "a period where there is none",
            content(vec![with("a", json!({"predicate": compare("period.balance", "gte", money(0))}))]),
            vec![("predicate_never_true", "/components/0/predicate")],
        ),
        (
            "another vertical",
            content(vec![with("a", json!({"predicate": compare("product.vertical", "eq", text("V01"))}))]),
            vec![("predicate_never_true", "/components/0/predicate")],
        ),
        (
            "always said in a roundabout way is not found",
            content(vec![with("a", json!({"predicate": any(&[small(), not(&small())])}))]),
            vec![],
        ),
        (
            "shadowed by one",
            content(vec![branch("a", "first", all(&[]), "0.01"), branch("b", "first", small(), "0.005")]),
            vec![("branch_shadowed", "/components/1/predicate")],
        ),
        (
            "shadowed by two together",
            content(vec![
                branch("a", "first", small(), "0.01"),
                branch("b", "first", large(), "0.01"),
                branch("c", "first", product("FIXED"), "0.01"),
            ]),
            vec![("branch_shadowed", "/components/2/predicate")],
        ),
        (
            "not shadowed: the first needs another trigger",
            content(vec![
                with(
                    "a",
                    json!({"trigger": {"kind": "deal_event", "event": "contracted"}, "combine": {"group": "g", "mode": "first"}}),
                ),
                branch("b", "first", small(), "0.005"),
            ]),
            vec![],
        ),
        (
            "not shadowed: the first earns nothing below a tier",
            content(vec![
                with(
                    "a",
                    json!({"rate": tiered("whole", vec![tier(10_000_000, "0.01")]), "combine": {"group": "g", "mode": "first"}}),
                ),
                branch("b", "first", all(&[]), "0.005"),
            ]),
            vec![],
        ),
        (
            "not shadowed: the first is counted out",
            content(vec![
                with(
                    "a",
                    json!({"limits": [{"per": "month", "max_count": 2}], "combine": {"group": "g", "mode": "first"}}),
                ),
                branch("b", "first", all(&[]), "0.005"),
            ]),
            vec![],
        ),
        (
            "not shadowed: what is not known compares with nothing",
            content(vec![
                branch("a", "first", compare("member.cohort", "eq", text("GOLD")), "0.01"),
                branch("b", "first", compare("member.cohort", "ne", text("GOLD")), "0.01"),
                branch("c", "first", all(&[]), "0.01"),
            ]),
            vec![],
        ),
        (
            "shadowed: known or not",
            content(vec![
                branch("a", "first", compare("member.cohort", "eq", text("GOLD")), "0.01"),
                branch("b", "first", not(&compare("member.cohort", "eq", text("GOLD"))), "0.01"),
                branch("c", "first", compare("member.cohort", "gt", text("BLUE")), "0.01"),
            ]),
            vec![("branch_shadowed", "/components/2/predicate")],
        ),
        (
            "overlap at the boundary",
            content(vec![
                branch(
                    "a",
                    "sum",
                    json!({"op": "between", "attribute": "deal.units", "from": count(1), "to": count(5)}),
                    "0.01",
                ),
                branch("b", "sum", compare("deal.units", "gte", count(5)), "0.01"),
            ]),
            vec![("cliff", "/components/0/predicate"), ("branches_overlap", "/components/1/predicate")],
        ),
        (
            "no overlap of what is paid for different things",
            content(vec![
                branch("a", "sum", large(), "0.01"),
                with(
                    "b",
                    json!({"predicate": large(), "rate": {"kind": "percent", "of": "fee", "rate": "0.1"}, "combine": {"group": "g", "mode": "sum"}}),
                ),
            ]),
            vec![],
        ),
        (
            "a supplement beside what is always paid",
            content(vec![branch("a", "sum", all(&[]), "0.01"), branch("b", "sum", product("FIXED"), "0.001")]),
            vec![],
        ),
        (
            "a tier that the condition shuts out",
            content(vec![with(
                "a",
                json!({"predicate": small(), "rate": tiered("marginal", vec![tier(0, "0.01"), tier(50_000_000, "0.02")])}),
            )]),
            vec![("cliff", "/components/0/predicate"), ("tier_unreachable", "/components/0/rate/tiers/1")],
        ),
        (
            "a tier beyond the cap",
            content(vec![with(
                "a",
                json!({
                    "rate": tiered("marginal", vec![tier(0, "0.01"), tier(50_000_000, "0.02")]),
                    "limits": [{"per": "deal", "cap": aud(400_000)}]
                }),
            )]),
            vec![("tier_above_cap", "/components/0/rate/tiers/1")],
        ),
        (
            "a tier that the cap still leaves something of",
            content(vec![with(
                "a",
                json!({
                    "rate": tiered("marginal", vec![tier(0, "0.01"), tier(50_000_000, "0.02")]),
                    "limits": [{"per": "deal", "cap": aud(600_000)}]
                }),
            )]),
            vec![],
        ),
        (
            "a milestone at nothing",
            counting(
                vec![with(
                    "a",
                    json!({"rate": {"kind": "milestone_bonus", "accumulator": "deals", "milestones": [
                        {"at": count(0), "amount": aud(100)}, {"at": count(10), "amount": aud(100)}
                    ]}}),
                )],
                vec![total("deals", "deals")],
            ),
            vec![("milestone_unreachable", "/components/0/rate/milestones/0/at")],
        ),
        (
            "falling tiers",
            content(vec![with(
                "a",
                json!({"rate": tiered("whole", vec![tier(0, "0.01"), tier(50_000_000, "0.008")])}),
            )]),
            vec![("cliff", "/components/0/rate")],
        ),
        (
            "falling tiers of a running total",
            counting(
                vec![with(
                    "a",
                    json!({"rate": {
                        "kind": "tiered", "of": "settled_amount", "mode": "whole", "by": {"kind": "accumulator", "key": "volume"},
                        "tiers": [tier(0, "0.01"), tier(90_000_000, "0.001")]
                    }}),
                )],
                vec![total("volume", "settled_amount")],
            ),
            vec![("cliff", "/components/0/rate")],
        ),
        (
            "rising tiers that are paid by bands or on the whole",
            content(vec![
                with("a", json!({"rate": tiered("marginal", vec![tier(0, "0.01"), tier(50_000_000, "0.002")])})),
                with("b", json!({"rate": tiered("whole", vec![tier(0, "0.002"), tier(50_000_000, "0.01")])})),
            ]),
            vec![],
        ),
        (
            "the one that earns most is capped below the other",
            content(vec![
                branch("a", "best", all(&[]), "0.005"),
                with(
                    "b",
                    json!({
                        "rate": tiered("marginal", vec![tier(30_000_000, "0.02")]),
                        "limits": [{"per": "deal", "cap": aud(100_000)}],
                        "combine": {"group": "g", "mode": "best"}
                    }),
                ),
            ]),
            vec![("cliff", "/components/0/combine")],
        ),
        (
            "clawback rises by steps",
            content(vec![with(
                "a",
                json!({"clawback": step(json!([
                    {"before_months": 6, "fraction": "0.5"}, {"before_months": 12, "fraction": "0.8"}
                ]))}),
            )]),
            vec![("clawback_rises", "/components/0/clawback/steps/1/fraction")],
        ),
        (
            "clawback rises by months",
            content(vec![with("a", json!({"clawback": {"kind": "custom", "fractions": ["1", "0.5", "0.6"]}}))]),
            vec![("clawback_rises", "/components/0/clawback/fractions/2")],
        ),
        (
            "nothing is paid",
            content(vec![with("a", json!({"rate": {"kind": "percent", "of": "fee", "rate": "0"}}))]),
            vec![("zero_rate", "/components/0/rate")],
        ),
        (
            "an amount that no hash can carry",
            content(vec![with("a", json!({"rate": {"kind": "flat", "amount": aud(1 << 53)}}))]),
            vec![("no_canonical_form", "")],
        ),
        (
            "a floor of the month above the cap of the deal",
            content(vec![with(
                "a",
                json!({"limits": [
                    {"per": "deal", "cap": aud(10_000)}, {"per": "month", "floor": aud(50_000)}
                ]}),
            )]),
            vec![("floor_above_cap", "/components/0/limits/1/floor")],
        ),
        (
            "a floor of the deal above the cap of the month",
            content(vec![with(
                "a",
                json!({"limits": [
                    {"per": "deal", "floor": aud(50_000)}, {"per": "month", "cap": aud(10_000)}
                ]}),
            )]),
            vec![("floor_above_cap", "/components/0/limits/0/floor")],
        ),
        (
            "mortgages: taken back too long",
            of_vertical(
                "V01",
                content(vec![with("a", json!({"clawback": step(json!([{"before_months": 25, "fraction": "0.5"}]))}))]),
            ),
            vec![("clawback_months_at_most", "/components/0/clawback")],
        ),
        (
            "mortgages: taken back for two years",
            of_vertical("V01", content(vec![with("a", json!({"clawback": {"kind": "straight_line", "months": 24}}))])),
            vec![],
        ),
        (
            "mortgages: by volume",
            of_vertical(
                "V01",
                counting(
                    vec![
                        with("a", json!({"rate": by_total("whole")})),
                        with(
                            "b",
                            json!({"rate": {"kind": "milestone_bonus", "accumulator": "volume", "milestones": [
                                {"at": money(1_000_000_000), "amount": aud(50_000)}
                            ]}}),
                        ),
                        with("c", json!({"predicate": compare("accumulator.volume", "gte", money(2_000_000_000))})),
                    ],
                    vec![total("volume", "settled_amount")],
                ),
            ),
            vec![
                ("no_volume_or_campaign_benefits", "/components/0/rate/by"),
                ("no_volume_or_campaign_benefits", "/components/1/rate/accumulator"),
                ("no_volume_or_campaign_benefits", "/components/2/predicate"),
            ],
        ),
        ("life: as the law has it", life("0.6", lawful()), vec![]),
        ("life: too much upfront", life("0.600001", lawful()), vec![("upfront_share_at_most", "/components/0/rate")]),
        (
            "life: nothing taken back",
            life("0.6", Value::Null),
            vec![("clawback_share_first_year", "/components/0"), ("clawback_share_second_year", "/components/0")],
        ),
        (
            "life: an equal part less each month",
            life("0.6", json!({"kind": "straight_line", "months": 24})),
            vec![
                ("clawback_share_first_year", "/components/0/clawback"),
                ("clawback_share_second_year", "/components/0/clawback"),
            ],
        ),
        (
            "life: a flat amount beside a percentage",
            of_vertical(
                "V05",
                content(vec![
                    with(
                        "initial",
                        json!({"rate": {"kind": "percent", "of": "premium", "rate": "0.5"}, "clawback": lawful()}),
                    ),
                    with("bonus", json!({"rate": {"kind": "flat", "amount": aud(10_000)}, "clawback": lawful()})),
                ]),
            ),
            vec![("upfront_share_at_most", "/components/1/rate")],
        ),
        (
            "life: ongoing",
            of_vertical(
                "V05",
                content(vec![
                    with(
                        "renewal",
                        json!({"trigger": {"kind": "trail"}, "rate": {"kind": "trail", "annual_rate": "0.2", "periods_per_year": 12}}),
                    ),
                    with(
                        "more",
                        json!({"trigger": {"kind": "trail"}, "rate": {"kind": "trail", "annual_rate": "0.001", "periods_per_year": 12}}),
                    ),
                ]),
            ),
            vec![("ongoing_share_at_most", "/components/0/rate")],
        ),
        (
            "property: people share",
            of_vertical(
                "V08",
                content(vec![with(
                    "a",
                    json!({"split": [
                        {"role": "platform", "share": "0.5"}, {"role": "member", "share": "0.4"},
                        {"role": "upline_1", "share": "0.1", "absent_to": "platform"}
                    ]}),
                )]),
            ),
            vec![("licensed_participants_only", "/components/0/split/1")],
        ),
        (
            "law: a part of the fee",
            of_vertical(
                "V11",
                content(vec![component("a"), with("b", json!({"rate": {"kind": "flat", "amount": aud(100)}}))]),
            ),
            vec![("flat_fee_only", "/components/0/rate")],
        ),
        (
            "energy: paid while the client may still step back",
            of_vertical(
                "V14",
                content(vec![
                    with(
                        "a",
                        json!({"trigger": {"kind": "deal_event", "event": "contracted"}, "hold": {"days": 13, "funding_rule": "on_expiry"}}),
                    ),
                    with(
                        "b",
                        json!({"trigger": {"kind": "deal_event", "event": "contracted"}, "hold": {"days": 14, "funding_rule": "on_expiry"}}),
                    ),
                    component("c"),
                ]),
            ),
            vec![("cooling_off_first", "/components/0/hold/days")],
        ),
    ]
}

#[test]
fn every_finding_is_where_it_belongs_and_none_where_it_does_not() {
    let mut wrong = Vec::new();
    for (name, content, expected) in cases() {
        let found = linted(&content);
        let said: Vec<(&str, &str)> = found.iter().map(|f| (f.code, f.pointer.as_str())).collect();
        if said != expected {
            wrong.push(format!("{name}: {said:?}"));
        }
        for finding in &found {
            let known = CODES.iter().find(|code| code.code == finding.code).expect("a known code");
            assert_eq!(known.severity, finding.severity, "{name}: {}", finding.code);
            let at = finding.pointer.as_str();
            assert!(content.pointer(at).is_some(), "{name}: {at} points at nothing");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What the components of a made-up deal earn, and what is taken back, by the engine: as the finding says.
fn again(content: &Value, example: &Value) -> Vec<(i64, i64, Vec<String>)> {
    let version = version(content, &[]);
    let deals = example["deals"].as_array().expect("deals");
    deals
        .iter()
        .map(|shown| {
            let deal: MadeUpDeal = serde_json::from_value(shown["deal"].clone()).expect("a deal");
            let output = deal.evaluate(&version).expect("a result");
            let sum = |key: &str, of: fn(&domain::agreements::evaluate::Line) -> i64| -> i64 {
                output.lines.iter().filter(|line| line.component.as_str() == key).map(of).sum()
            };
            for component in &version.content().components {
                let key = component.key.as_str();
                assert_eq!(shown["earned"][key], sum(key, |l| l.earned.minor()), "{key}");
                assert_eq!(
                    shown["clawed_back"][key].as_i64().unwrap_or(0),
                    sum(key, |l| l.clawed_back.minor()),
                    "{key}"
                );
            }
            let earned = output.lines.iter().map(|l| l.earned.minor()).sum();
            let back = output.lines.iter().map(|l| l.clawed_back.minor()).sum();
            let reasons = output.non_awards.iter().map(|n| format!("{} {}", n.component, n.reason)).collect();
            (earned, back, reasons)
        })
        .collect()
}

#[test]
fn every_example_is_a_deal_that_shows_the_fault() {
    let mut shown = BTreeSet::new();
    for (name, content, _) in cases() {
        for finding in linted(&content) {
            let Some(example) = &finding.example else { continue };
            let place: usize = finding.pointer.split('/').nth(2).and_then(|n| n.parse().ok()).expect("a component");
            let key = content["components"][place]["key"].as_str().expect("a key").to_owned();
            let deals = again(&content, example);
            let lost = |reason: &str| deals.iter().any(|(_, _, why)| why.contains(&format!("{key} {reason}")));
            let premium = || &example["deals"][0]["deal"]["facts"]["settlement"]["measures"]["premium"]["amount"];
            let holds = match finding.code {
                "branch_shadowed" => lost("another_came_first"),
                "branches_overlap" => deals[0].2.is_empty() && deals[0].0 > 0,
                "tier_unreachable" => lost("predicate_false"),
                "tier_above_cap" => deals[0].0 == deals[1].0 && deals[0].0 > 0,
                "cliff" => deals[1].0 < deals[0].0,
                "clawback_rises" => deals[1].1 > deals[0].1,
                // The caps of the two cases are 100 dollars, their floors 500.
                "floor_above_cap" => (deals[0].0 == 50_000) || (deals[0].0 == 10_000),
                "clawback_months_at_most" => deals[0].1 > 0,
                "no_volume_or_campaign_benefits" => {
                    let earned = |n: usize| &example["deals"][n]["earned"][&key];
                    earned(0) != earned(1)
                }
                "upfront_share_at_most" => deals[0].0 * 10 > premium().as_i64().expect("a premium") * 6,
                "ongoing_share_at_most" => {
                    let balance =
                        example["deals"][0]["deal"]["period"]["balance"]["amount"].as_i64().expect("a balance");
                    deals[0].0 * 12 * 10 > balance * 2
                }
                "clawback_share_first_year" => deals[0].1 < deals[0].0,
                "clawback_share_second_year" => deals[0].1 * 10 < deals[0].0 * 6,
                other => panic!("{other} has an example that nobody looks at"),
            };
            assert!(holds, "{name}: {finding:?}");
            shown.insert(finding.code);
        }
    }
    let wanted = [
        "branch_shadowed",
        "branches_overlap",
        "tier_unreachable",
        "tier_above_cap",
        "cliff",
        "clawback_rises",
        "floor_above_cap",
        "clawback_months_at_most",
        "no_volume_or_campaign_benefits",
        "upfront_share_at_most",
        "ongoing_share_at_most",
        "clawback_share_first_year",
        "clawback_share_second_year",
    ];
    assert_eq!(shown, BTreeSet::from(wanted));
}

#[test]
fn a_cliff_is_told_with_two_deals_that_are_one_cent_apart() {
    let falling = tiered("whole", vec![tier(0, "0.01"), tier(50_000_000, "0.008")]);
    let found = linted(&content(vec![with("a", json!({ "rate": falling }))]));
    let [Finding { code: "cliff", example: Some(example), message, .. }] = found.as_slice() else {
        panic!("{found:?}");
    };
    let amount = |n: usize| &example["deals"][n]["deal"]["facts"]["settlement"]["amount"]["amount"];
    assert_eq!((amount(0), amount(1)), (&json!(49_999_999), &json!(50_000_000)));
    assert_eq!(
        (&example["deals"][0]["earned"]["a"], &example["deals"][1]["earned"]["a"]),
        (&json!(500_000), &json!(400_000))
    );
    assert_eq!(
        message,
        "a larger deal earns less: with settled_amount of 500000.00 AUD it is 4000.00 AUD in all, with one less 5000.00 AUD"
    );
}

#[test]
fn the_dates_of_versions_are_held_against_each_other() {
    let from = |from: &str, until: Option<&str>| {
        let mut content = content(vec![component("a")]);
        content["effective_from"] = from.into();
        if let Some(until) = until {
            content["effective_until"] = until.into();
        }
        parsed(&content)
    };
    let cases: Vec<(VersionContent, u32, Vec<(u32, Date, Option<Date>)>, Vec<(&str, &str)>)> = vec![
        (from("2026-07-01", None), 2, vec![(1, date(2026, 1, 1), None)], vec![]),
        (from("2026-07-01", None), 2, vec![(1, date(2026, 1, 1), Some(date(2026, 6, 30)))], vec![]),
        (
            from("2026-07-01", None),
            2,
            vec![(1, date(2026, 1, 1), Some(date(2026, 6, 29)))],
            vec![("dates_gap", "/effective_from")],
        ),
        (
            from("2026-07-01", None),
            2,
            vec![(1, date(2026, 1, 1), Some(date(2026, 7, 1)))],
            vec![("dates_overlap", "/effective_from")],
        ),
        (
            from("2026-07-01", None),
            2,
            vec![(1, date(2026, 7, 2), None)],
            vec![("dates_overlap_backwards", "/effective_from")],
        ),
        // A correction that begins on the same day takes the other's place.
        (from("2026-07-01", None), 3, vec![(2, date(2026, 7, 1), None), (1, date(2026, 1, 1), None)], vec![]),
        (
            from("2026-07-01", Some("2026-12-31")),
            2,
            vec![(3, date(2026, 1, 1), None)],
            vec![("dates_hidden", "/effective_from")],
        ),
        (
            from("2026-07-01", Some("2026-12-31")),
            2,
            vec![(1, date(2026, 1, 1), None), (3, date(2027, 1, 1), None)],
            vec![],
        ),
        (
            from("2026-07-01", Some("2026-12-30")),
            2,
            vec![(1, date(2026, 1, 1), None), (3, date(2027, 1, 1), None)],
            vec![("dates_gap", "/effective_until")],
        ),
        (from("-009999-01-01", None), 1, vec![(2, Date::MAX, None)], vec![]),
    ];
    for (content, number, others, expected) in cases {
        let context = LintContext { guardrails: Vec::new(), number, others };
        let found = lint(&content, &[], &context);
        let said: Vec<(&str, &str)> = found.iter().map(|f| (f.code, f.pointer.as_str())).collect();
        assert_eq!(said, expected, "{} as {context:?}", content.effective_from);
    }
}

#[test]
fn findings_come_by_pointer_and_faults_of_the_content_come_alone() {
    let zero = |key: &str| with(key, json!({"rate": {"kind": "percent", "of": "fee", "rate": "0"}}));
    let many: Vec<Value> = (0..12).map(|n| zero(&format!("c{n}"))).collect();
    let places = |content: &Value| -> Vec<String> { linted(content).into_iter().map(|f| f.pointer).collect() };
    let expected: Vec<String> = (0..12).map(|n| format!("/components/{n}/rate")).collect();
    assert_eq!(places(&content(many)), expected);
    let mut broken = zero("b");
    broken["rate"]["rate"] = "-1".into();
    let found = linted(&content(vec![zero("a"), broken]));
    assert_eq!(found.iter().map(|f| (f.code, f.severity)).collect::<Vec<_>>(), [("negative_rate", Severity::Error)]);
}

#[test]
fn what_ships_has_no_error_and_only_the_warnings_that_are_known() {
    let shipped = reference::all().expect("what ships");
    let mut found = Vec::new();
    for version in shipped.iter().map(|shipped| &shipped.version) {
        let of_agreement = shipped.iter().map(|other| &other.version).filter(|v| v.agreement() == version.agreement());
        let others = of_agreement
            .filter(|other| other.number() != version.number())
            .map(|other| (other.number(), other.content().effective_from, other.content().effective_until));
        let context = LintContext { number: version.number(), others: others.collect(), ..alone(version.content()) };
        for finding in lint(version.content(), version.tables(), &context) {
            let (vertical, number) = (version.content().vertical, version.number());
            found.push(format!("{vertical} {number} {} {}", finding.code, finding.pointer));
        }
    }
    // A loan beyond the range of V04 earns nothing at all, and people who share in property need a licence.
    let expected = [
        "V04 1 cliff /components/1/predicate",
        "V08 1 licensed_participants_only /components/0/split/0",
        "V08 1 licensed_participants_only /components/1/split/0",
        "V09 1 licensed_participants_only /components/0/split/0",
        "V10 1 licensed_participants_only /components/0/split/0",
        "V10 1 licensed_participants_only /components/1/split/0",
        "V10 1 licensed_participants_only /components/2/split/0",
        "V10 1 licensed_participants_only /components/3/split/0",
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_document_lists_exactly_the_codes_and_the_code_names_no_other() {
    let document = include_str!("../../docs/agreements-lint.md");
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `")).filter_map(|line| {
        let (code, rest) = line.split_once("` | ")?;
        let (severity, meaning) = rest.strip_suffix(" |")?.split_once(" | ")?;
        Some((code, severity, meaning))
    });
    let known: Vec<(&str, &str, &str)> = CODES.iter().map(|c| (c.code, c.severity.as_str(), c.meaning)).collect();
    assert_eq!(rows.collect::<Vec<_>>(), known);
    assert_eq!(CODES.iter().map(|c| c.code).collect::<BTreeSet<_>>().len(), CODES.len());
    let mut named = BTreeSet::new();
    for folder in ["check", "lint"] {
        for file in std::fs::read_dir(format!("src/agreements/{folder}")).expect("a folder") {
            let source = std::fs::read_to_string(file.expect("a file").path()).expect("a source");
            for call in ["Finding::error(", "Finding::warning(", "findings.error("] {
                for after in source.split(call).skip(1) {
                    if let Some(code) = after.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) {
                        named.insert(code.to_owned());
                    }
                }
            }
        }
    }
    let guardrails: BTreeSet<String> = (1..=VerticalCode::LAST)
        .filter_map(|n| VerticalCode::try_new(n).ok())
        .flat_map(guardrail::of)
        .map(|g| g.code.to_owned())
        .collect();
    let said: BTreeSet<String> = CODES.iter().map(|c| c.code.to_owned()).collect();
    assert!(named.is_subset(&said), "{:?}", named.difference(&said));
    let left: BTreeSet<&String> = said.difference(&named).collect();
    assert!(left.iter().all(|code| guardrails.contains(*code)), "{left:?} are no codes of anything");
}

#[test]
fn what_only_a_deal_can_tell_is_asked_again_of_its_calculation() {
    let clean =
        of_life(&json!([{"before_months": 12, "fraction": "1"}, {"before_months": 24, "fraction": "0.6"}]), "0.6");
    let lax = of_life(&json!([{"before_months": 6, "fraction": "1"}, {"before_months": 30, "fraction": "0.5"}]), "0.7");
    let mut deal: MadeUpDeal = serde_json::from_value(json!({
        "product": "LIFE",
        "facts": {
            "referred_on": "2026-01-01", "contracted_on": null, "discharged_on": null,
            "settlement": {
                "on": "2026-01-31", "amount": aud(0), "offset": aud(0), "measures": {"premium": aud(100_001)}
            }
        }
    }))
    .expect("a deal");
    let mortgages = guardrail::of(VerticalCode::V01);
    let life = guardrail::of(VerticalCode::try_new(5).expect("a vertical"));
    // One month after 31 January is the last day of February; the second year ends with its last day.
    for (discharged_on, of_lax) in [
        (None, vec!["upfront_share_at_most"]),
        (Some(date(2026, 2, 27)), vec!["upfront_share_at_most"]),
        (Some(date(2026, 12, 31)), vec!["upfront_share_at_most", "clawback_share_first_year"]),
        (Some(date(2027, 1, 31)), vec!["upfront_share_at_most", "clawback_share_second_year"]),
        (Some(date(2028, 1, 30)), vec!["upfront_share_at_most", "clawback_share_second_year"]),
        (Some(date(2028, 1, 31)), vec!["clawback_months_at_most", "upfront_share_at_most"]),
    ] {
        deal.facts.discharged_on = discharged_on;
        for (content, expected) in [(&clean, Vec::new()), (&lax, of_lax)] {
            let version = version(content, &[]);
            let member = domain::kernel::ids::MemberId::new(uuid::Uuid::from_u128(1));
            let sold = (version.content().vertical, &deal.product);
            let id = domain::kernel::ids::DealId::new(uuid::Uuid::from_u128(1));
            let input = domain::agreements::facts::CalculationInput::new(id, sold, deal.facts, member, &[], &version);
            let output = domain::agreements::evaluate::evaluate(&input).expect("a result");
            let both: Vec<_> = mortgages.iter().chain(&life).copied().collect();
            let found = guardrail_breaches(&both, &input, &output);
            assert_eq!(found.iter().map(|f| f.code).collect::<Vec<_>>(), expected, "{discharged_on:?} {output:?}");
        }
    }
}

fn of_life(steps: &Value, rate: &str) -> Value {
    let fields = json!({"rate": {"kind": "percent", "of": "premium", "rate": rate}, "clawback": {"kind": "step", "steps": steps}});
    of_vertical("V05", content(vec![with("initial", fields)]))
}
