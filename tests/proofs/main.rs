//! The log and its receipts out of real PostgreSQL: what strangers get, what an audit finds, and what
//! code that nobody here wrote says to both.

mod audit;
mod cli;
mod document;
mod http;
mod kinds;
mod malformed;
mod mirror;
mod oracles;
mod page;
mod receipts;
mod support;
mod ten_thousand;
mod wycheproof;
