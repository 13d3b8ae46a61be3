//! What this process has for Stripe, and what its worker does with it: events are applied, payouts sent, transfers reversed, Stripe's
//! book read. Without a key there is no desk: nothing is sent, and webhooks are answered 503, so that Stripe sends
//! them again.
//!
//! Several processes may do this on one database: payouts are claimed, events applied under a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::web::Data;
use domain::access::Actor;
use domain::payouts::stripe::rail::{ReturnPages, StripeRail};
use domain::payouts::stripe::sending::{self, BATCH, Point};
use domain::payouts::stripe::{book, event, recall};
use integrations::stripe::WebhookSecrets;

use crate::app::{App, Bell};

/// What is due waits at most so long when nobody rings.
const IDLE: Duration = Duration::from_secs(1);
/// How often Stripe's book is read.
const BOOK_EVERY_MILLIS: i64 = 15 * 60 * 1000;

/// Everything for Stripe.
pub struct StripeDesk {
    /// Stripe.
    pub rail: Arc<dyn StripeRail>,
    /// The secrets of our webhook endpoint there.
    pub secrets: WebhookSecrets,
    /// Where people come back to.
    pub pages: ReturnPages,
    /// Wakes the worker.
    pub bell: Bell,
    /// What is told where a payout's sending passes; nobody listens outside of tests.
    pub pass: fn(Point),
}

impl StripeDesk {
    /// A desk over a rail.
    #[must_use]
    pub fn new(rail: Arc<dyn StripeRail>, secrets: WebhookSecrets, pages: ReturnPages) -> Self {
        Self { rail, secrets, pages, bell: Bell::default(), pass: |_| () }
    }
}

/// Works until it is told to stop.
pub fn work(app: &Data<App>, stopping: &AtomicBool) {
    let Some(desk) = &app.stripe else { return };
    let mut read = None;
    while !stopping.load(Ordering::Acquire) {
        round(app, desk, stopping);
        let now = app.clock.now().millis();
        if read.is_none_or(|before: i64| now.saturating_sub(before) >= BOOK_EVERY_MILLIS || now < before) {
            read_book(app, desk);
            read = Some(now);
        }
        desk.bell.wait(IDLE);
    }
}

/// Applies what Stripe told, sends and takes back what is due, until nothing is. Returns how many were tried.
pub fn round(app: &App, desk: &StripeDesk, stopping: &AtomicBool) -> usize {
    let (actor, mut tried) = (Actor::service(), 0);
    while !stopping.load(Ordering::Acquire) {
        let env = app.env(&actor);
        let applied = event::turn(app.store.as_ref(), desk.rail.as_ref(), &env).unwrap_or_else(|error| {
            tracing::error!(%error, "what Stripe told was not applied; that is tried again");
            0
        });
        let sent = sending::turn(app.store.as_ref(), desk.rail.as_ref(), &env, BATCH, &desk.pass).unwrap_or_else(|error| {
            tracing::error!(%error, "what became of payouts by Stripe was not recorded; they are looked up and tried again");
            0
        });
        let taken_back = recall::turn(app.store.as_ref(), desk.rail.as_ref(), &env, &desk.pass).unwrap_or_else(|error| {
            tracing::error!(%error, "what became of reversals at Stripe was not recorded; they are looked up and tried again");
            0
        });
        tried += sent + taken_back;
        if applied + sent + taken_back == 0 {
            break;
        }
        app.wrote();
    }
    tried
}

/// Reads what Stripe's book has more than before.
pub fn read_book(app: &App, desk: &StripeDesk) {
    let actor = Actor::service();
    if let Err(error) = book::read(app.store.as_ref(), desk.rail.as_ref(), &app.env(&actor)) {
        tracing::error!(%error, "Stripe's book was not read; that is tried again");
    }
}
