//! Plans by which clawbacks of a payee are got back bit by bit.
//!
//! Without a plan a run sets off everything that is to be got back ([`super::plan`]). A plan bounds what one run sets off: a
//! share of what the payee is paid for in it, an amount, or both, whichever is less. One person proposes it, another
//! approves it. Of the approved plans that have begun the one that began last governs, so a later plan ends an earlier
//! one; when the one that governs has ended nothing is bounded any more. A plan that ended on its first day or before
//! never was. Invariants: never more than the bound is set off in a run; what is left stays to be got back.

use jiff::civil::Date;

use super::run::Act;
use crate::directory::text::Grounds;
use crate::kernel::ids::{PayeeId, RecoveryPlanId};
use crate::kernel::rate::WHOLE_PPM;
use crate::kernel::{Page, PageRequest, Rate};
use crate::store::StoreError;

pub mod command;
pub mod error;
pub mod service;

pub use command::{ProposePlan, ProposePlanInput};
pub use error::RecoveryError;

/// The most that one run sets off of a payee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// So much of what the payee is paid for in the run, without GST and after withholding.
    pub max_share: Option<Rate>,
    /// So many cents.
    pub max_minor: Option<i64>,
}

impl Cap {
    /// The most, in cents, of so much that would be paid; a share is rounded down to whole cents.
    #[must_use]
    pub fn of_minor(self, base_minor: i64) -> i64 {
        let share = self.max_share.map_or(i64::MAX, |rate| {
            let floor = (i128::from(base_minor) * i128::from(rate.ppm())).div_euclid(i128::from(WHOLE_PPM));
            i64::try_from(floor).unwrap_or(i64::MAX)
        });
        share.min(self.max_minor.unwrap_or(i64::MAX)).max(0)
    }
}

/// When a bound is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// From this day on.
    pub from_on: Date,
    /// From this day on no more.
    pub ended_on: Option<Date>,
    /// The bound.
    pub cap: Cap,
}

/// The approved plans of a payee.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms(Vec<Term>);

impl Terms {
    /// Terms in the order in which they were approved.
    #[must_use]
    pub fn restore(approved: impl IntoIterator<Item = Term>) -> Self {
        let ever = |term: &Term| term.ended_on.is_none_or(|ended_on| ended_on > term.from_on);
        let mut terms: Vec<Term> = approved.into_iter().filter(ever).collect();
        terms.sort_by_key(|term| term.from_on);
        Self(terms)
    }

    /// The bound on a day; none = everything is set off.
    #[must_use]
    pub fn on(&self, day: Date) -> Option<Cap> {
        let governs = self.0.iter().rev().find(|term| term.from_on <= day)?;
        governs.ended_on.is_none_or(|ended_on| day < ended_on).then_some(governs.cap)
    }
}

/// Where a plan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlanState {
    /// It waits for a second person.
    Proposed,
    /// A second person agreed.
    Approved,
    /// It was refused.
    Rejected,
}

impl PlanState {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Proposed, Self::Approved, Self::Rejected].into_iter().find(|state| state.as_str() == text)
    }
}

/// One plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryPlan {
    /// Its id.
    pub id: RecoveryPlanId,
    /// Whose clawbacks.
    pub payee: PayeeId,
    /// When it bounds what a run sets off, and by how much.
    pub term: Term,
    /// Why.
    pub reason: Grounds,
    /// Where it stands.
    pub state: PlanState,
    /// Who proposed it.
    pub proposed: Act,
    /// Who decided.
    pub decided: Option<Act>,
    /// Who ended it.
    pub ended: Option<Act>,
    /// Its version, from 1.
    pub version: u32,
}

/// Plans, inside a transaction.
pub trait RecoveryPlanRepository {
    /// Locks a plan; its payee is locked before.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_plan(&mut self, payee: PayeeId, id: RecoveryPlanId) -> Result<Option<RecoveryPlan>, StoreError>;

    /// Keeps a proposal.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_plan(&mut self, plan: &RecoveryPlan) -> Result<(), StoreError>;

    /// Writes what was decided, or that it ends.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_plan(&mut self, plan: &RecoveryPlan) -> Result<(), StoreError>;
}

/// Plans, to look up.
pub trait RecoveryPlanQueries {
    /// The plans of a payee, newest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_plans(&mut self, payee: PayeeId, page: &PageRequest) -> Result<Page<RecoveryPlan>, StoreError>;
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn cap(share: Option<&str>, max_minor: Option<i64>) -> Cap {
        Cap { max_share: share.map(|text| Rate::parse(text).expect("a rate")), max_minor }
    }

    fn term(month: i8, ended_on: Option<Date>, max_minor: i64) -> Term {
        Term { from_on: date(2026, month, 1), ended_on, cap: cap(None, Some(max_minor)) }
    }

    #[test]
    fn the_lesser_bound_counts_and_a_share_is_rounded_down() {
        assert_eq!(cap(Some("0.25"), None).of_minor(1_003), 250);
        assert_eq!(cap(Some("0.25"), Some(200)).of_minor(1_003), 200);
        assert_eq!(cap(Some("0.25"), Some(300)).of_minor(1_003), 250);
        assert_eq!(cap(None, Some(300)).of_minor(1), 300);
        assert_eq!(cap(Some("0.000001"), None).of_minor(999_999), 0);
        assert_eq!(cap(Some("1"), None).of_minor(i64::MAX), i64::MAX);
    }

    #[test]
    fn the_plan_that_began_last_governs_until_it_ends() {
        let on = |terms: &Terms, month, day| terms.on(date(2026, month, day)).and_then(|cap| cap.max_minor);
        let terms = Terms::restore([term(3, None, 300), term(1, None, 100), term(6, Some(date(2026, 8, 1)), 600)]);
        assert_eq!(on(&terms, 2, 28), Some(100));
        assert_eq!(on(&terms, 3, 1), Some(300));
        assert_eq!(on(&terms, 7, 31), Some(600));
        assert_eq!(on(&terms, 8, 1), None, "what it took the place of does not come back");
        assert_eq!(Terms::default().on(date(2026, 1, 1)), None);
        assert_eq!(Terms::restore([term(1, None, 100)]).on(date(2025, 12, 31)), None);
        // Of two from one day the one that was approved later counts; one that ended as it began never was.
        let twice = Terms::restore([term(1, None, 1), term(1, None, 2), term(1, Some(date(2026, 1, 1)), 3)]);
        assert_eq!(on(&twice, 1, 1), Some(2));
    }
}
