//! Accounting periods: months of the books, in Sydney, closed one after another.
//!
//! One person asks for a month to be closed, another approves the digest of its trial balance; what was approved is
//! frozen with it. Reopening takes two people too, and only the month that was closed last is reopened. States: `open →
//! closing → closed → reopening → open`. Invariants: everything up to the end of the last closed month is shut, and
//! takes no entry ([`super::posting`] puts late ones into the first open month); a month is closed after it has ended
//! and after every earlier one. The id of a period follows from its month, so that a month has one whether or not
//! anything ever happened to it. Bounds: one sum over all postings, under the lock of the ledger's head.

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};
use uuid::Uuid;

pub use super::frozen::{BalanceContent, FrozenBalance, FrozenRow};
use super::manual::Act;
use crate::kernel::ids::AccountingPeriodId;
use crate::kernel::page::INVALID_CURSOR;
use crate::kernel::{Instant, Order, Page, PageRequest};
use crate::store::StoreError;

/// Months before this one that are shown, if nothing happened to them.
pub const SHOWN_MONTHS: i32 = 24;
const PERIOD_BASE: u128 = 0x0198_0000_0000_7000_8002_0000_0000_0000;

/// A month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(Date);

impl Month {
    /// The month that a date lies in.
    #[must_use]
    pub fn of(date: Date) -> Self {
        Self(date.first_of_month())
    }

    /// The month of a period's id; none if no month has it.
    #[must_use]
    pub fn of_id(id: AccountingPeriodId) -> Option<Self> {
        let number = u32::try_from(id.uuid().as_u128() ^ PERIOD_BASE).ok()?;
        let (year, month) = (i16::try_from(number / 100).ok()?, i8::try_from(number % 100).ok()?);
        if !(2000..=2199).contains(&year) {
            return None;
        }
        Date::new(year, month, 1).ok().map(Self)
    }

    /// The id of its period.
    #[must_use]
    pub fn id(self) -> AccountingPeriodId {
        let number = u128::from(self.0.year().unsigned_abs()) * 100 + u128::from(self.0.month().unsigned_abs());
        AccountingPeriodId::new(Uuid::from_u128(PERIOD_BASE | number))
    }

    /// Its first day.
    #[must_use]
    pub const fn first(self) -> Date {
        self.0
    }

    /// Its last day.
    #[must_use]
    pub fn last(self) -> Date {
        self.0.last_of_month()
    }

    /// So many months later, or earlier.
    #[must_use]
    pub fn plus(self, months: i32) -> Self {
        Self(self.0.saturating_add(Span::new().months(months)))
    }

    /// The day before it.
    #[must_use]
    pub fn eve(self) -> Date {
        self.0.saturating_sub(1.days())
    }
}

/// `YYYY-MM`.
impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

/// Where a period stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeriodState {
    /// It takes entries.
    Open,
    /// Somebody asked for it to be closed; it takes entries still.
    Closing {
        /// Who asked.
        proposed: Act,
        /// Its trial balance then.
        content: FrozenBalance,
    },
    /// It takes no entry.
    Closed {
        /// Who asked.
        proposed: Act,
        /// Who approved.
        approved: Act,
        /// Its trial balance.
        content: FrozenBalance,
    },
    /// Somebody asked for it to be reopened; it takes no entry yet.
    Reopening {
        /// Who asked for it to be closed.
        proposed: Act,
        /// Who approved that.
        approved: Act,
        /// Who asked for it to be reopened.
        asked: Act,
        /// Its trial balance when it was closed.
        content: FrozenBalance,
    },
}

impl PeriodState {
    /// As it is stored and shown.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closing { .. } => "closing",
            Self::Closed { .. } => "closed",
            Self::Reopening { .. } => "reopening",
        }
    }

    /// Its trial balance, once somebody asked for it to be closed.
    #[must_use]
    pub const fn content(&self) -> Option<&FrozenBalance> {
        match self {
            Self::Open => None,
            Self::Closing { content, .. } | Self::Closed { content, .. } | Self::Reopening { content, .. } => {
                Some(content)
            }
        }
    }

    /// Who asked for it to be closed.
    #[must_use]
    pub const fn proposed(&self) -> Option<Act> {
        match self {
            Self::Open => None,
            Self::Closing { proposed, .. } | Self::Closed { proposed, .. } | Self::Reopening { proposed, .. } => {
                Some(*proposed)
            }
        }
    }

    /// Who approved that it is closed.
    #[must_use]
    pub const fn approved(&self) -> Option<Act> {
        match self {
            Self::Closed { approved, .. } | Self::Reopening { approved, .. } => Some(*approved),
            Self::Open | Self::Closing { .. } => None,
        }
    }

    /// Who asked for it to be reopened.
    #[must_use]
    pub const fn asked(&self) -> Option<Act> {
        match self {
            Self::Reopening { asked, .. } => Some(*asked),
            Self::Open | Self::Closing { .. } | Self::Closed { .. } => None,
        }
    }

    /// Whether it takes no entry.
    #[must_use]
    pub const fn is_shut(&self) -> bool {
        matches!(self, Self::Closed { .. } | Self::Reopening { .. })
    }
}

/// A period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// Its month.
    pub month: Month,
    /// Where it stands.
    pub state: PeriodState,
    /// Why, in the words of whoever asked last.
    pub reason: Option<String>,
    /// Counts changes, from 1; 0 while nothing happened to it.
    pub version: u32,
}

impl Period {
    /// A month to which nothing happened.
    #[must_use]
    pub const fn untouched(month: Month) -> Self {
        Self { month, state: PeriodState::Open, reason: None, version: 0 }
    }

    /// The period in its next state.
    #[must_use]
    pub fn next(self, state: PeriodState, reason: Option<String>) -> Self {
        Self { state, reason, version: self.version + 1, ..self }
    }
}

/// What can happen to a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Somebody asked for it to be closed.
    CloseProposed,
    /// Somebody else approved that.
    Closed,
    /// Somebody said no to that.
    CloseRejected,
    /// Somebody asked for it to be reopened.
    ReopenProposed,
    /// Somebody else approved that.
    Reopened,
    /// Somebody said no to that.
    ReopenRejected,
}

impl Turn {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CloseProposed => "close_proposed",
            Self::Closed => "closed",
            Self::CloseRejected => "close_rejected",
            Self::ReopenProposed => "reopen_proposed",
            Self::Reopened => "reopened",
            Self::ReopenRejected => "reopen_rejected",
        }
    }
}

/// Something that happened to a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodStep {
    /// What.
    pub turn: Turn,
    /// Who.
    pub by: Uuid,
    /// When.
    pub at: Instant,
    /// The last entry then.
    pub last_seq: i64,
    /// Why.
    pub reason: Option<String>,
}

/// Periods, inside a transaction. The ledger's head is locked before a decision.
pub trait PeriodRepository {
    /// The last day that is shut, without a lock: [`super::posting`] looks again under one.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_closed_through(&mut self) -> Result<Option<Date>, StoreError>;

    /// Locks a period; none if nothing ever happened to it.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_period(&mut self, month: Month) -> Result<Option<Period>, StoreError>;

    /// The trial balance of everything that took effect on or before a date, by kind, with a digest by account.
    ///
    /// # Errors
    /// The failure of the store.
    fn balance_on(&mut self, on: Date) -> Result<Vec<FrozenRow>, StoreError>;

    /// Writes a period as it stands now, what happened to it, and what is shut then.
    ///
    /// # Errors
    /// `accounting_period_two_people`, `ledger_head_closed_by_periods`.
    fn save_period(&mut self, period: &Period, step: &PeriodStep, closed: Option<Date>) -> Result<(), StoreError>;
}

/// Periods, to look up.
pub trait PeriodQueries {
    /// Every period to which something happened, newest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_periods(&mut self) -> Result<Vec<Period>, StoreError>;
}

/// The periods to show: those to which something happened, and the months around them up to this one, newest first.
#[must_use]
pub fn shown(kept: Vec<Period>, today: Date) -> Vec<Period> {
    let now = Month::of(today);
    let first = kept.iter().map(|period| period.month).min().unwrap_or(now).min(now.plus(-SHOWN_MONTHS));
    let mut kept: std::collections::BTreeMap<Month, Period> =
        kept.into_iter().map(|period| (period.month, period)).collect();
    let mut shown = Vec::new();
    let mut month = now;
    while month >= first {
        shown.push(kept.remove(&month).unwrap_or_else(|| Period::untouched(month)));
        month = month.plus(-1);
    }
    shown
}

/// A page of periods, the newest month first unless the other way is asked for; the key is the month.
///
/// # Errors
/// [`INVALID_CURSOR`] when the key is no month.
pub fn page_of(mut periods: Vec<Period>, page: &PageRequest) -> Result<Page<Period>, StoreError> {
    let ascending = page.order == Some(Order::Ascending);
    periods.sort_unstable_by_key(|period| period.month);
    if !ascending {
        periods.reverse();
    }
    if let Some(key) = &page.after {
        let id = Uuid::from_slice(key).ok().and_then(|id| Month::of_id(AccountingPeriodId::new(id)));
        let after = id.ok_or_else(|| StoreError::Violates(INVALID_CURSOR.to_owned()))?;
        periods.retain(|period| if ascending { period.month > after } else { period.month < after });
    }
    periods.truncate(usize::from(page.limit) + 1);
    Ok(Page::cut(periods, page.limit, |period| period.month.id().uuid().as_bytes().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_period_follows_from_its_month() {
        for (year, number) in [(2000, 1), (2026, 6), (2199, 12)] {
            let month = Month::of(Date::constant(year, number, 17));
            assert_eq!(Month::of_id(month.id()), Some(month));
        }
        assert_eq!(Month::of_id(AccountingPeriodId::new(Uuid::from_u128(PERIOD_BASE | 202_613))), None);
        assert_eq!(Month::of_id(AccountingPeriodId::new(Uuid::from_u128(7))), None);
        let february = Month::of(Date::constant(2028, 2, 3));
        assert_eq!((february.first(), february.last()), (Date::constant(2028, 2, 1), Date::constant(2028, 2, 29)));
        assert_eq!(february.eve(), Date::constant(2028, 1, 31));
        assert_eq!(february.id().uuid().to_string(), "01980000-0000-7000-8002-000000031832");
    }
}
