//! Deals and counters that are kept in memory, as plainly as can be.

use std::collections::BTreeMap;

use super::super::chain::{Kept, Replayed, Subject, replay};
use super::super::repository::{CounterPlace, CounterScope, DealCounter};
use super::super::*;
use super::{NO_BOUND, product, vertical};
use crate::kernel::Digest;

/// Everything in memory.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) rows: Vec<DealCounter>,
    pub(super) deals: BTreeMap<DealId, Deal>,
    pub(super) outputs: BTreeMap<DealId, (Digest, CalculationOutput)>,
    pub(super) recalculated: usize,
}

impl Kept for Memory {
    fn counters(&mut self, deals: &[DealId]) -> Result<Vec<DealCounter>, StoreError> {
        Ok(self.rows.iter().filter(|row| deals.contains(&row.deal())).cloned().collect())
    }

    fn standings(&mut self, places: &[CounterPlace]) -> Result<Vec<Standing>, StoreError> {
        let before = |place: &CounterPlace| {
            let earlier = self.rows.iter().filter(|row| row.scope == place.scope && row.order < place.order);
            earlier.max_by(|a, b| a.order.cmp(&b.order)).map(|row| row.after).unwrap_or_default()
        };
        Ok(places.iter().map(before).collect())
    }

    fn counters_from(&mut self, places: &[CounterPlace], limit: u32) -> Result<Vec<DealCounter>, StoreError> {
        let at = |row: &DealCounter| places.iter().any(|p| p.scope == row.scope && row.order >= p.order);
        let deals: Vec<DealId> = self.rows.iter().filter(|row| at(row)).map(DealCounter::deal).collect();
        let mut rows = self.counters(&deals)?;
        rows.truncate(limit as usize);
        Ok(rows)
    }

    fn deals(&mut self, deals: &[DealId]) -> Result<Vec<LockedDeal>, StoreError> {
        let locked = |deal: &DealId| LockedDeal {
            deal: self.deals[deal].clone(),
            product: product(),
            vertical: vertical(),
            sealed: true,
        };
        Ok(deals.iter().map(locked).collect())
    }
}

impl Memory {
    pub(super) fn take(&mut self, versions: &Versions, batch: &[Deal]) {
        let outcomes = self.attempt(versions, batch, NO_BOUND);
        assert!(outcomes.iter().all(Option::is_none));
    }

    /// Takes a batch; gives why each was refused.
    pub(super) fn attempt(&mut self, versions: &Versions, batch: &[Deal], max_rows: u32) -> Vec<Option<Unworkable>> {
        let subject = |deal: &Deal| Subject {
            deal: deal.clone(),
            vertical: vertical(),
            product: product(),
            version: versions.of(vertical(), deal.agreement, deal.provider, &deal.facts).expect("a version"),
        };
        let subjects: Vec<Subject<'_>> = batch.iter().map(subject).collect();
        let Replayed { own, followers, gone, rows } = replay(self, versions, &subjects, max_rows).expect("a replay");
        self.rows.retain(|row| !gone.contains(&row.deal()));
        for row in rows {
            self.rows.retain(|old| (old.deal(), &old.scope.key.counter) != (row.deal(), &row.scope.key.counter));
            self.rows.push(row);
        }
        let mut outcomes = Vec::new();
        for (deal, worked) in batch.iter().zip(own) {
            outcomes.push(worked.as_ref().err().copied());
            let Ok(worked) = worked else { continue };
            self.deals.insert(deal.id, deal.clone());
            self.outputs.insert(deal.id, (worked.output.digest().expect("a digest"), worked.output));
        }
        for (subject, worked) in followers {
            self.recalculated += 1;
            self.outputs.insert(subject.deal.id, (worked.output.digest().expect("a digest"), worked.output));
        }
        outcomes
    }

    pub(super) fn digests(&self) -> BTreeMap<DealId, Digest> {
        self.outputs.iter().map(|(deal, (digest, _))| (*deal, *digest)).collect()
    }

    /// What follows a deal is what comes before the next one, and the first begins at nothing.
    pub(super) fn is_chained(&self) {
        let mut scopes: BTreeMap<&CounterScope, Vec<&DealCounter>> = BTreeMap::new();
        self.rows.iter().for_each(|row| scopes.entry(&row.scope).or_default().push(row));
        for rows in scopes.values_mut() {
            rows.sort_by(|a, b| a.order.cmp(&b.order));
            let mut stands = Standing::default();
            for row in rows {
                assert_eq!(row.before, stands);
                stands = row.after;
            }
        }
    }
}
