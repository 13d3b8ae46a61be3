//! What is happening: referrals, deals, their stages, facts and handshakes.
//!
//! `deal` is the aggregate, `handshake` makes the statements of a deal, `record` the set-based use case
//! that takes what a source says and carries it through to the ledger.

pub mod deal;
pub mod handshake;
pub mod record;
pub mod repository;
