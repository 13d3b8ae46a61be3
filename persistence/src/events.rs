//! Events: the outbox, the numbering after the commit, replay under row-level security.
//!
//! Statements: `append` one, `number` three, whatever the number of events.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::events::{Event, EventKind, EventQueries, EventRepository, EventsAsked, NewEvent};
use domain::kernel::ids::EventId;
use domain::kernel::{Page, PageRequest};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{array_literal, from_instant, instant, to_i64, to_u64};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

#[derive(Queryable)]
struct EventRow {
    sequence: i64,
    id: Uuid,
    kind: String,
    subject_id: Uuid,
    data: Vec<u8>,
    visible_to: Vec<Uuid>,
    occurred_at: jiff_diesel::Timestamp,
}

type EventColumns = (BigInt, SqlUuid, Text, SqlUuid, Bytea, Array<SqlUuid>, Timestamptz);

impl EventRow {
    fn restore(self) -> Result<Event, StoreError> {
        Ok(Event {
            sequence: to_u64(self.sequence)?,
            id: EventId::new(self.id),
            kind: EventKind::parse(&self.kind).ok_or_else(|| unreadable("the type of an event"))?,
            subject: self.subject_id,
            data: self.data,
            visible_to: self.visible_to,
            occurred_at: from_instant(self.occurred_at),
        })
    }
}

impl EventRepository for PgUnitOfWork<'_> {
    fn append(&mut self, events: &[NewEvent]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        command(
            "insert into outbox (event_id, type, subject_id, data, visible_to, occurred_at)
             select e.id, e.type, e.subject, e.data, e.visible::uuid[], e.at
             from unnest($1, $2, $3, $4, $5, $6) with ordinality as e (id, type, subject, data, visible, at, n) order by e.n",
        )
        .bind::<Array<SqlUuid>, _>(events.iter().map(|e| e.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(events.iter().map(|e| e.kind.as_str()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(events.iter().map(|e| e.subject).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(events.iter().map(|e| e.data.as_slice()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(events.iter().map(|e| array_literal(&e.visible_to)).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(events.iter().map(|e| instant(e.occurred_at)).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn number(&mut self, limit: u32) -> Result<u32, StoreError> {
        // The lock first, in a statement of its own: what follows then sees everything that whoever held it
        // has numbered. An event that is seen comes after every event that its transaction has seen.
        let last: i64 = query::<BigInt>("select last_sequence from event_head for update")
            .get_result(self.pg)
            .map_err(store_error)?;
        let (numbered, newest): (i64, i64) = query::<(BigInt, BigInt)>(
            "with asked as (select $1::bigint as last),
               taken as (delete from outbox where id in (select id from outbox order by id limit $2) returning *),
               numbered as (
                 insert into event (sequence, id, type, subject_id, data, visible_to, occurred_at)
                 select asked.last + row_number() over (order by t.id), t.event_id, t.type, t.subject_id, t.data, t.visible_to, t.occurred_at
                 from taken t cross join asked returning sequence)
             select count(*), coalesce(max(sequence), (select last from asked)) from numbered",
        )
        .bind::<BigInt, _>(last)
        .bind::<BigInt, _>(i64::from(limit))
        .get_result(self.pg)
        .map_err(store_error)?;
        if numbered > 0 {
            command("update event_head set last_sequence = $1")
                .bind::<BigInt, _>(newest)
                .execute(self.pg)
                .map_err(store_error)?;
        }
        u32::try_from(numbered).map_err(|_| unreadable("how many events were numbered"))
    }
}

impl EventQueries for PgQueries<'_> {
    fn list_events(&mut self, asked: &EventsAsked, page: &PageRequest) -> Result<Page<Event>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<EventRow> = query::<EventColumns>(listed!(
            paging.order,
            "with asked as (select $1::bigint as after, $2::text[] as kinds, $3::uuid as subject)
             select e.sequence, e.id, e.type, e.subject_id, e.data, e.visible_to, e.occurred_at
             from asked join event e on e.sequence > asked.after and e.type = any (asked.kinds)
               and (asked.subject is null or e.subject_id = asked.subject) where ",
            "e.sequence", at "e.occurred_at", ""
        ))
        .bind::<BigInt, _>(to_i64(asked.after_sequence)?)
        .bind::<Array<Text>, _>(asked.kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>())
        .bind::<Nullable<SqlUuid>, _>(asked.subject)
        .page_by_number(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        let events = rows.into_iter().map(EventRow::restore).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(events, page.limit, |event| event.sequence.to_be_bytes().to_vec()))
    }

    fn find_event(&mut self, id: EventId) -> Result<Option<Event>, StoreError> {
        let row: Option<EventRow> = query::<EventColumns>(
            "select sequence, id, type, subject_id, data, visible_to, occurred_at from event where id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(EventRow::restore).transpose()
    }

    fn last_sequence(&mut self) -> Result<u64, StoreError> {
        let last: i64 =
            query::<BigInt>("select last_sequence from event_head").get_result(self.pg).map_err(store_error)?;
        to_u64(last)
    }

    fn count_unnumbered(&mut self) -> Result<u64, StoreError> {
        let waiting: i64 = query::<BigInt>("select count(*) from outbox").get_result(self.pg).map_err(store_error)?;
        to_u64(waiting)
    }
}
