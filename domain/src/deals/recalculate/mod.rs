//! Deals that depend on the ones before them: running totals, limits over a window, true-ups.
//!
//! Under an agreement with counters the calculation of a deal begins where the deals before it left them, in the
//! order of [`DealOrder`](crate::agreements::replay::DealOrder), which facts alone decide. So whatever changes of a
//! deal (a late fact, a correction, an unwinding) works out anew the deals after it that are touched by it, each under
//! its own version, and posts the differences now. Any order of arrival and any batches end the same.
//!
//! - **Locks.** One row for each agreement, before any deal. A narrower lock, of one scope and window, would not do:
//!   what a deal is paid moves the limits of its other roles, those move other people's deals, and which scopes that
//!   reaches is known only after the replay. So no two writers wait for each other, and a replay sees nothing move.
//! - **Cost.** Four statements for a batch, more only for deals that follow: one look at an index where a deal is the
//!   last of its window, as many rows as there are deals after it where it is late. Deals under agreements without
//!   counters cost nothing at all.
//! - **Bound.** A replay holds its deals in memory, some 10 KiB each until they are posted: [`MAX_ROWS`].
//!
//! `chain` is the replay, over a port that is as easily memory as it is the store.

mod chain;
pub mod repository;

#[cfg(test)]
mod tests;

use self::chain::{Kept, Replayed, Subject};
use self::repository::{CounterPlace, DealCounter};
use super::commission::{Calculated, Changes, Sold, Unworkable, Versions, WorkedOut};
use super::deal::{Deal, Told};
use super::repository::LockedDeal;
use crate::agreements::evaluate::CalculationOutput;
use crate::agreements::evaluate::v2::Plan;
use crate::agreements::facts::Standing;
use crate::agreements::repository::StoredCalculation;
use crate::agreements::version::GoverningVersion;
use crate::env::Env;
use crate::kernel::ids::DealId;
use crate::store::{StoreError, UnitOfWork};

/// The most rows of counters (deals × counters of each) that one replay takes: memory stays below a gigabyte.
pub const MAX_ROWS: u32 = 100_000;

/// A deal as it is to be worked out: its facts are those that were just learned.
#[derive(Clone)]
pub(super) struct Ready<'k> {
    pub(super) deal: Deal,
    pub(super) sold: Sold<'k>,
    pub(super) version: &'k GoverningVersion,
}

/// What one deal came to.
pub(super) type Outcome = Result<(StoredCalculation, CalculationOutput), Unworkable>;

/// Whether deals under a version depend on the ones before them.
pub(super) fn has_counters(version: &GoverningVersion) -> bool {
    version.plan().is_ok_and(Plan::has_counters)
}

/// Works out deals, each named once, in their order, and gathers what they change of the deals after them.
pub(super) fn work_out(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    versions: &Versions,
    ready: &[&Ready<'_>],
    changes: &mut Changes,
) -> Result<Vec<Outcome>, StoreError> {
    let subjects: Vec<Subject<'_>> =
        ready.iter().filter(|one| has_counters(one.version)).map(|one| Subject::of(one)).collect();
    let mut replayed = match subjects.is_empty() {
        true => Replayed::default(),
        false => chain::replay(&mut InStore(uow), versions, &subjects, MAX_ROWS)?,
    };
    changes.gone.append(&mut replayed.gone);
    changes.counters.append(&mut replayed.rows);
    let told = Told { actor: env.actor.id, known_at: env.now, reason: "recalculation" };
    for (subject, worked) in replayed.followers {
        follow(env, subject, worked, &told, changes);
    }
    let mut own = replayed.own.into_iter();
    let outcome = |one: &&Ready<'_>| {
        let worked = if has_counters(one.version) {
            own.next().unwrap_or(Err(Unworkable::OutOfRange))
        } else {
            WorkedOut::try_new(&one.deal, one.sold, one.version, None, &[])
        };
        worked.map(|worked| worked.stored(env, one.deal.id, one.version))
    };
    Ok(ready.iter().map(outcome).collect())
}

/// A deal that nothing was said of, and that comes to something else.
fn follow(env: &Env<'_>, subject: Subject<'_>, worked: WorkedOut, told: &Told, changes: &mut Changes) {
    let Subject { mut deal, version, .. } = subject;
    let (calculation, output) = worked.stored(env, deal.id, version);
    let transitions = deal.follow_facts(output.reversed, told);
    if !transitions.is_empty() {
        changes.changed.push(deal.clone());
        changes.transitions.extend(transitions);
    }
    changes.calculated.push(Calculated::of(&deal, (calculation, output)));
}

struct InStore<'u>(&'u mut dyn UnitOfWork);

impl Kept for InStore<'_> {
    fn counters(&mut self, deals: &[DealId]) -> Result<Vec<DealCounter>, StoreError> {
        self.0.counters().list_counters(deals)
    }

    fn standings(&mut self, places: &[CounterPlace]) -> Result<Vec<Standing>, StoreError> {
        self.0.counters().find_standings(places)
    }

    fn counters_from(&mut self, places: &[CounterPlace], limit: u32) -> Result<Vec<DealCounter>, StoreError> {
        self.0.counters().list_counters_from(places, limit)
    }

    fn deals(&mut self, deals: &[DealId]) -> Result<Vec<LockedDeal>, StoreError> {
        self.0.deals().lock(deals)
    }
}
