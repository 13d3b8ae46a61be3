//! What stands before every route: how much one caller may ask, which web pages may ask at all, and what is kept of
//! refused attempts at moving money.
//!
//! The first two are settings of the service ([`crate::config::EdgeArgs`]); neither knows what is asked for.

pub mod cors;
pub mod limits;
pub mod refusals;
