//! Own accounts, payout runs, payouts.

use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Bytea, Date, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use domain::directory::{AccountNumber, BankDetails, Bsb};
use domain::kernel::Instant;
use domain::kernel::ids::{BankAccountId, LineId, PayeeId, PayoutId, PayoutRunId};
use domain::ledger::line::CommissionLine;
use domain::payouts::BankAccount;
use domain::payouts::bank_file::BankFile;
use domain::payouts::content::FrozenContent;
use domain::payouts::payout::Payout;
use domain::payouts::repository::{LockedPayout, PayeeStanding, PayoutRepository, PayoutStep, RunStep};
use domain::payouts::run::{PayoutRun, RunState, RunSummary};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{array_literal, date, instant};
use crate::error::{store_error, unreadable};
use crate::ledger::{LineColumns, line_columns};
use crate::payout_files;
use crate::payout_moves;
use crate::payout_rows::{AccountColumns, AccountRow, RunColumns, RunRow, account_columns, run_columns};
use crate::payout_standings::{self, standings};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

/// Bank details as they were stored.
pub(crate) fn bank_details(bsb: &str, account: &str, title: &str) -> Result<BankDetails, StoreError> {
    let bad = || unreadable("bank details");
    Ok(BankDetails {
        bsb: Bsb::parse(bsb).map_err(|_| bad())?,
        account: AccountNumber::parse(account).map_err(|_| bad())?,
        title: domain::directory::AbaText::parse(title).map_err(|_| bad())?,
    })
}

/// The lines of payees with something available or to be got back.
macro_rules! payable_lines {
    ($lock:literal) => {
        concat!(
            "select ",
            line_columns!(),
            " from commission_line where payee_id = any($1) and (available_minor > 0 or recoverable_minor > 0) order by id",
            $lock
        )
    };
}

impl PayoutRepository for PgUnitOfWork<'_> {
    fn insert_bank_account(&mut self, account: &BankAccount, at: Instant) -> Result<(), StoreError> {
        command(
            "insert into bank_account (id, name, bsb, account_number, account_title, bank_code, user_name, user_number, remitter, description, self_balancing, header_date, item_limit, settle_after_days, csv_profile, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15::text::jsonb, $16)",
        )
        .bind::<SqlUuid, _>(account.id.uuid())
        .bind::<Text, _>(account.name.as_str())
        .bind::<Text, _>(account.details.bsb.to_string())
        .bind::<Text, _>(account.details.account.as_str())
        .bind::<Text, _>(account.details.title.as_str())
        .bind::<Text, _>(account.bank_code.as_str())
        .bind::<Text, _>(account.user_name.as_str())
        .bind::<Text, _>(account.user_number.as_str())
        .bind::<Text, _>(account.remitter.as_str())
        .bind::<Text, _>(account.description.as_str())
        .bind::<Bool, _>(account.self_balancing)
        .bind::<Text, _>(account.header_date.code())
        .bind::<Integer, _>(i32::try_from(account.item_limit).map_err(|_| unreadable("an item limit"))?)
        .bind::<Nullable<SmallInt>, _>(account.settle_after_days.and_then(|days| i16::try_from(days).ok()))
        .bind::<Nullable<Text>, _>(csv_profile(account)?)
        .bind::<Timestamptz, _>(instant(at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn find_bank_account(&mut self, id: BankAccountId) -> Result<Option<BankAccount>, StoreError> {
        let row: Option<AccountRow> =
            query::<AccountColumns>(concat!("select ", account_columns!(), " from bank_account where id = $1"))
                .bind::<SqlUuid, _>(id.uuid())
                .get_result(self.pg)
                .optional()
                .map_err(store_error)?;
        row.map(AccountRow::restore).transpose()
    }

    fn list_payable_payees(&mut self, on: jiff::civil::Date) -> Result<Vec<PayeeId>, StoreError> {
        let ids: Vec<Uuid> = query::<SqlUuid>(
            "select payee_id from commission_line where available_minor > 0 and payable_on <= $1 and payee_id is not null
             group by payee_id order by payee_id",
        )
        .bind::<Date, _>(date(on))
        .load(self.pg)
        .map_err(store_error)?;
        Ok(ids.into_iter().map(PayeeId::new).collect())
    }

    fn list_payable_lines(&mut self, payees: &[PayeeId]) -> Result<Vec<CommissionLine>, StoreError> {
        let statement = query::<LineColumns>(payable_lines!(""));
        self.lines(statement.bind::<Array<SqlUuid>, _>(payees.iter().map(|p| p.uuid()).collect::<Vec<_>>()))
    }

    fn lock_payees(&mut self, payees: &[PayeeId], lines: &[LineId]) -> Result<(), StoreError> {
        let payees: Vec<Uuid> = payees.iter().map(|payee| payee.uuid()).collect();
        let _: i64 =
            query::<BigInt>("select count(*) from (select from payee where id = any($1) order by id for share) locked")
                .bind::<Array<SqlUuid>, _>(&payees)
                .get_result(self.pg)
                .map_err(store_error)?;
        let _: i64 = query::<BigInt>(
            "select count(*) from (
               select from commission_line where id in (
                 select unnest($1::uuid[]) union
                 select id from commission_line where payee_id = any($2) and (available_minor > 0 or recoverable_minor > 0))
               order by id for update) locked",
        )
        .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(&payees)
        .get_result(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn lock_payable_lines(&mut self, payees: &[PayeeId]) -> Result<Vec<CommissionLine>, StoreError> {
        let statement = query::<LineColumns>(payable_lines!(" for update"));
        self.lines(statement.bind::<Array<SqlUuid>, _>(payees.iter().map(|p| p.uuid()).collect::<Vec<_>>()))
    }

    fn list_standings(&mut self, payees: &[PayeeId]) -> Result<Vec<PayeeStanding>, StoreError> {
        payout_standings::list(self.pg, standings!("select * from payee where id = any($1)"), payees)
    }

    fn lock_standings(&mut self, payees: &[PayeeId]) -> Result<Vec<PayeeStanding>, StoreError> {
        payout_standings::list(
            self.pg,
            standings!("select * from payee where id = any($1) order by id for share"),
            payees,
        )
    }

    fn insert_run(&mut self, run: &PayoutRun) -> Result<(), StoreError> {
        let content = run.content.content();
        command(
            "insert into payout_run (id, bank_account_id, state, cut_off_on, content, content_sha256, total_minor, payout_count, skipped_count, created_by, created_at, version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind::<SqlUuid, _>(run.id.uuid())
        .bind::<SqlUuid, _>(run.bank_account.uuid())
        .bind::<Text, _>(run.state.code())
        .bind::<Date, _>(date(run.cut_off_on))
        .bind::<Bytea, _>(run.content.bytes())
        .bind::<Bytea, _>(run.content.sha256().bytes().as_slice())
        .bind::<BigInt, _>(content.total.0)
        .bind::<Integer, _>(count(content.payouts.len())?)
        .bind::<Integer, _>(count(content.skipped.len())?)
        .bind::<SqlUuid, _>(run.created.by)
        .bind::<Timestamptz, _>(instant(run.created.at))
        .bind::<Integer, _>(version(run.version)?)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn lock_run(&mut self, id: PayoutRunId) -> Result<Option<RunSummary>, StoreError> {
        let row: Option<RunRow> =
            query::<RunColumns>(concat!("select ", run_columns!(), " from payout_run where id = $1 for update"))
                .bind::<SqlUuid, _>(id.uuid())
                .get_result(self.pg)
                .optional()
                .map_err(store_error)?;
        row.map(|row| payout_files::restored(self.pg, row)).transpose()
    }

    fn run_content(&mut self, id: PayoutRunId) -> Result<FrozenContent, StoreError> {
        let content: Vec<u8> = query::<Bytea>("select content from payout_run where id = $1")
            .bind::<SqlUuid, _>(id.uuid())
            .get_result(self.pg)
            .map_err(store_error)?;
        FrozenContent::restore(content).map_err(|_| unreadable("the content of a payout run"))
    }

    fn update_run(&mut self, run: &PayoutRun) -> Result<(), StoreError> {
        let content = run.content.content();
        let (proposed, approved) = (run.state.proposed(), run.state.approved());
        let executed = match &run.state {
            RunState::Executed { executed, .. } => Some(*executed),
            _ => None,
        };
        // Only a run that goes back to previewed has another content than before.
        let (voided, anew) = match &run.state {
            RunState::Previewed { voided } => (voided.as_deref(), Some(run.content.bytes())),
            _ => (None, None),
        };
        let approved_sha256 = approved.map(|_| run.content.sha256());
        command(
            "update payout_run set state = $1, content = coalesce($2, content), content_sha256 = $3, total_minor = $4, payout_count = $5,
               proposed_by = $6, proposed_at = $7, approved_by = $8, approved_at = $9, approved_sha256 = $10,
               executed_by = $11, executed_at = $12, voided_reason = $13, version = $14, skipped_count = $15
             where id = $16",
        )
        .bind::<Text, _>(run.state.code())
        .bind::<Nullable<Bytea>, _>(anew)
        .bind::<Bytea, _>(run.content.sha256().bytes().as_slice())
        .bind::<BigInt, _>(content.total.0)
        .bind::<Integer, _>(count(content.payouts.len())?)
        .bind::<Nullable<SqlUuid>, _>(proposed.map(|act| act.by))
        .bind::<Nullable<Timestamptz>, _>(proposed.map(|act| instant(act.at)))
        .bind::<Nullable<SqlUuid>, _>(approved.map(|act| act.by))
        .bind::<Nullable<Timestamptz>, _>(approved.map(|act| instant(act.at)))
        .bind::<Nullable<Bytea>, _>(approved_sha256.map(|sha256| sha256.bytes().to_vec()))
        .bind::<Nullable<SqlUuid>, _>(executed.map(|act| act.by))
        .bind::<Nullable<Timestamptz>, _>(executed.map(|act| instant(act.at)))
        .bind::<Nullable<Text>, _>(voided)
        .bind::<Integer, _>(version(run.version)?)
        .bind::<Integer, _>(count(content.skipped.len())?)
        .bind::<SqlUuid, _>(run.id.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn append_files(&mut self, run: PayoutRunId, files: &[BankFile], at: Instant) -> Result<(), StoreError> {
        payout_files::append(self.pg, run, files, at)
    }

    fn append_step(&mut self, step: &RunStep) -> Result<(), StoreError> {
        command("insert into payout_run_step (run_id, n, step, actor_id, at, content_sha256, reason) values ($1, $2, $3, $4, $5, $6, $7)")
            .bind::<SqlUuid, _>(step.run.uuid())
            .bind::<Integer, _>(version(step.n)?)
            .bind::<Text, _>(step.step)
            .bind::<SqlUuid, _>(step.actor)
            .bind::<Timestamptz, _>(instant(step.at))
            .bind::<Bytea, _>(step.content_sha256.bytes().as_slice())
            .bind::<Nullable<Text>, _>(step.reason.as_deref())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn append_payouts(&mut self, payouts: &[Payout], at: Instant) -> Result<(), StoreError> {
        append_payouts(self.pg, payouts, at).map_err(store_error)?;
        let sent: Vec<(Uuid, LineId, i64)> = payouts
            .iter()
            .flat_map(|p| p.planned.lines.iter().map(|l| (p.planned.id.uuid(), l.line, l.sent.0)))
            .filter(|(_, _, sent)| *sent != 0)
            .collect();
        let settled: Vec<(Uuid, LineId, i64)> = payouts
            .iter()
            .flat_map(|p| p.planned.settled.iter().map(|s| (p.planned.id.uuid(), s.line, s.amount.0)))
            .collect();
        append_amounts(
            self.pg,
            "insert into payout_line (payout_id, line_id, amount_minor) select * from unnest($1::uuid[], $2::uuid[], $3::bigint[])",
            &sent,
        )
        .map_err(store_error)?;
        append_amounts(
            self.pg,
            "insert into payout_recovery (payout_id, line_id, amount_minor) select * from unnest($1::uuid[], $2::uuid[], $3::bigint[])",
            &settled,
        )
        .map_err(store_error)?;
        Ok(())
    }

    fn is_retried(&mut self, id: PayoutId) -> Result<bool, StoreError> {
        query::<Bool>("select exists (select from payout where retry_of = $1)")
            .bind::<SqlUuid, _>(id.uuid())
            .get_result(self.pg)
            .map_err(store_error)
    }

    fn lock_payouts(&mut self, payouts: &[PayoutId]) -> Result<Vec<LockedPayout>, StoreError> {
        payout_moves::lock(self.pg, payouts)
    }

    fn move_payouts(&mut self, steps: &[PayoutStep], at: Instant) -> Result<(), StoreError> {
        payout_moves::append(self.pg, steps, at)
    }
}

fn append_payouts(pg: &mut diesel::pg::PgConnection, payouts: &[Payout], at: Instant) -> QueryResult<usize> {
    command(
        "insert into payout (state, created_at, id, run_id, payee_id, amount_minor, gross_minor, recovered_minor, reference, bank_details_id, visible_to, gst_minor, withheld_minor, rail, stripe_account, retry_of)
         select 'in_transit', t.at, id, run_id, payee_id, amount_minor, gross_minor, recovered_minor, reference, bank_details_id, visible_to::uuid[], gst_minor, withheld_minor, rail, stripe_account, retry_of
         from (select $1::timestamptz as at) t,
           unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[], $9::uuid[], $10::text[], $11::bigint[], $12::bigint[], $13::text[], $14::text[], $15::uuid[])
           as p (id, run_id, payee_id, amount_minor, gross_minor, recovered_minor, reference, bank_details_id, visible_to, gst_minor, withheld_minor, rail, stripe_account, retry_of)",
    )
    .bind::<Timestamptz, _>(instant(at))
    .bind::<Array<SqlUuid>, _>(payouts.iter().map(|p| p.planned.id.uuid()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(payouts.iter().map(|p| p.run.uuid()).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(payouts.iter().map(|p| p.payee().uuid()).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(payouts.iter().map(|p| p.planned.net.0).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(payouts.iter().map(|p| p.planned.gross.0).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(payouts.iter().map(|p| p.planned.recovered.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(payouts.iter().map(|p| p.planned.reference.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(payouts.iter().map(|p| p.planned.bank_details.as_ref().map(|b| b.id)).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(payouts.iter().map(|p| array_literal(&p.visible_to)).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(payouts.iter().map(|p| p.planned.gst.0).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(payouts.iter().map(|p| p.planned.withheld.0).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(payouts.iter().map(|p| p.planned.rail().code()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(payouts.iter().map(|p| p.planned.stripe_account.clone()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(payouts.iter().map(|p| p.planned.retry_of.map(PayoutId::uuid)).collect::<Vec<_>>())
    .execute(pg)
}

fn append_amounts(
    pg: &mut diesel::pg::PgConnection,
    sql: &'static str,
    amounts: &[(Uuid, LineId, i64)],
) -> QueryResult<usize> {
    command(sql)
        .bind::<Array<SqlUuid>, _>(amounts.iter().map(|a| a.0).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(amounts.iter().map(|a| a.1.uuid()).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(amounts.iter().map(|a| a.2).collect::<Vec<_>>())
        .execute(pg)
}

fn csv_profile(account: &BankAccount) -> Result<Option<String>, StoreError> {
    account.csv.as_ref().map(serde_json::to_string).transpose().map_err(|_| unreadable("the profile of a CSV"))
}

fn count(number: usize) -> Result<i32, StoreError> {
    i32::try_from(number).map_err(|_| unreadable("a count out of range"))
}

fn version(number: u32) -> Result<i32, StoreError> {
    i32::try_from(number).map_err(|_| unreadable("a version out of range"))
}
