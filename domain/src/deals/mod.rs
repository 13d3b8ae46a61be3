//! What is happening: referrals, deals, their stages, facts and handshakes.
//!
//! `deal` is the aggregate, `handshake` makes the statements of a deal, `import` reads a partner's
//! export, `record` the set-based use case that takes what a source says and carries it through to the
//! ledger, `import_file` brings the two together.

pub mod deal;
pub mod handshake;
pub mod import;
pub mod import_file;
pub mod record;
pub mod repository;
