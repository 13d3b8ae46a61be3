//! Random contents that compile and random deals, from one seed: the same seed gives the same.

#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::expect_used, reason = "a test fails loudly")]

use domain::agreements::GoverningVersion;
use domain::agreements::evaluate::v2::Plan;
use domain::agreements::facts::{
    CalculationInput, Counter, DealFacts, Measures, Milestones, Period, Settlement, Standing,
};
use domain::agreements::model::ComponentKey;
use domain::agreements::version::TableVersion;
use domain::catalogue::ProductCode;
use domain::kernel::Money;
use domain::kernel::ids::{DealId, MemberId};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{aud, count, money, table, text, uses};

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub struct Dice(pub u64);

impl Dice {
    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(n.max(1)).expect("a size")).expect("a size")
    }

    /// A number in a range, both included.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        let width = to.abs_diff(from).saturating_add(1);
        from.wrapping_add_unsigned(self.next() % width)
    }

    /// True once in `n`.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of several.
    pub fn one<'v, T>(&mut self, of: &'v [T]) -> &'v T {
        &of[self.below(of.len())]
    }
}

fn rate(dice: &mut Dice) -> String {
    let ppm = match dice.below(4) {
        0 => dice.between(1, 20),
        1 => dice.between(1, 1_000_000),
        2 => dice.between(1, 100) * 10_000,
        _ => dice.between(1, 30) * 500,
    };
    format!("{}.{:06}", ppm / 1_000_000, ppm % 1_000_000)
}

fn amount(dice: &mut Dice) -> i64 {
    match dice.below(4) {
        0 => dice.between(0, 100),
        1 => dice.between(1, 1_000) * 10_000,
        _ => dice.between(1, 1_000_000),
    }
}

const AMOUNTS: [&str; 6] = ["settled_amount", "net_balance", "premium", "fee", "salary", "margin"];
const COUNTS: [&str; 4] = ["units", "connections", "policies", "deals"];
const PRODUCTS: [&str; 3] = ["FIXED", "VARIABLE", "OTHER"];
const COHORTS: [&str; 3] = ["BLUE", "GOLD", "RED"];

/// A table with a text and a band of amounts.
pub fn lookup_table() -> TableVersion {
    let row = |product: &str, from: i64, pays: Value| json!({"keys": [text(product), money(from)], "pays": pays});
    let percent = |rate: &str| json!({"kind": "percent", "rate": rate});
    table(
        21,
        &json!({
            "keys": [{"attribute": "product.code", "match": "exact"}, {"attribute": "deal.settled_amount", "match": "band"}],
            "rows": [
                row("VARIABLE", 0, percent("0.004")), row("VARIABLE", 50_000_000, percent("0.006")),
                row("FIXED", 10_000_000, percent("0.005")), row("FIXED", 90_000_000, json!({"kind": "flat", "amount": aud(777_777)})),
            ]
        }),
    )
}

/// A condition that the check takes; `totals` are the running totals it may ask for.
pub fn predicate(dice: &mut Dice, depth: usize, trail: bool, totals: &[(String, bool)]) -> Value {
    if depth > 0 && dice.once_in(3) {
        let many = dice.below(3) + usize::from(dice.once_in(8)) + 1;
        let of: Vec<Value> = (0..many).map(|_| predicate(dice, depth - 1, trail, totals)).collect();
        return match dice.below(3) {
            0 => json!({"op": "all", "of": of}),
            1 => json!({"op": "any", "of": of}),
            _ => json!({"op": "not", "of": of[0]}),
        };
    }
    let total = (!trail && !totals.is_empty()).then(|| dice.one(totals).clone());
    let (attribute, values): (String, Vec<Value>) = match dice.below(9) {
        0 => ("product.code".into(), PRODUCTS.iter().map(|p| text(p)).collect()),
        1 => ("member.cohort".into(), COHORTS.iter().map(|c| text(c)).collect()),
        2 | 3 => {
            ("deal.settled_amount".into(), [0, 10_000_000, 50_000_000, 50_000_001, 90_000_000].map(money).to_vec())
        }
        4 => ("deal.units".into(), [0, 1, 3, 10].map(count).to_vec()),
        5 => ("member.upline_levels".into(), [0, 1, 2].map(count).to_vec()),
        6 => (
            "deal.referred_on".into(),
            ["2026-01-31", "2026-06-30", "2028-02-29"].map(|d| json!({"type": "date", "value": d})).to_vec(),
        ),
        7 if trail => ("period.balance".into(), [0, 10_000_000, 50_000_000].map(money).to_vec()),
        _ => match total {
            Some((key, true)) => (format!("accumulator.{key}"), [0, 50_000_000, 200_000_000].map(money).to_vec()),
            Some((key, false)) => (format!("accumulator.{key}"), [0, 2, 5].map(count).to_vec()),
            None => ("deal.net_balance".into(), [0, 10_000_000, 60_000_000].map(money).to_vec()),
        },
    };
    match dice.below(4) {
        0 => json!({"op": "in", "attribute": attribute, "values": values[..=dice.below(values.len())]}),
        1 => {
            let from = dice.below(values.len());
            let to = from + dice.below(values.len() - from);
            json!({"op": "between", "attribute": attribute, "from": values[from], "to": values[to]})
        }
        _ => {
            let is = *dice.one(&["eq", "ne", "lt", "lte", "gt", "gte"]);
            json!({"op": "compare", "attribute": attribute, "is": is, "value": dice.one(&values)})
        }
    }
}

fn tiers(dice: &mut Dice, money_basis: bool, pays: impl Fn(&mut Dice) -> Value) -> Vec<Value> {
    let mut at = if dice.once_in(2) { 0 } else { dice.between(1, 5) };
    (0..=dice.below(4))
        .map(|_| {
            let from = if money_basis { money(at * 10_000_000) } else { count(at) };
            at += dice.between(1, 6);
            json!({"from": from, "pays": pays(dice)})
        })
        .collect()
}

fn rate_of(dice: &mut Dice, trail: bool, totals: &[(String, bool)], others: &[String], table: &TableVersion) -> Value {
    let of = if trail { "period_balance" } else { dice.one(&AMOUNTS) };
    let percent = |dice: &mut Dice| json!({"kind": "percent", "rate": rate(dice)});
    if trail {
        return match dice.below(4) {
            0 => json!({"kind": "flat", "amount": aud(amount(dice))}),
            1 => json!({"kind": "percent", "of": of, "rate": rate(dice)}),
            2 => {
                json!({"kind": "tiered", "of": of, "mode": "marginal", "by": {"kind": "deal"}, "tiers": tiers(dice, true, percent)})
            }
            _ => json!({"kind": "trail", "annual_rate": rate(dice), "periods_per_year": dice.one(&[1, 2, 4, 12])}),
        };
    }
    match dice.below(10) {
        0 => json!({"kind": "flat", "amount": aud(amount(dice))}),
        1 => json!({"kind": "flat_per_unit", "of": dice.one(&COUNTS), "amount": aud(amount(dice))}),
        2 if !others.is_empty() => {
            json!({"kind": "percent_of_component", "component": dice.one(others), "rate": rate(dice)})
        }
        3 => {
            json!({"kind": "tiered", "of": of, "mode": "marginal", "by": {"kind": "deal"}, "tiers": tiers(dice, true, percent)})
        }
        4 => {
            json!({"kind": "tiered", "of": of, "mode": "whole", "by": {"kind": "deal"}, "tiers": tiers(dice, true, percent)})
        }
        5 => {
            let per_unit = |dice: &mut Dice| match dice.below(2) {
                0 => json!({"kind": "per_unit", "amount": aud(amount(dice))}),
                _ => json!({"kind": "flat", "amount": aud(amount(dice))}),
            };
            json!({"kind": "tiered", "of": "units", "mode": "whole", "by": {"kind": "deal"}, "tiers": tiers(dice, false, per_unit)})
        }
        6 | 7 if !totals.is_empty() => {
            let (key, money_basis) = dice.one(totals).clone();
            let by = json!({"kind": "accumulator", "key": key});
            // The totals of `totals` are of the settled amount, or of deals.
            let of = if money_basis { "settled_amount" } else { "deals" };
            let mode = *dice.one(&["marginal", "whole", "whole_with_true_up"]);
            let mut rising = 0;
            let mut pays = tiers(dice, money_basis, |_| Value::Null);
            for tier in &mut pays {
                rising += dice.between(1, 5_000);
                tier["pays"] = if money_basis {
                    json!({"kind": "percent", "rate": format!("0.{rising:06}")})
                } else {
                    json!({"kind": "per_unit", "amount": aud(rising)})
                };
            }
            json!({"kind": "tiered", "of": of, "mode": mode, "by": by, "tiers": pays})
        }
        8 if !totals.is_empty() => {
            let (key, money_basis) = dice.one(totals).clone();
            let milestones: Vec<Value> = tiers(dice, money_basis, |_| Value::Null)
                .into_iter()
                .map(|tier| json!({"at": tier["from"], "amount": aud(amount(dice))}))
                .collect();
            json!({"kind": "milestone_bonus", "accumulator": key, "milestones": milestones})
        }
        9 => json!({"kind": "lookup", "of": "settled_amount", "table": uses(table)}),
        _ => json!({"kind": "percent", "of": of, "rate": rate(dice)}),
    }
}

fn split(dice: &mut Dice) -> Vec<Value> {
    let mut left = 1_000_000;
    let mut shares = Vec::new();
    for role in ["member", "upline_1", "upline_2", "participant_1"] {
        if dice.once_in(2) {
            let ppm = dice.between(0, left);
            left -= ppm;
            let mut share = json!({"role": role, "share": format!("{}.{:06}", ppm / 1_000_000, ppm % 1_000_000), "excess_to": "platform"});
            if role != "member" {
                share["absent_to"] = if role == "upline_2"
                    && dice.once_in(2)
                    && shares.iter().any(|s: &Value| s["role"] == "upline_1")
                {
                    "upline_1".into()
                } else {
                    "platform".into()
                };
            }
            shares.push(share);
        }
    }
    shares.insert(dice.below(shares.len() + 1), json!({"role": "platform", "share": "remainder"}));
    shares
}

fn limits(dice: &mut Dice, trail: bool, split: &[Value]) -> Vec<Value> {
    let mut limits: Vec<Value> = Vec::new();
    for _ in 0..dice.below(3) {
        let per = if trail {
            "deal"
        } else {
            dice.one(&["deal", "day", "week", "month", "quarter", "financial_year", "lifetime"])
        };
        let share = dice.one(split);
        let role = (share["role"] != "platform" && dice.once_in(2)).then(|| share["role"].clone());
        let mut limit = json!({ "per": per });
        let cap = dice.between(1, 2_000_000);
        match dice.below(3) {
            0 => limit["cap"] = aud(cap),
            1 => limit["floor"] = aud(cap / 10),
            _ => {
                limit["cap"] = aud(cap);
                limit["floor"] = aud(dice.between(0, cap));
            }
        }
        match &role {
            Some(role) => limit["role"] = role.clone(),
            None if per != "deal" && dice.once_in(3) => limit["max_count"] = dice.between(0, 4).into(),
            None => {}
        }
        if !matches!(per, "deal" | "lifetime") && dice.once_in(3) {
            limit["proration"] = "days_in_force".into();
        }
        if !limits.iter().any(|other| other["per"] == limit["per"] && other.get("role") == limit.get("role")) {
            limits.push(limit);
        }
    }
    limits
}

fn clawback(dice: &mut Dice) -> Value {
    let fraction = |dice: &mut Dice| format!("0.{:06}", dice.between(0, 999_999));
    match dice.below(3) {
        0 => {
            let mut months = 0;
            let steps: Vec<Value> = (0..=dice.below(3))
                .map(|_| {
                    months += dice.between(1, 12);
                    json!({"before_months": months, "fraction": if dice.once_in(3) { "1".to_owned() } else { fraction(dice) }})
                })
                .collect();
            json!({"kind": "step", "steps": steps})
        }
        1 => json!({"kind": "straight_line", "months": dice.between(1, 36)}),
        _ => json!({"kind": "custom", "fractions": (0..=dice.below(20)).map(|_| fraction(dice)).collect::<Vec<_>>()}),
    }
}

/// Content that uses any construct, and its tables. Nearly all of it compiles.
pub fn content(dice: &mut Dice) -> (Value, Vec<TableVersion>) {
    let table = lookup_table();
    let totals: Vec<(String, bool)> = (0..dice.below(3)).map(|n| (format!("t{n}"), dice.once_in(2))).collect();
    let accumulators: Vec<Value> = totals
        .iter()
        .map(|(key, money_basis)| {
            json!({
                "key": key,
                "measure": if *money_basis { "settled_amount" } else { "deals" },
                "scope": dice.one(&["member", "organisation", "product", "vertical", "cohort"]),
                "window": dice.one(&["day", "week", "month", "quarter", "financial_year", "lifetime"]),
                "unwound": dice.one(&["counted", "left_out"])
            })
        })
        .collect();
    let modes = ["sum", "first", "best", "stack"];
    let offset = dice.below(4);
    // Components of the deal and of the trail that came before, by their keys, with their groups.
    let mut before: [Vec<(String, usize)>; 2] = [Vec::new(), Vec::new()];
    let components: Vec<Value> = (0..=dice.below(6))
        .map(|n| {
            let trail = dice.once_in(6);
            let group = if trail { 4 } else { dice.below(4) };
            let mode = if trail { "sum" } else { modes[(group + offset) % 4] };
            // What comes before and is decided before: of another group with a lower number.
            let usable: Vec<String> =
                before[usize::from(trail)].iter().filter(|(_, g)| *g < group).map(|(key, _)| key.clone()).collect();
            let trigger = match dice.below(8) {
                _ if trail => json!({"kind": "trail"}),
                0 => json!({"kind": "deal_event", "event": "referred"}),
                1 => json!({"kind": "deal_event", "event": "contracted"}),
                2 => json!({"kind": "milestone", "name": dice.one(&["plan_ready", "handed_over"])}),
                3 if !usable.is_empty() => json!({"kind": "component", "key": dice.one(&usable)}),
                _ => json!({"kind": "deal_event", "event": "settled"}),
            };
            let condition =
                if dice.once_in(2) { json!({"op": "all", "of": []}) } else { predicate(dice, 3, trail, &totals) };
            let split = split(dice);
            let key = format!("c{n}");
            let mut component = json!({
                "key": key, "name": format!("Component {n}"), "trigger": trigger, "predicate": condition,
                "rate": rate_of(dice, trail, &totals, &usable, &table),
                "limits": limits(dice, trail, &split),
                "hold": {"days": dice.below(60), "funding_rule": dice.one(&["on_expiry", "on_receipt"])},
                "combine": {"group": format!("g{group}"), "mode": mode}
            });
            component["split"] = split.into();
            if !trail && dice.once_in(2) {
                component["clawback"] = clawback(dice);
            }
            before[usize::from(trail)].push((key, group));
            component
        })
        .collect();
    let content = json!({
        "vertical": "V02",
        "governing_date": dice.one(&["referred", "contracted", "settled"]),
        "effective_from": dice.one(&["2020-01-01", "2026-02-10", "2028-02-29"]),
        "accumulators": accumulators,
        "components": components
    });
    (content, vec![table])
}

/// A deal with everything that an input borrows.
#[derive(Debug, Clone)]
pub struct Deal {
    pub id: DealId,
    pub product: ProductCode,
    pub facts: DealFacts,
    pub member: MemberId,
    pub uplines: Vec<MemberId>,
    pub own_uplines: Vec<u8>,
    pub participants: Vec<MemberId>,
    pub cohort: Option<String>,
    pub joined_on: Option<Date>,
    pub provider: Option<String>,
    pub introducer: Option<String>,
    pub milestones: Milestones,
    pub period: Option<Period>,
}

impl Deal {
    /// The input under a version, with no counters.
    pub fn input<'d>(&'d self, version: &'d GoverningVersion) -> CalculationInput<'d> {
        CalculationInput {
            own_uplines: &self.own_uplines,
            participants: &self.participants,
            cohort: self.cohort.as_deref(),
            joined_on: self.joined_on,
            provider: self.provider.as_deref(),
            introducer: self.introducer.as_deref(),
            milestones: &self.milestones,
            period: self.period,
            ..CalculationInput::new(
                self.id,
                (version.content().vertical, &self.product),
                self.facts,
                self.member,
                &self.uplines,
                version,
            )
        }
    }

    /// The counters that it touches, standing at nothing.
    pub fn first(&self, plan: &Plan, version: &GoverningVersion) -> Vec<Counter> {
        let keys = plan.counter_keys(&self.input(version));
        keys.into_iter().map(|key| Counter { key, before: Standing::default() }).collect()
    }
}

/// How far facts go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// As deals are.
    Ordinary,
    /// To the ends of 64 bits and of the calendar.
    Extreme,
}

fn figure(dice: &mut Dice, reach: Reach) -> i64 {
    if reach == Reach::Extreme && dice.once_in(2) {
        return *dice.one(&[i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX, (1 << 53) - 1]);
    }
    match dice.below(6) {
        0 => *dice.one(&[0, 1, 10_000_000, 49_999_999, 50_000_000, 50_000_001, 90_000_000]),
        1 => dice.between(0, 200),
        _ => dice.between(0, 150_000_000),
    }
}

fn day(dice: &mut Dice, reach: Reach) -> Date {
    if reach == Reach::Extreme && dice.once_in(3) {
        return *dice.one(&[Date::MIN, Date::MAX, date(-1, 12, 31), date(9999, 1, 31)]);
    }
    if dice.once_in(6) {
        return *dice.one(&[
            date(2028, 2, 29),
            date(2026, 1, 31),
            date(2026, 10, 4),
            date(2026, 6, 30),
            date(2026, 7, 1),
        ]);
    }
    date(2026, 1, 1).checked_add(dice.between(0, 900).days()).expect("a date")
}

/// A random deal.
pub fn deal(dice: &mut Dice, reach: Reach) -> Deal {
    let member = |n: usize| MemberId::new(Uuid::from_u128(u128::try_from(n).expect("a number")));
    let money = |dice: &mut Dice| Money::aud(figure(dice, reach));
    let settled = (!dice.once_in(8)).then(|| {
        let on = day(dice, reach);
        let amount = figure(dice, reach);
        let offset = match reach {
            Reach::Extreme => figure(dice, reach),
            Reach::Ordinary => dice.between(0, amount / 2),
        };
        let some = |dice: &mut Dice| !dice.once_in(4);
        let measures = Measures {
            premium: some(dice).then(|| money(dice)),
            fee: some(dice).then(|| money(dice)),
            salary: some(dice).then(|| money(dice)),
            rent: None,
            margin: some(dice).then(|| money(dice)),
            units: some(dice).then(|| figure(dice, reach) % if reach == Reach::Ordinary { 12 } else { i64::MAX }),
            connections: some(dice).then(|| dice.between(0, 20)),
            kilowatts: None,
            policies: some(dice).then(|| dice.between(0, 4)),
            travellers: None,
        };
        Settlement { on, amount: Money::aud(amount), offset: Money::aud(offset), measures }
    });
    let mut milestones = Milestones::new();
    for name in ["plan_ready", "handed_over"] {
        if dice.once_in(2) {
            milestones.insert(ComponentKey::parse(name).expect("a key"), day(dice, reach));
        }
    }
    let named = |dice: &mut Dice, of: &[&str]| dice.once_in(2).then(|| (*dice.one(of)).to_owned());
    Deal {
        id: DealId::new(Uuid::from_u128(u128::from(dice.next()))),
        product: ProductCode::parse(dice.one::<&str>(&PRODUCTS)).expect("a code"),
        facts: DealFacts {
            referred_on: day(dice, reach),
            contracted_on: (!dice.once_in(5)).then(|| day(dice, reach)),
            settlement: settled,
            discharged_on: dice.once_in(3).then(|| day(dice, reach)),
        },
        member: member(1 + dice.below(3)),
        uplines: (0..dice.below(4)).map(|n| member(10 + n)).collect(),
        own_uplines: if dice.once_in(5) { vec![1] } else { Vec::new() },
        participants: (0..dice.below(2)).map(|n| member(20 + n)).collect(),
        cohort: named(dice, &COHORTS),
        joined_on: dice.once_in(2).then(|| day(dice, reach)),
        provider: named(dice, &["org_a", "org_b"]),
        introducer: named(dice, &["org_c", "org_d"]),
        milestones,
        period: dice.once_in(4).then(|| Period { month: day(dice, reach).first_of_month(), balance: money(dice) }),
    }
}
