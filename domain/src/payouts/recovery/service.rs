//! Proposing, deciding on and ending plans. They are the operator's to make; the payee's organisation reads them.
//!
//! Whoever decides or ends holds the payee's lock, so an execution sees one plan or the other.

use jiff::civil::Date;

use super::command::{Decision, OnPlan, fault};
use super::{PlanState, ProposePlan, RecoveryError, RecoveryPlan, Term};
use crate::access::audit::Altered;
use crate::access::{Persons, Scope, ownership};
use crate::directory::record::PayeeRecord;
use crate::env::Env;
use crate::events::{EventKind, record_changed};
use crate::kernel::ids::{PayeeId, RecoveryPlanId};
use crate::payouts::decide::act;
use crate::store::UnitOfWork;

/// Proposes a plan.
///
/// # Errors
/// See [`RecoveryError`].
pub fn propose(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    payee: PayeeId,
    command: &ProposePlan,
) -> Result<RecoveryPlan, RecoveryError> {
    let _ = locked(uow, env, Scope::PayoutsWrite, payee)?;
    let plan = RecoveryPlan {
        id: RecoveryPlanId::new(env.ids.next()),
        payee,
        term: Term { from_on: command.from_on, ended_on: None, cap: command.cap },
        reason: command.reason.clone(),
        state: PlanState::Proposed,
        proposed: act(env),
        decided: None,
        ended: None,
        version: 1,
    };
    uow.recovery_plans().insert_plan(&plan)?;
    Ok(plan)
}

/// Decides about a proposal, as somebody else than who made it.
///
/// # Errors
/// See [`RecoveryError`].
pub fn decide(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    payee: PayeeId,
    on: OnPlan,
    decision: Decision,
) -> Result<Altered<RecoveryPlan>, RecoveryError> {
    let found = locked(uow, env, Scope::PayoutsApprove, payee)?;
    let before = at(uow, payee, on)?;
    if before.state != PlanState::Proposed {
        return Err(RecoveryError::WrongState(before.state.as_str()));
    }
    let persons = Persons::among(uow, &[env.actor.id, before.proposed.by])?;
    if persons.are_one(env.actor.id, before.proposed.by) {
        return Err(RecoveryError::SamePerson);
    }
    let state = match decision {
        Decision::Approve => PlanState::Approved,
        Decision::Reject => PlanState::Rejected,
    };
    let after = RecoveryPlan { state, decided: Some(act(env)), version: before.version + 1, ..before.clone() };
    uow.recovery_plans().update_plan(&after)?;
    if state == PlanState::Approved {
        told(uow, env, EventKind::RecoveryPlanApproved, &found, &after)?;
    }
    Ok(Altered { before, after })
}

/// Ends an approved plan, today or later.
///
/// # Errors
/// See [`RecoveryError`].
pub fn end(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    payee: PayeeId,
    on: OnPlan,
    ended_on: Option<Date>,
) -> Result<Altered<RecoveryPlan>, RecoveryError> {
    let found = locked(uow, env, Scope::PayoutsWrite, payee)?;
    let before = at(uow, payee, on)?;
    if before.state != PlanState::Approved {
        return Err(RecoveryError::WrongState(before.state.as_str()));
    }
    if before.term.ended_on.is_some() {
        return Err(RecoveryError::WrongState("ended"));
    }
    let today = env.now.sydney_date();
    let ended_on = ended_on.unwrap_or(today);
    if ended_on < today {
        return Err(fault("/ended_on", "in_past", "a plan ends today or later"));
    }
    let term = Term { ended_on: Some(ended_on), ..before.term };
    let after = RecoveryPlan { term, ended: Some(act(env)), version: before.version + 1, ..before.clone() };
    uow.recovery_plans().update_plan(&after)?;
    told(uow, env, EventKind::RecoveryPlanEnded, &found, &after)?;
    Ok(Altered { before, after })
}

/// The payee, locked, for an actor of the operator who has the scope: for others there is nothing here.
fn locked(uow: &mut dyn UnitOfWork, env: &Env<'_>, scope: Scope, payee: PayeeId) -> Result<PayeeRecord, RecoveryError> {
    env.actor.require(scope)?;
    if !ownership::has(env.actor, None) {
        return Err(RecoveryError::NotFound);
    }
    uow.directory().lock_payee(payee)?.ok_or(RecoveryError::NotFound)
}

fn at(uow: &mut dyn UnitOfWork, payee: PayeeId, on: OnPlan) -> Result<RecoveryPlan, RecoveryError> {
    let found = uow.recovery_plans().lock_plan(payee, on.id)?.ok_or(RecoveryError::NotFound)?;
    match on.version {
        Some(version) if version != found.version => Err(RecoveryError::Stale(found.version)),
        Some(_) | None => Ok(found),
    }
}

fn told(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    kind: EventKind,
    payee: &PayeeRecord,
    plan: &RecoveryPlan,
) -> Result<(), RecoveryError> {
    let version = i32::try_from(plan.version).ok();
    let visible_to = ownership::of_organisation(Some(payee.payee.organisation));
    Ok(record_changed(uow, env, kind, (&plan.id, plan.id.uuid()), version, &visible_to)?)
}
