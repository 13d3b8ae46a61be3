//! Money out: the bank file against foreign checkers, runs on real PostgreSQL, statements, the book.

mod aba;
mod aside_http;
mod assignments;
mod assignments_http;
mod bank;
mod bank_documents;
mod book;
mod calendar;
mod clawbacks;
mod erasure;
mod files;
mod full_disk;
mod holds;
mod http;
mod plan;
mod promises;
mod races;
mod random;
mod recovery;
mod retries;
mod returns;
mod runs;
mod sla;
mod statements;
mod transit;
mod world;
