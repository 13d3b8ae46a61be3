//! What others have published, held against the engine: step rates of Oracle's incentive compensation, clawback of
//! Macquarie Bank and ANZ, the caps of life insurance. Each table names its source; the figures are theirs.

#![expect(clippy::expect_used, reason = "a test fails loudly")]

use domain::agreements::evaluate::{CalculationOutput, evaluate};
use domain::agreements::facts::{CalculationInput, DealFacts, Measures, Period, Settlement};
use domain::agreements::reference::{self, Shipped};
use domain::agreements::{GoverningVersion, VersionContent};
use domain::catalogue::{ProductCode, VerticalCode};
use domain::kernel::Money;
use domain::kernel::ids::{AgreementId, DealId, MemberId};
use jiff::ToSpan;
use jiff::civil::{Date, date};
use serde_json::{Value, json};
use uuid::Uuid;

/// One component on the settled amount that is nobody's but the member's, so that nothing is split.
fn agreement(rate: &Value, clawback: Option<Value>) -> GoverningVersion {
    let mut component = json!({
        "key": "earnings", "name": "Earnings", "trigger": {"kind": "deal_event", "event": "settled"},
        "predicate": {"op": "all", "of": []}, "rate": rate, "split": [{"role": "member", "share": "1"}],
        "hold": {"days": 0, "funding_rule": "on_expiry"}, "combine": {"group": "earnings", "mode": "sum"},
    });
    if let Some(clawback) = clawback {
        component["clawback"] = clawback;
    }
    let content = json!({
        "vertical": "V02", "governing_date": "settled", "effective_from": "2015-01-01", "components": [component],
    });
    let content = VersionContent::parse(content.to_string().as_bytes()).expect("content");
    GoverningVersion::try_new(AgreementId::new(Uuid::from_u128(7)), 1, content).expect("a version")
}

/// Tiers as (from in dollars, percent of the amount).
fn tiered(mode: &str, tiers: &[(i64, i64)]) -> GoverningVersion {
    let tier = |(from, percent): &(i64, i64)| {
        json!({
            "from": {"type": "money", "value": {"amount": from * 100, "currency": "AUD"}},
            "pays": {"kind": "percent", "rate": format!("0.{percent:02}")},
        })
    };
    let tiers: Vec<Value> = tiers.iter().map(tier).collect();
    let rate = json!({"kind": "tiered", "of": "settled_amount", "mode": mode, "by": {"kind": "deal"}, "tiers": tiers});
    agreement(&rate, None)
}

fn worked_out(version: &GoverningVersion, settlement: Settlement, discharged_on: Option<Date>) -> CalculationOutput {
    let product = ProductCode::parse("ANY").expect("a code");
    let facts = DealFacts {
        referred_on: settlement.on,
        contracted_on: Some(settlement.on),
        settlement: Some(settlement),
        discharged_on,
    };
    let sold = (version.content().vertical, &product);
    let member = MemberId::new(Uuid::from_u128(1));
    let deal = DealId::new(Uuid::from_u128(2));
    evaluate(&CalculationInput::new(deal, sold, facts, member, &[], version)).expect("a result")
}

/// What an amount in dollars earns, in cents.
fn earned(version: &GoverningVersion, dollars: i64) -> i64 {
    let settlement = Settlement::of(date(2015, 1, 1), Money::aud(dollars * 100), Money::ZERO);
    worked_out(version, settlement, None).gross().expect("a sum").minor()
}

/// Oracle Fusion Cloud Sales, "Examples of Calculating Earnings Using Step Rates", transactions processed
/// individually: <https://docs.oracle.com/en/cloud/saas/sales/facmi/examples-of-calculating-earnings-using-step-rates.html>
#[test]
fn step_rates_of_oracle_are_marginal_tiers() {
    let version = tiered("marginal", &[(0, 1), (1_000, 2), (3_000, 3), (8_000, 5)]);
    let transactions = [(200, 2), (300, 3), (1_500, 20), (1_200, 14), (2_000, 30), (4_500, 95)];
    for (amount, commission) in transactions {
        assert_eq!(earned(&version, amount), commission * 100, "{amount}");
    }
    assert_eq!(transactions.iter().map(|(amount, _)| earned(&version, *amount)).sum::<i64>(), 164 * 100);
}

/// Oracle Fusion Cloud Sales, "Options for Splitting Attainment Numbers Across Rate Tiers", one table not split and
/// split: <https://docs.oracle.com/en/cloud/saas/sales/facmi/options-for-splitting-attainment-numbers-across-rate-tiers.html>
#[test]
fn a_rate_of_oracle_that_is_not_split_pays_the_whole_at_the_highest_tier() {
    let tiers = [(0, 1), (10_000, 2), (50_000, 3), (100_000, 4)];
    let (whole, marginal) = (tiered("whole", &tiers), tiered("marginal", &tiers));
    for (amount, percent) in [(5_000, 1), (15_000, 2), (60_000, 3)] {
        assert_eq!(earned(&whole, amount), amount * percent, "{amount}");
    }
    // 1 % of the first 10,000, 2 % of the next 40,000, 3 % of what remains.
    for (amount, bands) in [(5_000, 5_000), (15_000, 10_000 + 2 * 5_000), (60_000, 10_000 + 2 * 40_000 + 3 * 10_000)] {
        assert_eq!(earned(&marginal, amount), bands, "{amount}");
    }
}

/// Oracle Fusion Cloud Sales, "Equal Tier Values": what matches the end of one tier and the beginning of the next is
/// paid at the higher: <https://docs.oracle.com/en/cloud/saas/sales/facmi/equal-tier-values.html>
#[test]
fn a_value_on_the_edge_belongs_to_the_higher_tier() {
    let version = tiered("whole", &[(0, 1), (25_000, 2), (50_000, 3), (75_000, 4)]);
    assert_eq!(earned(&version, 50_000), 50_000 * 3);
}

/// Oracle Fusion Cloud, readiness 24B, "Report Split Rates in Calculation", example a: 2,500 spans two tiers and has a
/// blended rate of 1.6 %: <https://docs.oracle.com/en/cloud/saas/readiness/sales/24b/salm-24b/24B-spm-wn-f31649.htm>
#[test]
fn the_blended_rate_of_oracle_comes_to_the_same() {
    let version = tiered("marginal", &[(0, 1), (1_000, 2), (5_000, 3), (10_000, 0)]);
    assert_eq!(earned(&version, 2_500) * 1_000, 2_500 * 100 * 16);
}

/// What is taken back in percent of what was earned, by whole months and further days after settlement.
fn taken_back(version: &GoverningVersion, ages: &[(i64, i64, i64)]) {
    let settled_on = date(2025, 3, 14);
    for (months, days, percent) in ages {
        let discharged_on = settled_on.checked_add(months.months().days(*days)).expect("a date");
        let settlement = Settlement::of(settled_on, Money::aud(50_000_000), Money::ZERO);
        let output = worked_out(version, settlement, Some(discharged_on));
        let (earned, back) = output
            .lines
            .iter()
            .fold((0, 0), |(earned, back), line| (earned + line.earned.minor(), back + line.clawed_back.minor()));
        assert!(earned > 0);
        assert_eq!(back * 100, earned * percent, "{months} months and {days} days");
    }
}

/// Macquarie Bank, help for brokers, "Broker commission payments": 100 % when discharged prior to 12 months after
/// settlement, 50 % after 12 but prior to 18; upfront is paid on the facility less the offset, 500,000 less 250,000
/// being 250,000:
/// <https://www.macquarie.com.au/help/brokers/broker-relationship-support/broker-with-macquarie/broker-commission-payments.html>
#[test]
fn v01_takes_back_and_nets_the_offset_as_macquarie_does() {
    let versions: Vec<GoverningVersion> = reference::all()
        .expect("the reference")
        .into_iter()
        .map(|shipped| shipped.version)
        .filter(|version| version.content().vertical == VerticalCode::V01)
        .collect();
    assert_eq!(versions.len(), 2);
    for version in versions {
        let ages = [(0, 0, 100), (11, 27, 100), (12, 0, 50), (17, 27, 50), (18, 0, 0), (30, 0, 0)];
        taken_back(&version, &ages);
        let settlement = Settlement::of(date(2025, 3, 14), Money::aud(50_000_000), Money::aud(25_000_000));
        let output = worked_out(&version, settlement, None);
        assert_eq!(output.gross().expect("a sum").minor() * 10_000, 25_000_000 * 65);
    }
}

/// The Adviser, "NAB changes clawback policy" (2024), the schedules of the major banks; ANZ: 100 % to 12 months, 50 % to
/// 15, 25 % to 18, then nothing: <https://www.theadviser.com.au/lender/46123-major-bank-changes-clawback-policy>
#[test]
fn a_schedule_of_four_steps_takes_back_as_anz_does() {
    let steps: Vec<Value> = [(12, "1"), (15, "0.5"), (18, "0.25")]
        .iter()
        .map(|(months, fraction)| json!({"before_months": months, "fraction": fraction}))
        .collect();
    let rate = json!({"kind": "percent", "of": "net_balance", "rate": "0.0065"});
    let version = agreement(&rate, Some(json!({"kind": "step", "steps": steps})));
    taken_back(&version, &[(11, 27, 100), (12, 0, 50), (14, 27, 50), (15, 0, 25), (17, 27, 25), (18, 0, 0)]);
}

/// ASIC Corporations (Life Insurance Commissions) Instrument 2017/510: at most 60 % of the first year's premium, 20 % of
/// each later one; 100 % is taken back in the first year, 60 % in the second.
#[test]
fn life_insurance_pays_and_takes_back_what_the_instrument_allows() {
    let life = |shipped: &Shipped| shipped.version.content().vertical.number() == 5;
    let version = reference::all().expect("the reference").into_iter().find(life).expect("V05").version;
    let measures = Measures { premium: Some(Money::aud(100_000)), ..Measures::NONE };
    let settlement = Settlement { measures, ..Settlement::of(date(2025, 3, 14), Money::ZERO, Money::ZERO) };
    for (discharged_on, back) in [
        (date(2025, 3, 14), 60_000),
        (date(2026, 3, 13), 60_000),
        (date(2026, 3, 14), 36_000),
        (date(2027, 3, 13), 36_000),
        (date(2027, 3, 14), 0),
    ] {
        let output = worked_out(&version, settlement, Some(discharged_on));
        assert_eq!(output.gross().expect("a sum"), Money::aud(60_000));
        let taken: i64 = output.lines.iter().map(|line| line.clawed_back.minor()).sum();
        assert_eq!(taken, back, "{discharged_on}");
    }
    let product = ProductCode::parse("TERM-LIFE").expect("a code");
    let facts = DealFacts {
        referred_on: settlement.on,
        contracted_on: None,
        settlement: Some(settlement),
        discharged_on: None,
    };
    let sold = (version.content().vertical, &product);
    let (deal, member) = (DealId::new(Uuid::from_u128(2)), MemberId::new(Uuid::from_u128(1)));
    let input = CalculationInput {
        period: Some(Period { month: date(2026, 3, 1), balance: Money::aud(100_000) }),
        ..CalculationInput::new(deal, sold, facts, member, &[], &version)
    };
    assert_eq!(evaluate(&input).expect("a result").gross().expect("a sum"), Money::aud(20_000));
}
