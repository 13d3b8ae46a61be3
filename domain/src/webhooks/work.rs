//! What the dispatcher does beside sending: events become deliveries, due ones are claimed, ends recorded.
//!
//! Each is one transaction of a fixed number of statements. Nothing is sent inside of one: a crash after a
//! request went out and before its end is recorded means that it is sent again when the claim runs out.

use jiff::SignedDuration;

use super::delivery::{Attempt, Claimed, Delivery, DeliveryStatus, KEPT_BODY, Sent};
use super::endpoint::{DisabledReason, Endpoint, EndpointStatus};
use super::repository::{Ended, Match, Room};
use super::retry::{Next, later, next, retry_after};
use super::service;
use crate::env::Env;
use crate::events::EventKind;
use crate::kernel::Instant;
use crate::kernel::ids::{WebhookDeliveryId, WebhookEndpointId};
use crate::store::{StoreError, UnitOfWork};

/// Events that become deliveries in one transaction.
pub const BATCH: u64 = 500;

/// Who claims a delivery and does not end it by then is taken for dead. Longer than any request may take.
pub const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// Makes deliveries of the events after the cursor. Returns how many events were looked at.
///
/// # Errors
/// The failure of the store.
pub fn fan_out(uow: &mut dyn UnitOfWork, env: &Env<'_>) -> Result<u64, StoreError> {
    let after = uow.webhooks().lock_cursor()?;
    let up_to = uow.webhooks().last_sequence()?.min(after + BATCH);
    if up_to <= after {
        return Ok(0);
    }
    let matches = uow.webhooks().list_matches(after, up_to)?;
    let deliveries: Vec<Delivery> = matches.into_iter().map(|found| delivery(env, found)).collect();
    uow.webhooks().insert_deliveries(&deliveries)?;
    uow.webhooks().update_cursor(up_to)?;
    Ok(up_to - after)
}

fn delivery(env: &Env<'_>, found: Match) -> Delivery {
    // Whoever tries an endpoint wants to know now, not when everything before it was taken.
    let in_order = found.kind != EventKind::WebhookTest;
    Delivery {
        id: WebhookDeliveryId::new(env.ids.next()),
        endpoint: found.endpoint,
        sequence: found.sequence,
        event: found.event,
        kind: found.kind,
        subject: found.subject,
        occurred_at: found.occurred_at,
        status: DeliveryStatus::Pending,
        due_at: found.not_before.filter(|_| in_order).map_or(env.now, |at| at.max(env.now)),
        in_order,
        failures: 0,
        attempts: 0,
        created_at: env.now,
        finished_at: None,
    }
}

/// Claims what is due and whose turn it is.
///
/// # Errors
/// The failure of the store.
pub fn claim(uow: &mut dyn UnitOfWork, env: &Env<'_>, room: &Room) -> Result<Vec<Claimed>, StoreError> {
    uow.webhooks().claim(room, env.now, later(env.now, LEASE))
}

/// Records what has ended, then claims what is due, if there is room.
///
/// # Errors
/// The failure of the store.
pub fn turn(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    ended: &[Sent],
    room: Option<&Room>,
) -> Result<Vec<Claimed>, StoreError> {
    if !ended.is_empty() {
        record(uow, env, ended)?;
    }
    match room {
        Some(room) if room.total > 0 => claim(uow, env, room),
        _ => Ok(Vec::new()),
    }
}

/// Records what became of claimed deliveries: the log, when they are tried again, which endpoints are given up.
///
/// # Errors
/// The failure of the store.
pub fn record(uow: &mut dyn UnitOfWork, env: &Env<'_>, sent: &[Sent]) -> Result<(), StoreError> {
    let mut ids: Vec<WebhookEndpointId> = sent.iter().map(|sent| sent.delivery.endpoint).collect();
    ids.sort_unstable();
    ids.dedup();
    let before = uow.webhooks().lock_endpoints(&ids)?;
    let mut endpoints = before.clone();
    let draw = env.draw();
    let mut ended = Vec::with_capacity(sent.len());
    for (n, sent) in sent.iter().enumerate() {
        let jitter = u32::from(draw[n % 32]) << 8 | u32::from(draw[(n + 1) % 32]);
        let (delivery, next) = end(sent, jitter, env.now);
        if let Some(endpoint) = endpoints.iter_mut().find(|endpoint| endpoint.id == delivery.endpoint) {
            *endpoint = after(endpoint.clone(), next, env.now);
        }
        ended.push(Ended { delivery, claim: sent.claim });
    }
    let attempts: Vec<Attempt> = sent.iter().map(attempt).collect();
    uow.webhooks().append_attempts(&attempts)?;
    uow.webhooks().end_claims(&ended)?;
    let waits = |delivery: &&Delivery| delivery.status == DeliveryStatus::Pending && delivery.in_order;
    let failed: Vec<Delivery> = ended.iter().map(|ended| &ended.delivery).filter(waits).cloned().collect();
    uow.webhooks().postpone_after(&failed)?;
    let changed = |(was, is): &(&Endpoint, &Endpoint)| was != is;
    let changed: Vec<Endpoint> = before.iter().zip(&endpoints).filter(changed).map(|(_, is)| is.clone()).collect();
    uow.webhooks().update_endpoints(&changed)?;
    let ended_now = |endpoint: &&Endpoint| {
        endpoint.status != EndpointStatus::Enabled
            && before.iter().any(|was| was.id == endpoint.id && was.status == EndpointStatus::Enabled)
    };
    let disabled: Vec<Endpoint> = changed.iter().filter(ended_now).cloned().collect();
    if disabled.is_empty() { Ok(()) } else { service::disabled(uow, env, &disabled) }
}

/// The delivery after an attempt, and what the attempt means.
fn end(sent: &Sent, jitter: u32, now: Instant) -> (Delivery, Next) {
    let asked = sent.retry_after.as_deref().and_then(|text| retry_after(text, now));
    let next = next(sent.outcome.status(), asked, sent.delivery.failures, jitter, now);
    let delivery = Delivery { attempts: sent.delivery.attempts + 1, ..sent.delivery.clone() };
    let delivery = match next {
        Next::Delivered => Delivery { status: DeliveryStatus::Delivered, finished_at: Some(now), ..delivery },
        Next::Again(due_at) => Delivery { due_at, failures: delivery.failures + 1, ..delivery },
        Next::GivenUp | Next::Gone => {
            let failures = delivery.failures + 1;
            Delivery { status: DeliveryStatus::GivenUp, finished_at: Some(now), failures, ..delivery }
        }
    };
    (delivery, next)
}

/// The endpoint after one of its deliveries ended so.
fn after(endpoint: Endpoint, next: Next, now: Instant) -> Endpoint {
    match next {
        Next::Delivered => endpoint.succeeded(),
        Next::Again(_) | Next::GivenUp => endpoint.failed(now),
        Next::Gone => endpoint.disabled(DisabledReason::Gone, now),
    }
}

fn attempt(sent: &Sent) -> Attempt {
    Attempt {
        delivery: sent.delivery.id,
        claim: sent.claim,
        at: sent.at,
        duration_ms: sent.duration_ms,
        outcome: sent.outcome.clone(),
        body: sent.body.iter().copied().take(KEPT_BODY).collect(),
    }
}
