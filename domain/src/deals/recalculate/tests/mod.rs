//! Any order of arrival, any batches: the same calculations, and the amounts of a plain sum over all deals in order.

mod memory;
mod sums;

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use proptest::prelude::*;
use uuid::Uuid;

use self::memory::Memory;
use self::sums::{Amounts, Sums};
use super::*;
use crate::agreements::evaluate::v2::Scratch;
use crate::agreements::facts::{DealFacts, Milestones, Settlement};
use crate::agreements::replay::{DealOrder, Replay};
use crate::agreements::{GoverningVersion, VersionContent};
use crate::catalogue::{ProductCode, VerticalCode};
use crate::deals::commission::with_input;
use crate::deals::deal::Stage;
use crate::kernel::ids::{AgreementId, ContactId, MemberId, OrganisationId, ProductId, VerticalId};
use crate::kernel::{Digest, Money};

const FIRST: &[u8] = include_bytes!("../../../../tests/agreements/counted-1.json");
const SECOND: &[u8] = include_bytes!("../../../../tests/agreements/counted-2.json");
const NO_BOUND: u32 = 1_000_000;

fn versions() -> Versions {
    let version = |number, json| {
        let content = VersionContent::parse(json).expect("content");
        GoverningVersion::try_new(AgreementId::new(Uuid::from_u128(0xa)), number, content).expect("a version")
    };
    Versions::holding(vertical(), vec![version(2, SECOND), version(1, FIRST)])
}

/// SplitMix64.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

fn person(n: u64) -> MemberId {
    MemberId::new(Uuid::from_u128(u128::from(n) + 0x100))
}

fn provider() -> OrganisationId {
    OrganisationId::new(Uuid::from_u128(0x9))
}

/// Member 1 stands above 2 and 3.
fn deal(n: u64, draw: &mut Draw) -> Deal {
    let member = 1 + draw.below(4);
    let organisation = OrganisationId::new(Uuid::from_u128(u128::from(draw.below(2)) + 0x10));
    Deal {
        id: DealId::new(Uuid::from_u128(u128::from(n) + 0x1000)),
        provider: provider(),
        introducer: organisation,
        member: person(member),
        upline: matches!(member, 2 | 3).then(|| person(1)),
        frozen: None,
        milestones: Milestones::new(),
        client: ContactId::new(Uuid::nil()),
        product: ProductId::new(Uuid::nil()),
        vertical: VerticalId::new(Uuid::nil()),
        stage: Stage::Referred,
        source: organisation,
        // Some are named by nobody; names do not follow the ids.
        external_ref: draw.chance(80).then(|| format!("R-{:04}", n.wrapping_mul(7919) % 1000)),
        facts: facts(None, None),
        source_sha256: None,
        agreement: None,
        visible_to: Vec::new(),
        transitions: 0,
    }
}

const REFERRED: Date = date(2025, 12, 1);

fn facts(settlement: Option<(Date, i64)>, discharged_on: Option<Date>) -> DealFacts {
    DealFacts {
        referred_on: REFERRED,
        contracted_on: None,
        settlement: settlement.map(|(on, minor)| Settlement::of(on, Money::aud(minor), Money::ZERO)),
        discharged_on,
    }
}

/// What is said of a deal, one saying after the other: settled, corrected, unwound, and some not settled after all. The
/// version is fixed by the first.
fn sayings(deal: &Deal, draw: &mut Draw, versions: &Versions) -> Vec<Deal> {
    let settled = |draw: &mut Draw| {
        let on = date(2026, 1, 1).checked_add(jiff::Span::new().days(draw.below(100) as i64)).expect("a date");
        (on, 100 * (1 + draw.below(900_000) as i64))
    };
    let first = settled(draw);
    let mut all = vec![facts(Some(first), None)];
    if draw.chance(30) {
        all.insert(0, facts(None, None));
    }
    if draw.chance(35) {
        let again = settled(draw);
        all.push(facts(Some(again), None));
        if draw.chance(40) {
            all.push(facts(Some(again), again.0.checked_add(jiff::Span::new().months(3)).ok()));
        }
    }
    if draw.chance(10) {
        all.push(facts(None, None));
    }
    let governed = versions.of(vertical(), None, provider(), &facts(Some(first), None)).expect("a version");
    let said = |facts| Deal { facts, agreement: Some((governed.agreement(), governed.number())), ..deal.clone() };
    all.into_iter().map(said).collect()
}

fn vertical() -> VerticalCode {
    VerticalCode::parse("V02").expect("a code")
}

fn product() -> ProductCode {
    ProductCode::parse("TERM-LOAN").expect("a code")
}

fn order(deal: &Deal) -> Option<DealOrder> {
    let governing_on = deal.facts.settlement?.on;
    let external_ref = deal.external_ref.clone();
    Some(DealOrder { governing_on, source: deal.source.uuid(), external_ref, deal: deal.id.uuid() })
}

/// The digests that [`Replay`] comes to over all deals in their order.
fn in_order(versions: &Versions, deals: &BTreeMap<DealId, Deal>) -> BTreeMap<DealId, Digest> {
    let mut sorted: Vec<&Deal> = deals.values().collect();
    sorted.sort_by_key(|deal| order(deal));
    let (mut replay, mut scratch, product) = (Replay::default(), Scratch::default(), product());
    let digest = |deal: &&Deal| {
        let version = versions.of(vertical(), deal.agreement, deal.provider, &deal.facts).expect("a version");
        let sold = Sold { vertical: vertical(), product: &product };
        let plan = version.plan().expect("a plan");
        let output = with_input(deal, sold, version, None, &[], |input| {
            replay.next(plan, input, &mut scratch).expect("a result");
            scratch.output(plan, input)
        });
        (deal.id, output.digest().expect("a digest"))
    };
    sorted.iter().map(digest).collect()
}

fn amounts(output: &CalculationOutput) -> Amounts {
    let amount = |line: &crate::agreements::evaluate::Line| {
        ((line.component.to_string(), line.role), (line.earned.minor(), line.clawed_back.minor()))
    };
    output.lines.iter().map(amount).collect()
}

/// All sayings in an order of arrival that keeps each deal's own, cut into batches that name a deal once.
fn arrivals(sayings: &[Vec<Deal>], draw: &mut Draw) -> Vec<Vec<Deal>> {
    let mut left: Vec<&[Deal]> = sayings.iter().map(Vec::as_slice).collect();
    let largest = 1 + draw.below(12) as usize;
    let mut batches: Vec<Vec<Deal>> = vec![Vec::new()];
    while left.iter().any(|said| !said.is_empty()) {
        let at = draw.below(left.len() as u64) as usize;
        let [first, rest @ ..] = left[at] else { continue };
        left[at] = rest;
        let full = batches.last().is_none_or(|batch| {
            batch.len() >= largest || batch.iter().any(|deal| deal.id == first.id) || draw.chance(10)
        });
        if full {
            batches.push(Vec::new());
        }
        batches.last_mut().expect("a batch").push(first.clone());
    }
    batches
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_arrival_comes_to_the_same_calculations_and_to_plain_sums(seed: u64) {
        let versions = versions();
        let mut draw = Draw(seed);
        let count = 1 + draw.below(28);
        let all: Vec<Vec<Deal>> = (0..count)
            .map(|n| {
                let deal = deal(n, &mut draw);
                sayings(&deal, &mut draw, &versions)
            })
            .collect();
        let last: BTreeMap<DealId, Deal> =
            all.iter().map(|said| said.last().expect("one")).map(|deal| (deal.id, deal.clone())).collect();
        let wanted = in_order(&versions, &last);
        for _ in 0..2 {
            let mut memory = Memory::default();
            for batch in arrivals(&all, &mut draw) {
                memory.take(&versions, &batch);
            }
            memory.is_chained();
            prop_assert_eq!(memory.digests(), wanted.clone());
            let mut sorted: Vec<&Deal> = last.values().collect();
            sorted.sort_by_key(|deal| order(deal));
            let mut sums = Sums::default();
            for deal in sorted {
                prop_assert_eq!(amounts(&memory.outputs[&deal.id].1), sums.next(deal), "{}", deal.id);
            }
        }
    }
}

fn sealed(versions: &Versions, n: u64, on: Date, minor: i64) -> Deal {
    let settled = facts(Some((on, minor)), None);
    let version = versions.of(vertical(), None, provider(), &settled).expect("a version");
    let mut one = deal(n, &mut Draw(0));
    one.external_ref = Some(format!("R-{n:04}"));
    one.member = person(4);
    one.upline = None;
    (one.facts, one.agreement) = (settled, Some((version.agreement(), version.number())));
    one
}

#[test]
fn only_what_comes_after_is_worked_out_again() {
    let versions = versions();
    let mut memory = Memory::default();
    for n in 0..5 {
        memory.take(&versions, &[sealed(&versions, n, date(2026, 1, 10 + n as i8), 1_000_000)]);
    }
    assert_eq!(memory.recalculated, 0, "in order nothing follows");
    memory.take(&versions, &[sealed(&versions, 9, date(2026, 1, 13), 1_000_000)]);
    assert_eq!(memory.recalculated, 1, "the one of 14 January");
    // Said again, nothing moves.
    memory.take(&versions, &[sealed(&versions, 9, date(2026, 1, 13), 1_000_000)]);
    assert_eq!(memory.recalculated, 1);
}

#[test]
fn what_cannot_be_worked_out_is_refused_by_itself() {
    let versions = versions();
    let mut memory = Memory::default();
    let on = |day| date(2026, 1, day);
    // Canonical JSON carries 2^53: a total beyond it cannot be stored.
    let half = 6_000_000_000_000_000;
    let taken = memory.attempt(&versions, &[sealed(&versions, 1, on(20), half)], NO_BOUND);
    assert_eq!(taken, [None]);
    // Before it, this one would carry the later one's total out of range; its neighbour is taken.
    let batch = [sealed(&versions, 2, on(10), half), sealed(&versions, 3, on(11), 100_000)];
    assert_eq!(memory.attempt(&versions, &batch, NO_BOUND), [Some(Unworkable::OutOfRange), None]);
    assert!(!memory.outputs.contains_key(&batch[0].id));
    memory.is_chained();
}

#[test]
fn a_replay_that_is_too_long_is_refused_by_itself() {
    let versions = versions();
    let mut memory = Memory::default();
    for n in 0..10 {
        memory.take(&versions, &[sealed(&versions, n, date(2026, 1, 10 + n as i8), 1_000_000)]);
    }
    // Five counters each: the early one would be followed by ten, the late one by none.
    let batch =
        [sealed(&versions, 20, date(2026, 1, 30), 1_000_000), sealed(&versions, 21, date(2026, 1, 1), 1_000_000)];
    assert_eq!(memory.attempt(&versions, &batch, 30), [None, Some(Unworkable::ReplayTooLong)]);
    memory.is_chained();
}
