//! What stands before every route: how much one caller may ask, and which web pages may ask at all.
//!
//! Both are settings of the service ([`crate::config::EdgeArgs`]); neither knows what is asked for.

pub mod cors;
pub mod limits;
