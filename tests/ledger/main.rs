//! The ledger in full: entries by hand with four eyes, batches, floors, months, statements, and what hledger says of
//! ten thousand entries.

mod floors;
mod hledger;
mod manual;
mod periods;
mod statements;
mod world;
