//! A payout: money that was sent to one payee by one run.

use uuid::Uuid;

use super::content::PlannedPayout;
use crate::kernel::ids::{PayeeId, PayoutRunId};

/// A payout as it is written when its run is executed. Its id, amounts, lines and reference are those
/// that were approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payout {
    /// The run.
    pub run: PayoutRunId,
    /// What was approved.
    pub planned: PlannedPayout,
    /// The payee's organisation, and the member whose lines alone it pays.
    pub visible_to: Vec<Uuid>,
}

/// Where a payout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayoutState {
    /// Sent; the bank has not confirmed it.
    InTransit,
    /// Confirmed.
    Settled,
    /// Came back.
    Returned,
}

impl PayoutState {
    /// As it is stored and shown.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::InTransit => "in_transit",
            Self::Settled => "settled",
            Self::Returned => "returned",
        }
    }

    /// Reads what was stored, or what a caller asks for.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::InTransit, Self::Settled, Self::Returned].into_iter().find(|state| state.code() == text)
    }
}

impl Payout {
    /// Who is paid.
    #[must_use]
    pub const fn payee(&self) -> PayeeId {
        self.planned.payee
    }
}
