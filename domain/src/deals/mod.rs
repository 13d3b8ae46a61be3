//! What is happening: referrals, deals, their stages, facts and handshakes.
//!
//! `deal` is the aggregate, `handshake` makes the statements of a deal, `import` reads a partner's
//! export, `record` the set-based use case that takes what a source says and carries it through to the
//! ledger, `import_file` brings the two together.
//!
//! A new referral goes another way: `terms` is what was agreed to, `draft` makes the statement to sign,
//! `refer` takes the offer, `countersign` the accept, and seals.

pub mod countersign;
pub mod deal;
pub mod draft;
pub mod handshake;
pub mod handshake_repository;
pub mod import;
pub mod import_file;
pub mod record;
pub mod refer;
pub mod referral;
pub mod repository;
pub mod terms;
