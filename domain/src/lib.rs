//! The commission platform without its surroundings: types, decisions, services and ports.
//!
//! Nothing here reads a clock, makes a random number, opens a socket or knows a framework; time,
//! randomness, keys and identity arrive as parameters or ports. One module per context of the
//! domain document; `kernel` holds the values they share, `store` the transaction boundary.

pub mod access;
pub mod agreements;
pub mod catalogue;
pub mod chain;
pub mod deals;
pub mod directory;
pub mod env;
pub mod events;
pub mod guarantees;
pub mod idempotency;
pub mod jobs;
pub mod kernel;
pub mod ledger;
pub mod operations;
pub mod payouts;
pub mod provider_statements;
pub mod simulation;
pub mod store;
pub mod tax;
pub mod webhooks;
