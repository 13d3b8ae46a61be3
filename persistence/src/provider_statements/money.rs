//! Write-offs, and how much of lines the provider has paid for.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::kernel::ids::{DealId, ExceptionId, LineId, WriteOffId};
use domain::provider_statements::WriteOff;
use domain::provider_statements::funding::{DueLine, FundedLine, LineFunding};
use domain::store::StoreError;
use uuid::Uuid;

use super::rows::{WriteOffColumns, WriteOffRow, write_off, write_off_columns};
use crate::bind::{date, instant, maybe_date};
use crate::error::{store_error, unreadable};
use crate::ledger::{LineColumns, LineRow, line_columns};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

fn version(write_off: &WriteOff) -> Result<i32, StoreError> {
    i32::try_from(write_off.version).map_err(|_| unreadable("a version out of range"))
}

impl PgUnitOfWork<'_> {
    pub(super) fn keep_write_off(&mut self, write_off: &WriteOff) -> Result<(), StoreError> {
        command(
            "insert into write_off (id, provider_id, deal_id, period, amount_minor, reason, exception_id, state, proposed_by, proposed_at, version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind::<SqlUuid, _>(write_off.id.uuid())
        .bind::<SqlUuid, _>(write_off.provider.uuid())
        .bind::<SqlUuid, _>(write_off.item.deal.uuid())
        .bind::<Nullable<Date>, _>(maybe_date(write_off.item.period))
        .bind::<BigInt, _>(write_off.amount_minor)
        .bind::<Text, _>(&write_off.reason)
        .bind::<Nullable<SqlUuid>, _>(write_off.exception.map(ExceptionId::uuid))
        .bind::<Text, _>(write_off.state.as_str())
        .bind::<SqlUuid, _>(write_off.proposed_by)
        .bind::<Timestamptz, _>(instant(write_off.proposed_at))
        .bind::<Integer, _>(version(write_off)?)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    pub(super) fn locked_write_off(&mut self, id: WriteOffId) -> Result<Option<WriteOff>, StoreError> {
        let row: Option<WriteOffRow> = query::<WriteOffColumns>(concat!(
            "select ",
            write_off_columns!(),
            " from write_off where id = $1 for update"
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(write_off).transpose()
    }

    pub(super) fn decide_write_off(&mut self, write_off: &WriteOff) -> Result<(), StoreError> {
        command("update write_off set state = $1, decided_by = $2, decided_at = $3, version = $4 where id = $5")
            .bind::<Text, _>(write_off.state.as_str())
            .bind::<Nullable<SqlUuid>, _>(write_off.decided_by)
            .bind::<Nullable<Timestamptz>, _>(write_off.decided_at.map(instant))
            .bind::<Integer, _>(version(write_off)?)
            .bind::<SqlUuid, _>(write_off.id.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    pub(super) fn funded_lines(&mut self, deals: &[DealId]) -> Result<Vec<FundedLine>, StoreError> {
        let rows: Vec<(Uuid, Uuid, Option<jiff_diesel::Date>, bool, i64)> =
            query::<(SqlUuid, SqlUuid, Nullable<Date>, Bool, BigInt)>(
                "select id, deal_id, period, funding_rule = 'on_receipt' and member_id is not null, earned_minor - clawed_back_minor
                 from commission_line where deal_id = any($1) order by id",
            )
            .bind::<Array<SqlUuid>, _>(deals.iter().map(|deal| deal.uuid()).collect::<Vec<_>>())
            .load(self.pg)
            .map_err(store_error)?;
        let funded =
            |(line, deal, period, on_receipt, earned_minor): (Uuid, Uuid, Option<jiff_diesel::Date>, bool, i64)| {
                FundedLine {
                    line: LineId::new(line),
                    deal: DealId::new(deal),
                    period: period.map(Into::into),
                    on_receipt,
                    earned_minor,
                }
            };
        Ok(rows.into_iter().map(funded).collect())
    }

    pub(super) fn keep_funding(&mut self, funding: &[LineFunding]) -> Result<(), StoreError> {
        command(
            "insert into line_funding (line_id, funded_minor) select * from unnest($1::uuid[], $2::bigint[])
             on conflict (line_id) do update set funded_minor = excluded.funded_minor",
        )
        .bind::<Array<SqlUuid>, _>(funding.iter().map(|f| f.line.uuid()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(funding.iter().map(|f| f.funded_minor).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    pub(super) fn funded_lines_due(&mut self, on: jiff::civil::Date, deals: u32) -> Result<Vec<DueLine>, StoreError> {
        // Lines first, so that nobody moves them meanwhile; then what is left of them.
        let lines: Vec<LineRow> = query::<LineColumns>(concat!(
            "select ", line_columns!(), " from commission_line where accrued_minor > 0 and payable_on <= $1 and funding_rule = 'on_receipt'
               and deal_id in (
                 select distinct l.deal_id from commission_line l join line_funding f on f.line_id = l.id
                 where l.accrued_minor > 0 and l.payable_on <= $2 and l.funding_rule = 'on_receipt' and l.payee_id is not null and f.funded_minor > f.released_minor
                 order by l.deal_id limit $3) order by id for update"
        ))
        .bind::<Date, _>(date(on))
        .bind::<Date, _>(date(on))
        .bind::<BigInt, _>(i64::from(deals))
        .load(self.pg)
        .map_err(store_error)?;
        let lines = lines.into_iter().map(LineRow::restore).collect::<Result<Vec<_>, _>>()?;
        let left: Vec<(Uuid, i64)> = query::<(SqlUuid, BigInt)>(
            "select line_id, funded_minor - released_minor from line_funding where line_id = any($1) and funded_minor > released_minor order by line_id for update",
        )
        .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.id.uuid()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        let left: std::collections::BTreeMap<Uuid, i64> = left.into_iter().collect();
        let due = |line: domain::ledger::line::CommissionLine| {
            left.get(&line.id.uuid()).map(|left_minor| DueLine { left_minor: *left_minor, line })
        };
        Ok(lines.into_iter().filter_map(due).collect())
    }

    pub(super) fn note_released(&mut self, released: &[LineFunding]) -> Result<(), StoreError> {
        command(
            "update line_funding f set released_minor = f.released_minor + n.minor from unnest($1::uuid[], $2::bigint[]) as n (line_id, minor) where f.line_id = n.line_id",
        )
        .bind::<Array<SqlUuid>, _>(released.iter().map(|f| f.line.uuid()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(released.iter().map(|f| f.funded_minor).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}
