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
    /// On its way: the rail has it or is about to get it, and has not confirmed it.
    InTransit,
    /// Cannot be sent before there is money on our balance at the rail.
    WaitingForFunds,
    /// Nobody knows whether the rail has it; to be looked up, never sent under another key.
    Unknown,
    /// Confirmed.
    Settled,
    /// Came back.
    Returned,
}

impl PayoutState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::InTransit, Self::WaitingForFunds, Self::Unknown, Self::Settled, Self::Returned];

    /// Whether the money is neither with the payee nor back.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::InTransit | Self::WaitingForFunds | Self::Unknown)
    }

    /// As it is stored and shown.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::InTransit => "in_transit",
            Self::WaitingForFunds => "waiting_for_funds",
            Self::Unknown => "unknown",
            Self::Settled => "settled",
            Self::Returned => "returned",
        }
    }

    /// Reads what was stored, or what a caller asks for.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == text)
    }
}

impl Payout {
    /// Who is paid.
    #[must_use]
    pub const fn payee(&self) -> PayeeId {
        self.planned.payee
    }
}
