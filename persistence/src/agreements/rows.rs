//! Rows of agreements and their versions.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bytea, Date, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use domain::agreements::life::{Act, Approval, Ended};
use domain::agreements::model::GoverningDate;
use domain::agreements::repository::{FoundAgreement, Moved, StoredCalculation};
use domain::agreements::{AgreementVersion, VersionState};
use domain::catalogue::VerticalCode;
use domain::kernel::ids::{AgreementId, CalculationId, DealId, OrganisationId};
use domain::store::StoreError;
use uuid::Uuid;

use super::Tables;
use crate::bind::{digest, from_instant};
use crate::error::{store_error, unreadable};
use crate::statement::query;

pub const fn governing_date(date: GoverningDate) -> &'static str {
    match date {
        GoverningDate::Referred => "referred",
        GoverningDate::Contracted => "contracted",
        GoverningDate::Settled => "settled",
    }
}

fn read_governing_date(text: &str) -> Result<GoverningDate, StoreError> {
    let all = [GoverningDate::Referred, GoverningDate::Contracted, GoverningDate::Settled];
    all.into_iter().find(|date| governing_date(*date) == text).ok_or_else(|| unreadable("a governing date"))
}

pub fn version_number(number: u32) -> Result<i32, StoreError> {
    i32::try_from(number).map_err(|_| unreadable("a version number"))
}

pub fn read_number(number: i32) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| unreadable("a version number"))
}

pub type AgreementColumns = (SqlUuid, Text, Text, Nullable<SqlUuid>, Timestamptz);
pub type AgreementRow = (Uuid, String, String, Option<Uuid>, jiff_diesel::Timestamp);

pub fn agreement((id, vertical, name, provider, created_at): AgreementRow) -> Result<FoundAgreement, StoreError> {
    let vertical = VerticalCode::parse(&vertical).map_err(|_| unreadable("a vertical's code"))?;
    let (id, provider) = (AgreementId::new(id), provider.map(OrganisationId::new));
    Ok(FoundAgreement { id, vertical, name, provider, created_at: from_instant(created_at) })
}

pub type VersionColumns = (
    (SqlUuid, Integer, Text, Text, Date, Nullable<Date>, Bytea, Bytea, Timestamptz, Array<SqlUuid>),
    (Nullable<SqlUuid>, Nullable<Timestamptz>),
    (Nullable<SqlUuid>, Nullable<Timestamptz>, Nullable<Text>),
    (Nullable<SqlUuid>, Nullable<Timestamptz>, Nullable<SqlUuid>, Array<Text>),
    (Nullable<Timestamptz>, Nullable<Integer>, Nullable<Timestamptz>),
    (Nullable<SqlUuid>, Nullable<Timestamptz>, Nullable<Text>),
    Integer,
);

type At = jiff_diesel::Timestamp;
type Said = (Uuid, i32, String, String, jiff_diesel::Date, Option<jiff_diesel::Date>, Vec<u8>, Vec<u8>, At, Vec<Uuid>);
type EndedRow = (Option<Uuid>, Option<At>, Option<String>);

#[derive(Queryable)]
pub struct VersionRow {
    said: Said,
    proposed: (Option<Uuid>, Option<At>),
    rejected: EndedRow,
    approved: (Option<Uuid>, Option<At>, Option<Uuid>, Vec<String>),
    moved: (Option<At>, Option<i32>, Option<At>),
    retired: EndedRow,
    version: i32,
}

fn act(by: Option<Uuid>, at: Option<At>) -> Option<Act> {
    by.zip(at).map(|(by, at)| Act { by, at: from_instant(at) })
}

fn ended((by, at, reason): EndedRow) -> Option<Ended> {
    act(by, at).zip(reason).map(|(act, reason)| Ended { act, reason })
}

impl VersionRow {
    /// The version, still without its tables.
    pub fn restore(self) -> Result<AgreementVersion, StoreError> {
        let (agreement, number, state, date, from, until, content, sha256, created_at, writers) = self.said;
        let (activated_at, superseded_by, superseded_at) = self.moved;
        let (approver, approved_at, approval, acknowledged) = self.approved;
        let approved = act(approver, approved_at).zip(approval).map(|(act, id)| Approval { act, id, acknowledged });
        let superseded = superseded_by.map(read_number).transpose()?.zip(superseded_at.map(from_instant));
        Ok(AgreementVersion {
            agreement: AgreementId::new(agreement),
            number: read_number(number)?,
            state: VersionState::parse(&state).ok_or_else(|| unreadable("the state of a version"))?,
            governing_date: read_governing_date(&date)?,
            effective_from: from.to_jiff(),
            effective_until: until.map(|until| until.to_jiff()),
            content,
            content_sha256: digest(&sha256)?,
            tables: Vec::new(),
            created_at: from_instant(created_at),
            writers,
            proposed: act(self.proposed.0, self.proposed.1),
            rejected: ended(self.rejected),
            approved,
            activated_at: activated_at.map(from_instant),
            superseded,
            retired: ended(self.retired),
            version: self.version,
        })
    }
}

/// Versions with the tables that they name; one whose content does not read names none.
pub fn all_with_tables(pg: &mut PgConnection, rows: &mut [AgreementVersion]) -> Result<(), StoreError> {
    let contents: Vec<_> = rows.iter().map(|row| row.read().ok()).collect();
    let tables = Tables::named_by(pg, contents.iter().flatten())?;
    for (row, content) in rows.iter_mut().zip(&contents) {
        row.tables = content.as_ref().map(|content| tables.of(content)).unwrap_or_default();
    }
    Ok(())
}

/// A version with the tables that it names.
pub fn with_tables(pg: &mut PgConnection, row: Option<VersionRow>) -> Result<Option<AgreementVersion>, StoreError> {
    let mut found: Vec<AgreementVersion> = row.map(VersionRow::restore).transpose()?.into_iter().collect();
    all_with_tables(pg, &mut found)?;
    Ok(found.pop())
}

/// Numbers, first and last days of the versions that were proposed or approved and are not retired, without one.
pub fn ranges(
    pg: &mut PgConnection,
    id: AgreementId,
    but: u32,
) -> Result<Vec<(u32, jiff::civil::Date, Option<jiff::civil::Date>)>, StoreError> {
    let rows: Vec<(i32, jiff_diesel::Date, Option<jiff_diesel::Date>)> = query::<(Integer, Date, Nullable<Date>)>(
        "select number, effective_from, effective_until from agreement_version
         where agreement_id = $1 and number <> $2 and state not in ('draft', 'retired') order by number",
    )
    .bind::<SqlUuid, _>(id.uuid())
    .bind::<Integer, _>(i32::try_from(but).unwrap_or(i32::MAX))
    .load(pg)
    .map_err(store_error)?;
    let range = |(number, from, until): (i32, jiff_diesel::Date, Option<jiff_diesel::Date>)| {
        Ok((read_number(number)?, from.to_jiff(), until.map(|until| until.to_jiff())))
    };
    rows.into_iter().map(range).collect()
}

pub type MovedColumns = (SqlUuid, Integer, Nullable<SqlUuid>, Text, Bytea, Date);
pub type MovedRow = (Uuid, i32, Option<Uuid>, String, Vec<u8>, jiff_diesel::Date);

pub fn moved((agreement, number, provider, state, sha256, from): MovedRow) -> Result<Moved, StoreError> {
    Ok(Moved {
        agreement: AgreementId::new(agreement),
        number: read_number(number)?,
        provider: provider.map(OrganisationId::new),
        state: VersionState::parse(&state).ok_or_else(|| unreadable("the state of a version"))?,
        content_sha256: digest(&sha256)?,
        effective_from: from.to_jiff(),
    })
}

/// A calculation as it is stored.
pub(crate) type CalculationColumns =
    (SqlUuid, SqlUuid, SqlUuid, Integer, Nullable<Date>, SmallInt, Bytea, Bytea, Timestamptz);
pub(crate) type CalculationRow =
    (Uuid, Uuid, Uuid, i32, Option<jiff_diesel::Date>, i16, Vec<u8>, Vec<u8>, jiff_diesel::Timestamp);

pub(crate) fn calculation(
    (id, deal, agreement, number, period, engine, input, output_sha256, known_at): CalculationRow,
) -> Result<StoredCalculation, StoreError> {
    Ok(StoredCalculation {
        id: CalculationId::new(id),
        deal: DealId::new(deal),
        version: (AgreementId::new(agreement), read_number(number)?),
        period: period.map(|period| period.to_jiff()),
        engine: u16::try_from(engine).map_err(|_| unreadable("an engine"))?,
        input,
        output_sha256: digest(&output_sha256)?,
        known_at: from_instant(known_at),
    })
}
