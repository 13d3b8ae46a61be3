//! The store: transactions with bounded, jittered retries; reads under row-level security.

use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::pg::PgConnection;
use diesel::r2d2::Pool;
use domain::access::Viewer;
use domain::operations::PoolUse;
use domain::store::{Queries, Store, StoreError, UnitOfWork, Verdict};

use crate::error::store_error;
use crate::pool::{self, Connection, Manager, Role};

/// How often contended work is tried before the caller is told.
const ATTEMPTS: u32 = 6;

/// PostgreSQL behind the domain's [`Store`] port.
pub struct PgStore {
    writers: Pool<Manager>,
    readers: Pool<Manager>,
}

/// How many connections of each kind, at most.
#[derive(Debug, Clone, Copy)]
pub struct PoolSizes {
    /// Connections that write.
    pub writers: u32,
    /// Connections that read.
    pub readers: u32,
}

impl Default for PoolSizes {
    fn default() -> Self {
        Self { writers: 8, readers: 12 }
    }
}

impl PgStore {
    /// A store on the database that the URL names. Nothing is connected yet.
    #[must_use]
    pub fn new(url: &str, sizes: PoolSizes) -> Self {
        Self {
            writers: pool::build(url, Role::Writer, sizes.writers),
            readers: pool::build(url, Role::Reader, sizes.readers),
        }
    }

    fn attempt_once(&self, work: &mut dyn FnMut(&mut dyn UnitOfWork) -> Verdict) -> Result<(), StoreError> {
        let mut connection = checked_out(&self.writers)?;
        let pg = &mut connection.pg;
        AnsiTransactionManager::begin_transaction(pg).map_err(store_error)?;
        let verdict = work(&mut PgUnitOfWork { pg });
        match verdict {
            Verdict::Commit => AnsiTransactionManager::commit_transaction(pg).map_err(store_error),
            Verdict::Rollback => AnsiTransactionManager::rollback_transaction(pg).map_err(store_error),
            Verdict::Failed(error) => {
                // The failure of the work is what the caller must hear, not that of the rollback.
                let _ = AnsiTransactionManager::rollback_transaction(pg);
                Err(error)
            }
        }
    }
}

fn checked_out(pool: &Pool<Manager>) -> Result<diesel::r2d2::PooledConnection<Manager>, StoreError> {
    pool.get().map_err(|error| {
        tracing::warn!(%error, "no database connection");
        StoreError::Unavailable
    })
}

impl Store for PgStore {
    fn pools(&self) -> Vec<PoolUse> {
        let of = |name, pool: &Pool<Manager>| {
            let state = pool.state();
            PoolUse { name, open: state.connections, idle: state.idle_connections }
        };
        vec![of("writers", &self.writers), of("readers", &self.readers)]
    }

    fn attempt(&self, work: &mut dyn FnMut(&mut dyn UnitOfWork) -> Verdict) -> Result<(), StoreError> {
        let mut tried = 1;
        loop {
            match self.attempt_once(work) {
                Err(StoreError::Contention) if tried < ATTEMPTS => {
                    std::thread::sleep(backoff(tried));
                    tried += 1;
                }
                outcome => return outcome,
            }
        }
    }

    fn look(
        &self,
        viewer: &Viewer,
        work: &mut dyn FnMut(&mut dyn Queries) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut connection = checked_out(&self.readers)?;
        connection.look_as(viewer).map_err(store_error)?;
        work(&mut PgQueries { pg: &mut connection.pg })
    }

    fn look_at_snapshot(
        &self,
        viewer: &Viewer,
        work: &mut dyn FnMut(&mut dyn Queries) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut connection = checked_out(&self.readers)?;
        connection.look_as(viewer).map_err(store_error)?;
        let Connection { pg, .. } = &mut *connection;
        pg.build_transaction()
            .repeatable_read()
            .read_only()
            .run(|pg| work(&mut PgQueries { pg }).map_err(Looked))
            .map_err(|e| e.0)
    }
}

/// Carries a store error through Diesel's transaction helper.
struct Looked(StoreError);

impl From<diesel::result::Error> for Looked {
    fn from(error: diesel::result::Error) -> Self {
        Self(store_error(error))
    }
}

/// 2–4 ms, doubling, with full jitter over the upper half: contenders do not meet again in step.
fn backoff(tried: u32) -> std::time::Duration {
    let ceiling = 4_000_u64 << tried.min(8);
    let mut seed = [0_u8; 8];
    // Without randomness the wait is the ceiling; the retry is right all the same.
    let draw = getrandom::fill(&mut seed).map_or(u64::MAX, |()| u64::from_le_bytes(seed));
    std::time::Duration::from_micros(ceiling / 2 + draw % (ceiling / 2))
}

/// Every repository, on one connection inside one transaction.
pub(crate) struct PgUnitOfWork<'c> {
    pub(crate) pg: &'c mut PgConnection,
}

/// Every look-up, on one connection that has a viewer's eyes.
pub(crate) struct PgQueries<'c> {
    pub(crate) pg: &'c mut PgConnection,
}

macro_rules! contexts {
    ($($context:ident: $repository:path),* $(,)?) => {
        impl UnitOfWork for PgUnitOfWork<'_> {
            $(fn $context(&mut self) -> &mut dyn $repository { self })*
        }
    };
}

macro_rules! lookups {
    ($($context:ident: $queries:path),* $(,)?) => {
        impl Queries for PgQueries<'_> {
            $(fn $context(&mut self) -> &mut dyn $queries { self })*
        }
    };
}

contexts! {
    access: domain::access::repository::AccessRepository,
    agreements: domain::agreements::repository::AgreementRepository,
    assignments: domain::payouts::assignment::AssignmentRepository,
    audit: domain::access::audit::AuditRepository,
    bank: domain::payouts::bank::repository::BankRepository,
    bank_changes: domain::directory::bank_change::BankChangeRepository,
    catalogue: domain::catalogue::repository::CatalogueRepository,
    chain: domain::chain::repository::ChainRepository,
    cohorts: domain::directory::cohort::CohortRepository,
    client_keys: domain::access::client_key::ClientKeyRepository,
    counters: domain::deals::recalculate::repository::CounterRepository,
    deals: domain::deals::repository::DealRepository,
    directory: domain::directory::repository::DirectoryRepository,
    erasures: domain::directory::erasure_repository::ErasureRepository,
    events: domain::events::EventRepository,
    guarantees: domain::guarantees::repository::GuaranteeRepository,
    handshakes: domain::deals::handshake_repository::HandshakeRepository,
    holds: domain::ledger::hold::HoldRepository,
    idempotency: domain::idempotency::IdempotencyRepository,
    imports: domain::deals::import::repository::ImportRepository,
    issuers: domain::access::oidc::IssuerRepository,
    jobs: domain::jobs::repository::JobRepository,
    keys: domain::chain::registry::KeyRepository,
    licences: domain::directory::licence::LicenceRepository,
    ledger: domain::ledger::repository::LedgerRepository,
    lookup_tables: domain::agreements::tables::LookupTableRepository,
    manual_entries: domain::ledger::manual::ManualRepository,
    operations: domain::operations::OperationRepository,
    parties: domain::directory::party::PartyRepository,
    payouts: domain::payouts::repository::PayoutRepository,
    recovery_plans: domain::payouts::recovery::RecoveryPlanRepository,
    returns: domain::payouts::returns::repository::ReturnRepository,
    periods: domain::ledger::period::PeriodRepository,
    provider_statements: domain::provider_statements::repository::ProviderStatementRepository,
    simulations: domain::simulation::SimulationRepository,
    stripe: domain::payouts::stripe::repository::StripeRepository,
    tax: domain::tax::repository::TaxRepository,
    totp: domain::access::totp::TotpRepository,
    trail_runs: domain::deals::trail_run::repository::TrailRunRepository,
    webhooks: domain::webhooks::WebhookRepository,
    witnesses: domain::chain::witness::record::WitnessRepository,
    sessions: domain::access::session::SessionRepository,
}

lookups! {
    agreements: domain::agreements::repository::AgreementQueries,
    assignments: domain::payouts::assignment::AssignmentQueries,
    audit: domain::access::audit::AuditQueries,
    bank: domain::payouts::bank::repository::BankQueries,
    bank_changes: domain::directory::bank_change::BankChangeQueries,
    catalogue: domain::catalogue::repository::CatalogueQueries,
    access: domain::access::repository::AccessQueries,
    book: domain::ledger::book::BookQueries,
    chain: domain::chain::published::ChainQueries,
    cohorts: domain::directory::cohort::CohortQueries,
    licences: domain::directory::licence::LicenceQueries,
    deals: domain::deals::repository::DealQueries,
    directory: domain::directory::repository::DirectoryQueries,
    erasures: domain::directory::erasure_repository::ErasureQueries,
    events: domain::events::EventQueries,
    guarantees: domain::guarantees::repository::GuaranteeQueries,
    handshakes: domain::deals::handshake_repository::HandshakeQueries,
    holds: domain::ledger::hold::HoldQueries,
    imports: domain::deals::import::repository::ImportQueries,
    jobs: domain::jobs::repository::JobQueries,
    keys: domain::chain::registry::KeyQueries,
    ledger: domain::ledger::repository::LedgerQueries,
    lookup_tables: domain::agreements::tables::LookupTableQueries,
    manual_entries: domain::ledger::manual::ManualQueries,
    operations: domain::operations::OperationQueries,
    payee_statements: domain::ledger::statement::PayeeStatementQueries,
    payouts: domain::payouts::repository::PayoutQueries,
    recovery_plans: domain::payouts::recovery::RecoveryPlanQueries,
    returns: domain::payouts::returns::repository::ReturnQueries,
    periods: domain::ledger::period::PeriodQueries,
    provider_statements: domain::provider_statements::repository::ProviderStatementQueries,
    simulations: domain::simulation::SimulationQueries,
    statements: domain::payouts::statement::StatementQueries,
    stripe: domain::payouts::stripe::repository::StripeQueries,
    tax: domain::tax::repository::TaxQueries,
    trail_runs: domain::deals::trail_run::repository::TrailRunQueries,
    webhooks: domain::webhooks::WebhookQueries,
    witnesses: domain::chain::witness::record::WitnessQueries,
}
