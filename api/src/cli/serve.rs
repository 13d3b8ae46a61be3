//! `flip360 serve`.

use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;

use actix_web::web::Data;
use domain::kernel::time::Clock;
use integrations::clock::SystemClock;
use persistence::{PgStore, PoolSizes};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::CommandError;
use super::database::{Database, Ownership};
use crate::app::App;
use crate::assembly;
use crate::config::ServeArgs;
use crate::workers::{Shifts, Workers};

/// Runs the service until it is told to stop.
///
/// # Errors
/// See [`CommandError`].
pub fn run(args: &ServeArgs) -> Result<ExitCode, CommandError> {
    let database = Database::open(&args.database, Ownership::Required)?;
    database.prepare(SystemClock.now())?;
    let listen = |cause| CommandError::Listen { address: args.listen, cause };
    // Before there are tokens: their issuer names the port, which `:0` leaves to the system.
    let listener = TcpListener::bind(args.listen).map_err(listen)?;
    let args = &ServeArgs { listen: listener.local_addr().map_err(listen)?, ..args.clone() };
    let store = Arc::new(PgStore::new(&database.url, PoolSizes::default()));
    let app = App::new(assembly::ports(args, store)?).map_err(|e| CommandError::Other(e.to_string()))?;
    let app = assembly::watched(app, args)?.remembering(args.log_memory_mib);
    let app = assembly::connected(app, args)?;
    assembly::continues(&app, &args.database.data_dir)?;
    let app = Data::new(app);
    if let Some(path) = assembly::administrator(&app, &args.database.data_dir)? {
        println!("The administrator's API client: its id and secret are in {}", path.display());
    }
    serve(&app, args, listener)?;
    drop(app);
    database.stop()?;
    println!("Stopped.");
    Ok(ExitCode::SUCCESS)
}

fn serve(app: &Data<App>, args: &ServeArgs, listener: TcpListener) -> Result<(), CommandError> {
    let listen = |cause| CommandError::Listen { address: args.listen, cause };
    let data_dir = &args.database.data_dir;
    let shifts = if args.no_workers { Shifts::service() } else { Shifts::all(data_dir) };
    let workers = Workers::start(app, &shifts)
        .map_err(|cause| CommandError::File { doing: "starting a worker".into(), cause })?;
    let served = actix_web::rt::System::new().block_on(async {
        // Before the address is told: who has read it may signal at once.
        let stop = Stop::new().map_err(|cause| CommandError::File { doing: "listening for signals".into(), cause })?;
        let (server, address) = crate::server::start_on(app.clone(), listener, &args.edge).map_err(listen)?;
        let (handle, ending) = (server.handle(), app.clone());
        let stopper = actix_web::rt::spawn(async move {
            stop.wanted().await;
            // Streams would keep the server open for as long as their tokens last.
            ending.stopping.send_replace(true);
            handle.stop(true).await;
        });
        let figures = args.metrics_listen.map(|address| crate::server::start_metrics(app.clone(), address));
        if let Some((figures, address)) = figures.transpose().map_err(listen)? {
            println!("Figures are at http://{address}/metrics, for whoever can connect.");
            actix_web::rt::spawn(figures);
        }
        println!("Flip 360 is ready at http://{address} (reference: http://{address}/docs/). Ctrl-C stops it.");
        let served = server.await.map_err(listen);
        stopper.abort();
        served
    });
    workers.stop();
    served
}

/// SIGTERM, or Ctrl-C.
pub(super) struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// From here on neither kills the process.
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits until it is to stop.
    pub(super) async fn wanted(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
