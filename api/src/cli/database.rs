//! Brings a database up: the private cluster in the data directory, or the server that is named.

use domain::agreements::reference as agreements;
use domain::catalogue::reference as catalogue;
use domain::kernel::Instant;
use domain::store::Store;
use persistence::cluster::{Cluster, ClusterConfig, DATABASE, OWNER_ROLE, OpenCluster, SERVICE_ROLE};
use persistence::{PgStore, PoolSizes, migrate};

use super::CommandError;
use crate::config::DatabaseArgs;

/// A database that can be reached; a cluster of our own stops when this is dropped.
pub struct Database {
    /// As the service.
    pub url: String,
    /// As the owner of the schema.
    pub migrate_url: String,
    cluster: Option<OpenCluster>,
}

/// Whether this process must own the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// Starts it, and is refused when somebody else has it.
    Required,
    /// Attaches to a running one, otherwise starts it.
    Shared,
}

impl Database {
    /// Finds or starts it.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, somebody else owns the cluster, or it does not start.
    pub fn open(args: &DatabaseArgs, ownership: Ownership) -> Result<Self, CommandError> {
        if let Some(url) = &args.database_url {
            let migrate_url = args.migrate_url.as_ref().unwrap_or(url).clone();
            return Ok(Self { url: url.clone(), migrate_url, cluster: None });
        }
        // On standard error: what a command answers is on standard output alone.
        eprintln!("No DATABASE_URL: using the private PostgreSQL cluster in {}", args.data_dir.display());
        let config = ClusterConfig::new(args.data_dir.clone());
        let cluster = match ownership {
            Ownership::Required => OpenCluster::Owned(Cluster::start(&config)?),
            Ownership::Shared => Cluster::open(&config)?,
        };
        let migrate_url = cluster.url(OWNER_ROLE, DATABASE);
        Ok(Self { migrate_url, url: cluster.url(SERVICE_ROLE, DATABASE), cluster: Some(cluster) })
    }

    /// Brings it to the present schema and keeps the reference data. Says what was done.
    ///
    /// # Errors
    /// When a migration or the reference data is refused.
    pub fn prepare(&self, now: Instant) -> Result<Prepared, CommandError> {
        let migrations = migrate::run(&self.migrate_url, now.sydney_date())?.len();
        let shipped = agreements::all()?;
        let (verticals, products) = (catalogue::verticals(), catalogue::products());
        let store = PgStore::new(&self.url, PoolSizes { writers: 1, readers: 1 });
        let store: &dyn Store = &store;
        store.transaction(|uow| {
            uow.catalogue().ship(&verticals, &products)?;
            shipped.iter().try_for_each(|shipped| uow.agreements().ship(shipped.name, &shipped.version, now))
        })?;
        Ok(Prepared { migrations, verticals: verticals.len(), products: products.len() })
    }

    /// Stops a cluster that is ours, in order.
    ///
    /// # Errors
    /// When it does not stop.
    pub fn stop(self) -> Result<(), CommandError> {
        match self.cluster {
            Some(OpenCluster::Owned(cluster)) => Ok(cluster.stop()?),
            Some(OpenCluster::Attached(_)) | None => Ok(()),
        }
    }
}

/// What was prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prepared {
    /// Migrations that ran.
    pub migrations: usize,
    /// Verticals in place.
    pub verticals: usize,
    /// Products in place.
    pub products: usize,
}
