//! Accounts: what kinds there are, and which one a posting goes to.

use uuid::Uuid;

use crate::kernel::ids::VerticalId;

/// The kinds of account. A party or a vertical tells accounts of one kind apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountKind {
    /// What a provider owes us (asset; per provider).
    ProviderReceivable,
    /// Earned and on hold (liability; per payee).
    PayeeAccrued,
    /// In dispute (liability; per payee).
    PayeeHeld,
    /// May be paid (liability; per payee).
    PayeeAvailable,
    /// Sent to the rail, not yet confirmed (liability; per payee).
    PayeeInTransit,
    /// Earned by a member without a payee (liability; per member).
    MemberSuspense,
    /// To be got back from a payee (asset; per payee).
    ClawbackRecoverable,
    /// Commission from providers (income; per vertical).
    CommissionRevenue,
    /// The payees' share of it (expense; per vertical).
    CommissionExpense,
}

impl AccountKind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::ProviderReceivable,
        Self::PayeeAccrued,
        Self::PayeeHeld,
        Self::PayeeAvailable,
        Self::PayeeInTransit,
        Self::MemberSuspense,
        Self::ClawbackRecoverable,
        Self::CommissionRevenue,
        Self::CommissionExpense,
    ];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProviderReceivable => "provider_receivable",
            Self::PayeeAccrued => "payee_accrued",
            Self::PayeeHeld => "payee_held",
            Self::PayeeAvailable => "payee_available",
            Self::PayeeInTransit => "payee_in_transit",
            Self::MemberSuspense => "member_suspense",
            Self::ClawbackRecoverable => "clawback_recoverable",
            Self::CommissionRevenue => "commission_revenue",
            Self::CommissionExpense => "commission_expense",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Which account, before it has an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey {
    /// The kind.
    pub kind: AccountKind,
    /// The provider, payee or member.
    pub party: Option<Uuid>,
    /// The vertical.
    pub vertical: Option<VerticalId>,
}

impl AccountKey {
    /// An account of a party.
    #[must_use]
    pub const fn of_party(kind: AccountKind, party: Uuid) -> Self {
        Self { kind, party: Some(party), vertical: None }
    }

    /// An account of a vertical.
    #[must_use]
    pub const fn of_vertical(kind: AccountKind, vertical: VerticalId) -> Self {
        Self { kind, party: None, vertical: Some(vertical) }
    }
}
