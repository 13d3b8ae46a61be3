//! The application: everything that a request needs, and how work gets to the database.
//!
//! Database work is synchronous and runs on a bounded blocking pool; nothing is awaited inside a
//! transaction.

use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};
use std::time::Duration;

use actix_web::web;
use domain::access::{Actor, Viewer};
use domain::chain::checkpoint::{Checkpoint, TreeHead};
use domain::chain::memory::LogMemory;
use domain::chain::merkle::empty_root;
use domain::chain::note::{NoteError, VerifierKey};
use domain::chain::signer::{HighWater, PortError, Signer};
use domain::chain::trust::{Trust, TrustError};
use domain::env::{Env, Surroundings};
use domain::kernel::id::IdSource;
use domain::kernel::time::{Clock, Randomness};
use domain::store::{Queries, Store, StoreError};

use integrations::cursor_key::CursorKey;
use integrations::oidc::OutsideIssuers;
use integrations::sealing::Sealer;

use tokio::sync::watch;

use crate::auth::Tokens;
use crate::auth::revocations::Revocations;
use crate::backlog::Backlog;
use crate::batch::Batcher;
use crate::extract::Caller;
use crate::feed::Feed;
use crate::figures::Figures;
use crate::once::InFlight;
use crate::policy::Policy;
use crate::problem::Problem;
use crate::routes::deals::DealSteps;
use crate::routes::handshakes::Accepts;
use crate::routes::referrals::Referrals;
use crate::witnessing::Witnessing;

/// The adapters that an application stands on.
pub struct Ports {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn IdSource>,
    /// Salts, secrets.
    pub randomness: Arc<dyn Randomness>,
    /// The key that seals.
    pub platform: Arc<dyn Signer>,
    /// The key of the log.
    pub log: Arc<dyn Signer>,
    /// The rollback guard's memory.
    pub high_water: Arc<dyn HighWater>,
    /// Gives and reads access tokens.
    pub tokens: Tokens,
    /// Makes and checks password hashes.
    pub passwords: Arc<dyn domain::access::PasswordHasher>,
    /// Asks outside hosts.
    pub outbound: integrations::outbound::Outbound,
    /// Refuses passwords that are easily guessed.
    pub password_rules: Arc<dyn domain::access::PasswordRules>,
    /// The name of the log.
    pub origin: String,
    /// Live or sandbox.
    pub environment: domain::access::Environment,
}

/// How much of the log's hashes is remembered unless the settings say otherwise: the newest half of it is sure to be kept, a million leaves.
pub const LOG_MEMORY_MIB: u16 = 64;
/// A full tile is 256 hashes of 32 bytes.
const TILES_PER_MIB: usize = 128;

/// One running service: its ports, and what it holds in memory.
pub struct App {
    ports: Ports,
    /// Which scope each operation asks for.
    pub policy: Policy,
    /// The API document as it is served.
    pub document: Vec<u8>,
    /// Referrals that are in flight.
    pub referrals: Batcher<Referrals>,
    /// Facts and decisions in flight.
    pub deal_steps: Batcher<DealSteps>,
    /// Accepts that are in flight.
    pub accepts: Batcher<Accepts>,
    /// Keys of requests that this process is working on.
    pub in_flight: InFlight,
    /// Wakes the sequencer.
    pub sequencing: Bell,
    /// Wakes whoever numbers events.
    pub telling: Bell,
    /// The live end of the event log.
    pub feed: Feed,
    /// Says to streams that the service stops.
    pub stopping: watch::Sender<bool>,
    /// Wakes the worker.
    pub work: Bell,
    /// Wakes whoever sends webhooks.
    pub dispatching: tokio::sync::Notify,
    /// How requests were answered.
    pub figures: Figures,
    /// Seals kept answers that carry a secret.
    pub sealer: Sealer,
    /// Marks the cursors of lists.
    pub cursor_key: CursorKey,
    /// The keys of outside issuers.
    pub issuers: OutsideIssuers,
    /// What is remembered of the published log.
    pub log_memory: LogMemory,
    seen: RwLock<TreeHead>,
    /// Whose tokens were ended before their time.
    pub revocations: Revocations,
    /// Wakes whoever learns of revocations.
    pub revoking: Bell,
    /// The witnesses of the log.
    pub witnessing: Witnessing,
    /// How far the log may be behind.
    pub backlog: Backlog,
    /// Why the log is not being signed, when it is not.
    log_fault: RwLock<Option<String>>,
}

/// The ports of an application read as its own.
impl std::ops::Deref for App {
    type Target = Ports;

    fn deref(&self) -> &Ports {
        &self.ports
    }
}

impl App {
    /// An application on these ports.
    ///
    /// # Errors
    /// When the platform's key is out of reach.
    pub fn new(ports: Ports) -> Result<Self, PortError> {
        let document = crate::openapi::document();
        let policy = Policy::of(&document);
        Ok(Self {
            sealer: Sealer::of(ports.platform.as_ref())?,
            cursor_key: CursorKey::of(ports.platform.as_ref())?,
            issuers: OutsideIssuers::new(ports.outbound.clone()),
            log_memory: LogMemory::of_tiles(usize::from(LOG_MEMORY_MIB) * TILES_PER_MIB),
            ports,
            figures: Figures::of(&policy),
            policy,
            document: crate::openapi::bytes(&document),
            referrals: Batcher::default(),
            deal_steps: Batcher::default(),
            accepts: Batcher::default(),
            in_flight: InFlight::default(),
            sequencing: Bell::default(),
            telling: Bell::default(),
            feed: Feed::default(),
            stopping: watch::Sender::new(false),
            work: Bell::default(),
            dispatching: tokio::sync::Notify::default(),
            seen: RwLock::new(TreeHead { size: 0, root: empty_root() }),
            witnessing: Witnessing::default(),
            backlog: Backlog::default(),
            log_fault: RwLock::new(None),
            revocations: Revocations::default(),
            revoking: Bell::default(),
        })
    }

    /// The same application, which remembers at most so much of the log.
    #[must_use]
    pub fn remembering(mut self, mib: u16) -> Self {
        self.log_memory = LogMemory::of_tiles(usize::from(mib) * TILES_PER_MIB);
        self
    }

    /// What a use case takes from its surroundings, at this moment.
    #[must_use]
    pub fn env<'a>(&'a self, actor: &'a Actor) -> Env<'a> {
        Env {
            now: self.clock.now(),
            actor,
            ids: self.ids.as_ref(),
            randomness: self.randomness.as_ref(),
            origin: &self.origin,
            platform: self.platform.as_ref(),
            seen: self.seen(),
            environment: self.environment,
        }
    }

    /// Something was committed: the log and whoever listens are to hear of it.
    pub fn wrote(&self) {
        self.sequencing.ring();
        self.telling.ring();
    }

    /// The last head that was published.
    #[must_use]
    pub fn seen(&self) -> TreeHead {
        *self.seen.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a stranger needs to check receipts of this service.
    ///
    /// # Errors
    /// When the origin cannot name a key.
    pub fn trust(&self) -> Result<Trust, NoteError> {
        let log = VerifierKey::try_new(&self.origin, self.log.public_key())?;
        Ok(Trust::new(log, vec![self.platform.public_key()]))
    }

    /// The same, with the witnesses of the log and their quorum: what is given to whoever is to trust it.
    ///
    /// # Errors
    /// When the origin cannot name a key, or a witness has the log's own.
    pub fn witnessed_trust(&self) -> Result<Trust, TrustError> {
        self.trust()?.witnessed(self.witnessing.policy().clone())
    }

    /// Refuses new business while the log may not be signed: nothing is taken that could not be proved.
    ///
    /// # Errors
    /// 503 while the rollback guard refuses.
    pub fn log_is_signed(&self) -> Result<(), Problem> {
        match self.log_fault.read().unwrap_or_else(PoisonError::into_inner).as_ref() {
            None => Ok(()),
            Some(_) => Err(Problem::new(
                actix_web::http::StatusCode::SERVICE_UNAVAILABLE,
                "log_not_signed",
                "the log cannot be signed, so nothing new is taken; whoever runs the service finds the reason in its log",
            )),
        }
    }

    /// Learns whose tokens are good no more.
    ///
    /// # Errors
    /// The failure of the store.
    pub fn learn_revocations(&self) -> Result<(), StoreError> {
        self.revocations.learn(self.store.as_ref(), self.clock.now())
    }

    /// Learns the head that another process has signed.
    ///
    /// # Errors
    /// The failure of the store.
    pub fn learn_head(&self) -> Result<(), StoreError> {
        let newest = self.store.read(&Viewer::Everything, |queries| queries.chain().find_newest_note())?;
        let Some(newest) = newest else { return Ok(()) };
        let unreadable = |why: String| StoreError::Failed(format!("the newest checkpoint cannot be read: {why}"));
        let log = VerifierKey::try_new(&self.origin, self.log.public_key()).map_err(|e| unreadable(e.to_string()))?;
        let head = Checkpoint::open(&newest.note, &log).map_err(|e| unreadable(e.to_string()))?.head;
        self.publish(head);
        Ok(())
    }

    /// The rollback guard refused.
    pub fn log_failed(&self, reason: String) {
        *self.log_fault.write().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    /// The log extends what was signed.
    pub fn log_is_whole(&self) {
        *self.log_fault.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A head was published. What is known only rises, whoever comes late; and it says nothing of whether the log is whole.
    pub fn publish(&self, head: TreeHead) {
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        if head.size > seen.size {
            *seen = head;
        }
    }
}

impl Surroundings for App {
    fn env<'a>(&'a self, actor: &'a Actor) -> Env<'a> {
        Self::env(self, actor)
    }
}

/// Runs blocking work on the bounded pool.
///
/// # Errors
/// 503 when the pool is gone (the service is stopping).
pub async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R, Problem> {
    web::block(work).await.map_err(|_| Problem::unavailable())
}

/// After a change that ends tokens: they are good no more in this process from now on. Others learn it by
/// themselves, and so does this one should it fail now.
pub async fn ended_tokens(app: &web::Data<App>) {
    let learning = app.clone();
    match blocking(move || learning.learn_revocations()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(%error, "revocations were not read; that is tried again"),
        Err(problem) => tracing::error!(%problem, "revocations were not read; that is tried again"),
    }
}

/// Looks something up as the caller.
///
/// # Errors
/// The failure of the store.
pub async fn read<R: Send + 'static>(
    app: &web::Data<App>,
    caller: &Caller,
    mut work: impl FnMut(&mut dyn Queries) -> Result<R, StoreError> + Send + 'static,
) -> Result<R, Problem> {
    let (app, viewer) = (app.clone(), caller.viewer());
    blocking(move || app.store.read(&viewer, |queries| work(queries))).await?.map_err(|error| match error {
        // What a reader asks for stands in the query.
        StoreError::Violates(rule) if rule == "value_out_of_range" => {
            Problem::malformed("invalid_filter", "a date or a number is out of the range that is kept")
        }
        other => other.into(),
    })
}

/// Something to wait for that others ring; a ring while nobody waits is not lost.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    /// Wakes whoever waits.
    pub fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.heard.notify_all();
    }

    /// Waits for a ring, at most so long.
    pub fn wait(&self, patience: Duration) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.heard.wait_timeout_while(rung, patience, |rung| !*rung);
        let (mut rung, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *rung = false;
    }
}
