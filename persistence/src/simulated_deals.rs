//! Deals for simulations, through a cursor: one pass over narrow columns, with flat memory on either side.
//!
//! The statement is planned for all of its rows. Deals are sorted only when a simulation needs their order; where each
//! has balances, these come with it.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Integer, Nullable, SmallInt, Text, Uuid as SqlUuid};
use domain::agreements::facts::{DealFacts, Measures, Period, Settlement};
use domain::agreements::model::GoverningDate;
use domain::catalogue::{ProductCode, VerticalCode, reference};
use domain::kernel::Money;
use domain::kernel::ids::{AgreementId, DealId, MemberId, OrganisationId};
use domain::simulation::population::{
    CHUNK, Chunk, PopulationAsked, PopulationDeal, PopulationFilter, SoldProduct, Span, name_of,
};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{maybe_date, to_u64};
use crate::error::{store_error, unreadable};
use crate::statement::{Statement, command, query};

type Columns = (
    (SqlUuid, SqlUuid, SqlUuid, Nullable<SqlUuid>, Nullable<Array<SqlUuid>>, Nullable<Array<SmallInt>>),
    (Nullable<Array<SqlUuid>>, Nullable<Text>, Nullable<Date>, SqlUuid, SqlUuid),
    (Date, Nullable<Date>, Nullable<Date>, Nullable<BigInt>, Nullable<BigInt>, Nullable<Date>),
    (Nullable<Text>, Nullable<Text>, Nullable<SqlUuid>, Nullable<Integer>, Nullable<Text>),
    (Nullable<Array<Date>>, Nullable<Array<BigInt>>),
);

#[derive(Queryable)]
struct Parties {
    id: Uuid,
    product: Uuid,
    member: Uuid,
    upline: Option<Uuid>,
    uplines: Option<Vec<Uuid>>,
    own_uplines: Option<Vec<i16>>,
}

#[derive(Queryable)]
struct Others {
    participants: Option<Vec<Uuid>>,
    cohort: Option<String>,
    joined_on: Option<jiff_diesel::Date>,
    provider: Uuid,
    introducer: Uuid,
}

#[derive(Queryable)]
struct Facts {
    referred_on: jiff_diesel::Date,
    contracted_on: Option<jiff_diesel::Date>,
    settled_on: Option<jiff_diesel::Date>,
    settled_minor: Option<i64>,
    offset_minor: Option<i64>,
    discharged_on: Option<jiff_diesel::Date>,
}

#[derive(Queryable)]
struct Told {
    measures: Option<String>,
    milestones: Option<String>,
    agreement: Option<Uuid>,
    version: Option<i32>,
    external_ref: Option<String>,
}

type Row = (Parties, Others, Facts, Told, (Option<Vec<jiff_diesel::Date>>, Option<Vec<i64>>));

/// The deals of a filter; binds: vertical, product, introducer, the first and the last day of referral.
macro_rules! asked {
    ($what:expr, $order:literal) => {
        concat!(
            $what,
            " from deal d where d.vertical_id = coalesce($1, d.vertical_id) and d.product_id = coalesce($2, d.product_id)
               and d.introducer_id = coalesce($3, d.introducer_id)
               and d.referred_on >= coalesce($4, '-infinity') and d.referred_on <= coalesce($5, 'infinity')",
            $order
        )
    };
}

/// What a row is made of.
macro_rules! columns {
    ($balances:literal) => {
        concat!(
            "d.id, d.product_id, d.member_id, d.upline_id, d.upline_ids, d.own_uplines,
               d.participant_ids, d.cohort, d.joined_on, d.provider_id, d.introducer_id,
               d.referred_on, d.contracted_on, d.settled_on, d.settled_minor, d.offset_minor, d.discharged_on,
               d.measures, d.milestones, d.agreement_id, d.version_number, d.external_ref, ",
            $balances
        )
    };
}

macro_rules! cursor {
    ($balances:literal, $order:literal) => {
        asked!(concat!("declare simulation_deals no scroll cursor for select ", columns!($balances)), $order)
    };
}

macro_rules! cursors {
    ($order:literal) => {
        [
            cursor!("null::date[], null::bigint[]", $order),
            cursor!(
                "array(select b.month from deal_balance b where b.deal_id = d.id order by b.month),
                 array(select b.balance_minor from deal_balance b where b.deal_id = d.id order by b.month)",
                $order
            ),
        ]
    };
}

/// Without order, and in the order of each vertical's date; binds of the latter beside the filter: the verticals that go by
/// the contract and those that go by the settlement. The rest goes by the referral.
fn declared(asked: &PopulationAsked) -> &'static str {
    let [without, with] = if asked.order.is_empty() {
        cursors!("")
    } else {
        cursors!(
            " order by case when d.vertical_id = any($6) then d.contracted_on when d.vertical_id = any($7) then d.settled_on else d.referred_on end,
                d.source_organisation_id, d.external_ref collate \"C\" nulls first, d.id"
        )
    };
    if asked.balances { with } else { without }
}

/// The verticals that go by a date.
fn going_by(asked: &PopulationAsked, date: GoverningDate) -> Vec<Uuid> {
    let verticals = asked.order.iter().filter(|(_, by)| **by == date);
    verticals.map(|(vertical, _)| reference::vertical_id(*vertical).uuid()).collect()
}

fn filtered<'v, ST>(
    statement: Statement<'v, ST>,
    filter: &PopulationFilter,
    product: Option<Uuid>,
) -> Statement<'v, ST> {
    statement
        .bind::<Nullable<SqlUuid>, _>(filter.vertical.map(|vertical| reference::vertical_id(vertical).uuid()))
        .bind::<Nullable<SqlUuid>, _>(product)
        .bind::<Nullable<SqlUuid>, _>(filter.introducer.map(OrganisationId::uuid))
        .bind::<Nullable<Date>, _>(maybe_date(filter.referred_from))
        .bind::<Nullable<Date>, _>(maybe_date(filter.referred_until))
}

/// What is sold, and where it stands in the list.
struct Sold {
    list: Arc<[SoldProduct]>,
    places: HashMap<Uuid, u32>,
}

impl Sold {
    fn read(pg: &mut PgConnection) -> Result<Self, StoreError> {
        let rows: Vec<(Uuid, String, String)> = query::<(SqlUuid, Text, Text)>(
            "select p.id, p.code, v.code from product p join vertical v on v.id = p.vertical_id order by p.id",
        )
        .load(pg)
        .map_err(store_error)?;
        let places = (0..).zip(&rows).map(|(place, (id, ..))| (*id, place)).collect();
        let list = rows.into_iter().map(|(_, code, vertical)| {
            let code = ProductCode::parse(&code).map_err(|_| unreadable("a product's code"))?;
            let vertical = VerticalCode::parse(&vertical).map_err(|_| unreadable("a vertical's code"))?;
            Ok(SoldProduct { code, vertical })
        });
        Ok(Self { list: list.collect::<Result<_, StoreError>>()?, places })
    }

    /// The id of the product that a filter names; `Err` when there is none such.
    fn id(&self, filter: &PopulationFilter) -> Result<Option<Uuid>, NoSuchProduct> {
        let Some(code) = &filter.product else { return Ok(None) };
        let place = self.list.iter().position(|sold| sold.code == *code).ok_or(NoSuchProduct)?;
        let found = self.places.iter().find(|(_, at)| **at as usize == place);
        found.map(|(id, _)| Some(*id)).ok_or(NoSuchProduct)
    }
}

/// Nothing is sold under that code: no deals.
struct NoSuchProduct;

/// The verticals that have deals.
pub fn list_sold(pg: &mut PgConnection) -> Result<Vec<VerticalCode>, StoreError> {
    let codes: Vec<String> =
        query::<Text>("select v.code from vertical v where v.id in (select d.vertical_id from deal d) order by v.code")
            .load(pg)
            .map_err(store_error)?;
    codes.iter().map(|code| VerticalCode::parse(code).map_err(|_| unreadable("a vertical's code"))).collect()
}

/// How many deals a filter lets through.
pub fn count(pg: &mut PgConnection, filter: &PopulationFilter) -> Result<u64, StoreError> {
    let Ok(product) = Sold::read(pg)?.id(filter) else { return Ok(0) };
    let count: i64 = filtered(query::<BigInt>(asked!("select count(*)", "")), filter, product)
        .get_result(pg)
        .map_err(store_error)?;
    to_u64(count)
}

/// Gives the deals in chunks.
pub fn stream(
    pg: &mut PgConnection,
    asked: &PopulationAsked,
    take: &mut dyn FnMut(Chunk) -> bool,
) -> Result<(), StoreError> {
    let sold = Sold::read(pg)?;
    let Ok(product) = sold.id(&asked.filter) else { return Ok(()) };
    // All rows are wanted, not the first ones soon.
    command("select set_config('cursor_tuple_fraction', '1', true), set_config('work_mem', '64MB', true)")
        .execute(pg)
        .map_err(store_error)?;
    let declare = filtered(command(declared(asked)), &asked.filter, product);
    if asked.order.is_empty() {
        declare.execute(pg).map_err(store_error)?;
    } else {
        declare
            .bind::<Array<SqlUuid>, _>(going_by(asked, GoverningDate::Contracted))
            .bind::<Array<SqlUuid>, _>(going_by(asked, GoverningDate::Settled))
            .execute(pg)
            .map_err(store_error)?;
    }
    loop {
        let rows: Vec<Row> =
            query::<Columns>("fetch forward 20000 from simulation_deals").load(pg).map_err(store_error)?;
        let last = rows.len() < CHUNK as usize;
        let chunk = Filling::new(&sold, rows.len()).fill(rows)?;
        if (!chunk.deals.is_empty() && !take(chunk)) || last {
            break;
        }
    }
    command("close simulation_deals").execute(pg).map_err(store_error)?;
    Ok(())
}

/// These deals, in one chunk.
pub fn find(pg: &mut PgConnection, deals: &[DealId]) -> Result<Chunk, StoreError> {
    let sold = Sold::read(pg)?;
    let rows: Vec<Row> = query::<Columns>(concat!(
        "select ",
        columns!(
            "array(select b.month from deal_balance b where b.deal_id = d.id order by b.month),
             array(select b.balance_minor from deal_balance b where b.deal_id = d.id order by b.month)"
        ),
        " from deal d where d.id = any($1) order by d.id"
    ))
    .bind::<Array<SqlUuid>, _>(deals.iter().map(|deal| deal.uuid()).collect::<Vec<_>>())
    .load(pg)
    .map_err(store_error)?;
    Filling::new(&sold, rows.len()).fill(rows)
}

/// A chunk that is being filled.
struct Filling<'s> {
    sold: &'s Sold,
    chunk: Chunk,
    organisations: HashMap<Uuid, u32>,
    cohorts: HashMap<String, u32>,
}

fn place(list: usize) -> Result<u32, StoreError> {
    u32::try_from(list).map_err(|_| unreadable("a chunk of deals"))
}

impl<'s> Filling<'s> {
    fn new(sold: &'s Sold, deals: usize) -> Self {
        let chunk = Chunk { products: sold.list.clone(), deals: Vec::with_capacity(deals), ..Chunk::default() };
        Self { sold, chunk, organisations: HashMap::new(), cohorts: HashMap::new() }
    }

    fn fill(mut self, rows: Vec<Row>) -> Result<Chunk, StoreError> {
        for row in rows {
            self.deal(row)?;
        }
        Ok(self.chunk)
    }

    fn organisation(&mut self, id: Uuid) -> Result<u32, StoreError> {
        if let Some(place) = self.organisations.get(&id) {
            return Ok(*place);
        }
        let at = place(self.chunk.texts.len())?;
        self.chunk.texts.push(OrganisationId::new(id).to_string());
        self.organisations.insert(id, at);
        Ok(at)
    }

    fn cohort(&mut self, code: String) -> Result<u32, StoreError> {
        if let Some(place) = self.cohorts.get(&code) {
            return Ok(*place);
        }
        let at = place(self.chunk.texts.len())?;
        self.chunk.texts.push(code.clone());
        self.cohorts.insert(code, at);
        Ok(at)
    }

    fn deal(&mut self, (parties, others, facts, told, balances): Row) -> Result<(), StoreError> {
        let milestones = match told.milestones.as_deref() {
            None => None,
            Some(json) => {
                let read = serde_json::from_str(json).map_err(|_| unreadable("milestones"))?;
                self.chunk.milestones.push(read);
                Some(place(self.chunk.milestones.len() - 1)?)
            }
        };
        let measures = told.measures.as_deref().map(serde_json::from_str::<Measures>).transpose();
        let measures = measures.map_err(|_| unreadable("measures"))?.unwrap_or_default();
        let version = told.version.map(u32::try_from).transpose().map_err(|_| unreadable("a version number"))?;
        let levels =
            parties.own_uplines.unwrap_or_default().into_iter().map(u8::try_from).collect::<Result<Vec<_>, _>>();
        let levels = levels.map_err(|_| unreadable("a level of upline"))?;
        let (provider, introducer) = (self.organisation(others.provider)?, self.organisation(others.introducer)?);
        let cohort = others.cohort.map(|code| self.cohort(code)).transpose()?;
        let chunk = &mut self.chunk;
        // Deals sealed before deeper levels were frozen name their direct upline only.
        let uplines = match parties.uplines {
            Some(all) => Span::of(&mut chunk.members, all.into_iter().map(MemberId::new)),
            None => Span::of(&mut chunk.members, parties.upline.map(MemberId::new)),
        };
        let months = balances.0.unwrap_or_default().into_iter().map(|month| month.to_jiff());
        let periods = months.zip(balances.1.unwrap_or_default());
        let periods = periods.map(|(month, minor)| Period { month, balance: Money::aud(minor) });
        chunk.deals.push(PopulationDeal {
            id: DealId::new(parties.id),
            name: name_of(told.external_ref.as_deref(), DealId::new(parties.id)),
            product: *self.sold.places.get(&parties.product).ok_or_else(|| unreadable("a deal's product"))?,
            facts: restored(&facts, measures),
            member: MemberId::new(parties.member),
            uplines,
            own_uplines: Span::of(&mut chunk.levels, levels),
            participants: Span::of(
                &mut chunk.members,
                others.participants.unwrap_or_default().into_iter().map(MemberId::new),
            ),
            cohort,
            provider: Some(provider),
            introducer: Some(introducer),
            joined_on: others.joined_on.map(|on| on.to_jiff()),
            milestones,
            sealed: told.agreement.map(AgreementId::new).zip(version),
            balances: Span::of(&mut chunk.balances, periods),
        });
        Ok(())
    }
}

fn restored(facts: &Facts, measures: Measures) -> DealFacts {
    let settlement = facts.settled_on.zip(facts.settled_minor).map(|(on, minor)| Settlement {
        on: on.to_jiff(),
        amount: Money::aud(minor),
        offset: Money::aud(facts.offset_minor.unwrap_or(0)),
        measures,
    });
    DealFacts {
        referred_on: facts.referred_on.to_jiff(),
        contracted_on: facts.contracted_on.map(|on| on.to_jiff()),
        settlement,
        discharged_on: facts.discharged_on.map(|on| on.to_jiff()),
    }
}
