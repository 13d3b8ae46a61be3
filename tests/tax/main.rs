//! Tax papers: what payees are to the tax office, GST and withholding of payments, papers, reports.

mod facts;
mod paper;
mod random;
mod report;
mod runs;
#[path = "../payouts/world.rs"]
#[expect(dead_code, reason = "what the tests of payouts have in common; these need a part of it")]
mod world;
