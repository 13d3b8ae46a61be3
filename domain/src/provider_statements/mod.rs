//! Provider statements: what providers say that they paid, held against what the ledger says that they owe.
//!
//! A statement is read by the mapping of its provider, kept line by line, and matched: each line takes from one open
//! item (a deal's commission, its trail of a month, what is taken back of either), is posted as one `provider_receipt`,
//! and what it takes from nothing waits as an unapplied receipt. What does not fit is an exception with an owner and
//! an age. Invariants: a file counts once, a line is posted once, an item never takes more than is open of it, and
//! per provider receivable = expected − received − written off, to the cent; negative lines are matched to what was
//! taken back and never netted. The word is the design's, and keeps clear of bank statements, which are another
//! matter. Sources: the domain document ("Payouts and tax", journal), the payouts document ("Reconciliation").

pub mod error;
pub mod exception;
pub mod file;
pub mod funding;
pub mod import;
pub mod item;
pub mod mapping;
pub mod mapping_input;
pub mod matching;
pub mod overdue;
pub mod post;
pub mod repository;
pub mod resolve;
pub mod statement;
pub mod work;
pub mod write_off;

pub use error::ReconciliationError;
pub use exception::{ExceptionKind, ExceptionStatus, ProviderException, Resolution};
pub use item::{Item, ItemKey, Side};
pub use mapping::{LineKind, StatementMapping};
pub use statement::{LineResult, ProviderStatement, StatementState};
pub use write_off::{WriteOff, WriteOffState};
