//! `flip360 migrate`.

use std::process::ExitCode;

use domain::kernel::time::Clock;
use integrations::clock::SystemClock;

use super::CommandError;
use super::database::{Database, Ownership};
use crate::config::DatabaseArgs;

/// Brings the database to the present schema.
///
/// # Errors
/// See [`CommandError`].
pub fn run(args: &DatabaseArgs) -> Result<ExitCode, CommandError> {
    let database = Database::open(args, Ownership::Shared)?;
    let prepared = database.prepare(SystemClock.now())?;
    println!("{} migrations ran", prepared.migrations);
    println!("{} verticals, {} products and the agreement of V01 are in place", prepared.verticals, prepared.products);
    database.stop()?;
    Ok(ExitCode::SUCCESS)
}
