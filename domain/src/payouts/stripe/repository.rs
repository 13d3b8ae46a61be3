//! The ports of the Stripe rail to storage.

use uuid::Uuid;

use super::account::KeptAccount;
use super::book::Comparison;
use super::event::{Ending, StripeEvent};
use super::names::{AccountName, EventName, TransactionName};
use super::rail::BalanceTransaction;
use super::recall::{Recall, RecallRepository};
use super::reversal::Share;
use super::sending::Asked;
use super::transfer::{Claimed, Sending};
use crate::kernel::Instant;
use crate::kernel::ids::{EntryId, LineId, PayeeId, PayoutId};
use crate::store::StoreError;

/// The Stripe rail, inside a transaction.
pub trait StripeRepository: RecallRepository {
    /// Locks the account of a payee.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_account(&mut self, payee: PayeeId) -> Result<Option<KeptAccount>, StoreError>;

    /// Keeps a new account, unless the payee has one.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_account(&mut self, account: &KeptAccount) -> Result<(), StoreError>;

    /// Writes an account as it stands now.
    ///
    /// # Errors
    /// `stripe_account_taken`.
    fn update_account(&mut self, account: &KeptAccount) -> Result<(), StoreError>;

    /// Whose account it is.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_payee_of(&mut self, account: &AccountName) -> Result<Option<PayeeId>, StoreError>;

    /// Begins to send every executed payout of this rail that nobody has taken up.
    ///
    /// # Errors
    /// The failure of the store.
    fn take_up(&mut self, at: Instant) -> Result<(), StoreError>;

    /// Claims what is due and nobody else's, until a moment, at most so many.
    ///
    /// # Errors
    /// The failure of the store.
    fn claim_sendings(&mut self, at: Instant, until: Instant, limit: u32) -> Result<Vec<Claimed>, StoreError>;

    /// Locks sendings, in the order of their payouts.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_sendings(&mut self, payouts: &[PayoutId]) -> Result<Vec<Sending>, StoreError>;

    /// Writes sendings as they stand now; their claims end.
    ///
    /// # Errors
    /// `stripe_transfer_taken`.
    fn update_sendings(&mut self, sendings: &[Sending]) -> Result<(), StoreError>;

    /// What was asked of Stripe for a payout.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_asked(&mut self, payout: PayoutId) -> Result<Option<Asked>, StoreError>;

    /// Everything that waits for funds is due now.
    ///
    /// # Errors
    /// The failure of the store.
    fn wake_for_funds(&mut self, at: Instant) -> Result<(), StoreError>;

    /// What reversals took back of the lines of a payout so far.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_reversed(&mut self, payout: PayoutId) -> Result<Vec<(LineId, i64)>, StoreError>;

    /// Keeps what a reversal took back of which line; it brought what was reversed of the transfer up to an amount.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_reversed(
        &mut self,
        payout: PayoutId,
        up_to_minor: i64,
        shares: &[Share],
        at: Instant,
    ) -> Result<(), StoreError>;

    /// Keeps an event, to be applied. `false` when it is kept already.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_event(&mut self, event: &StripeEvent, at: Instant) -> Result<bool, StoreError>;

    /// Events that are due to be applied, oldest first, and how often each was tried.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_waiting_events(&mut self, at: Instant, limit: u32) -> Result<Vec<(StripeEvent, u32)>, StoreError>;

    /// Locks an event that waits; `false` if it waits no more.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_waiting_event(&mut self, id: &EventName) -> Result<bool, StoreError>;

    /// Writes what became of an event that waits.
    ///
    /// # Errors
    /// The failure of the store.
    fn end_event(&mut self, id: &EventName, ending: &Ending, at: Instant) -> Result<(), StoreError>;

    /// Keeps movements of Stripe's book that are not kept. Returns how many were not.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_transactions(&mut self, movements: &[BalanceTransaction], at: Instant) -> Result<usize, StoreError>;

    /// A movement, and whether it is booked.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_transaction(&mut self, id: &TransactionName) -> Result<Option<(BalanceTransaction, bool)>, StoreError>;

    /// Keeps by which entry a movement is in the ledger.
    ///
    /// # Errors
    /// `stripe_booking_pkey` when it is booked.
    fn append_booking(&mut self, id: &TransactionName, entry: EntryId, by: Uuid, at: Instant)
    -> Result<(), StoreError>;
}

/// The Stripe rail, to look up.
pub trait StripeQueries {
    /// The account of a payee.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_account(&mut self, payee: PayeeId) -> Result<Option<KeptAccount>, StoreError>;

    /// What was asked to be taken back of a payout's transfer, oldest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_recalls(&mut self, payout: PayoutId) -> Result<Vec<Recall>, StoreError>;

    /// Stripe's book against ours.
    ///
    /// # Errors
    /// The failure of the store.
    fn compare(&mut self) -> Result<Comparison, StoreError>;
}
