//! Proposing and deciding on assignments. They are the operator's to make; the payees' organisation reads them.
//!
//! Locks: assignment → payees → lines → lanes → balances → head. A run that was approved over lines that went finds
//! them gone and is void when it is executed.

use std::collections::BTreeSet;

use super::command::OnAssignment;
use super::content::AssignmentContent;
use super::{Assignment, AssignmentError, AssignmentState, FrozenAssignment, MAX_LINES, ProposeAssignment, Sum, moves};
use crate::access::audit::Altered;
use crate::access::{Persons, Scope, ownership};
use crate::deals::tell;
use crate::directory::record::PayeeRecord;
use crate::directory::text::Grounds;
use crate::env::Env;
use crate::events::{EventKind, record_changed};
use crate::kernel::ids::{AssignmentId, LineId, PayeeId};
use crate::kernel::{Digest, Faults};
use crate::ledger::line::CommissionLine;
use crate::ledger::posting;
use crate::payouts::decide::act;
use crate::store::UnitOfWork;

/// Proposes that everything that is wholly unpaid of a payee becomes another's.
///
/// # Errors
/// See [`AssignmentError`].
pub fn propose(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    from: PayeeId,
    command: &ProposeAssignment,
) -> Result<Assignment, AssignmentError> {
    require(env, Scope::PayoutsWrite)?;
    let (owner, other) = payees(uow, from, command.to)?;
    let owner = owner.ok_or(AssignmentError::NotFound)?;
    checked(uow, (from, &owner), other.as_ref(), command)?;
    let found = uow.assignments().find_assignable(from, command.member)?;
    if found.lines.is_empty() {
        return Err(AssignmentError::Nothing { left_out: found.left_out.lines });
    }
    if found.lines.len() > MAX_LINES {
        return Err(AssignmentError::TooMany);
    }
    let id = AssignmentId::new(env.ids.next());
    let lines = u32::try_from(found.lines.len()).map_err(|_| AssignmentError::TooMany)?;
    let said = (command.deed_reference.clone(), command.reason.clone());
    let content = AssignmentContent::new(id, (from, command.to), command.member, said, found.lines);
    let content = FrozenAssignment::freeze(content)?;
    let assignment = Assignment {
        id,
        from,
        to: command.to,
        organisation: owner.payee.organisation,
        member: command.member,
        deed_reference: command.deed_reference.clone(),
        reason: command.reason.clone(),
        content_sha256: content.sha256(),
        moves: Sum { lines, total_minor: content.content().total_minor() },
        left_out: found.left_out,
        state: AssignmentState::Proposed,
        proposed: act(env),
        version: 1,
    };
    uow.assignments().insert_assignment(&assignment, &content)?;
    told(uow, env, EventKind::AssignmentProposed, &assignment)?;
    Ok(assignment)
}

/// Approves the content with this digest, as somebody else than who proposed it: its lines move at once.
///
/// # Errors
/// See [`AssignmentError`]; [`AssignmentError::LinesChanged`] leaves it as it was proposed.
pub fn approve(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: OnAssignment,
    seen: Digest,
) -> Result<Altered<Assignment>, AssignmentError> {
    let (before, content) = waiting(uow, env, on)?;
    let persons = Persons::among(uow, &[env.actor.id, before.proposed.by])?;
    if persons.are_one(env.actor.id, before.proposed.by) {
        return Err(AssignmentError::SamePerson);
    }
    if seen != before.content_sha256 {
        return Err(AssignmentError::OtherContent);
    }
    let _ = payees(uow, before.from, before.to)?;
    if uow.erasures().is_payee_erased(before.to)? {
        return Err(AssignmentError::PayeeErased);
    }
    let mut lines = as_frozen(uow, &before, &content)?;
    let drafts = moves::assigned(env, &before, &mut lines);
    uow.assignments().update_payee_of(&lines, &before)?;
    uow.events().append(&tell::earned(env, &lines)?)?;
    let after = decided(uow, env, before, AssignmentState::Approved(act(env)), EventKind::AssignmentApproved)?;
    posting::post(uow, env, drafts)?;
    Ok(after)
}

/// Says no, and why. Whoever proposed it may do so too: it takes back what has not been done.
///
/// # Errors
/// See [`AssignmentError`].
pub fn reject(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: OnAssignment,
    because: &Grounds,
) -> Result<Altered<Assignment>, AssignmentError> {
    let (before, _) = waiting(uow, env, on)?;
    let state = AssignmentState::Rejected(act(env), because.clone());
    decided(uow, env, before, state, EventKind::AssignmentRejected)
}

fn require(env: &Env<'_>, scope: Scope) -> Result<(), AssignmentError> {
    env.actor.require(scope)?;
    if ownership::has(env.actor, None) { Ok(()) } else { Err(AssignmentError::NotFound) }
}

/// Both payees, locked in the order of their ids: no run pays either meanwhile.
fn payees(
    uow: &mut dyn UnitOfWork,
    from: PayeeId,
    to: PayeeId,
) -> Result<(Option<PayeeRecord>, Option<PayeeRecord>), AssignmentError> {
    let mut found = (None, None);
    for payee in BTreeSet::from([from, to]) {
        let locked = uow.directory().lock_payee(payee)?;
        if payee == to {
            found.1.clone_from(&locked);
        }
        if payee == from {
            found.0 = locked;
        }
    }
    Ok(found)
}

/// Whether the lines may become the other payee's.
fn checked(
    uow: &mut dyn UnitOfWork,
    (from, owner): (PayeeId, &PayeeRecord),
    other: Option<&PayeeRecord>,
    command: &ProposeAssignment,
) -> Result<(), AssignmentError> {
    let mut faults = Faults::default();
    let organisation = owner.payee.organisation;
    match other {
        None => faults.push("/to_payee_id", "not_found", "there is no such payee"),
        Some(_) if command.to == from => faults.push("/to_payee_id", "same_payee", "they are this payee's already"),
        Some(other) if other.payee.organisation != organisation => {
            faults.push("/to_payee_id", "other_organisation", "both payees are of one organisation");
        }
        Some(_) if uow.erasures().is_payee_erased(command.to)? => {
            faults.push("/to_payee_id", "erased", "this payee is erased: nothing new is kept of it");
        }
        Some(_) => {}
    }
    if let Some(member) = command.member {
        let lineage = uow.directory().list_lineage(member)?;
        if lineage.first().is_none_or(|(_, owner)| *owner != organisation) {
            faults.push("/member_id", "not_found", "the organisation of the payee has no such member");
        }
    }
    faults.check().map_err(AssignmentError::Faults)
}

/// The assignment, locked, that nobody has decided on.
fn waiting(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: OnAssignment,
) -> Result<(Assignment, FrozenAssignment), AssignmentError> {
    require(env, Scope::PayoutsApprove)?;
    let (found, content) = uow.assignments().lock_assignment(on.id)?.ok_or(AssignmentError::NotFound)?;
    if on.version.is_some_and(|version| version != found.version) {
        return Err(AssignmentError::Stale(found.version));
    }
    match found.state {
        AssignmentState::Proposed => Ok((found, content)),
        AssignmentState::Approved(_) | AssignmentState::Rejected(..) => {
            Err(AssignmentError::Decided(found.state.as_str()))
        }
    }
}

/// The lines, locked, if every one of them is as it was frozen.
fn as_frozen(
    uow: &mut dyn UnitOfWork,
    assignment: &Assignment,
    content: &FrozenAssignment,
) -> Result<Vec<CommissionLine>, AssignmentError> {
    let frozen = &content.content().lines;
    let ids: Vec<LineId> = frozen.iter().map(|line| line.line).collect();
    let lines = uow.ledger().lock_lines_by_id(&ids)?;
    let bound: BTreeSet<LineId> = uow.assignments().list_bound(&ids)?.into_iter().collect();
    // Both are in the order of their ids, and no line is ever deleted.
    let stands = |line: &CommissionLine, amount_minor| {
        line.payee == Some(assignment.from)
            && line.is_wholly_unpaid()
            && line.unpaid_minor() == amount_minor
            && !bound.contains(&line.id)
    };
    let same = lines.iter().zip(frozen).filter(|(line, was)| line.id == was.line && stands(line, was.amount.0)).count();
    if same == frozen.len() && lines.len() == frozen.len() {
        Ok(lines)
    } else {
        Err(AssignmentError::LinesChanged(frozen.len() - same))
    }
}

fn decided(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    before: Assignment,
    state: AssignmentState,
    kind: EventKind,
) -> Result<Altered<Assignment>, AssignmentError> {
    let after = Assignment { state, version: before.version + 1, ..before.clone() };
    uow.assignments().update_assignment(&after)?;
    told(uow, env, kind, &after)?;
    Ok(Altered { before, after })
}

fn told(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    kind: EventKind,
    assignment: &Assignment,
) -> Result<(), AssignmentError> {
    let version = i32::try_from(assignment.version).ok();
    let visible_to = ownership::of_organisation(Some(assignment.organisation));
    Ok(record_changed(uow, env, kind, (&assignment.id, assignment.id.uuid()), version, &visible_to)?)
}
