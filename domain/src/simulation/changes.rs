//! The deals that a candidate changes: those that change most are kept, so that each can be explained.
//!
//! Kept are ids, sums and where running totals stood; the lines and their traces are worked out again when somebody
//! asks. Bound: so many deals as are asked for, at most [`MOST_CHANGES`].

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::scenario::MOST_SCENARIOS;
use crate::agreements::facts::Counter;
use crate::kernel::ids::DealId;

/// The most changed deals that are kept.
pub const MOST_CHANGES: usize = 10_000;

/// A deal of which a candidate changes a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedDeal {
    /// The deal.
    pub deal: DealId,
    /// Which of its occurrences, from 0: a shock of volume has a deal occur several times.
    pub occurrence: u32,
    /// What stays of it for participants in each scenario.
    pub net_minor: Vec<i64>,
    /// Lines that are others, by candidate.
    pub changed_lines: Vec<u64>,
    /// Where running totals stood before it, by scenario.
    pub counters: Vec<Vec<Counter>>,
}

/// By how much it changes, then by what chance knows it by and its id: no two are the same.
type Rank = (u64, Reverse<(u64, DealId, u32)>);

/// Keeps those that change most.
#[derive(Debug)]
pub(super) struct KeptChanges {
    most: usize,
    kept: BTreeMap<Rank, ChangedDeal>,
}

impl KeptChanges {
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.min(MOST_CHANGES), kept: BTreeMap::new() }
    }

    /// Keeps a deal if it changes more than those that are kept, or there is room.
    pub(super) fn take(
        &mut self,
        (name, deal, occurrence): (u64, DealId, u32),
        net_minor: &[i64; MOST_SCENARIOS],
        make: impl FnOnce() -> ChangedDeal,
    ) {
        let by = net_minor.iter().map(|net| net.abs_diff(net_minor[0])).max().unwrap_or_default();
        let rank = (by, Reverse((name, deal, occurrence)));
        if self.kept.len() >= self.most {
            if self.kept.first_key_value().is_none_or(|(least, _)| *least >= rank) {
                return;
            }
            self.kept.pop_first();
        }
        self.kept.insert(rank, make());
    }

    /// The one that changes most first.
    pub(super) fn into_ranked(self) -> Vec<ChangedDeal> {
        self.kept.into_values().rev().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn the_largest_are_kept_whatever_the_order() {
        let take = |order: &[u128]| {
            let mut kept = KeptChanges::new(3);
            for n in order {
                let deal = DealId::new(Uuid::from_u128(*n));
                let difference = i64::try_from(n / 2).expect("small");
                let net = [10, 10 - difference, 0, 0, 0].map(|net| if net == 0 { 10 } else { net });
                let make = || ChangedDeal {
                    deal,
                    occurrence: 0,
                    net_minor: net.to_vec(),
                    changed_lines: vec![1],
                    counters: vec![],
                };
                kept.take((0, deal, 0), &net, make);
            }
            kept.into_ranked().iter().map(|change| change.deal.uuid().as_u128()).collect::<Vec<_>>()
        };
        assert_eq!(take(&[1, 2, 3, 4, 5, 6, 7]), [6, 7, 4]);
        assert_eq!(take(&[7, 5, 3, 1, 2, 4, 6]), [6, 7, 4]);
    }
}
