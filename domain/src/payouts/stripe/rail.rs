//! The port to Stripe: what we ask of it, and what its answers mean.
//!
//! The calls block, and are made with no transaction open. What an answer means is decided by the adapter in
//! these words alone: *refused* is a definite no in Stripe's own words; *again* did nothing that counts, or what
//! it did is had by asking again under the same key; *unknown* is everything that Stripe did not say itself (a
//! time-out, a broken connection, a body that cannot be read).

use crate::kernel::Instant;
use crate::kernel::ids::{PayeeId, PayoutId, PayoutRunId};

use super::names::{AccountName, ReversalName, TransactionName, TransferName};

/// Why Stripe did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RailError {
    /// A definite no: nothing was done, and asking again would not change it.
    #[error("Stripe refused ({code}): {detail}")]
    Refused {
        /// Stripe's code, such as `account_invalid`.
        code: String,
        /// Stripe's words.
        detail: String,
    },
    /// Our balance does not hold so much: nothing was done.
    #[error("the Stripe balance does not hold so much: {0}")]
    InsufficientFunds(String),
    /// Not now: too many requests, the key is in use, an error of Stripe's, a key of ours that it does not accept.
    #[error("Stripe did not take it now: {0}")]
    Again(String),
    /// Nobody knows whether it was done.
    #[error("nobody knows whether Stripe did it: {0}")]
    Unknown(String),
}

/// The state of the capability `transfers`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Capability {
    /// Transfers may go there.
    Active,
    /// They may not.
    #[default]
    Inactive,
    /// Stripe looks at it.
    Pending,
}

impl Capability {
    /// The word of Stripe, and of storage.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Pending => "pending",
        }
    }

    /// Reads the word; what is unknown is not active.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "active" => Self::Active,
            "pending" => Self::Pending,
            _ => Self::Inactive,
        }
    }
}

/// How an account stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountState {
    /// Its id.
    pub account: AccountName,
    /// Whether transfers may go there.
    pub transfers: Capability,
    /// Whether its money gets to its bank.
    pub payouts_enabled: bool,
    /// Why not, in Stripe's words.
    pub disabled_reason: Option<String>,
}

/// Where a person goes to give Stripe what it asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLink {
    /// The page; good once.
    pub url: String,
    /// Until when.
    pub expires_at: Instant,
}

/// Pages of ours to which Stripe sends people back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnPages {
    /// When the link was used or has expired.
    pub refresh_url: String,
    /// When they are done.
    pub return_url: String,
}

/// A transfer to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTransfer {
    /// The idempotency key.
    pub key: String,
    /// How much, in cents of AUD.
    pub amount_minor: i64,
    /// To whom.
    pub destination: AccountName,
    /// The run: `transfer_group`.
    pub run: PayoutRunId,
    /// The payout: in the metadata.
    pub payout: PayoutId,
}

/// A transfer as Stripe has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Its id.
    pub id: TransferName,
    /// How much, in cents.
    pub amount_minor: i64,
    /// `aud`.
    pub currency: String,
    /// To whom.
    pub destination: Option<AccountName>,
    /// How much of it was reversed since.
    pub reversed_minor: i64,
    /// The payout that its metadata name.
    pub payout: Option<PayoutId>,
    /// When it was made.
    pub created_at: Instant,
}

/// A reversal as Stripe has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reversal {
    /// Its id.
    pub id: ReversalName,
    /// How much, in cents.
    pub amount_minor: i64,
    /// The idempotency key under which we asked for it, as its metadata have it.
    pub key: Option<String>,
}

/// Our balance at Stripe, AUD alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RailBalance {
    /// May be transferred, in cents.
    pub available_minor: i64,
    /// On its way to us, in cents.
    pub pending_minor: i64,
}

/// One movement of our balance, as Stripe's own book has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceTransaction {
    /// Its id.
    pub id: TransactionName,
    /// `transfer`, `transfer_refund`, `topup`, `payout`, `stripe_fee` …
    pub kind: String,
    /// Before fees, in cents.
    pub amount_minor: i64,
    /// The fees, in cents.
    pub fee_minor: i64,
    /// What the balance moved by, in cents.
    pub net_minor: i64,
    /// What it is of: a transfer, a reversal, a top-up.
    pub source: Option<String>,
    /// When.
    pub created_at: Instant,
}

/// What we ask of Stripe.
pub trait StripeRail: Send + Sync {
    /// Makes an account for a payee; the payee's id is the idempotency key.
    ///
    /// # Errors
    /// See [`RailError`].
    fn create_account(&self, payee: PayeeId) -> Result<AccountState, RailError>;

    /// Makes a link to the pages on which Stripe asks for what it needs.
    ///
    /// # Errors
    /// See [`RailError`].
    fn create_account_link(&self, account: &AccountName, pages: &ReturnPages) -> Result<AccountLink, RailError>;

    /// How an account stands now.
    ///
    /// # Errors
    /// See [`RailError`].
    fn find_account(&self, account: &AccountName) -> Result<AccountState, RailError>;

    /// Makes a transfer, once per key.
    ///
    /// # Errors
    /// See [`RailError`].
    fn create_transfer(&self, transfer: &NewTransfer) -> Result<Transfer, RailError>;

    /// The transfer of a payout, if there is one: among those of its run to its account, by the metadata.
    ///
    /// # Errors
    /// See [`RailError`].
    fn find_transfer(&self, transfer: &NewTransfer) -> Result<Option<Transfer>, RailError>;

    /// Takes back a part of a transfer, once per key; the key stands in the metadata too.
    ///
    /// # Errors
    /// See [`RailError`].
    fn reverse_transfer(&self, key: &str, transfer: &TransferName, amount_minor: i64) -> Result<Reversal, RailError>;

    /// All reversals of a transfer, whoever made them.
    ///
    /// # Errors
    /// See [`RailError`].
    fn list_reversals(&self, transfer: &TransferName) -> Result<Vec<Reversal>, RailError>;

    /// Our balance.
    ///
    /// # Errors
    /// See [`RailError`].
    fn balance(&self) -> Result<RailBalance, RailError>;

    /// Movements of our balance, newest first, at most 100; those before one when it is named.
    ///
    /// # Errors
    /// See [`RailError`].
    fn list_balance_transactions(&self, before: Option<&TransactionName>)
    -> Result<Vec<BalanceTransaction>, RailError>;
}
