//! Items: what the lines of deals add up to, and what steps and write-offs settled of it.

use diesel::RunQueryDsl;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Text, Uuid as SqlUuid};
use domain::kernel::ids::{DealId, OrganisationId};
use domain::provider_statements::overdue::Due;
use domain::provider_statements::{Item, ItemKey, Side};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::date;
use crate::error::{store_error, unreadable};
use crate::statement::{Statement, command, query};
use crate::store::PgUnitOfWork;

type ItemColumns = (SqlUuid, Nullable<Date>, Text, BigInt, BigInt, BigInt, Nullable<Date>);
type ItemRow = (Uuid, Option<jiff_diesel::Date>, String, i64, i64, i64, Option<jiff_diesel::Date>);

/// Items of the lines under one condition (over `l` and `d`), under another (over all columns).
macro_rules! items {
    ($of:literal, $more:literal) => {
        concat!(
            "select deal_id, period, side, expected, received, written_off, due_on from (
               select i.deal_id, i.period, i.side, i.expected, coalesce(r.received, 0) as received, coalesce(w.written_off, 0) as written_off,
                 sum(i.expected - coalesce(r.received, 0) - coalesce(w.written_off, 0)) over (partition by i.deal_id, i.period) as net,
                 case i.side when 'earned' then coalesce((i.period + interval '1 month' - interval '1 day')::date, i.settled_on) else i.discharged_on end as due_on
               from (
                 select l.deal_id, l.period, s.side, d.settled_on, d.discharged_on, sum(s.minor)::bigint as expected
                 from deal d join commission_line l on l.deal_id = d.id
                 cross join lateral (values ('earned', l.earned_minor), ('clawed_back', -l.clawed_back_minor)) s (side, minor)
                 where ", $of, " group by l.deal_id, l.period, s.side, d.settled_on, d.discharged_on) i
               left join lateral (
                 select sum(applied_minor)::bigint as received from provider_line_step p
                 where p.deal_id = i.deal_id and p.period is not distinct from i.period and p.side = i.side) r on true
               left join lateral (
                 select sum(amount_minor)::bigint as written_off from write_off w
                 where w.state = 'approved' and w.deal_id = i.deal_id and w.period is not distinct from i.period and i.side = 'earned') w on true
             ) item where ", $more, " order by deal_id, period nulls first, side"
        )
    };
}

fn restored(rows: Vec<ItemRow>) -> Result<Vec<Item>, StoreError> {
    rows.into_iter()
        .map(|(deal, period, side, expected_minor, received_minor, written_off_minor, due_on)| {
            let side = Side::parse(&side).ok_or_else(|| unreadable("the side of an item"))?;
            let key = ItemKey { deal: DealId::new(deal), period: period.map(Into::into), side };
            Ok(Item { key, expected_minor, received_minor, written_off_minor, due_on: due_on.map(Into::into) })
        })
        .collect()
}

fn uuids(deals: &[DealId]) -> Vec<Uuid> {
    deals.iter().map(|deal| deal.uuid()).collect()
}

impl PgUnitOfWork<'_> {
    fn items(&mut self, statement: Statement<'_, ItemColumns>) -> Result<Vec<Item>, StoreError> {
        restored(statement.load(self.pg).map_err(store_error)?)
    }

    pub(super) fn items_of(&mut self, deals: &[DealId]) -> Result<Vec<Item>, StoreError> {
        if deals.is_empty() {
            return Ok(Vec::new());
        }
        command("select id from deal where id = any($1) order by id for update")
            .bind::<Array<SqlUuid>, _>(uuids(deals))
            .execute(self.pg)
            .map_err(store_error)?;
        self.items(query(items!("l.deal_id = any($1)", "true")).bind::<Array<SqlUuid>, _>(uuids(deals)))
    }

    pub(super) fn deals_called(
        &mut self,
        provider: OrganisationId,
        references: &[String],
    ) -> Result<Vec<(String, DealId)>, StoreError> {
        let rows: Vec<(String, Uuid)> = query::<(Text, SqlUuid)>(
            "select external_ref, id from deal where provider_id = $1 and external_ref = any($2) order by external_ref, id",
        )
        .bind::<SqlUuid, _>(provider.uuid())
        .bind::<Array<Text>, _>(references)
        .load(self.pg)
        .map_err(store_error)?;
        Ok(rows.into_iter().map(|(reference, deal)| (reference, DealId::new(deal))).collect())
    }

    pub(super) fn deals_with_open(
        &mut self,
        provider: OrganisationId,
        amounts: &[i64],
    ) -> Result<Vec<DealId>, StoreError> {
        let items: Vec<ItemRow> =
            query::<ItemColumns>(items!("d.provider_id = $1", "expected - received - written_off = any($2)"))
                .bind::<SqlUuid, _>(provider.uuid())
                .bind::<Array<BigInt>, _>(amounts)
                .load(self.pg)
                .map_err(store_error)?;
        let mut deals: Vec<DealId> = items.into_iter().map(|row| DealId::new(row.0)).collect();
        deals.dedup();
        Ok(deals)
    }

    pub(super) fn unpaid(&mut self, provider: OrganisationId, due: &Due) -> Result<Vec<Item>, StoreError> {
        let statement = query::<ItemColumns>(items!(
            "d.provider_id = $1",
            "expected <> written_off and received = 0
             and not exists (select from provider_line_step p where p.deal_id = item.deal_id and p.period is not distinct from item.period and p.side = item.side)
             and ((side = 'earned' and net > 0 and period is null and $2 and due_on between $3 and $4)
               or (side = 'earned' and net > 0 and period between $5 and $6 and $7)
               or (side = 'clawed_back' and net < 0 and $8 and due_on between $9 and $10))"
        ))
        .bind::<SqlUuid, _>(provider.uuid())
        .bind::<Bool, _>(due.upfront)
        .bind::<Date, _>(date(due.from))
        .bind::<Date, _>(date(due.to))
        .bind::<Date, _>(date(due.first_month))
        .bind::<Date, _>(date(due.last_month))
        .bind::<Bool, _>(due.trail)
        .bind::<Bool, _>(due.clawback)
        .bind::<Date, _>(date(due.from))
        .bind::<Date, _>(date(due.to));
        self.items(statement)
    }

    pub(super) fn stopped(&mut self, provider: OrganisationId, due: &Due) -> Result<Vec<DealId>, StoreError> {
        let rows: Vec<Uuid> = query::<SqlUuid>(
            "with asked (month, month_end) as (select m, (m + interval '1 month' - interval '1 day')::date from (select $1::date) x (m))
             select d.id from deal d cross join asked
             where d.provider_id = $2 and d.settled_on is not null and coalesce(d.discharged_on > month_end, true)
               and exists (select from provider_line_step p where p.deal_id = d.id and p.side = 'earned' and p.period < month and p.applied_minor > 0)
               and not exists (select from provider_line_step p where p.deal_id = d.id and p.side = 'earned' and p.period = month and p.applied_minor > 0)
             order by d.id",
        )
        .bind::<Date, _>(date(due.last_month))
        .bind::<SqlUuid, _>(provider.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        Ok(rows.into_iter().map(DealId::new).collect())
    }
}
