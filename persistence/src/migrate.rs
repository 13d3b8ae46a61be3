//! Brings a database to the present schema. The migrations are part of the binary.

use std::collections::BTreeSet;

use diesel::migration::MigrationSource;
use diesel::pg::{Pg, PgConnection};
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
    crate::statement::command("select keep_webhook_partitions($1)")
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

/// How a database stands to the schema of this binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What the server calls its version.
    pub server: String,
    /// Its clock.
    pub now: domain::kernel::Instant,
    /// Migrations of this binary that the database has.
    pub ran: usize,
    /// Those that it lacks.
    pub pending: usize,
    /// Migrations of the database that this binary does not know: it was written by a newer one.
    pub unknown: usize,
    /// Days after its own that have a partition.
    pub days_ahead: usize,
}

/// Looks at a database without changing it.
///
/// # Errors
/// When the server is away or refuses the look.
pub fn standing(url: &str) -> Result<Standing, StoreError> {
    use diesel::sql_types::{BigInt, Bool, Text, Timestamptz};
    let failed = |error: &dyn std::fmt::Display| StoreError::Failed(error.to_string());
    let mut pg = PgConnection::establish(url).map_err(|e| failed(&e))?;
    let (server, now, there): (String, jiff_diesel::Timestamp, bool) =
        crate::statement::query::<(Text, Timestamptz, Bool)>(
            "select current_setting('server_version'), now(), to_regclass('__diesel_schema_migrations') is not null",
        )
        .get_result(&mut pg)
        .map_err(|e| failed(&e))?;
    let found: Vec<String> = if there {
        crate::statement::query::<Text>("select version::text from __diesel_schema_migrations")
            .load(&mut pg)
            .map_err(|e| failed(&e))?
    } else {
        Vec::new()
    };
    let days: i64 = crate::statement::query::<BigInt>(
        "select count(*) from pg_class where relispartition and relkind = 'r' and relname like 'idempotency_record_2%'
           and right(relname, 8) > to_char(current_date, 'YYYYMMDD')",
    )
    .get_result(&mut pg)
    .map_err(|e| failed(&e))?;
    let own = MigrationSource::<Pg>::migrations(&MIGRATIONS).map_err(|e| failed(&e))?;
    let own: BTreeSet<String> = own.iter().map(|migration| migration.name().version().to_string()).collect();
    let ran = found.iter().filter(|version| own.contains(*version)).count();
    let now = domain::kernel::Instant::new(now.to_jiff());
    Ok(Standing {
        server,
        now,
        ran,
        pending: own.len() - ran,
        unknown: found.len() - ran,
        days_ahead: usize::try_from(days).unwrap_or(0),
    })
}

/// Names the schema that this binary brings about: equal digests, equal schemas.
pub const DIGEST: &str = env!("FLIP360_MIGRATIONS_DIGEST");
