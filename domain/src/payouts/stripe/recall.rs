//! Taking back a part of a transfer of ours: somebody asks, Stripe is asked with no transaction open, and what it did is
//! applied as the event `transfer.reversed` is.
//!
//! The idempotency key is the id of the request, for ever; Stripe keeps it in the reversal's metadata besides. Every try
//! after the first looks up among the transfer's reversals before it asks again: nobody knows = looked up, never a second
//! key. What was reversed in all is read from Stripe and only grows ([`super::reversal::up_to`]), so whichever comes first, our answer
//! or the event, is applied, and the other changes nothing. Of one payout one request is open at a time. No more is
//! asked for than clawbacks have made recoverable: one person takes nothing back that the ledger says is the payee's. Locks:
//! sendings → requests → payouts → lines → lanes → balances → ledger head.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::names::{ReversalName, TransferName};
use super::rail::{RailError, Reversal, StripeRail};
use super::reversal;
use super::sending::{BATCH, LEASE, Point};
use super::transfer::{later, wait};
use crate::access::Scope;
use crate::directory::payee::Rail;
use crate::directory::required;
use crate::directory::text::Grounds;
use crate::env::Env;
use crate::kernel::ids::{LineId, PayoutId, TransferReversalId};
use crate::kernel::{Faults, Instant};
use crate::payouts::decide::require;
use crate::payouts::error::PayoutError;
use crate::payouts::payout::PayoutState;
use crate::payouts::repository::LockedPayout;
use crate::store::{Store, StoreError, UnitOfWork};

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecallState {
    /// Stripe is to be asked, or asked again.
    Asked,
    /// Nobody knows whether Stripe did it.
    Unknown,
    /// Stripe did it.
    Made,
    /// A definite no.
    Refused,
}

impl RecallState {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Unknown => "unknown",
            Self::Made => "made",
            Self::Refused => "refused",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Asked, Self::Unknown, Self::Made, Self::Refused].into_iter().find(|state| state.as_str() == text)
    }

    /// Whether something may still come of it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Asked | Self::Unknown)
    }
}

/// A request to take back a part of a transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recall {
    /// Its id, and the idempotency key.
    pub id: TransferReversalId,
    /// The payout.
    pub payout: PayoutId,
    /// Its transfer.
    pub transfer: TransferName,
    /// How much, in cents.
    pub amount_minor: i64,
    /// Why.
    pub reason: Grounds,
    /// Where it stands.
    pub state: RecallState,
    /// The reversal that it became.
    pub reversal: Option<ReversalName>,
    /// What the last try came to, in words.
    pub detail: Option<String>,
    /// How often Stripe was asked.
    pub attempts: u32,
    /// When it is tried again.
    pub next_at: Option<Instant>,
    /// Who asked.
    pub asked_by: Uuid,
    /// When.
    pub asked_at: Instant,
    /// When it ended.
    pub done_at: Option<Instant>,
}

/// What somebody asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskRecall {
    /// How much, in cents: at most what is to be got back of the payout's lines, which is meant when it is not said.
    pub amount_minor: Option<i64>,
    /// Why.
    pub reason: Grounds,
}

impl AskRecall {
    /// Checks `/amount/amount`, `/amount/currency` and `/reason`.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(amount: Option<(i64, &str)>, reason: Option<&str>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let amount_minor = amount.map(|(amount_minor, _)| amount_minor);
        if amount.is_some_and(|(_, currency)| currency != "AUD") {
            faults.push("/amount/currency", "unknown_value", "expected AUD");
        } else if amount_minor.is_some_and(|amount| amount <= 0) {
            faults.push("/amount/amount", "out_of_range", "expected a positive amount");
        }
        let reason = required(&mut faults, "/reason", reason, Grounds::parse);
        faults.clone().check()?;
        reason.map(|reason| Self { amount_minor, reason }).ok_or(faults)
    }
}

/// Keeps a request. Stripe is asked by [`turn`]; where the service is not connected to it, nothing is kept: the payee would
/// wait for ever.
///
/// # Errors
/// See [`PayoutError`].
pub fn ask(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    payout: PayoutId,
    command: &AskRecall,
    is_connected: bool,
) -> Result<Recall, PayoutError> {
    require(env, Scope::PayoutsExecute)?;
    let sending = uow.stripe().lock_sendings(&[payout])?.into_iter().next();
    let locked = uow.payouts().lock_payouts(&[payout])?.into_iter().next().ok_or(PayoutError::PayoutNotFound)?;
    let sent = sending.and_then(|sending| sending.transfer);
    let Some(transfer) = sent.filter(|_| locked.rail == Rail::Stripe && matches!(locked.state, PayoutState::Settled))
    else {
        return Err(PayoutError::NotReversible);
    };
    if !is_connected {
        return Err(PayoutError::StripeNotConfigured);
    }
    // The lines are locked first: of two requests that share one, the second sees the first.
    let owed_minor = to_be_got_back(uow, &locked)?;
    if uow.stripe().find_open_recall(payout)? {
        return Err(PayoutError::ReversalOpen);
    }
    if owed_minor == 0 {
        return Err(PayoutError::NothingToGetBack);
    }
    let asked = command.amount_minor.unwrap_or(owed_minor);
    if asked > owed_minor {
        return Err(fault(
            "/amount/amount",
            "out_of_range",
            &format!("{owed_minor} cents are to be got back of its lines"),
        ));
    }
    let recall = Recall {
        id: TransferReversalId::new(env.ids.next()),
        payout,
        transfer,
        amount_minor: asked,
        reason: command.reason.clone(),
        state: RecallState::Asked,
        reversal: None,
        detail: None,
        attempts: 0,
        next_at: Some(env.now),
        asked_by: env.actor.id,
        asked_at: env.now,
        done_at: None,
    };
    uow.stripe().insert_recall(&recall)?;
    Ok(recall)
}

/// What is to be got back of a payout's lines, as far as the payee still has it of this payout; in cents.
fn to_be_got_back(uow: &mut dyn UnitOfWork, payout: &LockedPayout) -> Result<i64, PayoutError> {
    let back: BTreeMap<LineId, i64> = uow.stripe().list_reversed(payout.id)?.into_iter().collect();
    let sent: BTreeMap<LineId, i64> = payout.lines.iter().copied().collect();
    let ids: Vec<LineId> = sent.keys().copied().collect();
    let of_line = |line: crate::ledger::line::CommissionLine| {
        let sent_minor = sent.get(&line.id).copied().unwrap_or_default();
        let with_payee_minor = sent_minor - back.get(&line.id).copied().unwrap_or_default();
        with_payee_minor.min(line.buckets.recoverable_minor).max(0)
    };
    Ok(uow.ledger().lock_lines_by_id(&ids)?.into_iter().map(of_line).sum())
}

fn fault(pointer: &str, code: &'static str, detail: &str) -> PayoutError {
    let mut faults = Faults::default();
    faults.push(pointer, code, detail);
    PayoutError::Faults(faults)
}

/// What Stripe did, and how much of the transfer was reversed by then in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The reversal.
    pub reversal: ReversalName,
    /// All reversals of the transfer, in cents.
    pub reversed_minor: i64,
}

/// A claimed request, and what its try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedRecall {
    /// The request.
    pub claimed: Recall,
    /// What Stripe did, or why it did not.
    pub result: Result<Taken, RailError>,
}

/// Asks Stripe. With no transaction open.
#[must_use]
pub fn attempt(rail: &dyn StripeRail, claimed: Recall) -> TriedRecall {
    let result = asked(rail, &claimed);
    TriedRecall { claimed, result }
}

fn asked(rail: &dyn StripeRail, claimed: &Recall) -> Result<Taken, RailError> {
    let key = claimed.id.to_string();
    if claimed.attempts > 1 {
        // Whatever a look-up says that is no reversal says nothing about the request.
        let known = rail.list_reversals(&claimed.transfer);
        let known = known.map_err(|error| RailError::Again(format!("looking it up: {error}")))?;
        if let Some(taken) = taken(claimed, &key, &known)? {
            return Ok(taken);
        }
    }
    let _ = rail.reverse_transfer(&key, &claimed.transfer, claimed.amount_minor)?;
    let known = rail.list_reversals(&claimed.transfer);
    let known = known.map_err(|error| RailError::Unknown(format!("done, and not yet seen: {error}")))?;
    taken(claimed, &key, &known)?.ok_or_else(|| RailError::Unknown("done, and not yet listed".to_owned()))
}

/// The reversal of a request among those of its transfer.
fn taken(claimed: &Recall, key: &str, known: &[Reversal]) -> Result<Option<Taken>, RailError> {
    let Some(ours) = known.iter().find(|reversal| reversal.key.as_deref() == Some(key)) else { return Ok(None) };
    if ours.amount_minor != claimed.amount_minor {
        let (is, wanted) = (ours.amount_minor, claimed.amount_minor);
        return Err(RailError::Unknown(format!("{} is over {is} cents, not {wanted}", ours.id)));
    }
    let reversed_minor = known.iter().map(|reversal| reversal.amount_minor).sum();
    Ok(Some(Taken { reversal: ours.id.clone(), reversed_minor }))
}

/// Records what came of a try. Said again, it changes nothing.
///
/// # Errors
/// See [`PayoutError`].
pub fn record(uow: &mut dyn UnitOfWork, env: &Env<'_>, tried: &TriedRecall) -> Result<(), PayoutError> {
    let _ = uow.stripe().lock_sendings(&[tried.claimed.payout])?;
    let Some(recall) = uow.stripe().lock_recall(tried.claimed.id)? else { return Ok(()) };
    if !recall.state.is_open() {
        return Ok(());
    }
    let again = Some(later(env.now, wait(recall.attempts.max(1), 0)));
    let ended = |state| Recall { state, next_at: None, done_at: Some(env.now), ..recall.clone() };
    let after = match &tried.result {
        Ok(taken) => Recall { reversal: Some(taken.reversal.clone()), detail: None, ..ended(RecallState::Made) },
        Err(error @ (RailError::Refused { .. } | RailError::InsufficientFunds(_))) => {
            Recall { detail: Some(error.to_string()), ..ended(RecallState::Refused) }
        }
        Err(error @ RailError::Again(_)) => {
            Recall { detail: Some(error.to_string()), next_at: again, ..recall.clone() }
        }
        Err(error @ RailError::Unknown(_)) => {
            let detail = Some(error.to_string());
            Recall { state: RecallState::Unknown, detail, next_at: again, ..recall.clone() }
        }
    };
    uow.stripe().update_recall(&after)?;
    if let Ok(taken) = &tried.result {
        reversal::up_to(uow, env, recall.payout, taken.reversed_minor)?;
    }
    Ok(())
}

/// Claims what is due, asks Stripe and records. Returns how many were tried. `pass` is told each [`Point`].
///
/// # Errors
/// See [`PayoutError`].
pub fn turn(
    store: &dyn Store,
    rail: &dyn StripeRail,
    env: &Env<'_>,
    pass: &dyn Fn(Point),
) -> Result<usize, PayoutError> {
    let claimed: Vec<Recall> = store.transaction(|uow| {
        uow.stripe().claim_recalls(env.now, later(env.now, LEASE), BATCH).map_err(PayoutError::from)
    })?;
    let try_one = |claimed| {
        pass(Point::BeforeCall);
        let tried = attempt(rail, claimed);
        pass(Point::AfterCall);
        tried
    };
    let record_one = |tried: &TriedRecall| {
        store.transaction(|uow| {
            record(uow, env, tried)?;
            pass(Point::BeforeCommit);
            Ok::<_, PayoutError>(())
        })?;
        pass(Point::AfterCommit);
        Ok(())
    };
    let tried: Vec<TriedRecall> = claimed.into_iter().map(try_one).collect();
    // One that cannot be recorded now does not hold up the others of its batch.
    let recorded: Vec<Result<(), PayoutError>> = tried.iter().map(record_one).collect();
    recorded.into_iter().collect::<Result<Vec<()>, _>>().map(|recorded| recorded.len())
}

/// Requests, inside a transaction.
pub trait RecallRepository {
    /// Whether something may still come of an earlier request about the payee of a payout, whose lines are locked.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_open_recall(&mut self, payout: PayoutId) -> Result<bool, StoreError>;

    /// Keeps a request.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_recall(&mut self, recall: &Recall) -> Result<(), StoreError>;

    /// Claims what is due and nobody else's, until a moment, at most so many.
    ///
    /// # Errors
    /// The failure of the store.
    fn claim_recalls(&mut self, at: Instant, until: Instant, limit: u32) -> Result<Vec<Recall>, StoreError>;

    /// Locks a request.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_recall(&mut self, id: TransferReversalId) -> Result<Option<Recall>, StoreError>;

    /// Writes a request as it stands now; its claim ends.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_recall(&mut self, recall: &Recall) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recall() -> Recall {
        let at = Instant::new(jiff::Timestamp::from_second(1_700_000_000).expect("a second"));
        Recall {
            id: TransferReversalId::new(Uuid::from_u128(7)),
            payout: PayoutId::new(Uuid::from_u128(9)),
            transfer: TransferName::parse("tr_1").expect("a name"),
            amount_minor: 500,
            reason: Grounds::parse("It unwound").expect("grounds"),
            state: RecallState::Asked,
            reversal: None,
            detail: None,
            attempts: 2,
            next_at: None,
            asked_by: Uuid::from_u128(1),
            asked_at: at,
            done_at: None,
        }
    }

    #[test]
    fn only_the_reversal_that_carries_our_key_over_our_amount_is_ours() {
        let (recall, key) = (recall(), recall().id.to_string());
        let known = |key: Option<&str>, amount_minor| Reversal {
            id: ReversalName::parse("trr_1").expect("a name"),
            amount_minor,
            key: key.map(str::to_owned),
        };
        let others = [known(None, 500), known(Some("another"), 500)];
        assert_eq!(taken(&recall, &key, &others), Ok(None));
        let found = taken(&recall, &key, &[known(None, 30), known(Some(&key), 500)]);
        assert_eq!(found.map(|taken| taken.map(|taken| taken.reversed_minor)), Ok(Some(530)));
        assert!(matches!(taken(&recall, &key, &[known(Some(&key), 501)]), Err(RailError::Unknown(_))));
    }
}
