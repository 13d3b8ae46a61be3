//! Sends webhooks: one loop talks to the database, every request is a task of its own.
//!
//! The loop makes deliveries of new events, records what has ended, claims what is due, and starts its
//! sending. It never waits for a request, so an endpoint that hangs holds its own few places
//! ([`PER_ENDPOINT`]) and nobody else's. What is lost in a crash is claimed again when its lease runs out.
//! Bounds: [`IN_ALL`] requests on their way, [`PER_ENDPOINT`] to one endpoint.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::web::Data;
use domain::access::Actor;
use domain::chain::signer::PortError;
use domain::kernel::ids::WebhookEndpointId;
use domain::store::StoreError;
use domain::webhooks::delivery::KEPT_BODY;
use domain::webhooks::endpoint::MAX_PER_OWNER;
use domain::webhooks::repository::Room;
use domain::webhooks::{Claimed, Outcome, Sent, SigningSecret, work};
use integrations::outbound::{OutboundRequest, Verb};
use integrations::webhook_signature::{signatures, timestamp};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::app::App;

/// Requests on their way, at most: more than all endpoints of one owner may have.
pub const IN_ALL: u32 = 384;
/// Requests on their way to one endpoint, at most.
pub const PER_ENDPOINT: u32 = 16;
/// The same for an endpoint that took nothing lately: whoever hangs holds the places of others once only.
pub const PER_FAILING: u32 = 2;
const _: () = assert!(IN_ALL > PER_ENDPOINT * MAX_PER_OWNER, "one owner must leave places to others");
/// How long the loop sleeps when nobody wakes it: retries, and events of other processes, wait at most so long.
const IDLE: Duration = Duration::from_secs(1);
/// How long requests on their way are waited for at the end; what takes longer is sent again by the next start.
const LAST_WORDS: Duration = Duration::from_secs(3);
/// A request that cannot be signed is recorded as this.
const NOT_SIGNED: &str = "not_signed";

/// What is on its way.
struct Flight {
    busy: HashMap<WebhookEndpointId, u32>,
    /// What has ended and is not recorded yet.
    ended: Vec<Sent>,
    report: UnboundedSender<Sent>,
    reports: UnboundedReceiver<Sent>,
}

impl Flight {
    fn new() -> Self {
        let (report, reports) = unbounded_channel();
        Self { busy: HashMap::new(), ended: Vec::new(), report, reports }
    }

    fn count(&self) -> u32 {
        self.busy.values().sum()
    }

    fn room(&self) -> Room {
        let busy = self.busy.iter().map(|(id, n)| (*id, *n)).collect();
        Room { total: IN_ALL - self.count().min(IN_ALL), per_endpoint: PER_ENDPOINT, per_failing: PER_FAILING, busy }
    }

    fn start(&mut self, app: &Data<App>, claimed: Claimed) {
        *self.busy.entry(claimed.delivery.endpoint).or_default() += 1;
        let (app, report) = (app.clone(), self.report.clone());
        tokio::spawn(async move {
            // Nobody listens any more when the service ends: the claim runs out.
            let _ = report.send(send(&app, claimed).await);
        });
    }

    fn landed(&mut self, sent: Sent) {
        if let Some(n) = self.busy.get_mut(&sent.delivery.endpoint) {
            *n -= 1;
            if *n == 0 {
                self.busy.remove(&sent.delivery.endpoint);
            }
        }
        self.ended.push(sent);
    }

    /// Takes whatever has ended meanwhile.
    fn gather(&mut self) {
        while let Ok(sent) = self.reports.try_recv() {
            self.landed(sent);
        }
    }
}

/// Sends webhooks until it is told to stop.
pub async fn run(app: &Data<App>, stopping: &AtomicBool) {
    let mut flight = Flight::new();
    let mut head = app.feed.watch();
    while !stopping.load(Ordering::Acquire) {
        // What is handed on from here on wakes the loop, even before it sleeps.
        head.mark_unchanged();
        match turn(app, &mut flight).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "webhooks are delayed; that is tried again"),
        }
        tokio::select! {
            sent = flight.reports.recv() => sent.into_iter().for_each(|sent| flight.landed(sent)),
            _ = head.changed() => {}
            () = app.dispatching.notified() => {}
            () = tokio::time::sleep(IDLE) => {}
        }
    }
    let waited = tokio::time::timeout(LAST_WORDS, async {
        while flight.count() > 0 {
            let Some(sent) = flight.reports.recv().await else { return };
            flight.landed(sent);
        }
    });
    if waited.await.is_err() {
        tracing::warn!(left = flight.count(), "webhooks on their way were left; the next start sends them again");
    }
    if let Err(error) = recorded(app, std::mem::take(&mut flight.ended), None).await {
        tracing::error!(%error, "what became of webhooks was not recorded; the next start sends them again");
    }
}

/// One round: deliveries of new events, what has ended, what is due. `true` when there may be more at once.
async fn turn(app: &Data<App>, flight: &mut Flight) -> Result<bool, StoreError> {
    let looked_at = spread(app).await?;
    flight.gather();
    let ended = std::mem::take(&mut flight.ended);
    let room = flight.room();
    let claimed = match recorded(app, ended.clone(), Some(room)).await {
        Ok(claimed) => claimed,
        Err(error) => {
            // They are recorded by the next round; until then they count as not ended.
            flight.ended = ended;
            return Err(error);
        }
    };
    let more = looked_at > 0 || !claimed.is_empty() || !ended.is_empty();
    for claimed in claimed {
        flight.start(app, claimed);
    }
    Ok(more)
}

/// Sends everything that is due now, and what becomes due by it, and records it. Returns how many were sent.
///
/// # Errors
/// The failure of the store.
pub async fn settle(app: &Data<App>) -> Result<usize, StoreError> {
    while spread(app).await? > 0 {}
    let mut sent = 0;
    loop {
        let room = Flight::new().room();
        let claimed = recorded(app, Vec::new(), Some(room)).await?;
        if claimed.is_empty() {
            return Ok(sent);
        }
        sent += claimed.len();
        let mut flight = Flight::new();
        for claimed in claimed {
            flight.start(app, claimed);
        }
        while flight.count() > 0 {
            let Some(ended) = flight.reports.recv().await else { break };
            flight.landed(ended);
        }
        let _ = recorded(app, flight.ended, None).await?;
    }
}

async fn spread(app: &Data<App>) -> Result<u64, StoreError> {
    let app = app.clone();
    let service = Actor::service();
    blocking(move || app.store.transaction(|uow| work::fan_out(uow, &app.env(&service)))).await
}

/// Records what has ended and claims what is due, in one transaction.
async fn recorded(app: &Data<App>, ended: Vec<Sent>, room: Option<Room>) -> Result<Vec<Claimed>, StoreError> {
    let app = app.clone();
    let service = Actor::service();
    let told = !ended.is_empty();
    let work = move || {
        let claimed = app.store.transaction(|uow| work::turn(uow, &app.env(&service), &ended, room.as_ref()));
        if told {
            // An endpoint may have been disabled, which is an event.
            app.telling.ring();
        }
        claimed
    };
    blocking(work).await
}

async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, StoreError> + Send + 'static,
) -> Result<R, StoreError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(StoreError::Unavailable))
}

/// Makes one attempt. What went wrong is part of what comes out.
pub async fn send(app: &App, claimed: Claimed) -> Sent {
    let at = app.clock.now();
    let begun = std::time::Instant::now();
    let answer = match request(app, &claimed, timestamp(at)) {
        Ok(request) => app.outbound.send(request).await.map_err(|error| error.code()),
        Err(error) => {
            tracing::error!(%error, delivery = %claimed.delivery.id, "a webhook cannot be signed");
            Err(NOT_SIGNED)
        }
    };
    let duration_ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX) & 0x7fff_ffff;
    let Claimed { delivery, claim, .. } = claimed;
    match answer {
        Ok(answer) => {
            let retry_after = answer.headers.get("retry-after").and_then(|value| value.to_str().ok());
            let (retry_after, outcome) = (retry_after.map(str::to_owned), Outcome::Answered(answer.status));
            Sent { delivery, claim, at, duration_ms, outcome, retry_after, body: answer.body }
        }
        Err(code) => {
            let outcome = Outcome::Failed(code.to_owned());
            Sent { delivery, claim, at, duration_ms, outcome, retry_after: None, body: Vec::new() }
        }
    }
}

/// The request of one attempt: signed with the secret, and with the one before while that is good.
fn request(app: &App, claimed: &Claimed, timestamp: i64) -> Result<OutboundRequest, PortError> {
    let body = claimed.event.payload().map_err(|error| PortError(error.to_string()))?;
    let sealed = std::iter::once(&claimed.secret).chain(&claimed.previous);
    let open = |sealed| SigningSecret::open(&app.sealer, claimed.signing, claimed.delivery.endpoint, sealed);
    let secrets = sealed.map(open).collect::<Result<Vec<_>, _>>()?;
    let id = claimed.delivery.event.to_string();
    let signature = signatures(&secrets, &id, timestamp, &body);
    let headers = vec![
        ("content-type", "application/json".to_owned()),
        ("webhook-id", id),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signature),
    ];
    Ok(OutboundRequest { verb: Verb::Post, url: claimed.url.clone(), headers, body, keep: KEPT_BODY })
}
