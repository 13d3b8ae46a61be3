//! Placing and releasing holds. Both are the operator's: for others there is nothing here.

use super::command::OnHold;
use super::{Hold, HoldError, HoldRecord, PlaceHold, Release, back, left_minor};
use crate::access::audit::Altered;
use crate::access::{Scope, ownership};
use crate::directory::text::Grounds;
use crate::env::Env;
use crate::events::{EventKind, record_changed};
use crate::kernel::Faults;
use crate::kernel::ids::{EntryId, HoldId, LineId, PayeeId};
use crate::ledger::entry::{EntryDraft, EntryKind, Posting};
use crate::ledger::line::CommissionLine;
use crate::ledger::posting;
use crate::store::UnitOfWork;

/// Puts money of a line aside.
///
/// # Errors
/// See [`HoldError`].
pub fn place(uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &PlaceHold) -> Result<HoldRecord, HoldError> {
    require(env)?;
    let (mut line, payee) = of_payee(locked(uow, command.line)?)?;
    let asked_minor = command.amount_minor.unwrap_or_else(|| line.unpaid_minor());
    if asked_minor == 0 {
        return Err(fault("/amount", "required", "nothing of this line is unpaid: say how much is in question"));
    }
    if uow.holds().put_aside_minor(line.id)? > line.buckets.held_minor {
        return Err(HoldError::Cut);
    }
    let (from, postings) = line.put_aside(asked_minor);
    let hold = Hold {
        id: HoldId::new(env.ids.next()),
        line: line.id,
        deal: line.deal,
        payee,
        asked_minor,
        from,
        reason: command.reason,
        note: command.note.clone(),
        placed_by: env.actor.id,
        placed_at: env.now,
        release: None,
        version: 1,
        visible_to: line.visible_to.clone(),
    };
    uow.holds().insert_hold(&hold)?;
    written(uow, env, (&hold, &line), EntryKind::Hold, postings)?;
    let held_minor = hold.from.sum_minor();
    Ok(HoldRecord { hold, held_minor })
}

/// Lets go what is left of a hold, and why.
///
/// # Errors
/// See [`HoldError`].
pub fn release(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: OnHold,
    reason: &Grounds,
) -> Result<Altered<HoldRecord>, HoldError> {
    require(env)?;
    let line = uow.holds().find_held_line(on.id)?.ok_or(HoldError::NotFound)?;
    let mut line = locked(uow, line)?;
    let (hold, place) = uow.holds().lock_hold(on.id)?.ok_or(HoldError::NotFound)?;
    if on.version.is_some_and(|version| version != hold.version) {
        return Err(HoldError::Stale(hold.version));
    }
    if hold.release.is_some() {
        return Err(HoldError::Released);
    }
    let held_minor = left_minor(hold.from.sum_minor(), place);
    let back = back(held_minor, hold.from, &line, env.now.sydney_date());
    let postings = line.let_go(back)?;
    let release = Release { by: env.actor.id, at: env.now, reason: reason.as_str().to_owned(), back };
    let after = Hold { release: Some(release), version: hold.version + 1, ..hold.clone() };
    uow.holds().update_hold(&after)?;
    written(uow, env, (&after, &line), EntryKind::Unhold, postings)?;
    Ok(Altered { before: HoldRecord { hold, held_minor }, after: HoldRecord { hold: after, held_minor: 0 } })
}

fn require(env: &Env<'_>) -> Result<(), HoldError> {
    env.actor.require(Scope::PayoutsWrite)?;
    if ownership::has(env.actor, None) { Ok(()) } else { Err(HoldError::NotFound) }
}

fn locked(uow: &mut dyn UnitOfWork, line: LineId) -> Result<CommissionLine, HoldError> {
    let found = uow.ledger().lock_lines_by_id(&[line])?.pop();
    found.ok_or_else(|| fault("/line_id", "not_found", "there is no such commission line"))
}

/// The line and who is paid for it: what nobody is paid for is not paid in any case.
fn of_payee(line: CommissionLine) -> Result<(CommissionLine, PayeeId), HoldError> {
    match line.payee {
        Some(payee) => Ok((line, payee)),
        None => Err(fault("/line_id", "not_payable", "nobody is to be paid for this line")),
    }
}

fn fault(pointer: &str, code: &'static str, detail: &str) -> HoldError {
    let mut faults = Faults::default();
    faults.push(pointer, code, detail);
    HoldError::Faults(faults)
}

/// Writes the line, what was posted if anything was, and tells of it.
fn written(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    (hold, line): (&Hold, &CommissionLine),
    kind: EntryKind,
    postings: Vec<Posting>,
) -> Result<(), HoldError> {
    let event = if kind == EntryKind::Hold { EventKind::HoldPlaced } else { EventKind::HoldReleased };
    let version = i32::try_from(hold.version).ok();
    record_changed(uow, env, event, (&hold.id, hold.id.uuid()), version, &hold.visible_to)?;
    if postings.is_empty() {
        return Ok(());
    }
    uow.ledger().save_lines(std::slice::from_ref(line))?;
    let draft = EntryDraft {
        id: EntryId::new(env.ids.next()),
        kind,
        deal: Some(line.deal),
        payee: None,
        source: hold.id.uuid(),
        effective_on: env.now.sydney_date(),
        postings,
        visible_to: ownership::of_line_entry(&line.visible_to, line.member),
    };
    Ok(posting::post(uow, env, vec![draft])?)
}
