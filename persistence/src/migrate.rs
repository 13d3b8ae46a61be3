//! Brings a database to the present schema. The migrations are part of the binary.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use domain::store::StoreError;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");

/// Runs what has not run yet, as the login that the URL names (the owner), and makes the partitions
/// of the coming days. Returns the names of the migrations that ran.
///
/// # Errors
/// When the server is away or a migration fails; nothing of that migration is kept.
pub fn run(url: &str, today: jiff::civil::Date) -> Result<Vec<String>, StoreError> {
    let failed = |error: &dyn std::fmt::Display| StoreError::Failed(format!("migration failed: {error}"));
    let mut pg = PgConnection::establish(url).map_err(|e| failed(&e))?;
    // One migrator at a time; the lock goes with the session.
    crate::statement::command("select pg_advisory_lock(360)").execute(&mut pg).map_err(|e| failed(&e))?;
    let ran = pg.run_pending_migrations(MIGRATIONS).map_err(|e| failed(&e))?;
    let ran = ran.iter().map(ToString::to_string).collect();
    crate::statement::command("select keep_partitions($1)")
        .bind::<diesel::sql_types::Date, _>(jiff_diesel::Date::from(today))
        .execute(&mut pg)
        .map_err(|e| failed(&e))?;
    Ok(ran)
}

/// Undoes every migration, newest first. For tests and for development.
///
/// # Errors
/// When the server is away or a migration fails.
pub fn revert_all(url: &str) -> Result<(), StoreError> {
    let failed = |error: &dyn std::fmt::Display| StoreError::Failed(format!("migration failed: {error}"));
    let mut pg = PgConnection::establish(url).map_err(|e| failed(&e))?;
    pg.revert_all_migrations(MIGRATIONS).map_err(|e| failed(&e))?;
    Ok(())
}

/// Names the schema that this binary brings about: equal digests, equal schemas.
pub const DIGEST: &str = env!("FLIP360_MIGRATIONS_DIGEST");
