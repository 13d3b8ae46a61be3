//! The engines under properties that hold for every deal, and the trace of one deal, word for word.

#![expect(clippy::expect_used, reason = "a test fails loudly")]

use domain::agreements::evaluate::{CalculationOutput, TraceStep, by_engine, evaluate, trace, trace_by_engine};
use domain::agreements::facts::{CalculationInput, DealFacts, Settlement};
use domain::agreements::model::Role;
use domain::agreements::reference::v01;
use domain::agreements::{GoverningVersion, VersionContent};
use domain::catalogue::{ProductCode, VerticalCode};
use domain::kernel::Money;
use domain::kernel::ids::{DealId, MemberId};
use jiff::civil::{Date, date};
use proptest::prelude::*;
use uuid::Uuid;

fn member(n: u128) -> MemberId {
    MemberId::new(Uuid::from_u128(n))
}

struct Case {
    version: GoverningVersion,
    product: ProductCode,
    uplines: Vec<MemberId>,
    facts: DealFacts,
}

impl Case {
    fn settled(amount_minor: i64, offset_minor: i64, upline: bool, discharged_on: Option<Date>) -> Self {
        let settlement = Settlement::of(date(2024, 9, 8), Money::aud(amount_minor), Money::aud(offset_minor));
        Self {
            version: v01().expect("the reference"),
            product: ProductCode::parse("FIXED-3Y").expect("a code"),
            uplines: if upline { vec![member(2)] } else { Vec::new() },
            facts: DealFacts {
                referred_on: date(2024, 7, 21),
                contracted_on: Some(date(2024, 8, 19)),
                settlement: Some(settlement),
                discharged_on,
            },
        }
    }

    fn input(&self) -> CalculationInput<'_> {
        let sold = (VerticalCode::V01, &self.product);
        CalculationInput::new(
            DealId::new(Uuid::from_u128(9)),
            sold,
            self.facts,
            member(1),
            &self.uplines,
            &self.version,
        )
    }
}

proptest! {
    #[test]
    fn no_cent_is_lost_no_cap_is_passed_and_a_full_clawback_is_the_mirror(
        amount in 0_i64..1_000_000_000_000, offset_share in 0_i64..100, upline: bool, months in 0_i64..30,
    ) {
        let offset = amount / 100 * offset_share;
        let discharged_on = date(2024, 9, 8).checked_add(jiff::Span::new().months(months)).expect("a date");
        let case = Case::settled(amount, offset, upline, Some(discharged_on));
        let output = evaluate(&case.input()).expect("a result");
        prop_assert_eq!(&output, &trace(&case.input()).expect("a trace").0);
        prop_assert!(output.lines.len() <= 3);
        let whole: i64 = output.lines.iter().map(|l| l.earned.minor()).sum();
        // Twice the error of 0.65 % is at most one cent.
        let error = i128::from(whole) * 10_000 - i128::from(amount - offset) * 65;
        prop_assert!((2 * error).abs() <= 10_000);
        for line in &output.lines {
            prop_assert!(line.role != Role::Member || line.earned.minor() <= 600_000);
            prop_assert!(line.earned.minor() > 0);
            let (earned, back) = (line.earned.minor(), line.clawed_back.minor());
            let wanted = if months < 12 { earned } else if months < 18 { earned / 2 + earned % 2 } else { 0 };
            prop_assert_eq!(back, wanted);
        }
        prop_assert_eq!(evaluate(&case.input()).expect("a result").digest(), output.digest());
        // The older engine comes to the same, but for its own number.
        let older = by_engine(1, &case.input()).expect("a result");
        prop_assert_eq!(&older, &CalculationOutput { engine: 1, ..output });
    }
}

#[test]
fn the_trace_of_engine_2_tells_every_step_and_value() {
    // LN-81-000013 of the example export.
    let case = Case::settled(174_992_648, 0, true, Some(date(2025, 8, 5)));
    assert_eq!(
        told(&trace(&case.input()).expect("a trace").1),
        [
            "trigger: happened on 2024-09-08",
            "base: net_balance = 1749926.48 AUD less offset 0.00 AUD gives 1749926.48 AUD",
            "rate: 0.0065 × 1749926.48 AUD = 11374.52 AUD, rounded once, half away from zero",
            "split: member 60 % = 6824.71 AUD, by largest remainder",
            "split: upline_1 10 % = 1137.45 AUD, by largest remainder",
            "split: platform 30 % = 3412.36 AUD, by largest remainder",
            "cap: member: at most 6000.00 AUD for the deal: 6824.71 AUD becomes 6000.00 AUD",
            "excess: 824.71 AUD goes from member to platform",
            "hold: 10 days: may be paid from 2024-09-18",
            "clawback: 12 months not reached: discharged on 2025-08-05, before 2025-09-08 (10 months since settlement), so 100 % is taken back",
            "clawback: member: 6000.00 AUD of 6000.00 AUD",
            "clawback: upline_1: 1137.45 AUD of 1137.45 AUD",
            "clawback: platform: 4237.07 AUD of 4237.07 AUD",
        ]
    );
}

fn told(steps: &[TraceStep]) -> Vec<String> {
    steps.iter().map(|s| format!("{}: {}", s.step, s.detail)).collect()
}

#[test]
fn the_trace_of_engine_1_stays_as_it_was() {
    // LN-81-000013 of the example export.
    let case = Case::settled(174_992_648, 0, true, Some(date(2025, 8, 5)));
    assert_eq!(
        told(&trace_by_engine(1, &case.input()).expect("a trace").1),
        [
            "trigger: happened on 2024-09-08",
            "base: net_balance = 1749926.48 AUD less offset 0.00 AUD gives 1749926.48 AUD",
            "rate: 0.0065 × 1749926.48 AUD = 11374.52 AUD, rounded once, half away from zero",
            "split: member 60 % = 6824.71 AUD, by largest remainder",
            "split: upline_1 10 % = 1137.45 AUD, by largest remainder",
            "split: platform 30 % = 3412.36 AUD, by largest remainder",
            "cap: member is capped at 6000.00 AUD",
            "cap: 824.71 AUD above it goes to platform",
            "hold: 10 days: may be paid from 2024-09-18",
            "clawback: 12 months not reached: discharged on 2025-08-05, before 2025-09-08, so 100 % is taken back",
            "clawback: member: 6000.00 AUD of 6000.00 AUD",
            "clawback: upline_1: 1137.45 AUD of 1137.45 AUD",
            "clawback: platform: 4237.07 AUD of 4237.07 AUD",
        ]
    );
}

#[test]
fn what_engine_1_does_not_know_is_refused_and_never_guessed() {
    let case = Case::settled(100_000, 0, true, None);
    let json = String::from_utf8(case.version.content().canonical_bytes().expect("canonical")).expect("UTF-8");
    for (from, to) in [
        ("\"share\":\"0.6\"", "\"share\":\"0.5\""),
        ("\"excess_to\":\"platform\",", ""),
        ("\"mode\":\"sum\"", "\"mode\":\"best\""),
        ("\"funding_rule\":\"on_expiry\"", "\"funding_rule\":\"on_receipt\""),
    ] {
        assert!(json.contains(from), "{from}");
        let content = VersionContent::parse(json.replacen(from, to, 1).as_bytes()).expect("content");
        let version = GoverningVersion::try_new(case.version.agreement(), 1, content).expect("a version");
        let input = CalculationInput { version: &version, ..case.input() };
        assert!(by_engine(1, &input).is_err(), "{to}");
    }
}
