//! The rail of Stripe Connect: payees' accounts, transfers to them, what Stripe tells us, its book against ours.
//!
//! What settles a payout is the **transfer** from our balance to the payee's account at Stripe; what happens
//! between that account and the payee's bank posts nothing here. Invariants: a payout is at most one transfer,
//! however often it is tried and by however many processes; nobody knows = `unknown`, which is looked up before
//! anything is sent again; only what Stripe definitely refused comes back; every change of our Stripe balance is
//! one posting to `stripe_balance`, by the cent that Stripe's own book has. Calls to Stripe are made with no
//! transaction open: one transaction claims, the next one records. Bounds: `sending::BATCH` transfers a turn.
//! Sources: Stripe's API reference (Connect, Transfers, Idempotent requests, Errors, Webhooks),
//! `docs/stripe.md`, ADR 0029 and 0030.

pub mod account;
pub mod book;
pub mod event;
pub mod names;
pub mod rail;
pub mod recall;
pub mod repository;
pub mod reversal;
pub mod sending;
pub mod transfer;

pub use account::{KeptAccount, Onboarding};
pub use event::StripeEvent;
pub use names::{AccountName, EventName, TransactionName, TransferName};
pub use rail::{RailError, StripeRail, Transfer};
