//! Deals, their facts, transitions and handshakes: writing. `lookup` reads.

mod lookup;
mod trail_runs;

use diesel::prelude::*;
use diesel::sql_types::{
    Array, BigInt, Bool, Bytea, Date, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use domain::agreements::facts::{DealFacts, Period, Settlement};
use domain::catalogue::{ProductCode, VerticalCode};
use domain::deals::deal::{Deal, Stage, Transition};
use domain::deals::frozen::Frozen;
use domain::deals::handshake_repository::HandshakeRepository as _;
use domain::deals::repository::{DealFact, DealRepository, Handshake, HandshakeStatement, LockedDeal, SaidBalance};
use domain::kernel::ids::{AgreementId, ContactId, DealId, MemberId, OrganisationId, ProductId, VerticalId};
use domain::kernel::{Instant, Money};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{array_literal, date, digest, instant, maybe_date};
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

/// A row of `deal`, with the number of its transitions.
#[derive(Queryable)]
struct DealRow {
    id: Uuid,
    provider_id: Uuid,
    introducer_id: Uuid,
    member_id: Uuid,
    upline_id: Option<Uuid>,
    client_id: Uuid,
    product_id: Uuid,
    vertical_id: Uuid,
    stage: String,
    source_organisation_id: Uuid,
    external_ref: Option<String>,
    referred_on: jiff_diesel::Date,
    contracted_on: Option<jiff_diesel::Date>,
    settled_on: Option<jiff_diesel::Date>,
    discharged_on: Option<jiff_diesel::Date>,
    settled_minor: Option<i64>,
    offset_minor: Option<i64>,
    source_sha256: Option<Vec<u8>>,
    agreement_id: Option<Uuid>,
    version_number: Option<i32>,
    visible_to: Vec<Uuid>,
    measures: Option<String>,
    milestones: Option<String>,
    frozen: FrozenRow,
    transitions: i32,
}

/// Who stood where at the seal; no levels = it froze the direct upline alone.
type FrozenRow = (Option<Vec<Uuid>>, Option<Vec<i16>>, Option<Vec<Uuid>>, Option<String>, Option<jiff_diesel::Date>);
type FrozenColumns =
    (Nullable<Array<SqlUuid>>, Nullable<Array<SmallInt>>, Nullable<Array<SqlUuid>>, Nullable<Text>, Nullable<Date>);

type DealColumns = (
    SqlUuid,
    SqlUuid,
    SqlUuid,
    SqlUuid,
    Nullable<SqlUuid>,
    SqlUuid,
    SqlUuid,
    SqlUuid,
    Text,
    SqlUuid,
    Nullable<Text>,
    Date,
    Nullable<Date>,
    Nullable<Date>,
    Nullable<Date>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<Bytea>,
    Nullable<SqlUuid>,
    Nullable<Integer>,
    Array<SqlUuid>,
    Nullable<Text>,
    Nullable<Text>,
    FrozenColumns,
    Integer,
);

/// The columns of [`DealRow`], of a `deal d`, in its order.
macro_rules! deal_columns {
    () => {
        "d.id, d.provider_id, d.introducer_id, d.member_id, d.upline_id, d.client_id, d.product_id, d.vertical_id,
         d.stage, d.source_organisation_id, d.external_ref, d.referred_on, d.contracted_on, d.settled_on, d.discharged_on,
         d.settled_minor, d.offset_minor, d.source_sha256, d.agreement_id, d.version_number, d.visible_to,
         d.measures, d.milestones, d.upline_ids, d.own_uplines, d.participant_ids, d.cohort, d.joined_on,
         (select count(*)::int from deal_transition t where t.deal_id = d.id)"
    };
}
use deal_columns;

impl DealRow {
    fn restore(self) -> Result<Deal, StoreError> {
        let settlement = match (self.settled_on, self.settled_minor) {
            (Some(on), Some(amount)) => {
                let offset = Money::aud(self.offset_minor.unwrap_or(0));
                let measures = told(self.measures.as_deref())?;
                Some(Settlement { measures, ..Settlement::of(on.into(), Money::aud(amount), offset) })
            }
            _ => None,
        };
        let agreement = match (self.agreement_id, self.version_number) {
            (Some(id), Some(number)) => {
                Some((AgreementId::new(id), u32::try_from(number).map_err(|_| unreadable("a version number"))?))
            }
            _ => None,
        };
        Ok(Deal {
            id: DealId::new(self.id),
            provider: OrganisationId::new(self.provider_id),
            introducer: OrganisationId::new(self.introducer_id),
            member: MemberId::new(self.member_id),
            upline: self.upline_id.map(MemberId::new),
            client: ContactId::new(self.client_id),
            product: ProductId::new(self.product_id),
            vertical: VerticalId::new(self.vertical_id),
            stage: Stage::parse(&self.stage).ok_or_else(|| unreadable("a stage"))?,
            source: OrganisationId::new(self.source_organisation_id),
            external_ref: self.external_ref,
            facts: DealFacts {
                referred_on: self.referred_on.into(),
                contracted_on: self.contracted_on.map(Into::into),
                settlement,
                discharged_on: self.discharged_on.map(Into::into),
            },
            frozen: frozen(self.frozen)?,
            milestones: told(self.milestones.as_deref())?,
            source_sha256: self.source_sha256.map(|bytes| digest(&bytes)).transpose()?,
            agreement,
            visible_to: self.visible_to,
            transitions: self.transitions,
        })
    }
}

/// Reads JSON of a fact; nothing was told when there is none.
fn told<T: serde::de::DeserializeOwned + Default>(json: Option<&str>) -> Result<T, StoreError> {
    json.map_or_else(|| Ok(T::default()), |json| serde_json::from_str(json).map_err(|_| unreadable("a fact of a deal")))
}

/// Writes JSON of a fact; none when it says nothing.
fn say<T: serde::Serialize>(value: &T, is_empty: bool) -> Result<Option<String>, StoreError> {
    let json = |value| serde_json::to_string(value).map_err(|error| StoreError::Failed(error.to_string()));
    (!is_empty).then(|| json(value)).transpose()
}

fn frozen(row: FrozenRow) -> Result<Option<Frozen>, StoreError> {
    let (Some(uplines), own, participants, cohort, joined_on) = row else { return Ok(None) };
    let level = |level: i16| u8::try_from(level).map_err(|_| unreadable("a level of upline"));
    let members = |ids: Vec<Uuid>| ids.into_iter().map(MemberId::new).collect();
    Ok(Some(Frozen {
        uplines: members(uplines),
        own_uplines: own.unwrap_or_default().into_iter().map(level).collect::<Result<_, _>>()?,
        participants: members(participants.unwrap_or_default()),
        cohort,
        joined_on: joined_on.map(Into::into),
    }))
}

/// The columns of what a seal freezes, one value a deal; arrays as PostgreSQL writes them.
#[derive(Default)]
pub(crate) struct FrozenSets {
    pub(crate) upline: Vec<Option<Uuid>>,
    pub(crate) uplines: Vec<Option<String>>,
    pub(crate) own_uplines: Vec<Option<String>>,
    pub(crate) participants: Vec<Option<String>>,
    pub(crate) cohort: Vec<Option<String>>,
    pub(crate) joined_on: Vec<Option<jiff_diesel::Date>>,
}

impl FrozenSets {
    pub(crate) fn of<'f>(all: impl Iterator<Item = (Option<MemberId>, Option<&'f Frozen>)>) -> Self {
        let members = |ids: &[MemberId]| array_literal(&ids.iter().map(|id| id.uuid()).collect::<Vec<_>>());
        let mut sets = Self::default();
        for (upline, frozen) in all {
            let levels = |f: &Frozen| f.own_uplines.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
            sets.upline.push(upline.map(MemberId::uuid));
            sets.uplines.push(frozen.map(|f| members(&f.uplines)));
            sets.own_uplines.push(frozen.map(|f| format!("{{{}}}", levels(f))));
            sets.participants.push(frozen.map(|f| members(&f.participants)));
            sets.cohort.push(frozen.and_then(|f| f.cohort.clone()));
            sets.joined_on.push(maybe_date(frozen.and_then(|f| f.joined_on)));
        }
        sets
    }
}

/// What is sold, by its codes.
fn sold(product: &str, vertical: &str) -> Result<(ProductCode, VerticalCode), StoreError> {
    let product = ProductCode::parse(product).map_err(|_| unreadable("a product's code"))?;
    let vertical = VerticalCode::parse(vertical).map_err(|_| unreadable("a vertical's code"))?;
    Ok((product, vertical))
}

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
        command(
            "insert into handshake (created_at, id, deal_id, assurance) select $1, * from unnest($2::uuid[], $3::uuid[], $4::text[])",
        )
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Array<SqlUuid>, _>(handshakes.iter().map(|h| h.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(handshakes.iter().map(|h| h.deal.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(handshakes.iter().map(|h| h.assurance).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        let statements: Vec<HandshakeStatement> =
            handshakes.iter().flat_map(|h| h.statements.iter().cloned()).collect();
        self.append_statements(&statements, at)
    }
}

/// The columns that both an insert and an update write.
struct Changing<'d> {
    stage: Vec<&'static str>,
    referred_on: Vec<jiff_diesel::Date>,
    contracted_on: Vec<Option<jiff_diesel::Date>>,
    settled_on: Vec<Option<jiff_diesel::Date>>,
    discharged_on: Vec<Option<jiff_diesel::Date>>,
    settled_minor: Vec<Option<i64>>,
    offset_minor: Vec<Option<i64>>,
    source_sha256: Vec<Option<&'d [u8]>>,
    agreement_id: Vec<Option<Uuid>>,
    version_number: Vec<Option<i32>>,
    measures: Vec<Option<String>>,
    milestones: Vec<Option<String>>,
}

impl<'d> Changing<'d> {
    fn of(deals: &'d [Deal]) -> Result<Self, StoreError> {
        let settlement = |pick: fn(Settlement) -> i64| deals.iter().map(|d| d.facts.settlement.map(pick)).collect();
        let number = |d: &Deal| d.agreement.map(|(_, n)| i32::try_from(n)).transpose();
        let measures = |d: &Deal| {
            let told = d.facts.settlement.map(|s| s.measures).unwrap_or_default();
            say(&told, told.is_empty())
        };
        Ok(Self {
            measures: deals.iter().map(measures).collect::<Result<_, _>>()?,
            milestones: deals.iter().map(|d| say(&d.milestones, d.milestones.is_empty())).collect::<Result<_, _>>()?,
            stage: deals.iter().map(|d| d.stage.as_str()).collect(),
            referred_on: deals.iter().map(|d| date(d.facts.referred_on)).collect(),
            contracted_on: deals.iter().map(|d| maybe_date(d.facts.contracted_on)).collect(),
            settled_on: deals.iter().map(|d| maybe_date(d.facts.settlement.map(|s| s.on))).collect(),
            discharged_on: deals.iter().map(|d| maybe_date(d.facts.discharged_on)).collect(),
            settled_minor: settlement(|s| s.amount.minor()),
            offset_minor: settlement(|s| s.offset.minor()),
            source_sha256: deals.iter().map(|d| d.source_sha256.as_ref().map(|s| s.bytes().as_slice())).collect(),
            agreement_id: deals.iter().map(|d| d.agreement.map(|(id, _)| id.uuid())).collect(),
            version_number: deals.iter().map(number).collect::<Result<_, _>>().map_err(|_| unreadable("a version"))?,
        })
    }
}
