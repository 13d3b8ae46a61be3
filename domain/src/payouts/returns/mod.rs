//! Returned payments: the bank says that payments of a bank file could not be made.
//!
//! `file` reads what the bank sends, `matching` finds the payout of each item, `receive` books what came back.
//! Invariants: a file is taken in once, known by its SHA-256, and changes nothing the second time; an item is
//! a fact that never changes; what fits no payout stays an exception and moves nothing; a payout comes back once,
//! also after it had arrived, also after the payee was paid again. Codes 1, 3, 4 and 5 block the bank details
//! that the payment went to. Source: the payouts document, section on the ABA file (record type 2, return codes).

pub mod file;
pub mod matching;
pub mod receive;
pub mod repository;

pub use file::ReturnCode;
pub use matching::Unmatched;
