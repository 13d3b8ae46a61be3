//! Properties of matching, over random items and lines; the examples are the words of the domain document.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::kernel::ids::{BankAccountId, ProviderStatementId, ProviderStatementLineId};
use crate::provider_statements::statement::StatementLine;

fn day(text: &str) -> Date {
    text.parse().expect("a date")
}

fn deal(n: u128) -> DealId {
    DealId::new(Uuid::from_u128(n))
}

fn item(n: u128, period: Option<&str>, expected_minor: i64) -> (ItemKey, Item) {
    let side = if expected_minor < 0 { Side::ClawedBack } else { Side::Earned };
    let key = ItemKey { deal: deal(n), period: period.map(day), side };
    let due_on = Some(key.period.map_or(day("2026-08-05"), Date::last_of_month));
    (key, Item { key, expected_minor, received_minor: 0, written_off_minor: 0, due_on })
}

fn line(n: u128, of: Option<u128>, amount_minor: i64, gst_minor: i64) -> ToMatch {
    let line = StatementLine {
        id: ProviderStatementLineId::new(Uuid::from_u128(1_000 + n)),
        line: 1,
        reference: of.map(|of| of.to_string()).unwrap_or_default(),
        kind: if amount_minor < 0 { LineKind::Clawback } else { LineKind::Upfront },
        on: day("2026-08-20"),
        month: day("2026-08-01"),
        amount_minor,
        gst_minor,
        product: None,
    };
    let line = OpenLine {
        line,
        statement: ProviderStatementId::new(Uuid::from_u128(1)),
        paid_on: day("2026-08-31"),
        bank_account: BankAccountId::new(Uuid::from_u128(2)),
        steps: 0,
        window_days: 45,
    };
    ToMatch { line, deals: of.map(deal).into_iter().collect() }
}

fn results(lines: &[ToMatch], items: &[(ItemKey, Item)]) -> Vec<(LineResult, i64, i64)> {
    let mut items = items.iter().copied().collect();
    let matched = match_lines(lines, &mut items, true);
    matched.iter().map(|m| (m.result, m.step.applied_minor, m.step.unapplied_minor)).collect()
}

#[test]
fn the_five_words_of_a_line() {
    use LineResult::{Matched, Nothing, OverPaid, ShortPaid, Unexpected};
    let items = [item(1, None, 1_000), item(2, None, 1_000), item(3, None, 1_000), item(4, None, -600)];
    let lines = [
        line(1, Some(1), 1_000, 0),
        line(2, Some(2), 970, 0),
        line(3, Some(3), 1_030, 0),
        line(4, Some(1), 1_000, 0),
        line(5, Some(9), 55, 0),
        line(6, Some(4), -600, 0),
        line(7, Some(1), 0, 0),
    ];
    let wanted = [
        (Matched, 1_000, 0),
        (ShortPaid, 970, 0),
        (OverPaid, 1_000, 30),
        (Unexpected, 0, 1_000),
        (Unexpected, 0, 55),
        (Matched, -600, 0),
        (Nothing, 0, 0),
    ];
    assert_eq!(results(&lines, &items), wanted);
}

#[test]
fn a_trail_is_of_its_month_and_what_is_negative_is_never_netted() {
    let items = [item(1, Some("2026-08-01"), 50), item(1, Some("2026-07-01"), 50), item(1, None, 400)];
    let mut trail = line(1, Some(1), 50, 0);
    trail.line.line.kind = LineKind::Trail;
    let mut open: BTreeMap<_, _> = items.iter().copied().collect();
    let matched = match_lines(&[trail.clone(), trail], &mut open, true);
    assert_eq!(matched[0].step.item.and_then(|key| key.period), Some(day("2026-08-01")));
    assert_eq!(matched[1].result, LineResult::Unexpected);
    // The provider takes something back that we know nothing of: 400 stay owed.
    assert_eq!(results(&[line(2, Some(1), -50, 0)], &items), [(LineResult::Unexpected, 0, -50)]);
}

#[test]
fn without_a_reference_only_the_one_item_of_that_amount_and_time_is_taken() {
    let items = [item(1, None, 1_000), item(2, None, 2_000), item(3, None, 2_000)];
    let lines = [line(1, None, 1_000, 0), line(2, None, 2_000, 0)];
    assert_eq!(results(&lines, &items), [(LineResult::Matched, 1_000, 0), (LineResult::Unexpected, 0, 2_000)]);
    let mut late = line(3, None, 1_000, 0);
    late.line.line.on = day("2026-12-01");
    assert_eq!(results(&[late], &items)[0].0, LineResult::Unexpected);
}

#[test]
fn one_reference_of_two_deals_is_told_apart_by_an_exact_amount_only() {
    let items = [item(1, None, 1_000), item(2, None, 2_000)];
    let both = |amount| ToMatch { deals: vec![deal(1), deal(2)], ..line(1, Some(1), amount, 0) };
    assert_eq!(results(&[both(2_000)], &items), [(LineResult::Matched, 2_000, 0)]);
    assert_eq!(results(&[both(900)], &items), [(LineResult::Unexpected, 0, 900)]);
    let same = [item(1, None, 1_000), item(2, None, 1_000)];
    assert_eq!(results(&[both(1_000)], &same), [(LineResult::Unexpected, 0, 1_000)]);
}

#[test]
fn an_odd_cent_of_gst_is_a_rounding_difference_and_one_without_gst_is_short() {
    let items: BTreeMap<_, _> = [item(1, None, 1_000), item(2, None, 1_000)].into_iter().collect();
    let matched = match_lines(&[line(1, Some(1), 999, 101), line(2, Some(2), 999, 0)], &mut items.clone(), true);
    let odd = matched[0].step;
    assert_eq!(
        (matched[0].result, odd.applied_minor, odd.gst_minor, odd.rounding_minor),
        (LineResult::Matched, 1_000, 101, -1)
    );
    assert_eq!((odd.cash_minor(), matched[1].result), (1_100, LineResult::ShortPaid));
}

proptest! {
    #[test]
    fn an_item_takes_what_is_open_or_less_and_no_cent_is_lost_in_any_order(
        expected in proptest::collection::vec(-5_000_i64..5_000, 1..8),
        paid in proptest::collection::vec((0_usize..10, -5_000_i64..5_000, 0_i64..3), 0..20),
        turn in 0_usize..20,
    ) {
        let items: BTreeMap<_, _> =
            expected.iter().zip(1_u128..).filter(|(e, _)| **e != 0).map(|(e, n)| item(n, None, *e)).collect();
        let mut lines: Vec<ToMatch> = paid.iter().zip(1_u128..)
            .map(|((of, amount, gst), n)| line(n, Some(*of as u128), *amount, amount * gst / 20)).collect();
        let run = |lines: &[ToMatch]| {
            let mut items = items.clone();
            let matched = match_lines(lines, &mut items, true);
            (matched, items)
        };
        let (matched, after) = run(&lines);
        for (found, m) in lines.iter().zip(&matched) {
            prop_assert_eq!(m.step.cash_minor(), found.line.line.total_minor());
        }
        for (key, item) in &after {
            let open = items[key].open_minor();
            prop_assert!(item.open_minor().signum() * open.signum() >= 0, "more was taken than is open");
            let offered: i64 = lines.iter()
                .filter(|l| l.deals.contains(&key.deal) && l.line.line.amount_minor.signum() == open.signum())
                .map(|l| l.line.line.amount_minor).sum();
            let with_gst = lines.iter().any(|l| l.line.line.gst_minor != 0);
            if !with_gst {
                prop_assert_eq!(item.received_minor.abs(), offered.abs().min(open.abs()));
            }
        }
        if lines.iter().all(|l| l.line.line.gst_minor == 0) && !lines.is_empty() {
            let n = turn % lines.len();
            lines.rotate_left(n);
            let (_, turned) = run(&lines);
            prop_assert_eq!(turned, after);
        }
    }

    #[test]
    fn parts_are_rounded_half_away_from_zero(whole in -1_000_i64..1_000, of in 1_i64..500, more in 0_i64..500) {
        let all = of + more;
        prop_assert!((2 * part(whole, of, all) * all - 2 * whole * of).abs() <= all);
        prop_assert_eq!(part(-whole, -of, -all), -part(whole, of, all));
    }
}
