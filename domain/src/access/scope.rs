//! What a token lets its bearer do. One scope per context and kind of act; money has scopes of its own.

use serde::{Deserialize, Serialize};

macro_rules! scopes {
    ($(#[doc = $purpose:literal] $name:ident = $text:literal),* $(,)?) => {
        /// One permission. Its text is what tokens and the API document carry.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Scope { $(#[doc = $purpose] #[serde(rename = $text)] $name,)* }

        impl Scope {
            /// Every scope.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// As tokens carry it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What it is for, as the API document says it.
            #[must_use]
            pub const fn purpose(self) -> &'static str {
                match self { $(Self::$name => $purpose.trim_ascii(),)* }
            }
        }
    };
}

scopes! {
    /// Read organisations and their licences, contacts, members, cohorts, payees.
    DirectoryRead = "directory:read",
    /// Create and change contacts, members, cohorts, payees of one's own organisation.
    DirectoryWrite = "directory:write",
    /// Create and change organisations, record their licences.
    OrganisationsWrite = "organisations:write",
    /// Read verticals and products.
    CatalogueRead = "catalogue:read",
    /// Add and change verticals and products.
    CatalogueWrite = "catalogue:write",
    /// Read agreements, versions, calculations.
    AgreementsRead = "agreements:read",
    /// Draft and propose versions.
    AgreementsWrite = "agreements:write",
    /// Approve versions that somebody else proposed.
    AgreementsApprove = "agreements:approve",
    /// Read deals, their facts, timelines, commission lines.
    DealsRead = "deals:read",
    /// Make referrals, record facts and transitions, import deals.
    DealsWrite = "deals:write",
    /// Read accounts, entries, balances.
    LedgerRead = "ledger:read",
    /// Propose entries by hand, reversals, the closing and reopening of months.
    LedgerWrite = "ledger:write",
    /// Approve or reject an entry, a reversal, the closing or reopening of a month that somebody else proposed.
    LedgerApprove = "ledger:approve",
    /// Read payout runs, payouts, statements.
    PayoutsRead = "payouts:read",
    /// Preview, propose, cancel payout runs; keep own bank accounts.
    PayoutsWrite = "payouts:write",
    /// Approve or reject a run, or approve a payee's other bank account, that somebody else proposed.
    PayoutsApprove = "payouts:approve",
    /// Execute an approved run and take its bank file.
    PayoutsExecute = "payouts:execute",
    /// Read handshakes, receipts, proofs of one's own deals.
    ChainRead = "chain:read",
    /// Register signing keys, sign handshakes.
    ChainWrite = "chain:write",
    /// Export leaves and envelopes for an audit.
    ChainExport = "chain:export",
    /// Replay and follow events of what one may read.
    EventsRead = "events:read",
    /// Read webhook endpoints and what was sent to them.
    WebhooksRead = "webhooks:read",
    /// Make, change, test webhook endpoints; send again by hand.
    WebhooksWrite = "webhooks:write",
    /// Read runs of the guarantees.
    GuaranteesRead = "guarantees:read",
    /// Run the guarantees.
    GuaranteesRun = "guarantees:run",
    /// Read jobs.
    JobsRead = "jobs:read",
    /// Read simulations, what they found, the deals that they change.
    SimulationsRead = "simulations:read",
    /// Simulate agreements over all deals, stop it.
    SimulationsRun = "simulations:run",
    /// Read aggregates that name nobody.
    InsightRead = "insight:read",
    /// Read how the service does: errors, what waits.
    OperationsRead = "operations:read",
    /// Read the audit log.
    AuditRead = "audit:read",
    /// Create users and API clients, give roles, revoke.
    AccessAdmin = "access:admin",
}

impl Scope {
    /// Whether it moves money, or decides how much is owed: people need a second factor for it.
    #[must_use]
    pub const fn moves_money(self) -> bool {
        matches!(
            self,
            Self::PayoutsWrite
                | Self::PayoutsApprove
                | Self::PayoutsExecute
                | Self::AgreementsApprove
                | Self::LedgerWrite
                | Self::LedgerApprove
        )
    }

    /// Reads a scope's text; `None` when there is none such.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == text)
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
