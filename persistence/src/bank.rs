//! Statements of our own bank accounts: documents, lines, what they are.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Date, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use domain::kernel::Digest;
use domain::kernel::ids::{BankAccountId, BankFileId, BankReturnId, BankStatementLineId, PayoutId};
use domain::payouts::BankAccount;
use domain::payouts::bank::matching::{Candidates, OpenFile, OpenPayout, OpenReturn, Target};
use domain::payouts::bank::repository::{BankRepository, DueFile, KeptLine, KeptStatement, LineMatch};
use domain::payouts::bank::statement::StatementFormat;
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{date, instant};
use crate::error::{store_error, unreadable};
use crate::payout_rows::{AccountColumns, AccountRow, account_columns};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

mod queries;
mod rows;

use rows::{LineColumns, LineRow, StatementColumns, StatementRow, statement_columns};

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

impl BankRepository for PgUnitOfWork<'_> {
    fn lock_account(&mut self, id: BankAccountId) -> Result<Option<BankAccount>, StoreError> {
        let row: Option<AccountRow> = query::<AccountColumns>(concat!(
            "select ",
            account_columns!(),
            " from bank_account where id = $1 for no key update"
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(AccountRow::restore).transpose()
    }

    fn accounts(&mut self) -> Result<Vec<BankAccount>, StoreError> {
        let rows: Vec<AccountRow> =
            query::<AccountColumns>(concat!("select ", account_columns!(), " from bank_account order by id"))
                .load(self.pg)
                .map_err(store_error)?;
        rows.into_iter().map(AccountRow::restore).collect()
    }

    fn insert_document(&mut self, sha256: Digest, format: StatementFormat, bytes: &[u8]) -> Result<bool, StoreError> {
        let inserted =
            command("insert into bank_document (sha256, format, bytes) values ($1, $2, $3) on conflict do nothing")
                .bind::<Bytea, _>(sha256.bytes().as_slice())
                .bind::<Text, _>(format.code())
                .bind::<Bytea, _>(bytes)
                .execute(self.pg)
                .map_err(store_error)?;
        Ok(inserted == 1)
    }

    fn statements_of(&mut self, sha256: Digest) -> Result<Vec<KeptStatement>, StoreError> {
        let rows: Vec<StatementRow> = query::<StatementColumns>(concat!(
            "select ",
            statement_columns!(),
            " from bank_statement s join bank_document d on d.sha256 = s.document_sha256 where s.document_sha256 = $1 order by s.n"
        ))
        .bind::<Bytea, _>(sha256.bytes().as_slice())
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(StatementRow::restore).collect()
    }

    fn append_statement(&mut self, kept: &KeptStatement, lines: &[KeptLine]) -> Result<(), StoreError> {
        command(
            "insert into bank_statement (id, bank_account_id, document_sha256, n, reference, from_on, to_on, opening_minor, closing_minor, line_count, created_by, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind::<SqlUuid, _>(kept.id.uuid())
        .bind::<SqlUuid, _>(kept.account.uuid())
        .bind::<Bytea, _>(kept.sha256.bytes().as_slice())
        .bind::<Integer, _>(count(kept.n))
        .bind::<Text, _>(kept.reference.as_str())
        .bind::<Date, _>(date(kept.from_on))
        .bind::<Date, _>(date(kept.to_on))
        .bind::<Nullable<BigInt>, _>(kept.opening_minor)
        .bind::<Nullable<BigInt>, _>(kept.closing_minor)
        .bind::<Integer, _>(count(kept.lines))
        .bind::<SqlUuid, _>(kept.created_by)
        .bind::<Timestamptz, _>(instant(kept.created_at))
        .execute(self.pg)
        .map_err(store_error)?;
        command(
            "insert into bank_statement_line (statement_id, bank_account_id, id, n, booked_on, amount_minor, text)
             select asked.*, l.* from (select $1::uuid, $2::uuid) asked,
               unnest($3::uuid[], $4::integer[], $5::date[], $6::bigint[], $7::text[]) l",
        )
        .bind::<SqlUuid, _>(kept.id.uuid())
        .bind::<SqlUuid, _>(kept.account.uuid())
        .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(lines.iter().map(|line| count(line.n)).collect::<Vec<_>>())
        .bind::<Array<Date>, _>(lines.iter().map(|line| date(line.booked_on)).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(lines.iter().map(|line| line.amount_minor).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn candidates(
        &mut self,
        account: BankAccountId,
        (first, last): (jiff::civil::Date, jiff::civil::Date),
        references: &[String],
    ) -> Result<Candidates, StoreError> {
        let files: Vec<(Uuid, jiff_diesel::Date, i64)> = query::<(SqlUuid, Date, BigInt)>(
            "select f.id, f.dated_on, f.total_minor from bank_file f join payout_run r on r.id = f.run_id
             where r.bank_account_id = $1 and f.dated_on between $2::date - 21 and $3::date
               and not exists (select from bank_line_match m where m.target_id = f.id) order by f.id",
        )
        .bind::<SqlUuid, _>(account.uuid())
        .bind::<Date, _>(date(first))
        .bind::<Date, _>(date(last))
        .load(self.pg)
        .map_err(store_error)?;
        let payouts: Vec<(Uuid, String, i64)> = query::<(SqlUuid, Text, BigInt)>(
            "select p.id, p.reference, p.amount_minor from payout p join payout_run r on r.id = p.run_id
             where p.reference = any($1) and p.rail = 'aba' and r.bank_account_id = $2
               and not exists (select from bank_line_match m where m.target_id = p.id)
               and not exists (select from bank_return_item i join bank_line_match m on m.target_id = i.return_id where i.payout_id = p.id)
             order by p.id",
        )
        .bind::<Array<Text>, _>(references)
        .bind::<SqlUuid, _>(account.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        let returns: Vec<(Uuid, jiff_diesel::Date, i64, Vec<Uuid>)> = query::<(SqlUuid, Date, BigInt, Array<SqlUuid>)>(
            "select b.id, max(i.returned_on), b.matched_minor, array_agg(p.id) from bank_return b join bank_return_item i on i.return_id = b.id
               join payout p on p.id = i.payout_id join payout_run r on r.id = p.run_id
             where r.bank_account_id = $1 and i.returned_on between $2::date - 21 and $3::date + 21
               and not exists (select from bank_line_match m where m.target_id = b.id)
               and not exists (select from bank_return_item o join bank_line_match m on m.target_id = o.payout_id where o.return_id = b.id)
             group by b.id order by b.id",
        )
        .bind::<SqlUuid, _>(account.uuid())
        .bind::<Date, _>(date(first))
        .bind::<Date, _>(date(last))
        .load(self.pg)
        .map_err(store_error)?;
        Ok(Candidates {
            files: files
                .into_iter()
                .map(|(id, dated, total_minor)| OpenFile {
                    id: BankFileId::new(id),
                    dated_on: dated.into(),
                    total_minor,
                })
                .collect(),
            payouts: payouts
                .into_iter()
                .map(|(id, reference, amount_minor)| OpenPayout { id: PayoutId::new(id), reference, amount_minor })
                .collect(),
            returns: returns
                .into_iter()
                .map(|(id, returned, matched_minor, payouts)| OpenReturn {
                    id: BankReturnId::new(id),
                    returned_on: returned.into(),
                    matched_minor,
                    payouts: payouts.into_iter().map(PayoutId::new).collect(),
                })
                .collect(),
        })
    }

    fn payouts_of(&mut self, files: &[BankFileId]) -> Result<Vec<(BankFileId, PayoutId)>, StoreError> {
        let rows: Vec<(Uuid, Uuid)> = query::<(SqlUuid, SqlUuid)>(
            "select file_id, payout_id from bank_file_payout where file_id = any($1) order by payout_id",
        )
        .bind::<Array<SqlUuid>, _>(files.iter().map(|file| file.uuid()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        Ok(rows.into_iter().map(|(file, payout)| (BankFileId::new(file), PayoutId::new(payout))).collect())
    }

    fn append_matches(&mut self, matches: &[LineMatch]) -> Result<(), StoreError> {
        let kind = |m: &LineMatch| m.target.map_or("explained", Target::kind);
        let target = |m: &LineMatch| m.target.map_or(m.line.uuid(), Target::uuid);
        command(
            "insert into bank_line_match (line_id, kind, target_id, matched_by, at, reason)
             select * from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::text[])",
        )
        .bind::<Array<SqlUuid>, _>(matches.iter().map(|m| m.line.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(matches.iter().map(kind).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(matches.iter().map(target).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(matches.iter().map(|m| m.by).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(matches.iter().map(|m| instant(m.at)).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(matches.iter().map(|m| m.reason.clone()).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn find_line(&mut self, id: BankStatementLineId) -> Result<Option<KeptLine>, StoreError> {
        // One after the other with everything else that is matched for the account.
        command(
            "select 1 from bank_account where id = (select bank_account_id from bank_statement_line where id = $1) for no key update",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        let rows: Vec<LineRow> = query::<LineColumns>(
            "select id, statement_id, bank_account_id, n, booked_on, amount_minor, text from bank_statement_line where id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        Ok(rows::matched(self.pg, rows)?.pop())
    }

    fn file_total(&mut self, account: BankAccountId, file: BankFileId) -> Result<Option<i64>, StoreError> {
        query::<BigInt>(
            "select f.total_minor from bank_file f join payout_run r on r.id = f.run_id where f.id = $1 and r.bank_account_id = $2",
        )
        .bind::<SqlUuid, _>(file.uuid())
        .bind::<SqlUuid, _>(account.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)
    }

    fn payout_amount(&mut self, account: BankAccountId, payout: PayoutId) -> Result<Option<i64>, StoreError> {
        query::<BigInt>(
            "select p.amount_minor from payout p join payout_run r on r.id = p.run_id where p.id = $1 and r.bank_account_id = $2 and p.rail = 'aba'
               and not exists (select from bank_return_item i join bank_line_match m on m.target_id = i.return_id where i.payout_id = p.id)",
        )
        .bind::<SqlUuid, _>(payout.uuid())
        .bind::<SqlUuid, _>(account.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)
    }

    fn due_files(&mut self, on: jiff::civil::Date, limit: u32) -> Result<Vec<DueFile>, StoreError> {
        let rows: Vec<(Uuid, jiff_diesel::Date, i16)> = query::<(SqlUuid, Date, SmallInt)>(
            "select f.id, f.dated_on, a.settle_after_days from bank_file f join payout_run r on r.id = f.run_id
               join bank_account a on a.id = r.bank_account_id
             where a.settle_after_days is not null and f.dated_on + a.settle_after_days < $1
               and exists (select from bank_file_payout i join payout p on p.id = i.payout_id where i.file_id = f.id and p.state = 'in_transit')
             order by f.dated_on, f.id limit $2",
        )
        .bind::<Date, _>(date(on))
        .bind::<BigInt, _>(i64::from(limit))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter()
            .map(|(id, dated, days)| {
                let after_days = u16::try_from(days).map_err(|_| unreadable("a number of days"))?;
                Ok(DueFile { id: BankFileId::new(id), dated_on: dated.into(), after_days })
            })
            .collect()
    }
}
