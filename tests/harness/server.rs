//! The HTTP API of one test: the real server on a free port of this machine, over the platform's
//! database. Workers do not run by themselves; a test tells them to.

use std::io::BufReader;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use api::app::{App, Ports};
use api::auth::Tokens;
use api::auth::token::TokenConfig;
use api::config::EdgeArgs;
use domain::access::login::Login;
use domain::access::{Actor, Methods, Role, Subject};
use domain::kernel::Instant;
use domain::kernel::ids::{ApiClientId, MemberId, OrganisationId};
use domain::kernel::time::Clock;
use ed25519_dalek::SigningKey;
use integrations::outbound::{Outbound, OutboundConfig, Wall};
use integrations::password::Argon2Hasher;
use integrations::password_rules::Zxcvbn;
use integrations::token_keys::TokenKeyFiles;
use persistence::{PgStore, PoolSizes};
use serde_json::Value;
use uuid::Uuid;

use crate::documented;
pub use crate::neighbour::Identity;
use crate::platform::{CountingIds, CountingRandomness, MemoryHighWater, MemorySigner, ORIGIN, Platform};
pub use crate::reply::{Frames, Reply};

/// A clock that a test sets.
pub struct TestClock(Mutex<Instant>);

impl TestClock {
    /// Sets the time.
    pub fn set(&self, now: Instant) {
        *self.0.lock().expect("no panic") = now;
    }
}

impl Clock for TestClock {
    fn now(&self) -> Instant {
        *self.0.lock().expect("no panic")
    }
}

/// A running service; its platform is checked when it is dropped.
pub struct Service {
    /// The application behind the server.
    pub app: Data<App>,
    /// Its clock.
    pub clock: Arc<TestClock>,
    /// `http://127.0.0.1:port`.
    pub url: String,
    agent: ureq::Agent,
    keys: AtomicU64,
    stop: Option<(ServerHandle, JoinHandle<()>)>,
    identity: Identity,
    /// The platform below; dropped after the server has stopped.
    pub platform: Platform,
}

impl Service {
    /// A platform with reference data, served.
    #[must_use]
    pub fn start() -> Self {
        Self::over(Platform::new())
    }

    /// A platform, served; its webhooks may go to this machine.
    #[must_use]
    pub fn over(platform: Platform) -> Self {
        let wall = Wall { allow_private: true, ..Wall::default() };
        let outbound = Outbound::new(OutboundConfig { wall, ..OutboundConfig::default() });
        Self::behind(platform, outbound.expect("a client"))
    }

    /// A platform, served, that asks outside hosts through this client.
    #[must_use]
    pub fn behind(platform: Platform, outbound: Outbound) -> Self {
        Self::with(platform, outbound, EdgeArgs::default(), Identity::default())
    }

    /// A platform with reference data, served by a service that signs its tokens like this.
    #[must_use]
    pub fn identified(identity: Identity) -> Self {
        let outbound = Outbound::new(OutboundConfig::default()).expect("a client");
        Self::with(Platform::new(), outbound, EdgeArgs::default(), identity)
    }

    /// A platform with reference data, served to whom these settings let in.
    #[must_use]
    pub fn edged(edge: EdgeArgs) -> Self {
        Self::with(
            Platform::new(),
            Outbound::new(OutboundConfig::default()).expect("a client"),
            edge,
            Identity::default(),
        )
    }

    /// A platform with reference data, served by an application that a test has changed.
    #[must_use]
    pub fn altered(change: impl FnOnce(&mut App)) -> Self {
        let outbound = Outbound::new(OutboundConfig::default()).expect("a client");
        Self::serving(Platform::new(), outbound, EdgeArgs::default(), Identity::default(), change)
    }

    fn with(platform: Platform, outbound: Outbound, edge: EdgeArgs, identity: Identity) -> Self {
        Self::serving(platform, outbound, edge, identity, |_| ())
    }

    fn serving(
        platform: Platform,
        outbound: Outbound,
        edge: EdgeArgs,
        identity: Identity,
        change: impl FnOnce(&mut App),
    ) -> Self {
        let clock = Arc::new(TestClock(Mutex::new(platform.now)));
        let mut app = Self::application(&platform, &clock, outbound, &identity);
        change(&mut app);
        let app = Data::new(app);
        let (address, stop) = listen(app.clone(), edge);
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { app, clock, url: address, agent, keys: AtomicU64::new(0), stop: Some(stop), identity, platform }
    }

    /// An application on a platform's database, with a memory of its own.
    fn application(platform: &Platform, clock: &Arc<TestClock>, outbound: Outbound, identity: &Identity) -> App {
        let issuer = "https://flip360.test";
        let config = TokenConfig { issuer: issuer.into(), audience: identity.environment.audience(issuer) };
        let tokens = match &identity.keys {
            Some(keys) => Tokens::of(config, Box::new(TokenKeyFiles::new(keys))),
            None => Tokens::new(config, &SigningKey::from_bytes(&[9; 32]), &[]),
        };
        let tokens = tokens.expect("good keys");
        let url = platform.database.url("flip360_owner");
        let app = App::new(Ports {
            store: Arc::new(PgStore::new(&url, PoolSizes { writers: 8, readers: 4 })),
            clock: Arc::clone(clock) as Arc<dyn Clock>,
            ids: Arc::new(CountingIds::starting_at(1 << 40)),
            randomness: Arc::new(CountingRandomness::starting_at(1 << 40)),
            platform: Arc::new(MemorySigner::new(7)),
            log: Arc::new(MemorySigner::new(8)),
            high_water: Arc::new(MemoryHighWater::default()),
            tokens,
            passwords: Arc::new(Argon2Hasher::new().expect("a hasher")),
            outbound,
            password_rules: Arc::new(Zxcvbn),
            origin: ORIGIN.to_owned(),
            environment: identity.environment,
        });
        app.expect("an application")
    }

    /// Another process's application on the same database, with a memory of its own; nothing serves it.
    #[must_use]
    pub fn neighbour(&self) -> Data<App> {
        let outbound = Outbound::new(OutboundConfig::default()).expect("a client");
        Data::new(Self::application(&self.platform, &self.clock, outbound, &self.identity))
    }

    /// Asks a neighbour, through a server of its own that ends with the answer of the last request.
    pub fn asking_neighbour<R>(&self, app: Data<App>, ask: impl FnOnce(&dyn Fn(&str, &str) -> u16) -> R) -> R {
        let (address, (handle, thread)) = listen(app, EdgeArgs::default());
        let get = |path: &str, token: &str| {
            let request = self.agent.get(format!("{address}{path}"));
            let response = request.header("authorization", format!("Bearer {token}")).call();
            response.expect("an answer").status().as_u16()
        };
        let asked = ask(&get);
        actix_web::rt::System::new().block_on(handle.stop(false));
        let _ = thread.join();
        asked
    }

    /// An access token of a new client with these roles, of an organisation or a member where the role needs one.
    #[must_use]
    pub fn token(&self, roles: &[Role], organisation: Option<OrganisationId>, member: Option<MemberId>) -> String {
        self.token_of(self.app.ids.next(), roles, organisation, member)
    }

    /// The same for a client with a known id.
    #[must_use]
    pub fn token_of(
        &self,
        id: Uuid,
        roles: &[Role],
        organisation: Option<OrganisationId>,
        member: Option<MemberId>,
    ) -> String {
        let scopes = roles.iter().flat_map(|role| role.scopes().iter().copied()).collect();
        let actor = Actor { id, roles: roles.iter().copied().collect(), scopes, organisation, member };
        let subject = Subject::Client(ApiClientId::new(id));
        let login = Login { subject, actor, version: 1, methods: Methods::default(), session: None };
        self.app.tokens.issue(&login, self.app.ids.next(), self.clock.now()).expect("a token").token
    }

    /// The operator's administrator.
    #[must_use]
    pub fn operator(&self) -> String {
        self.token(&[Role::OperatorAdmin], None, None)
    }

    /// An administrator that is the same caller each time: idempotency keys belong to a caller.
    #[must_use]
    pub fn operator_of(&self, n: u128) -> String {
        self.token_of(Uuid::from_u128(n), &[Role::OperatorAdmin], None, None)
    }

    /// The administrator of the platform's introducer.
    #[must_use]
    pub fn partner(&self) -> String {
        self.token(&[Role::PartnerAdmin], Some(self.platform.introducer), None)
    }

    /// The administrator of some other partner: to it everything here is foreign.
    #[must_use]
    pub fn stranger(&self) -> String {
        self.token(&[Role::PartnerAdmin], Some(OrganisationId::new(self.app.ids.next())), None)
    }

    /// The administrator of another organisation that exists.
    #[must_use]
    pub fn stranger_of(&self, organisation: OrganisationId) -> String {
        self.token(&[Role::PartnerAdmin], Some(organisation), None)
    }

    /// Does every job that waits.
    pub fn work(&self) {
        while api::workers::work_off(&self.app).expect("the store answers") {}
    }

    /// Integrates everything that is pending and publishes the signed head.
    pub fn sequence(&self) {
        let _ = api::workers::catch_up(&self.app).expect("the log is whole");
    }

    /// Sends every webhook that is due, and what becomes due by it. Returns how many were sent.
    pub fn dispatch(&self) -> usize {
        let _ = self.tell();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(api::dispatch::settle(&self.app)).expect("the store answers")
    }

    /// Numbers events and hands them to those who follow.
    pub fn tell(&self) -> u64 {
        self.app.feed.advance(self.app.store.as_ref()).expect("the store answers")
    }

    /// GET.
    #[must_use]
    pub fn get(&self, path: &str, token: &str) -> Reply {
        self.send("GET", path, &[("authorization", &format!("Bearer {token}"))], None)
    }

    /// POST with a key of its own.
    #[must_use]
    pub fn post(&self, path: &str, token: &str, body: &Value) -> Reply {
        let key = format!("key-{}", self.keys.fetch_add(1, Ordering::Relaxed));
        self.post_as(path, token, &key, body)
    }

    /// POST with a given key.
    #[must_use]
    pub fn post_as(&self, path: &str, token: &str, key: &str, body: &Value) -> Reply {
        let authorization = format!("Bearer {token}");
        let headers =
            [("authorization", authorization.as_str()), ("idempotency-key", key), ("content-type", "application/json")];
        self.send("POST", path, &headers, Some(body.to_string().as_bytes()))
    }

    /// POST of a file with a fresh key.
    #[must_use]
    pub fn upload(&self, path: &str, token: &str, media: &str, file: &[u8]) -> Reply {
        let (authorization, key) = (format!("Bearer {token}"), self.app.ids.next().to_string());
        let headers = [("authorization", authorization.as_str()), ("idempotency-key", &key), ("content-type", media)];
        self.send("POST", path, &headers, Some(file))
    }

    /// POST of a form, as the token endpoint takes it.
    #[must_use]
    pub fn form(&self, path: &str, form: &str) -> Reply {
        self.send("POST", path, &[("content-type", "application/x-www-form-urlencoded")], Some(form.as_bytes()))
    }

    /// PATCH of the version with this `ETag`.
    #[must_use]
    pub fn patch(&self, path: &str, token: &str, etag: &str, body: &Value) -> Reply {
        let authorization = format!("Bearer {token}");
        let headers =
            [("authorization", authorization.as_str()), ("if-match", etag), ("content-type", "application/json")];
        self.send("PATCH", path, &headers, Some(body.to_string().as_bytes()))
    }

    /// Follows a stream of events.
    #[must_use]
    pub fn follow(&self, path: &str, token: &str, headers: &[(&str, &str)]) -> Frames {
        let mut request = ureq::http::Request::builder().uri(format!("{}{path}", self.url));
        request = request.header("authorization", format!("Bearer {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.agent.run(request.body(()).expect("a request")).expect("an answer");
        assert_eq!(response.status().as_u16(), 200);
        Frames(BufReader::new(response.into_body().into_reader()))
    }

    /// Any request.
    #[must_use]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Reply {
        self.send_to(&self.url, method, path, headers, body)
    }

    /// Any request to one of the servers on this database.
    #[must_use]
    pub fn send_to(&self, url: &str, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Reply {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{url}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.unwrap_or_default().to_vec()).expect("a request");
        let mut response = self.agent.run(request).expect("an answer");
        // A stream has no end that one could wait for.
        let endless = response.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let body = response.body_mut().with_config().limit(64 * 1024 * 1024);
        let body = if endless { Vec::new() } else { body.read_to_vec().expect("a body") };
        let reply = Reply { status: response.status().as_u16(), headers: response.headers().clone(), body };
        documented::check(&self.app.policy, method, path, &reply);
        reply
    }
}

pub(crate) fn listen(app: Data<App>, edge: EdgeArgs) -> (String, (ServerHandle, JoinHandle<()>)) {
    let (started, ready) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let (server, address) =
                api::server::start(app, "127.0.0.1:0".parse().expect("an address"), &edge).expect("it binds");
            started.send((format!("http://{address}"), server.handle())).expect("the test waits");
            server.await.expect("it serves");
        });
    });
    let (address, handle) = ready.recv().expect("it starts");
    (address, (handle, thread))
}

impl Drop for Service {
    fn drop(&mut self) {
        self.app.stopping.send_replace(true);
        if let Some((handle, thread)) = self.stop.take() {
            actix_web::rt::System::new().block_on(handle.stop(false));
            let _ = thread.join();
        }
    }
}
