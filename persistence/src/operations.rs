//! What waits, for whoever runs the service. One statement.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use domain::operations::{Backlog, OperationQueries};
use domain::store::StoreError;

use crate::bind::to_u64;
use crate::error::store_error;
use crate::statement::query;
use crate::store::PgQueries;

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
}
