//! What a statement should have told and did not: missing items and trails that stopped silently.
//!
//! A statement is held against what fell due in its time, of those kinds that its provider's mapping says it tells in
//! full: commission by the settlement, trail by its month (as many months back as the mapping says), what was taken
//! back by the discharge. Only items of which nothing ever came are missing; of which some came are short-paid; and of a
//! deal that unwound before the provider paid nothing is, since in sum it owes nothing.

use std::collections::BTreeSet;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::exception::{About, ExceptionKind, Finding};
use super::item::{Item, ItemKey, Side};
use super::mapping::{LineKind, StatementMapping};
use super::statement::ProviderStatement;
use crate::kernel::ids::DealId;

/// What fell due in the time of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// The first day of the first month of trails.
    pub first_month: Date,
    /// The first day of the last month of trails.
    pub last_month: Date,
    /// Whether commission of deals is told in full.
    pub upfront: bool,
    /// Whether trails are.
    pub trail: bool,
    /// Whether what is taken back is.
    pub clawback: bool,
}

/// What a statement tells in full.
#[must_use]
pub fn due(statement: &ProviderStatement, mapping: &StatementMapping) -> Due {
    let months = i64::from(mapping.trail_lag_months).months();
    let back = |on: Date| on.first_of_month().checked_sub(months).unwrap_or(on);
    let covers = |kind| mapping.covers.contains(&kind);
    Due {
        from: statement.period_from,
        to: statement.period_to,
        first_month: back(statement.period_from),
        last_month: back(statement.period_to),
        upfront: covers(LineKind::Upfront),
        trail: covers(LineKind::Trail),
        clawback: covers(LineKind::Clawback),
    }
}

/// What is late: `unpaid` are items that fell due and of which nothing came; `stopped` the deals with trail that was
/// paid before the last month, not for it, and that are open.
#[must_use]
pub fn late(due: &Due, unpaid: &[Item], stopped: &[DealId]) -> Vec<Finding> {
    let stopped: BTreeSet<DealId> = stopped.iter().copied().collect();
    let last = |deal| ItemKey { deal, period: Some(due.last_month), side: Side::Earned };
    let finding = |item: &Item| Finding {
        kind: if stopped.contains(&item.key.deal) && item.key == last(item.key.deal) {
            ExceptionKind::SilentlyStoppedTrail
        } else {
            ExceptionKind::Missing
        },
        about: About::Item(item.key),
        expected_minor: item.expected_minor - item.written_off_minor,
        received_minor: item.received_minor,
    };
    let told: BTreeSet<ItemKey> = unpaid.iter().map(|item| item.key).collect();
    let unknown = stopped.iter().map(|deal| last(*deal)).filter(|key| !told.contains(key)).map(|key| Finding {
        kind: ExceptionKind::SilentlyStoppedTrail,
        about: About::Item(key),
        expected_minor: 0,
        received_minor: 0,
    });
    unpaid.iter().map(finding).chain(unknown).collect()
}
