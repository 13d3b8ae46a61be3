//! The yardstick of reads: Diesel's own query builder, its statement cache and pool; the same columns and
//! joins as the API's select, nothing beside them.

use diesel::prelude::*;
use diesel::r2d2::ConnectionManager;
use uuid::Uuid;

diesel::table! {
    deal (id) {
        id -> Uuid,
        provider_id -> Uuid,
        introducer_id -> Uuid,
        member_id -> Uuid,
        upline_id -> Nullable<Uuid>,
        client_id -> Uuid,
        product_id -> Uuid,
        vertical_id -> Uuid,
        stage -> Text,
        external_ref -> Nullable<Text>,
        referred_on -> Date,
        contracted_on -> Nullable<Date>,
        settled_on -> Nullable<Date>,
        discharged_on -> Nullable<Date>,
        settled_minor -> Nullable<BigInt>,
        offset_minor -> Nullable<BigInt>,
        agreement_id -> Nullable<Uuid>,
        version_number -> Nullable<Integer>,
        created_at -> Timestamptz,
        updated_at -> Timestamptz,
        version -> Integer,
    }
}

diesel::table! {
    product (id) { id -> Uuid, code -> Text, }
}

diesel::table! {
    vertical (id) { id -> Uuid, code -> Text, }
}

diesel::table! {
    deal_transition (deal_id, n) { deal_id -> Uuid, n -> Integer, }
}

diesel::joinable!(deal -> product (product_id));
diesel::joinable!(deal -> vertical (vertical_id));
diesel::allow_tables_to_appear_in_same_query!(deal, deal_transition, product, vertical);

/// A pool of the owner's connections.
pub type Pool = diesel::r2d2::Pool<ConnectionManager<PgConnection>>;

type Row = (
    (Uuid, Uuid, Uuid, Uuid, Option<Uuid>, Uuid, String, Option<String>),
    (jiff_diesel::Date, Option<jiff_diesel::Date>, Option<jiff_diesel::Date>, Option<jiff_diesel::Date>),
    (Option<i64>, Option<i64>, Option<Uuid>, Option<i32>),
    (jiff_diesel::Timestamp, jiff_diesel::Timestamp, i32, String, String, Option<i64>),
);

/// What a handler answers.
#[derive(serde::Serialize)]
pub struct Deal {
    id: Uuid,
    provider_id: Uuid,
    introducer_id: Uuid,
    member_id: Uuid,
    upline_id: Option<Uuid>,
    client_id: Uuid,
    stage: String,
    external_ref: Option<String>,
    dates: [Option<jiff::civil::Date>; 4],
    settled_minor: Option<i64>,
    offset_minor: Option<i64>,
    agreement_id: Option<Uuid>,
    version_number: Option<i32>,
    created_at: jiff::Timestamp,
    updated_at: jiff::Timestamp,
    version: i32,
    product: String,
    vertical: String,
    transitions: Option<i64>,
}

impl From<Row> for Deal {
    fn from((ids, dates, amounts, rest): Row) -> Self {
        Self {
            id: ids.0,
            provider_id: ids.1,
            introducer_id: ids.2,
            member_id: ids.3,
            upline_id: ids.4,
            client_id: ids.5,
            stage: ids.6,
            external_ref: ids.7,
            dates: [Some(dates.0.into()), dates.1.map(Into::into), dates.2.map(Into::into), dates.3.map(Into::into)],
            settled_minor: amounts.0,
            offset_minor: amounts.1,
            agreement_id: amounts.2,
            version_number: amounts.3,
            created_at: rest.0.into(),
            updated_at: rest.1.into(),
            version: rest.2,
            product: rest.3,
            vertical: rest.4,
            transitions: rest.5,
        }
    }
}

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
/// Twelve connections, as the API has for its readers.
pub fn pool(url: &str) -> Pool {
    Pool::builder().max_size(12).test_on_check_out(false).build(ConnectionManager::new(url)).expect("connections")
}

macro_rules! select {
    () => {
        deal::table.inner_join(product::table).inner_join(vertical::table).select((
            (
                deal::id,
                deal::provider_id,
                deal::introducer_id,
                deal::member_id,
                deal::upline_id,
                deal::client_id,
                deal::stage,
                deal::external_ref,
            ),
            (deal::referred_on, deal::contracted_on, deal::settled_on, deal::discharged_on),
            (deal::settled_minor, deal::offset_minor, deal::agreement_id, deal::version_number),
            (
                deal::created_at,
                deal::updated_at,
                deal::version,
                product::code,
                vertical::code,
                deal_transition::table.filter(deal_transition::deal_id.eq(deal::id)).count().single_value(),
            ),
        ))
    };
}

/// One deal.
#[expect(clippy::expect_used, reason = "a bench fails loudly")]
pub fn find(pool: &Pool, id: Uuid) -> Option<Deal> {
    let mut connection = pool.get().expect("a connection");
    select!().filter(deal::id.eq(id)).first::<Row>(&mut connection).optional().expect("a deal").map(Deal::from)
}

/// The newest deals.
#[expect(clippy::expect_used, reason = "a bench fails loudly")]
pub fn list(pool: &Pool, limit: i64) -> Vec<Deal> {
    let mut connection = pool.get().expect("a connection");
    let rows = select!().order(deal::id.desc()).limit(limit).load::<Row>(&mut connection).expect("deals");
    rows.into_iter().map(Deal::from).collect()
}
