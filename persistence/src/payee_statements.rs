//! Statements of payees over a period, under row-level security: sums over the payee's own postings.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::kernel::ids::{DealId, EntryId, LineId, PayeeId};
use domain::kernel::{Page, PageRequest};
use domain::ledger::entry::EntryKind;
use domain::ledger::statement::{Days, Movement, MovementSum, PayeeBuckets, PayeeStatementQueries, StatementEntry};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{date, from_instant};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, listed};
use crate::statement::query;
use crate::store::PgQueries;

/// Accrued, held, available, in transit, recoverable.
type BucketColumns = (BigInt, BigInt, BigInt, BigInt, BigInt);
type BucketRow = (i64, i64, i64, i64, i64);

const fn buckets(row: BucketRow) -> PayeeBuckets {
    PayeeBuckets {
        accrued_minor: row.0,
        held_minor: row.1,
        available_minor: row.2,
        in_transit_minor: row.3,
        recoverable_minor: row.4,
    }
}

/// The buckets as sums over the postings `p` of accounts `a`.
macro_rules! bucket_sums {
    () => {
        "coalesce(-sum(p.amount_minor) filter (where a.kind = 'payee_accrued'), 0)::bigint, coalesce(-sum(p.amount_minor) filter (where a.kind = 'payee_held'), 0)::bigint,
         coalesce(-sum(p.amount_minor) filter (where a.kind = 'payee_available'), 0)::bigint, coalesce(-sum(p.amount_minor) filter (where a.kind = 'payee_in_transit'), 0)::bigint,
         coalesce(sum(p.amount_minor) filter (where a.kind = 'clawback_recoverable'), 0)::bigint"
    };
}

/// The accounts `a` of the payee that is asked for, found by the index of what an account is.
macro_rules! own_accounts {
    () => {
        "a.kind in ('payee_accrued', 'payee_held', 'payee_available', 'payee_in_transit', 'clawback_recoverable')
           and coalesce(a.party_id, '00000000-0000-0000-0000-000000000000') = asked.payee_id"
    };
}

#[derive(Queryable)]
struct SumRow {
    before: bool,
    kind: String,
    entries: i64,
    debit_minor: i64,
    credit_minor: i64,
    change: BucketRow,
}

type SumColumns = (Bool, Text, BigInt, BigInt, BigInt, BucketColumns);

#[derive(Queryable)]
struct EntryRow {
    seq: i64,
    id: Uuid,
    kind: String,
    effective_on: jiff_diesel::Date,
    moved_from_on: Option<jiff_diesel::Date>,
    recorded_at: jiff_diesel::Timestamp,
    deal_id: Option<Uuid>,
    source_id: Uuid,
    lines: Vec<Uuid>,
    change: BucketRow,
}

type EntryColumns = (
    BigInt,
    SqlUuid,
    Text,
    Date,
    Nullable<Date>,
    Timestamptz,
    Nullable<SqlUuid>,
    SqlUuid,
    Array<SqlUuid>,
    BucketColumns,
);

fn kind(text: &str) -> Result<EntryKind, StoreError> {
    EntryKind::parse(text).ok_or_else(|| unreadable("the kind of an entry"))
}

impl EntryRow {
    fn restore(self) -> Result<StatementEntry, StoreError> {
        Ok(StatementEntry {
            seq: self.seq,
            entry: EntryId::new(self.id),
            kind: kind(&self.kind)?,
            effective_on: self.effective_on.into(),
            moved_from: self.moved_from_on.map(Into::into),
            recorded_at: from_instant(self.recorded_at),
            deal: self.deal_id.map(DealId::new),
            source: self.source_id,
            lines: self.lines.into_iter().map(LineId::new).collect(),
            change: buckets(self.change),
        })
    }
}

/// Adds the sums of one kind of entry to those of its movement.
fn add(movements: &mut Vec<MovementSum>, row: &SumRow) -> Result<(), StoreError> {
    let movement = Movement::of(kind(&row.kind)?, row.debit_minor > 0);
    let moved_minor = row.debit_minor.max(row.credit_minor);
    match movements.iter_mut().find(|sum| sum.movement == movement) {
        Some(sum) => {
            sum.entries += row.entries;
            sum.moved_minor += moved_minor;
            sum.change = sum.change.plus(buckets(row.change));
        }
        None => {
            movements.push(MovementSum { movement, entries: row.entries, moved_minor, change: buckets(row.change) });
        }
    }
    Ok(())
}

impl PayeeStatementQueries for PgQueries<'_> {
    fn payee_movements(&mut self, payee: PayeeId, days: Days) -> Result<(PayeeBuckets, Vec<MovementSum>), StoreError> {
        let rows: Vec<SumRow> = query::<SumColumns>(concat!(
            "with asked as (select $1::uuid as payee_id, $2::date as from_on, $3::date as to_on)
             select e.effective_on < asked.from_on, case when e.effective_on < asked.from_on then '' else e.kind end, count(distinct e.seq),
               coalesce(sum(p.amount_minor) filter (where p.amount_minor > 0), 0)::bigint, coalesce(-sum(p.amount_minor) filter (where p.amount_minor < 0), 0)::bigint, ",
            bucket_sums!(),
            " from asked join ledger_account a on ",
            own_accounts!(),
            " join ledger_posting p on p.account_id = a.id join ledger_entry e on e.seq = p.entry_seq
             where e.effective_on <= asked.to_on group by 1, 2, e.kind = 'assignment' and p.amount_minor > 0"
        ))
        .bind::<SqlUuid, _>(payee.uuid())
        .bind::<Date, _>(date(days.from))
        .bind::<Date, _>(date(days.to))
        .load(self.pg)
        .map_err(store_error)?;
        let mut opening = PayeeBuckets::default();
        let mut movements = Vec::new();
        for row in &rows {
            if row.before {
                opening = opening.plus(buckets(row.change));
            } else {
                add(&mut movements, row)?;
            }
        }
        movements.sort_unstable_by_key(|sum| sum.movement);
        Ok((opening, movements))
    }

    fn payee_entries(
        &mut self,
        payee: PayeeId,
        days: Days,
        request: &PageRequest,
    ) -> Result<Page<StatementEntry>, StoreError> {
        let paging = Paging::oldest_first(request);
        let rows: Vec<EntryRow> = query::<EntryColumns>(listed!(
            paging.order,
            concat!(
                "with asked as (select $1::uuid as payee_id, $2::date as from_on, $3::date as to_on)
                 select e.seq, e.id, e.kind, e.effective_on, e.moved_from_on, e.recorded_at, e.deal_id, e.source_id,
                   coalesce(array_agg(distinct p.line_id) filter (where p.line_id is not null), '{}'), ",
                bucket_sums!(),
                " from asked join ledger_account a on ",
                own_accounts!(),
                " join ledger_posting p on p.account_id = a.id join ledger_entry e on e.seq = p.entry_seq
                 where e.effective_on between asked.from_on and asked.to_on and "
            ),
            "e.seq",
            " group by e.seq"
        ))
        .bind::<SqlUuid, _>(payee.uuid())
        .bind::<Date, _>(date(days.from))
        .bind::<Date, _>(date(days.to))
        .after_number(paging)?
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        let entries = rows.into_iter().map(EntryRow::restore).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(entries, request.limit, |entry| entry.seq.to_be_bytes().to_vec()))
    }
}
