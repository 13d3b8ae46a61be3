//! Webhooks a second through the real system, as a ratio to a bare hyper client in the same run.
//!
//! `webhook-bench [ROUNDS] [EVENTS]`: on a durable cluster of its own (fsync on), EVENTS events that four
//! endpoints want, ROUNDS times in turn: a bare hyper client that posts the same bodies to the same local
//! receiver, as many at a time; then the dispatcher, from numbered events to the last request: deliveries
//! made, claimed, signed, sent, recorded. Then a fifth endpoint hangs, and the four are measured again. It
//! ends by itself.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use api::dispatch::{self, PER_ENDPOINT};
use domain::access::{Actor, Viewer};
use domain::events::data::RecordChanged;
use domain::events::{self, EventKind, EventsAsked, NewEvent};
use domain::kernel::PageRequest;
use harness::platform::Platform;
use harness::server::Service;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use persistence::cluster::{Cluster, ClusterConfig};
use serde_json::json;

const ENDPOINTS: usize = 4;

/// Takes everything, as cheaply as can be.
struct Receiver {
    url: String,
    taken: Arc<(Mutex<usize>, Condvar)>,
}

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
impl Receiver {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let taken = Arc::<(Mutex<usize>, Condvar)>::default();
        let own = Arc::clone(&taken);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let own = Arc::clone(&own);
                std::thread::spawn(move || take(stream, &own));
            }
        });
        Self { url, taken }
    }

    fn count(&self) -> usize {
        *self.taken.0.lock().expect("no panic")
    }

    fn wait_for(&self, count: usize) {
        let taken = self.taken.0.lock().expect("no panic");
        drop(self.taken.1.wait_while(taken, |taken| *taken < count).expect("no panic"));
    }
}

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn take(stream: TcpStream, taken: &(Mutex<usize>, Condvar)) {
    stream.set_nodelay(true).expect("a socket");
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    let mut body = Vec::new();
    loop {
        let mut length = 0;
        loop {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = text.trim().parse().expect("a length");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        body.resize(length, 0);
        if reader.read_exact(&mut body).is_err() || reader.get_mut().write_all(b"HTTP/1.1 204 Taken\r\n\r\n").is_err() {
            return;
        }
        *taken.0.lock().expect("no panic") += 1;
        taken.1.notify_all();
    }
}

/// Writes and numbers so many events; gives the bodies that are sent.
#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn happen(service: &Service, count: usize) -> Vec<Vec<u8>> {
    let store = service.app.store.as_ref();
    let actor = Actor::service();
    let before = service.tell();
    let seen = [service.platform.introducer.uuid()];
    for _ in 0..count.div_ceil(500) {
        let new = |uow: &mut dyn domain::store::UnitOfWork| {
            let env = service.app.env(&actor);
            let event = |_| {
                let id = domain::kernel::ids::ContactId::new(env.ids.next());
                let data = RecordChanged { id: id.to_string(), version: Some(1) };
                NewEvent::new(&env, EventKind::ContactCreated, id.uuid(), &data, &seen)
            };
            let events = (0..500).map(event).collect::<Result<Vec<_>, _>>()?;
            uow.events().append(&events)
        };
        store.transaction(new).expect("events");
    }
    let _ = events::number(store).expect("numbers");
    let asked = EventsAsked { kinds: vec![EventKind::ContactCreated], subject: None, after_sequence: before };
    let mut page = PageRequest::of(200);
    let mut bodies = Vec::new();
    loop {
        let found = store.read(&Viewer::Everything, |queries| queries.events().list_events(&asked, &page));
        let found = found.expect("events");
        bodies.extend(found.data.iter().map(|event| event.payload().expect("a body")));
        page.after = found.next;
        if page.after.is_none() {
            return bodies;
        }
    }
}

/// Requests a second of a bare client with the same bodies, as many at a time.
#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn bare(receiver: &Receiver, bodies: &[Vec<u8>]) -> f64 {
    let runtime = runtime();
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let bodies: Arc<Vec<Bytes>> = Arc::new(bodies.iter().cloned().map(Bytes::from).collect());
    let next = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let total = bodies.len() * ENDPOINTS;
    let begun = Instant::now();
    runtime.block_on(async {
        let posts = (0..ENDPOINTS * PER_ENDPOINT as usize).map(|_| {
            let (client, bodies, next, url) = (client.clone(), bodies.clone(), next.clone(), receiver.url.clone());
            tokio::spawn(async move {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= total {
                        return;
                    }
                    let body = Full::new(bodies[n % bodies.len()].clone());
                    let request = Request::post(&url).header("content-type", "application/json").body(body);
                    let answer = client.request(request.expect("a request")).await.expect("an answer");
                    let _ = answer.into_body().collect().await.expect("a body");
                }
            })
        });
        for post in posts.collect::<Vec<_>>() {
            post.await.expect("a client");
        }
    });
    total as f64 / begun.elapsed().as_secs_f64()
}

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// Webhooks a second of the dispatcher, until the last one has come.
fn dispatched(service: &Service, receiver: &Receiver, count: usize) -> f64 {
    let stopping = AtomicBool::new(false);
    let wanted = receiver.count() + count;
    std::thread::scope(|scope| {
        let begun = Instant::now();
        scope.spawn(|| runtime().block_on(dispatch::run(&service.app, &stopping)));
        receiver.wait_for(wanted);
        let taken = begun.elapsed().as_secs_f64();
        stopping.store(true, Ordering::Release);
        service.app.dispatching.notify_one();
        count as f64 / taken
    })
}

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn main() {
    let argument = |n| std::env::args().nth(n).and_then(|text| text.parse::<usize>().ok());
    let (rounds, count) = (argument(1).unwrap_or(3), argument(2).unwrap_or(5_000).next_multiple_of(500));
    let directory = std::env::temp_dir().join(format!("flip360-webhooks-{}", std::process::id()));
    let cluster = Cluster::start(&ClusterConfig::new(&directory)).expect("the cluster starts");
    let service = Service::over(Platform::of(cluster.connection(), "webhooks"));
    let receiver = Receiver::start();
    let endpoint = |url: &str| {
        let body = json!({"url": url, "event_types": ["contact.created"]});
        let _ = service.post("/v1/webhook-endpoints", &service.partner(), &body).expect(201);
    };
    (0..ENDPOINTS).for_each(|_| endpoint(&receiver.url));
    println!("round | bare posts/s | webhooks/s | ratio");
    let mut ratios = Vec::new();
    for round in 0..rounds {
        let bodies = happen(&service, count);
        let raw = bare(&receiver, &bodies);
        let rate = dispatched(&service, &receiver, count * ENDPOINTS);
        ratios.push(rate / raw);
        println!("{round} | {raw:.0} | {rate:.0} | {:.2}", rate / raw);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2}", ratios[ratios.len() / 2]);
    // Bound, and never answered: whoever connects waits.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    endpoint(&format!("http://{}/", silent.local_addr().expect("an address")));
    let _ = happen(&service, count);
    println!("beside an endpoint that hangs: {:.0} webhooks/s", dispatched(&service, &receiver, count * ENDPOINTS));
    let kept = "select count(*) from webhook_delivery d join webhook_endpoint w on w.id = d.endpoint_id where d.status = 'delivered'";
    println!("recorded as delivered: {}", service.platform.number(kept));
    drop(service);
    drop(cluster);
    let _ = std::fs::remove_dir_all(&directory);
}
