//! Roles: named sets of scopes. Deny by default: a role has what is listed here and nothing else.

use serde::{Deserialize, Serialize};

use super::scope::Scope;

/// A named set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the platform; may do everything except approve what it proposed itself.
    OperatorAdmin,
    /// Prepares and executes payouts.
    Finance,
    /// Approves what others propose.
    Approver,
    /// Helps partners; reads.
    Support,
    /// Runs a partner's side.
    PartnerAdmin,
    /// Works on a partner's deals.
    PartnerAgent,
    /// Refers; sees their own.
    Member,
    /// Reads everything, writes nothing.
    Auditor,
    /// Aggregates, guarantees and proofs only.
    Investor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 9] = [
        Self::OperatorAdmin,
        Self::Finance,
        Self::Approver,
        Self::Support,
        Self::PartnerAdmin,
        Self::PartnerAgent,
        Self::Member,
        Self::Auditor,
        Self::Investor,
    ];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OperatorAdmin => "operator_admin",
            Self::Finance => "finance",
            Self::Approver => "approver",
            Self::Support => "support",
            Self::PartnerAdmin => "partner_admin",
            Self::PartnerAgent => "partner_agent",
            Self::Member => "member",
            Self::Auditor => "auditor",
            Self::Investor => "investor",
        }
    }

    /// Reads a role's name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// Whether the role belongs to one organisation (or member) and sees only what concerns it.
    #[must_use]
    pub const fn is_of_partner(self) -> bool {
        matches!(self, Self::PartnerAdmin | Self::PartnerAgent | Self::Member)
    }

    /// What the role may do.
    #[must_use]
    pub const fn scopes(self) -> &'static [Scope] {
        use Scope::{
            AgreementsApprove, AgreementsRead, AuditRead, CatalogueRead, ChainExport, ChainRead, ChainWrite, DealsRead,
            DealsWrite, DirectoryRead, DirectoryWrite, EventsRead, GuaranteesRead, InsightRead, JobsRead,
            LedgerApprove, LedgerRead, LedgerWrite, OperationsRead, PayoutsApprove, PayoutsExecute, PayoutsRead,
            PayoutsWrite, SimulationsRead, SimulationsRun, WebhooksRead, WebhooksWrite,
        };
        match self {
            Self::OperatorAdmin => Scope::ALL,
            Self::Finance => &[
                DirectoryRead,
                CatalogueRead,
                AgreementsRead,
                DealsRead,
                LedgerRead,
                LedgerWrite,
                PayoutsRead,
                PayoutsWrite,
                PayoutsExecute,
                EventsRead,
                GuaranteesRead,
                OperationsRead,
                JobsRead,
                InsightRead,
                ChainRead,
                SimulationsRead,
                SimulationsRun,
            ],
            Self::Approver => &[
                DirectoryRead,
                CatalogueRead,
                AgreementsRead,
                AgreementsApprove,
                DealsRead,
                LedgerRead,
                LedgerApprove,
                PayoutsRead,
                PayoutsApprove,
                EventsRead,
                GuaranteesRead,
                OperationsRead,
                JobsRead,
                InsightRead,
                ChainRead,
                SimulationsRead,
                SimulationsRun,
            ],
            Self::Support => &[
                DirectoryRead,
                CatalogueRead,
                AgreementsRead,
                DealsRead,
                LedgerRead,
                PayoutsRead,
                EventsRead,
                WebhooksRead,
                GuaranteesRead,
                OperationsRead,
                JobsRead,
                ChainRead,
            ],
            Self::PartnerAdmin => &[
                DirectoryRead,
                DirectoryWrite,
                CatalogueRead,
                AgreementsRead,
                DealsRead,
                DealsWrite,
                LedgerRead,
                PayoutsRead,
                ChainRead,
                ChainWrite,
                EventsRead,
                WebhooksRead,
                WebhooksWrite,
                GuaranteesRead,
                JobsRead,
            ],
            Self::PartnerAgent => &[
                DirectoryRead,
                CatalogueRead,
                AgreementsRead,
                DealsRead,
                DealsWrite,
                ChainRead,
                ChainWrite,
                EventsRead,
                GuaranteesRead,
                JobsRead,
            ],
            Self::Member => {
                &[CatalogueRead, DealsRead, LedgerRead, PayoutsRead, ChainRead, ChainWrite, EventsRead, GuaranteesRead]
            }
            Self::Auditor => &[
                DirectoryRead,
                CatalogueRead,
                AgreementsRead,
                DealsRead,
                LedgerRead,
                PayoutsRead,
                ChainRead,
                ChainExport,
                EventsRead,
                WebhooksRead,
                GuaranteesRead,
                OperationsRead,
                JobsRead,
                InsightRead,
                AuditRead,
                SimulationsRead,
            ],
            Self::Investor => &[CatalogueRead, InsightRead, GuaranteesRead],
        }
    }
}
