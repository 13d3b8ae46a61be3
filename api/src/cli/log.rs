//! `flip360 log`: the log as static files, for a mirror, a web server or an auditor.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use domain::access::Viewer;
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
    let LogCommand::Export { directory, database } = &args.command;
    let database = Database::open(database, Ownership::Shared)?;
    let store = PgStore::new(&database.url, PoolSizes { writers: 1, readers: 1 });
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
