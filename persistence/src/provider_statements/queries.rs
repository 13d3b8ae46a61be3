//! Looking provider statements up.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Uuid as SqlUuid};
use domain::kernel::ids::{OrganisationId, ProviderStatementId, UserId};
use domain::kernel::{Page, PageRequest};
use domain::provider_statements::funding::FundingRow;
use domain::provider_statements::mapping::MappingVersion;
use domain::provider_statements::repository::{ExceptionFilter, ProviderStatementQueries, StatementFilter};
use domain::provider_statements::statement::{LineCounts, LineOutcome, LineRecord, StatementFigures};
use domain::provider_statements::{
    ExceptionStatus, LineResult, ProviderException, ProviderStatement, StatementState, WriteOff, WriteOffState,
};
use domain::store::StoreError;
use uuid::Uuid;

use super::rows::{
    ExceptionColumns, ExceptionRow, ItemPartColumns, ItemParts, LineColumns, LineRow, MappingColumns, MappingRow,
    StatementColumns, StatementRow, WriteOffColumns, WriteOffRow, exception, exception_columns, item, line, mapping,
    statement_columns, write_off, write_off_columns,
};
use crate::bind::to_u64;
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::statement::query;
use crate::store::PgQueries;

type OutcomeColumns = (Nullable<Text>, ItemPartColumns, Nullable<BigInt>);
type OutcomeRow = (Option<String>, ItemParts, Option<i64>);

fn outcome((result, parts, unapplied): OutcomeRow) -> Result<Option<LineOutcome>, StoreError> {
    let Some(result) = result else { return Ok(None) };
    let result = LineResult::parse(&result).ok_or_else(|| unreadable("the result of a line"))?;
    Ok(Some(LineOutcome { result, item: item(parts), unapplied_minor: unapplied.unwrap_or_default() }))
}

type Counted = (i64, i64, i64, i64, i64);
type Summed = (i64, i64, i64, i64, i64);

impl PgQueries<'_> {
    fn figures(&mut self, statement: &ProviderStatement) -> Result<StatementFigures, StoreError> {
        type Columns = ((BigInt, BigInt, BigInt, BigInt, BigInt), (BigInt, BigInt, BigInt, BigInt, BigInt));
        let (counted, summed): (Counted, Summed) = query::<Columns>(
            "with asked (id) as (select $1::uuid)
             select c.matched, c.short_paid, c.over_paid, c.unexpected, c.nothing, s.applied, s.gst, s.rounding, c.unapplied,
               (select count(*) from provider_exception e, asked where (e.statement_id = asked.id or e.last_statement_id = asked.id) and e.status <> 'resolved')
             from (
               select count(*) filter (where result = 'matched') as matched, count(*) filter (where result = 'short_paid') as short_paid,
                 count(*) filter (where result = 'over_paid') as over_paid, count(*) filter (where result = 'unexpected') as unexpected,
                 count(*) filter (where result = 'nothing') as nothing, coalesce(sum(unapplied_minor), 0)::bigint as unapplied
               from provider_line_result r, asked where r.statement_id = asked.id) c,
             (select coalesce(sum(applied_minor), 0)::bigint as applied, coalesce(sum(p.gst_minor), 0)::bigint as gst,
                coalesce(sum(rounding_minor), 0)::bigint as rounding
              from asked, provider_statement_line l join provider_line_step p on p.line_id = l.id where l.statement_id = asked.id) s",
        )
        .bind::<SqlUuid, _>(statement.id.uuid())
        .get_result(self.pg)
        .map_err(store_error)?;
        let (matched, short_paid, over_paid, unexpected, nothing) = counted;
        let (applied_minor, gst_minor, rounding_minor, unapplied_minor, open) = summed;
        let posted = to_u64(matched + short_paid + over_paid + unexpected + nothing)?;
        Ok(StatementFigures {
            counts: LineCounts {
                waiting: statement.lines.saturating_sub(posted),
                matched: to_u64(matched)?,
                short_paid: to_u64(short_paid)?,
                over_paid: to_u64(over_paid)?,
                unexpected: to_u64(unexpected)?,
                nothing: to_u64(nothing)?,
            },
            applied_minor,
            gst_minor,
            rounding_minor,
            unapplied_minor,
            open_exceptions: to_u64(open)?,
        })
    }
}

impl ProviderStatementQueries for PgQueries<'_> {
    fn find_mapping(&mut self, provider: OrganisationId) -> Result<Option<MappingVersion>, StoreError> {
        let row: Option<MappingRow> = query::<MappingColumns>(
            "select provider_id, version, content, created_by, created_at from statement_mapping where provider_id = $1 order by version desc limit 1",
        )
        .bind::<SqlUuid, _>(provider.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(mapping).transpose()
    }

    fn list(&mut self, filter: &StatementFilter, page: &PageRequest) -> Result<Page<ProviderStatement>, StoreError> {
        let paging = Paging::newest_first(page);
        let rows: Vec<StatementRow> = query::<StatementColumns>(listed!(
            paging.order,
            concat!("select ", statement_columns!(), " from provider_statement where "),
            "id", at "created_at", " and coalesce(provider_id = $4, true) and coalesce(state = $5, true)"
        ))
        .after_id(paging)?
        .between(paging)
        .bind::<Nullable<SqlUuid>, _>(filter.provider.map(OrganisationId::uuid))
        .bind::<Nullable<Text>, _>(filter.state.map(StatementState::as_str))
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, StatementRow::restore, |statement| statement.id.uuid())
    }

    fn find(&mut self, id: ProviderStatementId) -> Result<Option<(ProviderStatement, StatementFigures)>, StoreError> {
        let row: Option<StatementRow> = query::<StatementColumns>(concat!(
            "select ",
            statement_columns!(),
            " from provider_statement where id = $1"
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        let Some(statement) = row.map(StatementRow::restore).transpose()? else { return Ok(None) };
        let figures = self.figures(&statement)?;
        Ok(Some((statement, figures)))
    }

    fn list_lines(
        &mut self,
        id: ProviderStatementId,
        result: Option<LineResult>,
        page: &PageRequest,
    ) -> Result<Page<LineRecord>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<(LineRow, OutcomeRow)> = query::<(LineColumns, OutcomeColumns)>(listed!(
            paging.order,
            "select l.id, l.line, l.reference, l.kind, l.dated_on, l.month, l.amount_minor, l.gst_minor, l.product,
               r.result, r.deal_id, r.period, r.side, r.unapplied_minor
             from provider_statement_line l left join provider_line_result r on r.line_id = l.id
             where l.statement_id = $1 and coalesce(coalesce(r.result, '') = $2, true) and ",
            "l.line",
            ""
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Nullable<Text>, _>(result.map(LineResult::as_str))
        .after_number(paging)?
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        let record =
            |(said, came): (LineRow, OutcomeRow)| Ok(LineRecord { line: line(said)?, outcome: outcome(came)? });
        let rows = rows.into_iter().map(record).collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Page::cut(rows, page.limit, |row| row.line.line.to_be_bytes().to_vec()))
    }

    fn list_exceptions(
        &mut self,
        filter: &ExceptionFilter,
        page: &PageRequest,
    ) -> Result<Page<ProviderException>, StoreError> {
        let paging = Paging::newest_first(page);
        let statement = filter.statement.map(ProviderStatementId::uuid);
        let rows: Vec<ExceptionRow> = query::<ExceptionColumns>(listed!(
            paging.order,
            concat!("select ", exception_columns!(), " from provider_exception where "),
            "id", at "opened_at", " and coalesce(provider_id = $5, true) and coalesce(status = $6, true) and coalesce(coalesce(owner_id, '00000000-0000-0000-0000-000000000000') = $7, true)
               and coalesce($8 in (statement_id, last_statement_id), true)"
        ))
        .after_id(paging)?
        .between(paging)
        .bind::<Nullable<SqlUuid>, _>(filter.provider.map(OrganisationId::uuid))
        .bind::<Nullable<Text>, _>(filter.status.map(ExceptionStatus::as_str))
        .bind::<Nullable<SqlUuid>, _>(filter.owner.map(UserId::uuid))
        .bind::<Nullable<SqlUuid>, _>(statement)
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, exception, |exception| exception.id.uuid())
    }

    fn list_write_offs(
        &mut self,
        state: Option<WriteOffState>,
        page: &PageRequest,
    ) -> Result<Page<WriteOff>, StoreError> {
        let paging = Paging::newest_first(page);
        let rows: Vec<WriteOffRow> = query::<WriteOffColumns>(listed!(
            paging.order,
            concat!("select ", write_off_columns!(), " from write_off where "),
            "id", at "proposed_at", " and coalesce(state = $5, true)"
        ))
        .after_id(paging)?
        .between(paging)
        .bind::<Nullable<Text>, _>(state.map(WriteOffState::as_str))
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, write_off, |write_off| write_off.id.uuid())
    }

    fn funding(&mut self) -> Result<Vec<FundingRow>, StoreError> {
        type Columns = (SqlUuid, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt);
        let rows: Vec<(Uuid, i64, i64, i64, i64, i64, i64)> = query::<Columns>(
            "with item as (
               select d.provider_id, l.deal_id, l.period, sum(l.earned_minor - l.clawed_back_minor) as expected,
                 coalesce(sum(l.earned_minor - l.clawed_back_minor) filter (where l.member_id is not null), 0) as payees,
                 sum(l.available_minor) as available,
                 sum(l.available_minor + l.in_transit_minor + l.paid_minor + l.withheld_minor + l.set_off_minor - l.gst_minor) as released,
                 coalesce(sum(l.accrued_minor) filter (where l.funding_rule = 'on_receipt'), 0) as awaiting
               from commission_line l join deal d on d.id = l.deal_id group by d.provider_id, l.deal_id, l.period
             ), came as (
               select deal_id, coalesce(period, '-infinity') as period, sum(applied_minor) as received
               from provider_line_step where deal_id is not null group by 1, 2
             ), given_up as (
               select deal_id, coalesce(period, '-infinity') as period, sum(amount_minor) as written_off
               from write_off where state = 'approved' group by 1, 2
             )
             select item.provider_id, sum(expected)::bigint, coalesce(sum(received), 0)::bigint, coalesce(sum(written_off), 0)::bigint, sum(available)::bigint,
               sum(least(available, greatest(0, released - case when expected > 0
                 then floor(payees * greatest(0, least(coalesce(received, 0), expected)) / expected) else 0 end)))::bigint,
               sum(awaiting)::bigint
             from item
             left join came on came.deal_id = item.deal_id and came.period = coalesce(item.period, '-infinity')
             left join given_up on given_up.deal_id = item.deal_id and given_up.period = coalesce(item.period, '-infinity')
             group by item.provider_id order by item.provider_id",
        )
        .load(self.pg)
        .map_err(store_error)?;
        let row = |(
            provider,
            expected_minor,
            received_minor,
            written_off_minor,
            available_minor,
            unfunded_minor,
            awaiting,
        )| {
            FundingRow {
                provider: OrganisationId::new(provider),
                expected_minor,
                received_minor,
                written_off_minor,
                available_minor,
                unfunded_minor,
                awaiting_receipt_minor: awaiting,
            }
        };
        Ok(rows.into_iter().map(row).collect())
    }
}
