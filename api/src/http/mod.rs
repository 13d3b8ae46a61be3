//! What stands before and around every route: who may connect and how much one caller may ask, which web
//! pages may ask at all, in what form an answer is wanted, what every answer carries, and what is kept of
//! refused attempts at moving money.
//!
//! What can be set is a setting of the service ([`crate::config::EdgeArgs`]). None of it knows what is asked
//! for; what an operation is like comes from the API document ([`crate::policy`]).

pub mod connections;
pub mod cors;
pub mod finish;
pub mod lifecycle;
pub mod limits;
pub mod media;
pub mod refusals;
pub mod security;
pub mod trace;
