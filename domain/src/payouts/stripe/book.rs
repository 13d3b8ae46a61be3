//! Stripe's own book of our balance against the ledger, to the cent.
//!
//! The worker reads Stripe's movements, each once. Transfers and their reversals have entries of ours already;
//! everything else (top-ups, payouts to our bank, fees) is booked by a person against one of our bank accounts
//! or the rail's fees, once. Until then it is a difference, and has a name.

use uuid::Uuid;

use super::names::TransactionName;
use super::rail::{BalanceTransaction, RailError, StripeRail};
use crate::access::{MissingScope, Scope};
use crate::env::Env;
use crate::kernel::Instant;
use crate::kernel::ids::{BankAccountId, EntryId};
use crate::ledger::account::{AccountKey, AccountKind};
use crate::ledger::entry::{EntryDraft, EntryKind, Posting};
use crate::ledger::posting;
use crate::store::{Store, StoreError, UnitOfWork, UseCaseError};

/// Pages of Stripe's book that are read in one go, at most: 10,000 movements.
const PAGES: usize = 100;
/// Differences that are named, at most.
pub const NAMED: i64 = 200;

/// Why a movement was not booked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BookingError {
    /// The actor lacks a scope.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// Stripe's book, as far as it was read, has no such movement.
    #[error("there is no such movement of the Stripe balance")]
    NotFound,
    /// None of our bank accounts.
    #[error("there is no such bank account")]
    BankAccountNotFound,
    /// Booked, or a transfer or its reversal, which have their entries.
    #[error("this movement has its entry already")]
    Booked,
    /// The ledger cannot take it.
    #[error("the ledger refused: {0}")]
    Ledger(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UseCaseError for BookingError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::MissingScope(_) | Self::NotFound | Self::BankAccountNotFound | Self::Booked | Self::Ledger(_) => None,
        }
    }
}

/// Why Stripe's book was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Stripe.
    #[error(transparent)]
    Rail(#[from] RailError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a movement gets into the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Booked {
    /// By the transfer's or its reversal's own entry.
    ByItsTransfer,
    /// Between our Stripe balance and a bank account of ours.
    BetweenOurs,
    /// As a fee of the rail.
    AsFee,
}

/// How a kind of movement gets into the ledger.
#[must_use]
pub fn booked(kind: &str) -> Booked {
    match kind {
        "transfer" | "transfer_refund" | "transfer_cancel" | "transfer_failure" => Booked::ByItsTransfer,
        "topup" | "topup_reversal" | "payout" | "payout_cancel" | "payout_failure" => Booked::BetweenOurs,
        _ => Booked::AsFee,
    }
}

/// Reads what Stripe's book has more than before. Returns how many movements were new.
///
/// # Errors
/// See [`ReadError`].
pub fn read(store: &dyn Store, rail: &dyn StripeRail, env: &Env<'_>) -> Result<usize, ReadError> {
    let (mut before, mut news) = (None, 0);
    for _ in 0..PAGES {
        let page = rail.list_balance_transactions(before.as_ref())?;
        let Some(last) = page.last() else { break };
        before = Some(last.id.clone());
        let new = store.transaction(|uow| uow.stripe().append_transactions(&page, env.now))?;
        news += new;
        // A page of which something is known is followed by known ones only.
        if new < page.len() {
            break;
        }
    }
    Ok(news)
}

/// Books a movement that is no transfer. Returns its entry.
///
/// # Errors
/// See [`BookingError`].
pub fn book(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: &TransactionName,
    bank_account: BankAccountId,
) -> Result<EntryId, BookingError> {
    env.actor.require(Scope::PayoutsWrite)?;
    let (movement, done) = uow.stripe().find_transaction(id)?.ok_or(BookingError::NotFound)?;
    let (kind, other) = match booked(&movement.kind) {
        Booked::BetweenOurs => (EntryKind::FundsTransfer, AccountKey::of_party(AccountKind::Cash, bank_account.uuid())),
        Booked::AsFee => (EntryKind::Fee, AccountKey::of_platform(AccountKind::RailFees)),
        Booked::ByItsTransfer => return Err(BookingError::Booked),
    };
    if done || movement.net_minor == 0 {
        return Err(BookingError::Booked);
    }
    uow.payouts().find_bank_account(bank_account)?.ok_or(BookingError::BankAccountNotFound)?;
    let entry = EntryId::new(env.ids.next());
    match uow.stripe().append_booking(id, entry, env.actor.id, env.now) {
        Err(StoreError::Violates(rule)) if rule == "stripe_booking_pkey" => return Err(BookingError::Booked),
        outcome => outcome?,
    }
    let ours = AccountKey::of_platform(AccountKind::StripeBalance);
    let draft = EntryDraft {
        id: entry,
        kind,
        deal: None,
        payee: None,
        source: entry.uuid(),
        effective_on: movement.created_at.sydney_date(),
        postings: vec![
            Posting { account: ours, amount_minor: movement.net_minor, line: None },
            Posting { account: other, amount_minor: -movement.net_minor, line: None },
        ],
        visible_to: Vec::new(),
    };
    posting::post(uow, env, vec![draft])
        .map_err(|error| error.or_words().map_or_else(BookingError::Ledger, BookingError::Store))?;
    Ok(entry)
}

/// One thing in which the two books differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// `not_booked`, `not_ours`, `not_at_stripe`, `other_amount`, `reversals`.
    pub code: String,
    /// The movement, if it is Stripe's.
    pub transaction: Option<String>,
    /// The payout, if it is of one.
    pub payout: Option<Uuid>,
    /// What Stripe's book has, in cents.
    pub stripe_minor: i64,
    /// What the ledger has, in cents.
    pub ledger_minor: i64,
}

/// The two books side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The account `stripe_balance`, in cents.
    pub ledger_minor: i64,
    /// The sum of Stripe's movements, in cents.
    pub stripe_minor: i64,
    /// How many movements were read.
    pub movements: i64,
    /// When the last new one was read.
    pub read_at: Option<Instant>,
    /// Where they differ, the first [`NAMED`].
    pub differences: Vec<Difference>,
}

impl Comparison {
    /// Whether both say the same, to the cent, movement by movement.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.ledger_minor == self.stripe_minor && self.differences.is_empty()
    }
}

/// Whether a page of movements is one of ours to keep; for adapters.
#[must_use]
pub fn net_is_whole(movement: &BalanceTransaction) -> bool {
    movement.amount_minor.checked_sub(movement.fee_minor) == Some(movement.net_minor)
}
