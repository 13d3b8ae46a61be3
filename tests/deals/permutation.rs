//! Deals that depend on the ones before them end the same whatever came first: in any order, in any batches, by import
//! and by steps, one after the other and at once. The figures of single deals are worked out by hand.

use std::collections::BTreeMap;

use domain::agreements::facts::{DealFacts, Settlement};
use domain::deals::step::{Correction, Step};
use domain::kernel::Money;
use harness::counted::{self, PRODUCT, lines, outcome};
use harness::platform::Platform;
use jiff::ToSpan;
use jiff::civil::{Date, date};

use super::{day, deal, file, settlement, step, take};

/// SplitMix64.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// What is said of one deal, one saying after the other.
#[derive(Clone)]
struct Story {
    name: String,
    member: &'static str,
    sayings: Vec<DealFacts>,
}

fn story(n: usize, draw: &mut Draw) -> Story {
    let on = date(2026, 1, 1).checked_add((draw.below(85) as i64).days()).expect("a date");
    let mut settled =
        |on: Date| Some(Settlement::of(on, Money::aud(100 * (1 + draw.below(700_000) as i64)), Money::ZERO));
    let facts = |settlement: Option<Settlement>, discharged_on| DealFacts {
        referred_on: on,
        contracted_on: None,
        settlement,
        discharged_on,
    };
    let mut sayings = vec![facts(settled(on), None)];
    if n.is_multiple_of(3) {
        let later = on.checked_add(((n as i64 * 5) % 40).days()).expect("a date");
        sayings.push(facts(settled(later), None));
    }
    if n.is_multiple_of(4) {
        let last = *sayings.last().expect("one");
        let unwound = last.settlement.and_then(|s| s.on.checked_add(4.months()).ok());
        sayings.push(facts(last.settlement, unwound));
    }
    if n % 11 == 5 {
        sayings.push(facts(None, None));
    }
    // Names in another order than the stories.
    let name = format!("N-{:03}", (n * 37) % 101);
    Story { name, member: ["A", "B", "C", "U", "A"][n % 5], sayings }
}

fn row(story: &Story, facts: &DealFacts) -> String {
    let text = |on: Option<Date>| on.map(|on| on.to_string()).unwrap_or_default();
    let settled = facts.settlement.map(|s| (s.on, s.amount.minor()));
    let amount = settled.map(|(_, minor)| format!("{}.{:02}", minor / 100, minor % 100)).unwrap_or_default();
    let (name, member) = (&story.name, story.member);
    let (on, until) = (text(settled.map(|(on, _)| on)), text(facts.discharged_on));
    format!("{name},{member},Ann,{PRODUCT},{},,{on},{amount},,{until}", facts.referred_on)
}

/// A saying as a step: the plain fact where that says it, else a correction.
fn as_step(before: &DealFacts, now: &DealFacts) -> Step {
    match (before.settlement, now.settlement, now.discharged_on) {
        (None, Some(settlement), None) => Step::Settlement(settlement),
        (Some(was), Some(is), Some(on)) if was == is => Step::Discharge { on },
        (_, settlement, discharged_on) => {
            Step::Correction(Correction { referred_on: None, contracted_on: None, settlement, discharged_on })
        }
    }
}

/// Which saying comes when: a random order that keeps each story's own, in batches that name a deal once.
fn arrivals(stories: &[Story], draw: &mut Draw, largest: usize) -> Vec<Vec<(usize, usize)>> {
    let mut said = vec![0; stories.len()];
    let mut batches: Vec<Vec<(usize, usize)>> = vec![Vec::new()];
    while said.iter().zip(stories).any(|(said, story)| *said < story.sayings.len()) {
        let at = draw.below(stories.len() as u64) as usize;
        if said[at] == stories[at].sayings.len() {
            continue;
        }
        let last = batches.last().expect("a batch");
        if last.len() >= largest || last.iter().any(|(other, _)| *other == at) {
            batches.push(Vec::new());
        }
        batches.last_mut().expect("a batch").push((at, said[at]));
        said[at] += 1;
    }
    batches
}

fn imported(platform: &Platform, stories: &[Story], batches: &[Vec<(usize, usize)>]) {
    for batch in batches {
        let rows: Vec<String> = batch.iter().map(|(at, n)| row(&stories[*at], &stories[*at].sayings[*n])).collect();
        let report = platform.import(&file(&rows.iter().map(String::as_str).collect::<Vec<_>>()));
        assert_eq!(report.refused, []);
    }
}

fn unsettled(story: &Story) -> DealFacts {
    DealFacts { settlement: None, discharged_on: None, ..story.sayings[0] }
}

/// The stories as referrals, to be told step by step.
fn referred(platform: &Platform, stories: &[Story]) {
    let rows: Vec<String> = stories.iter().map(|story| row(story, &unsettled(story))).collect();
    let report = platform.import(&file(&rows.iter().map(String::as_str).collect::<Vec<_>>()));
    assert_eq!(report.created, stories.len() as u64);
}

fn stepped(platform: &Platform, stories: &[Story], batches: &[Vec<(usize, usize)>]) {
    let deals: BTreeMap<&str, _> = stories.iter().map(|s| (s.name.as_str(), deal(platform, &s.name))).collect();
    for batch in batches {
        let step = |(at, n): &(usize, usize)| {
            let story = &stories[*at];
            let before = n.checked_sub(1).map_or_else(|| unsettled(story), |n| story.sayings[n]);
            (&platform.actor, deals[story.name.as_str()], as_step(&before, &story.sayings[*n]))
        };
        let taken = take(platform, &batch.iter().map(step).collect::<Vec<_>>());
        assert!(taken.iter().all(Result::is_ok), "{taken:?}");
    }
}

#[test]
fn any_order_any_batches_and_both_ways_in_end_the_same() {
    let mut draw = Draw(20_261_129);
    let stories: Vec<Story> = (0..32).map(|n| story(n, &mut draw)).collect();
    let sayings: usize = stories.iter().map(|s| s.sayings.len()).sum();
    let wanted = {
        let platform = counted::platform();
        imported(&platform, &stories, &arrivals(&stories, &mut draw, 8));
        assert_eq!(
            platform.number("select count(distinct version_number) from deal where agreement_id is not null"),
            2
        );
        outcome(&platform)
    };
    assert!(wanted.iter().any(|line| line.starts_with("counter")), "{wanted:?}");
    for (largest, by_import) in [(1, true), (5, true), (sayings, true), (1, false), (7, false), (sayings, false)] {
        let platform = counted::platform();
        let batches = arrivals(&stories, &mut draw, largest);
        match by_import {
            true => imported(&platform, &stories, &batches),
            false => {
                referred(&platform, &stories);
                stepped(&platform, &stories, &batches);
            }
        }
        let found = outcome(&platform);
        let differ = found.iter().filter(|line| !wanted.contains(line)).collect::<Vec<_>>();
        assert!(found == wanted, "batches of {largest}, import {by_import}: {differ:?}");
    }
}

#[test]
fn steps_of_one_window_at_once_end_as_if_one_came_after_the_other() {
    let mut draw = Draw(7);
    let stories: Vec<Story> = (0..40).map(|n| story(n, &mut draw)).collect();
    let wanted = {
        let platform = counted::platform();
        imported(&platform, &stories, &arrivals(&stories, &mut draw, 10));
        outcome(&platform)
    };
    let platform = counted::platform();
    referred(&platform, &stories);
    // Both halves are of the same members and windows; each is told in an order of its own.
    let (left, right) = stories.split_at(20);
    let batches = (arrivals(left, &mut draw, 3), arrivals(right, &mut draw, 3));
    std::thread::scope(|scope| {
        scope.spawn(|| stepped(&platform, left, &batches.0));
        scope.spawn(|| stepped(&platform, right, &batches.1));
    });
    assert_eq!(outcome(&platform), wanted);
}

#[test]
fn imports_of_one_window_at_once_end_as_if_one_came_after_the_other() {
    let mut draw = Draw(8);
    let stories: Vec<Story> = (0..40)
        .map(|n| {
            let whole = story(n, &mut draw);
            Story { sayings: whole.sayings[..1].to_vec(), ..whole }
        })
        .collect();
    let batches = arrivals(&stories, &mut draw, 4);
    let wanted = {
        let platform = counted::platform();
        imported(&platform, &stories, &batches);
        outcome(&platform)
    };
    let platform = counted::platform();
    for batch in arrivals(&stories, &mut draw, 4) {
        let rows: Vec<String> = batch.iter().map(|(at, n)| row(&stories[*at], &stories[*at].sayings[*n])).collect();
        let _ = platform.upload(&file(&rows.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| platform.work());
        }
    });
    assert_eq!(outcome(&platform), wanted);
}

#[test]
fn agreements_without_counters_know_nothing_of_them() {
    let platform = Platform::new();
    platform.onboard(super::EXAMPLE_MEMBERS);
    assert_eq!(platform.import(super::EXAMPLE).created, 14);
    assert_eq!(platform.number("select (select count(*) from counter_lock) + (select count(*) from deal_counter)"), 0);
}

fn rows(platform: &Platform, rows: &[&str]) {
    let report = platform.import(&file(rows));
    assert_eq!(report.refused, []);
}

/// Settled in January 2026 by member C, who stands alone.
fn sale(name: &str, on: u8, dollars: u32) -> String {
    format!("{name},C,Ann,{PRODUCT},2026-01-01,,2026-01-{on:02},{dollars}.00,,")
}

#[test]
fn a_late_deal_moves_the_ones_after_it_and_posts_the_differences_now() {
    let mut platform = counted::platform();
    rows(&platform, &[&sale("ONE", 10, 600_000), &sale("TWO", 20, 300_000)]);
    // 1 % of each, 60 % of it to the member and all else to the platform; 0.1 % of the house's volume, half to each.
    assert_eq!(
        lines(&platform, "TWO"),
        [
            "accelerator member 180000 0",
            "accelerator platform 120000 0",
            "house member 15000 0",
            "house platform 15000 0",
            "welcome member 2500 0"
        ]
    );
    let entries = platform.number("select count(*) from ledger_entry");
    platform.now = domain::kernel::Instant::new("2026-11-24T12:00:00Z".parse().expect("a time"));
    rows(&platform, &[&sale("LATE", 15, 200_000)]);
    // $800,000 before it, $1,100,000 with it: all of it is worth 1.25 %, of which $8,000 was earned before.
    assert_eq!(
        lines(&platform, "TWO"),
        [
            "accelerator member 345000 0",
            "accelerator platform 230000 0",
            "house member 15000 0",
            "house platform 15000 0",
            "milestone member 50000 0",
            "welcome member 2500 0"
        ]
    );
    assert_eq!(lines(&platform, "LATE")[0], "accelerator member 120000 0");
    // One entry for the late deal, one for what follows from it; the first deal has none.
    assert_eq!(platform.number("select count(*) from ledger_entry"), entries + 2);
    let now = "select count(*) from ledger_entry e join deal d on d.id = e.deal_id where d.external_ref = 'TWO' and e.kind = 'adjustment' and e.recorded_at > '2026-11-24'";
    assert_eq!(platform.number(now), 1);
    let calculations = |name: &str| {
        platform.number(&format!(
            "select count(*) from calculation c join deal d on d.id = c.deal_id where d.external_ref = '{name}'"
        ))
    };
    assert_eq!((calculations("ONE"), calculations("TWO"), calculations("LATE")), (1, 2, 1));
    // The same again changes nothing.
    rows(&platform, &[&sale("LATE", 15, 200_000)]);
    assert_eq!(calculations("TWO"), 2);
}

#[test]
fn a_corrected_deal_leaves_one_window_for_another() {
    let platform = counted::platform();
    rows(&platform, &[&sale("ONE", 10, 900_000), &sale("TWO", 20, 200_000)]);
    // $1,100,000 in the quarter at 1.25 % less $9,000.
    assert_eq!(lines(&platform, "TWO")[0], "accelerator member 285000 0");
    let one = deal(&platform, "ONE");
    let moved = Correction {
        referred_on: None,
        contracted_on: None,
        settlement: Some(settlement("2026-05-10", 90_000_000)),
        discharged_on: None,
    };
    step(&platform, one, Step::Correction(moved)).expect("corrected");
    assert_eq!(lines(&platform, "TWO")[0], "accelerator member 120000 0");
    let welcomed = "select string_agg(d.external_ref || after_awards, ' ' order by after_awards) t from deal_counter c join deal d on d.id = c.deal_id where counter = 'limit.welcome.0'";
    assert_eq!(counted::texts(&platform, welcomed), ["TWO1 ONE2"]);
    // Not settled after all: it is in nobody's total.
    let undone = Correction { referred_on: None, contracted_on: None, settlement: None, discharged_on: None };
    step(&platform, one, Step::Correction(undone)).expect("corrected");
    assert_eq!(platform.number(&format!("select count(*) from deal_counter where deal_id = '{}'", one.uuid())), 0);
    assert!(lines(&platform, "ONE").is_empty());
}

#[test]
fn what_unwinds_leaves_the_total_that_leaves_it_out() {
    let platform = counted::platform();
    rows(&platform, &[&sale("ONE", 10, 2_800_000), &sale("TWO", 20, 400_000)]);
    // The house: $200,000 up to 3 million at 0.1 %, $200,000 beyond at 0.2 %: $600.
    assert_eq!(lines(&platform, "TWO")[2..4], ["house member 30000 0", "house platform 30000 0"]);
    let before = lines(&platform, "TWO")[0].clone();
    step(&platform, deal(&platform, "ONE"), Step::Discharge { on: day("2026-03-01") }).expect("unwound");
    // Alone it is $400 for the house; the member's own volume goes on counting what was sold.
    assert_eq!(lines(&platform, "TWO")[2..4], ["house member 20000 0", "house platform 20000 0"]);
    assert_eq!(lines(&platform, "TWO")[0], before);
    assert_eq!(lines(&platform, "ONE")[0], "accelerator member 2520000 2520000");
    assert_eq!(platform.number("select count(*) from deal where stage = 'reversed'"), 1);
}

#[test]
fn the_cap_of_an_upline_goes_over_the_deals_of_different_members() {
    let platform = counted::platform();
    let sale = |name: &str, member: &str, on: u8, dollars: u32| {
        format!("{name},{member},Ann,{PRODUCT},2026-01-01,,2026-01-{on:02},{dollars}.00,,")
    };
    rows(&platform, &[&sale("B", "B", 20, 500_000)]);
    // 20 % of $5,000.
    assert_eq!(lines(&platform, "B")[2], "accelerator upline 100000 0");
    rows(&platform, &[&sale("A", "A", 10, 400_000)]);
    // The late deal of another member takes $800 of the month's $1,500: $700 are left, the platform has the rest.
    assert_eq!(lines(&platform, "A")[2], "accelerator upline 80000 0");
    assert_eq!(lines(&platform, "B")[1..3], ["accelerator platform 130000 0", "accelerator upline 70000 0"]);
    // A deal that makes up the first member's quarter moves the second one's through the cap again.
    rows(&platform, &[&sale("A2", "A", 15, 700_000)]);
    assert_eq!(lines(&platform, "A2")[2], "accelerator upline 70000 0");
    assert_eq!(lines(&platform, "B")[1], "accelerator platform 200000 0");
}
