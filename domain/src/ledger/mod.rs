//! What is owed and what moved: double entry, append-only, without gaps.
//!
//! `account` and `entry` are the values, `line` where each participant's money lies, `accrue` turns
//! calculations into entries, `posting` writes them, `release` ends holds; `book` reads it all back and
//! `journal` writes it down for other programs.

pub mod account;
pub mod accrue;
pub mod book;
pub mod entry;
pub mod journal;
pub mod line;
pub mod posting;
pub mod release;
pub mod repository;

pub use verifier::entry as logged;
