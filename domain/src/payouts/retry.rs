//! Sends again what came back: a new payout, linked to the one that came back, in a run of its own.
//!
//! The run is a preview like any other: it needs a proposal and somebody else's approval, and executing it checks that
//! the money is still there. Invariants: it pays what came back and no more, of the same lines; tax and set-off of
//! the first payout stay, none is worked out anew, but clawbacks that came since are taken; a payout is retried once;
//! if another run has paid the money meanwhile there is nothing to retry. Where the money goes is the payee's
//! bank account of now. Locks: payout → payee → lines.

use std::collections::BTreeMap;

use super::bank_account::BankAccount;
use super::content::{FrozenContent, RunContent, Skip, SkippedPayee};
use super::decide::{self, require};
use super::error::PayoutError;
use super::payout::PayoutState;
use super::plan;
use super::purse;
use super::repository::LockedPayout;
use super::run::{PayoutRun, RunState, TransitionError};
use super::stripe::sending;
use crate::access::Scope;
use crate::directory::payee::Rail;
use crate::env::Env;
use crate::events::EventKind;
use crate::kernel::Cents;
use crate::kernel::ids::{LineId, PayoutId, PayoutRunId};
use crate::ledger::line::CommissionLine;
use crate::store::UnitOfWork;

/// What a retry comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retried {
    /// A run that sends again what came back, previewed.
    Run(Box<PayoutRun>),
    /// A payout by Stripe of which nobody knows, or that waits: it is looked up and sent now, under its own key.
    Resent(PayoutId),
}

/// Sends a payout by Stripe that is open again; otherwise previews a run that pays again what a payout by bank file
/// sent and the bank sent back.
///
/// # Errors
/// See [`PayoutError`]: not found, not returned, retried already, nothing there to be paid, or not payable and why.
pub fn retry(uow: &mut dyn UnitOfWork, env: &Env<'_>, payout: PayoutId) -> Result<Retried, PayoutError> {
    require(env, Scope::PayoutsWrite)?;
    if sending::retry(uow, env, payout)? {
        return Ok(Retried::Resent(payout));
    }
    let payout = locked(uow, payout)?;
    if payout.state != PayoutState::Returned {
        return Err(TransitionError::WrongState { from: payout.state.code(), to: "retried" }.into());
    }
    if payout.rail != Rail::Aba {
        return Err(PayoutError::OtherRail);
    }
    if uow.payouts().is_retried(payout.id)? {
        return Err(PayoutError::Retried);
    }
    let account = uow.payouts().find_bank_account(payout.bank_account)?.ok_or(PayoutError::BankAccountNotFound)?;
    let id = PayoutRunId::new(env.ids.next());
    let content = worked_out(uow, env, id, &account, payout.id)?;
    if let Some(skipped) = content.content().skipped.first() {
        return Err(PayoutError::NotPayable(skipped.code));
    }
    if content.content().payouts.is_empty() {
        return Err(TransitionError::NothingToPay.into());
    }
    let run = PayoutRun {
        id,
        bank_account: account.id,
        cut_off_on: env.now.sydney_date(),
        content,
        created: decide::act(env),
        state: RunState::Previewed { voided: None },
        version: 1,
    };
    uow.payouts().insert_run(&run)?;
    uow.payouts().append_step(&decide::step(env, &run, "previewed", None))?;
    uow.events().append(&[decide::moved(env, EventKind::RunPreviewed, &run)?])?;
    Ok(Retried::Run(Box::new(run)))
}

fn locked(uow: &mut dyn UnitOfWork, payout: PayoutId) -> Result<LockedPayout, PayoutError> {
    uow.payouts().lock_payouts(&[payout])?.pop().ok_or(PayoutError::PayoutNotFound)
}

/// The payout that a run retries, if it does.
#[must_use]
pub fn retried(content: &RunContent) -> Option<PayoutId> {
    content.payouts.iter().find_map(|payout| payout.retry_of)
}

/// The content of a run that retries a payout, as things lie now.
pub(super) fn worked_out(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    run: PayoutRunId,
    account: &BankAccount,
    payout: PayoutId,
) -> Result<FrozenContent, PayoutError> {
    let payout = locked(uow, payout)?;
    let today = env.now.sydney_date();
    let standings = uow.payouts().lock_standings(&[payout.payee])?;
    let lines = came_back(uow.payouts().lock_payable_lines(&[payout.payee])?, &payout);
    let mut content = RunContent::nothing(run, account.id, today);
    let Some(standing) = standings.first() else { return Err(PayoutError::PayoutNotFound) };
    let cap = standing.recovery.on(today);
    let (gross, recoverable) = purse::sums(&lines, today, cap);
    let planned = match plan::bank_of(standing, env.now) {
        _ if gross == 0 => return Ok(FrozenContent::freeze(content)?),
        Err(code) => Err(code),
        Ok(_) if gross <= recoverable => Err(Skip::NothingNet),
        Ok(bank) => Ok(purse::again(PayoutId::new(env.ids.next()), payout.id, (standing.id, bank), &lines, today, cap)),
    };
    match planned {
        Ok(planned) => {
            content.total = planned.net;
            content.payouts.push(planned);
        }
        Err(code) => content.skipped.push(SkippedPayee {
            code,
            gross: Cents(gross),
            payee: standing.id,
            recoverable: Cents(recoverable),
        }),
    }
    Ok(FrozenContent::freeze(content)?)
}

/// The payee's lines as the retry may use them: of the payout's own lines at most what it had sent, of all others
/// nothing but what is to be got back.
fn came_back(lines: Vec<CommissionLine>, payout: &LockedPayout) -> Vec<CommissionLine> {
    let sent: BTreeMap<LineId, i64> = payout.lines.iter().copied().collect();
    lines
        .into_iter()
        .map(|mut line| {
            let most = sent.get(&line.id).copied().unwrap_or(0);
            line.buckets.available_minor = line.buckets.available_minor.min(most);
            line
        })
        .collect()
}
