//! What is happening: referrals, deals, their stages, facts and handshakes.
//!
//! `deal` is the aggregate, `handshake` makes the statements of an imported deal. Two set-based use cases
//! carry what happens through to the ledger, both by way of `commission`: `record` takes what a source
//! says of deals, new or known; `advance` takes facts and decisions on deals that are known. `recalculate`
//! works out the deals that depend on the ones before them. `import` brings a partner's export to `record`.
//!
//! A new referral goes another way: `terms` is what was agreed to, `draft` makes the statement to sign,
//! `refer` takes the offer, `countersign` the accept, and seals.

pub mod advance;
mod commission;
pub mod countersign;
pub mod deal;
pub mod draft;
pub mod frozen;
pub mod hand_over;
pub mod handshake;
pub mod handshake_repository;
pub mod import;
mod input;
pub mod lookup;
pub mod recalculate;
pub mod record;
pub mod refer;
pub mod referral;
pub mod repository;
pub mod step;
pub mod step_input;
pub(crate) mod tell;
pub mod terms;
mod trail;
pub mod trail_run;
