//! The audit log.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::access::audit::{ActorKind, AuditEntry, AuditFilter, AuditQueries, AuditRecord, AuditRepository, Fields};
use domain::kernel::{Page, PageRequest, jcs};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{from_instant, instant};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_number, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

/// Canonical JSON, as it is kept.
fn canonical(fields: Option<&Fields>) -> Result<Option<String>, StoreError> {
    let write = |fields| {
        let bytes = jcs::to_bytes(fields).map_err(|e| StoreError::Failed(e.to_string()))?;
        String::from_utf8(bytes).map_err(|e| StoreError::Failed(e.to_string()))
    };
    fields.map(write).transpose()
}

impl AuditRepository for PgUnitOfWork<'_> {
    fn append(&mut self, records: &[AuditRecord]) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        // The names of fields hold no commas or braces: they are the API's own words.
        let changed: Vec<String> = records.iter().map(|r| format!("{{{}}}", r.changed.join(","))).collect();
        let before = records.iter().map(|r| canonical(r.before.as_ref())).collect::<Result<Vec<_>, _>>()?;
        let after = records.iter().map(|r| canonical(r.after.as_ref())).collect::<Result<Vec<_>, _>>()?;
        command(
            "insert into audit_record (at, actor_id, actor_kind, embed, action, object_id, object_name, changed, before, after, request_id, refused)
             select at, actor, actor_kind, embed, action, object, object_name, changed::text[], before, after, request, refused
             from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
               as r (at, actor, actor_kind, embed, action, object, object_name, changed, before, after, request, refused)",
        )
        .bind::<Array<Timestamptz>, _>(records.iter().map(|r| instant(r.at)).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(records.iter().map(|r| r.actor).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(records.iter().map(|r| r.actor_kind.as_str()).collect::<Vec<_>>())
        .bind::<Array<Bool>, _>(records.iter().map(|r| r.embed).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(records.iter().map(|r| r.action).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(records.iter().map(|r| r.object).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(records.iter().map(|r| r.object_name.as_deref()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(changed)
        .bind::<Array<Nullable<Text>>, _>(before)
        .bind::<Array<Nullable<Text>>, _>(after)
        .bind::<Array<Text>, _>(records.iter().map(|r| r.request_id.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(records.iter().map(|r| r.refused).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}

type AuditColumns = (
    (BigInt, Timestamptz, SqlUuid, Text, Bool),
    (Text, SqlUuid, Nullable<Text>),
    (Array<Text>, Nullable<Text>, Nullable<Text>, Text, Nullable<Text>),
);

#[derive(Queryable)]
struct AuditRow {
    who: (i64, jiff_diesel::Timestamp, Uuid, String, bool),
    what: (String, Uuid, Option<String>),
    how: (Vec<String>, Option<String>, Option<String>, String, Option<String>),
}

impl AuditRow {
    fn restore(self) -> Result<AuditEntry, StoreError> {
        let (number, at, actor, actor_kind, embed) = self.who;
        let (action, object, object_name) = self.what;
        let (changed, before, after, request_id, refused) = self.how;
        Ok(AuditEntry {
            number,
            at: from_instant(at),
            actor,
            actor_kind: ActorKind::parse(&actor_kind).ok_or_else(|| unreadable("the kind of an actor"))?,
            embed,
            action,
            object,
            object_name,
            changed,
            before,
            after,
            refused,
            request_id,
        })
    }
}

impl AuditQueries for PgQueries<'_> {
    fn list(&mut self, filter: &AuditFilter, page: &PageRequest) -> Result<Page<AuditEntry>, StoreError> {
        let paging = Paging::newest_first(page);
        let rows: Vec<AuditRow> = query::<AuditColumns>(listed!(
            paging.order,
            "with asked (actor, action, object, request) as (select $1::uuid, $2::text, $3::uuid, $4::text)
             select a.id, a.at, a.actor_id,
               coalesce(a.actor_kind, case when a.actor_id = '00000000-0000-0000-0000-000000000000' then 'service'
                 when exists (select from app_user u where u.id = a.actor_id) then 'user' else 'api_client' end), a.embed,
               a.action, a.object_id, a.object_name, a.changed, a.before, a.after, a.request_id, a.refused
             from audit_record a, asked
             where (asked.actor is null or a.actor_id = asked.actor) and (asked.action is null or a.action = asked.action)
               and (asked.object is null or a.object_id = asked.object) and (asked.request is null or a.request_id = asked.request) and ",
            "a.id", at "a.at", ""
        ))
        .bind::<Nullable<SqlUuid>, _>(filter.actor)
        .bind::<Nullable<Text>, _>(filter.action.as_deref())
        .bind::<Nullable<SqlUuid>, _>(filter.object)
        .bind::<Nullable<Text>, _>(filter.request_id.as_deref())
        .page_by_number(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_number(rows, page, AuditRow::restore, |entry| entry.number)
    }
}
