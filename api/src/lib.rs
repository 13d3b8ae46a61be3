//! The HTTP API and the command line of `flip360`.
//!
//! A request goes one way: `routes` (DTO → command, the [`extract::Caller`]) → [`app::App`] (one
//! transaction on the blocking pool, its idempotency and audit records) → a use case of the domain →
//! `views`. Scopes are declared once, in the API document, and enforced from there; use cases check
//! them again.

pub mod answer;
pub mod app;
pub mod assembly;
pub mod auth;
pub mod backlog;
pub mod batch;
pub mod cli;
pub mod config;
pub mod cosigning;
pub mod dispatch;
pub mod extract;
pub mod feed;
pub mod figures;
pub mod http;
pub mod once;
pub mod openapi;
pub mod policy;
pub mod problem;
pub mod routes;
pub mod server;
pub mod sse;
pub mod stripe_desk;
pub mod views;
pub mod witnessing;
pub mod workers;
