//! Money out: our own bank accounts, payout runs, payouts, the bank file, statements of members.
//!
//! A run goes preview → propose → approve (somebody else) → execute. `plan` works out whom it pays and
//! freezes that as `content`, whose digest is what gets approved; `run` holds the states, `decide` and
//! `execute` the use cases, `outcome` what became of the payouts, `aba` writes the file, `calendar` knows banking days. Invariants: a payout is in
//! one file ever; what is executed is exactly what was approved, or nothing; one transaction writes
//! entries, lines, payouts, file and log. Tax on a payment is decided
//! and papers are written by [`crate::tax`]. Not yet here, and therefore left out with a reason: the Stripe rail.

pub mod aba;
pub mod bank_account;
pub mod calendar;
pub mod command;
pub mod content;
pub mod decide;
pub mod error;
pub mod execute;
pub mod outcome;
pub mod payout;
pub mod plan;
pub mod repository;
pub mod run;
pub mod statement;

pub use bank_account::{BankAccount, CreateBankAccount, CreateBankAccountInput};
pub use command::{OnRun, PreviewRun};
pub use content::{RunContent, Skip};
pub use error::PayoutError;
pub use run::PayoutRun;
