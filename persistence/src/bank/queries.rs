//! Bank statements, to look up: under row-level security, page by page.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date, Nullable, Uuid as SqlUuid};
use domain::kernel::ids::{BankAccountId, BankStatementId};
use domain::kernel::{Page, PageRequest};
use domain::payouts::bank::repository::{BankQueries, KeptLine, KeptStatement, Standing};
use domain::store::StoreError;
use uuid::Uuid;

use super::rows::{self, LineColumns, LineRow, StatementColumns, StatementRow, statement_columns};
use crate::bind::{date, to_u64};
use crate::error::store_error;
use crate::page::{Paging, by_id, by_number, listed};
use crate::statement::query;
use crate::store::PgQueries;

impl PgQueries<'_> {
    /// The newest statement with a closing balance, of each account, up to a date.
    fn newest(&mut self, on: jiff::civil::Date) -> Result<BTreeMap<Uuid, KeptStatement>, StoreError> {
        let rows: Vec<StatementRow> = query::<StatementColumns>(concat!(
            "select distinct on (s.bank_account_id) ",
            statement_columns!(),
            " from bank_statement s join bank_document d on d.sha256 = s.document_sha256
             where s.closing_minor is not null and s.to_on <= $1 order by s.bank_account_id, s.to_on desc, s.id desc"
        ))
        .bind::<Date, _>(date(on))
        .load(self.pg)
        .map_err(store_error)?;
        let restored = rows.into_iter().map(StatementRow::restore).collect::<Result<Vec<_>, _>>()?;
        Ok(restored.into_iter().map(|statement| (statement.account.uuid(), statement)).collect())
    }

    fn standing(
        &mut self,
        account: Uuid,
        statement: Option<KeptStatement>,
        on: jiff::civil::Date,
    ) -> Result<Standing, StoreError> {
        let day = statement.as_ref().map_or(on, |statement| statement.to_on);
        type Figures = (BigInt, BigInt, BigInt, BigInt, BigInt, BigInt);
        let (ledger_minor, payouts_minor, matched_minor, unmatched_minor, unmatched, gaps): (i64, i64, i64, i64, i64, i64) =
            query::<Figures>(
                "with asked (id, day) as (select $1::uuid, $2::date),
                 cash as (select p.amount_minor, e.kind from asked join ledger_account a on a.kind = 'cash' and a.party_id = asked.id
                   join ledger_posting p on p.account_id = a.id join ledger_entry e on e.seq = p.entry_seq where e.effective_on <= asked.day),
                 line as (select l.amount_minor,
                     exists (select from bank_line_match m where m.line_id = l.id and m.kind <> 'explained') as matched,
                     exists (select from bank_line_match m where m.line_id = l.id and m.kind = 'explained') as explained
                   from asked join bank_statement_line l on l.bank_account_id = asked.id and l.booked_on <= asked.day),
                 chain as (select s.opening_minor, lag(s.closing_minor) over (order by s.to_on, s.from_on, s.id) as before
                   from asked join bank_statement s on s.bank_account_id = asked.id and s.to_on <= asked.day)
                 select (select coalesce(sum(amount_minor), 0)::bigint from cash),
                   (select coalesce(sum(amount_minor), 0)::bigint from cash where kind in ('payout_settled', 'payout_returned')),
                   (select coalesce(sum(amount_minor), 0)::bigint from line where matched),
                   (select coalesce(sum(amount_minor), 0)::bigint from line where not matched and not explained),
                   (select count(*) from line where not matched and not explained),
                   (select count(*) from chain where opening_minor <> before)",
            )
            .bind::<SqlUuid, _>(account)
            .bind::<Date, _>(date(day))
            .get_result(self.pg)
            .map_err(store_error)?;
        Ok(Standing {
            account: BankAccountId::new(account),
            statement,
            ledger_minor,
            payouts_minor,
            matched_minor,
            unmatched_minor,
            unmatched: to_u64(unmatched)?,
            gaps: to_u64(gaps)?,
        })
    }
}

impl BankQueries for PgQueries<'_> {
    fn list_statements(
        &mut self,
        account: Option<BankAccountId>,
        page: &PageRequest,
    ) -> Result<Page<KeptStatement>, StoreError> {
        let paging = Paging::newest_first(page);
        let rows: Vec<StatementRow> = query::<StatementColumns>(listed!(
            paging.order,
            concat!(
                "with asked (account) as (select $1::uuid) select ",
                statement_columns!(),
                " from bank_statement s join bank_document d on d.sha256 = s.document_sha256, asked
                 where (asked.account is null or s.bank_account_id = asked.account) and "
            ),
            "s.id", at "s.created_at", ""
        ))
        .bind::<Nullable<SqlUuid>, _>(account.map(BankAccountId::uuid))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, StatementRow::restore, |statement| statement.id.uuid())
    }

    fn find_statement(&mut self, id: BankStatementId) -> Result<Option<KeptStatement>, StoreError> {
        let row: Option<StatementRow> = query::<StatementColumns>(concat!(
            "select ",
            statement_columns!(),
            " from bank_statement s join bank_document d on d.sha256 = s.document_sha256 where s.id = $1"
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(StatementRow::restore).transpose()
    }

    fn list_lines(&mut self, id: BankStatementId, page: &PageRequest) -> Result<Page<KeptLine>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<LineRow> = query::<LineColumns>(listed!(
            paging.order,
            "with asked (statement) as (select $1::uuid)
             select l.id, l.statement_id, l.bank_account_id, l.n, l.booked_on, l.amount_minor, l.text
             from asked join bank_statement_line l on l.statement_id = asked.statement where ",
            "l.n",
            ""
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .after_number(paging)?
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        let lines = rows::matched(self.pg, rows)?;
        by_number(lines, page, Ok, |line| i64::from(line.n))
    }

    fn standings(
        &mut self,
        account: Option<BankAccountId>,
        on: jiff::civil::Date,
    ) -> Result<Vec<Standing>, StoreError> {
        let ids: Vec<Uuid> = query::<SqlUuid>(
            "with asked (id) as (select $1::uuid) select a.id from bank_account a, asked where asked.id is null or a.id = asked.id order by a.id",
        )
        .bind::<Nullable<SqlUuid>, _>(account.map(BankAccountId::uuid))
        .load(self.pg)
        .map_err(store_error)?;
        let mut newest = self.newest(on)?;
        // One question for each of our own accounts: they are few.
        ids.into_iter()
            .map(|id| {
                let statement = newest.remove(&id);
                self.standing(id, statement, on)
            })
            .collect()
    }

    fn unmatched(
        &mut self,
        account: Option<BankAccountId>,
        on: jiff::civil::Date,
        limit: u32,
    ) -> Result<Vec<KeptLine>, StoreError> {
        let rows: Vec<LineRow> = query::<LineColumns>(
            "with asked (account, day) as (select $1::uuid, $2::date)
             select l.id, l.statement_id, l.bank_account_id, l.n, l.booked_on, l.amount_minor, l.text
             from bank_statement_line l, asked
             where l.booked_on <= asked.day and (asked.account is null or l.bank_account_id = asked.account)
               and not exists (select from bank_line_match m where m.line_id = l.id) order by l.booked_on, l.id limit $3",
        )
        .bind::<Nullable<SqlUuid>, _>(account.map(BankAccountId::uuid))
        .bind::<Date, _>(date(on))
        .bind::<BigInt, _>(i64::from(limit))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(|row| row.restore(Vec::new())).collect()
    }
}
