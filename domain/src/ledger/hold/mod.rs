//! Holds: money of a line that somebody puts aside while something about it is in question, and lets go again.
//!
//! At once the smaller of what is asked and what the line has `available` and `accrued` moves to `held`, `available`
//! first, since that is what a run would take next; the rest of what is asked is a memo, the exposure. A run that was
//! approved to pay it finds less available and is void. Each hold remembers what it took from where; a clawback that
//! takes from `held` meanwhile leaves the oldest hold of the line whole as long as it can ([`left_minor`]). Invariant:
//! what the active holds of a line have left is what the line holds. Locks: line → holds → lanes → balances → head.
//! Source: the domain document, "Ledger" and "Disputes".

use jiff::civil::Date;
use uuid::Uuid;

use super::line::CommissionLine;
use crate::agreements::model::FundingRule;
use crate::directory::text::Grounds;
use crate::kernel::fault::Reason;
use crate::kernel::ids::{DealId, HoldId, LineId, PayeeId};
use crate::kernel::{Instant, Page, PageRequest};
use crate::store::StoreError;

pub mod command;
pub mod error;
pub mod moves;
pub mod service;

pub use command::{PlaceHold, PlaceHoldInput};
pub use error::HoldError;

/// Why money is put aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoldReason {
    /// Somebody with a stake disputes it.
    Dispute,
    /// The provider asks about it, or has not paid it.
    ProviderQuery,
    /// It looks as if it was not earned honestly.
    SuspectedFraud,
    /// A paper is missing or wrong.
    Documents,
    /// A court, an authority or a lawyer asks for it.
    Legal,
    /// Anything else; the note says what.
    Other,
}

impl HoldReason {
    /// Every reason.
    pub const ALL: [Self; 6] =
        [Self::Dispute, Self::ProviderQuery, Self::SuspectedFraud, Self::Documents, Self::Legal, Self::Other];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dispute => "dispute",
            Self::ProviderQuery => "provider_query",
            Self::SuspectedFraud => "suspected_fraud",
            Self::Documents => "documents",
            Self::Legal => "legal",
            Self::Other => "other",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// There is no such reason.
    pub fn parse(text: &str) -> Result<Self, UnknownReason> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text).ok_or(UnknownReason)
    }
}

/// The word is no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected dispute, provider_query, suspected_fraud, documents, legal or other")]
pub struct UnknownReason;

impl Reason for UnknownReason {
    fn code(&self) -> &'static str {
        "unknown_value"
    }
}

/// An amount of a line by where it lies when it is not put aside, in cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts {
    /// May be paid.
    pub available_minor: i64,
    /// Earned, on hold by its agreement.
    pub accrued_minor: i64,
}

impl Parts {
    /// Both.
    #[must_use]
    pub const fn sum_minor(self) -> i64 {
        self.available_minor + self.accrued_minor
    }
}

/// Who let it go, when, why, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The user or API client.
    pub by: Uuid,
    /// When.
    pub at: Instant,
    /// Why.
    pub reason: String,
    /// What there was left, and where it went.
    pub back: Parts,
}

/// Whether a hold is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HoldState {
    /// It is.
    Active,
    /// It was let go.
    Released,
}

impl HoldState {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Released => "released",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Released].into_iter().find(|state| state.as_str() == text)
    }
}

/// One hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// The line.
    pub line: LineId,
    /// Its deal.
    pub deal: DealId,
    /// Whose money it is.
    pub payee: PayeeId,
    /// What was asked to be put aside, in cents; positive.
    pub asked_minor: i64,
    /// What was put aside, and where it lay.
    pub from: Parts,
    /// Why, as a word.
    pub reason: HoldReason,
    /// Why, in words.
    pub note: Grounds,
    /// Who placed it.
    pub placed_by: Uuid,
    /// When.
    pub placed_at: Instant,
    /// How it ended; none while it is in force.
    pub release: Option<Release>,
    /// Its version, from 1.
    pub version: u32,
    /// Who may see it: those who see the line.
    pub visible_to: Vec<Uuid>,
}

impl Hold {
    /// Whether it is in force.
    #[must_use]
    pub const fn state(&self) -> HoldState {
        if self.release.is_some() { HoldState::Released } else { HoldState::Active }
    }

    /// What was asked and could not be put aside.
    #[must_use]
    pub const fn exposure_minor(&self) -> i64 {
        self.asked_minor - self.from.sum_minor()
    }
}

/// Where a hold stands among those of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place {
    /// What the line holds, in cents.
    pub line_held_minor: i64,
    /// What the older active holds of the line put aside.
    pub older_minor: i64,
    /// Whether no younger hold of the line is active.
    pub is_youngest: bool,
}

/// What an active hold has left: clawbacks take from the youngest first; what an invoice added to what is held belongs
/// to the youngest.
#[must_use]
pub fn left_minor(own_minor: i64, place: Place) -> i64 {
    let left = (place.line_held_minor - place.older_minor).max(0);
    if place.is_youngest { left } else { left.min(own_minor) }
}

/// Where what is left of a hold goes. Once the line's hold by agreement has expired it may be paid, otherwise it waits on.
/// A line that is paid only after its provider gets back what it was taken from: what was accrued awaits the provider.
/// A clawback is taken to have gone off what had been accrued; GST that an invoice added meanwhile is for the payee.
#[must_use]
pub fn back(left_minor: i64, from: Parts, line: &CommissionLine, today: Date) -> Parts {
    let available_minor = match line.funding_rule {
        FundingRule::OnReceipt => left_minor.min(from.available_minor) + (left_minor - from.sum_minor()).max(0),
        FundingRule::OnExpiry if line.payable_on <= today => left_minor,
        FundingRule::OnExpiry => 0,
    };
    Parts { available_minor, accrued_minor: left_minor - available_minor }
}

/// A hold to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldRecord {
    /// The hold.
    pub hold: Hold,
    /// What of it is put aside now, in cents.
    pub held_minor: i64,
}

/// Holds, inside a transaction.
pub trait HoldRepository {
    /// The line of a hold.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_held_line(&mut self, id: HoldId) -> Result<Option<LineId>, StoreError>;

    /// Locks a hold, and tells where it stands; its line is locked before.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_hold(&mut self, id: HoldId) -> Result<Option<(Hold, Place)>, StoreError>;

    /// What the active holds of a line put aside when they were placed, in cents.
    ///
    /// # Errors
    /// The failure of the store.
    fn put_aside_minor(&mut self, line: LineId) -> Result<i64, StoreError>;

    /// Keeps a new hold.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_hold(&mut self, hold: &Hold) -> Result<(), StoreError>;

    /// Writes how a hold ended.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_hold(&mut self, hold: &Hold) -> Result<(), StoreError>;
}

/// Which holds are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HoldFilter {
    /// Of one line.
    pub line: Option<LineId>,
    /// Of one payee's money.
    pub payee: Option<PayeeId>,
    /// In one state.
    pub state: Option<HoldState>,
}

/// Holds, to look up.
pub trait HoldQueries {
    /// Holds, newest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_holds(&mut self, filter: &HoldFilter, page: &PageRequest) -> Result<Page<HoldRecord>, StoreError>;

    /// One hold.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_hold(&mut self, id: HoldId) -> Result<Option<HoldRecord>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_clawback_takes_from_the_youngest_hold_first() {
        let place = |older_minor, is_youngest| Place { line_held_minor: 130, older_minor, is_youngest };
        assert_eq!([left_minor(100, place(0, false)), left_minor(50, place(100, true))], [100, 30]);
        let little = |older_minor, is_youngest| Place { line_held_minor: 70, older_minor, is_youngest };
        assert_eq!([left_minor(100, little(0, false)), left_minor(50, little(100, true))], [70, 0]);
        // An invoice put 10 cents more aside than the holds did.
        let more = |older_minor, is_youngest| Place { line_held_minor: 160, older_minor, is_youngest };
        assert_eq!([left_minor(100, more(0, false)), left_minor(50, more(100, true))], [100, 60]);
    }

    proptest! {
        #[test]
        fn what_the_holds_of_a_line_have_left_is_what_it_holds(
            owns in proptest::collection::vec(0_i64..1_000, 1..6), line_held_minor in 0_i64..6_000,
        ) {
            let mut older_minor = 0;
            let mut sum = 0;
            for (n, own) in owns.iter().enumerate() {
                let is_youngest = n + 1 == owns.len();
                let left = left_minor(*own, Place { line_held_minor, older_minor, is_youngest });
                prop_assert!(left >= 0 && (is_youngest || left <= *own));
                older_minor += own;
                sum += left;
            }
            prop_assert_eq!(sum, line_held_minor);
        }
    }
}
