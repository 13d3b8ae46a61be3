//! Lines of statements: those that wait, what they came to, what is left of them.

use diesel::RunQueryDsl;
use diesel::sql_types::{Array, BigInt, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::kernel::Instant;
use domain::kernel::ids::{DealId, OrganisationId, ProviderStatementId, ProviderStatementLineId};
use domain::provider_statements::exception::PostedLine;
use domain::provider_statements::post::PostedStep;
use domain::provider_statements::statement::{OpenLine, StatementLine};
use domain::provider_statements::{Item, ItemKey, LineResult};
use domain::store::StoreError;
use std::collections::BTreeMap;
use uuid::Uuid;

use super::rows::{ItemPartColumns, ItemParts, OpenColumns, OpenRow, item, open_line};
use crate::bind::{date, instant, maybe_date, to_i64};
use crate::error::{store_error, unreadable};
use crate::statement::{Statement, command, query};
use crate::store::PgUnitOfWork;

/// Lines with what is left of them, under a condition.
macro_rules! open_lines {
    ($condition:literal) => {
        concat!(
            "select l.id, l.line, l.reference, l.kind, l.dated_on, l.month, l.amount_minor - coalesce(t.applied, 0), l.gst_minor - coalesce(t.gst, 0), l.product,
               l.statement_id, s.paid_on, s.bank_account_id, coalesce(t.steps, 0), (convert_from(m.content, 'UTF8')::jsonb ->> 'date_window_days')::smallint
             from provider_statement_line l join provider_statement s on s.id = l.statement_id
             join statement_mapping m on m.provider_id = s.provider_id and m.version = s.mapping_version
             left join lateral (
               select sum(applied_minor + rounding_minor)::bigint as applied, sum(gst_minor)::bigint as gst, count(*)::integer as steps
               from provider_line_step p where p.line_id = l.id) t on true
             where ",
            $condition
        )
    };
}

/// An item in its parts, as arrays.
type Parts = (Vec<Option<Uuid>>, Vec<Option<jiff_diesel::Date>>, Vec<Option<&'static str>>);

pub(super) fn parts(items: impl Iterator<Item = Option<ItemKey>> + Clone) -> Parts {
    (
        items.clone().map(|item| item.map(|item| item.deal.uuid())).collect(),
        items.clone().map(|item| maybe_date(item.and_then(|item| item.period))).collect(),
        items.map(|item| item.map(|item| item.side.as_str())).collect(),
    )
}

impl PgUnitOfWork<'_> {
    fn open_lines(&mut self, statement: Statement<'_, OpenColumns>) -> Result<Vec<OpenLine>, StoreError> {
        let rows: Vec<OpenRow> = statement.load(self.pg).map_err(store_error)?;
        rows.into_iter().map(open_line).collect()
    }

    pub(super) fn keep_lines(&mut self, id: ProviderStatementId, lines: &[StatementLine]) -> Result<(), StoreError> {
        let numbers = lines.iter().map(|line| to_i64(line.line)).collect::<Result<Vec<_>, _>>()?;
        command(
            "insert into provider_statement_line (statement_id, id, line, reference, kind, dated_on, month, amount_minor, gst_minor, product)
             select $1, * from unnest($2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::date[], $7::date[], $8::bigint[], $9::bigint[], $10::text[])",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(numbers)
        .bind::<Array<Text>, _>(lines.iter().map(|line| line.reference.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(lines.iter().map(|line| line.kind.code()).collect::<Vec<_>>())
        .bind::<Array<Date>, _>(lines.iter().map(|line| date(line.on)).collect::<Vec<_>>())
        .bind::<Array<Date>, _>(lines.iter().map(|line| date(line.month)).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(lines.iter().map(|line| line.amount_minor).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(lines.iter().map(|line| line.gst_minor).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(lines.iter().map(|line| line.product.as_deref()).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    pub(super) fn unposted(&mut self, id: ProviderStatementId, limit: u32) -> Result<Vec<OpenLine>, StoreError> {
        let statement = query(open_lines!(
            "l.statement_id = $1 and l.line > (select coalesce(max(r.line), 0) from provider_line_result r where r.statement_id = $2) order by l.line limit $3"
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<BigInt, _>(i64::from(limit));
        self.open_lines(statement)
    }

    pub(super) fn unapplied(
        &mut self,
        provider: OrganisationId,
        after: Option<ProviderStatementLineId>,
        limit: u32,
    ) -> Result<Vec<OpenLine>, StoreError> {
        let statement = query(open_lines!(
            "l.id in (select r.line_id from provider_line_result r where r.provider_id = $1 and r.unapplied_minor <> 0 and r.line_id > $2 order by r.line_id limit $3) order by l.id"
        ))
        .bind::<SqlUuid, _>(provider.uuid())
        .bind::<SqlUuid, _>(after.map_or(Uuid::nil(), ProviderStatementLineId::uuid))
        .bind::<BigInt, _>(i64::from(limit));
        self.open_lines(statement)
    }

    pub(super) fn unapplied_of(&mut self, line: ProviderStatementLineId) -> Result<Vec<OpenLine>, StoreError> {
        let statement = query(open_lines!(
            "l.id in (select r.line_id from provider_line_result r where r.line_id = $1 and r.unapplied_minor <> 0)"
        ))
        .bind::<SqlUuid, _>(line.uuid());
        self.open_lines(statement)
    }

    pub(super) fn keep_steps(
        &mut self,
        by: ProviderStatementId,
        steps: &[PostedStep],
        at: Instant,
    ) -> Result<(), StoreError> {
        if steps.is_empty() {
            return Ok(());
        }
        let minor = |pick: fn(&PostedStep) -> i64| steps.iter().map(pick).collect::<Vec<_>>();
        let lines = || steps.iter().map(|posted| posted.step.line.uuid()).collect::<Vec<_>>();
        let (deals, periods, sides) = parts(steps.iter().map(|posted| posted.step.item));
        command(
            "insert into provider_line_step (at, line_id, n, deal_id, period, side, applied_minor, gst_minor, rounding_minor, unapplied_minor, entry_id)
             select $1, * from unnest($2::uuid[], $3::integer[], $4::uuid[], $5::date[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::uuid[])",
        )
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Array<SqlUuid>, _>(lines())
        .bind::<Array<Integer>, _>(steps.iter().map(|posted| posted.step.n).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(deals.clone())
        .bind::<Array<Nullable<Date>>, _>(periods.clone())
        .bind::<Array<Nullable<Text>>, _>(sides.clone())
        .bind::<Array<BigInt>, _>(minor(|posted| posted.step.applied_minor))
        .bind::<Array<BigInt>, _>(minor(|posted| posted.step.gst_minor))
        .bind::<Array<BigInt>, _>(minor(|posted| posted.step.rounding_minor))
        .bind::<Array<BigInt>, _>(minor(|posted| posted.step.unapplied_minor))
        .bind::<Array<Nullable<SqlUuid>>, _>(
            steps.iter().map(|posted| posted.entry.map(|entry| entry.uuid())).collect::<Vec<_>>(),
        )
        .execute(self.pg)
        .map_err(store_error)?;
        command(
            "insert into provider_line_result (line_id, statement_id, line, provider_id, touched_by, result, deal_id, period, side, unapplied_minor)
             select l.id, l.statement_id, l.line, s.provider_id, t.by, o.result, o.deal_id, o.period, o.side, o.unapplied_minor
             from (select $1::uuid as by) t, unnest($2::uuid[], $3::text[], $4::uuid[], $5::date[], $6::text[], $7::bigint[])
               as o (line_id, result, deal_id, period, side, unapplied_minor)
             join provider_statement_line l on l.id = o.line_id join provider_statement s on s.id = l.statement_id
             on conflict (line_id) do update set touched_by = excluded.touched_by, result = excluded.result, deal_id = excluded.deal_id,
               period = excluded.period, side = excluded.side, unapplied_minor = excluded.unapplied_minor",
        )
        .bind::<SqlUuid, _>(by.uuid())
        .bind::<Array<SqlUuid>, _>(lines())
        .bind::<Array<Text>, _>(steps.iter().map(|posted| posted.outcome.result.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(deals)
        .bind::<Array<Nullable<Date>>, _>(periods)
        .bind::<Array<Nullable<Text>>, _>(sides)
        .bind::<Array<BigInt>, _>(minor(|posted| posted.outcome.unapplied_minor))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    pub(super) fn unsettled(&mut self, id: ProviderStatementId) -> Result<Vec<PostedLine>, StoreError> {
        let rows: Vec<(Uuid, String, i64, ItemParts)> = query::<(SqlUuid, Text, BigInt, ItemPartColumns)>(
            "select line_id, result, unapplied_minor, deal_id, period, side from provider_line_result
             where touched_by = $1 and result in ('short_paid', 'over_paid', 'unexpected') order by line_id",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        let mut deals: Vec<DealId> = rows.iter().filter_map(|row| row.3.0).map(DealId::new).collect();
        deals.sort_unstable();
        deals.dedup();
        let items: BTreeMap<ItemKey, Item> = self.items_of(&deals)?.into_iter().map(|item| (item.key, item)).collect();
        rows.into_iter()
            .map(|(line, result, unapplied_minor, parts)| {
                let result = LineResult::parse(&result).ok_or_else(|| unreadable("the result of a line"))?;
                let item = item(parts).and_then(|key| items.get(&key).copied());
                Ok(PostedLine { line: ProviderStatementLineId::new(line), result, item, unapplied_minor })
            })
            .collect()
    }

    pub(super) fn write_results(
        &mut self,
        results: &[(ProviderStatementLineId, LineResult)],
    ) -> Result<(), StoreError> {
        if results.is_empty() {
            return Ok(());
        }
        command(
            "update provider_line_result r set result = n.result from unnest($1::uuid[], $2::text[]) as n (line_id, result) where r.line_id = n.line_id",
        )
        .bind::<Array<SqlUuid>, _>(results.iter().map(|(line, _)| line.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(results.iter().map(|(_, result)| result.as_str()).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}
