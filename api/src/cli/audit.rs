//! `flip360 audit`: recomputes a whole log, out of a mirror's files or out of the database.
//!
//! Every leaf is looked at. Exit status 0 when the log is what was signed, 1 when anything differs.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use domain::access::Viewer;
use domain::chain::audit::{AuditReport, audit};
use domain::chain::mirror::LiveLog;
use domain::store::{Store, StoreError};
use integrations::mirror_directory::MirrorDirectory;
use persistence::{PgStore, PoolSizes};
use serde_json::{Value, json};

use super::CommandError;
use super::database::{Database, Ownership};
use super::verify::trust;
use crate::config::DatabaseArgs;

/// Which log, and what is trusted.
#[derive(Debug, Clone, Args)]
pub struct AuditArgs {
    /// The trust file: the log's public key, got by another way than the log.
    #[arg(long, value_name = "FILE")]
    pub trust: PathBuf,
    /// A directory with `checkpoint` and `tile/…`. Without it the log of the database is audited.
    #[arg(long, value_name = "DIR")]
    pub mirror: Option<PathBuf>,
    /// Answers one JSON object.
    #[arg(long)]
    pub json: bool,
    /// The database, when there is no mirror.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Audits a log.
///
/// # Errors
/// When the trust file, the mirror or the database cannot be read.
pub fn run(args: &AuditArgs) -> Result<ExitCode, CommandError> {
    let trust = trust(&args.trust)?;
    let mut progress = progress(args.json);
    let report = match &args.mirror {
        Some(path) => audit(trust.log(), &MirrorDirectory::new(path), &mut progress)
            .map_err(|error| CommandError::Other(error.to_string()))?,
        None => {
            let database = Database::open(&args.database, Ownership::Shared)?;
            let store = PgStore::new(&database.url, PoolSizes { writers: 1, readers: 1 });
            let store: &dyn Store = &store;
            let report = store.read_snapshot(&Viewer::Everything, |queries| {
                audit(trust.log(), &LiveLog::new(queries.chain()), &mut progress)
                    .map_err(|error| StoreError::Failed(error.to_string()))
            })?;
            database.stop()?;
            report
        }
    };
    if args.json {
        println!("{}", as_json(&report));
    } else {
        tell(&report);
    }
    Ok(if report.holds() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Says on standard error how far it has come, every 64 bundles.
fn progress(quiet: bool) -> impl FnMut(u64, u64) {
    move |done, total| {
        if !quiet && (done == total || done % (64 * 256) == 0) {
            eprintln!("{done} of {total} leaves");
        }
    }
}

fn tell(report: &AuditReport) {
    let size = report.head.map_or(0, |head| head.size);
    println!("{} of {size} leaves, {} lanes, {} tiles recomputed", report.leaves, report.lanes, report.tiles);
    for difference in &report.differences {
        let place = difference.index.map_or_else(|| "log".to_owned(), |index| format!("leaf {index}"));
        println!("{place}: {}: {}", difference.code, difference.detail);
    }
    match (report.head, report.first_bad_index()) {
        (Some(head), _) if report.holds() => {
            println!("The log is what was signed: {} leaves, root {}", head.size, head.root)
        }
        (_, Some(index)) => println!("{} differences; the first bad leaf is {index}", report.difference_count),
        (_, None) => println!("{} differences", report.difference_count),
    }
}

fn as_json(report: &AuditReport) -> Value {
    let difference =
        |d: &domain::chain::audit::Difference| json!({"index": d.index, "code": d.code, "detail": d.detail});
    json!({
        "holds": report.holds(),
        "checkpoint": report.head,
        "leaves": report.leaves,
        "lanes": report.lanes,
        "tiles": report.tiles,
        "first_bad_index": report.first_bad_index(),
        "difference_count": report.difference_count,
        "differences": report.differences.iter().map(difference).collect::<Vec<_>>(),
    })
}
