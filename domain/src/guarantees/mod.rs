//! The promises of the platform, checked over all live data: five of the six (disputes are not here yet).
//!
//! Each answers `holds` or `broken`, with what it covered, figures, and counterexamples: at most
//! [`MAX_COUNTEREXAMPLES`] are kept, all are counted. Everything is recomputed, nothing is sampled, and
//! all of it sees one moment of the database, under the newest signed checkpoint. A run is signed by the
//! platform and logged. Data comes in pages through the port; memory grows with the number of
//! accounts and lanes only.

mod attribution;
mod check;
mod determinism;
mod erased;
mod exactly_once;
mod integrity;
mod payout;
pub mod report;
pub mod repository;
pub mod run;
mod tally;

pub use report::{Counterexample, Guarantee, GuaranteeResult, Report};

/// Counterexamples that a guarantee keeps.
pub const MAX_COUNTEREXAMPLES: usize = 20;
/// Rows of one page.
const PAGE: u32 = 500;
