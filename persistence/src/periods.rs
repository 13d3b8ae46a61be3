//! Accounting periods.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bytea, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::kernel::Cents;
use domain::kernel::Digest;
use domain::ledger::manual::Act;
use domain::ledger::period::{
    FrozenBalance, FrozenRow, Month, Period, PeriodQueries, PeriodRepository, PeriodState, PeriodStep,
};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{date, from_instant, instant, maybe_date};
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

type ActColumns = (Nullable<SqlUuid>, Nullable<Timestamptz>);
type ActRow = (Option<Uuid>, Option<jiff_diesel::Timestamp>);

type PeriodColumns = (Date, Text, Nullable<Bytea>, Nullable<Text>, ActColumns, ActColumns, ActColumns, Integer);

#[derive(Queryable)]
struct PeriodRow {
    month: jiff_diesel::Date,
    state: String,
    content: Option<Vec<u8>>,
    reason: Option<String>,
    proposed: ActRow,
    decided: ActRow,
    asked: ActRow,
    version: i32,
}

macro_rules! period_columns {
    () => {
        "month, state, content, reason, proposed_by, proposed_at, decided_by, decided_at, asked_by, asked_at, version"
    };
}

fn act((by, at): ActRow) -> Result<Act, StoreError> {
    match (by, at) {
        (Some(by), Some(at)) => Ok(Act { by, at: from_instant(at) }),
        (Some(_) | None, _) => Err(unreadable("who decided on a period")),
    }
}

impl PeriodRow {
    fn restore(self) -> Result<Period, StoreError> {
        let content = |bytes: Option<Vec<u8>>| {
            let bytes = bytes.ok_or_else(|| unreadable("the balance of a period"))?;
            FrozenBalance::restore(bytes).map_err(|_| unreadable("the balance of a period"))
        };
        let state = match self.state.as_str() {
            "open" => PeriodState::Open,
            "closing" => PeriodState::Closing { proposed: act(self.proposed)?, content: content(self.content)? },
            "closed" => PeriodState::Closed {
                proposed: act(self.proposed)?,
                approved: act(self.decided)?,
                content: content(self.content)?,
            },
            "reopening" => PeriodState::Reopening {
                proposed: act(self.proposed)?,
                approved: act(self.decided)?,
                asked: act(self.asked)?,
                content: content(self.content)?,
            },
            _ => return Err(unreadable("the state of a period")),
        };
        let version = u32::try_from(self.version).map_err(|_| unreadable("a version"))?;
        Ok(Period { month: Month::of(self.month.into()), state, reason: self.reason, version })
    }
}

impl PeriodRepository for PgUnitOfWork<'_> {
    fn find_closed_through(&mut self) -> Result<Option<jiff::civil::Date>, StoreError> {
        let closed: Option<jiff_diesel::Date> = query::<Nullable<Date>>("select closed_through_on from ledger_head")
            .get_result(self.pg)
            .map_err(store_error)?;
        Ok(closed.map(Into::into))
    }

    fn lock_period(&mut self, month: Month) -> Result<Option<Period>, StoreError> {
        let row: Option<PeriodRow> = query::<PeriodColumns>(concat!(
            "select ",
            period_columns!(),
            " from accounting_period where month = $1 for update"
        ))
        .bind::<Date, _>(date(month.first()))
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(PeriodRow::restore).transpose()
    }

    fn balance_on(&mut self, on: jiff::civil::Date) -> Result<Vec<FrozenRow>, StoreError> {
        let rows: Vec<(String, i64, i64, i64, Vec<u8>)> = query::<(Text, BigInt, BigInt, BigInt, Bytea)>(
            "with balance as (
               select a.id, a.kind, sum(p.amount_minor)::bigint as minor
               from ledger_posting p join ledger_account a on a.id = p.account_id join ledger_entry e on e.seq = p.entry_seq
               where e.effective_on <= $1 group by a.id having sum(p.amount_minor) <> 0)
             select kind, count(*), coalesce(sum(minor) filter (where minor > 0), 0)::bigint, coalesce(-sum(minor) filter (where minor < 0), 0)::bigint,
               sha256(convert_to(string_agg(id::text || ' ' || minor::text, E'\\n' order by id), 'UTF8'))
             from balance group by kind order by kind",
        )
        .bind::<Date, _>(date(on))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter()
            .map(|(kind, accounts, debit_minor, credit_minor, sha256)| {
                Ok(FrozenRow {
                    accounts: u32::try_from(accounts).map_err(|_| unreadable("a count"))?,
                    accounts_sha256: Digest::from_slice(&sha256).ok_or_else(|| unreadable("a digest"))?,
                    credit: Cents(credit_minor),
                    debit: Cents(debit_minor),
                    kind,
                })
            })
            .collect()
    }

    fn save_period(
        &mut self,
        period: &Period,
        step: &PeriodStep,
        closed: Option<jiff::civil::Date>,
    ) -> Result<(), StoreError> {
        let content = period.state.content();
        let (proposed, decided, asked) = (period.state.proposed(), period.state.approved(), period.state.asked());
        let version = i32::try_from(period.version).map_err(|_| unreadable("a version"))?;
        command(
            "insert into accounting_period (id, month, state, content, content_sha256, reason, proposed_by, proposed_at, decided_by, decided_at, asked_by, asked_at, version)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             on conflict (id) do update set state = excluded.state, content = excluded.content, content_sha256 = excluded.content_sha256, reason = excluded.reason,
               proposed_by = excluded.proposed_by, proposed_at = excluded.proposed_at, decided_by = excluded.decided_by, decided_at = excluded.decided_at,
               asked_by = excluded.asked_by, asked_at = excluded.asked_at, version = excluded.version",
        )
        .bind::<SqlUuid, _>(period.month.id().uuid())
        .bind::<Date, _>(date(period.month.first()))
        .bind::<Text, _>(period.state.code())
        .bind::<Nullable<Bytea>, _>(content.map(FrozenBalance::bytes))
        .bind::<Nullable<Bytea>, _>(content.map(|content| content.sha256().bytes().to_vec()))
        .bind::<Nullable<Text>, _>(period.reason.as_deref())
        .bind::<Nullable<SqlUuid>, _>(proposed.map(|act| act.by))
        .bind::<Nullable<Timestamptz>, _>(proposed.map(|act| instant(act.at)))
        .bind::<Nullable<SqlUuid>, _>(decided.map(|act| act.by))
        .bind::<Nullable<Timestamptz>, _>(decided.map(|act| instant(act.at)))
        .bind::<Nullable<SqlUuid>, _>(asked.map(|act| act.by))
        .bind::<Nullable<Timestamptz>, _>(asked.map(|act| instant(act.at)))
        .bind::<Integer, _>(version)
        .execute(self.pg)
        .map_err(store_error)?;
        command(
            "insert into accounting_period_step (period_id, n, step, actor_id, at, content_sha256, last_seq, reason)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind::<SqlUuid, _>(period.month.id().uuid())
        .bind::<Integer, _>(version)
        .bind::<Text, _>(step.turn.as_str())
        .bind::<SqlUuid, _>(step.by)
        .bind::<Timestamptz, _>(instant(step.at))
        .bind::<Nullable<Bytea>, _>(content.map(|content| content.sha256().bytes().to_vec()))
        .bind::<BigInt, _>(step.last_seq)
        .bind::<Nullable<Text>, _>(step.reason.as_deref())
        .execute(self.pg)
        .map_err(store_error)?;
        command("update ledger_head set closed_through_on = $1")
            .bind::<Nullable<Date>, _>(maybe_date(closed))
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }
}

impl PeriodQueries for PgQueries<'_> {
    fn list_periods(&mut self) -> Result<Vec<Period>, StoreError> {
        let rows: Vec<PeriodRow> = query::<PeriodColumns>(concat!(
            "select ",
            period_columns!(),
            " from accounting_period order by month desc"
        ))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(PeriodRow::restore).collect()
    }
}
