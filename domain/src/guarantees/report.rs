//! What a run of the guarantees found: a format of the log, which lives with the verifier, who reads it in receipts.

pub use verifier::report::{Counterexample, Guarantee, GuaranteeResult, Report, ReportError, TYP, TYPE, VERSION};
