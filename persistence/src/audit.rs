//! The audit log.

use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Timestamptz, Uuid as SqlUuid};
use domain::access::audit::{AuditRecord, AuditRepository};
use domain::store::StoreError;

use crate::bind::instant;
use crate::error::store_error;
use crate::statement::command;
use crate::store::PgUnitOfWork;

impl AuditRepository for PgUnitOfWork<'_> {
    fn append(&mut self, records: &[AuditRecord]) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        // The names of fields hold no commas or braces: they are the API's own words.
        let changed: Vec<String> = records.iter().map(|r| format!("{{{}}}", r.changed.join(","))).collect();
        command(
            "insert into audit_record (at, actor_id, action, object_id, changed, request_id)
             select at, actor, action, object, changed::text[], request
             from unnest($1, $2, $3, $4, $5, $6) as r (at, actor, action, object, changed, request)",
        )
        .bind::<Array<Timestamptz>, _>(records.iter().map(|r| instant(r.at)).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(records.iter().map(|r| r.actor).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(records.iter().map(|r| r.action).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(records.iter().map(|r| r.object).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(changed)
        .bind::<Array<Text>, _>(records.iter().map(|r| r.request_id.as_str()).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}
