//! Own accounts, payout runs, payouts, to look up: under row-level security, page by page.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bytea, Date, Integer, Nullable, Text, Uuid as SqlUuid};
use domain::directory::Rail;
use domain::kernel::ids::{BankAccountId, LineId, PayeeId, PayoutId, PayoutRunId};
use domain::kernel::{Page, PageRequest};
use domain::payouts::BankAccount;
use domain::payouts::bank_file::RunFile;
use domain::payouts::payout::PayoutState;
use domain::payouts::repository::{PayoutFilter, PayoutLines, PayoutQueries, PayoutRecord};
use domain::payouts::run::RunSummary;
use domain::payouts::sla::DayCount;
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{date, to_u64};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, listed};
use crate::payout_files;
use crate::payout_rows::{
    AccountColumns, AccountRow, PayoutColumns, PayoutRow, RunColumns, RunRow, account_columns, payout_columns,
    run_columns,
};
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
    fn find_bank_account(&mut self, id: BankAccountId) -> Result<Option<BankAccount>, StoreError> {
        let row: Option<AccountRow> =
            query::<AccountColumns>(concat!("select ", account_columns!(), " from bank_account where id = $1"))
                .bind::<SqlUuid, _>(id.uuid())
                .get_result(self.pg)
                .optional()
                .map_err(store_error)?;
        row.map(AccountRow::restore).transpose()
    }

    fn list_bank_accounts(&mut self, request: &PageRequest) -> Result<Page<BankAccount>, StoreError> {
        let paging = Paging::newest_first(request);
        let rows: Vec<AccountRow> = query::<AccountColumns>(listed!(
            paging.order,
            concat!("select ", account_columns!(), " from bank_account where "),
            "id", at "created_at", ""
        ))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, request, AccountRow::restore, |account| account.id.uuid())
    }

    fn list_runs(&mut self, state: Option<&str>, request: &PageRequest) -> Result<Page<RunSummary>, StoreError> {
        let paging = Paging::newest_first(request);
        let rows: Vec<RunRow> = query::<RunColumns>(listed!(
            paging.order,
            concat!("select ", run_columns!(), " from payout_run where "),
            "id", at "created_at", " and state = coalesce($4, state)"
        ))
        .after_id(paging)?
        .between(paging)
        .bind::<Nullable<Text>, _>(state)
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        let files = payout_files::of_runs(self.pg, &rows.iter().map(RunRow::id).collect::<Vec<_>>())?;
        let restore = |row: RunRow| {
            let own = files.get(&row.id()).cloned().unwrap_or_default();
            row.restore(own)
        };
        by_id(rows, request, restore, |run| run.id.uuid())
    }

    fn find_run(&mut self, id: PayoutRunId) -> Result<Option<RunSummary>, StoreError> {
        let row: Option<RunRow> =
            query::<RunColumns>(concat!("select ", run_columns!(), " from payout_run where id = $1"))
                .bind::<SqlUuid, _>(id.uuid())
                .get_result(self.pg)
                .optional()
                .map_err(store_error)?;
        row.map(|row| payout_files::restored(self.pg, row)).transpose()
    }

    fn find_content(&mut self, id: PayoutRunId) -> Result<Option<Vec<u8>>, StoreError> {
        query::<Bytea>("select content from payout_run where id = $1")
            .bind::<SqlUuid, _>(id.uuid())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)
    }

    fn list_files(&mut self, id: PayoutRunId) -> Result<Vec<RunFile>, StoreError> {
        Ok(payout_files::of_runs(self.pg, &[id.uuid()])?.remove(&id.uuid()).unwrap_or_default())
    }

    fn find_file(&mut self, id: PayoutRunId, n: u32) -> Result<Option<Vec<u8>>, StoreError> {
        query::<Bytea>("select bytes from bank_file where run_id = $1 and n = $2")
            .bind::<SqlUuid, _>(id.uuid())
            .bind::<Integer, _>(i32::try_from(n).unwrap_or(i32::MAX))
            .get_result(self.pg)
            .optional()
            .map_err(store_error)
    }

    fn sla_counts(&mut self, since: jiff::civil::Date) -> Result<Vec<DayCount>, StoreError> {
        type Columns = (Text, Date, Text, Nullable<Date>, BigInt, SqlUuid);
        type Row = (String, jiff_diesel::Date, String, Option<jiff_diesel::Date>, i64, Uuid);
        let rows: Vec<Row> = query::<Columns>(
            "select rail, sent_on, state, ended_on, count(*), (array_agg(id order by id))[1] from (
               select p.id, p.rail, (p.created_at at time zone 'Australia/Sydney')::date as sent_on, p.state,
                 case when p.state in ('settled', 'returned') then (select s.effective_on from payout_step s where s.payout_id = p.id order by s.n desc limit 1) end as ended_on
               from payout p where p.created_at >= $1::date or p.state in ('in_transit', 'waiting_for_funds', 'unknown')) counted
             group by rail, sent_on, state, ended_on order by rail, sent_on, state, ended_on",
        )
        .bind::<Date, _>(date(since))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter()
            .map(|(rail, sent_on, state, ended_on, payouts, first)| {
                Ok(DayCount {
                    rail: Rail::parse(&rail).map_err(|_| unreadable("a rail"))?,
                    sent_on: sent_on.into(),
                    state: PayoutState::parse(&state).ok_or_else(|| unreadable("the state of a payout"))?,
                    ended_on: ended_on.map(Into::into),
                    payouts: to_u64(payouts)?,
                    first: PayoutId::new(first),
                })
            })
            .collect()
    }

    fn list_payouts(&mut self, filter: &PayoutFilter, request: &PageRequest) -> Result<Page<PayoutRecord>, StoreError> {
        let paging = Paging::newest_first(request);
        let rows: Vec<PayoutRow> = query::<PayoutColumns>(listed!(
            paging.order,
            concat!(
                "with asked as (select $1::uuid as run_id, $2::uuid as payee_id, $3::text as state) select ",
                payout_columns!(),
                " from payout p, asked where (asked.run_id is null or p.run_id = asked.run_id) and (asked.payee_id is null or p.payee_id = asked.payee_id)
                   and (asked.state is null or p.state = asked.state) and "
            ),
            "p.id", at "p.created_at", ""
        ))
        .bind::<Nullable<SqlUuid>, _>(filter.run.map(PayoutRunId::uuid))
        .bind::<Nullable<SqlUuid>, _>(filter.payee.map(PayeeId::uuid))
        .bind::<Nullable<Text>, _>(filter.state.map(PayoutState::code))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, request, PayoutRow::restore, |payout| payout.id.uuid())
    }

    fn find_payout(&mut self, id: PayoutId) -> Result<Option<(PayoutRecord, PayoutLines)>, StoreError> {
        let row: Option<PayoutRow> =
            query::<PayoutColumns>(concat!("select ", payout_columns!(), " from payout p where p.id = $1"))
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
