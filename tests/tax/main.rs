//! Tax papers: what payees are to the tax office, GST and withholding of payments, papers, reports.

#[path = "../chain/support.rs"]
#[expect(dead_code, reason = "what the tests of the log have in common; these need its audit")]
mod chain;
mod cheats;
mod events;
mod facts;
mod logged;
mod paper;
mod random;
#[path = "../webhooks/receiver.rs"]
#[expect(dead_code, reason = "the host of the tests of webhooks, of which these need a part")]
mod receiver;
mod report;
mod runs;
#[path = "../payouts/world.rs"]
#[expect(dead_code, reason = "what the tests of payouts have in common; these need a part of it")]
mod world;
