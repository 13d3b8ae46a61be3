//! Requests to hosts that somebody else named: webhook endpoints, outside issuers.
//!
//! A caller could name an address inside our network (SSRF, OWASP API7:2023), so a wall stands between:
//!
//! | attack | what stops it |
//! |---|---|
//! | an address of ours in any spelling (`127.1`, `0x7f000001`, `[::ffff:10.0.0.1]`) | WHATWG parsing, then [`address::Ban`] |
//! | a name that leads inside, or changes its mind (DNS rebinding) | the resolver's answer is filtered, and the same answer is connected to |
//! | a redirect that leads inside | redirects are never followed |
//! | another port, another scheme, credentials in the address | refused |
//! | a proxy from the environment | none is read |
//! | an endless, slow or huge answer | time limits, a bound on body and head |
//!
//! Invariants: nothing is sent before the address was looked at; an error tells its kind, never what stood
//! in a banned answer. Bounds: [`client::Limits`].

pub mod address;
pub mod client;
#[cfg(test)]
mod client_tests;
pub mod error;
pub mod resolver;
pub mod wall;

pub use client::{Limits, Outbound, OutboundAnswer, OutboundConfig, OutboundRequest, Verb};
pub use error::OutboundError;
pub use resolver::{Resolve, SystemResolver};
pub use wall::{Refusal, Wall};
