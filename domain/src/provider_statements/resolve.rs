//! Exceptions in somebody's hands: who looks after one, how it ends; and those that end by themselves.
//!
//! | how | what happens |
//! |---|---|
//! | `accept_difference` | a write-off over the difference is proposed; once a second person approves it, the exception is over |
//! | `wait` | it waits until a day |
//! | `corrected_fact` | what is unapplied of its line is moved on; it is over if the difference is gone, else refused |
//! | `ours_is_wrong` | over, with a note; no money moves: what we expect is corrected by a fact of the deal |

use jiff::civil::Date;

use super::exception::{About, ExceptionStatus, ProviderException, Resolution};
use super::item::Side;
use super::post::{self, Round};
use super::{ReconciliationError, write_off};
use crate::access::{Role, Scope};
use crate::directory::payee::date;
use crate::directory::text::Grounds;
use crate::directory::{optional, required};
use crate::env::Env;
use crate::kernel::Faults;
use crate::kernel::fault::Reason;
use crate::kernel::ids::{ExceptionId, UserId};
use crate::store::UnitOfWork;

/// How somebody ends an exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveException {
    /// How.
    pub how: Resolution,
    /// Until when it waits.
    pub wait_until: Option<Date>,
    /// In words.
    pub note: Grounds,
}

#[derive(Debug, thiserror::Error)]
#[error("expected one of: accept_difference, wait, corrected_fact, ours_is_wrong")]
struct UnknownHow;

impl Reason for UnknownHow {
    fn code(&self) -> &'static str {
        "unknown_value"
    }
}

impl ResolveException {
    /// Reads `/how`, `/until` and `/note`.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(how: Option<&str>, until: Option<&str>, note: Option<&str>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let by_hand = |text: &str| Resolution::parse(text).filter(|how| *how != Resolution::Received).ok_or(UnknownHow);
        let how = required(&mut faults, "/how", how, by_hand);
        let wait_until = optional(&mut faults, "/until", until, date);
        if how == Some(Resolution::Wait) && until.is_none() {
            faults.push("/until", "required", "say until when it waits");
        }
        if how.is_some_and(|how| how != Resolution::Wait) && until.is_some() {
            faults.push("/until", "unexpected", "only what waits has an end");
        }
        let note = required(&mut faults, "/note", note, Grounds::parse);
        faults.clone().check()?;
        match (how, wait_until, note) {
            (Some(how), Some(wait_until), Some(note)) => Ok(Self { how, wait_until, note }),
            _ => Err(faults),
        }
    }
}

/// An exception as it was and as it is.
pub type Changed = (ProviderException, ProviderException);

fn locked(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: ExceptionId,
    version: Option<u32>,
) -> Result<ProviderException, ReconciliationError> {
    post::require(env, Scope::PayoutsWrite)?;
    let provider = uow.provider_statements().find_provider_of_exception(id)?.ok_or(ReconciliationError::NotFound)?;
    uow.provider_statements().take_turn(provider)?;
    let found = uow.provider_statements().lock_exception(id)?.ok_or(ReconciliationError::NotFound)?;
    match version {
        Some(version) if version != found.version => Err(ReconciliationError::Stale(found.version)),
        _ if found.status == ExceptionStatus::Resolved => Err(ReconciliationError::WrongState("resolved")),
        _ => Ok(found),
    }
}

/// Gives an exception to somebody of the operator's.
///
/// # Errors
/// See [`ReconciliationError`].
pub fn assign(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: ExceptionId,
    version: Option<u32>,
    owner: UserId,
) -> Result<Changed, ReconciliationError> {
    let before = locked(uow, env, id, version)?;
    let user = uow.access().find_user(owner)?;
    if user
        .is_none_or(|user| user.disabled_at.is_some() || user.standing.roles().iter().copied().any(Role::is_of_partner))
    {
        let mut faults = Faults::default();
        faults.push("/owner_id", "not_found", "there is no such user of the operator");
        return Err(ReconciliationError::Faults(faults));
    }
    let after = ProviderException { owner: Some(owner), version: before.version + 1, ..before.clone() };
    uow.provider_statements().update_exceptions(std::slice::from_ref(&after))?;
    Ok((before, after))
}

/// Reads `/owner_id`.
///
/// # Errors
/// The fault.
pub fn owner(text: Option<&str>) -> Result<UserId, Faults> {
    let mut faults = Faults::default();
    let owner = required(&mut faults, "/owner_id", text, UserId::parse);
    owner.ok_or(faults)
}

/// Ends an exception, or says what it waits for.
///
/// # Errors
/// See [`ReconciliationError`].
pub fn resolve(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: ExceptionId,
    version: Option<u32>,
    command: &ResolveException,
) -> Result<Changed, ReconciliationError> {
    let before = locked(uow, env, id, version)?;
    let note = command.note.as_str();
    let noted = ProviderException { note: Some(note.to_owned()), ..before.clone() };
    let waiting = |how, wait_until| ProviderException {
        status: ExceptionStatus::Waiting,
        resolution: Some(how),
        wait_until,
        version: before.version + 1,
        ..noted.clone()
    };
    let after = match command.how {
        Resolution::Wait => {
            if command.wait_until.is_some_and(|until| until <= env.now.sydney_date()) {
                let mut faults = Faults::default();
                faults.push("/until", "in_past", "it waits until a day that is to come");
                return Err(ReconciliationError::Faults(faults));
            }
            waiting(Resolution::Wait, command.wait_until)
        }
        Resolution::AcceptDifference => {
            let proposed = given_up(uow, env, &before, note)?;
            ProviderException { write_off: Some(proposed), ..waiting(Resolution::AcceptDifference, None) }
        }
        Resolution::CorrectedFact => corrected(uow, env, &before, noted)?,
        Resolution::OursIsWrong | Resolution::Received => noted.resolved(command.how, Some(env.actor.id), env.now),
    };
    uow.provider_statements().update_exceptions(std::slice::from_ref(&after))?;
    Ok((before, after))
}

/// Proposes to write off what is open of its item.
fn given_up(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    exception: &ProviderException,
    note: &str,
) -> Result<crate::kernel::ids::WriteOffId, ReconciliationError> {
    let item = match exception.about {
        About::Item(item) if item.side == Side::Earned && exception.write_off.is_none() => item,
        About::Item(_) | About::Line(..) => return Err(ReconciliationError::WrongState("nothing to write off")),
    };
    let open = uow.provider_statements().lock_items(&[item.deal])?;
    let open_minor = open.iter().find(|found| found.key == item).map_or(0, |found| found.open_minor());
    if open_minor <= 0 {
        return Err(ReconciliationError::MoreThanOpen { open_minor });
    }
    let proposed = write_off::proposed(uow, env, exception.provider, item, open_minor, note, Some(exception.id))?;
    Ok(proposed.id)
}

/// Looks at the cause again: over when it is gone.
fn corrected(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    exception: &ProviderException,
    noted: ProviderException,
) -> Result<ProviderException, ReconciliationError> {
    let left_minor = match exception.about {
        About::Line(line, _) => {
            let lines = uow.provider_statements().find_unapplied(line)?;
            if !lines.is_empty() {
                post::lines(uow, env, (exception.provider, exception.last_statement), lines, Round::Again)?;
            }
            uow.provider_statements().find_unapplied(line)?.iter().map(|open| open.line.total_minor()).sum()
        }
        About::Item(item) => {
            let items = uow.provider_statements().lock_items(&[item.deal])?;
            items.iter().find(|found| found.key == item).map_or(0, |found| found.open_minor())
        }
    };
    if left_minor != 0 {
        return Err(ReconciliationError::DifferenceRemains(left_minor));
    }
    Ok(noted.resolved(Resolution::CorrectedFact, Some(env.actor.id), env.now))
}

/// What an exception that is not resolved is about, as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The exception.
    pub exception: ProviderException,
    /// What is open of its item now, or unapplied of its line.
    pub left_minor: i64,
    /// What came of its item.
    pub received_minor: i64,
}

/// Those that are over by themselves: nothing is open any more. A trail that stopped without anybody knowing its balance
/// ends when something comes of it.
#[must_use]
pub fn over(standings: Vec<Standing>, env: &Env<'_>) -> Vec<ProviderException> {
    let ended = |found: &Standing| match found.exception.about {
        About::Line(..) => found.left_minor == 0,
        About::Item(_) if found.exception.expected_minor == 0 => found.received_minor != 0,
        About::Item(_) => found.left_minor == 0,
    };
    let resolved = |found: Standing| {
        let received_minor = found.exception.received_minor;
        let received_minor = if found.exception.about.line().is_some() { received_minor } else { found.received_minor };
        ProviderException { received_minor, ..found.exception }.resolved(Resolution::Received, None, env.now)
    };
    standings.into_iter().filter(ended).map(resolved).collect()
}
