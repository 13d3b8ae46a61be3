//! What providers say that they paid, on real PostgreSQL: read, matched, posted once, excepted, written off, funded.

mod guarantee;
mod http;
mod matching;
mod money;
mod random;
mod world;
