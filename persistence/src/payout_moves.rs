//! Payouts that move on: locked with what they sent of which line, and each step of their histories.
//!
//! Invariants: the row and the newest step say the same. Bounds: two statements to lock, one to move, for any
//! number of payouts; at most one step per payout and call.

use std::collections::BTreeMap;

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::directory::Rail;
use domain::kernel::Instant;
use domain::kernel::ids::{BankAccountId, LineId, PayeeId, PayoutId, PayoutRunId};
use domain::payouts::payout::PayoutState;
use domain::payouts::repository::{LockedPayout, PayoutStep};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{date, instant};
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};

#[derive(Queryable)]
struct LockedRow {
    id: Uuid,
    run_id: Uuid,
    payee_id: Uuid,
    state: String,
    amount_minor: i64,
    rail: String,
    bank_account_id: Uuid,
    reference: String,
    visible_to: Vec<Uuid>,
}

type LockedColumns = (SqlUuid, SqlUuid, SqlUuid, Text, BigInt, Text, SqlUuid, Text, Array<SqlUuid>);

impl LockedRow {
    fn restore(self, lines: &mut BTreeMap<Uuid, Vec<(LineId, i64)>>) -> Result<LockedPayout, StoreError> {
        Ok(LockedPayout {
            id: PayoutId::new(self.id),
            run: PayoutRunId::new(self.run_id),
            payee: PayeeId::new(self.payee_id),
            state: PayoutState::parse(&self.state).ok_or_else(|| unreadable("the state of a payout"))?,
            amount_minor: self.amount_minor,
            rail: Rail::parse(&self.rail).map_err(|_| unreadable("a rail"))?,
            bank_account: BankAccountId::new(self.bank_account_id),
            reference: self.reference,
            visible_to: self.visible_to,
            lines: lines.remove(&self.id).unwrap_or_default(),
        })
    }
}

pub fn lock(pg: &mut PgConnection, payouts: &[PayoutId]) -> Result<Vec<LockedPayout>, StoreError> {
    let ids: Vec<Uuid> = payouts.iter().map(|p| p.uuid()).collect();
    let rows: Vec<LockedRow> = query::<LockedColumns>(
        "with locked as (select * from payout where id = any($1) order by id for update)
         select p.id, p.run_id, p.payee_id, p.state, p.amount_minor, p.rail, r.bank_account_id, p.reference, p.visible_to
         from locked p join payout_run r on r.id = p.run_id order by p.id",
    )
    .bind::<Array<SqlUuid>, _>(&ids)
    .load(pg)
    .map_err(store_error)?;
    let sent: Vec<(Uuid, Uuid, i64)> = query::<(SqlUuid, SqlUuid, BigInt)>(
        "select payout_id, line_id, amount_minor from payout_line where payout_id = any($1) order by payout_id, line_id",
    )
    .bind::<Array<SqlUuid>, _>(&ids)
    .load(pg)
    .map_err(store_error)?;
    let mut lines: BTreeMap<Uuid, Vec<(LineId, i64)>> = BTreeMap::new();
    for (payout, line, amount_minor) in sent {
        lines.entry(payout).or_default().push((LineId::new(line), amount_minor));
    }
    rows.into_iter().map(|row| row.restore(&mut lines)).collect()
}

pub fn append(pg: &mut PgConnection, steps: &[PayoutStep], at: Instant) -> Result<(), StoreError> {
    command(
        "with said (at, id, state, effective_on, source_id, reason) as (
           select t.at, s.* from (select $1::timestamptz as at) t,
             unnest($2::uuid[], $3::text[], $4::date[], $5::uuid[], $6::text[]) as s (id, state, effective_on, source_id, reason)),
         moved as (update payout p set state = said.state from said where p.id = said.id)
         insert into payout_step (payout_id, n, state, at, effective_on, source_id, reason)
         select id, 1 + (select count(*) from payout_step o where o.payout_id = said.id), state, at, effective_on, source_id, reason from said",
    )
    .bind::<Timestamptz, _>(instant(at))
    .bind::<Array<SqlUuid>, _>(steps.iter().map(|s| s.payout.uuid()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(steps.iter().map(|s| s.state.code()).collect::<Vec<_>>())
    .bind::<Array<Date>, _>(steps.iter().map(|s| date(s.effective_on)).collect::<Vec<_>>())
    .bind::<Array<SqlUuid>, _>(steps.iter().map(|s| s.source).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(steps.iter().map(|s| s.reason.clone()).collect::<Vec<_>>())
    .execute(pg)
    .map_err(store_error)?;
    Ok(())
}
