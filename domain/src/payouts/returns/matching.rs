//! Which payout a returned payment was: by reference, then amount, then the account that it went to.

use uuid::Uuid;

use super::file::{Place, ReturnedItem};
use crate::directory::payee::Rail;
use crate::kernel::ids::PayoutId;

/// A payout that has the reference of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The payout.
    pub payout: PayoutId,
    /// Its reference.
    pub reference: String,
    /// What it paid, in cents.
    pub amount_minor: i64,
    /// Whether an earlier item was this payout.
    pub is_told: bool,
    /// How it went.
    pub rail: Rail,
    /// The bank details that it went to, by their id.
    pub details: Option<Uuid>,
    /// And where they lead.
    pub place: Option<Place>,
}

/// Why an item is no payout's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmatched {
    /// No payment by bank file has the reference.
    NoSuchPayment,
    /// The payment was over another amount.
    OtherAmount,
    /// The payment went to another account.
    OtherAccount,
    /// The bank had said so before.
    AlreadyReturned,
}

impl Unmatched {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::NoSuchPayment, Self::OtherAmount, Self::OtherAccount, Self::AlreadyReturned];

    /// The word in the API and in storage.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoSuchPayment => "no_such_payment",
            Self::OtherAmount => "other_amount",
            Self::OtherAccount => "other_account",
            Self::AlreadyReturned => "already_returned",
        }
    }

    /// Reads the word.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == text)
    }
}

/// The payout of an item, among those that have its reference.
///
/// # Errors
/// Why it is none.
pub fn of<'c>(item: &ReturnedItem, candidate: Option<&'c Candidate>) -> Result<&'c Candidate, Unmatched> {
    let candidate = candidate.filter(|c| c.rail == Rail::Aba).ok_or(Unmatched::NoSuchPayment)?;
    if candidate.amount_minor != item.amount_minor {
        return Err(Unmatched::OtherAmount);
    }
    let here = [&item.to, &item.trace].into_iter().flatten().any(|place| Some(place) == candidate.place.as_ref());
    if !here {
        return Err(Unmatched::OtherAccount);
    }
    if candidate.is_told { Err(Unmatched::AlreadyReturned) } else { Ok(candidate) }
}
