//! Access tokens: issued, verified, and the keys that prove them.

pub mod crypto;
pub mod keys;
pub mod revocations;
pub mod token;

pub use token::{TokenError, Tokens};
