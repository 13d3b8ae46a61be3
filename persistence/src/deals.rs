//! Deals, their facts, transitions and handshakes: writing. `rows` restores them, `lookup` reads, `trail_runs` are runs.

mod lookup;
mod rows;
mod trail_runs;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::agreements::facts::Period;
use domain::deals::deal::{Deal, Stage, Transition};
use domain::deals::handshake_repository::HandshakeRepository as _;
use domain::deals::repository::{
    DealFact, DealRepository, Handshake, HandshakeStatement, Hop, LockedDeal, SaidBalance,
};
use domain::kernel::ids::{DealId, OrganisationId};
use domain::kernel::{Instant, Money};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{array_literal, date, instant};
use crate::error::store_error;
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;
pub(crate) use rows::FrozenSets;
use rows::{Changing, DealColumns, DealRow, deal_columns, sold};

impl DealRepository for PgUnitOfWork<'_> {
    fn lock_by_external_refs(&mut self, source: OrganisationId, refs: &[String]) -> Result<Vec<Deal>, StoreError> {
        let rows: Vec<DealRow> = query::<DealColumns>(concat!(
            "select ",
            deal_columns!(),
            " from deal d where d.source_organisation_id = $1 and d.external_ref = any($2) order by d.id for update of d"
        ))
        .bind::<SqlUuid, _>(source.uuid())
        .bind::<Array<Text>, _>(refs)
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(DealRow::restore).collect()
    }

    fn lock(&mut self, deals: &[DealId]) -> Result<Vec<LockedDeal>, StoreError> {
        let rows: Vec<(DealRow, (String, String, bool))> = query::<(DealColumns, (Text, Text, Bool))>(concat!(
            "select ",
            deal_columns!(),
            ", p.code, v.code, coalesce((select true from handshake h join handshake_statement s on s.handshake_id = h.id and s.kind = 'seal' where h.deal_id = d.id limit 1), false)
             from deal d join product p on p.id = d.product_id join vertical v on v.id = p.vertical_id
             where d.id = any($1) order by d.id for update of d"
        ))
        .bind::<Array<SqlUuid>, _>(deals.iter().map(|d| d.uuid()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter()
            .map(|(row, (product, vertical, sealed))| {
                let (product, vertical) = sold(&product, &vertical)?;
                Ok(LockedDeal { deal: row.restore()?, product, vertical, sealed })
            })
            .collect()
    }

    fn insert(&mut self, deals: &[Deal], at: Instant) -> Result<(), StoreError> {
        if deals.is_empty() {
            return Ok(());
        }
        let columns = Changing::of(deals)?;
        let parties = FrozenSets::of(deals.iter().map(|d| (d.upline, d.frozen.as_ref())));
        let ids = |pick: fn(&Deal) -> Uuid| deals.iter().map(pick).collect::<Vec<_>>();
        command(
            "insert into deal (created_at, updated_at, id, provider_id, introducer_id, member_id, upline_id, client_id, product_id, vertical_id,
               source_organisation_id, external_ref, visible_to,
               stage, referred_on, contracted_on, settled_on, discharged_on, settled_minor, offset_minor, source_sha256, agreement_id, version_number,
               measures, milestones, upline_ids, own_uplines, participant_ids, cohort, joined_on)
             select now, now, id, provider_id, introducer_id, member_id, upline_id, client_id, product_id, vertical_id,
               source_id, external_ref, visible_to::uuid[],
               stage, referred_on, contracted_on, settled_on, discharged_on, settled_minor, offset_minor, source_sha256, agreement_id, version_number,
               measures, milestones, upline_ids::uuid[], own_uplines::smallint[], participant_ids::uuid[], cohort, joined_on
             from (select $1::timestamptz as now) t,
             unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[], $9::uuid[], $10::uuid[], $11::text[], $12::text[],
               $13::text[], $14::date[], $15::date[], $16::date[], $17::date[], $18::bigint[], $19::bigint[], $20::bytea[], $21::uuid[], $22::int[],
               $23::text[], $24::text[], $25::text[], $26::text[], $27::text[], $28::text[], $29::date[])
               as d (id, provider_id, introducer_id, member_id, upline_id, client_id, product_id, vertical_id, source_id, external_ref, visible_to,
               stage, referred_on, contracted_on, settled_on, discharged_on, settled_minor, offset_minor, source_sha256, agreement_id, version_number,
               measures, milestones, upline_ids, own_uplines, participant_ids, cohort, joined_on)",
        )
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Array<SqlUuid>, _>(ids(|d| d.id.uuid()))
        .bind::<Array<SqlUuid>, _>(ids(|d| d.provider.uuid()))
        .bind::<Array<SqlUuid>, _>(ids(|d| d.introducer.uuid()))
        .bind::<Array<SqlUuid>, _>(ids(|d| d.member.uuid()))
        .bind::<Array<Nullable<SqlUuid>>, _>(parties.upline)
        .bind::<Array<SqlUuid>, _>(ids(|d| d.client.uuid()))
        .bind::<Array<SqlUuid>, _>(ids(|d| d.product.uuid()))
        .bind::<Array<SqlUuid>, _>(ids(|d| d.vertical.uuid()))
        .bind::<Array<SqlUuid>, _>(ids(|d| d.source.uuid()))
        .bind::<Array<Nullable<Text>>, _>(deals.iter().map(|d| d.external_ref.clone()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(deals.iter().map(|d| array_literal(&d.visible_to)).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(columns.stage)
        .bind::<Array<Date>, _>(columns.referred_on)
        .bind::<Array<Nullable<Date>>, _>(columns.contracted_on)
        .bind::<Array<Nullable<Date>>, _>(columns.settled_on)
        .bind::<Array<Nullable<Date>>, _>(columns.discharged_on)
        .bind::<Array<Nullable<BigInt>>, _>(columns.settled_minor)
        .bind::<Array<Nullable<BigInt>>, _>(columns.offset_minor)
        .bind::<Array<Nullable<Bytea>>, _>(columns.source_sha256)
        .bind::<Array<Nullable<SqlUuid>>, _>(columns.agreement_id)
        .bind::<Array<Nullable<Integer>>, _>(columns.version_number)
        .bind::<Array<Nullable<Text>>, _>(columns.measures)
        .bind::<Array<Nullable<Text>>, _>(columns.milestones)
        .bind::<Array<Nullable<Text>>, _>(parties.uplines)
        .bind::<Array<Nullable<Text>>, _>(parties.own_uplines)
        .bind::<Array<Nullable<Text>>, _>(parties.participants)
        .bind::<Array<Nullable<Text>>, _>(parties.cohort)
        .bind::<Array<Nullable<Date>>, _>(parties.joined_on)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn update(&mut self, deals: &[Deal], at: Instant) -> Result<(), StoreError> {
        if deals.is_empty() {
            return Ok(());
        }
        let columns = Changing::of(deals)?;
        command(
            "update deal set updated_at = $1, version = deal.version + 1, stage = d.stage, referred_on = d.referred_on,
               contracted_on = d.contracted_on, settled_on = d.settled_on, discharged_on = d.discharged_on,
               settled_minor = d.settled_minor, offset_minor = d.offset_minor, source_sha256 = d.source_sha256,
               agreement_id = d.agreement_id, version_number = d.version_number, measures = d.measures, milestones = d.milestones
             from unnest($2::uuid[], $3::text[], $4::date[], $5::date[], $6::date[], $7::date[], $8::bigint[], $9::bigint[], $10::bytea[], $11::uuid[], $12::int[],
               $13::text[], $14::text[])
               as d (id, stage, referred_on, contracted_on, settled_on, discharged_on, settled_minor, offset_minor, source_sha256, agreement_id, version_number,
               measures, milestones)
             where deal.id = d.id",
        )
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Array<SqlUuid>, _>(deals.iter().map(|d| d.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(columns.stage)
        .bind::<Array<Date>, _>(columns.referred_on)
        .bind::<Array<Nullable<Date>>, _>(columns.contracted_on)
        .bind::<Array<Nullable<Date>>, _>(columns.settled_on)
        .bind::<Array<Nullable<Date>>, _>(columns.discharged_on)
        .bind::<Array<Nullable<BigInt>>, _>(columns.settled_minor)
        .bind::<Array<Nullable<BigInt>>, _>(columns.offset_minor)
        .bind::<Array<Nullable<Bytea>>, _>(columns.source_sha256)
        .bind::<Array<Nullable<SqlUuid>>, _>(columns.agreement_id)
        .bind::<Array<Nullable<Integer>>, _>(columns.version_number)
        .bind::<Array<Nullable<Text>>, _>(columns.measures)
        .bind::<Array<Nullable<Text>>, _>(columns.milestones)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn list_balances(&mut self, deals: &[DealId]) -> Result<Vec<(DealId, Period)>, StoreError> {
        let rows: Vec<(Uuid, jiff_diesel::Date, i64)> = query::<(SqlUuid, Date, BigInt)>(
            "select deal_id, month, balance_minor from deal_balance where deal_id = any($1) order by deal_id, month",
        )
        .bind::<Array<SqlUuid>, _>(deals.iter().map(|d| d.uuid()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        let period = |(deal, month, minor): (Uuid, jiff_diesel::Date, i64)| {
            (DealId::new(deal), Period { month: month.into(), balance: Money::aud(minor) })
        };
        Ok(rows.into_iter().map(period).collect())
    }

    fn update_balances(&mut self, balances: &[SaidBalance], at: Instant) -> Result<(), StoreError> {
        if balances.is_empty() {
            return Ok(());
        }
        command(
            "insert into deal_balance (known_at, deal_id, month, balance_minor, fact_id)
             select $1, * from unnest($2::uuid[], $3::date[], $4::bigint[], $5::uuid[])
             on conflict (deal_id, month) do update set balance_minor = excluded.balance_minor, fact_id = excluded.fact_id,
               known_at = excluded.known_at",
        )
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Array<SqlUuid>, _>(balances.iter().map(|b| b.deal.uuid()).collect::<Vec<_>>())
        .bind::<Array<Date>, _>(balances.iter().map(|b| date(b.period.month)).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(balances.iter().map(|b| b.period.balance.minor()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(balances.iter().map(|b| b.fact).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn append_facts(&mut self, facts: &[DealFact]) -> Result<(), StoreError> {
        let Some(first) = facts.first() else { return Ok(()) };
        command(
            "insert into deal_fact (known_at, id, deal_id, kind, body, body_sha256, occurred_on, source_organisation_id, import_id)
             select $1, id, deal_id, kind, body, sha256(body), occurred_on, source_id, import_id
             from unnest($2::uuid[], $3::uuid[], $4::text[], $5::bytea[], $6::date[], $7::uuid[], $8::uuid[])
               as f (id, deal_id, kind, body, occurred_on, source_id, import_id)",
        )
        .bind::<Timestamptz, _>(instant(first.known_at))
        .bind::<Array<SqlUuid>, _>(facts.iter().map(|f| f.id).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(facts.iter().map(|f| f.deal.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(facts.iter().map(|f| f.kind).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(facts.iter().map(|f| f.body.as_slice()).collect::<Vec<_>>())
        .bind::<Array<Date>, _>(facts.iter().map(|f| date(f.occurred_on)).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(facts.iter().map(|f| f.source.uuid()).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(facts.iter().map(|f| f.import.map(|i| i.uuid())).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn append_transitions(&mut self, transitions: &[Transition]) -> Result<(), StoreError> {
        let Some(first) = transitions.first() else { return Ok(()) };
        command(
            "insert into deal_transition (known_at, deal_id, n, from_stage, to_stage, reason, occurred_on, actor_id)
             select $1, * from unnest($2::uuid[], $3::int[], $4::text[], $5::text[], $6::text[], $7::date[], $8::uuid[])",
        )
        .bind::<Timestamptz, _>(instant(first.known_at))
        .bind::<Array<SqlUuid>, _>(transitions.iter().map(|t| t.deal.uuid()).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(transitions.iter().map(|t| t.n).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(transitions.iter().map(|t| t.from.map(Stage::as_str)).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(transitions.iter().map(|t| t.to.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(transitions.iter().map(|t| t.reason).collect::<Vec<_>>())
        .bind::<Array<Date>, _>(transitions.iter().map(|t| date(t.occurred_on)).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(transitions.iter().map(|t| t.actor).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn append_handshakes(&mut self, handshakes: &[Handshake], at: Instant) -> Result<(), StoreError> {
        if handshakes.is_empty() {
            return Ok(());
        }
        let hop = |part: &dyn Fn(&Hop) -> Uuid| -> Vec<Option<Uuid>> {
            handshakes.iter().map(|h| h.hop.as_ref().map(part)).collect()
        };
        command(
            "insert into handshake (created_at, id, deal_id, assurance, hop, previous_id, from_organisation_id, to_organisation_id)
             select $1, * from unnest($2::uuid[], $3::uuid[], $4::text[], $5::int[], $6::uuid[], $7::uuid[], $8::uuid[])",
        )
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Array<SqlUuid>, _>(handshakes.iter().map(|h| h.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(handshakes.iter().map(|h| h.deal.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(handshakes.iter().map(|h| h.assurance).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(handshakes.iter().map(|h| h.hop.map_or(0, |hop| hop.n)).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(hop(&|hop| hop.previous.uuid()))
        .bind::<Array<Nullable<SqlUuid>>, _>(hop(&|hop| hop.from.uuid()))
        .bind::<Array<Nullable<SqlUuid>>, _>(hop(&|hop| hop.to.uuid()))
        .execute(self.pg)
        .map_err(store_error)?;
        let statements: Vec<HandshakeStatement> =
            handshakes.iter().flat_map(|h| h.statements.iter().cloned()).collect();
        self.append_statements(&statements, at)
    }
}
