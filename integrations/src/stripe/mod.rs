//! Stripe behind the domain's port: the client, what its answers mean, and signatures of webhooks.
//!
//! The key is held in `secrecy` and stands in no log and no error. Nothing is tried again in here: keys and
//! schedules are the domain's, and durable. Source: Stripe's API reference; `docs/stripe.md`.

mod answers;
mod client;
mod signature;

pub use client::{KeyError, PATIENCE, SecretKey, Stripe, StripeConfig};
pub use signature::{Rejected, WebhookSecrets};
