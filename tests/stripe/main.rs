//! Payouts by Stripe Connect: the real service against a double that knows Stripe's published specification.

mod double;
mod erasure;
mod onboarding;
mod oracle;
mod processes;
mod recalls;
mod reversals;
mod sending;
mod webhooks;
mod world;
