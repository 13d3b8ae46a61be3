//! The binary `flip360`.
//!
//! So far it brings a database up: its own private cluster in the data directory, or the server that
//! `DATABASE_URL` names. The HTTP API is not here yet.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use domain::agreements::reference as agreements;
use domain::catalogue::reference as catalogue;
use domain::kernel::time::Clock;
use domain::store::{Store, StoreError};
use integrations::clock::SystemClock;
use persistence::cluster::{Cluster, ClusterConfig, ClusterError, DATABASE, OWNER_ROLE, OpenCluster};
use persistence::{PgStore, PoolSizes, migrate};

/// The Flip 360 commission platform.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Brings the database to the present schema and keeps the reference data (18 verticals, V01's agreement).
    Migrate {
        /// Where the private PostgreSQL cluster lives when there is no DATABASE_URL.
        #[arg(long, env = "FLIP360_DATA_DIR", default_value = ".flip360")]
        data_dir: PathBuf,
        /// A PostgreSQL server to use instead, as the owner of the schema.
        #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
        database_url: Option<String>,
    },
}

#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the shipped agreement does not read: {0}")]
    Reference(#[from] agreements::ReferenceError),
}

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter("warn").init();
    let outcome = match Cli::parse().command {
        Command::Migrate { data_dir, database_url } => bring_up(data_dir, database_url),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("flip360: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bring_up(data_dir: PathBuf, database_url: Option<String>) -> Result<(), CommandError> {
    match database_url {
        Some(url) => migrated(&url),
        None => {
            println!("No DATABASE_URL: using the private PostgreSQL cluster in {}", data_dir.display());
            let cluster = Cluster::open(&ClusterConfig::new(data_dir))?;
            migrated(&cluster.url(OWNER_ROLE, DATABASE))?;
            if let OpenCluster::Owned(cluster) = cluster {
                cluster.stop()?;
            }
            Ok(())
        }
    }
}

fn migrated(url: &str) -> Result<(), CommandError> {
    let now = SystemClock.now();
    let ran = migrate::run(url, now.sydney_date())?;
    println!("{} migrations ran", ran.len());
    let v01 = agreements::v01()?;
    let (verticals, products) = (catalogue::verticals(), catalogue::products());
    let store = PgStore::new(url, PoolSizes { writers: 1, readers: 1 });
    let store: &dyn Store = &store;
    store.transaction(|uow| {
        uow.catalogue().ship(&verticals, &products)?;
        uow.agreements().ship(agreements::V01_NAME, &v01, now)
    })?;
    println!("{} verticals, {} products and the agreement of V01 are in place", verticals.len(), products.len());
    Ok(())
}
