//! Rows of deals: how they are read, and the columns in which many are written at once.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Date, Integer, Nullable, SmallInt, Text, Uuid as SqlUuid};
use domain::agreements::facts::{DealFacts, Settlement};
use domain::catalogue::{ProductCode, VerticalCode};
use domain::deals::deal::{Deal, Stage};
use domain::deals::frozen::Frozen;
use domain::kernel::Money;
use domain::kernel::ids::{AgreementId, ContactId, DealId, MemberId, OrganisationId, ProductId, VerticalId};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{array_literal, date, digest, maybe_date};
use crate::error::unreadable;

/// A row of `deal`, with the number of its transitions.
#[derive(Queryable)]
pub(super) struct DealRow {
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

pub(super) type DealColumns = (
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
pub(super) use deal_columns;

impl DealRow {
    pub(super) fn restore(self) -> Result<Deal, StoreError> {
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
pub(super) fn sold(product: &str, vertical: &str) -> Result<(ProductCode, VerticalCode), StoreError> {
    let product = ProductCode::parse(product).map_err(|_| unreadable("a product's code"))?;
    let vertical = VerticalCode::parse(vertical).map_err(|_| unreadable("a vertical's code"))?;
    Ok((product, vertical))
}

/// The columns that both an insert and an update write.
pub(super) struct Changing<'d> {
    pub(super) stage: Vec<&'static str>,
    pub(super) referred_on: Vec<jiff_diesel::Date>,
    pub(super) contracted_on: Vec<Option<jiff_diesel::Date>>,
    pub(super) settled_on: Vec<Option<jiff_diesel::Date>>,
    pub(super) discharged_on: Vec<Option<jiff_diesel::Date>>,
    pub(super) settled_minor: Vec<Option<i64>>,
    pub(super) offset_minor: Vec<Option<i64>>,
    pub(super) source_sha256: Vec<Option<&'d [u8]>>,
    pub(super) agreement_id: Vec<Option<Uuid>>,
    pub(super) version_number: Vec<Option<i32>>,
    pub(super) measures: Vec<Option<String>>,
    pub(super) milestones: Vec<Option<String>>,
}

impl<'d> Changing<'d> {
    pub(super) fn of(deals: &'d [Deal]) -> Result<Self, StoreError> {
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
