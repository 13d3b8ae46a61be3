//! What is read of a large log: proofs and tiles over HTTP, receipts offline, the mirror and its audit.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use api::app::App;
use api::config::{DatabaseArgs, EdgeArgs, EnvironmentArgs, OutboundArgs, ServeArgs};
use domain::chain::audit::audit;
use domain::chain::receipt::Receipt;
use domain::chain::receipts::{self as packed, Wanted};
use domain::chain::signer::Signer as _;
use domain::chain::trust::Trust;
use domain::chain::verify::verify;
use domain::kernel::ids::HandshakeId;
use harness::platform::{ORIGIN, Platform};
use integrations::mirror_directory::MirrorDirectory;
use persistence::{PgStore, PoolSizes};

use crate::Bench;
use crate::client::{Connection, percentile_ms};

/// Requests of one kind.
const QUESTIONS: u64 = 4_000;

/// The application as `flip360 serve` puts it together, on the platform's database.
#[expect(clippy::expect_used, reason = "a bench fails loudly")]
pub fn application(platform: &Platform, directory: &Path) -> App {
    let url = platform.database.url("flip360_owner");
    let args = ServeArgs {
        database: DatabaseArgs { data_dir: directory.join("data"), database_url: Some(url.clone()), migrate_url: None },
        metrics_listen: None,
        listen: ([127, 0, 0, 1], 0).into(),
        public_url: Some("http://flip360.bench".to_owned()),
        log_origin: ORIGIN.to_owned(),
        log_memory_mib: api::app::LOG_MEMORY_MIB,
        no_workers: false,
        environment: EnvironmentArgs::default(),
        outbound: OutboundArgs::default(),
        stripe: api::config::StripeArgs::default(),
        witnesses: api::config::WitnessArgs::default(),
        edge: EdgeArgs::default(),
    };
    let store = Arc::new(PgStore::new(&url, PoolSizes::default()));
    let ports = api::assembly::ports(&args, store).expect("ports");
    App::new(ports).expect("an application").remembering(args.log_memory_mib)
}

/// A server over the application, on a free port.
struct Served(String, Option<(ServerHandle, JoinHandle<()>)>);

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
impl Served {
    fn start(app: Data<App>) -> Self {
        let (started, ready) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let address = "127.0.0.1:0".parse().expect("an address");
                let (server, address) = api::server::start(app, address, &EdgeArgs::default()).expect("it binds");
                started.send((format!("http://{address}"), server.handle())).expect("the bench waits");
                server.await.expect("it serves");
            });
        });
        let (url, handle) = ready.recv().expect("it starts");
        Self(url, Some((handle, thread)))
    }

    fn ask(&self, what: &str, connections: usize, questions: u64, path: &(dyn Fn(u64) -> String + Sync)) {
        let next = AtomicU64::new(0);
        let begun = Instant::now();
        let mut took: Vec<Duration> = std::thread::scope(|scope| {
            let ask = || {
                let mut connection = Connection::open(&self.0);
                let mut took = Vec::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= questions {
                        return took;
                    }
                    let request = format!("GET {} HTTP/1.1\r\nhost: bench\r\n\r\n", path(n));
                    let asked = Instant::now();
                    let _ = connection.ask(request.as_bytes(), "200");
                    took.push(asked.elapsed());
                }
            };
            let clients: Vec<_> = (0..connections).map(|_| scope.spawn(ask)).collect();
            clients.into_iter().flat_map(|client| client.join().expect("a client")).collect()
        });
        let rate = questions as f64 / begun.elapsed().as_secs_f64();
        took.sort_unstable();
        let (p50, p99) = (percentile_ms(&took, 50), percentile_ms(&took, 99));
        println!("| {what} | {connections} | {rate:.0} | {p50:.2} | {p99:.2} |");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some((handle, thread)) = self.1.take() {
            actix_web::rt::System::new().block_on(handle.stop(false));
            let _ = thread.join();
        }
    }
}

/// Proofs, tiles and the checkpoint over HTTP; first with nothing in memory.
pub fn proofs(app: &Data<App>) {
    let size = app.seen().size;
    println!("\n| over HTTP, {size} leaves | connections | requests/s | p50 ms | p99 ms |\n|---|---|---|---|---|");
    let place = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size;
    let inclusion = |n: u64| format!("/v1/chain/proofs/inclusion?index={}&size={size}", place(n));
    let newest = |n: u64| format!("/v1/chain/proofs/inclusion?index={}", place(n));
    let consistency = |n: u64| format!("/v1/chain/proofs/consistency?from={}&to={size}", place(n).max(1));
    let tiles = |n: u64| format!("/tile/{}", tile(n % (size / 256)));
    let served = Served::start(app.clone());
    served.ask("inclusion, tiles not yet in memory", 1, 500, &inclusion);
    served.ask("full tile of hashes, each for the first time", 1, size / 256, &tiles);
    for connections in [1, 8] {
        served.ask("inclusion, size given", connections, QUESTIONS, &inclusion);
        served.ask("inclusion, newest size", connections, QUESTIONS, &newest);
        served.ask("consistency, sizes given", connections, QUESTIONS, &consistency);
        served.ask("full tile of hashes", connections, QUESTIONS, &tiles);
        served.ask("checkpoint", connections, QUESTIONS, &|_| "/checkpoint".to_owned());
    }
}

/// The path of a full tile of row 0.
fn tile(index: u64) -> String {
    if index < 1_000 { format!("0/{index:03}") } else { format!("0/x{:03}/{:03}", index / 1_000, index % 1_000) }
}

/// Receipts of real handshakes under the large log's checkpoint, read and verified offline.
#[expect(clippy::expect_used, reason = "a bench fails loudly")]
pub fn receipts(bench: &Bench) {
    let platform = &bench.platform;
    let handshakes = platform.ids_of("select id from handshake").into_iter();
    let wanted: Vec<Wanted> = handshakes.map(|id| Wanted::Handshake(HandshakeId::new(id))).collect();
    let found = packed::find(platform.store(), &platform.actor, &wanted).expect("receipts");
    let bytes: Vec<Vec<u8>> = found.into_iter().flatten().map(|found| found.to_bytes().expect("bytes")).collect();
    let trust = Trust::new(bench.app.trust().expect("keys").log().clone(), vec![platform.signer.public_key()]);
    let mut took = Vec::new();
    for _ in 0..2_000_usize.div_ceil(bytes.len()) {
        for receipt in &bytes {
            let begun = Instant::now();
            let holds = Receipt::parse(receipt).is_ok_and(|receipt| verify(&trust, &receipt).holds());
            took.push(begun.elapsed());
            assert!(holds);
        }
    }
    took.sort_unstable();
    let (p50, p99) = (percentile_ms(&took, 50), percentile_ms(&took, 99));
    println!("\n| receipts of handshakes read and verified offline | p50 ms | p99 ms |\n|---|---|---|");
    println!("| {} | {p50:.2} | {p99:.2} |", took.len());
}

/// The log as files: all of it, a little more of it, and whether it is what was signed.
#[expect(clippy::expect_used, reason = "a bench fails loudly")]
pub fn mirror(bench: &mut Bench, directory: &Path) {
    let place = directory.join("mirror");
    let export = |bench: &Bench, what: &str| {
        let begun = Instant::now();
        let exported = api::cli::log::export(&bench.writers, &place, &mut |_, _| ()).expect("exported");
        let (leaves, seconds) = (exported.head.size, begun.elapsed().as_secs_f64());
        println!("| {what} | {leaves} | {} files written | {seconds:.1} |", exported.written);
    };
    println!("\n| | leaves | | s |\n|---|---|---|---|");
    export(bench, "export into an empty directory");
    bench.log(1_000, 1_000, false);
    bench.catch_up();
    export(bench, "export of 1,000 leaves more");
    let begun = Instant::now();
    let trust = bench.app.trust().expect("keys");
    let report = audit(trust.log(), &MirrorDirectory::new(&place), &mut |_, _| ()).expect("files");
    assert!(report.holds(), "{:?}", report.differences);
    let seconds = begun.elapsed().as_secs_f64();
    println!("| audit of the mirror | {} | {} lanes | {seconds:.1} |", report.leaves, report.lanes);
}
