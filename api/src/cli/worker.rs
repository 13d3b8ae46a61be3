//! `flip360 worker`: the work beside requests, in a process of its own.

use std::process::ExitCode;
use std::sync::Arc;

use actix_web::web::Data;
use domain::kernel::time::Clock;
use integrations::clock::SystemClock;
use persistence::{PgStore, PoolSizes};

use super::CommandError;
use super::database::{Database, Ownership};
use super::serve::Stop;
use crate::app::App;
use crate::assembly;
use crate::config::{ServeArgs, WorkerArgs};
use crate::workers::{Shifts, Workers};

/// Works until it is told to stop.
///
/// # Errors
/// See [`CommandError`].
pub fn run(args: &WorkerArgs) -> Result<ExitCode, CommandError> {
    let database = Database::open(&args.database, Ownership::Shared)?;
    database.prepare(SystemClock.now())?;
    let store = Arc::new(PgStore::new(&database.url, PoolSizes::default()));
    let settings = ServeArgs::from(args);
    let app = App::new(assembly::ports(&settings, store)?).map_err(|e| CommandError::Other(e.to_string()))?;
    let app = assembly::connected(assembly::watched(app, &settings)?, &settings)?;
    assembly::continues(&app, &args.database.data_dir)?;
    let app = Data::new(app);
    work(&app, args)?;
    drop(app);
    database.stop()?;
    println!("Stopped.");
    Ok(ExitCode::SUCCESS)
}

fn work(app: &Data<App>, args: &WorkerArgs) -> Result<(), CommandError> {
    let signals = |cause| CommandError::File { doing: "listening for signals".into(), cause };
    let starting = |cause| CommandError::File { doing: "starting a worker".into(), cause };
    actix_web::rt::System::new().block_on(async {
        // Before it is told that work has begun: who has read that may signal at once.
        let stop = Stop::new().map_err(signals)?;
        let workers = Workers::start(app, &Shifts::background(&args.database.data_dir)).map_err(starting)?;
        if let Some(address) = args.metrics_listen {
            let listen = |cause| CommandError::Listen { address, cause };
            let (figures, address) = crate::server::start_metrics(app.clone(), address).map_err(listen)?;
            println!("Figures are at http://{address}/metrics, for whoever can connect.");
            actix_web::rt::spawn(figures);
        }
        println!("Flip 360 works in the background. Ctrl-C stops it.");
        stop.wanted().await;
        workers.stop();
        Ok(())
    })
}
