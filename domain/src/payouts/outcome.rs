//! What became of payouts: the rail says that they arrived, or that they came back.
//!
//! Invariants: a payout is settled once, and comes back once, whoever says so and however often; each outcome
//! is one entry over the payout's whole amount, by line; what comes back may be paid again, but what was
//! withheld or set off when it was sent stays so. A payout may come back after it has arrived. Locks: payouts
//! → lines → lanes → balances → ledger head. Bounds: a fixed number of statements for any number of payouts.

use std::collections::BTreeMap;

use jiff::civil::Date;
use uuid::Uuid;

use super::error::PayoutError;
use super::payout::PayoutState;
use super::repository::{LockedPayout, PayoutStep};
use crate::directory::payee::Rail;
use crate::env::Env;
use crate::events::data::PayoutMoved;
use crate::events::{EventKind, NewEvent};
use crate::kernel::ids::{EntryId, LineId, PayoutId};
use crate::ledger::account::{AccountKey, AccountKind};
use crate::ledger::entry::{EntryDraft, EntryKind, Posting};
use crate::ledger::line::{CommissionLine, LineError};
use crate::ledger::posting;
use crate::store::{StoreError, UnitOfWork};

/// What a rail says of a payout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The payout.
    pub payout: PayoutId,
    /// What became of it.
    pub came: Came,
    /// The date of the rail.
    pub effective_on: Date,
    /// What says so.
    pub source: Uuid,
}

/// How a payout ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// It arrived.
    Through,
    /// It came back.
    Back {
        /// Why, in the rail's words.
        reason: String,
    },
}

/// The account of ours that a payout is paid from.
#[must_use]
pub const fn paid_from(payout: &LockedPayout) -> AccountKey {
    match payout.rail {
        Rail::Aba => AccountKey::of_party(AccountKind::Cash, payout.bank_account.uuid()),
        Rail::Stripe => AccountKey::of_platform(AccountKind::StripeBalance),
    }
}

/// Writes down what became of payouts. Said again, it changes nothing: returned are the payouts that moved.
///
/// The caller has decided that whoever says so may; at most one outcome per payout counts.
///
/// # Errors
/// See [`PayoutError`]; an unknown payout is passed over.
pub fn record(uow: &mut dyn UnitOfWork, env: &Env<'_>, outcomes: &[Outcome]) -> Result<Vec<PayoutId>, PayoutError> {
    let said: BTreeMap<PayoutId, &Outcome> = outcomes.iter().map(|outcome| (outcome.payout, outcome)).collect();
    let payouts = uow.payouts().lock_payouts(&said.keys().copied().collect::<Vec<_>>())?;
    let moving: Vec<(&LockedPayout, &Outcome)> = payouts
        .iter()
        .filter_map(|p| said.get(&p.id).map(|o| (p, *o)))
        .filter(|(p, o)| moves(p.state, &o.came))
        .collect();
    if moving.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<LineId> = moving.iter().flat_map(|(p, _)| p.lines.iter().map(|(line, _)| *line)).collect();
    let mut lines: BTreeMap<LineId, CommissionLine> =
        uow.ledger().lock_lines_by_id(&ids)?.into_iter().map(|line| (line.id, line)).collect();
    let mut drafts = Vec::with_capacity(moving.len());
    let (mut steps, mut events) = (Vec::new(), Vec::new());
    for (payout, outcome) in &moving {
        drafts.push(draft(env, payout, outcome, postings(payout, outcome, &mut lines)?));
        steps.push(step(outcome));
        events.push(told(env, payout, outcome)?);
    }
    let lines: Vec<CommissionLine> = lines.into_values().collect();
    uow.payouts().move_payouts(&steps, env.now)?;
    uow.ledger().save_lines(&lines)?;
    uow.events().append(&events)?;
    posting::post(uow, env, drafts)?;
    Ok(moving.iter().map(|(payout, _)| payout.id).collect())
}

/// Whether an outcome moves a payout that stands so.
const fn moves(state: PayoutState, came: &Came) -> bool {
    match came {
        Came::Through => state.is_open(),
        Came::Back { .. } => state.is_open() || matches!(state, PayoutState::Settled),
    }
}

fn postings(
    payout: &LockedPayout,
    outcome: &Outcome,
    lines: &mut BTreeMap<LineId, CommissionLine>,
) -> Result<Vec<Posting>, LineError> {
    let ours = paid_from(payout);
    let mut postings = Vec::with_capacity(2 * payout.lines.len());
    for &(line, amount_minor) in &payout.lines {
        let line = lines.get_mut(&line).ok_or(LineError { line, amount_minor })?;
        postings.extend(match (&outcome.came, payout.state) {
            (Came::Through, _) => line.pay(amount_minor, ours)?,
            (Came::Back { .. }, PayoutState::Settled) => line.pay_back(amount_minor, ours)?,
            (Came::Back { .. }, _) => line.come_back(amount_minor)?,
        });
    }
    Ok(postings)
}

fn draft(env: &Env<'_>, payout: &LockedPayout, outcome: &Outcome, postings: Vec<Posting>) -> EntryDraft {
    EntryDraft {
        id: EntryId::new(env.ids.next()),
        kind: match outcome.came {
            Came::Through => EntryKind::PayoutSettled,
            Came::Back { .. } => EntryKind::PayoutReturned,
        },
        deal: None,
        payee: Some(payout.payee),
        source: payout.id.uuid(),
        effective_on: outcome.effective_on,
        postings,
        visible_to: payout.visible_to.clone(),
    }
}

fn step(outcome: &Outcome) -> PayoutStep {
    let (state, reason) = match &outcome.came {
        Came::Through => (PayoutState::Settled, None),
        Came::Back { reason } => (PayoutState::Returned, Some(reason.clone())),
    };
    PayoutStep { payout: outcome.payout, state, effective_on: outcome.effective_on, source: outcome.source, reason }
}

fn told(env: &Env<'_>, payout: &LockedPayout, outcome: &Outcome) -> Result<NewEvent, StoreError> {
    let data = PayoutMoved {
        payout_id: payout.id,
        run_id: payout.run,
        payee_id: payout.payee,
        amount_minor: payout.amount_minor,
        reference: payout.reference.clone(),
    };
    let kind = match outcome.came {
        Came::Through => EventKind::PayoutSettled,
        Came::Back { .. } => EventKind::PayoutReturned,
    };
    NewEvent::new(env, kind, payout.id.uuid(), &data, &payout.visible_to)
}
