//! What is owed and what moved: double entry, append-only, without gaps.
//!
//! `account` and `entry` are the values, `line` where each participant's money lies, `accrue` turns
//! calculations into entries, `posting` writes them, `release` ends holds by agreement, `hold` is what people put aside
//! while something is in question; `manual` is what people
//! write by hand, `period` and `closing` shut months; `book` reads it all back, `journal` writes it down for other
//! programs, `statement` tells a payee.

pub mod account;
pub mod accrue;
pub mod book;
pub mod closing;
pub mod entry;
pub mod frozen;
pub mod hold;
pub mod journal;
pub mod line;
pub mod manual;
pub mod period;
pub mod posting;
pub mod release;
pub mod repository;
pub mod statement;

pub use verifier::entry as logged;
