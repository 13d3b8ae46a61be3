//! The catalogue of event types: name, subject, shape of the data, scope that reading it needs.
//!
//! A name is `subject.what_happened`; it is never given another meaning. New types may appear at any
//! time: whoever listens ignores those that they do not know.

use std::collections::BTreeSet;

use crate::access::Scope;

macro_rules! event_kinds {
    ($(#[doc = $purpose:literal] $name:ident = $text:literal, $prefix:literal, $data:literal, $scope:ident;)*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventKind { $(#[doc = $purpose] $name,)* }

        impl EventKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name that subscribers use.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// When it is sent, as the API document says it.
            #[must_use]
            pub const fn purpose(self) -> &'static str {
                match self { $(Self::$name => $purpose.trim_ascii(),)* }
            }

            /// The prefix of the subject's id.
            #[must_use]
            pub const fn subject_prefix(self) -> &'static str {
                match self { $(Self::$name => $prefix,)* }
            }

            /// The name of the shape of its data.
            #[must_use]
            pub const fn data(self) -> &'static str {
                match self { $(Self::$name => $data,)* }
            }

            /// The scope without which it is not seen.
            #[must_use]
            pub const fn scope(self) -> Scope {
                match self { $(Self::$name => Scope::$scope,)* }
            }
        }
    };
}

event_kinds! {
    /// A member referred a client; the deal exists from now on.
    DealReferred = "deal.referred", "deal", "DealMoved", DealsRead;
    /// The provider accepted the referral.
    DealAccepted = "deal.accepted", "deal", "DealMoved", DealsRead;
    /// The provider declined the referral.
    DealDeclined = "deal.declined", "deal", "DealMoved", DealsRead;
    /// Work on the deal began.
    DealInProgress = "deal.in_progress", "deal", "DealMoved", DealsRead;
    /// The client signed.
    DealContracted = "deal.contracted", "deal", "DealMoved", DealsRead;
    /// The deal settled.
    DealSettled = "deal.settled", "deal", "DealMoved", DealsRead;
    /// The referral was withdrawn.
    DealWithdrawn = "deal.withdrawn", "deal", "DealMoved", DealsRead;
    /// The deal came to nothing.
    DealLost = "deal.lost", "deal", "DealMoved", DealsRead;
    /// A settled deal unwound.
    DealReversed = "deal.reversed", "deal", "DealMoved", DealsRead;
    /// A fact of the deal was recorded.
    DealFactRecorded = "deal.fact_recorded", "deal", "FactRecorded", DealsRead;
    /// The commission of a deal was worked out anew.
    CommissionCalculated = "commission.calculated", "deal", "CommissionCalculated", DealsRead;
    /// What a participant earns on a deal came about or changed.
    LineChanged = "commission_line.changed", "line", "LineChanged", DealsRead;
    /// An entry was posted to the ledger.
    EntryPosted = "ledger_entry.posted", "entry", "EntryPosted", LedgerRead;
    /// Entries were written by hand; they wait for somebody else's approval.
    ManualEntryProposed = "manual_entry.proposed", "manual", "RecordChanged", LedgerRead;
    /// Somebody else approved what was written by hand, and it was posted.
    ManualEntryPosted = "manual_entry.posted", "manual", "RecordChanged", LedgerRead;
    /// Somebody said no to what was written by hand.
    ManualEntryRejected = "manual_entry.rejected", "manual", "RecordChanged", LedgerRead;
    /// Somebody asked for a month of the books to be closed, or reopened.
    PeriodProposed = "accounting_period.proposed", "period", "RecordChanged", LedgerRead;
    /// A month of the books was closed: it takes no entry.
    PeriodClosed = "accounting_period.closed", "period", "RecordChanged", LedgerRead;
    /// A month of the books was reopened.
    PeriodReopened = "accounting_period.reopened", "period", "RecordChanged", LedgerRead;
    /// Somebody said no to closing or reopening a month of the books.
    PeriodRejected = "accounting_period.rejected", "period", "RecordChanged", LedgerRead;
    /// A signed offer was taken; it waits for the provider's signature.
    HandshakeOffered = "handshake.offered", "handshake", "HandshakeSigned", ChainRead;
    /// The provider signed, and the platform sealed.
    HandshakeSealed = "handshake.sealed", "handshake", "HandshakeSigned", ChainRead;
    /// A signing key was registered.
    SigningKeyRegistered = "signing_key.registered", "key", "RecordChanged", ChainRead;
    /// A signing key gave way to the next.
    SigningKeyRotated = "signing_key.rotated", "key", "RecordChanged", ChainRead;
    /// A signing key was revoked.
    SigningKeyRevoked = "signing_key.revoked", "key", "RecordChanged", ChainRead;
    /// A job ended: it succeeded, failed, or was cancelled.
    JobEnded = "job.ended", "job", "JobEnded", JobsRead;
    /// A payout run was worked out.
    RunPreviewed = "payout_run.previewed", "run", "RunMoved", PayoutsRead;
    /// A payout run waits for approval.
    RunProposed = "payout_run.proposed", "run", "RunMoved", PayoutsRead;
    /// Somebody else approved the run's content.
    RunApproved = "payout_run.approved", "run", "RunMoved", PayoutsRead;
    /// The approval was refused.
    RunRejected = "payout_run.rejected", "run", "RunMoved", PayoutsRead;
    /// The run was given up.
    RunCancelled = "payout_run.cancelled", "run", "RunMoved", PayoutsRead;
    /// What was approved no longer fits, so the approval is void.
    RunVoided = "payout_run.voided", "run", "RunMoved", PayoutsRead;
    /// The money of the run is on its way.
    RunExecuted = "payout_run.executed", "run", "RunMoved", PayoutsRead;
    /// A payment to a payee was sent to the bank.
    PayoutInitiated = "payout.initiated", "payout", "PayoutMoved", PayoutsRead;
    /// A payment reached its payee.
    PayoutSettled = "payout.settled", "payout", "PayoutMoved", PayoutsRead;
    /// A payment came back; its money may be paid again.
    PayoutReturned = "payout.returned", "payout", "PayoutMoved", PayoutsRead;
    /// A tax paper was issued: an invoice, an adjustment note, a statement or a summary.
    TaxDocumentIssued = "tax_document.issued", "taxdoc", "TaxDocumentIssued", PayoutsRead;
    /// A second person approved what is paid to the tax office for a quarter.
    TaxRemittanceApproved = "tax_remittance.approved", "remittance", "RecordChanged", PayoutsRead;
    /// Money of a commission line was put aside.
    HoldPlaced = "hold.placed", "hold", "RecordChanged", PayoutsRead;
    /// What was put aside of a commission line was let go.
    HoldReleased = "hold.released", "hold", "RecordChanged", PayoutsRead;
    /// A second person agreed that clawbacks of a payee are got back bit by bit.
    RecoveryPlanApproved = "recovery_plan.approved", "plan", "RecordChanged", PayoutsRead;
    /// A plan by which clawbacks of a payee are got back bit by bit ends.
    RecoveryPlanEnded = "recovery_plan.ended", "plan", "RecordChanged", PayoutsRead;
    /// Somebody asked that what is unpaid of a payee becomes another's.
    AssignmentProposed = "assignment.proposed", "assignment", "RecordChanged", PayoutsRead;
    /// A second person agreed, and what was unpaid of a payee became another's.
    AssignmentApproved = "assignment.approved", "assignment", "RecordChanged", PayoutsRead;
    /// Somebody said no to an assignment.
    AssignmentRejected = "assignment.rejected", "assignment", "RecordChanged", PayoutsRead;
    /// Every line of a provider's statement is posted, and its exceptions are known.
    ProviderStatementPosted = "provider_statement.posted", "pstatement", "RecordChanged", PayoutsRead;
    /// A second person accepted a shortfall of a provider.
    WriteOffApproved = "write_off.approved", "writeoff", "RecordChanged", PayoutsRead;
    /// An organisation was created.
    OrganisationCreated = "organisation.created", "org", "RecordChanged", DirectoryRead;
    /// An organisation was changed.
    OrganisationUpdated = "organisation.updated", "org", "RecordChanged", DirectoryRead;
    /// A licence of an organisation was recorded, or what is known of it changed.
    LicenceRecorded = "licence.recorded", "licence", "RecordChanged", DirectoryRead;
    /// A cohort was created.
    CohortCreated = "cohort.created", "cohort", "RecordChanged", DirectoryRead;
    /// A cohort was changed.
    CohortUpdated = "cohort.updated", "cohort", "RecordChanged", DirectoryRead;
    /// A contact was created.
    ContactCreated = "contact.created", "contact", "RecordChanged", DirectoryRead;
    /// What identifies a contact was changed.
    ContactUpdated = "contact.updated", "contact", "RecordChanged", DirectoryRead;
    /// A vertical was added.
    VerticalCreated = "vertical.created", "vertical", "RecordChanged", CatalogueRead;
    /// A vertical was changed.
    VerticalUpdated = "vertical.updated", "vertical", "RecordChanged", CatalogueRead;
    /// What identified a contact was erased, for good.
    ContactErased = "contact.erased", "contact", "RecordChanged", DirectoryRead;
    /// A product was added.
    ProductCreated = "product.created", "product", "RecordChanged", CatalogueRead;
    /// A product was changed.
    ProductUpdated = "product.updated", "product", "RecordChanged", CatalogueRead;
    /// A member was created.
    MemberCreated = "member.created", "member", "RecordChanged", DirectoryRead;
    /// A member was changed.
    MemberUpdated = "member.updated", "member", "RecordChanged", DirectoryRead;
    /// A payee was created.
    PayeeCreated = "payee.created", "payee", "RecordChanged", DirectoryRead;
    /// A payee was changed.
    PayeeUpdated = "payee.updated", "payee", "RecordChanged", DirectoryRead;
    /// Another bank account was proposed for a payee; it waits for a second person.
    PayeeBankChangeProposed = "payee.bank_change_proposed", "payee", "RecordChanged", DirectoryRead;
    /// Another bank account was approved for a payee; it is paid to after a cool-off.
    PayeeBankChangeApproved = "payee.bank_change_approved", "payee", "RecordChanged", DirectoryRead;
    /// An agreement was made.
    AgreementCreated = "agreement.created", "agreement", "RecordChanged", AgreementsRead;
    /// A draft of a version of an agreement was written, or written anew.
    AgreementVersionDrafted = "agreement.version_drafted", "agreement", "AgreementVersionMoved", AgreementsRead;
    /// A version of an agreement waits for approval.
    AgreementVersionProposed = "agreement.version_proposed", "agreement", "AgreementVersionMoved", AgreementsRead;
    /// Somebody else approved what a version of an agreement says.
    AgreementVersionApproved = "agreement.version_approved", "agreement", "AgreementVersionMoved", AgreementsRead;
    /// A proposed version of an agreement was sent back to its author.
    AgreementVersionRejected = "agreement.version_rejected", "agreement", "AgreementVersionMoved", AgreementsRead;
    /// The first day of an approved version of an agreement has come: it governs.
    AgreementVersionActivated = "agreement.version_activated", "agreement", "AgreementVersionMoved", AgreementsRead;
    /// A later version of an agreement took the place of this one.
    AgreementVersionSuperseded = "agreement.version_superseded", "agreement", "AgreementVersionMoved", AgreementsRead;
    /// A version of an agreement was taken out of force: it takes no new deals.
    AgreementVersionRetired = "agreement.version_retired", "agreement", "AgreementVersionMoved", AgreementsRead;
    /// A lookup table of agreements was made.
    LookupTableCreated = "lookup_table.created", "table", "RecordChanged", AgreementsRead;
    /// A version was added to a lookup table.
    LookupTableVersionCreated = "lookup_table.version_created", "table", "RecordChanged", AgreementsRead;
    /// A simulation ended: it succeeded, failed, or was cancelled.
    SimulationFinished = "simulation.finished", "simulation", "RecordChanged", SimulationsRead;
    /// The guarantees were checked.
    GuaranteesChecked = "guarantee_run.completed", "grun", "GuaranteesChecked", GuaranteesRead;
    /// A user was created.
    UserCreated = "user.created", "user", "RecordChanged", AccessAdmin;
    /// A user was changed: other roles, another password, disabled.
    UserUpdated = "user.updated", "user", "RecordChanged", AccessAdmin;
    /// An administrator took a user's second factor away, whose sessions ended: who did not lose theirs asks why.
    UserSecondFactorReset = "user.second_factor_reset", "user", "RecordChanged", EventsRead;
    /// An API client was created.
    ApiClientCreated = "api_client.created", "client", "RecordChanged", AccessAdmin;
    /// An API client got another secret.
    ApiClientSecretRotated = "api_client.secret_rotated", "client", "RecordChanged", AccessAdmin;
    /// A public key of an API client was registered.
    ApiClientKeyCreated = "api_client.key_created", "client", "RecordChanged", AccessAdmin;
    /// A public key of an API client was taken away.
    ApiClientKeyDeleted = "api_client.key_deleted", "client", "RecordChanged", AccessAdmin;
    /// An API client was revoked.
    ApiClientRevoked = "api_client.revoked", "client", "RecordChanged", AccessAdmin;
    /// An outside issuer was registered.
    OidcIssuerCreated = "oidc_issuer.created", "issuer", "RecordChanged", AccessAdmin;
    /// An outside issuer was forgotten.
    OidcIssuerDeleted = "oidc_issuer.deleted", "issuer", "RecordChanged", AccessAdmin;
    /// Somebody tries a webhook endpoint; sent to that endpoint only, whatever types it wants.
    WebhookTest = "webhook.test", "endpoint", "WebhookTested", WebhooksRead;
    /// A webhook endpoint was created.
    WebhookEndpointCreated = "webhook_endpoint.created", "endpoint", "RecordChanged", WebhooksRead;
    /// A webhook endpoint was changed.
    WebhookEndpointUpdated = "webhook_endpoint.updated", "endpoint", "RecordChanged", WebhooksRead;
    /// A webhook endpoint got another secret; the one before signs too for 24 hours.
    WebhookEndpointSecretRotated = "webhook_endpoint.secret_rotated", "endpoint", "RecordChanged", WebhooksRead;
    /// A webhook endpoint gets nothing any more: by hand, because it answered 410, after three days of failures, or because who answered for it was disabled or revoked.
    WebhookEndpointDisabled = "webhook_endpoint.disabled", "endpoint", "EndpointDisabled", WebhooksRead;
    /// A webhook endpoint was deleted.
    WebhookEndpointDeleted = "webhook_endpoint.deleted", "endpoint", "RecordChanged", WebhooksRead;
}

impl EventKind {
    /// Reads a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }

    /// The kinds that somebody with these scopes may see.
    #[must_use]
    pub fn seen_with(scopes: &BTreeSet<Scope>) -> Vec<Self> {
        Self::ALL.iter().copied().filter(|kind| scopes.contains(&kind.scope())).collect()
    }
}

impl std::fmt::Display for EventKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
