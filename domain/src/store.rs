//! The transaction boundary: the domain owns it, the adapter implements it.
//!
//! A use case receives a [`UnitOfWork`] and reaches every repository through it; what it returns
//! decides whether anything was written. The closure is synchronous, so no network call can be
//! awaited inside a transaction, and it may run again after a serialization failure, so commands are
//! borrowed and effects go through the unit of work only.
//!
//! Reads go through [`Store::read`], which runs under row-level security as the viewer: a second
//! wall behind the checks of the domain.

use crate::access::Viewer;
use crate::access::audit::{AuditQueries, AuditRepository};
use crate::access::client_key::ClientKeyRepository;
use crate::access::oidc::IssuerRepository;
use crate::access::repository::{AccessQueries, AccessRepository};
use crate::access::session::SessionRepository;
use crate::access::totp::TotpRepository;
use crate::agreements::repository::{AgreementQueries, AgreementRepository};
use crate::agreements::tables::{LookupTableQueries, LookupTableRepository};
use crate::catalogue::repository::{CatalogueQueries, CatalogueRepository};
use crate::chain::published::ChainQueries;
use crate::chain::registry::{KeyQueries, KeyRepository};
use crate::chain::repository::ChainRepository;
use crate::chain::witness::record::{WitnessQueries, WitnessRepository};
use crate::deals::handshake_repository::{HandshakeQueries, HandshakeRepository};
use crate::deals::import::repository::{ImportQueries, ImportRepository};
use crate::deals::recalculate::repository::CounterRepository;
use crate::deals::repository::{DealQueries, DealRepository};
use crate::deals::trail_run::repository::{TrailRunQueries, TrailRunRepository};
use crate::directory::bank_change::{BankChangeQueries, BankChangeRepository};
use crate::directory::cohort::{CohortQueries, CohortRepository};
use crate::directory::erasure_repository::{ErasureQueries, ErasureRepository};
use crate::directory::licence::{LicenceQueries, LicenceRepository};
use crate::directory::party::PartyRepository;
use crate::directory::repository::{DirectoryQueries, DirectoryRepository};
use crate::events::{EventQueries, EventRepository};
use crate::guarantees::repository::{GuaranteeQueries, GuaranteeRepository};
use crate::idempotency::IdempotencyRepository;
use crate::jobs::repository::{JobQueries, JobRepository};
use crate::ledger::book::BookQueries;
use crate::ledger::hold::{HoldQueries, HoldRepository};
use crate::ledger::manual::{ManualQueries, ManualRepository};
use crate::ledger::period::{PeriodQueries, PeriodRepository};
use crate::ledger::repository::{LedgerQueries, LedgerRepository};
use crate::ledger::statement::PayeeStatementQueries;
use crate::operations::{OperationQueries, OperationRepository, PoolUse};
use crate::payouts::assignment::{AssignmentQueries, AssignmentRepository};
use crate::payouts::bank::repository::{BankQueries, BankRepository};
use crate::payouts::recovery::{RecoveryPlanQueries, RecoveryPlanRepository};
use crate::payouts::repository::{PayoutQueries, PayoutRepository};
use crate::payouts::returns::repository::{ReturnQueries, ReturnRepository};
use crate::payouts::statement::StatementQueries;
use crate::payouts::stripe::repository::{StripeQueries, StripeRepository};
use crate::provider_statements::repository::{ProviderStatementQueries, ProviderStatementRepository};
use crate::simulation::{SimulationQueries, SimulationRepository};
use crate::tax::repository::{TaxQueries, TaxRepository};
use crate::webhooks::{WebhookQueries, WebhookRepository};

/// Why the store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A rule of the database was broken; the name of the constraint tells which.
    #[error("the database rule `{0}` was broken")]
    Violates(String),
    /// Another transaction was in the way. The adapter tries again; when it gives up, this comes out.
    #[error("the data changed while it was being worked on; try again")]
    Contention,
    /// No connection could be had in time.
    #[error("the database is busy or away; try again")]
    Unavailable,
    /// Anything else; for the log, never for a user.
    #[error("the database failed: {0}")]
    Failed(String),
}

/// What the work of one attempt came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Write everything.
    Commit,
    /// Write nothing.
    Rollback,
    /// Write nothing, and try the whole work again if the reason is [`StoreError::Contention`].
    Failed(StoreError),
}

/// Every repository, inside one transaction.
pub trait UnitOfWork {
    /// Users and API clients.
    fn access(&mut self) -> &mut dyn AccessRepository;
    /// Agreements, versions, calculations.
    fn agreements(&mut self) -> &mut dyn AgreementRepository;
    /// What is unpaid of a payee and becomes another's.
    fn assignments(&mut self) -> &mut dyn AssignmentRepository;
    /// The audit log.
    fn audit(&mut self) -> &mut dyn AuditRepository;
    /// Statements of our own bank accounts.
    fn bank(&mut self) -> &mut dyn BankRepository;
    /// Changes of payees' bank accounts.
    fn bank_changes(&mut self) -> &mut dyn BankChangeRepository;
    /// Verticals and products.
    fn catalogue(&mut self) -> &mut dyn CatalogueRepository;
    /// Lanes, envelopes and pending leaves of the log.
    fn chain(&mut self) -> &mut dyn ChainRepository;
    /// Cohorts of members.
    fn cohorts(&mut self) -> &mut dyn CohortRepository;
    /// Public keys of API clients.
    fn client_keys(&mut self) -> &mut dyn ClientKeyRepository;
    /// Running totals and limits around deals.
    fn counters(&mut self) -> &mut dyn CounterRepository;
    /// Deals, their facts and transitions.
    fn deals(&mut self) -> &mut dyn DealRepository;
    /// Organisations, contacts, members, payees.
    fn directory(&mut self) -> &mut dyn DirectoryRepository;
    /// Erasures of contacts.
    fn erasures(&mut self) -> &mut dyn ErasureRepository;
    /// What happened, for whoever listens.
    fn events(&mut self) -> &mut dyn EventRepository;
    /// Runs of the guarantees.
    fn guarantees(&mut self) -> &mut dyn GuaranteeRepository;
    /// Handshakes that wait for a signature.
    fn handshakes(&mut self) -> &mut dyn HandshakeRepository;
    /// Money of lines that is put aside.
    fn holds(&mut self) -> &mut dyn HoldRepository;
    /// First answers to requests.
    fn idempotency(&mut self) -> &mut dyn IdempotencyRepository;
    /// Imports, their files and rows.
    fn imports(&mut self) -> &mut dyn ImportRepository;
    /// Outside issuers.
    fn issuers(&mut self) -> &mut dyn IssuerRepository;
    /// Long work.
    fn jobs(&mut self) -> &mut dyn JobRepository;
    /// Signing keys, declarations, what the log has published.
    fn keys(&mut self) -> &mut dyn KeyRepository;
    /// Licences of organisations.
    fn licences(&mut self) -> &mut dyn LicenceRepository;
    /// Accounts, entries, postings, commission lines.
    fn ledger(&mut self) -> &mut dyn LedgerRepository;
    /// Lookup tables of agreements.
    fn lookup_tables(&mut self) -> &mut dyn LookupTableRepository;
    /// What people write into the ledger by hand.
    fn manual_entries(&mut self) -> &mut dyn ManualRepository;
    /// What the database needs from day to day.
    fn operations(&mut self) -> &mut dyn OperationRepository;
    /// Members and organisations as parties of a handshake.
    fn parties(&mut self) -> &mut dyn PartyRepository;
    /// Own accounts, runs, payouts.
    fn payouts(&mut self) -> &mut dyn PayoutRepository;
    /// Plans by which clawbacks are got back.
    fn recovery_plans(&mut self) -> &mut dyn RecoveryPlanRepository;
    /// Returned payments.
    fn returns(&mut self) -> &mut dyn ReturnRepository;
    /// Accounting periods.
    fn periods(&mut self) -> &mut dyn PeriodRepository;
    /// What providers say that they paid.
    fn provider_statements(&mut self) -> &mut dyn ProviderStatementRepository;
    /// Simulations and what they found.
    fn simulations(&mut self) -> &mut dyn SimulationRepository;
    /// The rail of Stripe.
    fn stripe(&mut self) -> &mut dyn StripeRepository;
    /// Tax papers, and what payees are to the tax office.
    fn tax(&mut self) -> &mut dyn TaxRepository;
    /// Webhook endpoints and deliveries.
    fn webhooks(&mut self) -> &mut dyn WebhookRepository;
    /// Cosignatures, evidence, how far the log is published.
    fn witnesses(&mut self) -> &mut dyn WitnessRepository;
    /// Second factors of users.
    fn totp(&mut self) -> &mut dyn TotpRepository;
    /// Runs over the trails of a month.
    fn trail_runs(&mut self) -> &mut dyn TrailRunRepository;
    /// Refresh tokens and revocations.
    fn sessions(&mut self) -> &mut dyn SessionRepository;
}

/// Every list and look-up, as one viewer sees them.
pub trait Queries {
    /// Agreements, versions, calculations.
    fn agreements(&mut self) -> &mut dyn AgreementQueries;
    /// What is unpaid of a payee and becomes another's.
    fn assignments(&mut self) -> &mut dyn AssignmentQueries;
    /// The audit log.
    fn audit(&mut self) -> &mut dyn AuditQueries;
    /// Statements of our own bank accounts.
    fn bank(&mut self) -> &mut dyn BankQueries;
    /// Changes of payees' bank accounts.
    fn bank_changes(&mut self) -> &mut dyn BankChangeQueries;
    /// Verticals and products.
    fn catalogue(&mut self) -> &mut dyn CatalogueQueries;
    /// Users and API clients.
    fn access(&mut self) -> &mut dyn AccessQueries;
    /// Cohorts of members.
    fn cohorts(&mut self) -> &mut dyn CohortQueries;
    /// Licences of organisations.
    fn licences(&mut self) -> &mut dyn LicenceQueries;
    /// The ledger as a book: accounts, entries, balances.
    fn book(&mut self) -> &mut dyn BookQueries;
    /// Leaves, tiles, checkpoints, envelopes of the log.
    fn chain(&mut self) -> &mut dyn ChainQueries;
    /// Deals, their facts, transitions and imports.
    fn deals(&mut self) -> &mut dyn DealQueries;
    /// Organisations, contacts, members, payees.
    fn directory(&mut self) -> &mut dyn DirectoryQueries;
    /// Erasures of contacts.
    fn erasures(&mut self) -> &mut dyn ErasureQueries;
    /// Numbered events.
    fn events(&mut self) -> &mut dyn EventQueries;
    /// Evidence for the guarantees, and their runs.
    fn guarantees(&mut self) -> &mut dyn GuaranteeQueries;
    /// Handshakes and their statements.
    fn handshakes(&mut self) -> &mut dyn HandshakeQueries;
    /// Money of lines that is put aside.
    fn holds(&mut self) -> &mut dyn HoldQueries;
    /// Imports and their rows.
    fn imports(&mut self) -> &mut dyn ImportQueries;
    /// Long work.
    fn jobs(&mut self) -> &mut dyn JobQueries;
    /// Signing keys.
    fn keys(&mut self) -> &mut dyn KeyQueries;
    /// Accounts, entries, postings, commission lines.
    fn ledger(&mut self) -> &mut dyn LedgerQueries;
    /// Lookup tables of agreements.
    fn lookup_tables(&mut self) -> &mut dyn LookupTableQueries;
    /// What people wrote into the ledger by hand.
    fn manual_entries(&mut self) -> &mut dyn ManualQueries;
    /// What waits.
    fn operations(&mut self) -> &mut dyn OperationQueries;
    /// Statements of payees.
    fn payee_statements(&mut self) -> &mut dyn PayeeStatementQueries;
    /// Own accounts, runs, payouts.
    fn payouts(&mut self) -> &mut dyn PayoutQueries;
    /// Plans by which clawbacks are got back.
    fn recovery_plans(&mut self) -> &mut dyn RecoveryPlanQueries;
    /// Returned payments.
    fn returns(&mut self) -> &mut dyn ReturnQueries;
    /// Accounting periods.
    fn periods(&mut self) -> &mut dyn PeriodQueries;
    /// What providers say that they paid.
    fn provider_statements(&mut self) -> &mut dyn ProviderStatementQueries;
    /// Deals for simulations, simulations that were made.
    fn simulations(&mut self) -> &mut dyn SimulationQueries;
    /// Statements of members.
    fn statements(&mut self) -> &mut dyn StatementQueries;
    /// The rail of Stripe.
    fn stripe(&mut self) -> &mut dyn StripeQueries;
    /// Tax papers, and what payees are to the tax office.
    fn tax(&mut self) -> &mut dyn TaxQueries;
    /// Runs over the trails of a month.
    fn trail_runs(&mut self) -> &mut dyn TrailRunQueries;
    /// Webhook endpoints and deliveries.
    fn webhooks(&mut self) -> &mut dyn WebhookQueries;
    /// Cosignatures and evidence.
    fn witnesses(&mut self) -> &mut dyn WitnessQueries;
}

/// Where everything is kept.
pub trait Store: Send + Sync {
    /// How its connections are used; nothing where there are none.
    fn pools(&self) -> Vec<PoolUse> {
        Vec::new()
    }

    /// Runs the work in one transaction, again on contention, and does what its verdict says.
    ///
    /// # Errors
    /// When the transaction could not be begun or committed, or the work failed for good.
    fn attempt(&self, work: &mut dyn FnMut(&mut dyn UnitOfWork) -> Verdict) -> Result<(), StoreError>;

    /// Runs look-ups that see what the viewer may see, each its own moment.
    ///
    /// # Errors
    /// When no connection could be had or a look-up failed.
    fn look(
        &self,
        viewer: &Viewer,
        work: &mut dyn FnMut(&mut dyn Queries) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;

    /// Runs look-ups that all see the same moment.
    ///
    /// # Errors
    /// When no connection could be had or a look-up failed.
    fn look_at_snapshot(
        &self,
        viewer: &Viewer,
        work: &mut dyn FnMut(&mut dyn Queries) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

/// An error of a use case: either a refusal by a rule, or a failure of the store.
pub trait UseCaseError: From<StoreError> {
    /// The failure of the store behind it, if that is what it was.
    fn store_error(&self) -> Option<&StoreError>;
}

impl UseCaseError for StoreError {
    fn store_error(&self) -> Option<&StoreError> {
        Some(self)
    }
}

impl dyn Store + '_ {
    /// Runs a use case in one transaction: `Ok` commits, `Err` writes nothing.
    ///
    /// # Errors
    /// What the use case returned, or the failure of the store.
    pub fn transaction<R, E: UseCaseError>(
        &self,
        mut work: impl FnMut(&mut dyn UnitOfWork) -> Result<R, E>,
    ) -> Result<R, E> {
        let mut outcome: Option<Result<R, E>> = None;
        self.attempt(&mut |uow| {
            let result = work(uow);
            let verdict = match &result {
                Ok(_) => Verdict::Commit,
                Err(error) => error.store_error().cloned().map_or(Verdict::Rollback, Verdict::Failed),
            };
            outcome = Some(result);
            verdict
        })
        .map_err(E::from)?;
        outcome.unwrap_or_else(|| Err(E::from(StoreError::Failed("the work did not run".into()))))
    }

    /// Runs look-ups as a viewer.
    ///
    /// # Errors
    /// The failure of the store.
    pub fn read<R>(
        &self,
        viewer: &Viewer,
        mut work: impl FnMut(&mut dyn Queries) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        let mut outcome: Option<R> = None;
        self.look(viewer, &mut |queries| {
            outcome = Some(work(queries)?);
            Ok(())
        })?;
        outcome.ok_or_else(|| StoreError::Failed("the work did not run".into()))
    }

    /// Runs look-ups as a viewer, all at the same moment.
    ///
    /// # Errors
    /// The failure of the store.
    pub fn read_snapshot<R>(
        &self,
        viewer: &Viewer,
        mut work: impl FnMut(&mut dyn Queries) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        let mut outcome: Option<R> = None;
        self.look_at_snapshot(viewer, &mut |queries| {
            outcome = Some(work(queries)?);
            Ok(())
        })?;
        outcome.ok_or_else(|| StoreError::Failed("the work did not run".into()))
    }
}
