//! What becomes of the sending of a payout: decisions as functions of values.
//!
//! The idempotency key is the payout's id. Stripe answers a key with what it answered first, a refusal too; so
//! after a refusal *in its own words* (nothing was made: the balance did not hold it) the next try adds `-` and
//! how often that was. After anything else the key stays the same, for ever: nobody knows = never a second key.
//! Waits double from [`FIRST_WAIT`] to [`LONGEST_WAIT`], with jitter.

use jiff::SignedDuration;

use super::names::{AccountName, TransferName};
use super::rail::{NewTransfer, RailError, Transfer};
use crate::kernel::Instant;
use crate::kernel::ids::{PayoutId, PayoutRunId};
use crate::payouts::payout::PayoutState;

/// The wait after the first failure.
pub const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(5);
/// The longest wait.
pub const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(1);
/// How long a payout waits for funds unless Stripe tells that some came.
pub const FUNDS_WAIT: SignedDuration = SignedDuration::from_mins(15);

/// What the last try came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The transfer was made.
    Made,
    /// Not taken, to be tried again under the same key.
    Again,
    /// Nobody knows.
    Unknown,
    /// Our balance did not hold it.
    InsufficientFunds,
    /// A definite no.
    Refused,
}

impl Outcome {
    /// As it is stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Again => "again",
            Self::Unknown => "unknown",
            Self::InsufficientFunds => "insufficient_funds",
            Self::Refused => "refused",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Made, Self::Again, Self::Unknown, Self::InsufficientFunds, Self::Refused]
            .into_iter()
            .find(|outcome| outcome.code() == text)
    }
}

/// How far the sending of a payout is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// The payout.
    pub payout: PayoutId,
    /// What it became.
    pub transfer: Option<TransferName>,
    /// How often it was tried.
    pub attempts: u32,
    /// How often our balance did not hold it.
    pub refusals: u32,
    /// What the last try came to.
    pub outcome: Option<Outcome>,
    /// In words.
    pub detail: Option<String>,
    /// When it is tried again.
    pub next_at: Option<Instant>,
    /// How much of the transfer was reversed since, in cents.
    pub reversed_minor: i64,
}

/// A payout whose sending somebody has taken on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The payout.
    pub payout: PayoutId,
    /// The run.
    pub run: PayoutRunId,
    /// To whom.
    pub destination: AccountName,
    /// How much, in cents.
    pub amount_minor: i64,
    /// Which try this is, from 1.
    pub attempts: u32,
    /// How often our balance did not hold it.
    pub refusals: u32,
}

/// The idempotency key.
#[must_use]
pub fn key(payout: PayoutId, refusals: u32) -> String {
    if refusals == 0 { payout.to_string() } else { format!("{payout}-{refusals}") }
}

impl Claimed {
    /// What is asked of Stripe.
    #[must_use]
    pub fn transfer(&self) -> NewTransfer {
        NewTransfer {
            key: key(self.payout, self.refusals),
            amount_minor: self.amount_minor,
            destination: self.destination.clone(),
            run: self.run,
            payout: self.payout,
        }
    }

    /// Why a transfer that calls itself ours is not the one that was asked for.
    #[must_use]
    pub fn contradiction(&self, transfer: &Transfer) -> Option<String> {
        contradiction(self.payout, self.amount_minor, &self.destination, transfer)
    }
}

/// Why a transfer is not that of a payout.
#[must_use]
pub fn contradiction(
    payout: PayoutId,
    amount_minor: i64,
    destination: &AccountName,
    transfer: &Transfer,
) -> Option<String> {
    let id = &transfer.id;
    if transfer.payout != Some(payout) {
        Some(format!("{id} does not name {payout}"))
    } else if transfer.amount_minor != amount_minor || transfer.currency != "aud" {
        let (is, currency) = (transfer.amount_minor, &transfer.currency);
        Some(format!("{id} is over {is} cents of {currency}, not {amount_minor} of aud"))
    } else if transfer.destination.as_ref() != Some(destination) {
        Some(format!("{id} does not go to {destination}"))
    } else {
        None
    }
}

/// The wait before the next try; `draw` is anything and spreads those that failed together over a quarter of it.
#[must_use]
pub fn wait(attempts: u32, draw: u32) -> SignedDuration {
    let doubled = FIRST_WAIT.as_secs().saturating_mul(1 << attempts.saturating_sub(1).min(20));
    let full_ms = doubled.min(LONGEST_WAIT.as_secs()) * 1000;
    let spread_ms = full_ms / 4;
    SignedDuration::from_millis(full_ms - i64::from(draw) % (spread_ms + 1))
}

impl Sending {
    /// After a try that made the transfer, or found it.
    #[must_use]
    pub fn made(self, transfer: &Transfer) -> Self {
        let (outcome, transfer) = (Some(Outcome::Made), Some(transfer.id.clone()));
        Self { transfer, outcome, detail: None, next_at: None, ..self }
    }

    /// After a try that failed. A transfer that was made stays made, whatever a slower try says.
    #[must_use]
    pub fn failed(self, error: &RailError, now: Instant, draw: u32) -> Self {
        if matches!(self.outcome, Some(Outcome::Made | Outcome::Refused)) {
            return self;
        }
        let later = later(now, wait(self.attempts, draw));
        let (outcome, refusals, next_at) = match error {
            RailError::Refused { .. } => (Outcome::Refused, self.refusals, None),
            RailError::InsufficientFunds(_) => {
                (Outcome::InsufficientFunds, self.refusals + 1, Some(self::later(now, FUNDS_WAIT)))
            }
            RailError::Again(_) if self.outcome == Some(Outcome::Unknown) => {
                (Outcome::Unknown, self.refusals, Some(later))
            }
            RailError::Again(_) => (Outcome::Again, self.refusals, Some(later)),
            RailError::Unknown(_) => (Outcome::Unknown, self.refusals, Some(later)),
        };
        Self { outcome: Some(outcome), refusals, next_at, detail: Some(error.to_string()), ..self }
    }

    /// Something calls itself this payout's transfer and is not: to be looked at by a person, and looked up again.
    #[must_use]
    pub fn contradicted(self, why: String, now: Instant) -> Self {
        let next_at = Some(later(now, LONGEST_WAIT));
        Self { outcome: Some(Outcome::Unknown), detail: Some(why), next_at, ..self }
    }

    /// The state of a payout that is open, after it.
    #[must_use]
    pub const fn payout_state(&self, before: PayoutState) -> PayoutState {
        match self.outcome {
            Some(Outcome::Unknown) => PayoutState::Unknown,
            Some(Outcome::InsufficientFunds) => PayoutState::WaitingForFunds,
            Some(Outcome::Again | Outcome::Made | Outcome::Refused) | None => before,
        }
    }
}

/// A moment after another one.
#[must_use]
pub fn later(now: Instant, wait: SignedDuration) -> Instant {
    Instant::new(now.timestamp().saturating_add(wait).unwrap_or(jiff::Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at() -> Instant {
        Instant::new(jiff::Timestamp::from_second(1_700_000_000).expect("a second"))
    }

    fn sending() -> Sending {
        Sending {
            payout: PayoutId::new(Uuid::from_u128(9)),
            transfer: None,
            attempts: 1,
            refusals: 0,
            outcome: None,
            detail: None,
            next_at: None,
            reversed_minor: 0,
        }
    }

    #[test]
    fn only_a_definite_refusal_for_want_of_funds_changes_the_key() {
        let payout = sending().payout;
        assert_eq!(key(payout, sending().refusals), payout.to_string());
        for error in [RailError::Again(String::new()), RailError::Unknown(String::new())] {
            assert_eq!(sending().failed(&error, at(), 0).refusals, 0, "{error}");
        }
        let waiting = sending().failed(&RailError::InsufficientFunds(String::new()), at(), 0);
        assert_eq!((waiting.refusals, waiting.payout_state(PayoutState::InTransit)), (1, PayoutState::WaitingForFunds));
        assert_eq!(key(payout, waiting.refusals), format!("{payout}-1"));
    }

    #[test]
    fn what_is_unknown_stays_so_until_somebody_knows() {
        let unknown = sending().failed(&RailError::Unknown("time-out".into()), at(), 0);
        assert_eq!(unknown.payout_state(PayoutState::InTransit), PayoutState::Unknown);
        let still = unknown.failed(&RailError::Again("429".into()), at(), 0);
        assert_eq!(still.outcome, Some(Outcome::Unknown));
        assert!(still.next_at.is_some());
    }

    #[test]
    fn what_was_made_stays_made_and_waits_grow_and_spread() {
        let made = Sending { outcome: Some(Outcome::Made), ..sending() };
        assert_eq!(made.clone().failed(&RailError::Unknown(String::new()), at(), 0), made);
        let seconds: Vec<i64> = (1..=12).map(|n| wait(n, 0).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
        let spread: Vec<i64> = (0..10_000).map(|draw| wait(3, draw * 77).as_millis() as i64).collect();
        assert!(spread.iter().all(|ms| (15_000..=20_000).contains(ms)));
    }
}
