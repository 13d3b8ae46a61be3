//! `flip360 audit`: recomputes a whole log, out of a mirror's files, over HTTP or out of the database, and with an export
//! everything that its leaves commit to.
//!
//! Every leaf is looked at. Exit status 0 when the log is what was signed, 1 when anything differs.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use domain::access::Viewer;
use domain::chain::audit::{Against, AuditReport, audit_against};
use domain::chain::checkpoint::Checkpoint;
use domain::chain::mirror::{LiveLog, LogFiles};
use domain::chain::trust::Trust;
use domain::store::{Store, StoreError};
use integrations::export_lines::LinesOf;
use integrations::http_mirror::HttpMirror;
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
    /// A directory with `checkpoint` and `tile/…`, or the address of a server that shows them. Without it the log of the
    /// database is audited.
    #[arg(long, value_name = "DIR|URL")]
    pub mirror: Option<PathBuf>,
    /// An export of the log, from `GET /v1/chain/export` or `log export --export`: every envelope and every entry of the
    /// ledger is compared with its leaf, every signature verified.
    #[arg(long, value_name = "FILE")]
    pub export: Option<PathBuf>,
    /// A signed checkpoint that was kept from before or got from somebody else: the log must extend it. May be repeated.
    #[arg(long, value_name = "FILE")]
    pub kept: Vec<PathBuf>,
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
/// When the trust file, the export, a checkpoint, the mirror or the database cannot be read.
pub fn run(args: &AuditArgs) -> Result<ExitCode, CommandError> {
    let trust = trust(&args.trust)?;
    let report = match &args.mirror {
        Some(path) => audited(args, &trust, mirror(path)?.as_ref())?,
        None => {
            let database = Database::open(&args.database, Ownership::Shared)?;
            let store = PgStore::new(&database.url, PoolSizes { writers: 1, readers: 1 });
            let store: &dyn Store = &store;
            let mut stopped = None;
            let report = store.read_snapshot(&Viewer::Everything, |queries| {
                audited(args, &trust, &LiveLog::new(queries.chain())).map_err(|error| {
                    let failed = StoreError::Failed(error.to_string());
                    stopped = Some(error);
                    failed
                })
            });
            let report = match stopped {
                Some(error) => return Err(error),
                None => report?,
            };
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

/// The mirror at an address, or in a directory.
fn mirror(path: &Path) -> Result<Box<dyn LogFiles>, CommandError> {
    match path.to_str().filter(|text| text.starts_with("https://") || text.starts_with("http://")) {
        Some(url) => Ok(Box::new(HttpMirror::new(url).map_err(|error| CommandError::Other(error.to_string()))?)),
        None => Ok(Box::new(MirrorDirectory::new(path))),
    }
}

fn audited(args: &AuditArgs, trust: &Trust, files: &dyn LogFiles) -> Result<AuditReport, CommandError> {
    let opened = |path: &PathBuf| {
        let failed = |cause| CommandError::File { doing: format!("reading {}", path.display()), cause };
        File::open(path).map(|file| LinesOf::new(BufReader::new(file))).map_err(failed)
    };
    let mut lines = args.export.as_ref().map(opened).transpose()?;
    let kept = args.kept.iter().map(|path| checkpoint(trust, path)).collect::<Result<Vec<_>, _>>()?;
    let export = lines.as_mut().map(|lines| (trust, lines as _));
    let mut progress = progress(args.json);
    audit_against(trust.log(), files, Against { kept, witnesses: Some(trust.policy()), export }, &mut progress)
        .map_err(|error| CommandError::Other(error.to_string()))
}

/// A checkpoint that was kept; what the log's key did not sign proves nothing.
fn checkpoint(trust: &Trust, path: &Path) -> Result<Checkpoint, CommandError> {
    let failed = |cause| CommandError::File { doing: format!("reading {}", path.display()), cause };
    let note = std::fs::read_to_string(path).map_err(failed)?;
    Checkpoint::open(&note, trust.log()).map_err(|error| CommandError::Other(format!("{}: {error}", path.display())))
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
    if report.checkpoints > 0 {
        println!("{} checkpoints from elsewhere compared", report.checkpoints);
    }
    if report.envelopes > 0 {
        println!(
            "{} envelopes compared with their leaves, {} of them entries of the ledger; {} signatures verified; {} leaves erased",
            report.envelopes, report.entries, report.signatures, report.erased
        );
    }
    if report.erased_unlogged > 0 {
        println!(
            "{} leaves more are said to be erased by signed statements that the log does not have yet: audit again once it has grown",
            report.erased_unlogged
        );
    }
    if report.unexported > 0 {
        println!("{} leaves are younger than the export: what they commit to was not looked at", report.unexported);
    }
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
        "checkpoints": report.checkpoints,
        "envelopes": report.envelopes,
        "entries": report.entries,
        "signatures": report.signatures,
        "erased": report.erased,
        "erased_unlogged": report.erased_unlogged,
        "unexported": report.unexported,
        "first_bad_index": report.first_bad_index(),
        "difference_count": report.difference_count,
        "differences": report.differences.iter().map(difference).collect::<Vec<_>>(),
    })
}
