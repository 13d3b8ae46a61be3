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
    /// GST on what providers owe us (liability).
    GstCollected,
    /// GST on what payees invoice us (asset).
    GstPaid,
    /// Withheld from payees, to be remitted to the tax office (liability).
    WithholdingPayable,
    /// Money in an own bank account (asset; per bank account).
    Cash,
    /// Money on the platform's Stripe balance (asset).
    StripeBalance,
    /// Received, and matched to nothing yet (liability; per provider where known).
    UnappliedReceipts,
    /// A shortfall that two people accepted (expense).
    WriteOff,
    /// Odd cents between another's document and our own figure (expense).
    RoundingDifference,
    /// What the rails charge (expense).
    RailFees,
    /// What stood before the first entry (equity).
    OpeningBalance,
}

/// On which side of the books a kind of account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountClass {
    /// What we have or are owed; debit.
    Assets,
    /// What we owe; credit.
    Liabilities,
    /// What belongs to the owners; credit.
    Equity,
    /// What we earn; credit.
    Revenues,
    /// What it costs; debit.
    Expenses,
}

impl AccountClass {
    /// As it is shown, and as plain text accounting wants it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assets => "assets",
            Self::Liabilities => "liabilities",
            Self::Equity => "equity",
            Self::Revenues => "revenues",
            Self::Expenses => "expenses",
        }
    }
}

impl AccountKind {
    /// Every kind.
    pub const ALL: [Self; 19] = [
        Self::ProviderReceivable,
        Self::PayeeAccrued,
        Self::PayeeHeld,
        Self::PayeeAvailable,
        Self::PayeeInTransit,
        Self::MemberSuspense,
        Self::ClawbackRecoverable,
        Self::CommissionRevenue,
        Self::CommissionExpense,
        Self::GstCollected,
        Self::GstPaid,
        Self::WithholdingPayable,
        Self::Cash,
        Self::StripeBalance,
        Self::UnappliedReceipts,
        Self::WriteOff,
        Self::RoundingDifference,
        Self::RailFees,
        Self::OpeningBalance,
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
            Self::GstCollected => "gst_collected",
            Self::GstPaid => "gst_paid",
            Self::WithholdingPayable => "withholding_payable",
            Self::Cash => "cash",
            Self::StripeBalance => "stripe_balance",
            Self::UnappliedReceipts => "unapplied_receipts",
            Self::WriteOff => "write_off",
            Self::RoundingDifference => "rounding_difference",
            Self::RailFees => "rail_fees",
            Self::OpeningBalance => "opening_balance",
        }
    }

    /// On which side of the books it stands.
    #[must_use]
    pub const fn class(self) -> AccountClass {
        match self {
            Self::ProviderReceivable | Self::ClawbackRecoverable | Self::GstPaid | Self::Cash | Self::StripeBalance => {
                AccountClass::Assets
            }
            Self::PayeeAccrued
            | Self::PayeeHeld
            | Self::PayeeAvailable
            | Self::PayeeInTransit
            | Self::MemberSuspense
            | Self::GstCollected
            | Self::WithholdingPayable
            | Self::UnappliedReceipts => AccountClass::Liabilities,
            Self::OpeningBalance => AccountClass::Equity,
            Self::CommissionRevenue => AccountClass::Revenues,
            Self::CommissionExpense | Self::WriteOff | Self::RoundingDifference | Self::RailFees => {
                AccountClass::Expenses
            }
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Between what a balance stays, in minor units, debit positive; nothing means that there is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// Never less: what others owe us does not turn into what we owe.
    pub least_minor: Option<i64>,
    /// Never more: what we owe somebody does not turn into what they owe.
    pub most_minor: Option<i64>,
}

impl Bounds {
    /// Whether a balance lies within.
    #[must_use]
    pub fn hold(self, balance_minor: i64) -> bool {
        self.least_minor.is_none_or(|least| least <= balance_minor)
            && self.most_minor.is_none_or(|most| balance_minor <= most)
    }
}

/// What tells accounts of a kind apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apart {
    /// There is one.
    Nothing,
    /// The vertical.
    Vertical,
    /// The provider; also without one where `always` is false.
    Provider {
        /// Whether there is always one.
        always: bool,
    },
    /// The own bank account.
    BankAccount,
    /// The payee or member: a projection of its commission lines.
    Lines,
}

impl AccountKind {
    /// What tells accounts of this kind apart.
    #[must_use]
    pub const fn apart(self) -> Apart {
        match self {
            Self::ProviderReceivable => Apart::Provider { always: true },
            Self::UnappliedReceipts => Apart::Provider { always: false },
            Self::Cash => Apart::BankAccount,
            Self::CommissionRevenue | Self::CommissionExpense => Apart::Vertical,
            Self::PayeeAccrued
            | Self::PayeeHeld
            | Self::PayeeAvailable
            | Self::PayeeInTransit
            | Self::MemberSuspense
            | Self::ClawbackRecoverable => Apart::Lines,
            Self::GstCollected
            | Self::GstPaid
            | Self::WithholdingPayable
            | Self::StripeBalance
            | Self::WriteOff
            | Self::RoundingDifference
            | Self::RailFees
            | Self::OpeningBalance => Apart::Nothing,
        }
    }
}

/// Which account, before it has an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey {
    /// The kind.
    pub kind: AccountKind,
    /// The provider, payee, member or own bank account.
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

    /// The one account of its kind.
    #[must_use]
    pub const fn of_platform(kind: AccountKind) -> Self {
        Self { kind, party: None, vertical: None }
    }

    /// An account of a vertical.
    #[must_use]
    pub const fn of_vertical(kind: AccountKind, vertical: VerticalId) -> Self {
        Self { kind, party: None, vertical: Some(vertical) }
    }
}
