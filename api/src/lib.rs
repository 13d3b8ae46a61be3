//! The HTTP API and the command line of `flip360`.

pub mod auth;
