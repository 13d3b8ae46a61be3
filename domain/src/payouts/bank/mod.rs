//! Statements of our own bank accounts, and what they prove.
//!
//! `statement` is a statement as it was read (camt.053 or CSV; the reading itself is an integration), `matching` finds
//! what each line is, `receive` takes statements in, `by_hand` matches what was left, `settle` settles by the passing of
//! banking days where an account is configured so, `reconcile` sets the bank beside the ledger. Invariants: a document
//! is taken in once, known by its SHA-256; lines never change; a line is matched once, a file is debited once, a payout
//! credited back once; what is left is `unmatched`, has an age and moves nothing. Money moves through
//! [`super::outcome`] alone. Source: the payouts document, sections on the ABA file and on reconciliation.

pub mod by_hand;
pub mod csv_profile;
pub mod matching;
pub mod receive;
pub mod reconcile;
pub mod repository;
pub mod settle;
pub mod statement;
