//! Items: what is expected of a provider, deal by deal and month by month, as the commission lines add up.
//!
//! Invariant: the expected of all items of a provider is its revenue posted (C), since a deal's lines and its entries
//! say the same (the guarantees compare them). Amounts are cents without GST; what is taken back is negative.

use jiff::civil::Date;

use crate::kernel::ids::DealId;

/// What the provider owes, or takes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Commission that was earned: positive.
    Earned,
    /// Commission that was taken back: negative.
    ClawedBack,
}

impl Side {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Earned => "earned",
            Self::ClawedBack => "clawed_back",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Earned, Self::ClawedBack].into_iter().find(|side| side.as_str() == text)
    }
}

/// Which item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey {
    /// The deal.
    pub deal: DealId,
    /// The first day of the month of a trail; none = the deal itself.
    pub period: Option<Date>,
    /// What is owed, or taken back.
    pub side: Side,
}

/// An item and how far it is settled; all in cents without GST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// Which one.
    pub key: ItemKey,
    /// What the ledger says.
    pub expected_minor: i64,
    /// What matched lines brought, or took.
    pub received_minor: i64,
    /// What two people gave up.
    pub written_off_minor: i64,
    /// When it fell due: the settlement, the last day of a trail's month, the discharge; none while that is unknown.
    pub due_on: Option<Date>,
}

impl Item {
    /// What is still to come (positive) or to be taken back (negative).
    #[must_use]
    pub const fn open_minor(&self) -> i64 {
        self.expected_minor - self.received_minor - self.written_off_minor
    }
}
