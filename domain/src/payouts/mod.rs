//! Money out: our own bank accounts, payout runs, payouts, the bank file, statements of members.
//!
//! A run goes preview → propose → approve (somebody else) → execute. `plan` works out whom it pays and
//! freezes that as `content`, whose digest is what gets approved; `run` holds the states, `decide` and
//! `execute` the use cases, `outcome` what became of the payouts, `bank_file` splits a run into files and `aba` writes each, `recovery` bounds what clawbacks take of a run, `assignment` makes what is unpaid another payee's, `calendar` knows banking days. Invariants: a payout is in
//! one file ever; what is executed is exactly what was approved, or nothing; one transaction writes
//! entries, lines, payouts, files and log. Tax on a payment is decided and papers are written by [`crate::tax`].

pub mod aba;
pub mod assignment;
pub mod bank;
pub mod bank_account;
pub mod bank_file;
pub mod calendar;
pub mod command;
pub mod content;
pub mod decide;
pub mod error;
pub mod execute;
pub mod outcome;
mod part;
pub mod payout;
pub mod plan;
pub mod purse;
pub mod recovery;
pub mod repository;
pub mod retry;
pub mod returns;
pub mod run;
pub mod sla;
pub mod statement;
pub mod stripe;

pub use bank_account::{BankAccount, CreateBankAccount, CreateBankAccountInput};
pub use command::{OnRun, PreviewRun};
pub use content::{RunContent, Skip};
pub use error::PayoutError;
pub use run::{PayoutRun, RunSummary};
