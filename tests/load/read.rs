//! Reads a second through the real system, as a ratio to a bare handler in the same run.
//!
//! `read-bench [SECONDS]`: a durable cluster of its own with 5,000 deals. In turn, at 32 connections for
//! SECONDS each: a bare actix-web handler with Diesel doing the same select as the database's owner, without
//! login, scopes, row-level security or limits; then the authenticated API. Prints requests a second, their
//! latency and the ratio, for one deal and for a page of 50; the latency at half of that load; how many tokens
//! a core checks a second; what 2,000 idle followers of the event stream cost. It ends by itself.

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};
use api::workers::{Shifts, Workers};
use diesel::RunQueryDsl;
use harness::platform::Platform;
use harness::server::Service;
use persistence::cluster::{Cluster, ClusterConfig};

#[path = "bare.rs"]
mod bare;
#[path = "client.rs"]
mod client;

use client::{Connection, percentile_ms};

const MEMBERS: &str = include_str!("../../data/v01/v01-members.csv");
const HEADER: &str = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on";
const CONNECTIONS: usize = 32;
const DEALS: usize = 5_000;
const FOLLOWERS: usize = 2_000;
const ROUNDS: usize = 3;

#[derive(diesel::QueryableByName)]
struct DealRow {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    id: uuid::Uuid,
}

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(4);
    let window = Duration::from_secs(seconds);
    let directory = std::env::temp_dir().join(format!("flip360-read-{}", std::process::id()));
    let cluster = Cluster::start(&ClusterConfig::new(&directory)).expect("the cluster starts");
    let platform = Platform::of(cluster.connection(), "read");
    platform.onboard(MEMBERS);
    eprintln!("importing {DEALS} deals");
    let _ = platform.upload(contracted().as_bytes());
    platform.work();
    let bare = serve_bare(&platform.database.url("flip360_owner"));
    let service = Service::over(platform);
    let workers = Workers::start(&service.app, &Shifts::alone()).expect("workers");
    diesel::sql_query("analyze").execute(&mut service.platform.owner()).expect("statistics");
    let ids: Vec<String> = diesel::sql_query("select id from deal order by id")
        .load::<DealRow>(&mut service.platform.owner())
        .expect("the deals")
        .into_iter()
        .map(|row| domain::kernel::ids::DealId::new(row.id).to_string())
        .collect();
    let token = service.partner();

    println!("what | bare/s | API/s | ratio | bare p99 ms | API p50 ms | API p99 ms | API p99 ms at half the load");
    let one = |n: usize| format!("/v1/deals/{}", ids[n % ids.len()]);
    compare("one deal", window, &bare, &service.url, &token, &one);
    compare("a page of 50", window, &bare, &service.url, &token, &|_| "/v1/deals?limit=50".to_owned());
    tokens(&service, &token);
    followers(&service, &token);
    workers.stop();
    drop(service);
    drop(cluster);
    let _ = std::fs::remove_dir_all(&directory);
}

fn contracted() -> String {
    let rows = (0..DEALS).map(|n| {
        let member = n % 40 + 1;
        format!("B-{n},M{member:03},Client {n},FIXED-3Y,2026-10-01,2026-10-10,,,,\n")
    });
    std::iter::once(format!("{HEADER}\n")).chain(rows).collect()
}

/// Both in turn, several times; prints the round with the median ratio.
fn compare(what: &str, window: Duration, bare: &str, api: &str, token: &str, path: &(dyn Fn(usize) -> String + Sync)) {
    let mut rounds: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let (bare_rate, bare_latency) = load(bare, token, path, window, None);
            let (api_rate, api_latency) = load(api, token, path, window, None);
            (api_rate / bare_rate, bare_rate, api_rate, bare_latency, api_latency)
        })
        .collect();
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (ratio, bare_rate, api_rate, bare_latency, api_latency) = &rounds[ROUNDS / 2];
    let (_, half) = load(api, token, path, window, Some(api_rate / 2.0));
    println!(
        "{what} | {bare_rate:.0} | {api_rate:.0} | {ratio:.2} | {:.1} | {:.1} | {:.1} | {:.1}",
        percentile_ms(bare_latency, 99),
        percentile_ms(api_latency, 50),
        percentile_ms(api_latency, 99),
        percentile_ms(&half, 99),
    );
}

/// Asks for as long as the window lasts; requests a second and their latencies, sorted. With a pace, every
/// connection asks at its own times, and a late answer counts from when it should have been asked for.
#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn load(
    url: &str,
    token: &str,
    path: &(dyn Fn(usize) -> String + Sync),
    window: Duration,
    pace: Option<f64>,
) -> (f64, Vec<Duration>) {
    let (next, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let all = Mutex::new(Vec::new());
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for connection in 0..CONNECTIONS {
            let (next, done, all) = (&next, &done, &all);
            scope.spawn(move || {
                let mut client = Connection::open(url);
                let mut latencies = Vec::new();
                let step = pace.map(|rate| Duration::from_secs_f64(CONNECTIONS as f64 / rate));
                let mut due = begun + step.unwrap_or_default().mul_f64(connection as f64 / CONNECTIONS as f64);
                while !done.load(Ordering::Relaxed) {
                    if let Some(step) = step {
                        std::thread::sleep(due.saturating_duration_since(Instant::now()));
                        due += step;
                    }
                    let sent = step.map_or_else(Instant::now, |step| due - step);
                    let path = path(next.fetch_add(1, Ordering::Relaxed));
                    let request =
                        format!("GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n");
                    let _ = client.ask(request.as_bytes(), "200");
                    latencies.push(sent.elapsed());
                }
                all.lock().expect("no panic").extend(latencies);
            });
        }
        std::thread::sleep(window);
        done.store(true, Ordering::Relaxed);
    });
    let mut latencies = all.into_inner().expect("no panic");
    latencies.sort_unstable();
    (latencies.len() as f64 / begun.elapsed().as_secs_f64(), latencies)
}

/// How many tokens one core checks in a second.
#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn tokens(service: &Service, token: &str) {
    let begun = Instant::now();
    let mut checked = 0_u32;
    while begun.elapsed() < Duration::from_secs(1) {
        let _ = service.app.tokens.verify(token, service.app.clock.now()).expect("a good token");
        checked += 1;
    }
    println!("tokens checked a second by one core: {checked}");
}

/// Memory and time of many followers to whom nothing happens.
#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn followers(service: &Service, token: &str) {
    let address = service.url.trim_start_matches("http://");
    let request = format!("GET /v1/events/stream HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n");
    let before = resident_kib();
    let streams: Vec<TcpStream> = (0..FOLLOWERS)
        .map(|_| {
            let mut stream = TcpStream::connect(address).expect("the service listens");
            stream.write_all(request.as_bytes()).expect("it is sent");
            let mut first = [0; 12];
            std::io::Read::read_exact(&mut stream, &mut first).expect("an answer");
            assert_eq!(&first, b"HTTP/1.1 200");
            stream
        })
        .collect();
    let cost = resident_kib().saturating_sub(before) as f64 / FOLLOWERS as f64;
    println!("{} followers: {cost:.1} KiB each, their sockets' client side included", streams.len());
}

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a size");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// The bare handlers on a port of their own, with as many threads as the API has.
#[expect(clippy::expect_used, reason = "a bench fails loudly")]
fn serve_bare(url: &str) -> String {
    let pool = bare::pool(url);
    let (started, ready) = mpsc::channel();
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(move || {
                App::new()
                    .app_data(web::Data::new(pool.clone()))
                    .route("/v1/deals/{id}", web::get().to(one))
                    .route("/v1/deals", web::get().to(page))
            });
            let server = server.workers(2).disable_signals().bind("127.0.0.1:0").expect("it binds");
            started.send(format!("http://{}", server.addrs()[0])).expect("the bench waits");
            server.run().await.expect("it serves");
        });
    });
    ready.recv().expect("it starts")
}

async fn one(pool: web::Data<bare::Pool>, id: web::Path<String>) -> HttpResponse {
    let id = domain::kernel::ids::DealId::parse(&id).map(domain::kernel::ids::DealId::uuid).unwrap_or_default();
    match web::block(move || bare::find(&pool, id)).await {
        Ok(deal) => HttpResponse::Ok().json(deal),
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

async fn page(pool: web::Data<bare::Pool>) -> HttpResponse {
    match web::block(move || bare::list(&pool, 50)).await {
        Ok(deals) => HttpResponse::Ok().json(deals),
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}
