//! PostgreSQL through Diesel: adapters of the domain's ports, embedded migrations, the embedded cluster.
//!
//! One file per context, named as in the domain. Set-based writes are fixed texts over arrays
//! (`statement`), so a batch of a thousand costs as many statements as a batch of one.

pub mod cluster;
pub mod migrate;

mod access;
mod agreements;
mod assignments;
mod audit;
mod bank;
mod bank_returns;
mod bind;
mod book;
mod catalogue;
mod chain;
mod chain_queries;
mod counters;
mod deals;
mod directory;
mod error;
mod events;
mod guarantee_checks;
mod guarantee_papers;
mod guarantees;
mod handshakes;
mod holds;
mod idempotency;
mod imports;
mod jobs;
mod keys;
mod ledger;
mod manual_entries;
mod operations;
mod page;
mod parties;
mod payee_statements;
mod payout_files;
mod payout_moves;
mod payout_queries;
mod payout_rows;
mod payout_standings;
mod payouts;
mod periods;
mod pool;
mod provider_statements;
mod recovery_plans;
mod sessions;
mod simulated_deals;
mod simulations;
mod statement;
mod statements;
mod store;
mod stripe;
mod tax;
mod webhooks;
mod witnesses;

pub use store::{PgStore, PoolSizes};
