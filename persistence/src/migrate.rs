//! Brings a database to the present schema. The migrations are part of the binary.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use domain::kernel::Digest;
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
///
/// # Errors
/// Never, unless the embedded migrations cannot be listed.
pub fn digest() -> Result<Digest, StoreError> {
    use diesel::migration::{Migration, MigrationSource};
    let migrations: Vec<Box<dyn Migration<diesel::pg::Pg>>> =
        MIGRATIONS.migrations().map_err(|e| StoreError::Failed(e.to_string()))?;
    let names: Vec<String> = migrations.iter().map(|m| m.name().to_string()).collect();
    Ok(Digest::of_parts(&[names.join("\n").as_bytes(), SOURCES.as_bytes()]))
}

/// The texts themselves, so that an edited migration has another digest.
const SOURCES: &str = concat!(
    include_str!("../../migrations/2026-11-24-000001_roles/up.sql"),
    include_str!("../../migrations/2026-11-24-000002_directory/up.sql"),
    include_str!("../../migrations/2026-11-24-000003_access/up.sql"),
    include_str!("../../migrations/2026-11-24-000004_agreements/up.sql"),
    include_str!("../../migrations/2026-11-24-000005_chain/up.sql"),
    include_str!("../../migrations/2026-11-24-000006_deals/up.sql"),
    include_str!("../../migrations/2026-11-24-000007_ledger/up.sql"),
    include_str!("../../migrations/2026-11-24-000008_payouts/up.sql"),
    include_str!("../../migrations/2026-11-24-000009_platform/up.sql"),
    include_str!("../../migrations/2026-11-24-000010_grants/up.sql"),
);
