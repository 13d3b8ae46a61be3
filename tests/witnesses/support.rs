//! Witnesses of a test: our own, served on a free port; and one that answers what a test says.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use api::cosigning::{self, Cosigner};
use api::witnessing::{Witnessing, rounds};
use domain::chain::cosignature::WitnessKey;
use domain::chain::note::VerifierKey;
use domain::chain::policy::Policy;
use domain::chain::signer::Signer as _;
use domain::chain::witness::file::Witnesses;
use harness::platform::{MemorySigner, ORIGIN};
use harness::server::{Reply, Service};
use integrations::clock::SystemClock;
use integrations::outbound::{Outbound, OutboundConfig, Wall};
use integrations::witness_state::WitnessState;

pub const EXAMPLE: &[u8] = include_bytes!("../../data/v01/v01-example-deals.csv");
pub const MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");

/// The key of every test's log.
pub fn log_key() -> VerifierKey {
    VerifierKey::try_new(ORIGIN, MemorySigner::new(8).public_key()).expect("a name")
}

/// The verifier key of the witness of a seed.
pub fn key(seed: u8) -> WitnessKey {
    WitnessKey::try_new(&format!("witness.test/w{seed}"), MemorySigner::new(seed).public_key()).expect("a name")
}

/// An empty directory for one test.
pub fn scratch(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("flip360-witnesses-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    path
}

/// An address that nobody listens on.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its address")
}

/// A witness of ours, served until it is dropped.
pub struct Witness {
    pub key: WitnessKey,
    pub url: String,
    stop: Option<(ServerHandle, JoinHandle<()>)>,
}

impl Witness {
    /// That of a seed, with a memory of its own for this test.
    pub fn start(test: &str, seed: u8) -> Self {
        Self::at(test, seed, "127.0.0.1:0".parse().expect("an address"))
    }

    pub fn at(test: &str, seed: u8, address: SocketAddr) -> Self {
        let state =
            WitnessState::open(&scratch(&format!("{test}-{seed}")), &key(seed).to_string(), true).expect("a directory");
        let cosigner = Cosigner {
            key: key(seed),
            signer: Box::new(MemorySigner::new(seed)),
            logs: vec![log_key()],
            state,
            clock: Arc::new(SystemClock),
        };
        let (started, ready) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let (server, address) = cosigning::start(cosigner, address).expect("it binds");
                started.send((format!("http://{address}"), server.handle())).expect("the test waits");
                server.await.expect("it serves");
            });
        });
        let (url, handle) = ready.recv().expect("it starts");
        Self { key: key(seed), url, stop: Some((handle, thread)) }
    }

    /// Submits a body as anybody may; gives status, media type and answer.
    pub fn submit(&self, body: &str) -> (u16, String, String) {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut answer = agent.post(format!("{}/add-checkpoint", self.url)).send(body).expect("an answer");
        let kind =
            answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
        (answer.status().as_u16(), kind, answer.body_mut().read_to_string().expect("a text"))
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        if let Some((handle, thread)) = self.stop.take() {
            actix_web::rt::System::new().block_on(handle.stop(false));
            let _ = thread.join();
        }
    }
}

/// Asks these, and wants so many of them.
pub fn witnessing(known: &[(WitnessKey, String)], quorum: usize) -> Witnessing {
    let policy = Policy::try_new(known.iter().map(|(key, _)| key.clone()).collect(), quorum).expect("a policy");
    let urls = known.iter().map(|(_, url)| url.clone()).collect();
    let wall = Wall { allow_private: true, ..Wall::default() };
    let outbound = Outbound::new(OutboundConfig { wall, ..OutboundConfig::default() }).expect("a client");
    Witnessing::new(Witnesses { policy, urls, logs: Vec::new() }, outbound, None)
}

/// A service whose log has these witnesses, and nothing in it yet.
pub fn service(known: &[(WitnessKey, String)], quorum: usize) -> Service {
    Service::altered(|app| app.witnessing = witnessing(known, quorum))
}

/// Brings the example into a service and signs for it.
pub fn filled(service: &Service) {
    service.platform.onboard(MEMBERS);
    let _ = service.platform.import(EXAMPLE);
    service.sequence();
}

/// Asks every witness once.
pub fn settle(service: &Service) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(rounds::settle(&service.app));
}

/// GET without a login.
pub fn anybody(service: &Service, path: &str) -> Reply {
    service.send("GET", path, &[], None)
}

/// What a fake witness answers: status, media type, body; nothing at all when there is no status.
pub type Said = (Option<u16>, &'static str, String);

/// A witness that answers what a test says.
pub struct Fake {
    pub url: String,
    /// The bodies that came.
    pub heard: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    pub fn answering(answer: impl Fn(&str) -> Said + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (answer, hears) = (Arc::new(answer), Arc::clone(&heard));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, hears) = (Arc::clone(&answer), Arc::clone(&hears));
                std::thread::spawn(move || converse(stream, answer.as_ref(), &hears));
            }
        });
        Self { url, heard }
    }
}

fn converse(stream: TcpStream, answer: &dyn Fn(&str) -> Said, heard: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        if let Some(("content-length", value)) = line.to_ascii_lowercase().trim().split_once(": ") {
            length = value.parse().expect("a length");
        }
        line.clear();
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let body = String::from_utf8(body).expect("UTF-8");
    let (status, kind, said) = answer(&body);
    heard.lock().expect("no panic").push(body);
    match status {
        Some(status) => {
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                said.len()
            );
            let _ = reader.into_inner().write_all(format!("{head}{said}").as_bytes());
        }
        // Held open until the other side gives up.
        None => drop(reader.read_to_end(&mut Vec::new())),
    }
}
