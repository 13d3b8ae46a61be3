//! `flip360 log`: the log as static files, for a mirror, a web server or an auditor.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use domain::access::Viewer;
use domain::chain::export::{At, piece};
use domain::chain::mirror::{self, Exported, LiveLog};
use domain::store::{Store, StoreError};
use integrations::mirror_directory::MirrorDirectory;
use persistence::{PgStore, PoolSizes};

use super::CommandError;
use super::database::{Database, Ownership};
use crate::config::DatabaseArgs;

/// What to do with the log.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// What.
    #[command(subcommand)]
    pub command: LogCommand,
}

/// What to do with the log.
#[derive(Debug, Clone, Subcommand)]
pub enum LogCommand {
    /// Writes `checkpoint` and `tile/…` (C2SP tlog-tiles) into a directory; of a mirror that is there only what is new is written.
    Export {
        /// The directory; made when there is none.
        directory: PathBuf,
        /// Writes what the leaves commit to into this file, for `audit --export`: it holds what partners signed.
        #[arg(long, value_name = "FILE")]
        export: Option<PathBuf>,
        /// The database.
        #[command(flatten)]
        database: DatabaseArgs,
    },
}

/// Does it.
///
/// # Errors
/// When the database or the directory cannot be used.
pub fn run(args: &LogArgs) -> Result<ExitCode, CommandError> {
    let LogCommand::Export { directory, export: envelopes, database } = &args.command;
    let database = Database::open(database, Ownership::Shared)?;
    let store = PgStore::new(&database.url, PoolSizes { writers: 1, readers: 1 });
    // Before the mirror, so that the mirror has every leaf that the file has.
    if let Some(path) = envelopes {
        export_envelopes(&store, path)?;
    }
    let Exported { head, written, kept } = export(&store, directory, &mut |_, _| ())?;
    let place = directory.display();
    println!("{} leaves, root {}, in {place}: {written} files written, {kept} kept", head.size, head.root);
    database.stop()?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the files of the log that are not there yet, the checkpoint last. `progress` hears of files done and files in all.
///
/// # Errors
/// When nothing was signed yet, or a file cannot be read or written.
pub fn export(
    store: &dyn Store,
    directory: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Exported, CommandError> {
    let mirror = MirrorDirectory::new(directory);
    let mut stopped = None;
    let exported = store.read_snapshot(&Viewer::Everything, |queries| {
        let log = LiveLog::new(queries.chain());
        mirror::export(&log, &mirror, progress).map_err(|error| {
            stopped = Some(error.to_string());
            StoreError::Failed(error.to_string())
        })
    });
    match stopped {
        Some(why) => Err(CommandError::Other(why)),
        None => Ok(exported?),
    }
}

/// Writes an export of the log into a file that nobody else reads, all of it as of one moment.
///
/// # Errors
/// When nothing was signed yet, or the file cannot be written.
pub fn export_envelopes(store: &dyn Store, path: &Path) -> Result<(), CommandError> {
    let failed = |cause| CommandError::File { doing: format!("writing {}", path.display()), cause };
    let mut stopped = None;
    let written = store.read_snapshot(&Viewer::Everything, |queries| {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
        let mut out = BufWriter::new(file.map_err(|cause| keep(&mut stopped, failed(cause)))?);
        let mut next = Some(At::Head);
        while let Some(at) = next {
            let unsigned = || CommandError::Other("the log has no signed checkpoint yet".to_owned());
            let Some((bytes, then)) = piece(queries.chain(), at)? else {
                return Err(keep(&mut stopped, unsigned()));
            };
            out.write_all(&bytes).map_err(|cause| keep(&mut stopped, failed(cause)))?;
            next = then;
        }
        out.flush().map_err(|cause| keep(&mut stopped, failed(cause)))
    });
    match stopped {
        Some(error) => Err(error),
        None => Ok(written?),
    }
}

/// Keeps why work stopped, in its own words, and gives what the store is told.
fn keep(stopped: &mut Option<CommandError>, error: CommandError) -> StoreError {
    let told = StoreError::Failed(error.to_string());
    *stopped = Some(error);
    told
}
