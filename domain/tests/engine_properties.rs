//! What holds for every content that compiles and every deal, on random ones of each.

mod made;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::agreements::GoverningVersion;
use domain::agreements::evaluate::v2::Scratch;
use domain::agreements::evaluate::{CalculationOutput, Silent, evaluate, trace};
use domain::agreements::facts::{CalculationInput, Counter, CounterKey, DealFacts, Settlement, Standing};
use domain::agreements::lint::{MadeUpDeal, lint};
use domain::agreements::model::Window;
use domain::agreements::replay::{DealOrder, Replay};
use domain::agreements::repository::StoredCalculation;
use domain::agreements::reproduce::reproduce;
use domain::kernel::ids::CalculationId;
use domain::kernel::{Digest, Instant, Money};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use made::random::{Deal, Dice, Reach, content as random_content, deal as random_deal};
use made::{alone, aud, content, counting, parsed, tier, tiered, version, with};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

/// A random version that compiles; none for the few that do not.
fn random_version(dice: &mut Dice) -> Option<(Value, GoverningVersion)> {
    let (content, tables) = random_content(dice);
    let version = version(&content, &tables);
    version.plan().is_ok().then_some((content, version))
}

fn with_counters<'d>(deal: &'d Deal, version: &'d GoverningVersion, counters: &'d [Counter]) -> CalculationInput<'d> {
    CalculationInput { counters, ..deal.input(version) }
}

fn sums(output: &CalculationOutput) -> BTreeMap<String, i64> {
    let mut sums = BTreeMap::new();
    for line in &output.lines {
        *sums.entry(line.component.to_string()).or_default() += line.earned.minor();
    }
    sums
}

#[test]
fn random_contents_compile_and_use_every_construct() {
    let (mut compiled, mut earned, mut used) = (0, BTreeSet::new(), BTreeSet::new());
    for seed in 0..600 {
        let mut dice = Dice(seed);
        let Some((content, version)) = random_version(&mut dice) else { continue };
        compiled += 1;
        for component in content["components"].as_array().expect("components") {
            let word = |pointer: &str| component.pointer(pointer).and_then(Value::as_str).unwrap_or("-").to_owned();
            used.insert(format!("mode {}", word("/combine/mode")));
            used.insert(format!("trigger {}", word("/trigger/kind")));
            used.insert(format!("clawback {}", word("/clawback/kind")));
        }
        for _ in 0..20 {
            let deal = random_deal(&mut dice, Reach::Ordinary);
            let counters = deal.first(version.plan().expect("a plan"), &version);
            let (output, steps) = trace(&with_counters(&deal, &version, &counters)).expect("a result");
            for (key, sum) in sums(&output) {
                let component =
                    content["components"].as_array().expect("components").iter().find(|c| c["key"] == key.as_str());
                let rate = &component.expect("a component")["rate"];
                assert!(sum > 0);
                earned.insert(format!(
                    "{} {}",
                    rate["kind"].as_str().unwrap_or("-"),
                    rate["mode"].as_str().unwrap_or("-")
                ));
            }
            used.extend(steps.iter().map(|step| format!("step {}", step.step)));
        }
    }
    assert!(compiled >= 540, "{compiled} of 600");
    let wanted = [
        "flat -",
        "flat_per_unit -",
        "percent -",
        "percent_of_component -",
        "tiered marginal",
        "tiered whole",
        "tiered whole_with_true_up",
        "lookup -",
        "trail -",
        "milestone_bonus -",
    ];
    assert_eq!(earned, wanted.map(str::to_owned).into());
    for word in [
        "mode first",
        "mode best",
        "mode sum",
        "mode stack",
        "trigger deal_event",
        "trigger milestone",
        "trigger trail",
        "trigger component",
        "clawback step",
        "clawback straight_line",
        "clawback custom",
        "step cap",
        "step floor",
        "step count",
        "step excess",
        "step absent",
        "step combine",
        "step lookup",
        "step milestone",
    ] {
        assert!(used.contains(word), "{word} does not occur: {used:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics_and_the_traced_comes_to_the_same(seed: u64) {
        let mut dice = Dice(seed);
        let Some((content, version)) = random_version(&mut dice) else { return Ok(()) };
        let plan = version.plan().expect("a plan");
        let mut scratch = Scratch::default();
        for n in 0..24 {
            let deal = random_deal(&mut dice, if n % 2 == 0 { Reach::Extreme } else { Reach::Ordinary });
            let mut counters = deal.first(plan, &version);
            if n % 4 == 0 {
                for counter in &mut counters {
                    let mut one = || *dice.one(&[i64::MIN, -1, 0, 5, 1 << 40, i64::MAX]);
                    counter.before = Standing { total: one(), paid: one(), awards: one() };
                }
            }
            let input = with_counters(&deal, &version, &counters);
            let untraced = evaluate(&input);
            let traced = trace(&input).map(|(output, _)| output);
            prop_assert_eq!(&untraced, &traced, "{} {:?}", content, deal);
            // The scratch of other deals does not show.
            let again = plan.evaluate(&input, &mut scratch, &mut Silent).map(|()| scratch.output(plan, &input));
            prop_assert_eq!(&untraced, &again);
            let Ok(output) = untraced else { continue };
            prop_assert!(output.gross().is_ok());
            for line in &output.lines {
                prop_assert!(line.earned.minor() > 0 && line.clawed_back.minor() >= 0 && line.clawed_back <= line.earned);
                prop_assert!(line.period == deal.period.map(|period| period.month));
            }
            prop_assert_eq!(output.counters.len(), counters.len());
            prop_assert_eq!(scratch.net_minor(), output.lines.iter().map(|l| l.earned.minor() - l.clawed_back.minor()).sum::<i64>());
        }
    }

    #[test]
    fn the_parts_of_a_split_make_up_what_one_alone_would_get(seed: u64) {
        let mut dice = Dice(seed);
        let Some((mut alone, split)) = random_version(&mut dice) else { return Ok(()) };
        for component in alone["components"].as_array_mut().expect("components") {
            component["split"] = json!([{"role": "platform", "share": "1"}]);
            let limits = component["limits"].as_array().cloned().unwrap_or_default();
            component["limits"] = limits.into_iter().filter(|limit| limit.get("role").is_none()).collect();
        }
        let alone = version(&alone, split.tables());
        for _ in 0..8 {
            let deal = random_deal(&mut dice, Reach::Ordinary);
            // Before the date that governs is known a role's window holds the component up, without it nothing does.
            if split.plan().expect("a plan").governing_on(&deal.input(&split)).is_none() {
                continue;
            }
            let output = |version: &GoverningVersion| {
                let counters = deal.first(version.plan().expect("a plan"), version);
                evaluate(&with_counters(&deal, version, &counters)).expect("a result")
            };
            let (split, alone) = (output(&split), output(&alone));
            prop_assert_eq!(sums(&split), sums(&alone));
            prop_assert_eq!(split.non_awards, alone.non_awards);
        }
    }

    #[test]
    fn a_full_clawback_is_the_mirror_and_a_part_is_the_nearest_cent(seed: u64, ppm in 0_i64..=1_000_000) {
        let mut dice = Dice(seed);
        let Some((mut json, plain)) = random_version(&mut dice) else { return Ok(()) };
        for component in json["components"].as_array_mut().expect("components") {
            if component["trigger"]["kind"] != "trail" && component.get("clawback").is_some() {
                let fraction = format!("{}.{:06}", ppm / 1_000_000, ppm % 1_000_000);
                component["clawback"] = json!({"kind": "step", "steps": [{"before_months": 120, "fraction": fraction}]});
            }
        }
        let version = version(&json, plain.tables());
        for _ in 0..8 {
            let mut deal = random_deal(&mut dice, Reach::Ordinary);
            let Some(settlement) = deal.facts.settlement else { continue };
            deal.facts.discharged_on = Some(settlement.on);
            let counters = deal.first(version.plan().expect("a plan"), &version);
            let output = evaluate(&with_counters(&deal, &version, &counters)).expect("a result");
            for line in &output.lines {
                let component = version.content().components.iter().find(|c| c.key == line.component).expect("it is there");
                let (earned, back) = (i128::from(line.earned.minor()), i128::from(line.clawed_back.minor()));
                if component.clawback.is_none() {
                    prop_assert_eq!(back, 0);
                } else if ppm == 1_000_000 {
                    prop_assert_eq!(back, earned);
                } else {
                    prop_assert!((2 * (back * 1_000_000 - earned * i128::from(ppm))).abs() <= 1_000_000);
                }
            }
        }
    }

    #[test]
    fn marginal_tiers_never_pay_less_for_more(
        rates in prop::collection::vec((1_i64..20_000_000, 0_i64..300_000), 1..8),
        mut sizes in prop::collection::vec(0_i64..200_000_000, 2..12),
    ) {
        let mut from = 0;
        let tiers = rates.iter().map(|(width, ppm)| {
            let one = tier(from, &format!("0.{ppm:06}"));
            from += width;
            one
        });
        let version = version(&content(vec![with("a", json!({"rate": tiered("marginal", tiers.collect())}))]), &[]);
        let mut deal = random_deal(&mut Dice(1), Reach::Ordinary);
        sizes.sort_unstable();
        let mut before = 0;
        for size in sizes {
            deal.facts = settled(date(2026, 3, 1), size);
            deal.period = None;
            let output = evaluate(&deal.input(&version)).expect("a result");
            let earned = output.gross().expect("it fits").minor();
            prop_assert!(earned >= before, "{} earns {}, less than {}", size, earned, before);
            before = earned;
        }
    }

    #[test]
    fn a_window_never_passes_its_cap_and_meets_its_floor(
        seed: u64, window in 0_usize..6, cap in 1_i64..3_000_000, floor in 0_i64..1_000_000, of_member: bool,
    ) {
        const WINDOWS: [(&str, Window); 6] = [
            ("day", Window::Day), ("week", Window::Week), ("month", Window::Month), ("quarter", Window::Quarter),
            ("financial_year", Window::FinancialYear), ("lifetime", Window::Lifetime),
        ];
        let (name, window) = WINDOWS[window];
        let floor = floor.min(cap);
        let mut limit = json!({"per": name, "cap": aud(cap), "floor": aud(floor)});
        if of_member {
            limit["role"] = "member".into();
        }
        let fields = json!({
            "limits": [limit],
            "split": [{"role": "member", "share": "0.6", "excess_to": "platform"}, {"role": "platform", "share": "0.4"}]
        });
        let version = version(&content(vec![with("a", fields)]), &[]);
        let plan = version.plan().expect("a plan");
        let (mut dice, mut replay, mut scratch) = (Dice(seed), Replay::default(), Scratch::default());
        let mut deals: Vec<Deal> = (0..40).map(|_| {
            let mut deal = random_deal(&mut dice, Reach::Ordinary);
            deal.period = None;
            deal.facts.discharged_on = None;
            deal
        }).collect();
        deals.sort_by_key(|deal| deal.facts.settlement.map(|s| s.on));
        let mut of_window: HashMap<_, (i64, i64)> = HashMap::new();
        for deal in &deals {
            let Some(settlement) = deal.facts.settlement else { continue };
            replay.next(plan, &deal.input(&version), &mut scratch).expect("a result");
            let member = scratch.lines().filter(|line| line.1.is_some()).map(|line| line.2).sum::<i64>();
            let whole = scratch.lines().map(|line| line.2).sum::<i64>();
            let entry = of_window.entry((deal.member, window.first_day(settlement.on))).or_default();
            *entry = (entry.0 + member, entry.1 + whole);
        }
        for (member, whole) in of_window.values() {
            let limited = if of_member { *member } else { *whole };
            prop_assert!(limited <= cap);
            if of_member {
                // Topped up as far as the platform has something.
                prop_assert!(*member >= floor.min(*whole));
            } else {
                prop_assert!(*whole == 0 || *whole >= floor);
            }
        }
    }

    #[test]
    fn a_true_up_comes_to_the_rate_of_the_whole_total(
        rates in prop::collection::vec((1_i64..80_000_000, 1_i64..20_000), 1..6), first in 0_i64..50_000_000, seed: u64,
    ) {
        let (mut from, mut ppm, mut reached) = (first, 0, Vec::new());
        for (width, more) in rates {
            ppm += more;
            reached.push((from, ppm));
            from += width;
        }
        let tiers: Vec<Value> = reached.iter().map(|(from, ppm)| tier(*from, &format!("0.{ppm:06}"))).collect();
        let rate = json!({
            "kind": "tiered", "of": "settled_amount", "mode": "whole_with_true_up",
            "by": {"kind": "accumulator", "key": "volume"}, "tiers": tiers
        });
        let total = json!({"key": "volume", "measure": "settled_amount", "scope": "member", "window": "quarter"});
        let version = version(&counting(vec![with("a", json!({ "rate": rate }))], vec![total]), &[]);
        let plan = version.plan().expect("a plan");
        let (mut dice, mut replay, mut scratch) = (Dice(seed), Replay::default(), Scratch::default());
        let (mut total, mut paid) = (0_i128, 0_i128);
        let mut deal = random_deal(&mut dice, Reach::Ordinary);
        deal.period = None;
        for n in 0..30 {
            let size = dice.between(0, 30_000_000);
            deal.facts = settled(date(2026, 1, 1).checked_add(n.days()).expect("a date"), size);
            replay.next(plan, &deal.input(&version), &mut scratch).expect("a result");
            total += i128::from(size);
            paid += scratch.lines().map(|line| i128::from(line.2)).sum::<i128>();
            // By hand: the rate of the highest tier that the total reaches, of the total, half a cent up.
            let ppm = reached.iter().rev().find(|(from, _)| i128::from(*from) <= total).map_or(0, |(_, ppm)| *ppm);
            prop_assert_eq!(paid, (total * i128::from(ppm) + 500_000) / 1_000_000);
        }
    }

    #[test]
    fn neither_the_cut_into_batches_nor_the_order_of_arrival_shows(seed: u64) {
        let mut dice = Dice(seed);
        let Some((_, version)) = random_version(&mut dice) else { return Ok(()) };
        let plan = version.plan().expect("a plan");
        let deals: Vec<Deal> = (0..40).map(|_| random_deal(&mut dice, Reach::Ordinary)).collect();
        let order = |deal: &Deal| DealOrder {
            governing_on: plan.governing_on(&deal.input(&version)).unwrap_or(Date::MAX),
            source: Uuid::nil(),
            external_ref: None,
            deal: deal.id.uuid(),
        };
        let outcome = |arrived: &[&Deal], cuts: &mut dyn FnMut() -> bool| {
            let mut deals = arrived.to_vec();
            deals.sort_by_key(|deal| order(deal));
            let mut kept: HashMap<CounterKey, Standing> = HashMap::new();
            let (mut replay, mut scratch) = (Replay::default(), Scratch::default());
            let mut outputs = Vec::new();
            for deal in deals {
                if cuts() {
                    // What a batch leaves is all that the next one knows.
                    replay = Replay::from(kept.iter().map(|(key, before)| Counter { key: key.clone(), before: *before }));
                }
                let counters = replay.counters(plan, &deal.input(&version));
                let input = with_counters(deal, &version, &counters);
                let output = plan.evaluate(&input, &mut scratch, &mut Silent).map(|()| scratch.output(plan, &input));
                replay.note(&counters, scratch.counters());
                for (counter, after) in counters.iter().zip(scratch.counters()) {
                    if !counter.key.scope.is_empty() {
                        kept.insert(counter.key.clone(), *after);
                    }
                }
                outputs.push(output.expect("a result").digest().expect("a digest"));
            }
            (outputs, kept)
        };
        let mut arrived: Vec<&Deal> = deals.iter().collect();
        let expected = outcome(&arrived, &mut || false);
        for n in (1..arrived.len()).rev() {
            arrived.swap(n, dice.below(n + 1));
        }
        let found = outcome(&arrived, &mut || dice.once_in(5));
        prop_assert_eq!(&expected.0, &found.0);
        prop_assert_eq!(&expected.1, &found.1);
        prop_assert_eq!(&expected, &outcome(&arrived, &mut || true));
    }

    #[test]
    fn what_was_stored_comes_to_the_same_and_altered_bytes_do_not_pass(seed: u64) {
        let mut dice = Dice(seed);
        let Some((_, version)) = random_version(&mut dice) else { return Ok(()) };
        let deal = random_deal(&mut dice, Reach::Ordinary);
        let counters = deal.first(version.plan().expect("a plan"), &version);
        let input = with_counters(&deal, &version, &counters);
        let output = evaluate(&input).expect("a result");
        let bytes = input.canonical_bytes().expect("canonical");
        let stored = StoredCalculation {
            id: CalculationId::new(Uuid::nil()),
            deal: deal.id,
            version: (version.agreement(), version.number()),
            period: input.period.map(|period| period.month),
            engine: output.engine,
            input: bytes.clone(),
            output_sha256: output.digest().expect("a digest"),
            known_at: Instant::new(jiff::Timestamp::UNIX_EPOCH),
        };
        let versions = std::slice::from_ref(&version);
        prop_assert_eq!(reproduce(&stored, versions), Ok(()));
        for _ in 0..40 {
            let mut altered = bytes.clone();
            let at = dice.below(altered.len());
            altered[at] = if dice.once_in(2) { altered[at] ^ (1 << dice.below(8)) } else { b"0123456789abcdef\"{}[],:"[dice.below(23)] };
            if altered == bytes {
                continue;
            }
            let other = StoredCalculation { input: altered, ..stored.clone() };
            if reproduce(&other, versions).is_ok() {
                // A fact that this version does not ask for: the output is the same, the digest of the input is not.
                prop_assert_ne!(Digest::of(&other.input), input.digest().expect("a digest"));
                let text = String::from_utf8(other.input).expect("it was read");
                prop_assert!(text.contains(&version.content_hash().to_string()));
                prop_assert!(text.contains(&deal.id.to_string()));
            }
        }
        let other = StoredCalculation { output_sha256: Digest::of(b"other"), ..stored.clone() };
        prop_assert!(reproduce(&other, versions).is_err());
        prop_assert!(reproduce(&stored, &[]).is_err());
    }
}

fn settled(on: Date, amount: i64) -> DealFacts {
    DealFacts {
        referred_on: on,
        contracted_on: Some(on),
        settlement: Some(Settlement::of(on, Money::aud(amount), Money::ZERO)),
        discharged_on: None,
    }
}

#[test]
fn what_the_lint_calls_impossible_no_deal_does_and_its_examples_are_true() {
    let (mut never, mut shadowed, mut shown) = (0, 0, 0);
    for seed in 0..400 {
        let mut dice = Dice(0x51_u64 << 32 | seed);
        let (mut json, tables) = random_content(&mut dice);
        // Branches of one group, on few values: many of them are shadowed.
        let branches = json["components"].as_array_mut().expect("components");
        branches.retain(|component| component["trigger"]["kind"] != "trail");
        for component in branches.iter_mut() {
            component["trigger"] = json!({"kind": "deal_event", "event": "settled"});
            if dice.once_in(2) {
                component["combine"] = json!({"group": "branches", "mode": "first"});
                component["rate"] = json!({"kind": "percent", "of": "settled_amount", "rate": "0.01"});
            }
        }
        let content = parsed(&json);
        let found = lint(&content, &tables, &alone(&content));
        let version = version(&json, &tables);
        let Ok(plan) = version.plan() else { continue };
        let mut impossible = Vec::new();
        for finding in &found {
            let place = finding.pointer.split('/').nth(2).and_then(|n| n.parse::<usize>().ok());
            match finding.code {
                "predicate_never_true" => never += 1,
                "branch_shadowed" => shadowed += 1,
                _ => {}
            }
            if matches!(finding.code, "predicate_never_true" | "branch_shadowed") {
                impossible.push(content.components[place.expect("a component")].key.clone());
            }
            let deals = finding.example.as_ref().and_then(|example| example["deals"].as_array());
            for one in deals.into_iter().flatten() {
                let deal: MadeUpDeal = serde_json::from_value(one["deal"].clone()).expect("a deal");
                let sums = sums(&deal.evaluate(&version).expect("a result"));
                for component in &content.components {
                    assert_eq!(
                        one["earned"][component.key.as_str()],
                        sums.get(component.key.as_str()).copied().unwrap_or(0)
                    );
                }
                shown += 1;
            }
        }
        for _ in 0..if impossible.is_empty() { 0 } else { 300 } {
            let deal = random_deal(&mut dice, Reach::Ordinary);
            let counters = deal.first(plan, &version);
            let output = evaluate(&with_counters(&deal, &version, &counters)).expect("a result");
            for line in &output.lines {
                assert!(!impossible.contains(&line.component), "{} earns by {deal:?}\n{json}", line.component);
            }
        }
    }
    assert!(never >= 10 && shadowed >= 20 && shown >= 100, "{never} {shadowed} {shown}");
}
