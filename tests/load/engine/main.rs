//! Deals a second through the engine, on one core, beside two crates that decide by rules: `engine-bench [SECONDS]`.
//!
//! A typical agreement of V01: three components with conditions, each split among three, capped, held and with a
//! clawback; 4,096 deals, one in eight of them unwound. In turn, for SECONDS each: untraced, traced, the conditions
//! alone by ours and by `cel`, and through a decision table of `zen-engine` that comes to the same whole amounts
//! (checked) but neither splits nor caps nor takes back. Prints deals a second and how far ahead the engine is. It
//! ends in failure if the untraced engine asks for memory while it works, or if a whole differs.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cel::{Context, Program, Value as CelValue};
use domain::agreements::evaluate::v2::{Plan, Scratch};
use domain::agreements::evaluate::{Silent, Steps};
use domain::agreements::facts::{CalculationInput, DealFacts, Settlement};
use domain::agreements::lint::{LintContext, lint};
use domain::agreements::predicate::{Attribute, Seen, holds};
use domain::agreements::version::TableVersion;
use domain::agreements::{GoverningVersion, VersionContent, reference};
use domain::catalogue::{ProductCode, VerticalCode, guardrail};
use domain::kernel::Money;
use domain::kernel::ids::{AgreementId, DealId, MemberId};
use jiff::ToSpan;
use jiff::civil::date;
use serde_json::{Value, json};
use uuid::Uuid;
use zen_engine::DecisionEngine;
use zen_engine::model::DecisionContent;

/// Counts what is asked for.
struct Counting;

static ASKED: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many deals go round.
const DEALS: usize = 4_096;

struct Deal {
    id: DealId,
    product: ProductCode,
    facts: DealFacts,
    uplines: Vec<MemberId>,
    cohort: &'static str,
}

impl Deal {
    fn input<'d>(&'d self, version: &'d GoverningVersion) -> CalculationInput<'d> {
        CalculationInput {
            cohort: Some(self.cohort),
            ..CalculationInput::new(
                self.id,
                (VerticalCode::V01, &self.product),
                self.facts,
                MemberId::new(Uuid::from_u128(1)),
                &self.uplines,
                version,
            )
        }
    }
}

fn deals() -> Vec<Deal> {
    let products = ["VARIABLE-OO", "FIXED-3Y", "OTHER"].map(|code| ProductCode::parse(code).expect("a code"));
    (0..DEALS)
        .map(|n| {
            let on = date(2026, 1, 1).checked_add(i64::try_from(n % 365).expect("a day").days()).expect("a date");
            let amount = 25_000_000 + i64::try_from(n * 7_919_003 % 150_000_000).expect("an amount");
            Deal {
                id: DealId::new(Uuid::from_u128(n as u128)),
                product: products[n % 3].clone(),
                facts: DealFacts {
                    referred_on: on,
                    contracted_on: Some(on),
                    settlement: Some(Settlement::of(on, Money::aud(amount), Money::aud(amount / 20))),
                    discharged_on: (n % 8 == 0).then(|| on.checked_add(9.months()).expect("a date")),
                },
                uplines: if n % 4 == 0 { Vec::new() } else { vec![MemberId::new(Uuid::from_u128(2))] },
                cohort: if n % 2 == 0 { "GOLD" } else { "BLUE" },
            }
        })
        .collect()
}

fn component(key: &str, predicate: &Value, rate: &Value, clawback: &Value) -> Value {
    json!({
        "key": key, "name": key, "trigger": {"kind": "deal_event", "event": "settled"},
        "predicate": predicate, "rate": rate,
        "limits": [{"role": "member", "per": "deal", "cap": {"amount": 600_000, "currency": "AUD"}}],
        "split": [
            {"role": "member", "share": "0.6", "excess_to": "platform"},
            {"role": "upline_1", "share": "0.1", "absent_to": "platform"},
            {"role": "platform", "share": "0.3"}
        ],
        "hold": {"days": 10, "funding_rule": "on_expiry"}, "clawback": clawback,
        "combine": {"group": key, "mode": "sum"}
    })
}

fn text(text: &str) -> Value {
    json!({"type": "text", "value": text})
}

fn money(minor: i64) -> Value {
    json!({"type": "money", "value": {"amount": minor, "currency": "AUD"}})
}

/// The agreement, and its conditions once more for `cel`.
fn agreement() -> (Value, [&'static str; 3]) {
    let step = json!({"kind": "step", "steps": [{"before_months": 12, "fraction": "1"}, {"before_months": 18, "fraction": "0.5"}]});
    let percent = |rate: &str| json!({"kind": "percent", "of": "net_balance", "rate": rate});
    let sold = json!({"op": "in", "attribute": "product.code", "values": [text("VARIABLE-OO"), text("FIXED-3Y")]});
    let large = json!({"op": "all", "of": [
        {"op": "compare", "attribute": "deal.settled_amount", "is": "gte", "value": money(100_000_000)},
        {"op": "compare", "attribute": "member.cohort", "is": "eq", "value": text("GOLD")}
    ]});
    let fixed = json!({"op": "compare", "attribute": "product.code", "is": "eq", "value": text("FIXED-3Y")});
    let flat = json!({"kind": "flat", "amount": {"amount": 25_000, "currency": "AUD"}});
    let content = json!({
        "vertical": "V01", "governing_date": "settled", "effective_from": "2020-01-01",
        "components": [
            component("upfront", &sold, &percent("0.0065"), &step),
            component("large", &large, &percent("0.0005"), &step),
            component("fixed", &fixed, &flat, &json!({"kind": "straight_line", "months": 24}))
        ]
    });
    let conditions = [
        "product == 'VARIABLE-OO' || product == 'FIXED-3Y'",
        "settled_amount >= 100000000 && cohort == 'GOLD'",
        "product == 'FIXED-3Y'",
    ];
    (content, conditions)
}

/// The same whole amounts as a decision table: each component one row, all rows that apply.
fn decision_table() -> Value {
    let rule = |n: usize, product: &str, amount: &str, cohort: &str, whole: &str| json!({"_id": n.to_string(), "p": product, "a": amount, "c": cohort, "w": whole});
    json!({
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode", "content": {}},
            {"id": "dt", "name": "dt", "type": "decisionTableNode", "content": {
                "hitPolicy": "collect",
                "inputs": [
                    {"id": "p", "name": "product", "field": "product"},
                    {"id": "a", "name": "amount", "field": "settled_amount"},
                    {"id": "c", "name": "cohort", "field": "cohort"}
                ],
                "outputs": [{"id": "w", "name": "whole", "field": "whole"}],
                "rules": [
                    rule(0, "\"VARIABLE-OO\", \"FIXED-3Y\"", "", "", "round(net_balance * 0.0065)"),
                    rule(1, "", ">= 100000000", "\"GOLD\"", "round(net_balance * 0.0005)"),
                    rule(2, "\"FIXED-3Y\"", "", "", "25000")
                ]
            }},
            {"id": "out", "name": "out", "type": "outputNode", "content": {}}
        ],
        "edges": [
            {"id": "1", "sourceId": "in", "targetId": "dt", "type": "edge"},
            {"id": "2", "sourceId": "dt", "targetId": "out", "type": "edge"}
        ]
    })
}

/// Works deals out, in turn, for so long; how many a second.
fn rate(lasting: Duration, mut one: impl FnMut(usize)) -> f64 {
    // Once round to warm up.
    (0..DEALS).for_each(&mut one);
    let begun = Instant::now();
    let mut done: u32 = 0;
    while begun.elapsed() < lasting {
        for n in 0..256 {
            one((usize::try_from(done).unwrap_or(0) + n) % DEALS);
        }
        done += 256;
    }
    f64::from(done) / begun.elapsed().as_secs_f64()
}

fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(3);
    let lasting = Duration::from_secs(seconds);
    let deals = deals();
    let (content, conditions) = agreement();
    let content = VersionContent::parse(content.to_string().as_bytes()).expect("content");
    let version = GoverningVersion::try_new(AgreementId::new(Uuid::from_u128(1)), 1, content).expect("a version");
    let plan = version.plan().expect("a plan");

    let mut scratch = Scratch::default();
    let mut wholes = |n: usize| -> i64 {
        plan.evaluate(&deals[n].input(&version), &mut scratch, &mut Silent).expect("a result");
        scratch.lines().map(|line| line.2).sum()
    };
    let expected: Vec<i64> = (0..DEALS).map(&mut wholes).collect();
    let lines: usize = (0..DEALS)
        .map(|n| {
            plan.evaluate(&deals[n].input(&version), &mut scratch, &mut Silent).expect("a result");
            scratch.lines().count()
        })
        .sum();
    println!("{DEALS} deals, 3 components, {:.1} lines a deal", lines as f64 / DEALS as f64);

    let (untraced, asked) = untraced(lasting, &deals, &version, plan);
    println!("untraced   {untraced:>10.0} deals/s, {asked} requests for memory");
    let mut last = 0;
    let traced = rate(lasting, |n| {
        let input = deals[n].input(&version);
        let mut steps = Steps::of(&input);
        plan.evaluate(&input, &mut scratch, &mut steps).expect("a result");
        last = black_box(steps.into_vec()).len();
    });
    println!("traced     {traced:>10.0} deals/s, {last} steps the last");

    let alone = conditions_alone(lasting, &deals, &version);
    println!("conditions {alone:>10.0} deals/s, nothing else");
    let by_cel = through_cel(lasting, &deals, conditions);
    println!(
        "cel        {by_cel:>10.0} deals/s, conditions alone: ours are {:.1} times as fast, the whole engine {:.1} times",
        alone / by_cel,
        untraced / by_cel
    );
    let by_zen = through_zen(lasting, &deals, &expected);
    println!(
        "zen-engine {by_zen:>10.0} deals/s, whole amounts alone: the engine is {:.1} times as fast, traced {:.1} times",
        untraced / by_zen,
        traced / by_zen
    );
    linted();
    assert_eq!(asked, 0, "the untraced engine asked for memory");
}

fn untraced(lasting: Duration, deals: &[Deal], version: &GoverningVersion, plan: &Plan) -> (f64, u64) {
    let inputs: Vec<CalculationInput<'_>> = deals.iter().map(|deal| deal.input(version)).collect();
    let mut scratch = Scratch::default();
    for input in &inputs {
        plan.evaluate(input, &mut scratch, &mut Silent).expect("a result");
    }
    let before = ASKED.load(Ordering::Relaxed);
    let rate = rate(lasting, |n| {
        plan.evaluate(&inputs[n], &mut scratch, &mut Silent).expect("a result");
        black_box(scratch.net_minor());
    });
    (rate, ASKED.load(Ordering::Relaxed) - before)
}

/// The three conditions of each deal, and nothing else: what `cel` does.
fn conditions_alone(lasting: Duration, deals: &[Deal], version: &GoverningVersion) -> f64 {
    let components = &version.content().components;
    let vertical = version.content().vertical;
    rate(lasting, |n| {
        let deal = &deals[n];
        let settlement = deal.facts.settlement.as_ref();
        for component in components {
            let mut seen = |attribute: &Attribute| match attribute {
                Attribute::ProductCode => Some(Seen::Text(deal.product.as_str())),
                Attribute::ProductVertical => Some(Seen::Text(vertical.as_str())),
                Attribute::Cohort => Some(Seen::Text(deal.cohort)),
                Attribute::SettledAmount => settlement.map(|s| Seen::Money(s.amount)),
                Attribute::SettledOn => settlement.map(|s| Seen::Date(s.on)),
                _ => None,
            };
            black_box(holds(&component.predicate, &mut seen));
        }
    })
}

fn through_cel(lasting: Duration, deals: &[Deal], conditions: [&str; 3]) -> f64 {
    let programs = conditions.map(|condition| Program::compile(condition).expect("a condition"));
    let root = Context::default();
    rate(lasting, |n| {
        let deal = &deals[n];
        let mut context = root.new_inner_scope();
        context.add_variable_from_value("product", deal.product.as_str());
        context.add_variable_from_value("cohort", deal.cohort);
        let amount = deal.facts.settlement.map_or(0, |s| s.amount.minor());
        context.add_variable_from_value("settled_amount", amount);
        for program in &programs {
            black_box(matches!(program.execute(&context), Ok(CelValue::Bool(true))));
        }
    })
}

fn through_zen(lasting: Duration, deals: &[Deal], expected: &[i64]) -> f64 {
    let content: DecisionContent = serde_json::from_value(decision_table()).expect("a decision");
    let mut decision = DecisionEngine::default().create_decision(content.into()).expect("a decision");
    decision.compile();
    let contexts: Vec<zen_engine::Variable> = deals
        .iter()
        .map(|deal| {
            let (amount, net) = deal.facts.settlement.map_or((0, 0), |s| (s.amount.minor(), s.amount.minor() - s.offset.minor()));
            json!({"product": deal.product.as_str(), "cohort": deal.cohort, "settled_amount": amount, "net_balance": net}).into()
        })
        .collect();
    let decide = |n: usize| futures_executor::block_on(decision.evaluate(contexts[n].clone())).expect("a decision");
    for (n, expected) in expected.iter().enumerate() {
        let rows = serde_json::to_value(&decide(n).result).expect("JSON");
        let wholes = rows.as_array().expect("rows").iter().map(|row| row["whole"].as_f64().expect("a number"));
        assert_eq!(wholes.sum::<f64>() as i64, *expected, "deal {n}: {rows}");
    }
    rate(lasting, |n| drop(black_box(decide(n))))
}

/// How long the lint of a version of the largest size takes.
fn linted() {
    let bands = |n: i64| {
        let tier = |from: i64, rate: &str| json!({"from": money(from * 10_000_000), "pays": {"kind": "percent", "rate": rate}});
        json!({"kind": "tiered", "of": "settled_amount", "mode": "whole", "by": {"kind": "deal"}, "tiers": [
            tier(0, "0.001"), tier(n + 2, "0.002"), tier(n + 9, "0.003"), tier(n + 20, "0.004")
        ]})
    };
    let components: Vec<Value> = (0..64)
        .map(|n| {
            let from = n % 16 * 10_000_000;
            let predicate = json!({"op": "all", "of": [
                {"op": "between", "attribute": "deal.settled_amount", "from": money(from), "to": money(from + 90_000_000)},
                {"op": "any", "of": [
                    {"op": "in", "attribute": "product.code", "values": [text("A"), text(&format!("P{n}"))]},
                    {"op": "not", "of": {"op": "compare", "attribute": "member.cohort", "is": "eq", "value": text("GOLD")}}
                ]}
            ]});
            let mut component = component(&format!("c{n}"), &predicate, &bands(n), &json!({"kind": "straight_line", "months": 24}));
            let mode = ["first", "sum", "best", "stack"][usize::try_from(n % 4).unwrap_or(0)];
            component["combine"] = json!({"group": format!("g{}", n % 8), "mode": mode});
            component
        })
        .collect();
    let content = json!({
        "vertical": "V05", "governing_date": "settled", "effective_from": "2020-01-01", "components": components
    });
    let content = VersionContent::parse(content.to_string().as_bytes()).expect("content");
    let (took, found) = lint_time(&content, &[]);
    println!("lint       {took:>10.1} ms for 64 components, {found} findings");
    let shipped = reference::all().expect("what ships");
    let of = |shipped: &reference::Shipped| lint_time(shipped.version.content(), shipped.version.tables()).0;
    let slowest = shipped.iter().map(|shipped| (of(shipped), shipped.name)).max_by(|a, b| a.0.total_cmp(&b.0));
    let (took, name) = slowest.expect("agreements ship");
    println!("lint       {took:>10.1} ms for the slowest of the {} that ship: {name}", shipped.len());
}

/// The median of twenty, in milliseconds, and how much is found.
fn lint_time(content: &VersionContent, tables: &[TableVersion]) -> (f64, usize) {
    let context = LintContext { guardrails: guardrail::of(content.vertical), number: 1, others: Vec::new() };
    let mut times: Vec<Duration> = Vec::new();
    let mut found = 0;
    for _ in 0..20 {
        let begun = Instant::now();
        found = lint(content, tables, &context).len();
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    (times[10].as_secs_f64() * 1_000.0, found)
}
