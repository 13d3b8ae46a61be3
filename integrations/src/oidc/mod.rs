//! Outside issuers: their keys, found, kept for a while, and verified with.
//!
//! Everything is asked for through [`crate::outbound`], so an issuer whose address leads into our network is
//! refused like any other target.

mod issuers;
mod keys;

pub use issuers::{AGAIN_SECONDS, FRESH_SECONDS, IssuerError, OutsideIssuers, STALE_SECONDS, VerifyError};
pub use keys::{JwkSet, MAX_KEYS};
