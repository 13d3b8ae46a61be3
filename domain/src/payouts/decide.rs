//! Preview, propose, approve, reject, cancel: everything that decides on a run before money moves.
//!
//! Runs and own accounts belong to the operator: for anybody else they do not exist. The approval is a
//! signed statement in the log, on the run's own lane.

use jiff::civil::Date;

use super::bank_account::{BankAccount, CreateBankAccount};
use super::command::{OnRun, PreviewRun};
use super::content::{FrozenContent, RunContent};
use super::error::PayoutError;
use super::part::{Bounds, PART, Part};
use super::plan;
use super::repository::RunStep;
use super::run::{Act, PayoutRun, RunState};
use crate::access::{Persons, Scope, ownership};
use crate::chain::log::{self, LogItem};
use crate::chain::statement::{PayoutApproval, Salt, Statement, VERSION};
use crate::directory::text::Grounds;
use crate::env::Env;
use crate::events::data::RunMoved;
use crate::events::{EventKind, NewEvent};
use crate::kernel::ids::{BankAccountId, PayoutRunId};
use crate::kernel::{Digest, Faults, Money};
use crate::ledger::release;
use crate::provider_statements::funding;
use crate::store::{Store, StoreError, UnitOfWork};

/// Keeps an own account.
///
/// # Errors
/// See [`PayoutError`].
pub fn keep_bank_account(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: CreateBankAccount,
) -> Result<BankAccount, PayoutError> {
    require(env, Scope::PayoutsWrite)?;
    let account = command.into_account(BankAccountId::new(env.ids.next()));
    match uow.payouts().insert_bank_account(&account, env.now) {
        Err(StoreError::Violates(rule)) if rule == "bank_account_taken" => Err(PayoutError::BankAccountTaken),
        outcome => Ok(outcome.map(|()| account)?),
    }
}

/// Releases everything whose hold has expired, batch by batch, each in a transaction of its own, so that
/// a preview sees it. Returns how many deals were released.
///
/// # Errors
/// See [`PayoutError`].
pub fn release_due(store: &dyn Store, env: &Env<'_>) -> Result<usize, PayoutError> {
    require(env, Scope::PayoutsWrite)?;
    let mut released = 0;
    loop {
        let due = store.transaction(|uow| release::due(uow, env))?;
        let funded = store.transaction(|uow| funding::release_due(uow, env))?;
        released += due + funded;
        if due.max(funded) < usize::try_from(release::BATCH).unwrap_or(usize::MAX) {
            return Ok(released);
        }
    }
}

/// Works out a new run. Lines whose hold has expired must have been released before ([`release_due`]).
///
/// # Errors
/// See [`PayoutError`].
pub fn preview(uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &PreviewRun) -> Result<PayoutRun, PayoutError> {
    require(env, Scope::PayoutsWrite)?;
    let today = env.now.sydney_date();
    let cut_off_on = command.cut_off_on.unwrap_or(today);
    if cut_off_on > today {
        let mut faults = Faults::default();
        faults.push("/cut_off_on", "in_future", "the cut-off must not be later than today");
        return Err(PayoutError::Faults(faults));
    }
    let account = uow.payouts().find_bank_account(command.bank_account)?.ok_or(PayoutError::BankAccountNotFound)?;
    let id = PayoutRunId::new(env.ids.next());
    let run = PayoutRun {
        id,
        bank_account: account.id,
        cut_off_on,
        content: worked_out(uow, env, id, &account, cut_off_on)?,
        created: act(env),
        state: RunState::Previewed { voided: None },
        version: 1,
    };
    uow.payouts().insert_run(&run)?;
    uow.payouts().append_step(&step(env, &run, "previewed", None))?;
    uow.events().append(&[moved(env, EventKind::RunPreviewed, &run)?])?;
    Ok(run)
}

/// The content of a run as things lie now.
pub(super) fn worked_out(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    run: PayoutRunId,
    account: &BankAccount,
    cut_off_on: Date,
) -> Result<FrozenContent, PayoutError> {
    // Nothing is locked: what changes before the execution voids the approval there.
    let payees = uow.payouts().list_payable_payees(cut_off_on)?;
    let bounds = Bounds { run, account, cut_off_on };
    let mut content = RunContent::nothing(run, account.id, cut_off_on);
    for payees in payees.chunks(PART) {
        let part = Part::of(uow, payees)?;
        plan::add(&mut content, &part.input(env, bounds), env.ids);
    }
    Ok(FrozenContent::freeze(content)?)
}

/// Asks for approval.
///
/// # Errors
/// See [`PayoutError`].
pub fn propose(uow: &mut dyn UnitOfWork, env: &Env<'_>, on: &OnRun) -> Result<PayoutRun, PayoutError> {
    let run = locked(uow, env, Scope::PayoutsWrite, on)?.propose(act(env))?;
    written(uow, env, run, EventKind::RunProposed, "proposed", None)
}

/// Approves the content with this digest, as somebody else than who made or proposed it.
///
/// # Errors
/// See [`PayoutError`].
pub fn approve(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: &OnRun,
    content_sha256: Digest,
) -> Result<PayoutRun, PayoutError> {
    let run = locked(uow, env, Scope::PayoutsApprove, on)?;
    let mut names = vec![env.actor.id, run.created.by];
    names.extend(run.state.proposed().map(|act| act.by));
    let run = run.approve(act(env), content_sha256, &Persons::among(uow, &names)?)?;
    let item = approval(env, &run)?;
    let run = written(uow, env, run, EventKind::RunApproved, "approved", None)?;
    log::append(uow, env, &[item])?;
    Ok(run)
}

/// Says no to a proposal, and why.
///
/// # Errors
/// See [`PayoutError`].
pub fn reject(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: &OnRun,
    grounds: &Grounds,
) -> Result<PayoutRun, PayoutError> {
    let run = locked(uow, env, Scope::PayoutsApprove, on)?.reject()?;
    written(uow, env, run, EventKind::RunRejected, "rejected", Some(grounds.as_str()))
}

/// Gives a run up, and why.
///
/// # Errors
/// See [`PayoutError`].
pub fn cancel(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: &OnRun,
    grounds: &Grounds,
) -> Result<PayoutRun, PayoutError> {
    let run = locked(uow, env, Scope::PayoutsWrite, on)?.cancel()?;
    written(uow, env, run, EventKind::RunCancelled, "cancelled", Some(grounds.as_str()))
}

/// The run, locked, for an actor who may do this to it.
pub(super) fn locked(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    scope: Scope,
    on: &OnRun,
) -> Result<PayoutRun, PayoutError> {
    require(env, scope)?;
    let run = uow.payouts().lock_run(on.run)?.ok_or(PayoutError::RunNotFound)?;
    match on.version {
        Some(version) if version != run.version => Err(PayoutError::Stale(run.version)),
        _ => Ok(run.with_content(uow.payouts().run_content(on.run)?)),
    }
}

/// The scope, and that the actor is of the operator: for others there is nothing here.
pub(super) fn require(env: &Env<'_>, scope: Scope) -> Result<(), PayoutError> {
    env.actor.require(scope)?;
    if ownership::has(env.actor, None) { Ok(()) } else { Err(PayoutError::RunNotFound) }
}

pub(super) fn written(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    run: PayoutRun,
    kind: EventKind,
    name: &'static str,
    reason: Option<&str>,
) -> Result<PayoutRun, PayoutError> {
    uow.payouts().update_run(&run)?;
    uow.payouts().append_step(&step(env, &run, name, reason))?;
    uow.events().append(&[moved(env, kind, &run)?])?;
    Ok(run)
}

/// What listeners hear of a run: staff only, since a run is the operator's.
pub(super) fn moved(env: &Env<'_>, kind: EventKind, run: &PayoutRun) -> Result<NewEvent, StoreError> {
    let content = run.content.content();
    let data = RunMoved {
        run_id: run.id,
        state: run.state.code(),
        payouts: content.payouts.len() as u64,
        total_minor: content.total.0,
        version: run.version,
    };
    NewEvent::new(env, kind, run.id.uuid(), &data, &[])
}

pub(super) fn act(env: &Env<'_>) -> Act {
    Act { by: env.actor.id, at: env.now }
}

pub(super) fn step(env: &Env<'_>, run: &PayoutRun, step: &'static str, reason: Option<&str>) -> RunStep {
    RunStep {
        run: run.id,
        n: run.version,
        step,
        actor: env.actor.id,
        at: env.now,
        content_sha256: run.content.sha256(),
        reason: reason.map(str::to_owned),
    }
}

/// The signed statement that a run was approved.
fn approval(env: &Env<'_>, run: &PayoutRun) -> Result<LogItem, PayoutError> {
    let content = run.content.content();
    let statement = Statement::PayoutApproval(PayoutApproval {
        approved_by: env.actor.id,
        content_sha256: run.content.sha256(),
        kid: env.platform.kid(),
        log: env.origin.to_owned(),
        payouts: u32::try_from(content.payouts.len()).unwrap_or(u32::MAX),
        proposed_by: run.state.proposed().map(|act| act.by),
        run: run.id,
        salt: Salt(env.draw()),
        seen: env.seen,
        total: Money::aud(content.total.0).into(),
        v: VERSION,
    });
    Ok(LogItem {
        subject: run.id.uuid(),
        source: env.ids.next(),
        kind: statement.kind(),
        envelope: statement.sign(env.platform)?.into_bytes(),
        keep_envelope: true,
    })
}
