//! Money out: the bank file against foreign checkers, runs on real PostgreSQL, statements, the book.

mod aba;
mod bank;
mod bank_documents;
mod book;
mod calendar;
mod files;
mod http;
mod plan;
mod random;
mod retries;
mod returns;
mod runs;
mod sla;
mod statements;
mod world;
