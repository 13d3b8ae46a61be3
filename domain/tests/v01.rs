//! Every figure of the V01 exports, to the cent, against expectations that other code worked out.

#![expect(clippy::expect_used, reason = "a test fails loudly")]

use std::collections::{BTreeMap, BTreeSet};

use domain::agreements::evaluate::evaluate;
use domain::agreements::facts::{CalculationInput, DealFacts, Settlement};
use domain::agreements::model::Role;
use domain::agreements::reference;
use domain::catalogue::{ProductCode, VerticalCode};
use domain::deals::import::ImportReader;
use domain::kernel::Money;
use domain::kernel::ids::{DealId, MemberId};
use serde_json::{Value, json};
use uuid::Uuid;

fn came_to(deals: &[u8], members: &str) -> Value {
    let uplines: BTreeMap<&str, &str> =
        members.trim_start_matches('\u{feff}').lines().skip(1).filter_map(|l| l.trim().split_once(',')).collect();
    let id = |m: &str| MemberId::new(Uuid::from_u128(m[1..].parse().expect("a number")));
    let (mut rows, mut good, mut refused) = (0, BTreeMap::new(), BTreeSet::new());
    for row in ImportReader::new(deals).expect("the header") {
        let row = row.expect("readable");
        rows += 1;
        let reference = row.external_ref.expect("a reference");
        match row.result {
            Ok(d)
                if uplines.contains_key(d.member_ref.as_str())
                    && ["VARIABLE-OO", "FIXED-3Y"].contains(&d.product_code.as_str()) =>
            {
                good.insert(reference, d);
            }
            _ => {
                refused.insert(reference);
            }
        }
    }
    let version = reference::v01().expect("the reference");
    let (mut detail, mut stages, mut people) = (json!({}), BTreeMap::<&str, u32>::new(), BTreeMap::new());
    let (mut net, mut total) = (0, 0);
    for (reference, d) in &good {
        let settlement = d
            .settled_on
            .zip(d.settled_amount)
            .map(|(on, amount)| Settlement::of(on, amount, d.offset_balance.unwrap_or(Money::ZERO)));
        let upline = Some(uplines[d.member_ref.as_str()]).filter(|u| !u.is_empty());
        let above: Vec<_> = upline.map(id).into_iter().collect();
        let product = ProductCode::parse(&d.product_code).expect("a product");
        let facts = DealFacts {
            referred_on: d.referred_on,
            contracted_on: d.contracted_on,
            settlement,
            discharged_on: d.discharged_on,
        };
        let (deal, sold) = (DealId::new(Uuid::from_u128(1)), (VerticalCode::V01, &product));
        let out =
            evaluate(&CalculationInput::new(deal, sold, facts, id(&d.member_ref), &above, &version)).expect("a result");
        let stage = match (settlement, out.reversed, d.contracted_on) {
            (Some(_), true, _) => "reversed",
            (Some(_), false, _) => "settled",
            (None, _, Some(_)) => "contracted",
            (None, _, None) => "referred",
        };
        *stages.entry(stage).or_default() += 1;
        if settlement.is_none() {
            continue;
        }
        let mut deal = json!({"member": 0, "upline": 0, "platform": 0, "clawback": {}, "upfront": out.gross().expect("gross").minor()});
        total += out.gross().expect("gross").minor();
        for line in &out.lines {
            let (earned, back) = (line.earned.minor(), line.clawed_back.minor());
            let (slot, who) = match line.role {
                Role::Member => ("member", d.member_ref.as_str()),
                Role::Upline(_) | Role::Participant(_) => ("upline", upline.expect("an upline")),
                Role::Platform => ("platform", "platform"),
            };
            deal[slot] = json!(earned);
            deal["clawback"][who] = json!(back);
            if who == "platform" {
                net += earned - back;
            } else {
                let sums: &mut (i64, i64) = people.entry(who.to_owned()).or_default();
                *sums = (sums.0 + earned, sums.1 + back);
            }
        }
        detail[reference] = deal;
    }
    let people: BTreeMap<_, _> = people
        .into_iter()
        .map(|(m, (earned, back))| {
            let upline = Some(uplines[m.as_str()]).filter(|u| !u.is_empty());
            (m, json!({"earned": earned, "clawed_back": back, "upline": upline}))
        })
        .collect();
    json!({"deals": good.len(), "deals_detail": detail, "members": people, "platform_net": net, "refused": refused,
        "rows": rows, "stages": stages, "upfront_total": total})
}

#[test]
fn the_example_comes_to_what_it_must() {
    let expected: Value = serde_json::from_str(include_str!("../../data/v01/v01-example-expected.json")).expect("JSON");
    assert_eq!(
        came_to(
            include_bytes!("../../data/v01/v01-example-deals.csv"),
            include_str!("../../data/v01/v01-example-members.csv")
        ),
        expected
    );
}

#[test]
fn all_deals_come_to_what_python_worked_out() {
    let expected: Value = serde_json::from_str(include_str!("../../data/v01/v01-deals-expected.json")).expect("JSON");
    assert_eq!(
        came_to(include_bytes!("../../data/v01/v01-deals.csv"), include_str!("../../data/v01/v01-members.csv")),
        expected
    );
}
