//! Closing and reopening months: asked for by one person, approved by another.

use jiff::civil::Date;

use super::manual::Act;
use super::period::{BalanceContent, FrozenBalance, Month, Period, PeriodState, PeriodStep, Turn};
use crate::access::audit::Altered;
use crate::access::{MissingScope, Persons, Scope, ownership};
use crate::directory::text::Grounds;
use crate::env::Env;
use crate::events::data::RecordChanged;
use crate::events::{EventKind, NewEvent};
use crate::kernel::Digest;
use crate::kernel::ids::AccountingPeriodId;
use crate::kernel::jcs::JcsError;
use crate::store::{StoreError, UnitOfWork, UseCaseError};

/// Why a period stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// The actor may not do this.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// There is none such, as far as the actor may know.
    #[error("there is no such period")]
    NotFound,
    /// It is not at the version that was named.
    #[error("it changed since you read it; it is at version {0} now")]
    Stale(u32),
    /// Not from where it stands.
    #[error("a period that is {0} cannot be {1}")]
    WrongState(&'static str, &'static str),
    /// It has not ended.
    #[error("a month is closed after it has ended")]
    NotEnded,
    /// Months are closed in order, and reopened in the opposite one.
    #[error("months are closed one after another, and the last one is reopened first")]
    OutOfOrder,
    /// The approver asked for it.
    #[error("what one person asked for another approves")]
    SamePerson,
    /// What the approver saw is not what the books say now.
    #[error("the trial balance is not the one that you named; look at it again")]
    OtherContent,
    /// The content has no canonical form.
    #[error(transparent)]
    Content(#[from] JcsError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UseCaseError for PeriodError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::MissingScope(_)
            | Self::NotFound
            | Self::Stale(_)
            | Self::WrongState(..)
            | Self::NotEnded
            | Self::OutOfOrder
            | Self::SamePerson
            | Self::OtherContent
            | Self::Content(_) => None,
        }
    }
}

/// Names a period, and the version at which the caller saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnPeriod {
    /// The period.
    pub id: AccountingPeriodId,
    /// The version that it must be at; any if absent.
    pub version: Option<u32>,
}

/// Asks for a month to be closed. Asked again, its trial balance is drawn up anew.
///
/// # Errors
/// See [`PeriodError`].
pub fn close(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: OnPeriod,
    reason: Option<&Grounds>,
) -> Result<Altered<Period>, PeriodError> {
    let before = locked(uow, env, Scope::LedgerWrite, on)?;
    match before.state {
        PeriodState::Open | PeriodState::Closing { .. } => {}
        PeriodState::Closed { .. } | PeriodState::Reopening { .. } => {
            return Err(PeriodError::WrongState(before.state.code(), "closed"));
        }
    }
    let head = uow.ledger().lock_head()?;
    may_close(env, before.month, head.closed_through)?;
    let content = drawn_up(uow, before.month)?;
    let state = PeriodState::Closing { proposed: act(env), content };
    let step = step(env, Turn::CloseProposed, head.last_seq, reason);
    saved(uow, env, before, state, step, head.closed_through)
}

/// Asks for the month that was closed last to be reopened.
///
/// # Errors
/// See [`PeriodError`].
pub fn reopen(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: OnPeriod,
    reason: &Grounds,
) -> Result<Altered<Period>, PeriodError> {
    let before = locked(uow, env, Scope::LedgerWrite, on)?;
    let PeriodState::Closed { proposed, approved, content } = before.state.clone() else {
        return Err(PeriodError::WrongState(before.state.code(), "reopened"));
    };
    let head = uow.ledger().lock_head()?;
    if head.closed_through != Some(before.month.last()) {
        return Err(PeriodError::OutOfOrder);
    }
    let state = PeriodState::Reopening { proposed, approved, asked: act(env), content };
    let step = step(env, Turn::ReopenProposed, head.last_seq, Some(reason));
    saved(uow, env, before, state, step, head.closed_through)
}

/// Approves what a period waits for, as somebody else than who asked. `seen` is the digest of its trial balance.
///
/// # Errors
/// See [`PeriodError`].
pub fn approve(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: OnPeriod,
    seen: Digest,
) -> Result<Altered<Period>, PeriodError> {
    let before = locked(uow, env, Scope::LedgerApprove, on)?;
    let head = uow.ledger().lock_head()?;
    match before.state.clone() {
        PeriodState::Closing { proposed, .. } => {
            another_person(uow, env, proposed)?;
            may_close(env, before.month, head.closed_through)?;
            // Under the lock of the head nobody posts: what is frozen is what stands.
            let content = drawn_up(uow, before.month)?;
            if content.sha256() != seen {
                return Err(PeriodError::OtherContent);
            }
            let closed = Some(before.month.last());
            let state = PeriodState::Closed { proposed, approved: act(env), content };
            saved(uow, env, before, state, step(env, Turn::Closed, head.last_seq, None), closed)
        }
        PeriodState::Reopening { asked, content, .. } => {
            another_person(uow, env, asked)?;
            if content.sha256() != seen {
                return Err(PeriodError::OtherContent);
            }
            let closed = before_it(uow, before.month)?;
            saved(uow, env, before, PeriodState::Open, step(env, Turn::Reopened, head.last_seq, None), closed)
        }
        PeriodState::Open | PeriodState::Closed { .. } => Err(PeriodError::WrongState(before.state.code(), "approved")),
    }
}

/// Says no to what a period waits for: it stays as it was.
///
/// # Errors
/// See [`PeriodError`].
pub fn reject(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: OnPeriod,
    reason: &Grounds,
) -> Result<Altered<Period>, PeriodError> {
    let before = locked(uow, env, Scope::LedgerApprove, on)?;
    let head = uow.ledger().lock_head()?;
    let (state, turn) = match before.state.clone() {
        PeriodState::Closing { .. } => (PeriodState::Open, Turn::CloseRejected),
        PeriodState::Reopening { proposed, approved, content, .. } => {
            (PeriodState::Closed { proposed, approved, content }, Turn::ReopenRejected)
        }
        PeriodState::Open | PeriodState::Closed { .. } => {
            return Err(PeriodError::WrongState(before.state.code(), "rejected"));
        }
    };
    let step = step(env, turn, head.last_seq, Some(reason));
    saved(uow, env, before, state, step, head.closed_through)
}

fn another_person(uow: &mut dyn UnitOfWork, env: &Env<'_>, proposed: Act) -> Result<(), PeriodError> {
    let persons = Persons::among(uow, &[proposed.by, env.actor.id])?;
    if persons.are_one(proposed.by, env.actor.id) { Err(PeriodError::SamePerson) } else { Ok(()) }
}

/// A month is closed once it has ended, right after the one before; the first one to be closed may be any.
fn may_close(env: &Env<'_>, month: Month, closed: Option<Date>) -> Result<(), PeriodError> {
    if env.now.sydney_date() <= month.last() {
        return Err(PeriodError::NotEnded);
    }
    if closed.is_some_and(|closed| closed != month.eve()) { Err(PeriodError::OutOfOrder) } else { Ok(()) }
}

/// What is shut once this month is no longer: up to the end of the month before, if that was ever closed.
fn before_it(uow: &mut dyn UnitOfWork, month: Month) -> Result<Option<Date>, PeriodError> {
    let earlier = month.plus(-1);
    let period = uow.periods().lock_period(earlier)?;
    Ok(period.filter(|period| period.state.is_shut()).map(|_| earlier.last()))
}

fn drawn_up(uow: &mut dyn UnitOfWork, month: Month) -> Result<FrozenBalance, PeriodError> {
    let rows = uow.periods().balance_on(month.last())?;
    Ok(FrozenBalance::freeze(BalanceContent::new(month, rows))?)
}

/// The period, locked, for an actor who may do this to it.
fn locked(uow: &mut dyn UnitOfWork, env: &Env<'_>, scope: Scope, on: OnPeriod) -> Result<Period, PeriodError> {
    env.actor.require(scope)?;
    if !ownership::has(env.actor, None) {
        return Err(PeriodError::NotFound);
    }
    let month = Month::of_id(on.id).ok_or(PeriodError::NotFound)?;
    let period = uow.periods().lock_period(month)?.unwrap_or_else(|| Period::untouched(month));
    match on.version {
        Some(version) if version != period.version => Err(PeriodError::Stale(period.version)),
        Some(_) | None => Ok(period),
    }
}

fn act(env: &Env<'_>) -> Act {
    Act { by: env.actor.id, at: env.now }
}

fn step(env: &Env<'_>, turn: Turn, last_seq: i64, reason: Option<&Grounds>) -> PeriodStep {
    PeriodStep { turn, by: env.actor.id, at: env.now, last_seq, reason: reason.map(|r| r.as_str().to_owned()) }
}

fn saved(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    before: Period,
    state: PeriodState,
    step: PeriodStep,
    closed: Option<Date>,
) -> Result<Altered<Period>, PeriodError> {
    let kind = match step.turn {
        Turn::CloseProposed | Turn::ReopenProposed => EventKind::PeriodProposed,
        Turn::Closed => EventKind::PeriodClosed,
        Turn::Reopened => EventKind::PeriodReopened,
        Turn::CloseRejected | Turn::ReopenRejected => EventKind::PeriodRejected,
    };
    let after = before.clone().next(state, step.reason.clone().or_else(|| before.reason.clone()));
    uow.periods().save_period(&after, &step, closed)?;
    let id = after.month.id();
    let version = Some(i32::try_from(after.version).unwrap_or(i32::MAX));
    let event = NewEvent::new(env, kind, id.uuid(), &RecordChanged { id: id.to_string(), version }, &[])?;
    uow.events().append(&[event])?;
    Ok(Altered { before, after })
}
