//! Matching: which line takes from which open item, and how much. A pure function of lines and items.
//!
//! 1. By reference: the deal that the line names; upfront takes from the deal itself, a trail from its month, what is
//!    taken back from what the ledger takes back (an exact amount first, then the deal itself, then the oldest month).
//! 2. By amount and date, for lines whose reference names no deal: the one item with exactly that open amount that fell
//!    due within the window around the line's date. Two such items: neither.
//!
//! Invariants: a line takes from one item at a time and never more than is open; signs never mix, so nothing is netted;
//! what is taken, with GST and odd cent, and what is left are the line's whole amount. In whatever order lines with
//! references come, what an item took in all is the same: what is open, or less when less came.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::item::{Item, ItemKey, Side};
use super::mapping::LineKind;
use super::statement::{LineResult, LineStep, OpenLine};
use crate::kernel::ids::DealId;

/// A line and the deals that its reference names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToMatch {
    /// The line, with what of it is left.
    pub line: OpenLine,
    /// The deals of its provider that are called so.
    pub deals: Vec<DealId>,
}

/// What a line came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Matched {
    /// What is to be posted.
    pub step: LineStep,
    /// The result.
    pub result: LineResult,
    /// What was open of the item before; 0 without one.
    pub open_minor: i64,
}

/// Matches lines in their order; `items` then hold what is open after it. Lines whose reference names no deal are
/// matched by amount and date when `by_amount` is set, after all others.
pub fn match_lines(lines: &[ToMatch], items: &mut BTreeMap<ItemKey, Item>, by_amount: bool) -> Vec<Matched> {
    let (named, unnamed): (Vec<_>, Vec<_>) = lines.iter().partition(|found| !found.deals.is_empty());
    let mut matched = Vec::with_capacity(lines.len());
    for found in named {
        let key = referenced(found, items);
        matched.push(taken(&found.line, key, items));
    }
    for found in unnamed {
        let key = if by_amount { by_amount_and_date(&found.line, items) } else { None };
        matched.push(taken(&found.line, key, items));
    }
    matched
}

/// Whether an item has something open that a line of this sign can take.
fn fits(item: &Item, amount_minor: i64) -> bool {
    item.open_minor().signum() == amount_minor.signum() && amount_minor != 0
}

/// The item that a line with a reference takes from.
fn referenced(found: &ToMatch, items: &BTreeMap<ItemKey, Item>) -> Option<ItemKey> {
    let line = &found.line.line;
    let of_kind = |key: &ItemKey| match line.kind {
        LineKind::Upfront => key.side == Side::Earned && key.period.is_none(),
        LineKind::Trail => key.side == Side::Earned && key.period == Some(line.month),
        LineKind::Clawback => true,
    };
    let mut open: Vec<&Item> = found
        .deals
        .iter()
        .flat_map(|deal| of_deal(items, *deal))
        .filter(|item| of_kind(&item.key) && fits(item, line.amount_minor))
        .collect();
    // Exact first, then what was taken back before what was earned too much, then by deal and month.
    let rank =
        |item: &Item| (item.open_minor() != line.amount_minor, item.key.side != Side::ClawedBack, item.key.period);
    open.sort_by_key(|item| (rank(item), item.key.deal));
    let (first, rest) = open.split_first()?;
    // One reference of two introducers: only an exact amount tells which deal is meant.
    let exact = first.open_minor() == line.amount_minor;
    let other = rest.iter().any(|item| item.key.deal != first.key.deal && (!exact || rank(item) == rank(first)));
    (!other).then_some(first.key)
}

fn of_deal(items: &BTreeMap<ItemKey, Item>, deal: DealId) -> impl Iterator<Item = &Item> {
    let first = ItemKey { deal, period: None, side: Side::Earned };
    items.range(first..).take_while(move |(key, _)| key.deal == deal).map(|(_, item)| item)
}

/// The one item of exactly this amount around this date.
fn by_amount_and_date(line: &OpenLine, items: &BTreeMap<ItemKey, Item>) -> Option<ItemKey> {
    let of_kind = |key: &ItemKey| match line.line.kind {
        LineKind::Upfront => key.period.is_none(),
        LineKind::Trail => key.period == Some(line.line.month),
        LineKind::Clawback => true,
    };
    let near = |due: Date| days_between(due, line.line.on) <= i64::from(line.window_days);
    let mut found = items.values().filter(|item| {
        item.open_minor() == line.line.amount_minor
            && fits(item, line.line.amount_minor)
            && of_kind(&item.key)
            && item.due_on.is_some_and(near)
    });
    match (found.next(), found.next()) {
        (Some(item), None) => Some(item.key),
        _ => None,
    }
}

fn days_between(one: Date, other: Date) -> i64 {
    one.since(other).map_or(i64::MAX, |span| i64::from(span.get_days()).abs())
}

/// What a line takes from an item, and what is left of it.
fn taken(line: &OpenLine, key: Option<ItemKey>, items: &mut BTreeMap<ItemKey, Item>) -> Matched {
    let said = &line.line;
    let moving_on = line.steps > 0;
    let Some(item) = key.and_then(|key| items.get_mut(&key)) else {
        let result = if said.total_minor() == 0 { LineResult::Nothing } else { LineResult::Unexpected };
        let unapplied_minor = if moving_on { 0 } else { said.total_minor() };
        let step = step(line, None, (0, 0, 0), unapplied_minor);
        return Matched { step, result, open_minor: 0 };
    };
    let open_minor = item.open_minor();
    let (paid, open) = (said.amount_minor, open_minor);
    let odd_cent = said.gst_minor != 0 && (paid - open).abs() == 1;
    let ((applied, gst, rounding), result) = if paid == open || odd_cent {
        ((open, said.gst_minor, paid - open), LineResult::Matched)
    } else if paid.abs() < open.abs() {
        ((paid, said.gst_minor, 0), LineResult::ShortPaid)
    } else {
        ((open, part(said.gst_minor, open, paid), 0), LineResult::OverPaid)
    };
    item.received_minor += applied;
    let taken = applied + gst + rounding;
    let unapplied_minor = if moving_on { -taken } else { said.total_minor() - taken };
    Matched { step: step(line, Some(item.key), (applied, gst, rounding), unapplied_minor), result, open_minor }
}

fn step(line: &OpenLine, item: Option<ItemKey>, parts: (i64, i64, i64), unapplied_minor: i64) -> LineStep {
    let (applied_minor, gst_minor, rounding_minor) = parts;
    LineStep { line: line.line.id, n: line.steps, item, applied_minor, gst_minor, rounding_minor, unapplied_minor }
}

/// `whole × of ÷ all`, half away from zero.
fn part(whole: i64, of: i64, all: i64) -> i64 {
    let (product, all) = (i128::from(whole) * i128::from(of), i128::from(all));
    let doubled = 2 * product.abs() + all.abs();
    let rounded = doubled / (2 * all.abs());
    let sign = product.signum() * all.signum();
    i64::try_from(sign * rounded).unwrap_or(whole)
}

#[cfg(test)]
#[path = "matching_tests.rs"]
mod tests;
