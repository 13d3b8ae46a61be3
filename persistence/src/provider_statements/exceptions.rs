//! Exceptions of provider statements.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::kernel::Instant;
use domain::kernel::ids::{DealId, ExceptionId, OrganisationId, UserId, WriteOffId};
use domain::provider_statements::exception::{About, Finding, Resolution};
use domain::provider_statements::resolve::Standing;
use domain::provider_statements::{Item, ItemKey, ProviderException, ProviderStatement};
use domain::store::StoreError;
use uuid::Uuid;

use super::rows::{ExceptionColumns, ExceptionRow, exception, exception_columns};
use super::steps::parts;
use crate::bind::{instant, maybe_date};
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

/// What is written of both kinds of exceptions, up to where the conflict goes.
macro_rules! open_exceptions {
    ($rest:literal) => {
        concat!(
            "insert into provider_exception (id, provider_id, statement_id, last_statement_id, kind, line_id, deal_id, period, side, expected_minor, received_minor, status, opened_at, version)
             select f.id, t.provider_id, t.statement_id, t.statement_id, f.kind, f.line_id, f.deal_id, f.period, f.side, f.expected_minor, f.received_minor, 'open', t.at, 1
             from (select $1::uuid, $2::uuid, $3::timestamptz) as t (provider_id, statement_id, at),
               unnest($4::uuid[], $5::text[], $6::uuid[], $7::uuid[], $8::date[], $9::text[], $10::bigint[], $11::bigint[])
               as f (id, kind, line_id, deal_id, period, side, expected_minor, received_minor) ",
            $rest
        )
    };
}

/// One of the same item that is not resolved gets the figures of now; what the provider was right about stays closed.
const OF_ITEMS: &str = open_exceptions!(
    "where not exists (select from provider_exception e where e.line_id is null and e.deal_id = f.deal_id and e.period is not distinct from f.period
       and e.side = f.side and e.status = 'resolved' and e.resolution = 'ours_is_wrong')
     on conflict (deal_id, period, side) where line_id is null and status <> 'resolved' do update set kind = excluded.kind,
       expected_minor = excluded.expected_minor, received_minor = excluded.received_minor, last_statement_id = excluded.last_statement_id,
       version = provider_exception.version + 1"
);
/// A line has one ever.
const OF_LINES: &str = open_exceptions!("on conflict (line_id) where line_id is not null do nothing");

impl PgUnitOfWork<'_> {
    pub(super) fn open(
        &mut self,
        statement: &ProviderStatement,
        found: &[(ExceptionId, Finding)],
        at: Instant,
    ) -> Result<(), StoreError> {
        let (of_lines, of_items): (Vec<_>, Vec<_>) = found.iter().partition(|(_, f)| f.about.line().is_some());
        for (text, found) in [(OF_ITEMS, of_items), (OF_LINES, of_lines)] {
            let found: Vec<&(ExceptionId, Finding)> = found;
            if found.is_empty() {
                continue;
            }
            let (deals, periods, sides) = parts(found.iter().map(|(_, f)| f.about.item()));
            command(text)
                .bind::<SqlUuid, _>(statement.provider.uuid())
                .bind::<SqlUuid, _>(statement.id.uuid())
                .bind::<Timestamptz, _>(instant(at))
                .bind::<Array<SqlUuid>, _>(found.iter().map(|(id, _)| id.uuid()).collect::<Vec<_>>())
                .bind::<Array<Text>, _>(found.iter().map(|(_, f)| f.kind.as_str()).collect::<Vec<_>>())
                .bind::<Array<Nullable<SqlUuid>>, _>(
                    found.iter().map(|(_, f)| f.about.line().map(|line| line.uuid())).collect::<Vec<_>>(),
                )
                .bind::<Array<Nullable<SqlUuid>>, _>(deals)
                .bind::<Array<Nullable<Date>>, _>(periods)
                .bind::<Array<Nullable<Text>>, _>(sides)
                .bind::<Array<BigInt>, _>(found.iter().map(|(_, f)| f.expected_minor).collect::<Vec<_>>())
                .bind::<Array<BigInt>, _>(found.iter().map(|(_, f)| f.received_minor).collect::<Vec<_>>())
                .execute(self.pg)
                .map_err(store_error)?;
        }
        Ok(())
    }

    pub(super) fn standings(&mut self, provider: OrganisationId) -> Result<Vec<Standing>, StoreError> {
        let rows: Vec<(ExceptionRow, i64)> = query::<(ExceptionColumns, BigInt)>(concat!(
            "select ",
            exception_columns!(),
            ", coalesce((select r.unapplied_minor from provider_line_result r where r.line_id = e.line_id), 0)
             from provider_exception e where provider_id = $1 and status <> 'resolved' order by id for update of e"
        ))
        .bind::<SqlUuid, _>(provider.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        let found = rows.into_iter().map(|(row, left)| Ok((exception(row)?, left)));
        let found = found.collect::<Result<Vec<(ProviderException, i64)>, StoreError>>()?;
        let of_item = |e: &ProviderException| matches!(e.about, About::Item(_)).then(|| e.about.item()).flatten();
        let mut deals: Vec<DealId> = found.iter().filter_map(|(e, _)| of_item(e)).map(|item| item.deal).collect();
        deals.sort_unstable();
        deals.dedup();
        let items: BTreeMap<ItemKey, Item> = self.items_of(&deals)?.into_iter().map(|item| (item.key, item)).collect();
        let standing = |(exception, of_line): (ProviderException, i64)| {
            let item = of_item(&exception).and_then(|key| items.get(&key));
            let left_minor = item.map_or(of_line, Item::open_minor);
            let received_minor = item.map_or(0, |item| item.received_minor);
            Standing { exception, left_minor, received_minor }
        };
        Ok(found.into_iter().map(standing).collect())
    }

    pub(super) fn provider_of_exception(&mut self, id: ExceptionId) -> Result<Option<OrganisationId>, StoreError> {
        let found: Option<Uuid> = query::<SqlUuid>("select provider_id from provider_exception where id = $1")
            .bind::<SqlUuid, _>(id.uuid())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)?;
        Ok(found.map(OrganisationId::new))
    }

    pub(super) fn locked_exception(&mut self, id: ExceptionId) -> Result<Option<ProviderException>, StoreError> {
        let row: Option<ExceptionRow> = query::<ExceptionColumns>(concat!(
            "select ",
            exception_columns!(),
            " from provider_exception where id = $1 for update"
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(exception).transpose()
    }

    pub(super) fn write_exceptions(&mut self, exceptions: &[ProviderException]) -> Result<(), StoreError> {
        if exceptions.is_empty() {
            return Ok(());
        }
        let versions = exceptions.iter().map(|e| i32::try_from(e.version)).collect::<Result<Vec<_>, _>>();
        let versions = versions.map_err(|_| unreadable("a version out of range"))?;
        command(
            "update provider_exception e set received_minor = n.received_minor, status = n.status, owner_id = n.owner_id, resolution = n.resolution,
               wait_until = n.wait_until, note = n.note, write_off_id = n.write_off_id, resolved_at = n.resolved_at, resolved_by = n.resolved_by, version = n.version
             from unnest($1::uuid[], $2::bigint[], $3::text[], $4::uuid[], $5::text[], $6::date[], $7::text[], $8::uuid[], $9::timestamptz[], $10::uuid[], $11::integer[])
               as n (id, received_minor, status, owner_id, resolution, wait_until, note, write_off_id, resolved_at, resolved_by, version) where e.id = n.id",
        )
        .bind::<Array<SqlUuid>, _>(exceptions.iter().map(|e| e.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(exceptions.iter().map(|e| e.received_minor).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(exceptions.iter().map(|e| e.status.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(exceptions.iter().map(|e| e.owner.map(UserId::uuid)).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(exceptions.iter().map(|e| e.resolution.map(Resolution::as_str)).collect::<Vec<_>>())
        .bind::<Array<Nullable<Date>>, _>(exceptions.iter().map(|e| maybe_date(e.wait_until)).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(exceptions.iter().map(|e| e.note.as_deref()).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(exceptions.iter().map(|e| e.write_off.map(WriteOffId::uuid)).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(exceptions.iter().map(|e| e.resolved_at.map(instant)).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(exceptions.iter().map(|e| e.resolved_by).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(versions)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}
