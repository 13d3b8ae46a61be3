//! Receipts and proofs of every kind, out of a log built by hand: honest ones hold, others are refused with the reason,
//! and no byte of one can be changed. The examples of `docs/receipts.md` come from here.

#![expect(clippy::expect_used, reason = "helpers of tests may panic")]

mod examples;
mod kinds;
mod made;
mod mutations;
mod signer;
mod tlog_proofs;
