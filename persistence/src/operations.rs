//! What waits, for whoever runs the service (one statement), and the partitions of the coming days.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date as SqlDate, Timestamptz};
use domain::kernel::Instant;
use domain::operations::{Backlog, OperationQueries, OperationRepository};
use domain::store::StoreError;
use jiff::civil::Date;

use crate::bind::{date, from_instant, to_u64};
use crate::error::store_error;
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

/// The lock of migrations: who migrates keeps the partitions too.
const KEEPING_LOCK: &str = "select pg_advisory_xact_lock(360)";

impl OperationRepository for PgUnitOfWork<'_> {
    fn keep_partitions(&mut self, today: Date) -> Result<(), StoreError> {
        // A new partition waits for whoever reads the table, and everybody else waits behind it: not for long.
        command("set local lock_timeout = '2s'").execute(self.pg).map_err(store_error)?;
        command(KEEPING_LOCK).execute(self.pg).map_err(store_error)?;
        command("select keep_partitions($1)").bind::<SqlDate, _>(date(today)).execute(self.pg).map_err(store_error)?;
        command("select keep_webhook_partitions($1)")
            .bind::<SqlDate, _>(date(today))
            .execute(self.pg)
            .map_err(store_error)?;
        command("select forget_simulation_changes($1)")
            .bind::<SqlDate, _>(date(today))
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }
}

impl OperationQueries for PgQueries<'_> {
    fn backlog(&mut self) -> Result<Backlog, StoreError> {
        let (events, leaves, queued, running): (i64, i64, i64, i64) = query::<(BigInt, BigInt, BigInt, BigInt)>(
            "select (select count(id) from outbox), (select count(*) from chain_pending),
               (select count(*) from job where state = 'queued'), (select count(*) from job where state = 'running')",
        )
        .get_result(self.pg)
        .map_err(store_error)?;
        Ok(Backlog {
            events: to_u64(events)?,
            leaves: to_u64(leaves)?,
            jobs_queued: to_u64(queued)?,
            jobs_running: to_u64(running)?,
        })
    }

    fn find_oldest_pending(&mut self) -> Result<Option<Instant>, StoreError> {
        let oldest: Option<jiff_diesel::Timestamp> =
            query::<Timestamptz>("select created_at from chain_pending order by id limit 1")
                .get_result(self.pg)
                .optional()
                .map_err(store_error)?;
        Ok(oldest.map(from_instant))
    }
}
