//! Sends payouts: one transaction claims, Stripe is asked with none open, another one records.
//!
//! A claim is a lease: who dies with it is taken for dead when it runs out, and whoever comes next looks up what
//! the dead one may have made before it sends. Every try after the first looks up first. Locks: sendings →
//! payouts → lines → lanes → balances → ledger head.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::names::AccountName;
use super::rail::{RailError, StripeRail, Transfer};
use super::reversal;
use super::transfer::{Claimed, Outcome, Sending, contradiction, later};
use crate::directory::payee::Rail;
use crate::env::Env;
use crate::kernel::ids::PayoutId;
use crate::payouts::error::PayoutError;
use crate::payouts::outcome::{self, Came};
use crate::payouts::repository::{LockedPayout, PayoutStep};
use crate::store::{Store, StoreError, UnitOfWork};

/// Payouts that are claimed in one transaction.
pub const BATCH: u32 = 8;
/// Whoever claims and has not recorded by then is taken for dead.
pub const LEASE: SignedDuration = SignedDuration::from_mins(10);
/// How long one request to Stripe may take, in seconds; a try is at most three.
pub const PATIENCE_SECONDS: u32 = 20;
const _: () = assert!(LEASE.as_secs() > 3 * (PATIENCE_SECONDS * BATCH) as i64, "a lease outlives its batch");

/// A claimed payout, and what its try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The payout.
    pub claimed: Claimed,
    /// The transfer, or why there is none.
    pub result: Result<Transfer, RailError>,
}

/// Where a process may end, for tests of crashes. The service passes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Claimed, Stripe not asked.
    BeforeCall,
    /// Stripe asked, nothing recorded.
    AfterCall,
    /// Everything written, not committed.
    BeforeCommit,
    /// Committed.
    AfterCommit,
}

/// Claims what is due, executed payouts that nobody has taken up among it.
///
/// # Errors
/// The failure of the store.
pub fn claim(uow: &mut dyn UnitOfWork, env: &Env<'_>, limit: u32) -> Result<Vec<Claimed>, StoreError> {
    uow.stripe().take_up(env.now)?;
    uow.stripe().claim_sendings(env.now, later(env.now, LEASE), limit)
}

/// Asks Stripe. With no transaction open.
#[must_use]
pub fn attempt(rail: &dyn StripeRail, claimed: Claimed) -> Tried {
    let asked = claimed.transfer();
    let found = if claimed.attempts > 1 {
        // Whatever a look-up says that is no transfer says nothing about the payout.
        rail.find_transfer(&asked).map_err(|error| RailError::Again(format!("looking it up: {error}")))
    } else {
        Ok(None)
    };
    let result = match found {
        Ok(Some(transfer)) => Ok(transfer),
        Ok(None) => rail.create_transfer(&asked),
        Err(error) => Err(error),
    };
    Tried { claimed, result }
}

/// Records what came of tries. Said again, it changes nothing.
///
/// # Errors
/// See [`PayoutError`].
pub fn record(uow: &mut dyn UnitOfWork, env: &Env<'_>, tried: &[Tried]) -> Result<(), PayoutError> {
    let ids: Vec<PayoutId> = tried.iter().map(|tried| tried.claimed.payout).collect();
    let sendings = index(uow.stripe().lock_sendings(&ids)?);
    let payouts: BTreeMap<PayoutId, LockedPayout> =
        uow.payouts().lock_payouts(&ids)?.into_iter().map(|payout| (payout.id, payout)).collect();
    let (mut after, mut outcomes, mut steps, mut reversed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for tried in tried {
        let payout_id = tried.claimed.payout;
        let (Some(sending), Some(payout)) = (sendings.get(&payout_id), payouts.get(&payout_id)) else { continue };
        let next = match &tried.result {
            Ok(transfer) => match tried.claimed.contradiction(transfer) {
                Some(why) => sending.clone().contradicted(why, env.now),
                None => {
                    outcomes.push(through(payout_id, transfer));
                    reversed.push((payout_id, transfer.reversed_minor));
                    sending.clone().made(transfer)
                }
            },
            Err(error) => sending.clone().failed(error, env.now, draw(env)),
        };
        if let (Some(Outcome::Refused), Err(error)) = (next.outcome, &tried.result) {
            outcomes.push(back(env, payout_id, error.to_string()));
        }
        let state = next.payout_state(payout.state);
        if payout.state.is_open() && state != payout.state {
            steps.push(PayoutStep {
                payout: payout_id,
                state,
                effective_on: env.now.sydney_date(),
                source: payout_id.uuid(),
                reason: next.detail.clone(),
            });
        }
        after.push(next);
    }
    uow.stripe().update_sendings(&after)?;
    if !steps.is_empty() {
        uow.payouts().move_payouts(&steps, env.now)?;
    }
    outcome::record(uow, env, &outcomes)?;
    for (payout, reversed_minor) in reversed {
        reversal::up_to(uow, env, payout, reversed_minor)?;
    }
    Ok(())
}

/// An event says that there is this transfer. `None` if it is none of ours; otherwise why it contradicts us, if so.
///
/// # Errors
/// See [`PayoutError`].
pub fn told(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    transfer: &Transfer,
) -> Result<Option<Result<(), String>>, PayoutError> {
    let Some(payout_id) = transfer.payout else { return Ok(None) };
    let sendings = uow.stripe().lock_sendings(&[payout_id])?;
    let Some(sending) = sendings.into_iter().next() else { return Ok(None) };
    let Some((amount_minor, destination)) = uow.stripe().find_asked(payout_id)? else { return Ok(None) };
    if let Some(why) = contradiction(payout_id, amount_minor, &destination, transfer) {
        return Ok(Some(Err(why)));
    }
    if let Some(other) = sending.transfer.as_ref().filter(|id| **id != transfer.id) {
        return Ok(Some(Err(format!("{payout_id} is {other} already, and {} says that it is too", transfer.id))));
    }
    uow.stripe().update_sendings(&[sending.made(transfer)])?;
    outcome::record(uow, env, &[through(payout_id, transfer)])?;
    reversal::up_to(uow, env, payout_id, transfer.reversed_minor)?;
    Ok(Some(Ok(())))
}

/// Sends a payout again that is open, now: under its own key, after looking it up; it was approved already. `false` if
/// it is not Stripe's, or not open. The caller has asked whether the actor may ([`super::super::retry`]).
///
/// # Errors
/// See [`PayoutError`].
pub(in crate::payouts) fn retry(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    payout: PayoutId,
) -> Result<bool, PayoutError> {
    let sending = uow.stripe().lock_sendings(&[payout])?.into_iter().next();
    let locked = uow.payouts().lock_payouts(&[payout])?.into_iter().next();
    let (Some(sending), Some(locked)) = (sending, locked) else { return Ok(false) };
    if locked.rail != Rail::Stripe || !locked.state.is_open() {
        return Ok(false);
    }
    uow.stripe().update_sendings(&[Sending { next_at: Some(env.now), ..sending }])?;
    Ok(true)
}

/// Claims, sends and records what is due. Returns how many were tried. `pass` is told each [`Point`].
///
/// # Errors
/// See [`PayoutError`].
pub fn turn(
    store: &dyn Store,
    rail: &dyn StripeRail,
    env: &Env<'_>,
    limit: u32,
    pass: &dyn Fn(Point),
) -> Result<usize, PayoutError> {
    let claimed = store.transaction(|uow| claim(uow, env, limit))?;
    let tried: Vec<Tried> = claimed
        .into_iter()
        .map(|claimed| {
            pass(Point::BeforeCall);
            let tried = attempt(rail, claimed);
            pass(Point::AfterCall);
            tried
        })
        .collect();
    if tried.is_empty() {
        return Ok(0);
    }
    store.transaction(|uow| {
        record(uow, env, &tried)?;
        pass(Point::BeforeCommit);
        Ok::<_, PayoutError>(())
    })?;
    pass(Point::AfterCommit);
    Ok(tried.len())
}

fn index(sendings: Vec<Sending>) -> BTreeMap<PayoutId, Sending> {
    sendings.into_iter().map(|sending| (sending.payout, sending)).collect()
}

fn draw(env: &Env<'_>) -> u32 {
    let [a, b, c, d, ..] = env.draw();
    u32::from_be_bytes([a, b, c, d])
}

fn through(payout: PayoutId, transfer: &Transfer) -> outcome::Outcome {
    let effective_on = transfer.created_at.sydney_date();
    outcome::Outcome { payout, came: Came::Through, effective_on, source: payout.uuid() }
}

fn back(env: &Env<'_>, payout: PayoutId, reason: String) -> outcome::Outcome {
    let effective_on = env.now.sydney_date();
    outcome::Outcome { payout, came: Came::Back { reason }, effective_on, source: payout.uuid() }
}

/// What was asked of Stripe for a payout: how much, and to whom.
pub type Asked = (i64, AccountName);
