//! deals

pub mod import;
