//! Deliveries: which events go where, what is due and whose turn it is, how it ended.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use domain::events::{Event, EventKind};
use domain::kernel::Instant;
use domain::kernel::ids::{EventId, WebhookEndpointId};
use domain::store::StoreError;
use domain::webhooks::delivery::{Attempt, Claimed, Delivery, Outcome};
use domain::webhooks::endpoint::Signing;
use domain::webhooks::repository::{Ended, Match, Room};
use domain::webhooks::secret::SealedSecret;
use uuid::Uuid;

use super::rows::{DeliveryColumns, DeliveryRow, kind, number};
use crate::bind::{from_instant, instant, to_i64, to_u64};
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};

type MatchRow = (Uuid, i64, Uuid, String, Uuid, jiff_diesel::Timestamp, Option<jiff_diesel::Timestamp>);

pub fn matches(pg: &mut PgConnection, after: u64, up_to: u64) -> Result<Vec<Match>, StoreError> {
    let rows: Vec<MatchRow> = query::<(SqlUuid, BigInt, SqlUuid, Text, SqlUuid, Timestamptz, Nullable<Timestamptz>)>(
        "select w.id, e.sequence, e.id, e.type, e.subject_id, e.occurred_at,
           (select d.due_at from webhook_delivery d
            where d.endpoint_id = w.id and d.subject_id = e.subject_id and d.status = 'pending' and d.in_order
            order by d.sequence desc limit 1)
         from event e
         join unnest($1, $2) as k (type, scope) on k.type = e.type
         join webhook_endpoint w on w.status = 'enabled' and w.after_sequence < e.sequence
           and case when e.type = 'webhook.test' then e.subject_id = w.id
             else (w.event_types = '{*}' or e.type = any (w.event_types)) and k.scope = any (w.scopes)
               and (w.organisation_id is null or w.organisation_id = any (e.visible_to)) end
         where e.sequence > $3 and e.sequence <= $4
         order by e.sequence, w.id",
    )
    .bind::<Array<Text>, _>(EventKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(EventKind::ALL.iter().map(|kind| kind.scope().as_str()).collect::<Vec<_>>())
    .bind::<BigInt, _>(to_i64(after)?)
    .bind::<BigInt, _>(to_i64(up_to)?)
    .load(pg)
    .map_err(store_error)?;
    rows.into_iter()
        .map(|(endpoint, sequence, event, text, subject, occurred_at, not_before)| {
            Ok(Match {
                endpoint: WebhookEndpointId::new(endpoint),
                sequence: to_u64(sequence)?,
                event: EventId::new(event),
                kind: kind(&text)?,
                subject,
                occurred_at: from_instant(occurred_at),
                not_before: not_before.map(from_instant),
            })
        })
        .collect()
}

pub fn insert(pg: &mut PgConnection, new: &[Delivery]) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    command(
        "insert into webhook_delivery (id, endpoint_id, sequence, event_id, type, subject_id, occurred_at, status, due_at, in_order,
           failures, attempts, claims, created_at)
         select id, endpoint, sequence, event, type, subject, occurred, 'pending', due, in_order, 0, 0, 0, created
         from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
           as d (id, endpoint, sequence, event, type, subject, occurred, due, in_order, created)",
    )
    .bind::<Array<SqlUuid>, _>(new.iter().map(|d| d.id.uuid()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(new.iter().map(|d| d.endpoint.uuid()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(new.iter().map(|d| to_i64(d.sequence)).collect::<Result<Vec<_>, _>>()?)
    .bind::<Array<SqlUuid>, _>(new.iter().map(|d| d.event.uuid()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(new.iter().map(|d| d.kind.as_str()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(new.iter().map(|d| d.subject).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(new.iter().map(|d| instant(d.occurred_at)).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(new.iter().map(|d| instant(d.due_at)).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(new.iter().map(|d| d.in_order).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(new.iter().map(|d| instant(d.created_at)).collect::<Vec<_>>())
    .execute(pg)
    .map_err(store_error)?;
    Ok(())
}

type ClaimColumns = (DeliveryColumns, (Integer, Text, Text, Bytea, Nullable<Bytea>), (Bytea, Array<SqlUuid>));
type ClaimRow = (DeliveryRow, (i32, String, String, Vec<u8>, Option<Vec<u8>>), (Vec<u8>, Vec<Uuid>));

/// Of each endpoint the 256 that have been due longest are looked at, so that a long queue behind one event
/// of a subject costs the others nothing. A suspended organisation is sent nothing until it is active again.
pub fn claim(pg: &mut PgConnection, room: &Room, now: Instant, until: Instant) -> Result<Vec<Claimed>, StoreError> {
    let rows: Vec<ClaimRow> = query::<ClaimColumns>(
        "with asked as (select $1::timestamptz as now, $2::timestamptz as until),
           busy as (select id, n from unnest($3, $4) as b (id, n)),
           room as (select $5::bigint as per_endpoint, $6::bigint as per_failing),
           taken as (
             select d.id, d.occurred_at from asked cross join room cross join webhook_endpoint w
             left join busy b on b.id = w.id
             cross join lateral (
               select case when w.failing_since_at is null then room.per_endpoint else room.per_failing end as places) p
             cross join lateral (
               select d.id, d.occurred_at from (
                 select id, occurred_at, due_at, sequence from webhook_delivery
                 where endpoint_id = w.id and status = 'pending' and due_at <= asked.now and coalesce(b.n, 0) < p.places
                 order by due_at, sequence limit 256) c
               join webhook_delivery d on d.id = c.id and d.occurred_at = c.occurred_at and d.status = 'pending' and d.due_at = c.due_at
               where not d.in_order or not exists (
                   select from webhook_delivery earlier
                   where earlier.endpoint_id = d.endpoint_id and earlier.subject_id = d.subject_id
                     and earlier.status = 'pending' and earlier.in_order and earlier.sequence < d.sequence)
               order by c.due_at, c.sequence limit greatest(0, p.places - coalesce(b.n, 0)) for update of d skip locked) d
             where w.status = 'enabled'
               and not exists (select from organisation o where o.id = w.organisation_id and o.status = 'suspended')
             limit $7),
           claimed as (
             update webhook_delivery d set due_at = asked.until, claims = d.claims + 1
             from taken t cross join asked where d.id = t.id and d.occurred_at = t.occurred_at
             returning d.id, d.endpoint_id, d.sequence, d.event_id, d.type, d.subject_id, d.occurred_at, d.status, d.due_at, d.in_order,
               d.failures, d.attempts, d.created_at, d.finished_at, d.claims)
         select c.id, c.endpoint_id, c.sequence, c.event_id, c.type, c.subject_id, c.occurred_at, c.status, c.due_at, c.in_order,
           c.failures, c.attempts, c.created_at, c.finished_at, c.claims,
           w.url, w.signing, w.secret, case when w.previous_until_at > asked.now then w.previous_secret end, e.data, e.visible_to
         from asked cross join claimed c join webhook_endpoint w on w.id = c.endpoint_id join event e on e.sequence = c.sequence
         order by c.sequence",
    )
    .bind::<Timestamptz, _>(instant(now))
    .bind::<Timestamptz, _>(instant(until))
    .bind::<Array<SqlUuid>, _>(room.busy.iter().map(|(id, _)| id.uuid()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(room.busy.iter().map(|(_, n)| i64::from(*n)).collect::<Vec<_>>())
    .bind::<BigInt, _>(i64::from(room.per_endpoint))
    .bind::<BigInt, _>(i64::from(room.per_failing))
    .bind::<BigInt, _>(i64::from(room.total))
    .load(pg)
    .map_err(store_error)?;
    rows.into_iter().map(claimed).collect()
}

fn claimed(
    (row, (claim, url, signing, secret, previous), (data, visible_to)): ClaimRow,
) -> Result<Claimed, StoreError> {
    let delivery = row.restore()?;
    let event = Event {
        sequence: delivery.sequence,
        id: delivery.event,
        kind: delivery.kind,
        subject: delivery.subject,
        data,
        visible_to,
        occurred_at: delivery.occurred_at,
    };
    Ok(Claimed {
        delivery,
        claim,
        url,
        signing: Signing::parse(&signing).map_err(|_| unreadable("a signature scheme"))?,
        secret: SealedSecret(secret),
        previous: previous.map(SealedSecret),
        event,
    })
}

pub fn append_attempts(pg: &mut PgConnection, attempts: &[Attempt]) -> Result<(), StoreError> {
    let status = |a: &Attempt| a.outcome.status().and_then(|status| i16::try_from(status).ok());
    let error = |a: &Attempt| match &a.outcome {
        Outcome::Answered(_) => None,
        Outcome::Failed(error) => Some(error.clone()),
    };
    command(
        "insert into webhook_attempt (delivery_id, claim, at, duration_ms, status, error, body)
         select * from unnest($1, $2, $3, $4, $5, $6, $7) as a (delivery, claim, at, duration, status, error, body)
         on conflict do nothing",
    )
    .bind::<Array<SqlUuid>, _>(attempts.iter().map(|a| a.delivery.uuid()).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(attempts.iter().map(|a| a.claim).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(attempts.iter().map(|a| instant(a.at)).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(attempts.iter().map(|a| number(a.duration_ms)).collect::<Result<Vec<_>, _>>()?)
    .bind::<Array<Nullable<SmallInt>>, _>(attempts.iter().map(status).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(attempts.iter().map(error).collect::<Vec<_>>())
    .bind::<Array<Bytea>, _>(attempts.iter().map(|a| a.body.as_slice()).collect::<Vec<_>>())
    .execute(pg)
    .map_err(store_error)?;
    Ok(())
}

pub fn end_claims(pg: &mut PgConnection, ended: &[Ended]) -> Result<(), StoreError> {
    command(
        "update webhook_delivery d set status = u.status, due_at = u.due, failures = u.failures, finished_at = u.finished,
           attempts = greatest(d.attempts, u.attempts)
         from unnest($1, $2, $3, $4, $5, $6, $7, $8) as u (id, occurred, claim, status, due, failures, attempts, finished)
         where d.id = u.id and d.occurred_at = u.occurred and d.claims = u.claim and d.status = 'pending'",
    )
    .bind::<Array<SqlUuid>, _>(ended.iter().map(|e| e.delivery.id.uuid()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(ended.iter().map(|e| instant(e.delivery.occurred_at)).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(ended.iter().map(|e| e.claim).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(ended.iter().map(|e| e.delivery.status.as_str()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(ended.iter().map(|e| instant(e.delivery.due_at)).collect::<Vec<_>>())
    .bind::<Array<Integer>, _>(ended.iter().map(|e| number(e.delivery.failures)).collect::<Result<Vec<_>, _>>()?)
    .bind::<Array<Integer>, _>(ended.iter().map(|e| number(e.delivery.attempts)).collect::<Result<Vec<_>, _>>()?)
    .bind::<Array<Nullable<Timestamptz>>, _>(
        ended.iter().map(|e| e.delivery.finished_at.map(instant)).collect::<Vec<_>>(),
    )
    .execute(pg)
    .map_err(store_error)?;
    Ok(())
}

pub fn postpone_after(pg: &mut PgConnection, failed: &[Delivery]) -> Result<(), StoreError> {
    if failed.is_empty() {
        return Ok(());
    }
    command(
        "update webhook_delivery d set due_at = u.due
         from unnest($1, $2, $3, $4) as u (endpoint, subject, sequence, due)
         where d.endpoint_id = u.endpoint and d.subject_id = u.subject and d.status = 'pending' and d.in_order
           and d.sequence > u.sequence and d.due_at < u.due",
    )
    .bind::<Array<SqlUuid>, _>(failed.iter().map(|d| d.endpoint.uuid()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(failed.iter().map(|d| d.subject).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(failed.iter().map(|d| to_i64(d.sequence)).collect::<Result<Vec<_>, _>>()?)
    .bind::<Array<Timestamptz>, _>(failed.iter().map(|d| instant(d.due_at)).collect::<Vec<_>>())
    .execute(pg)
    .map_err(store_error)?;
    Ok(())
}
