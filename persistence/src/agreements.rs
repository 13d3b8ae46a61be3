//! Agreements, versions, calculations.

use diesel::prelude::*;
use diesel::sql_types::{Array, Bytea, Date, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use domain::agreements::model::GoverningDate;
use domain::agreements::repository::{
    AgreementQueries, AgreementRepository, FoundAgreement, FoundVersion, StoredCalculation,
};
use domain::agreements::{GoverningVersion, VersionContent};
use domain::catalogue::{VerticalCode, reference};
use domain::kernel::ids::{AgreementId, CalculationId, DealId, VerticalId};
use domain::kernel::{Instant, Page, PageRequest};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{date, digest, from_instant, instant, maybe_date};
use crate::error::{store_error, unreadable};
use crate::page::{Paging, by_id, by_number, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

const fn governing_date(date: GoverningDate) -> &'static str {
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

fn version_number(number: u32) -> Result<i32, StoreError> {
    i32::try_from(number).map_err(|_| unreadable("a version number"))
}

type ActiveRow = (Uuid, i32, Vec<u8>, Vec<u8>);

/// A version that is what was approved.
fn governing((agreement, number, content, sha256): ActiveRow) -> Result<GoverningVersion, StoreError> {
    let content = VersionContent::parse(&content).map_err(|_| unreadable("an agreement version"))?;
    let number = u32::try_from(number).map_err(|_| unreadable("a version number"))?;
    let version = GoverningVersion::try_new(AgreementId::new(agreement), number, content)
        .map_err(|_| unreadable("an agreement version"))?;
    if version.content_hash().bytes().as_slice() != sha256 {
        return Err(unreadable("an agreement version is not what was approved"));
    }
    Ok(version)
}

impl AgreementRepository for PgUnitOfWork<'_> {
    fn ship(&mut self, name: &str, version: &GoverningVersion, at: Instant) -> Result<(), StoreError> {
        let content = version.content();
        let bytes = content.canonical_bytes().map_err(|e| StoreError::Failed(e.to_string()))?;
        command(
            "insert into agreement (id, vertical_id, name, created_at) values ($1, $2, $3, $4) on conflict do nothing",
        )
        .bind::<SqlUuid, _>(version.agreement().uuid())
        .bind::<SqlUuid, _>(reference::vertical_id(content.vertical).uuid())
        .bind::<Text, _>(name)
        .bind::<Timestamptz, _>(instant(at))
        .execute(self.pg)
        .map_err(store_error)?;
        command(
            "insert into agreement_version (agreement_id, number, state, governing_date, effective_from, effective_until, content, content_sha256, created_at)
             values ($1, $2, 'active', $3, $4, $5, $6, $7, $8) on conflict do nothing",
        )
        .bind::<SqlUuid, _>(version.agreement().uuid())
        .bind::<Integer, _>(version_number(version.number())?)
        .bind::<Text, _>(governing_date(content.governing_date))
        .bind::<Date, _>(date(content.effective_from))
        .bind::<diesel::sql_types::Nullable<Date>, _>(maybe_date(content.effective_until))
        .bind::<Bytea, _>(bytes)
        .bind::<Bytea, _>(version.content_hash().bytes().to_vec())
        .bind::<Timestamptz, _>(instant(at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn list_active(&mut self, vertical: VerticalCode) -> Result<Vec<GoverningVersion>, StoreError> {
        let rows: Vec<ActiveRow> = query::<(SqlUuid, Integer, Bytea, Bytea)>(
            "select v.agreement_id, v.number, v.content, v.content_sha256 from agreement_version v
             join agreement a on a.id = v.agreement_id
             where a.vertical_id = $1 and v.state in ('active', 'superseded') order by v.number desc",
        )
        .bind::<SqlUuid, _>(reference::vertical_id(vertical).uuid())
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(governing).collect()
    }

    fn list_active_of(&mut self, deals: &[DealId]) -> Result<Vec<(VerticalCode, Vec<GoverningVersion>)>, StoreError> {
        let rows: Vec<(String, ActiveRow)> = query::<(Text, (SqlUuid, Integer, Bytea, Bytea))>(
            "select vertical.code, v.agreement_id, v.number, v.content, v.content_sha256 from agreement_version v
             join agreement a on a.id = v.agreement_id join vertical on vertical.id = a.vertical_id
             where a.vertical_id in (select vertical_id from deal where id = any($1))
               and v.state in ('active', 'superseded') order by vertical.code, v.number desc",
        )
        .bind::<Array<SqlUuid>, _>(deals.iter().map(|d| d.uuid()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        let mut verticals: Vec<(VerticalCode, Vec<GoverningVersion>)> = Vec::new();
        for (code, row) in rows {
            let vertical = VerticalCode::parse(&code).map_err(|_| unreadable("a vertical's code"))?;
            match verticals.last_mut() {
                Some((last, versions)) if *last == vertical => versions.push(governing(row)?),
                _ => verticals.push((vertical, vec![governing(row)?])),
            }
        }
        Ok(verticals)
    }

    fn append_calculations(&mut self, calculations: &[StoredCalculation]) -> Result<(), StoreError> {
        let Some(first) = calculations.first() else { return Ok(()) };
        let numbers = calculations.iter().map(|c| version_number(c.version.1)).collect::<Result<Vec<_>, _>>()?;
        command(
            "insert into calculation (known_at, id, deal_id, agreement_id, version_number, engine_version, input, input_sha256, output_sha256)
             select $1, id, deal_id, agreement_id, number, engine, input, sha256(input), output_sha256
             from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::int[], $6::smallint[], $7::bytea[], $8::bytea[])
               as c (id, deal_id, agreement_id, number, engine, input, output_sha256)",
        )
        .bind::<Timestamptz, _>(instant(first.known_at))
        .bind::<Array<SqlUuid>, _>(calculations.iter().map(|c| c.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(calculations.iter().map(|c| c.deal.uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(calculations.iter().map(|c| c.version.0.uuid()).collect::<Vec<_>>())
        .bind::<Array<Integer>, _>(numbers)
        .bind::<Array<SmallInt>, _>(calculations.iter().map(|c| i16::try_from(c.engine).unwrap_or(i16::MAX)).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(calculations.iter().map(|c| c.input.as_slice()).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(calculations.iter().map(|c| c.output_sha256.bytes().as_slice()).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}

type AgreementColumns = (SqlUuid, Text, Text, Timestamptz);
type AgreementRow = (Uuid, String, String, jiff_diesel::Timestamp);

fn agreement((id, vertical, name, created_at): AgreementRow) -> Result<FoundAgreement, StoreError> {
    let vertical = VerticalCode::parse(&vertical).map_err(|_| unreadable("a vertical's code"))?;
    Ok(FoundAgreement { id: AgreementId::new(id), vertical, name, created_at: from_instant(created_at) })
}

type VersionColumns =
    (SqlUuid, Integer, Text, Text, Date, Nullable<Date>, Bytea, Bytea, Timestamptz, Nullable<Timestamptz>);

#[derive(Queryable)]
struct VersionRow {
    agreement: Uuid,
    number: i32,
    state: String,
    governing_date: String,
    effective_from: jiff_diesel::Date,
    effective_until: Option<jiff_diesel::Date>,
    content: Vec<u8>,
    content_sha256: Vec<u8>,
    created_at: jiff_diesel::Timestamp,
    approved_at: Option<jiff_diesel::Timestamp>,
}

impl VersionRow {
    fn restore(self) -> Result<FoundVersion, StoreError> {
        Ok(FoundVersion {
            agreement: AgreementId::new(self.agreement),
            number: u32::try_from(self.number).map_err(|_| unreadable("a version number"))?,
            state: self.state,
            governing_date: read_governing_date(&self.governing_date)?,
            effective_from: self.effective_from.to_jiff(),
            effective_until: self.effective_until.map(|until| until.to_jiff()),
            content: self.content,
            content_sha256: digest(&self.content_sha256)?,
            created_at: from_instant(self.created_at),
            approved_at: self.approved_at.map(from_instant),
        })
    }
}

type CalculationColumns = (SqlUuid, SqlUuid, SqlUuid, Integer, SmallInt, Bytea, Bytea, Timestamptz);
type CalculationRow = (Uuid, Uuid, Uuid, i32, i16, Vec<u8>, Vec<u8>, jiff_diesel::Timestamp);

fn calculation(
    (id, deal, agreement, number, engine, input, output_sha256, known_at): CalculationRow,
) -> Result<StoredCalculation, StoreError> {
    let number = u32::try_from(number).map_err(|_| unreadable("a version number"))?;
    Ok(StoredCalculation {
        id: CalculationId::new(id),
        deal: DealId::new(deal),
        version: (AgreementId::new(agreement), number),
        engine: u16::try_from(engine).map_err(|_| unreadable("an engine"))?,
        input,
        output_sha256: digest(&output_sha256)?,
        known_at: from_instant(known_at),
    })
}

impl AgreementQueries for PgQueries<'_> {
    fn list(&mut self, vertical: Option<VerticalId>, page: &PageRequest) -> Result<Page<FoundAgreement>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<AgreementRow> = query::<AgreementColumns>(listed!(
            paging.order,
            "select a.id, v.code, a.name, a.created_at from agreement a join vertical v on v.id = a.vertical_id where ",
            "a.id", at "a.created_at", " and coalesce(a.vertical_id = $4, true)"
        ))
        .after_id(paging)?
        .between(paging)
        .bind::<Nullable<SqlUuid>, _>(vertical.map(VerticalId::uuid))
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, agreement, |a| a.id.uuid())
    }

    fn find(&mut self, id: AgreementId) -> Result<Option<FoundAgreement>, StoreError> {
        let row: Option<AgreementRow> = query::<AgreementColumns>(
            "select a.id, v.code, a.name, a.created_at from agreement a join vertical v on v.id = a.vertical_id where a.id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(agreement).transpose()
    }

    fn list_versions(&mut self, id: AgreementId, page: &PageRequest) -> Result<Page<FoundVersion>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<VersionRow> = query::<VersionColumns>(listed!(
            paging.order,
            "select agreement_id, number, state, governing_date, effective_from, effective_until, content, content_sha256, created_at, approved_at
             from agreement_version where agreement_id = $1 and ",
            "number", at "created_at", ""
        ))
        .bind::<SqlUuid, _>(id.uuid())
        .page_by_number(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_number(rows, page, VersionRow::restore, |v| i64::from(v.number))
    }

    fn find_version(&mut self, id: AgreementId, number: u32) -> Result<Option<FoundVersion>, StoreError> {
        // A number that no version can have is not found rather than out of range.
        let Ok(number) = i32::try_from(number) else { return Ok(None) };
        let row: Option<VersionRow> = query::<VersionColumns>(
            "select agreement_id, number, state, governing_date, effective_from, effective_until, content, content_sha256, created_at, approved_at
             from agreement_version where agreement_id = $1 and number = $2",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Integer, _>(number)
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(VersionRow::restore).transpose()
    }

    fn find_calculation(&mut self, id: CalculationId) -> Result<Option<StoredCalculation>, StoreError> {
        let row: Option<CalculationRow> = query::<CalculationColumns>(
            "select id, deal_id, agreement_id, version_number, engine_version, input, output_sha256, known_at from calculation where id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(calculation).transpose()
    }
}
