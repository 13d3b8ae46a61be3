//! Running totals and limits around deals.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Text, Uuid as SqlUuid};
use domain::agreements::facts::{CounterKey, Standing};
use domain::agreements::replay::DealOrder;
use domain::deals::recalculate::repository::{CounterPlace, CounterRepository, CounterScope, DealCounter};
use domain::kernel::ids::{AgreementId, DealId};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::date;
use crate::error::{store_error, unreadable};
use crate::statement::{Statement, command, query};
use crate::store::PgUnitOfWork;

type CounterColumns =
    (SqlUuid, Text, SqlUuid, Text, Date, Date, SqlUuid, Text, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt);

/// A row of `deal_counter`.
#[derive(Queryable)]
struct CounterRow {
    deal_id: Uuid,
    counter: String,
    agreement_id: Uuid,
    scope: String,
    window_from: jiff_diesel::Date,
    governing_on: jiff_diesel::Date,
    source_id: Uuid,
    external_ref: String,
    before_total: i64,
    before_paid: i64,
    before_awards: i64,
    after_total: i64,
    after_paid: i64,
    after_awards: i64,
}

/// The columns of [`CounterRow`], in its order.
macro_rules! counter_columns {
    () => {
        "deal_id, counter, agreement_id, scope, window_from, governing_on, source_id, external_ref,
         before_total, before_paid, before_awards, after_total, after_paid, after_awards"
    };
}

impl CounterRow {
    fn restore(self) -> DealCounter {
        let key = CounterKey { counter: self.counter, scope: self.scope, window_from: self.window_from.into() };
        DealCounter {
            scope: CounterScope { agreement: AgreementId::new(self.agreement_id), key },
            order: DealOrder {
                governing_on: self.governing_on.into(),
                source: self.source_id,
                external_ref: Some(self.external_ref).filter(|name| !name.is_empty()),
                deal: self.deal_id,
            },
            before: Standing { total: self.before_total, paid: self.before_paid, awards: self.before_awards },
            after: Standing { total: self.after_total, paid: self.after_paid, awards: self.after_awards },
        }
    }
}

/// Scopes and orders, column by column.
struct Places<'p> {
    agreement_id: Vec<Uuid>,
    counter: Vec<&'p str>,
    scope: Vec<&'p str>,
    window_from: Vec<jiff_diesel::Date>,
    governing_on: Vec<jiff_diesel::Date>,
    source_id: Vec<Uuid>,
    external_ref: Vec<&'p str>,
    deal_id: Vec<Uuid>,
}

impl<'p> Places<'p> {
    fn of(places: impl Iterator<Item = (&'p CounterScope, &'p DealOrder)> + Clone) -> Self {
        let scopes = || places.clone().map(|(scope, _)| scope);
        let orders = || places.clone().map(|(_, order)| order);
        Self {
            agreement_id: scopes().map(|s| s.agreement.uuid()).collect(),
            counter: scopes().map(|s| s.key.counter.as_str()).collect(),
            scope: scopes().map(|s| s.key.scope.as_str()).collect(),
            window_from: scopes().map(|s| date(s.key.window_from)).collect(),
            governing_on: orders().map(|o| date(o.governing_on)).collect(),
            source_id: orders().map(|o| o.source).collect(),
            external_ref: orders().map(|o| o.external_ref.as_deref().unwrap_or_default()).collect(),
            deal_id: orders().map(|o| o.deal).collect(),
        }
    }

    /// Binds the eight placeholders of `unnest`.
    fn bind<ST>(self, statement: Statement<'p, ST>) -> Statement<'p, ST> {
        statement
            .bind::<Array<SqlUuid>, _>(self.agreement_id)
            .bind::<Array<Text>, _>(self.counter)
            .bind::<Array<Text>, _>(self.scope)
            .bind::<Array<Date>, _>(self.window_from)
            .bind::<Array<Date>, _>(self.governing_on)
            .bind::<Array<SqlUuid>, _>(self.source_id)
            .bind::<Array<Text>, _>(self.external_ref)
            .bind::<Array<SqlUuid>, _>(self.deal_id)
    }
}

fn places(places: &[CounterPlace]) -> Places<'_> {
    Places::of(places.iter().map(|place| (&place.scope, &place.order)))
}

impl CounterRepository for PgUnitOfWork<'_> {
    fn lock_counters(&mut self, agreements: &[AgreementId]) -> Result<(), StoreError> {
        let ids: Vec<Uuid> = agreements.iter().map(|agreement| agreement.uuid()).collect();
        let lock = |pg: &mut PgConnection| {
            query::<SqlUuid>(
                "select agreement_id from counter_lock where agreement_id = any($1) order by agreement_id for update",
            )
            .bind::<Array<SqlUuid>, _>(ids.as_slice())
            .load::<Uuid>(pg)
            .map_err(store_error)
        };
        if lock(self.pg)?.len() == ids.len() {
            return Ok(());
        }
        command("insert into counter_lock (agreement_id) select unnest($1::uuid[]) order by 1 on conflict do nothing")
            .bind::<Array<SqlUuid>, _>(ids.as_slice())
            .execute(self.pg)
            .map_err(store_error)?;
        lock(self.pg).map(|_| ())
    }

    fn list_counters(&mut self, deals: &[DealId]) -> Result<Vec<DealCounter>, StoreError> {
        let rows: Vec<CounterRow> = query::<CounterColumns>(concat!(
            "select ",
            counter_columns!(),
            " from deal_counter where deal_id = any($1) order by deal_id, counter"
        ))
        .bind::<Array<SqlUuid>, _>(deals.iter().map(|deal| deal.uuid()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        Ok(rows.into_iter().map(CounterRow::restore).collect())
    }

    fn find_standings(&mut self, before: &[CounterPlace]) -> Result<Vec<Standing>, StoreError> {
        let statement = query::<(BigInt, BigInt, BigInt)>(
            "select coalesce(c.after_total, 0), coalesce(c.after_paid, 0), coalesce(c.after_awards, 0)
             from unnest($1::uuid[], $2::text[], $3::text[], $4::date[], $5::date[], $6::uuid[], $7::text[], $8::uuid[])
               with ordinality as p (agreement_id, counter, scope, window_from, governing_on, source_id, external_ref, deal_id, n)
             left join lateral (
               select after_total, after_paid, after_awards from deal_counter d
               where d.agreement_id = p.agreement_id and d.counter = p.counter and d.scope = p.scope and d.window_from = p.window_from
                 and (d.governing_on, d.source_id, d.external_ref, d.deal_id) < (p.governing_on, p.source_id, p.external_ref, p.deal_id)
               order by d.governing_on desc, d.source_id desc, d.external_ref desc, d.deal_id desc limit 1) c on true
             order by p.n",
        );
        let rows: Vec<(i64, i64, i64)> = places(before).bind(statement).load(self.pg).map_err(store_error)?;
        if rows.len() != before.len() {
            return Err(unreadable("where counters stand"));
        }
        Ok(rows.into_iter().map(|(total, paid, awards)| Standing { total, paid, awards }).collect())
    }

    fn list_counters_from(&mut self, from: &[CounterPlace], limit: u32) -> Result<Vec<DealCounter>, StoreError> {
        let statement = query::<CounterColumns>(concat!(
            "select ",
            counter_columns!(),
            " from deal_counter where deal_id in (
               select d.deal_id
               from unnest($1::uuid[], $2::text[], $3::text[], $4::date[], $5::date[], $6::uuid[], $7::text[], $8::uuid[])
                 as p (agreement_id, counter, scope, window_from, governing_on, source_id, external_ref, deal_id)
               join deal_counter d on d.agreement_id = p.agreement_id and d.counter = p.counter and d.scope = p.scope and d.window_from = p.window_from
                 and (d.governing_on, d.source_id, d.external_ref, d.deal_id) >= (p.governing_on, p.source_id, p.external_ref, p.deal_id))
             limit $9"
        ));
        let statement = places(from).bind(statement).bind::<BigInt, _>(i64::from(limit));
        let rows: Vec<CounterRow> = statement.load(self.pg).map_err(store_error)?;
        Ok(rows.into_iter().map(CounterRow::restore).collect())
    }

    fn save_counters(&mut self, gone: &[DealId], rows: &[DealCounter]) -> Result<(), StoreError> {
        if !gone.is_empty() {
            command("delete from deal_counter where deal_id = any($1)")
                .bind::<Array<SqlUuid>, _>(gone.iter().map(|deal| deal.uuid()).collect::<Vec<_>>())
                .execute(self.pg)
                .map_err(store_error)?;
        }
        if rows.is_empty() {
            return Ok(());
        }
        let statement = command(
            "insert into deal_counter (agreement_id, counter, scope, window_from, governing_on, source_id, external_ref, deal_id,
               before_total, before_paid, before_awards, after_total, after_paid, after_awards)
             select * from unnest($1::uuid[], $2::text[], $3::text[], $4::date[], $5::date[], $6::uuid[], $7::text[], $8::uuid[],
               $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])
             on conflict (deal_id, counter) do update set agreement_id = excluded.agreement_id, scope = excluded.scope,
               window_from = excluded.window_from, governing_on = excluded.governing_on, source_id = excluded.source_id,
               external_ref = excluded.external_ref, before_total = excluded.before_total, before_paid = excluded.before_paid,
               before_awards = excluded.before_awards, after_total = excluded.after_total, after_paid = excluded.after_paid,
               after_awards = excluded.after_awards",
        );
        let numbers = |pick: fn(&DealCounter) -> i64| rows.iter().map(pick).collect::<Vec<_>>();
        Places::of(rows.iter().map(|row| (&row.scope, &row.order)))
            .bind(statement)
            .bind::<Array<BigInt>, _>(numbers(|row| row.before.total))
            .bind::<Array<BigInt>, _>(numbers(|row| row.before.paid))
            .bind::<Array<BigInt>, _>(numbers(|row| row.before.awards))
            .bind::<Array<BigInt>, _>(numbers(|row| row.after.total))
            .bind::<Array<BigInt>, _>(numbers(|row| row.after.paid))
            .bind::<Array<BigInt>, _>(numbers(|row| row.after.awards))
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }
}
