//! The replay: which deals follow from which, and what they come to.
//!
//! A counter is *open* from a place on when everything that stands there or later is at hand. First those that the
//! batch touches are opened, where its earliest deal stands or stood. Then all deals at hand are gone through in their
//! order; one whose counters begin where they began before keeps what it came to. One that leaves a counter that is not
//! open elsewhere than before opens it from there on, and everything is gone through again.

use std::collections::{BTreeMap, BTreeSet};

use super::super::commission::{Sold, Unworkable, Versions, WorkedOut, with_input};
use super::super::deal::Deal;
use super::super::repository::LockedDeal;
use super::Ready;
use super::repository::{CounterPlace, CounterScope, DealCounter};
use crate::agreements::facts::{Counter, CounterKey, Standing};
use crate::agreements::replay::DealOrder;
use crate::agreements::version::GoverningVersion;
use crate::catalogue::{ProductCode, VerticalCode};
use crate::kernel::ids::DealId;
use crate::store::StoreError;

/// What is kept of counters and deals.
pub(super) trait Kept {
    /// The counters around deals.
    fn counters(&mut self, deals: &[DealId]) -> Result<Vec<DealCounter>, StoreError>;
    /// Where counters stand just before places.
    fn standings(&mut self, places: &[CounterPlace]) -> Result<Vec<Standing>, StoreError>;
    /// All counters around the deals at places or after them.
    fn counters_from(&mut self, places: &[CounterPlace], limit: u32) -> Result<Vec<DealCounter>, StoreError>;
    /// Deals, locked.
    fn deals(&mut self, deals: &[DealId]) -> Result<Vec<LockedDeal>, StoreError>;
}

/// A deal and what governs it.
#[derive(Clone)]
pub(super) struct Subject<'k> {
    pub(super) deal: Deal,
    pub(super) vertical: VerticalCode,
    pub(super) product: ProductCode,
    pub(super) version: &'k GoverningVersion,
}

impl<'k> Subject<'k> {
    pub(super) fn of(ready: &Ready<'k>) -> Self {
        let Sold { vertical, product } = ready.sold;
        Self { deal: ready.deal.clone(), vertical, product: product.clone(), version: ready.version }
    }

    fn sold(&self) -> Sold<'_> {
        Sold { vertical: self.vertical, product: &self.product }
    }

    fn scope(&self, key: &CounterKey) -> Option<CounterScope> {
        (!key.scope.is_empty()).then(|| CounterScope { agreement: self.version.agreement(), key: key.clone() })
    }
}

/// What a batch came to.
#[derive(Default)]
pub(super) struct Replayed<'k> {
    /// The batch, in its order.
    pub(super) own: Vec<Result<WorkedOut, Unworkable>>,
    /// Other deals that come to something else, in the order of deals.
    pub(super) followers: Vec<(Subject<'k>, WorkedOut)>,
    /// Deals whose counters are to be forgotten first.
    pub(super) gone: Vec<DealId>,
    /// Counters as they stand now.
    pub(super) rows: Vec<DealCounter>,
}

/// Works out a batch and what follows from it. What cannot be taken is refused by itself, as if each had come alone and
/// in the order of the batch.
pub(super) fn replay<'k>(
    kept: &mut impl Kept,
    versions: &'k Versions,
    batch: &[Subject<'k>],
    max_rows: u32,
) -> Result<Replayed<'k>, StoreError> {
    let ids: Vec<DealId> = batch.iter().map(|subject| subject.deal.id).collect();
    let mut stored: BTreeMap<DealId, Vec<DealCounter>> = BTreeMap::new();
    for row in kept.counters(&ids)? {
        stored.entry(row.deal()).or_default().push(row);
    }
    let mut attempt = |places: &[usize]| {
        let mut chain = Chain { versions, items: BTreeMap::new(), open: BTreeMap::new(), max_rows };
        for place in places {
            let subject = &batch[*place];
            let before = stored.get(&subject.deal.id).cloned().unwrap_or_default();
            chain.items.insert(subject.deal.id, Item::new(subject.clone(), before, Some(*place)));
        }
        let worked = chain.settle(kept)?;
        Ok::<_, StoreError>(worked.map(|worked| (chain, worked)))
    };
    let mut taken: Vec<usize> = (0..batch.len()).collect();
    let mut refused: BTreeMap<usize, Unworkable> = BTreeMap::new();
    loop {
        let why = match attempt(&taken)? {
            Ok((chain, worked)) => return Ok(chain.replayed(worked, batch.len(), &refused)),
            Err(why) => why,
        };
        // Those that are impossible whatever came before them go first, at no cost.
        let alone = |place: &usize| {
            let one = &batch[*place];
            WorkedOut::try_new(&one.deal, one.sold(), one.version, None, &[]).map(|_| ())
        };
        let impossible: Vec<(usize, Unworkable)> =
            taken.iter().filter_map(|place| alone(place).err().map(|why| (*place, why))).collect();
        if impossible.is_empty() {
            let first = first_to_fail(taken.len(), |count| Ok(attempt(&taken[..count])?.is_err()))?;
            refused.insert(taken.remove(first), why);
        } else {
            refused.extend(impossible);
            taken.retain(|place| !refused.contains_key(place));
        }
    }
}

/// The place of which the places before it do together what they do not with it; all of them together do not.
fn first_to_fail(count: usize, mut fails: impl FnMut(usize) -> Result<bool, StoreError>) -> Result<usize, StoreError> {
    let (mut fine, mut failing) = (0, count);
    while failing - fine > 1 {
        let middle = fine.midpoint(failing);
        if fails(middle)? {
            failing = middle;
        } else {
            fine = middle;
        }
    }
    Ok(fine)
}

/// A deal at hand.
struct Item<'k> {
    subject: Subject<'k>,
    /// None before the date that governs is known: then it touches no counter.
    order: Option<DealOrder>,
    keys: Vec<CounterKey>,
    /// The counters around it as they are kept.
    stored: Vec<DealCounter>,
    /// Its place in the batch; none for a deal that nothing was said of.
    own: Option<usize>,
}

impl<'k> Item<'k> {
    fn new(subject: Subject<'k>, stored: Vec<DealCounter>, own: Option<usize>) -> Self {
        let (on, keys) = with_input(&subject.deal, subject.sold(), subject.version, None, &[], |input| {
            let plan = subject.version.plan().ok();
            plan.map_or((None, Vec::new()), |plan| (plan.governing_on(input), plan.counter_keys(input)))
        });
        let deal = &subject.deal;
        let order = on.map(|governing_on| DealOrder {
            governing_on,
            source: deal.source.uuid(),
            external_ref: deal.external_ref.clone().filter(|name| !name.is_empty()),
            deal: deal.id.uuid(),
        });
        Self { subject, order, keys, stored, own }
    }

    fn stored(&self, key: &CounterKey) -> Option<&DealCounter> {
        self.stored.iter().find(|row| row.scope.key == *key)
    }

    /// Where it stood and where it stands now, of each counter that it touches.
    fn places(&self) -> impl Iterator<Item = CounterPlace> {
        let stood = self.stored.iter().map(|row| CounterPlace { scope: row.scope.clone(), order: row.order.clone() });
        let scopes = self.keys.iter().filter_map(|key| self.subject.scope(key));
        stood.chain(
            scopes.zip(self.order.iter().cycle()).map(|(scope, order)| CounterPlace { scope, order: order.clone() }),
        )
    }
}

/// An open counter.
struct Open {
    from: DealOrder,
    before: Standing,
}

/// What one deal came to, with the counters that it began from.
struct Worked {
    deal: DealId,
    counters: Vec<Counter>,
    after: Vec<Standing>,
    worked: WorkedOut,
}

/// The deals at hand and the counters that are open.
struct Chain<'k> {
    versions: &'k Versions,
    items: BTreeMap<DealId, Item<'k>>,
    open: BTreeMap<CounterScope, Open>,
    max_rows: u32,
}

impl<'k> Chain<'k> {
    fn settle(&mut self, kept: &mut impl Kept) -> Result<Result<Vec<Worked>, Unworkable>, StoreError> {
        let mut wanted: BTreeMap<CounterScope, DealOrder> = BTreeMap::new();
        for CounterPlace { scope, order } in self.items.values().flat_map(Item::places) {
            earliest(&mut wanted, scope, order);
        }
        loop {
            let places: Vec<CounterPlace> =
                std::mem::take(&mut wanted).into_iter().map(|(scope, order)| CounterPlace { scope, order }).collect();
            if !self.fetch(kept, &places)? {
                return Ok(Err(Unworkable::ReplayTooLong));
            }
            match self.pass(&mut wanted) {
                Ok(worked) if wanted.is_empty() => return Ok(Ok(worked)),
                Ok(_) => {}
                Err(why) => return Ok(Err(why)),
            }
        }
    }

    /// Opens counters from places on; false when that is more than can be held.
    fn fetch(&mut self, kept: &mut impl Kept, places: &[CounterPlace]) -> Result<bool, StoreError> {
        if places.is_empty() {
            return Ok(true);
        }
        for (place, before) in places.iter().zip(kept.standings(places)?) {
            self.open.insert(place.scope.clone(), Open { from: place.order.clone(), before });
        }
        let rows = kept.counters_from(places, self.max_rows.saturating_add(1))?;
        let held: usize = self.items.values().map(|item| item.stored.len()).sum();
        if rows.len().saturating_add(held) > self.max_rows as usize {
            return Ok(false);
        }
        let mut found: BTreeMap<DealId, Vec<DealCounter>> = BTreeMap::new();
        for row in rows.into_iter().filter(|row| !self.items.contains_key(&row.deal())) {
            found.entry(row.deal()).or_default().push(row);
        }
        if found.is_empty() {
            return Ok(true);
        }
        for locked in kept.deals(&found.keys().copied().collect::<Vec<_>>())? {
            let stored = found.remove(&locked.deal.id).unwrap_or_default();
            let item = Item::new(self.subject(locked)?, stored, None);
            self.items.insert(item.subject.deal.id, item);
        }
        Ok(true)
    }

    fn subject(&self, locked: LockedDeal) -> Result<Subject<'k>, StoreError> {
        let LockedDeal { deal, product, vertical, .. } = locked;
        let version = self.versions.of(vertical, deal.agreement, deal.provider, &deal.facts);
        let version = version.ok_or_else(|| StoreError::Failed(format!("nothing governs {}", deal.id)))?;
        Ok(Subject { deal, vertical, product, version })
    }

    /// Goes through all deals at hand; what has to be opened yet goes into `wanted`.
    fn pass(&self, wanted: &mut BTreeMap<CounterScope, DealOrder>) -> Result<Vec<Worked>, Unworkable> {
        let mut ordered: Vec<&Item<'k>> = self.items.values().collect();
        ordered.sort_by(|a, b| a.order.cmp(&b.order));
        let mut running: BTreeMap<CounterScope, Standing> = BTreeMap::new();
        let mut all = Vec::new();
        for item in ordered {
            let subject = &item.subject;
            let counters: Vec<Counter> = item.keys.iter().map(|key| self.counter(item, key, &running)).collect();
            let same = |counter: &Counter| {
                counter.key.scope.is_empty()
                    || item.stored(&counter.key).is_some_and(|row| row.before == counter.before)
            };
            let after: Vec<Standing> = if item.own.is_none() && counters.iter().all(same) {
                let kept = |counter: &Counter| item.stored(&counter.key).map(|row| row.after).unwrap_or_default();
                counters.iter().map(kept).collect()
            } else {
                let worked = WorkedOut::try_new(&subject.deal, subject.sold(), subject.version, None, &counters)?;
                let after = worked.output.counters.clone();
                all.push(Worked { deal: subject.deal.id, counters: counters.clone(), after: after.clone(), worked });
                after
            };
            let Some(order) = &item.order else { continue };
            for (counter, after) in counters.iter().zip(after) {
                let Some(scope) = subject.scope(&counter.key) else { continue };
                if self.is_open(&scope, order) || item.stored(&counter.key).is_none_or(|row| row.after != after) {
                    if !self.is_open(&scope, order) {
                        earliest(wanted, scope.clone(), order.clone());
                    }
                    running.insert(scope, after);
                }
            }
        }
        Ok(all)
    }

    fn is_open(&self, scope: &CounterScope, order: &DealOrder) -> bool {
        self.open.get(scope).is_some_and(|open| *order >= open.from)
    }

    /// A counter as it stands before a deal: as the deals at hand left it, or as it was opened; of one that is not
    /// open, as it is kept.
    fn counter(&self, item: &Item<'_>, key: &CounterKey, running: &BTreeMap<CounterScope, Standing>) -> Counter {
        let standing = item.subject.scope(key).and_then(|scope| {
            let opened = || self.open.get(&scope).filter(|open| item.order.as_ref() >= Some(&open.from));
            let kept = || item.stored(key).map(|row| row.before);
            running.get(&scope).copied().or_else(|| opened().map(|open| open.before)).or_else(kept)
        });
        Counter { key: key.clone(), before: standing.unwrap_or_default() }
    }

    fn replayed(mut self, worked: Vec<Worked>, batch: usize, refused: &BTreeMap<usize, Unworkable>) -> Replayed<'k> {
        let mut own: Vec<Result<WorkedOut, Unworkable>> =
            (0..batch).map(|place| Err(refused.get(&place).copied().unwrap_or(Unworkable::OutOfRange))).collect();
        let (mut followers, mut gone, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        for Worked { deal, counters, after, worked } in worked {
            let Some(item) = self.items.remove(&deal) else { continue };
            let kept: BTreeSet<&CounterKey> = counters.iter().map(|counter| &counter.key).collect();
            if item.stored.iter().any(|row| !kept.contains(&row.scope.key)) {
                gone.push(deal);
            }
            for (counter, after) in counters.into_iter().zip(after) {
                let (Some(scope), Some(order)) = (item.subject.scope(&counter.key), item.order.clone()) else {
                    continue;
                };
                rows.push(DealCounter { scope, order, before: counter.before, after });
            }
            match item.own {
                Some(place) => own[place] = Ok(worked),
                None => followers.push((item.subject, worked)),
            }
        }
        Replayed { own, followers, gone, rows }
    }
}

fn earliest(wanted: &mut BTreeMap<CounterScope, DealOrder>, scope: CounterScope, order: DealOrder) {
    let first = wanted.entry(scope).or_insert_with(|| order.clone());
    if order < *first {
        *first = order;
    }
}
