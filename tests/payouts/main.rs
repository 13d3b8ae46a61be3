//! Money out: the bank file against foreign checkers, runs on real PostgreSQL, statements, the book.

mod aba;
mod book;
mod calendar;
mod http;
mod plan;
mod random;
mod runs;
mod statements;
mod world;
