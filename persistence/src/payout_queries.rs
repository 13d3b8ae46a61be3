//! Own accounts, payout runs, payouts, to look up: under row-level security, page by page.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bytea, Nullable, Text, Uuid as SqlUuid};
use domain::kernel::ids::{LineId, PayeeId, PayoutId, PayoutRunId};
use domain::kernel::{Page, PageRequest};
use domain::payouts::BankAccount;
use domain::payouts::repository::{PayoutFilter, PayoutLines, PayoutQueries, PayoutRecord};
use domain::payouts::run::PayoutRun;
use domain::store::StoreError;
use uuid::Uuid;

use crate::error::store_error;
use crate::page::{Paging, by_id, listed};
use crate::payout_rows::{AccountColumns, AccountRow, PayoutColumns, PayoutRow, RunColumns, RunRow};
use crate::statement::query;
use crate::store::PgQueries;

impl PgQueries<'_> {
    fn amounts(&mut self, sql: &'static str, payout: PayoutId) -> Result<Vec<(LineId, i64)>, StoreError> {
        let rows: Vec<(Uuid, i64)> =
            query::<(SqlUuid, BigInt)>(sql).bind::<SqlUuid, _>(payout.uuid()).load(self.pg).map_err(store_error)?;
        Ok(rows.into_iter().map(|(line, amount)| (LineId::new(line), amount)).collect())
    }
}

impl PayoutQueries for PgQueries<'_> {
    fn list_bank_accounts(&mut self, request: &PageRequest) -> Result<Page<BankAccount>, StoreError> {
        let paging = Paging::newest_first(request);
        let rows: Vec<AccountRow> = query::<AccountColumns>(listed!(
            paging.order,
            "select id, name, bsb, account_number, account_title, bank_code, user_name, user_number, remitter, description, self_balancing, header_date, item_limit
             from bank_account where ",
            "id", at "created_at", ""
        ))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, request, AccountRow::restore, |account| account.id.uuid())
    }

    fn list_runs(&mut self, state: Option<&str>, request: &PageRequest) -> Result<Page<PayoutRun>, StoreError> {
        let paging = Paging::newest_first(request);
        let rows: Vec<RunRow> = query::<RunColumns>(listed!(
            paging.order,
            "select id, bank_account_id, state, cut_off_on, content, created_by, created_at, proposed_by, proposed_at,
               approved_by, approved_at, executed_by, executed_at, file_date_on, aba_sha256, voided_reason, version
             from payout_run where ",
            "id", at "created_at", " and state = coalesce($4, state)"
        ))
        .after_id(paging)?
        .between(paging)
        .bind::<Nullable<Text>, _>(state)
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, request, RunRow::restore, |run| run.id.uuid())
    }

    fn find_run(&mut self, id: PayoutRunId) -> Result<Option<PayoutRun>, StoreError> {
        let row: Option<RunRow> = query::<RunColumns>(
            "select id, bank_account_id, state, cut_off_on, content, created_by, created_at, proposed_by, proposed_at,
               approved_by, approved_at, executed_by, executed_at, file_date_on, aba_sha256, voided_reason, version
             from payout_run where id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(RunRow::restore).transpose()
    }

    fn find_file(&mut self, id: PayoutRunId) -> Result<Option<Vec<u8>>, StoreError> {
        let file: Option<Option<Vec<u8>>> = query::<Nullable<Bytea>>("select aba from payout_run where id = $1")
            .bind::<SqlUuid, _>(id.uuid())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)?;
        Ok(file.flatten())
    }

    fn list_payouts(&mut self, filter: &PayoutFilter, request: &PageRequest) -> Result<Page<PayoutRecord>, StoreError> {
        let paging = Paging::newest_first(request);
        let rows: Vec<PayoutRow> = query::<PayoutColumns>(listed!(
            paging.order,
            "with asked as (select $1::uuid as run_id, $2::uuid as payee_id, $3::text as state)
             select p.id, p.run_id, p.payee_id, p.state, amount_minor, gross_minor, recovered_minor, gst_minor, withheld_minor, p.rail, reference, created_at
             from payout p, asked where (asked.run_id is null or p.run_id = asked.run_id) and (asked.payee_id is null or p.payee_id = asked.payee_id)
               and (asked.state is null or p.state = asked.state) and ",
            "p.id", at "p.created_at", ""
        ))
        .bind::<Nullable<SqlUuid>, _>(filter.run.map(PayoutRunId::uuid))
        .bind::<Nullable<SqlUuid>, _>(filter.payee.map(PayeeId::uuid))
        .bind::<Nullable<Text>, _>(filter.state.map(domain::payouts::payout::PayoutState::code))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, request, PayoutRow::restore, |payout| payout.id.uuid())
    }

    fn find_payout(&mut self, id: PayoutId) -> Result<Option<(PayoutRecord, PayoutLines)>, StoreError> {
        let row: Option<PayoutRow> = query::<PayoutColumns>(
            "select id, run_id, payee_id, state, amount_minor, gross_minor, recovered_minor, gst_minor, withheld_minor, rail, reference, created_at from payout where id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        let Some(row) = row else { return Ok(None) };
        let sent =
            self.amounts("select line_id, amount_minor from payout_line where payout_id = $1 order by line_id", id)?;
        let settled = self
            .amounts("select line_id, amount_minor from payout_recovery where payout_id = $1 order by line_id", id)?;
        Ok(Some((row.restore()?, PayoutLines { sent, settled })))
    }
}
